"""The console script on a small exposure: alone, resumed, shortened, changed."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits

import calwebb_detector1

from .exposure import NAME, NINTS, NX, NY, overrides, true_rates, write_references, write_uncal

PROGRAM = Path(sys.executable).with_name("calwebb-detector1")


@pytest.fixture(scope="module")
def exposure(tmp_path_factory):
    """Path of an uncal file and those of its references."""
    folder = tmp_path_factory.mktemp("exposure")
    return write_uncal(folder), write_references(folder)


def call(*arguments):
    command = [str(item) for item in (PROGRAM, *arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def succeed(*arguments):
    done = call(*arguments)
    assert done.returncode == 0, done.stderr
    return [Path(line) for line in done.stdout.split()]


@pytest.fixture(scope="module")
def products(exposure, tmp_path_factory):
    """Products of a whole run."""
    folder = tmp_path_factory.mktemp("whole")
    uncal, references = exposure
    return succeed("run", uncal, "--output-dir", folder, *overrides(references))


def pixels(path, name="SCI"):
    with fits.open(path) as hdus:
        return hdus[name].data.copy()


def test_run_writes_rate_and_rateints(products):
    assert [path.name for path in products] == [f"{NAME}_rate.fits", f"{NAME}_rateints.fits"]
    assert pixels(products[0]).shape == (NY, NX)
    assert pixels(products[1]).shape == (NINTS, NY, NX)


def test_rates_are_those_that_went_in(products):
    rate, err = pixels(products[0]), pixels(products[0], "ERR")
    good = pixels(products[0], "DQ") == 0
    assert np.count_nonzero(good) > 0.95 * (NY - 4) * (NX - 4)
    pull = (rate - true_rates())[good] / err[good]
    assert abs(pull.mean()) < 0.2
    assert 0.7 < pull.std() < 1.3


def test_flags(products):
    dq = pixels(products[0], "DQ")
    assert dq[20, 20] & 1
    assert (dq[10, 10:20] & 4 != 0).sum() >= 9
    assert (dq[:4] & 2**31 != 0).all()


def test_statuses_and_references(products):
    header = fits.getheader(products[0])
    done = ("DQINIT", "SATURA", "SUPERB", "REFPIX", "LINEAR", "DARK", "JUMP", "RAMP")
    assert [header[f"S_{name}"] for name in done] == ["COMPLETE"] * len(done)
    assert [header[f"S_{name}"] for name in ("GRPSCL", "IPC", "GANSCL")] == ["SKIPPED"] * 3
    assert header["R_GAIN"] == "gain.fits"
    assert fits.getheader(products[0], "SCI")["BUNIT"] == "DN/s"
    assert header["PRIMECRS"] > 0


def same_products(first, second):
    for path in first:
        other = second / path.name
        with fits.open(path) as ours, fits.open(other) as theirs:
            for name in ("SCI", "ERR", "DQ", "VAR_POISSON", "VAR_RNOISE"):
                np.testing.assert_array_equal(ours[name].data, theirs[name].data, err_msg=name)


def test_resumed_from_an_intermediate(exposure, products, tmp_path):
    uncal, references = exposure
    half = tmp_path / "half"
    written = succeed(
        "run", uncal, "--output-dir", half, "--stop-after", "linearity", *overrides(references)
    )
    assert [path.name for path in written] == [f"{NAME}_linearity.fits"]
    succeed("run", written[0], "--output-dir", tmp_path, *overrides(references))
    same_products(products, tmp_path)


def test_saved_intermediate(exposure, products, tmp_path):
    uncal, references = exposure
    written = succeed(
        "run", uncal, "--output-dir", tmp_path, "--save", "jump", *overrides(references)
    )
    assert f"{NAME}_jump.fits" in [path.name for path in written]
    same_products(products, tmp_path)


def test_skipped_step(exposure, products, tmp_path):
    uncal, references = exposure
    succeed("run", uncal, "--output-dir", tmp_path, "--skip", "jump", *overrides(references))
    header = fits.getheader(tmp_path / f"{NAME}_rate.fits")
    assert header["S_JUMP"] == "SKIPPED"
    assert not np.any(pixels(tmp_path / f"{NAME}_rate.fits", "DQ") & 4)


def test_options(exposure, products, tmp_path):
    uncal, references = exposure
    setting = "--set=jump.rejection_threshold=100000"
    succeed("run", uncal, "--output-dir", tmp_path, setting, *overrides(references))
    assert not np.any(pixels(tmp_path / f"{NAME}_rate.fits", "DQ") & 4)


def flag_a_pixel(ramp):
    """Hook: flag a pixel."""
    ramp.pixeldq[15, 15] |= 1
    return ramp


def test_hook(exposure, tmp_path):
    uncal, references = exposure
    result = calwebb_detector1.run(
        uncal,
        output_dir=tmp_path,
        overrides=references | {"ipc": "N/A"},
        pre_hooks=[("jump", flag_a_pixel)],
    )
    assert [path.name for path in result.outputs] == [f"{NAME}_rate.fits", f"{NAME}_rateints.fits"]
    assert np.isnan(pixels(result.outputs[0])[15, 15])


def test_step_alone(exposure, tmp_path):
    uncal, references = exposure
    written = succeed(
        "step", "superbias", uncal, "--output-dir", tmp_path,
        f"--override=superbias={references['superbias']}",
    )  # fmt: skip
    assert [path.name for path in written] == [f"{NAME}_superbias.fits"]
    shift = pixels(uncal).astype(float) - pixels(written[0])
    np.testing.assert_array_equal(shift, 1000.0)


def test_ramp_fit_alone(exposure, tmp_path):
    uncal, references = exposure
    written = succeed(
        "step", "ramp_fit", uncal, "--output-dir", tmp_path,
        f"--override=gain={references['gain']}", f"--override=readnoise={references['readnoise']}",
    )  # fmt: skip
    assert [path.name for path in written] == [f"{NAME}_rate.fits", f"{NAME}_rateints.fits"]
    again = succeed(
        "step", "gain_scale", written[0], "--output-dir", tmp_path / "scaled",
        f"--override=gain={references['gain']}",
    )  # fmt: skip
    assert [path.name for path in again] == [path.name for path in written]


def test_steps_for_an_input(exposure):
    done = call("steps", exposure[0])
    assert done.returncode == 0
    assert "ramp_fit" in done.stdout
    assert "rejection_threshold" in done.stdout


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (
            {"MSTR_RD1": 4},
            "calwebb_detector1 for subarrays of several stripes is not available yet",
        ),
        ({"EXP_TYPE": "FGS_ACQ1"}, "EXP_TYPE is FGS_ACQ1, guide-star data; use calwebb-guider"),
        ({"INSTRUME": "WFC3"}, "INSTRUME is 'WFC3'; expected one of NIRCAM"),
    ],
)
def test_modes_that_are_refused(tmp_path, changes, words):
    uncal = write_uncal(tmp_path, **changes)
    done = call("run", uncal, "--output-dir", tmp_path / "out", "--override=gain=N/A")
    assert done.returncode == 2
    assert words in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_fit_without_gain(exposure, tmp_path):
    uncal, references = exposure
    done = call(
        "run", uncal, "--output-dir", tmp_path,
        *overrides(references | {"gain": "N/A", "readnoise": "N/A"}),
    )  # fmt: skip
    assert done.returncode == 3
    assert "ramp_fit needs a gain reference, but it is N/A" in done.stderr
    assert not list(tmp_path.glob("*.fits"))


def test_fitted_product_is_not_fitted_again(products, tmp_path):
    done = call("run", products[1], "--output-dir", tmp_path, "--override=gain=N/A")
    assert done.returncode == 2
    assert "no step of calwebb_detector1 is left to run" in done.stderr
    done = call("step", "gain_scale", products[1], "--output-dir", tmp_path, "--override=gain=N/A")
    assert done.returncode == 2
    assert "the ramps of this product are fitted already" in done.stderr


@pytest.mark.parametrize("threads", [1, 2])
def test_same_bits_for_any_number_of_threads(exposure, products, tmp_path, threads):
    uncal, references = exposure
    succeed("run", uncal, "--output-dir", tmp_path, "--threads", threads, *overrides(references))
    same_products(products, tmp_path)


def test_help_loads_no_heavy_library():
    code = (
        "import sys; from calwebb_detector1.cli import main; "
        "heavy = {'numba', 'gwcs', 'matplotlib', 'photutils', 'astropy'} & set(sys.modules);"
        "sys.exit(str(heavy) if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
