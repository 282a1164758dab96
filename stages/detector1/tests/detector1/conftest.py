"""What the tests of stage 1 share."""

import os
from pathlib import Path

import pytest

from .peer_process import started

HERE = Path(__file__).parent


@pytest.fixture(scope="session")
def peer(tmp_path_factory):
    """Run a step of the official package on arrays in a process of its own."""
    with started("peer_steps.py", tmp_path_factory.mktemp("peer")) as run:
        yield run


@pytest.fixture(scope="session")
def realdata():
    """Folder of the public real data."""
    default = HERE.parents[3].parent / "shared" / "realdata"
    folder = Path(os.environ.get("CALWEBB_REALDATA", default))
    if not folder.is_dir():
        pytest.skip(f"real data is absent: {folder} (set CALWEBB_REALDATA)")
    return folder
