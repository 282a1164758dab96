"""Pointing errors of visits are recovered from stars that the detector undersamples."""

import numpy as np
import pytest

from calwebb_level3.imageset import make_set
from calwebb_level3.steps.tweakreg import TweakregParameters, find_all, run

from .airy import sharp_exposure
from .scene import DITHERS, offset, star_field

# arcsec east and north, degrees of roll; visits 1 and 2 with two dithers each
VISITS = ((0.0, 0.0, 0.0), (0.41, -0.33, 0.012))


def two_visits(stars, micron, name, *, hits=0):
    exposures, places = [], []
    for i in range(4):
        ra, dec = offset(80.0, -69.5, *DITHERS[i])
        image, place = sharp_exposure(
            stars, micron, error=VISITS[i // 2], hits=hits, seed=i, ra=ra, dec=dec,
            exposure=i % 2 + 1, VISIT=f"{i // 2 + 1:03d}", FILTER=name,
        )  # fmt: skip
        exposures.append(image)
        places.append(place)
    return exposures, places


def on_sky(images, places, stars):
    """Return how far east and north of the truth each exposure puts each star, mas; NaN outside."""
    result = []
    for image, (x, y) in zip(images.exposures, places, strict=True):
        ra, dec = image.wcs(x, y, with_bounding_box=False)
        east = (ra - stars[0]) * np.cos(np.deg2rad(dec)) * 3.6e6
        both = np.stack([east, (dec - stars[1]) * 3.6e6])
        inside = (x > 5) & (x < 250) & (y > 5) & (y < 250)
        result.append(np.where(inside, both, np.nan))
    return np.array(result)


@pytest.mark.parametrize(("name", "micron"), [("F070W", 0.7), ("F090W", 0.9), ("F150W", 1.5)])
def test_visits_with_roll_are_recovered_to_2_mas(name, micron):
    stars = star_field(70, faint=300, bright=2e4)
    exposures, places = two_visits(stars, micron, name, hits=150)
    images = make_set(exposures, product="p")
    before = on_sky(images, places, stars)
    _, status = run(images, None, TweakregParameters())
    assert status.word == "COMPLETE"
    after = on_sky(images, places, stars)
    assert np.nanmax(np.abs(before[2] - before[0])) > 300
    # every star of every exposure, not just the mean of them
    assert np.nanmax(np.abs(after - after[0])) < 2.0


@pytest.mark.parametrize(("name", "micron"), [("F070W", 0.7), ("F090W", 0.9), ("F150W", 1.5)])
def test_positions_are_not_pulled_to_pixel_centres(name, micron):
    stars = star_field(70, faint=3000, bright=2e4)
    exposures, places = two_visits(stars, micron, name)
    images = make_set(exposures, product="p")
    errors, phases = [], []
    for found, (x, y) in zip(find_all(images, TweakregParameters()), places, strict=True):
        near = np.hypot(found.x - x[:, None], found.y - y[:, None])
        # stars with a neighbour are another matter
        lonely = (np.hypot(x - x[:, None], y - y[:, None]) < 10).sum(axis=1) == 1
        there = lonely & (near.min(axis=1) < 0.5)
        which = near.argmin(axis=1)[there]
        errors.append(31.1 * np.stack([found.x[which] - x[there], found.y[which] - y[there]]))
        phases.append(np.stack([x, y])[:, there])
    errors, phases = (np.concatenate(part, axis=1) for part in (errors, phases))
    assert errors.shape[1] > 60
    assert errors.std(axis=1).max() < 1.0
    # what is left is a wave over the pixel, and a small one
    pulled = np.mean(errors * np.sin(2 * np.pi * phases), axis=1) * 2
    assert np.abs(pulled).max() < 1.2
