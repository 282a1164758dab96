"""A Slurm of one node, started for these tests and stopped after them."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

from programs import run
from slurm_runs import Node, start

HERE = Path(__file__).resolve().parent
NEEDED = ("munged", "slurmctld", "slurmd", "sbatch", "srun")


@pytest.fixture(scope="session")
def slurm(programs):
    """A Slurm of one node; CALWEBB_SLURM=required makes its absence a failure."""
    places = os.pathsep.join((os.environ["PATH"], "/usr/sbin", "/sbin"))
    missing = [program for program in NEEDED if shutil.which(program, path=places) is None]
    if missing:
        reason = f"SLURM IS NOT TESTED: no {', '.join(missing)} (apt-get install slurm-wlm munge)"
        if os.environ.get("CALWEBB_SLURM") == "required":
            pytest.fail(reason)
        pytest.skip(reason)
    # sockets have no long names, as below pytest's folders
    parent = Path(tempfile.mkdtemp(prefix="one", dir="/tmp"))
    parent.chmod(0o755)
    folder = parent / "node"
    started = subprocess.run(
        [HERE / "one_node.sh", "start", folder], capture_output=True, text=True, check=False
    )
    try:
        assert started.returncode == 0, started.stdout + started.stderr
        yield Node(folder)
    finally:
        subprocess.run([HERE / "one_node.sh", "stop", folder], check=False)
        shutil.rmtree(parent, ignore_errors=True)


@pytest.fixture(scope="session")
def exposures(programs, tmp_path_factory) -> Path:
    """Two dithered subarray exposures with their CRDS cache."""
    folder = tmp_path_factory.mktemp("exposures")
    run(
        [
            "calwebb-simulate",
            "run",
            "--scenario",
            "tiny",
            "--exposures",
            "2",
            "--output-dir",
            folder,
        ]
    )
    return folder


@pytest.fixture(scope="session")
def local(exposures, tmp_path_factory):
    """A run without Slurm and without containers, beside which those of the tests go on."""
    local = start(tmp_path_factory.mktemp("local"), exposures, "--cores", "2")
    yield local
    local.stop()
