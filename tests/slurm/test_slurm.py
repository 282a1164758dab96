"""A run through a real Slurm of one node: a killed job is tried again, the bytes are a local run's.

With containers where Apptainer and the images are there; else without, and this is said.
"""

import re
from dataclasses import dataclass

import pytest

from programs import ROOT
from slurm_runs import SITE, Node, Run, containers, kill_first, start

pytestmark = [pytest.mark.slurm, pytest.mark.workflow, pytest.mark.slow]

SUBMITTED = re.compile(r"has been submitted with SLURM jobid (\d+) \(log: \S*/slurm_logs/(\w+)")
DETECTOR1 = re.compile(r"SLURM jobid (\d+) \(log: \S*/slurm_logs/group_detector1")


@dataclass
class OnSlurm:
    """A finished run, of whose jobs one was killed."""

    run: Run
    node: Node
    killed: str
    contained: bool

    def submissions(self, what: str = "") -> list[str]:
        """Return the numbers of submissions, of all or of a group or rule."""
        return [job for job, name in SUBMITTED.findall(self.run.log) if name.startswith(what)]


@pytest.fixture(scope="module")
def finished(slurm, local, exposures, tmp_path_factory) -> OnSlurm:
    """A run of the workflow through Slurm, beside the local one."""
    profiles = [ROOT / "profiles" / "slurm", SITE, *(contained := containers())]
    folder = tmp_path_factory.mktemp("slurm")
    run = start(folder, exposures, profiles=profiles, path=slurm.path)
    try:
        killed = kill_first(run, slurm, DETECTOR1)
        return OnSlurm(run.wait(), slurm, killed, bool(contained))
    finally:
        run.stop()


def test_the_bytes_are_those_of_a_local_run(finished, local):
    here, there = local.wait().sums(), finished.run.sums()
    assert len(here) > 25
    lines = [
        f"{here[name]} {'equal' if there.get(name) == here[name] else 'DIFFERS'} {name}\n"
        for name in sorted(here)
    ]
    table = finished.run.workflow.folder / "sha256.txt"
    table.write_text("".join(lines))
    assert there == here, table


def test_a_killed_job_is_tried_again(finished):
    assert "Trying to restart job" in finished.run.log
    jobs = finished.submissions("group_detector1")
    assert jobs[0] == finished.killed
    assert len(jobs) == 2


def test_few_submissions_for_many_jobs(finished):
    jobs = int(re.search(r"^total +(\d+)$", finished.run.log, re.MULTILINE)[1])
    assert jobs > 20
    # the pool, detector1 and again, image2, image3, the summary, the provenance
    assert len(finished.submissions()) == 7


def test_exposures_of_a_submission_are_not_apart(finished):
    jobs = finished.submissions()
    jobs.remove(finished.killed)
    assert [finished.node.steps(job) for job in jobs] == [1] * len(jobs)


def test_jobs_run_in_containers(finished):
    if not finished.contained:
        pytest.skip("SLURM IS TESTED WITHOUT CONTAINERS: no apptainer or images (make images)")
    log = finished.run.workflow.folder.glob("logs/*/detector1/*_nrcb1.log")
    assert "Python 3.13" in next(log).read_text()  # that of the images


def test_nothing_is_left_in_the_working_folder(finished):
    expected = {"uncal", "results", "logs", "mine.yaml", "run.log", "sha256.txt", ".snakemake"}
    assert {path.name for path in finished.run.workflow.folder.iterdir()} <= expected
