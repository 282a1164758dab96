"""Flicker noise cleaned by the console script: optional products, masks, references, refusals."""

import numpy as np
import pytest
from astropy.io import fits

from .exposure import NAME, NGROUPS, NINTS, NX, NY, overrides, write_references, write_uncal
from .test_program import call, pixels, succeed

ON = "--set=clean_flicker_noise.skip=false"


@pytest.fixture(scope="module")
def exposure(tmp_path_factory):
    """Path of an uncal file and those of its references."""
    folder = tmp_path_factory.mktemp("exposure")
    return write_uncal(folder), write_references(folder)


def save(*names):
    return [f"--set=clean_flicker_noise.save_{name}=true" for name in names]


def test_optional_products_are_written_beside_the_rate(exposure, tmp_path):
    uncal, references = exposure
    written = succeed(
        "run", uncal, "--output-dir", tmp_path, ON, *save("mask", "background", "noise"),
        *overrides(references),
    )  # fmt: skip
    shapes = {
        "rate": (NY, NX), "rateints": (NINTS, NY, NX), "mask": (NY, NX),
        "flicker_bkg": (NINTS, NGROUPS, NY, NX), "flicker_noise": (NINTS, NGROUPS, NY, NX),
    }  # fmt: skip
    assert {path.name for path in written} == {f"{NAME}_{suffix}.fits" for suffix in shapes}
    for suffix, shape in shapes.items():
        path = tmp_path / f"{NAME}_{suffix}.fits"
        assert pixels(path).shape == shape
        assert fits.getheader(path)["S_CLNFNS"] == "COMPLETE"
    assert np.any(pixels(tmp_path / f"{NAME}_flicker_noise.fits"))


def test_a_written_mask_can_be_given(exposure, tmp_path):
    uncal, references = exposure
    succeed("run", uncal, "--output-dir", tmp_path, ON, *save("mask"), *overrides(references))
    again = tmp_path / "again"
    mask = f"--set=clean_flicker_noise.user_mask={tmp_path / f'{NAME}_mask.fits'}"
    succeed("run", uncal, "--output-dir", again, ON, mask, *overrides(references))
    for name in ("SCI", "ERR", "DQ"):
        first, second = (pixels(folder / f"{NAME}_rate.fits", name) for folder in (tmp_path, again))
        np.testing.assert_array_equal(first, second)


def test_a_flat_is_asked_for_when_it_is_needed(exposure, tmp_path):
    uncal, references = exposure
    flat = "--set=clean_flicker_noise.apply_flat_field=true"
    command = ("run", uncal, "--output-dir", tmp_path, ON, flat, *overrides(references))
    done = call(*command, "--override", "flat=N/A")
    assert done.returncode == 0, done.stderr
    assert "no flat is applied: the flat reference is N/A" in done.stderr
    header = fits.getheader(tmp_path / f"{NAME}_rate.fits")
    assert header["R_FLAT"] == "N/A"
    assert header["S_CLNFNS"] == "COMPLETE"


def test_it_is_off_by_default(exposure, tmp_path):
    uncal, references = exposure
    succeed("run", uncal, "--output-dir", tmp_path, *overrides(references))
    assert fits.getheader(tmp_path / f"{NAME}_rate.fits")["S_CLNFNS"] == "SKIPPED"


def test_a_missing_mask_is_found_before_the_work(exposure, tmp_path):
    uncal, references = exposure
    mask = "--set=clean_flicker_noise.user_mask=nowhere.fits"
    done = call("run", uncal, "--output-dir", tmp_path, ON, mask, *overrides(references))
    assert done.returncode == 2
    assert "clean_flicker_noise.user_mask is 'nowhere.fits', but there is no such file" in (
        done.stderr
    )
