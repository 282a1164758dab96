"""Stage 1 on raw files that we did not write."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits

from .exposure import write_reference

pytestmark = pytest.mark.realdata
PROGRAM = Path(sys.executable).with_name("calwebb-detector1")
MIRI = "miri_ground_ramp/MIRI_5582_89_S_20180308-010230_SCE1_pipe.fits"
NIRISS = "simulated_uncal/jw00793001001_01101_00001_nis_uncal.fits"


def constants(folder, values, shape, start, **cards):
    """Write references of one value; return the options that name them."""
    ny, nx = shape
    place = {"SUBSTRT1": start[0], "SUBSTRT2": start[1], "SUBSIZE1": nx, "SUBSIZE2": ny}
    options = []
    for kind, value in values.items():
        arrays = {"SCI": np.full(shape, value, np.float32)}
        path = write_reference(folder, kind, arrays, **cards, **place)
        options.append(f"--override={kind}={path}")
    return options


def call(*arguments):
    command = [str(item) for item in (PROGRAM, *arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def miri_slopes(realdata, folder, first):
    """Fit the laboratory ramps from group `first` to the last but one."""
    folder.mkdir()
    values = {"gain": 5.5, "readnoise": 14.0}
    options = constants(folder, values, (64, 72), (1, 779), INSTRUME="MIRI", DETECTOR="MIRIMAGE")
    done = call(
        "step", "ramp_fit", realdata / MIRI, "--output-dir", folder, *options,
        f"--set=ramp_fit.firstgroup={first}", "--set=ramp_fit.lastgroup=48",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    path = next(Path(line) for line in done.stdout.split() if "rateints" in line)
    return fits.getdata(path, "SCI")


def test_laboratory_ramps(realdata, tmp_path):
    """Slopes follow those of the 0.17.0 pipeline, which drops the first and the last group and,
    after the first integration, two more (rscd). It also corrects linearity and the coupling
    of pixels, which scales its slopes by about a tenth.
    """
    with fits.open(realdata / MIRI.replace("_pipe", "_pipe_rateints")) as hdus:
        theirs, dq = hdus["SCI"].data.copy(), hdus["DQ"].data.copy()
    first, later = (
        miri_slopes(realdata, tmp_path / "a", 1),
        miri_slopes(realdata, tmp_path / "b", 3),
    )
    for i in range(5):
        ours = first[i] if i == 0 else later[i]
        good = (dq[i] == 0) & np.isfinite(ours)
        assert np.count_nonzero(good) > 3500
        assert np.corrcoef(ours[good], theirs[i][good])[0, 1] > 0.995
        assert 1.04 < np.polyfit(theirs[i][good], ours[good], 1)[0] < 1.14


ALL = ("mask", "saturation", "superbias", "linearity", "dark", "ipc", "gain", "readnoise")


def test_niriss_without_references(realdata, tmp_path):
    options = [f"--override={kind}=N/A" for kind in ALL]
    done = call("run", realdata / NIRISS, "--output-dir", tmp_path, *options)
    assert done.returncode == 3
    assert "ramp_fit needs a gain reference, but it is N/A" in done.stderr
    done = call(
        "run", realdata / NIRISS, "--output-dir", tmp_path, "--stop-after", "jump", *options
    )
    assert done.returncode == 0, done.stderr
    (path,) = tmp_path.glob("*.fits")
    assert path.name == "jw00793001001_01101_00001_nis_ramp.fits"
    header = fits.getheader(path)
    assert header["S_JUMP"] == "SKIPPED"
    assert header["S_REFPIX"] == "COMPLETE"


def test_niriss_with_gain_and_read_noise(realdata, tmp_path):
    values = {"gain": 1.62, "readnoise": 15.0, "saturation": 58000.0}
    options = constants(tmp_path, values, (80, 80), (1045, 1), INSTRUME="NIRISS", DETECTOR="NIS")
    options += [f"--override={kind}=N/A" for kind in ALL if kind not in values]
    out = tmp_path / "out"
    done = call("run", realdata / NIRISS, "--output-dir", out, *options)
    assert done.returncode == 0, done.stderr
    with fits.open(out / "jw00793001001_01101_00001_nis_rate.fits") as hdus:
        rate, err = hdus["SCI"].data, hdus["ERR"].data
        assert np.count_nonzero(np.isfinite(rate)) > 0.95 * rate.size
        assert (err[np.isfinite(rate)] > 0).all()
        assert hdus[0].header["S_JUMP"] == "COMPLETE"
        data = fits.getdata(realdata / NIRISS, "SCI").astype(float)
        plain = np.diff(data, axis=1).mean(axis=(0, 1)) / 0.07544
        bright = np.isfinite(rate) & (plain > 2000)
        assert np.median(rate[bright] / plain[bright]) == pytest.approx(1.0, abs=0.05)
