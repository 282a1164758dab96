"""The image of stage 1; skipped where Apptainer is not installed."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from calwebb_associate.images import image_path
from programs import ROOT


@pytest.fixture(scope="session")
def image() -> Path:
    """The image of detector1, built if it is not there."""
    if shutil.which("apptainer") is None:
        reason = "CONTAINERS ARE NOT TESTED: apptainer is absent (containers/install-apptainer.sh)"
        if os.environ.get("CALWEBB_CONTAINERS") == "required":
            pytest.fail(reason)
        pytest.skip(reason)
    path = image_path(ROOT, "detector1")
    if not path.exists():
        done = subprocess.run(
            [ROOT / "containers" / "build.sh", "detector1"],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
    return path
