"""tweakreg recovers injected pointing errors, moves detectors together and refuses nonsense."""

import logging

import numpy as np
import pytest
from astropy.table import Table
from calwebb_level3.imageset import make_set
from calwebb_level3.steps.tweakreg import TweakregParameters, run

from .scene import dithered, exposure, offset, star_field

ERRORS = [(0.0, 0.0), (0.120, -0.075), (-0.310, 0.250), (0.045, 0.018)]


def residuals(images, stars, positions):
    """Distance in mas, east and north, of where the WCS puts stars from where they are."""
    result = []
    for image, (x, y) in zip(images.exposures, positions, strict=True):
        ra, dec = image.wcs(x, y, with_bounding_box=False)
        east = (ra - stars[0]) * np.cos(np.deg2rad(dec)) * 3.6e6
        result.append((np.mean(east), np.mean((dec - stars[1]) * 3.6e6)))
    return np.array(result)


def pixels(exposures, stars, errors):
    """Where the stars really are in each exposure."""
    result = []
    for image, error in zip(exposures, errors, strict=True):
        ra, dec = offset(stars[0], stars[1], *error)
        result.append(image.wcs.invert(ra, dec, with_bounding_box=False))
    return result


@pytest.mark.parametrize("fwhm", [1.2, 2.1])
def test_injected_shifts_are_recovered_to_2_mas(fwhm):
    stars = star_field(60)
    exposures = dithered(stars, errors=ERRORS, fwhm=fwhm, bad=100)
    where = pixels(exposures, stars, ERRORS)
    images = make_set(exposures, product="p")
    before = residuals(images, stars, where)
    _, status = run(images, None, TweakregParameters(kernel_fwhm=fwhm))
    assert status.word == "COMPLETE"
    after = residuals(images, stars, where)
    spread = after - after.mean(axis=0)
    assert np.abs(before - before.mean(axis=0)).max() > 100
    assert np.abs(spread).max() < 2.0
    assert "v2v3corr" in images.exposures[2].wcs.available_frames
    assert images.exposures[2].wcs.bounding_box is not None
    assert images.exposures[2].metadata["S_REGION"].startswith("POLYGON ICRS")
