"""What the tests of stage 1 share."""

import os
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

HERE = Path(__file__).parent


@pytest.fixture(scope="session")
def peer(tmp_path_factory):
    """Run a step of the official package on arrays in a process of its own."""
    python = os.environ.get("CALWEBB_PEER_PYTHON", "")
    if not python or shutil.which(python) is None:
        pytest.skip("the official package is absent (set CALWEBB_PEER_PYTHON)")

    folder = tmp_path_factory.mktemp("peer")
    messages = (folder / "messages.txt").open("w+")
    process = subprocess.Popen(
        [python, HERE / "peer_steps.py"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=messages, text=True, cwd=folder,
    )  # fmt: skip

    def run(step, **arrays):
        given, found = folder / "in.npz", folder / "out.npz"
        np.savez(given, **arrays)
        process.stdin.write(f"{step} {given} {found}\n")
        process.stdin.flush()
        if process.stdout.readline() != "done\n":
            messages.seek(0)
            pytest.fail(messages.read()[-2000:])
        with np.load(found) as file:
            return dict(file)

    yield run
    process.stdin.close()
    process.wait(timeout=60)
    process.stdout.close()
    messages.close()


@pytest.fixture(scope="session")
def realdata():
    """Folder of the public real data."""
    default = HERE.parents[3].parent / "shared" / "realdata"
    folder = Path(os.environ.get("CALWEBB_REALDATA", default))
    if not folder.is_dir():
        pytest.skip(f"real data is absent: {folder} (set CALWEBB_REALDATA)")
    return folder
