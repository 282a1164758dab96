"""What the tests of the whole repository share: the programs, simulated data, real data."""

import os
import shutil
from pathlib import Path

import pytest

from programs import BIN, ROOT, run


@pytest.fixture(scope="session")
def programs() -> Path:
    """Folder of the installed programs."""
    if not (BIN / "snakemake").exists():
        pytest.fail("the environments are missing: run `make env`")
    return BIN


@pytest.fixture(scope="session")
def tiny(programs, tmp_path_factory) -> Path:
    """A simulated program of four dithered subarray exposures with its CRDS cache."""
    folder = tmp_path_factory.mktemp("tiny")
    run(["calwebb-simulate", "run", "--scenario", "tiny", "--output-dir", folder])
    return folder


@pytest.fixture(scope="session")
def all_programs(programs, tmp_path_factory) -> Path:
    """Observing programs of every mode: uncal/, pools/, and pool.csv made from the headers."""
    folder = tmp_path_factory.mktemp("all_programs")
    run(["calwebb-simulate", "programs", "-q", "--output-dir", folder])
    done = run(["calwebb-pool", folder / "uncal", "-o", folder / "pool.csv"])
    assert "left out" not in done.stderr
    return folder


@pytest.fixture(scope="session")
def realdata() -> Path:
    """Folder of the public real data; the test is skipped where it is absent."""
    folder = Path(os.environ.get("CALWEBB_REALDATA", ROOT.parent / "shared" / "realdata"))
    if not folder.is_dir():
        pytest.skip(f"real data is absent: {folder} (set CALWEBB_REALDATA)")
    return folder


@pytest.fixture(scope="session")
def peer_python() -> str:
    """Python of the official package's environment; the test is skipped where it is absent."""
    python = os.environ.get("CALWEBB_PEER_PYTHON", "")
    if not python or shutil.which(python) is None:
        pytest.skip("the official package is absent (set CALWEBB_PEER_PYTHON, or `make peer`)")
    return python
