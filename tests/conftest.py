"""What the tests of the whole repository share: the programs, simulated data, real data."""

import fcntl
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from programs import BIN, ROOT, STAND_INS, lay_out_stand_ins, run


@pytest.fixture(scope="session")
def programs() -> Path:
    """Folder of the installed programs."""
    if not (BIN / "snakemake").exists():
        pytest.fail("the environments are missing: run `make env`")
    return BIN


@pytest.fixture(scope="session")
def once(tmp_path_factory) -> Callable[[str, Callable[[Path], None]], Path]:
    """Return a function that makes a folder of a name once for all tests side by side."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base

    def folder(name: str, make: Callable[[Path], None]) -> Path:
        place, made = shared / f"once_{name}", shared / f"once_{name}.made"
        with (shared / f"once_{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not made.exists():
                shutil.rmtree(place, ignore_errors=True)
                place.mkdir()
                make(place)
                made.touch()
        return place

    return folder


@pytest.fixture(scope="session", autouse=True)
def stand_ins(once) -> None:
    """Let workflows of all tests be those of one folder."""
    if BIN.exists():
        os.environ[STAND_INS] = str(once("stand_ins", lay_out_stand_ins))


@pytest.fixture(scope="session")
def tiny(programs, once) -> Path:
    """A simulated program of four dithered subarray exposures with its CRDS cache: to be read."""
    return once(
        "tiny",
        lambda folder: run(
            ["calwebb-simulate", "run", "--scenario", "tiny", "--output-dir", folder]
        ),
    )


@pytest.fixture(scope="session")
def all_programs(programs, once) -> Path:
    """Observing programs of every mode, to be read: uncal/, pools/, and the headers' pool.csv."""

    def make(folder: Path) -> None:
        run(["calwebb-simulate", "programs", "-q", "--output-dir", folder])
        done = run(["calwebb-pool", folder / "uncal", "-o", folder / "pool.csv"])
        assert "left out" not in done.stderr

    return once("all_programs", make)


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
