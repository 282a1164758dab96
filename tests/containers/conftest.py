"""Images of the stages, built when they are not there; skipped where Apptainer is not installed."""

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from calwebb_associate.images import WORKFLOW, image_path
from programs import ROOT

# Nothing of the machine but what is bound: no environment, home, /tmp, network, or rights.
CLOSED = ("--cleanenv", "--containall", "--no-home", "--net", "--network", "none")
Inside = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def apptainer() -> str:
    """The program; CALWEBB_CONTAINERS=required makes its absence a failure."""
    found = shutil.which("apptainer")
    if found is None:
        reason = "CONTAINERS ARE NOT TESTED: apptainer is absent (containers/install-apptainer.sh)"
        if os.environ.get("CALWEBB_CONTAINERS") == "required":
            pytest.fail(reason)
        pytest.skip(reason)
    return found


@pytest.fixture(scope="session")
def images(apptainer) -> dict[str, Path]:
    """The images that the workflow uses."""
    done = subprocess.run(
        [ROOT / "containers" / "build.sh", *WORKFLOW], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return {stage: image_path(ROOT, stage) for stage in WORKFLOW}


@pytest.fixture(scope="session")
def inside(images) -> Inside:
    """A function that runs a command in the image of a stage, with options of Apptainer."""

    def run_inside(stage, *words, options=()):
        command = ["apptainer", "exec", *CLOSED, *options, images[stage], *words]
        return subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)

    return run_inside
