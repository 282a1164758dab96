"""A job that uses more memory than it asked for is ended by Slurm, and tried again with more."""

import os
import re
import subprocess

import pytest

from programs import BIN, ROOT
from slurm_runs import SITE

pytestmark = [pytest.mark.slurm, pytest.mark.workflow, pytest.mark.slow]

# Two processes of Snakemake, of some 100 MB each, are part of a submission.
SNAKEFILE = """
include: "{rules}"

rule greedy:
    output: "made.txt"
    resources: mem_mb=memory(500, 0), runtime=runtime(3, 0)
    shell:
        '''python3 -c 'import time; taken = bytearray(550 * 2**20); time.sleep(3)'
        echo {{resources.mem_mb}} >> {{output}}'''
"""


@pytest.fixture(scope="module")
def finished(slurm, tmp_path_factory):
    """Folder and messages of a run, whose job needs more than it asks for at first."""
    folder = tmp_path_factory.mktemp("greedy")
    rules = ROOT / "rules" / "resources.smk"
    (folder / "Snakefile").write_text(SNAKEFILE.format(rules=rules))
    profiles = ["--profile", ROOT / "profiles" / "slurm", "--profile", SITE]
    done = subprocess.run(
        [BIN / "snakemake", "made.txt", *profiles],
        cwd=folder, env={**os.environ, "PATH": slurm.path, "SBATCH_ACCOUNT": "project"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-5000:]
    return folder, done.stderr


def test_a_job_that_exceeds_its_memory_is_tried_again_with_more(finished):
    folder, said = finished
    assert said.count("Trying to restart job") == 1
    assert (folder / "made.txt").read_text() == "1000\n"


def test_account_and_partition_are_those_of_the_site_without_a_database(finished, slurm):
    jobs = slurm.jobs_of(finished[0])
    assert [(job["Account"], job["Partition"]) for job in jobs] == [("project", "test")] * 2


def test_it_was_slurm_that_ended_it(finished):
    folder, _ = finished
    logs = [path.read_text() for path in (folder / ".snakemake" / "slurm_logs").rglob("*.log")]
    limits = [int(text) for log in logs for text in re.findall(r"> (\d+)\), being killed", log)]
    assert set(limits) == {500 * 2**20}
