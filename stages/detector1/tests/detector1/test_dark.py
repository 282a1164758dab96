"""calwebb-dark: the steps up to the linearity, and nothing after them."""

from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from click.testing import CliRunner

from calwebb_core.framework.errors import InputError
from calwebb_core.framework.metadata import Metadata
from calwebb_detector1.cli import dark, main
from calwebb_detector1.dark import select

from .exposure import NAME, NGROUPS, NINTS, NX, NY, overrides, write_references, write_uncal
from .ramps import keywords

MIRI = [
    "group_scale", "dq_init", "emicorr", "saturation", "ipc", "firstframe", "lastframe", "reset",
    "linearity", "rscd",
]  # fmt: skip
NEAR_INFRARED = [
    "group_scale", "dq_init", "saturation", "ipc", "superbias", "refpix", "linearity",
]  # fmt: skip


def call(*arguments, program=dark):
    """Run a program in this process; its result has `exit_code`, `stdout` and `stderr`."""
    return CliRunner().invoke(program, [str(item) for item in arguments])


@pytest.fixture(scope="module")
def exposure(tmp_path_factory):
    folder = tmp_path_factory.mktemp("dark")
    paths = write_references(folder)
    return write_uncal(folder, EXP_TYPE="NRC_DARK"), overrides(paths)


@pytest.fixture(scope="module")
def product(exposure, tmp_path_factory):
    uncal, options = exposure
    out = tmp_path_factory.mktemp("out")
    done = call("run", uncal, "--output-dir", out, *options)
    assert done.exit_code == 0, done.stderr
    (path,) = done.stdout.split()
    return Path(path)


def test_a_dark_becomes_ramps(product):
    assert product.name == f"{NAME}_dark.fits"
    with fits.open(product) as hdus:
        header = hdus[0].header
        assert header["DATAMODL"] == "RampModel"
        assert hdus["SCI"].data.shape == (NINTS, NGROUPS, NY, NX)
        assert hdus["SCI"].header["BUNIT"] == "DN"
        assert hdus["PIXELDQ"].data[20, 20] & 1
        assert header["S_LINEAR"] == "COMPLETE"
        assert header["S_IPC"] == "SKIPPED"
        for keyword in ("S_DARK", "S_JUMP", "S_RAMP"):
            assert keyword not in header


def test_it_is_what_detector1_has_before_the_dark_current(exposure, product, tmp_path):
    uncal, options = exposure
    words = ("--output-dir", tmp_path, "--stop-after", "linearity", *options)
    done = call("run", uncal, *words, program=main)
    assert done.exit_code == 0, done.stderr
    (ramps,) = done.stdout.split()
    for name in ("SCI", "PIXELDQ", "GROUPDQ", "ZEROFRAME"):
        np.testing.assert_array_equal(fits.getdata(ramps, name), fits.getdata(product, name))


def test_steps_apart_give_the_same(exposure, product, tmp_path):
    uncal, options = exposure
    done = call("run", uncal, "--output-dir", tmp_path, "--one-by-one", *options)
    (path,) = done.stdout.split()
    for name in ("SCI", "GROUPDQ"):
        np.testing.assert_array_equal(fits.getdata(path, name), fits.getdata(product, name))


def test_a_run_that_ends_early_is_named_after_its_last_step_and_resumed(
    exposure, product, tmp_path
):
    uncal, options = exposure
    done = call("run", uncal, "--output-dir", tmp_path, "--stop-after", "superbias", *options)
    (path,) = done.stdout.split()
    assert Path(path).name == f"{NAME}_superbias.fits"
    done = call("run", path, "--output-dir", tmp_path, *options)
    (path,) = done.stdout.split()
    assert Path(path).name == f"{NAME}_dark.fits"
    np.testing.assert_array_equal(fits.getdata(path, "SCI"), fits.getdata(product, "SCI"))


@pytest.mark.parametrize(
    ("instrument", "detector", "exp_type", "names"),
    [
        ("NIRCAM", "NRCALONG", "NRC_DARK", NEAR_INFRARED),
        ("NIRISS", "NIS", "NIS_DARK", NEAR_INFRARED),
        ("NIRSPEC", "NRS1", "NRS_DARK", NEAR_INFRARED),
        ("FGS", "GUIDER1", "FGS_DARK", NEAR_INFRARED),
        ("MIRI", "MIRIMAGE", "MIR_DARKIMG", MIRI),
        ("MIRI", "MIRIFUSHORT", "MIR_DARKMRS", MIRI),
        ("MIRI", "MIRIMAGE", "MIR_DARKALL", MIRI),
    ],
)
def test_steps_of_every_instrument(instrument, detector, exp_type, names):
    changes = {"INSTRUME": instrument, "DETECTOR": detector, "EXP_TYPE": exp_type}
    for pattern in ("RAPID", "NRSIRS2"):
        metadata = keywords((1, 5, 8, 8), **changes, READPATT=pattern)
        assert [step.name for step in select(metadata)] == names


@pytest.mark.parametrize(
    ("exp_type", "program"), [("NRC_IMAGE", "calwebb-detector1"), ("FGS_TRACK", "calwebb-guider")]
)
def test_other_exposures_are_sent_to_their_program(tmp_path, exp_type, program):
    uncal = write_uncal(tmp_path, EXP_TYPE=exp_type)
    done = call("run", uncal, "--output-dir", tmp_path / "out")
    assert done.exit_code == 2
    assert len(done.stderr.strip().splitlines()) == 1
    assert f"use {program}" in done.stderr


def test_a_missing_keyword_is_named():
    with pytest.raises(InputError, match="EXP_TYPE is missing"):
        select(Metadata({"INSTRUME": "NIRCAM"}, "x_uncal.fits"))
