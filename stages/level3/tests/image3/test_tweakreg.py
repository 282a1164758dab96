"""tweakreg recovers injected pointing errors, moves detectors together and refuses nonsense."""

import numpy as np
import pytest
from astropy.table import Table

from calwebb_level3.imageset import make_set
from calwebb_level3.imaging.alignment import merged_stars
from calwebb_level3.imaging.finders import Finder
from calwebb_level3.imaging.psf import star_width, wavelength
from calwebb_level3.imaging.star_matching import Matching, fit_pairs
from calwebb_level3.imaging.stars import find_stars
from calwebb_level3.steps.tweakreg import (
    TweakregParameters,
    find_all,
    find_pointings,
    run,
)

from .scene import DITHERS, dithered, exposure, metadata, offset, star_field

ERRORS = [(0.0, 0.0), (0.120, -0.075), (-0.310, 0.250), (0.045, 0.018)]


def truth(exposures, stars, errors):
    """Where the stars really are in each exposure."""
    result = []
    for image, error in zip(exposures, errors, strict=True):
        ra, dec = offset(stars[0], stars[1], *error)
        result.append(image.wcs.invert(ra, dec, with_bounding_box=False))
    return result


def residuals(images, stars, positions):
    """Mean distance in mas, east and north, of where each WCS puts the stars from the truth."""
    result = []
    for image, (x, y) in zip(images.exposures, positions, strict=True):
        ra, dec = image.wcs(x, y, with_bounding_box=False)
        east = (ra - stars[0]) * np.cos(np.deg2rad(dec)) * 3.6e6
        result.append((np.mean(east), np.mean((dec - stars[1]) * 3.6e6)))
    return np.array(result)


@pytest.mark.parametrize("fwhm", [1.2, 2.1])
def test_injected_shifts_are_recovered_to_2_mas(fwhm):
    stars = star_field(60)
    exposures = dithered(stars, errors=ERRORS, fwhm=fwhm, bad=100)
    where = truth(exposures, stars, ERRORS)
    images = make_set(exposures, product="p")
    before = residuals(images, stars, where)
    _, status = run(images, None, TweakregParameters(kernel_fwhm=fwhm))
    assert status.word == "COMPLETE"
    after = residuals(images, stars, where)
    assert np.abs(before - before.mean(axis=0)).max() > 100
    assert np.abs(after - after.mean(axis=0)).max() < 2.0
    moved = [image for image in images.exposures if "v2v3corr" in image.wcs.available_frames]
    assert len(moved) == 3  # one is the reference
    assert all(image.wcs.bounding_box is not None for image in moved)
    assert all(image.wcs.pixel_shape == (200, 200) for image in moved)
    assert all(image.metadata["S_REGION"].startswith("POLYGON ICRS") for image in moved)


def test_detectors_of_an_exposure_move_together():
    """The second detector sees next to no stars and is carried along by the first."""
    stars = star_field(60)
    errors = [(0.0, 0.0), (0.15, 0.1)]
    first = dithered(stars, 2, errors=errors)
    aside = offset(80.0, -69.5, 60.0, 0.0)
    empty = (np.array([aside[0]]), np.array([aside[1]]), np.array([5.0]))
    second = [
        exposure(
            empty, ra=offset(aside[0], aside[1], *DITHERS[i])[0],
            dec=offset(aside[0], aside[1], *DITHERS[i])[1],
            exposure=i + 1, detector="NRCA2", seed=i, pointing_error=errors[i],
        )
        for i in range(2)
    ]  # fmt: skip
    exposures = [*first, *second]
    where = truth(exposures, stars, errors * 2)
    images = make_set(exposures, product="p")
    assert list(map(len, images.groups().values())) == [2, 2]
    _, status = run(images, None, TweakregParameters())
    assert status.word == "COMPLETE"
    after = residuals(images, stars, where)
    assert np.abs(after[1] - after[0]).max() < 2.0
    assert np.abs(after[3] - after[2]).max() < 5.0


def test_tiles_are_aligned_through_their_neighbours():
    stars = star_field(300, radius=9.0)
    places = [(-3.0, 0.0), (0.0, 0.0), (3.0, 0.0), (6.0, 0.0)]
    errors = [(0.03, 0.02), (0.0, 0.0), (-0.05, 0.04), (0.06, -0.03)]
    exposures = []
    for i, place in enumerate(places):
        ra, dec = offset(80.0, -69.5, *place)
        exposures.append(
            exposure(stars, ra=ra, dec=dec, exposure=i + 1, seed=i, pointing_error=errors[i])
        )
    where = truth(exposures, stars, errors)
    images = make_set(exposures, product="p")
    run(images, None, TweakregParameters(separation=0.3, minobj=6))
    after = residuals(images, stars, where)
    assert np.abs(after - after[1]).max() < 5.0


def test_alignment_to_a_catalog():
    stars = star_field(60)
    errors = [(0.3, 0.2), (0.42, 0.1), (0.1, 0.3), (0.3, 0.3)]
    exposures = dithered(stars, errors=errors)
    where = truth(exposures, stars, errors)
    images = make_set(exposures, product="p")
    images.reference_catalog = Table({"RA": stars[0], "DEC": stars[1]})
    _, status = run(images, None, TweakregParameters())
    assert status.word == "COMPLETE"
    assert np.abs(residuals(images, stars, where)).max() < 2.0


def test_fields_without_common_stars_are_aligned_to_a_catalog_one_by_one():
    """Two dithers here and one exposure half an arcminute away; each has its own error."""
    stars = star_field(60)
    far = offset(80.0, -69.5, 30.0, 0.0)
    there = star_field(60, ra=far[0], dec=far[1], seed=2)
    errors = [(0.3, 0.2), (0.42, 0.1), (-0.2, 0.15)]
    exposures = dithered(stars, 2, errors=errors)
    exposures.append(
        exposure(there, ra=far[0], dec=far[1], exposure=3, seed=9, pointing_error=errors[2])
    )
    images = make_set(exposures, product="p")
    images.reference_catalog = Table(
        {"RA": np.append(stars[0], there[0]), "DEC": np.append(stars[1], there[1])}
    )
    where = truth(exposures[:2], stars, errors[:2]) + truth(exposures[2:], there, errors[2:])
    _, status = run(images, None, TweakregParameters())
    assert status.word == "COMPLETE"
    here = make_set(exposures[:2], product="p")
    here.exposures = images.exposures[:2]
    assert np.abs(residuals(here, stars, where[:2])).max() < 2.0
    ra, dec = images.exposures[2].wcs(*where[2], with_bounding_box=False)
    assert np.abs((dec - there[1]).mean() * 3.6e6) < 2.0
    assert np.abs((ra - there[0]).mean() * 3.6e6 * np.cos(np.deg2rad(69.5))) < 2.0


def test_a_star_in_many_exposures_counts_once():
    stars = star_field(60)
    images = make_set(dithered(stars), product="p")
    parameters = TweakregParameters()
    pointings = find_pointings(images, find_all(images, parameters), parameters)
    merged = merged_stars(list(pointings.values()), 0.1)
    number = max(len(p.stars) for p in pointings.values())
    assert number <= len(merged.vectors) < 1.5 * number
    assert merged.weights.max() > 3 * max(
        (p.stars.weight / p.scale**2).max() for p in pointings.values()
    )


def test_a_single_exposure_is_aligned_to_a_catalog():
    stars = star_field(60)
    exposures = dithered(stars, 1, errors=[(0.3, 0.2)])
    where = truth(exposures, stars, [(0.3, 0.2)])
    images = make_set(exposures, product="p")
    images.reference_catalog = Table({"RA": stars[0], "DEC": stars[1]})
    _, status = run(images, None, TweakregParameters())
    assert status.word == "COMPLETE"
    assert np.abs(residuals(images, stars, where)).max() < 2.0


def test_skipped_for_a_single_exposure():
    images = make_set(dithered(star_field(30), 1), product="p")
    before = images.exposures[0].wcs
    _, status = run(images, None, TweakregParameters())
    assert status.word == "SKIPPED"
    assert "one exposure" in status.reason
    assert images.exposures[0].wcs is before


def test_skipped_with_too_few_stars():
    images = make_set(dithered(star_field(4), 2), product="p")
    before = [image.wcs for image in images.exposures]
    _, status = run(images, None, TweakregParameters())
    assert status.word == "SKIPPED"
    assert "no exposure has 5 stars" in status.reason
    assert [image.wcs for image in images.exposures] == before


def test_an_absurd_correction_is_refused(caplog):
    stars = star_field(60)
    exposures = dithered(stars, 3)
    ra, dec = offset(80.0, -69.5, *DITHERS[3])
    turned = exposure(stars, ra=ra, dec=dec, exposure=4, seed=5)
    wrong = exposure(stars, ra=ra, dec=dec, exposure=4, roll=30.5)
    turned.wcs = wrong.wcs
    images = make_set([*exposures, turned], product="p")
    _, status = run(images, None, TweakregParameters())
    assert status.word == "COMPLETE"
    assert images.exposures[3].wcs is wrong.wcs
    assert "refused: a rotation of" in caplog.text


def test_exposures_without_common_stars_stay(caplog):
    stars = star_field(60)
    far = offset(80.0, -69.5, 30.0, 0.0)
    there = star_field(60, ra=far[0], dec=far[1], seed=2)
    exposures = [exposure(stars, exposure=1), exposure(there, ra=far[0], dec=far[1], exposure=2)]
    images = make_set(exposures, product="p")
    before = [image.wcs for image in exposures]
    _, status = run(images, None, TweakregParameters())
    assert status.word == "SKIPPED"
    assert "no exposure could be aligned" in status.reason
    assert [image.wcs for image in exposures] == before


@pytest.mark.parametrize("method", ["iraf", "dao", "segmentation"])
@pytest.mark.parametrize("fwhm", [1.2, 2.1])
def test_every_finder_finds_bright_stars(method, fwhm):
    stars = star_field(40, faint=100)
    image = exposure(stars, fwhm=fwhm, bad=200)
    table = find_stars(image.data, image.err, image.dq == 0, Finder(method, fwhm))
    x, y = image.wcs.invert(stars[0], stars[1], with_bounding_box=False)
    inside = np.sum((x > 3) & (x < 196) & (y > 3) & (y < 196))
    assert len(table) > 0.7 * inside
    distance = np.hypot(x - table.x[:, None], y - table.y[:, None]).min(axis=1)
    assert np.median(distance) < 0.05
    assert (table.weight > 0).all()


def test_no_stars_in_an_empty_or_constant_image():
    data, err = np.zeros((50, 50), np.float32), np.ones((50, 50), np.float32)
    assert len(find_stars(data, err, np.ones((50, 50), bool), Finder("iraf", 2.0))) == 0
    assert len(find_stars(data * np.nan, err, np.ones((50, 50), bool), Finder("dao", 2.0))) == 0


def test_width_of_a_star_follows_the_filter(caplog):
    assert wavelength(metadata(FILTER="F150W2", PUPIL="F162M")) == 1.62
    assert wavelength(metadata(FILTER="F1500W", PUPIL=None)) == 15.0
    image = exposure(star_field(1))
    assert star_width(image.metadata, image.wcs, image.data.shape) == pytest.approx(2.1, abs=0.02)
    assert wavelength(metadata(FILTER="OPAQUE", INSTRUME="FGS")) == 2.5
    assert "names no wavelength" in caplog.text


@pytest.mark.parametrize("number", [9, 12])
def test_few_stars_are_enough(number):
    """Of a dozen stars in the field six to nine are in each exposure."""
    stars = star_field(number, radius=3.5, faint=400)
    exposures = dithered(stars, errors=ERRORS)
    where = truth(exposures, stars, ERRORS)
    images = make_set(exposures, product="p")
    _, status = run(images, None, TweakregParameters())
    assert status.word == "COMPLETE"
    after = residuals(images, stars, where)
    assert np.abs(after - after.mean(axis=0)).max() < 2.0


def test_a_crowded_field_is_aligned():
    """Every star has another one within the least separation."""
    stars = star_field(900, faint=30)
    exposures = dithered(stars, errors=ERRORS)
    where = truth(exposures, stars, ERRORS)
    images = make_set(exposures, product="p")
    _, status = run(images, None, TweakregParameters())
    assert status.word == "COMPLETE"
    after = residuals(images, stars, where)
    assert np.abs(after - after.mean(axis=0)).max() < 2.0


def test_an_exposure_with_too_few_stars_is_reported_and_left(caplog):
    stars = star_field(60)
    exposures = dithered(stars, 3, errors=ERRORS[:3])
    ra, dec = offset(80.0, -69.5, *DITHERS[3])
    few = tuple(part[:3] for part in stars)
    exposures.append(exposure(few, ra=ra, dec=dec, exposure=4, seed=5))
    images = make_set(exposures, product="p")
    _, status = run(images, None, TweakregParameters())
    assert status.word == "COMPLETE"
    assert images.exposures[3].wcs is exposures[3].wcs
    assert "fewer than minobj = 5; it isn't moved" in caplog.text


def test_matches_by_chance_are_refused():
    """Two lists that have nothing in common, but many pairs within the tolerance."""
    rng = np.random.default_rng(3)
    lists = rng.uniform(-4, 4, (2, 250, 2))
    matching = Matching(separation=0.01, maximum_rotation=180.0, searchrad=1.0)
    outcome, transform = fit_pairs(lists[0], lists[1], (None, None), matching)
    assert transform is None
    assert "that chance makes" in outcome.reason
    same = lists[0] + [0.3, -0.2] + rng.normal(0, 0.002, (250, 2))
    outcome, transform = fit_pairs(lists[0], same, (None, None), matching)
    assert outcome.status == "aligned"
    assert outcome.shift == pytest.approx((0.3, -0.2), abs=1e-3)


def test_points_that_determine_nothing_are_refused():
    point = np.zeros((6, 2))
    outcome, transform = fit_pairs(point, point, (None, None), Matching(minobj=1))
    assert transform is None
    assert outcome.status == "failed"
