"""Finders beside those of photutils, and what they take for a star."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from photutils.detection import DAOStarFinder, IRAFStarFinder

from calwebb_level3.imaging.finders import Finder, find_dao, find_iraf
from calwebb_level3.imaging.stars import filled, find_stars, flatten, spline_weights
from calwebb_level3.kernels.stars import clipped_level, select

from .scene import exposure, star_field

BOUNDS = {
    "iraf": ((0.5, 2.0), (0.0, 0.2), IRAFStarFinder, find_iraf),
    "dao": ((0.2, 1.0), (-1.0, 1.0), DAOStarFinder, find_dao),
}


@pytest.mark.parametrize("method", ["iraf", "dao"])
@pytest.mark.parametrize("fwhm", [1.3, 2.1, 4.0])
@pytest.mark.parametrize("peakmax", [None, 150.0])
def test_the_same_stars_as_photutils(method, fwhm, peakmax):
    image = exposure(star_field(80, faint=60), fwhm=2.1, bad=200)
    data, bad = image.data.copy(), image.dq > 0
    noise = flatten(data, bad, 400)
    sharpness, roundness, theirs, ours = BOUNDS[method]
    finder = Finder(method, fwhm, sharpness=sharpness, roundness=roundness, peakmax=peakmax)
    found = ours(data, noise, bad, finder)
    expected = theirs(
        10 * noise, fwhm, sharpness_range=sharpness, roundness_range=roundness,
        min_separation=0, peak_max=peakmax,
    ).find_stars(data, mask=bad)  # fmt: skip
    assert len(found) == len(expected) > 5
    order = np.argsort(found[:, 2])
    assert found[order, 2] == pytest.approx(np.sort(expected["flux"]), rel=1e-5)
    if method == "iraf":
        assert np.sort(found[:, 0]) == pytest.approx(np.sort(expected["x_centroid"]), abs=1e-5)


def test_stars_closer_than_the_separation_are_one():
    image = exposure(star_field(80, faint=200), fwhm=2.1)
    good = np.ones(image.data.shape, bool)
    all_of_them = find_stars(image.data, image.err, good, Finder("iraf", 2.1))
    apart = find_stars(image.data, image.err, good, Finder("iraf", 2.1, separation=25.0))
    assert 0 < len(apart) < len(all_of_them)
    distance = np.hypot(apart.x - apart.x[:, None], apart.y - apart.y[:, None])
    assert distance[~np.eye(len(apart), dtype=bool)].min() > 24


@pytest.mark.parametrize("method", ["iraf", "dao"])
def test_hot_pixels_and_cosmic_rays_are_no_stars(method):
    image = exposure(star_field(20, faint=300), fwhm=1.4, seed=4)
    rng = np.random.default_rng(8)
    rows, columns = rng.integers(5, 195, (2, 200))
    image.data[rows, columns] += 10 ** rng.uniform(1.5, 4, 200)
    image.data[rows[:80] + 1, columns[:80]] += 10 ** rng.uniform(1.5, 3.5, 80)
    sharpness, roundness, _, _ = BOUNDS[method]
    finder = Finder(method, 1.5, sharpness=sharpness, roundness=roundness, psf_fwhm=1.4)
    found = find_stars(image.data, image.err, image.dq == 0, finder)
    x, y = image.wcs.invert(*star_field(20, faint=300)[:2], with_bounding_box=False)
    near = np.hypot(found.x - x[:, None], found.y - y[:, None]).min(axis=0) < 0.5
    assert near.sum() >= 6
    assert near.sum() >= 0.9 * len(found)


def test_masked_images_and_missing_errors():
    image = exposure(star_field(40, faint=300), fwhm=2.1)
    good = np.ones(image.data.shape, bool)
    assert len(find_stars(image.data, None, good, Finder("iraf", 2.1))) > 10
    assert len(find_stars(image.data, image.err, ~good, Finder("iraf", 2.1))) == 0


def test_the_background_follows_a_slope():
    y, x = np.mgrid[0:300, 0:260]
    data = (3 + 0.01 * x - 0.005 * y + np.random.default_rng(1).normal(0, 0.1, x.shape)).astype(
        "f4"
    )
    bad = np.zeros(data.shape, bool)
    bad[:60, :60] = True
    data[bad] = np.nan
    noise = flatten(data, bad, 40)
    assert noise == pytest.approx(0.15, abs=0.05)
    assert np.all(data[bad] == 0)
    assert np.abs(data[60:270, 60:230].mean(axis=0)).max() < 0.05


@given(st.lists(st.floats(-1e3, 1e3, width=32), min_size=1, max_size=60), st.data())
@settings(max_examples=100, deadline=None)
def test_select_finds_the_kth(values, data):
    k = data.draw(st.integers(0, len(values) - 1))
    array = np.array(values, np.float32)
    assert select(array.copy(), len(array), k) == np.sort(array)[k]


def test_clipped_level_leaves_out_outliers():
    rng = np.random.default_rng(0)
    values = rng.normal(5, 1, 2001).astype(np.float32)
    values[:50] = 1e4
    level, scatter = clipped_level(values, len(values))
    assert level == pytest.approx(5, abs=0.1)
    assert scatter == pytest.approx(1, abs=0.05)
    level, scatter = clipped_level(np.array([1, 3], np.float32), 2)
    assert (level, scatter) == (2, 1)


@pytest.mark.parametrize("nodes", [1, 2, 3, 7])
def test_spline_weights_keep_constants_and_nodes(nodes):
    weights = spline_weights(nodes, 11, 11 * nodes)
    assert weights.sum(axis=1) == pytest.approx(np.ones(11 * nodes))
    assert weights[5::11] == pytest.approx(np.eye(nodes), abs=1e-12)


def test_boxes_without_pixels_take_their_neighbours_level():
    levels = np.array([[1.0, np.nan], [3.0, np.nan]])
    assert filled(levels, np.isfinite(levels)).tolist() == [[1.0, 1.0], [3.0, 3.0]]
