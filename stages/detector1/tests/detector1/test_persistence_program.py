"""Persistence by the program: products, hand-over, the same bits in one pass and step by step."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits

from .exposure import NAME, NX, NY, overrides, write_reference, write_references, write_uncal
from .test_persistence import trappars

PROGRAM = Path(sys.executable).with_name("calwebb-detector1")
START = 60000.0


def write_traps(folder):
    """Write the three reference files; return their paths by type."""
    made = {
        "persat": {"SCI": np.full((NY, NX), 25000.0, np.float32)},
        "trapdensity": {"SCI": np.ones((NY, NX), np.float32)},
        "trappars": {},
    }
    paths = {kind: write_reference(folder, kind, arrays) for kind, arrays in made.items()}
    with fits.open(paths["trappars"], mode="append") as hdus:
        hdus.append(fits.BinTableHDU(trappars().data, name="TRAPPARS"))
    return paths


@pytest.fixture(scope="module")
def exposure(tmp_path_factory):
    """Path of an uncal file and those of its references."""
    folder = tmp_path_factory.mktemp("exposure")
    uncal = write_uncal(folder, EXPSTART=START, EXPEND=START + 0.002, SUBARRAY="SUB64P")
    return uncal, write_references(folder), write_traps(folder)


def call(uncal, references, folder, *words):
    command = [PROGRAM, "run", uncal, "--output-dir", folder, *words, *overrides(references)]
    return subprocess.run(
        [str(word) for word in command], capture_output=True, text=True, check=False
    )


def succeed(*arguments):
    done = call(*arguments)
    assert done.returncode == 0, done.stderr
    return {path.stem.rsplit("_", 1)[1]: path for path in map(Path, done.stdout.split())}


ON = "--set=persistence.skip=false"
TRAPS = (ON, "--set=persistence.method=traps", "--set=persistence.flag_pers_cutoff=1")


def pixels(path, name="SCI"):
    with fits.open(path) as hdus:
        return hdus[name].data.copy()


@pytest.fixture(scope="module")
def first(exposure, tmp_path_factory):
    """Products of a whole run with traps."""
    uncal, references, traps = exposure
    return succeed(uncal, references | traps, tmp_path_factory.mktemp("first"), *TRAPS)


def test_products(first):
    assert set(first) == {"rate", "rateints", "trapsfilled"}
    header = fits.getheader(first["trapsfilled"])
    assert header["S_PERSIS"] == "COMPLETE"
    assert [header[name] for name in ("R_PERSAT", "R_TRPDEN", "R_TRPPAR")] == [
        "persat.fits", "trapdensity.fits", "trappars.fits",
    ]  # fmt: skip
    rate = fits.getheader(first["rate"])
    assert rate["R_TRPPAR"] == "trappars.fits"
    filled = pixels(first["trapsfilled"])
    assert filled.shape == (3, NY, NX)
    assert filled.dtype == ">f4"
    assert (filled[:, 4:, 4:] > 0).any()
    assert not filled[:, :4].any()
    datamodels = pytest.importorskip("stdatamodels.jwst.datamodels")
    with datamodels.open(first["trapsfilled"], strict_validation=True) as opened:
        assert type(opened).__name__ == "TrapsFilledModel"
        np.testing.assert_array_equal(opened.data, filled)


def test_step_by_step_gives_the_same(exposure, first, tmp_path):
    uncal, references, traps = exposure
    apart = [f"--save={step}" for step in ("linearity", "jump", "persistence")]
    other = succeed(uncal, references | traps, tmp_path, *TRAPS, *apart, "--threads=1")
    for name in ("rate", "rateints", "trapsfilled"):
        np.testing.assert_array_equal(pixels(first[name]), pixels(other[name]), err_msg=name)
    for name in ("rate", "rateints"):
        np.testing.assert_array_equal(pixels(first[name], "DQ"), pixels(other[name], "DQ"))
    np.testing.assert_array_equal(pixels(other["persistence"]).shape[0], 2)


def test_the_next_exposure_is_corrected(exposure, first, tmp_path):
    _, references, traps = exposure
    (tmp_path / "raw").mkdir()
    times = {"EXPSTART": START + 0.003, "EXPEND": START + 0.005}
    uncal = write_uncal(tmp_path / "raw", **times)
    plain = succeed(uncal, references, tmp_path / "plain")
    option = f"--set=persistence.input_trapsfilled={first['trapsfilled']}"
    second = succeed(uncal, references | traps, tmp_path / "second", *TRAPS, option)
    difference = pixels(plain["rate"]) - pixels(second["rate"])
    bright = pixels(first["trapsfilled"]).sum(axis=0) > 5
    assert np.nanmedian(difference[bright]) > 0.005
    assert (pixels(second["rate"], "DQ")[difference > 0.2] & 32).all()
    content = second["rate"].read_bytes()
    assert f"{NAME}_trapsfilled.fits".encode() in content
    assert str(first["trapsfilled"]).encode() not in content


def test_off_by_default(exposure, tmp_path):
    uncal, references, _ = exposure
    products = succeed(uncal, references, tmp_path)
    assert set(products) == {"rate", "rateints"}
    assert fits.getheader(products["rate"])["S_PERSIS"] == "SKIPPED"


def test_windows_need_no_references(exposure, tmp_path):
    uncal, references, _ = exposure
    words = (
        ON,
        "--set=persistence.persistence_time=100",
        "--set=persistence.save_persistence=true",
    )
    products = succeed(uncal, references, tmp_path, *words)
    assert set(products) == {"rate", "rateints", "perswindow"}
    assert fits.getheader(products["rate"])["S_PERSIS"] == "COMPLETE"


def test_references_that_are_not_there(exposure, tmp_path):
    uncal, references, traps = exposure
    done = call(uncal, references | traps | {"persat": "N/A"}, tmp_path, *TRAPS)
    assert done.returncode == 0, done.stderr
    assert fits.getheader(tmp_path / f"{NAME}_rate.fits")["S_PERSIS"] == "SKIPPED"
    assert not (tmp_path / f"{NAME}_trapsfilled.fits").exists()


def test_a_file_that_is_not_there(exposure, tmp_path):
    uncal, references, traps = exposure
    option = "--set=persistence.input_trapsfilled=absent.fits"
    done = call(uncal, references | traps, tmp_path, *TRAPS, option)
    assert done.returncode == 2
    assert "persistence.input_trapsfilled is 'absent.fits', but there is no such file" in (
        done.stderr
    )
