"""Fitted positions of stars, and the background they stand on."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calwebb_level3.imaging.background import measure_background, spread
from calwebb_level3.imaging.psf_fit import fit_stars, profile

from .scene import add_stars


@given(
    st.floats(-0.5, 0.5), st.floats(-0.5, 0.5), st.floats(0.8, 3.5), st.floats(1.0, 1e5),
    st.floats(-10, 10),
)  # fmt: skip
@settings(max_examples=60, deadline=None)
def test_noiseless_stars_are_placed_exactly(dx, dy, fwhm, flux, level):
    data = np.full((31, 31), level)
    add_stars(data, [15 + dx], [15 + dy], [flux], fwhm)
    err = np.full(data.shape, 1e-3 * flux, np.float32)
    start = np.array([[15.0, 15.0]])
    # float64: what is tested is the fit, not the rounding of a faint star on a bright sky.
    places, found, _ = fit_stars(data, err, np.zeros(data.shape, bool), start, fwhm)
    assert places[0] == pytest.approx([15 + dx, 15 + dy], abs=1e-3)
    assert found[0] == pytest.approx(flux, rel=1e-2)


def test_errors_are_those_of_the_positions():
    rng = np.random.default_rng(1)
    truth = np.stack(np.meshgrid(np.arange(10) * 20 + 15, np.arange(10) * 20 + 15), -1)
    truth = truth.reshape(-1, 2) + rng.uniform(-0.5, 0.5, (100, 2))
    data = np.zeros((220, 220))
    add_stars(data, *truth.T, np.full(100, 60.0), 2.1)
    data += rng.normal(0, 1, data.shape)
    err = np.ones(data.shape, np.float32)
    mask = np.zeros(data.shape, bool)
    places, flux, variance = fit_stars(data.astype(np.float32), err, mask, np.rint(truth), 2.1)
    pull = (places - truth) / np.sqrt(variance / 2)[:, None]
    assert np.nanstd(pull) == pytest.approx(1.0, abs=0.15)
    assert np.nanmedian(flux) == pytest.approx(60.0, rel=0.05)


def test_masked_edge_and_empty_stars_fail_alone():
    data = np.zeros((40, 40))
    add_stars(data, [20.2, 10.1], [20.3, 10.4], [500.0, 500.0], 2.0)
    mask = np.zeros(data.shape, bool)
    mask[5:16, 5:16] = True
    start = np.array([[20.0, 20.0], [10.0, 10.0], [np.nan, 3.0]])
    err = np.ones(data.shape, np.float32)
    places, _, _ = fit_stars(data.astype(np.float32), err, mask, start, 2.0)
    assert places[0] == pytest.approx([20.2, 20.3], abs=1e-3)
    assert np.isnan(places[1:]).any(axis=1).all()
    none = fit_stars(data.astype(np.float32), err, mask, np.empty((0, 2)), 2.0)
    assert [len(part) for part in none] == [0, 0, 0]


def test_profile_sums_to_one_and_has_its_derivative():
    place = np.array([0.2])
    values, slope = profile(place, 0.9, 6)
    assert values.sum() == pytest.approx(1.0)
    ahead, _ = profile(place + 1e-6, 0.9, 6)
    assert (ahead - values) / 1e-6 == pytest.approx(slope, abs=1e-5)


def test_background_follows_a_slope_under_stars():
    y, x = np.mgrid[0:300, 0:260]
    truth = 3.0 + 0.01 * x - 0.005 * y
    data = truth + np.random.default_rng(1).normal(0, 0.1, truth.shape)
    add_stars(data, [100.0, 200.0], [50.0, 200.0], [1e4, 1e4], 2.0)
    mask = np.zeros(data.shape, bool)
    mask[:40, :40] = True
    data[mask] = np.nan
    level, noise = measure_background(data.astype(np.float32), mask, 40)
    inner = (slice(40, 260), slice(40, 220))
    assert np.abs(level - truth)[inner].max() < 0.1
    assert noise == pytest.approx(0.15, abs=0.05)


@pytest.mark.parametrize("boxsize", [10, 64, 100, 1000])
def test_a_constant_background_stays_constant(boxsize):
    data = np.full((100, 64), 7.0, np.float32)
    level, noise = measure_background(data, np.zeros(data.shape, bool), boxsize)
    assert level == pytest.approx(np.full(data.shape, 7.0))
    assert noise == 0
    assert level.dtype == np.float32


def test_spread_keeps_the_values_at_the_centres():
    mesh = np.array([[1.0, 2.0, 4.0], [3.0, 1.0, 0.0]])
    image = spread(mesh, (11, 11), (22, 33))
    assert image[5::11, 5::11] == pytest.approx(mesh)
    assert image[0, 0] == pytest.approx(1.0)
