"""MIRI's whole pipeline on a real detector of its kind, in the laboratory."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits

from calwebb_detector1.emi import joint, sequential
from calwebb_detector1.emi.reference import Timing, Wave

from .exposure import write_reference

pytestmark = pytest.mark.realdata
PROGRAM = Path(sys.executable).with_name("calwebb-detector1")
RAW = "miri_ground_ramp/MIRI_5582_89_S_20180308-010230_SCE1_pipe.fits"
START = {"SUBSTRT1": 1, "SUBSTRT2": 779, "SUBSIZE1": 72, "SUBSIZE2": 64}
MIRI = {"INSTRUME": "MIRI", "DETECTOR": "MIRIMAGE"} | START
ABSENT = ("mask", "reset", "linearity", "dark", "ipc", "emicorr")
TIMING = Timing(row=28, sample=1, frame=64 * 28 + 960 * 7, reset=0)


def write_rscd(folder, first, later):
    """Write the numbers of groups to skip; return the path."""
    path = write_reference(folder, "rscd", {}, **MIRI)
    rows = [("SUB64", "FAST", first, later)]
    kinds = [("subarray", "S17"), ("readpatt", "S12"), ("group_skip1", "i4"), ("group_skip", "i4")]
    with fits.open(path, mode="append") as hdus:
        hdus.append(fits.BinTableHDU(np.array(rows, kinds), name="RSCD_GROUP_SKIP"))
    return path


@pytest.fixture
def raw(realdata, tmp_path):
    """Return a copy of the exposure with the keyword that the laboratory left out."""
    path = tmp_path / Path(RAW).name
    with fits.open(realdata / RAW) as hdus:
        hdus[0].header["EXP_TYPE"] = "MIR_IMAGE"
        hdus.writeto(path)
    return path


def test_whole_pipeline(realdata, raw, tmp_path):
    """Slopes follow those of the 0.17.0 pipeline, which left out the same groups.

    It also corrected linearity and the coupling of pixels, which scales its slopes by a tenth.
    """
    constant = {"gain": 5.5, "readnoise": 14.0, "saturation": 57000.0}
    paths = {
        kind: write_reference(tmp_path, kind, {"SCI": np.full((64, 72), v, np.float32)}, **MIRI)
        for kind, v in constant.items()
    }
    paths["rscd"] = write_rscd(tmp_path, 1, 3)
    options = [f"--override={kind}={path}" for kind, path in paths.items()]
    options += [f"--override={kind}=N/A" for kind in ABSENT]
    command = [PROGRAM, "run", raw, "--output-dir", tmp_path / "out", *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (path,) = (tmp_path / "out").glob("*_rateints.fits")
    header, ours = fits.getheader(path), fits.getdata(path, "SCI")
    assert (header["S_LASTFR"], header["S_RSCD"], header["S_RESET"]) == (
        "COMPLETE", "COMPLETE", "SKIPPED",
    )  # fmt: skip
    assert (header["INT1SKIP"], header["INT2SKIP"]) == (1, 3)
    with fits.open(realdata / RAW.replace("_pipe", "_pipe_rateints")) as hdus:
        theirs, dq = hdus["SCI"].data, hdus["DQ"].data
        for i in range(5):
            good = (dq[i] == 0) & np.isfinite(ours[i])
            assert np.count_nonzero(good) > 3500
            assert np.corrcoef(ours[i][good], theirs[i][good])[0, 1] > 0.995
            assert 1.04 < np.polyfit(theirs[i][good], ours[i][good], 1)[0] < 1.14


def folded(data, frequency):
    wave = Wave("folded", frequency, None)
    return sequential.fold(data, wave, TIMING, 64)


def test_interference_of_a_real_detector(realdata):
    """The 390.625 Hz wave is there; its shape in one integration removes it from the others."""
    data = fits.getdata(realdata / RAW, "SCI").astype(np.float32)
    assert folded(data[:1], 390.625).std() > 1.0
    assert max(folded(data[:1], value).std() for value in (380.0, 400.3, 300.0)) < 0.25
    wave = Wave("Hz390", 390.625, folded(data[:1], 390.625))
    others = np.ascontiguousarray(data[1:])
    before = folded(others[1:2], 390.625).std()
    found = joint.remove_wave(others, np.zeros((64, 72), np.uint32), wave, TIMING, separately=True)
    assert all(0.8 < fit.amplitude < 1.2 for fit in found)
    assert folded(others[1:2], 390.625).std() < 0.35 * before
