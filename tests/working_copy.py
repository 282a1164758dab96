"""A copy of the workflow in a folder of its own, and dry runs read as sets of jobs."""

import re
import shutil
from dataclasses import dataclass
from pathlib import Path

import yaml

from programs import ROOT, SERVERLESS, get_ready, run, with_stand_ins

JOB = re.compile(r"^(?:local)?rule (\w+):$((?:\n    .*)*)", re.MULTILINE)
FIELD = re.compile(r"^    (\w+): (.*)$", re.MULTILINE)
# Environments of the programs that jobs start, by target.
ENVIRONMENTS = {
    "associations_all": ("associate",),
    "detector1_all": ("associate", "detector1", "level3"),
}
ALL = ("associate", "detector1", "image2", "level3")


@dataclass(frozen=True)
class Job:
    """A job that Snakemake would run."""

    rule: str
    about: str
    reason: str


@dataclass
class Workflow:
    """A run of the workflow in a working folder."""

    folder: Path
    config: Path
    # whether jobs start their programs from nothing, as outside of tests; else libraries are there
    from_nothing: bool = False

    def snakemake(self, *words: str, check: bool = True):
        """Run snakemake on two cores with this run's configuration."""
        place = ROOT if self.from_nothing else with_stand_ins()
        command = [
            "snakemake", "--snakefile", place / "Snakefile", "--workflow-profile",
            ROOT / "profiles" / "default", "--cores", "2", *words, "--configfile", self.config,
        ]  # fmt: skip
        if not (self.from_nothing or {"--dry-run", "--lint", "--unlock"} & {*words}):
            get_ready(ENVIRONMENTS.get(words[0], ALL) if len(words) == 1 else ALL)
        return run(command, cwd=self.folder, check=check)

    def pending(self, *words: str) -> set[Job]:
        """Return the jobs that a dry run lists."""
        return set(jobs_of(self.snakemake("--dry-run", *words).stdout))

    def set(self, **values) -> None:
        """Change the configuration; a dotted path is written with double underscores."""
        content = yaml.safe_load(self.config.read_text())
        for path, value in values.items():
            section = content
            *parents, last = path.split("__")
            for parent in parents:
                section = section.setdefault(parent, {})
            section[last] = value
        self.config.write_text(yaml.safe_dump(content))


def jobs_of(text: str) -> list[Job]:
    """Read the jobs out of what a dry run prints."""
    jobs = []
    for rule, body in JOB.findall(text):
        fields = dict(FIELD.findall(body))
        wildcards = dict(
            item.split("=", 1) for item in fields.get("wildcards", "").split(", ") if item
        )
        about = wildcards.pop("program", "")
        about = " ".join(wildcards.values()) or about
        jobs.append(Job(rule, about, fields.get("reason", "")))
    return jobs


def make_workflow(folder: Path, simulation: Path, *, from_nothing: bool = False) -> Workflow:
    """Lay out a working folder with copies of the raw files."""
    shutil.copytree(simulation / "uncal", folder / "uncal")
    config = folder / "mine.yaml"
    config.write_text(
        yaml.safe_dump(
            {
                "uncal": "uncal",
                "crds_path": str(simulation / "crds_cache"),
                "crds_server": SERVERLESS,
                "crds_context": "jwst_0001.pmap",
            }
        )
    )
    return Workflow(folder, config, from_nothing)
