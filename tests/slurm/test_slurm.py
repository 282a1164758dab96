"""A run through a real Slurm of one node: a killed job is tried again, the bytes are a local run's.

With containers where Apptainer and the images are there; else without, and this is said.
"""

import hashlib
import os
import re
import shutil
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from calwebb_associate.images import WORKFLOW, image_path
from programs import BIN, ROOT
from working_copy import Workflow, make_workflow

pytestmark = [pytest.mark.slurm, pytest.mark.workflow, pytest.mark.slow]

SUBMITTED = re.compile(r"has been submitted with SLURM jobid (\d+)")
PATIENCE = 600
# What tells of the run rather than of the data: when, where, how long.
ABOUT_THE_RUN = ("plan", "report")


@dataclass
class OnSlurm:
    """A finished run."""

    workflow: Workflow
    log: str
    killed: str
    contained: bool


def images() -> bool:
    """Say whether jobs can run in containers here."""
    return bool(shutil.which("apptainer")) and all(
        image_path(ROOT, stage).exists() for stage in WORKFLOW
    )


def two_exposures(folder: Path, simulation: Path) -> Workflow:
    """Lay out a working folder with two of the exposures."""
    workflow = make_workflow(folder, simulation)
    for raw in sorted((folder / "uncal").iterdir())[2:]:
        raw.unlink()
    return workflow


def is_running(slurm: Path, job: str) -> bool:
    """Say whether a submission runs."""
    done = subprocess.run(
        [slurm / "squeue", "--noheader", "--states=RUNNING", "--format=%i"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    return job in done.stdout.split()


def submitted(log: Path, what: str) -> list[str]:
    """Return the numbers of submissions of a group or rule."""
    lines = [line for line in log.read_text().splitlines() if f"/slurm_logs/{what}" in line]
    return [match[1] for line in lines if (match := SUBMITTED.search(line))]


def kill_once(slurm: Path, process: subprocess.Popen, log: Path) -> str:
    """Kill what detector1's first submission runs, as a node that lacks memory does."""
    deadline = time.monotonic() + PATIENCE
    while not (jobs := submitted(log, "group_detector1")) or not is_running(slurm, jobs[0]):
        assert process.poll() is None, "the run ended before a job could be killed"
        assert time.monotonic() < deadline, "no submission of detector1"
        time.sleep(0.2)
    subprocess.run([slurm / "scancel", "--signal=KILL", "--full", jobs[0]], check=True)
    return jobs[0]


@pytest.fixture(scope="module")
def finished(slurm, tiny, tmp_path_factory) -> OnSlurm:
    """A run of the workflow through Slurm, of whose jobs one was killed."""
    workflow = two_exposures(tmp_path_factory.mktemp("slurm"), tiny)
    contained = images()
    profiles = [ROOT / "profiles" / "slurm", ROOT / "tests" / "slurm" / "site"]
    if contained:
        profiles.append(ROOT / "profiles" / "apptainer")
    command = [BIN / "snakemake", "--snakefile", ROOT / "Snakefile"]
    command += [word for profile in profiles for word in ("--profile", profile)]
    command += ["--configfile", workflow.config]
    log = workflow.folder / "run.log"
    path = os.pathsep.join(map(str, (slurm, BIN, os.environ["PATH"])))
    environment = {**os.environ, "PATH": path}
    environment.pop("PYTHONPATH", None)

    with log.open("w") as out:
        process = subprocess.Popen(
            list(map(str, command)), cwd=workflow.folder, env=environment, stdout=out, stderr=out
        )
        try:
            killed = kill_once(slurm, process, log)
            assert process.wait(PATIENCE) == 0, log.read_text()[-5000:]
        finally:
            if process.poll() is None:
                process.terminate()
                process.wait(60)
    return OnSlurm(workflow, log.read_text(), killed, contained)


@pytest.fixture(scope="module")
def local(tiny, tmp_path_factory) -> Workflow:
    """The same run without Slurm and without containers."""
    workflow = two_exposures(tmp_path_factory.mktemp("local"), tiny)
    workflow.snakemake()
    return workflow


def sums(workflow: Workflow) -> dict[str, str]:
    """Return the sha256 of products, catalogs, associations, references and pictures."""
    results = workflow.folder / "results"
    return {
        str(path.relative_to(results)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(results.rglob("*"))
        if path.is_file()
        and path.suffix in (".fits", ".ecsv", ".json", ".csv", ".png")
        and path.relative_to(results).parts[1] not in ABOUT_THE_RUN
        and not path.name.startswith("ro-crate")
    }


def test_the_bytes_are_those_of_a_local_run(finished, local):
    here, there = sums(local), sums(finished.workflow)
    assert len(here) > 25
    lines = [
        f"{here[name]} {'equal' if there.get(name) == here[name] else 'DIFFERS'} {name}\n"
        for name in sorted(here)
    ]
    table = finished.workflow.folder / "sha256.txt"
    table.write_text("".join(lines))
    assert there == here, table


def test_a_killed_job_is_tried_again(finished):
    assert "Trying to restart job" in finished.log
    jobs = submitted(finished.workflow.folder / "run.log", "group_detector1")
    assert jobs[0] == finished.killed
    assert len(jobs) >= 2


def test_few_submissions_for_many_jobs(finished):
    jobs = int(re.search(r"^total +(\d+)$", finished.log, re.MULTILINE)[1])
    submissions = SUBMITTED.findall(finished.log)
    assert jobs > 20
    # the pool, detector1 and again, image2, image3, the summary
    assert len(submissions) <= 8


def test_jobs_run_in_containers(finished):
    if not finished.contained:
        pytest.skip("SLURM IS TESTED WITHOUT CONTAINERS: no apptainer or images (make images)")
    logs = finished.workflow.folder / ".snakemake" / "slurm_logs"
    assert "Singularity containers: ignored" not in finished.log
    assert logs.is_dir()


def test_nothing_is_left_in_the_working_folder(finished):
    expected = {"uncal", "results", "logs", "mine.yaml", "run.log", "sha256.txt", ".snakemake"}
    assert {path.name for path in finished.workflow.folder.iterdir()} <= expected
