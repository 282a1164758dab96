"""profiles/cluster-generic as it is written, with the commands of a real Slurm of one node."""

import re

import pytest

from programs import ROOT
from slurm_runs import SITE, containers, kill_first, start

pytestmark = [pytest.mark.slurm, pytest.mark.workflow, pytest.mark.slow]

SUBMITTED = re.compile(r"^Submitted group job \S+ with external jobid '(\d+)'", re.MULTILINE)


@pytest.fixture(scope="module")
def finished(slurm, exposures, tmp_path_factory):
    """Count rates made by submissions, of which the first was killed; and its number."""
    folder = tmp_path_factory.mktemp("generic")
    (folder / "profiles").symlink_to(ROOT / "profiles")  # where it looks for its status command
    profiles = [ROOT / "profiles" / "cluster-generic", SITE, *containers()]
    run = start(folder, exposures, "detector1_all", profiles=profiles, path=slurm.path)
    try:
        killed = kill_first(run, slurm, SUBMITTED)
        return run.wait(), killed
    finally:
        run.stop()


def test_a_killed_job_is_tried_again(finished):
    run, killed = finished
    jobs = SUBMITTED.findall(run.log)
    assert jobs[0] == killed
    assert len(jobs) == 2
    assert run.log.count("Trying to restart job") == 1


def test_the_bytes_are_those_of_a_local_run(finished, local):
    here, there = local.wait().sums(), finished[0].sums()
    assert len([name for name in there if name.endswith("_rate.fits")]) == 2
    assert there.items() <= here.items()


def test_what_jobs_say_is_kept(finished):
    run, killed = finished
    logs = run.workflow.folder / ".snakemake" / "log"
    assert (logs / f"slurm-{killed}.log").exists()
