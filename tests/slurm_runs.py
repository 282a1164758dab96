"""Runs of the workflow that go through the Slurm of the tests, and what their logs tell."""

import hashlib
import os
import re
import shutil
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from calwebb_associate.images import WORKFLOW, image_path
from programs import BIN, ROOT
from working_copy import Workflow, make_workflow

SITE = ROOT / "tests" / "slurm" / "site"
PATIENCE = 900
# What tells of the run rather than of the data: when, where, how long.
ABOUT_THE_RUN = ("plan", "report")


@dataclass
class Node:
    """A Slurm of one node; its commands are in `folder/bin`."""

    folder: Path

    @property
    def path(self) -> str:
        """PATH of a run that goes through it."""
        return os.pathsep.join(map(str, (self.folder / "bin", BIN, os.environ["PATH"])))

    def is_running(self, job: str) -> bool:
        """Say whether a submission runs."""
        command = ["squeue", "--noheader", "--states=RUNNING", "--format=%i"]
        done = self._do(command, check=False)
        return job in done.stdout.split()

    def kill(self, job: str) -> None:
        """Kill the processes of a submission, as a node that lacks memory does."""
        self._do(["scancel", "--signal=KILL", "--full", job], check=True)

    def steps(self, job: str) -> int:
        """Return how many steps of a submission were started, one after another."""
        log = (self.folder / "slurmd.log").read_text()
        return log.count(f"launch task StepId={job}.")

    def jobs_of(self, folder: Path) -> list[dict[str, str]]:
        """Return what the controller knows of the submissions from a working folder."""
        said = self._do(["scontrol", "--oneliner", "show", "job"], check=True).stdout
        jobs = [
            dict(word.split("=", 1) for word in line.split() if "=" in word)
            for line in said.splitlines()
        ]
        return [job for job in jobs if job.get("WorkDir") == str(folder)]

    def _do(self, command: Sequence[str], *, check: bool) -> subprocess.CompletedProcess[str]:
        program = self.folder / "bin" / command[0]
        return subprocess.run(
            [program, *command[1:]], capture_output=True, text=True, check=check
        )  # fmt: skip


@dataclass
class Run:
    """A run of the workflow in a folder of its own, still going on or ended."""

    workflow: Workflow
    process: subprocess.Popen

    @property
    def log(self) -> str:
        """What Snakemake said so far."""
        return (self.workflow.folder / "run.log").read_text()

    def wait(self) -> "Run":
        """Wait for a good end."""
        assert self.process.wait(PATIENCE) == 0, self.log[-5000:]
        return self

    def stop(self) -> None:
        """End it, if it has not ended."""
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(60)

    def sums(self) -> dict[str, str]:
        """Return the sha256 of products, catalogs, associations, references and pictures."""
        results = self.workflow.folder / "results"
        return {
            str(path.relative_to(results)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(results.rglob("*"))
            if path.is_file()
            and path.suffix in (".fits", ".ecsv", ".json", ".csv", ".png")
            and path.relative_to(results).parts[1] not in ABOUT_THE_RUN
            and not path.name.startswith("ro-crate")
        }


def start(
    folder: Path,
    simulation: Path,
    *words: str | Path,
    profiles: Sequence[Path] = (),
    path: str = "",
) -> Run:
    """Start Snakemake in a new folder, with copies of the raw files."""
    workflow = make_workflow(folder, simulation)
    command = [BIN / "snakemake", *words, "--snakefile", ROOT / "Snakefile"]
    command += [word for profile in profiles for word in ("--profile", profile)]
    command += ["--configfile", workflow.config]
    environment = {**os.environ, "PATH": path or f"{BIN}{os.pathsep}{os.environ['PATH']}"}
    environment.pop("PYTHONPATH", None)
    with (folder / "run.log").open("w") as log:
        process = subprocess.Popen(
            list(map(str, command)), cwd=folder, env=environment, stdout=log, stderr=log
        )
    return Run(workflow, process)


def kill_first(run: Run, node: Node, submitted: re.Pattern) -> str:
    """Kill the first submission that a pattern finds in the log, once it runs; return which."""
    deadline = time.monotonic() + PATIENCE
    while not (found := submitted.search(run.log)) or not node.is_running(found[1]):
        assert run.process.poll() is None, f"ended before a job could be killed: {run.log[-5000:]}"
        assert time.monotonic() < deadline, "no submission runs"
        time.sleep(0.2)
    node.kill(found[1])
    return found[1]


def containers() -> list[Path]:
    """Return the profile that runs jobs in containers, if they can here."""
    there = shutil.which("apptainer") and all(
        image_path(ROOT, stage).exists() for stage in WORKFLOW
    )
    return [ROOT / "profiles" / "apptainer"] if there else []
