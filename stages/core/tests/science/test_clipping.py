"""Clipping by sorted values against astropy's, value by value; background maps, photutils'."""

import numpy as np
import pytest
from astropy.stats import SigmaClip, sigma_clipped_stats
from hypothesis import given, settings
from hypothesis import strategies as st

from calwebb_core.science import background
from calwebb_core.science.background import (
    background_level,
    background_map,
    default_box,
    smooth_map,
)
from calwebb_core.science.clipping import (
    Limits,
    background_limits,
    clipped_median,
    gaussian_of,
    restrict,
    sorted_values,
    within,
)
from calwebb_core.science.kernels.order_statistics import clip_sorted, median_of, select


def skewed(seed, n=2000, bright=200):
    rng = np.random.default_rng(seed)
    values = np.concatenate([rng.normal(10, 3, n), rng.exponential(40, bright)])
    return np.sort(values.astype(np.float32))


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("limit", [2.0, 3.0])
def test_clipping_keeps_what_astropy_keeps(seed, limit):
    values = skewed(seed)
    start, stop = clip_sorted(values, len(values), limit, 5)
    kept = SigmaClip(limit, maxiters=5)(values.astype(float), masked=False)
    np.testing.assert_array_equal(values[start:stop], kept)


@given(st.lists(st.floats(-1e6, 1e6, width=32), min_size=1, max_size=60), st.data())
@settings(max_examples=60, deadline=None)
def test_selection_and_median_are_those_of_sorting(numbers, data):
    values = np.array(numbers, np.float32)
    k = data.draw(st.integers(0, len(values) - 1))
    assert select(values.copy(), len(values), k) == np.sort(values)[k]
    assert median_of(values.copy(), len(values)) == np.median(values)


def by_astropy(values, below, above, *, lower_half=False):
    values = values.astype(float)
    _, center, sigma = sigma_clipped_stats(values, sigma=3.0)
    if lower_half:
        low = values[values <= center] - center
        _, shift, sigma = sigma_clipped_stats(np.concatenate([low, -low]), sigma=3.0)
        center += shift
    return center - below * sigma, center + above * sigma


@pytest.mark.parametrize("lower_half", [False, True])
@pytest.mark.parametrize("seed", range(4))
def test_limits_are_those_of_astropy(seed, lower_half):
    values = skewed(seed)
    limits = background_limits(values, 3, 2, lower_half=lower_half)
    np.testing.assert_allclose(limits, by_astropy(values, 3, 2, lower_half=lower_half), atol=5e-6)


@pytest.mark.parametrize("lower_half", [False, True])
def test_a_fitted_histogram_gives_the_width_of_the_background(lower_half):
    values = skewed(5, n=200_000, bright=20_000)
    limits = background_limits(values, 1, 1, lower_half=lower_half, fit_histogram=True)
    np.testing.assert_allclose(limits, (7, 13), atol=0.15)


def test_a_histogram_without_a_peak_leaves_the_clipped_values(caplog):
    assert gaussian_of(np.array([1, 2], np.float32), 1.5, 0.0, mirrored=False) == (1.5, 0.0)
    values = np.sort(np.linspace(-1, 1, 1000).astype(np.float32) ** 3)
    center, sigma = gaussian_of(values, 0.0, 1e-6, mirrored=False)
    assert np.isfinite([center, sigma]).all()


def test_nothing_to_clip():
    assert background_limits(np.empty(0, np.float32), 3, 3) == (-np.inf, np.inf)
    assert np.isnan(clipped_median(np.empty(0, np.float32)))


@given(
    st.floats(-10, 10, width=32), st.floats(0, 10, width=32),
    st.lists(st.floats(-20, 20, width=32), min_size=1, max_size=30),
)  # fmt: skip
@settings(max_examples=60, deadline=None)
def test_limits_mean_the_same_for_images_and_for_sorted_values(low, width, numbers):
    image = np.array([numbers], np.float32)
    mask = np.ones(image.shape, bool)
    limits = Limits.of(low + 1e-9, low + width - 1e-9)
    kept = within(sorted_values(image, mask), limits)
    restrict(mask, image, limits)
    np.testing.assert_array_equal(kept, np.sort(image[mask]))
    exact = image.astype(float)
    np.testing.assert_array_equal(mask, (exact >= low + 1e-9) & (exact <= low + width - 1e-9))


def test_constant_values_are_all_background():
    values = np.full(50, 7, np.float32)
    assert within(values, background_limits(values, 2, 2, lower_half=True)).size == 50


def made_image(seed=1, shape=(96, 100)):
    rng = np.random.default_rng(seed)
    y, x = np.indices(shape)
    image = (rng.normal(10, 3, shape) + 0.05 * y + 0.02 * x).astype(np.float32)
    image[20:40, 30:50] += rng.exponential(100, (20, 20)).astype(np.float32)
    return image, rng.random(shape) < 0.97


@pytest.mark.parametrize("box", [(32, 25), (20, 30), (7, 11)])
def test_a_map_is_that_of_photutils(box):
    photutils = pytest.importorskip("photutils.background")
    image, mask = made_image()
    theirs = photutils.Background2D(
        image, box_size=box, filter_size=(5, 5), mask=~mask,
        sigma_clip=SigmaClip(3, maxiters=5), bkg_estimator=photutils.MedianBackground(),
    ).background  # fmt: skip
    ours = smooth_map(image, mask, np.float32(0), box)
    # ties among the ten nearest neighbours of an empty box are broken otherwise
    np.testing.assert_allclose(ours, theirs, atol=0.1)
    assert np.mean(np.abs(ours - theirs) < 1e-5) > 0.3


def test_a_map_follows_a_slope_and_leaves_sources_out():
    image, mask = made_image(shape=(192, 200))
    y, x = np.indices(image.shape)
    found = background_map(image, mask, (16, 16))
    np.testing.assert_allclose(
        found[24:-24, 24:-24], (10 + 0.05 * y + 0.02 * x)[24:-24, 24:-24], atol=1.2
    )


def test_a_map_without_boxes_is_the_level():
    image, mask = made_image()
    mask[:] = False
    mask[:2, :2] = True
    level = background_level(image, mask.copy())
    np.testing.assert_array_equal(background_map(image, mask), np.full(image.shape, level))


def test_a_map_of_half_empty_boxes_uses_them():
    image, mask = made_image(shape=(192, 200))
    mask &= np.random.default_rng(0).random(mask.shape) < 0.7
    assert np.ptp(background_map(image, mask, (16, 16))) > 5


def test_the_level_is_the_clipped_median():
    image, mask = made_image()
    level = background_level(image, mask)
    assert level == np.median(image[mask])
    assert background_level(image, np.zeros_like(mask)) == 0


def test_boxes_divide_the_image_evenly():
    assert default_box((2048, 2048)) == (32, 32)
    assert default_box((97, 100)) == (1, 25)
    assert background.default_box((64, 2040)) == (32, 30)
