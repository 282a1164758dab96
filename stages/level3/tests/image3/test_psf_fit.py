"""Fitted positions of stars, and the background they stand on."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calwebb_level3.imaging.background import measure_background, spread
from calwebb_level3.imaging.psf_fit import fit_stars, typical_width
from calwebb_level3.kernels.psf import pixel_profile

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
    fits = fit_stars(data, err, np.zeros(data.shape, bool), start, fwhm)
    assert fits.positions[0] == pytest.approx([15 + dx, 15 + dy], abs=1e-3)
    assert fits.flux[0] == pytest.approx(flux, rel=1e-2)


def test_errors_are_those_of_the_positions():
    rng = np.random.default_rng(1)
    truth = np.stack(np.meshgrid(np.arange(10) * 20 + 15, np.arange(10) * 20 + 15), -1)
    truth = truth.reshape(-1, 2) + rng.uniform(-0.5, 0.5, (100, 2))
    data = np.zeros((220, 220))
    add_stars(data, *truth.T, np.full(100, 60.0), 2.1)
    data += rng.normal(0, 1, data.shape)
    err = np.ones(data.shape, np.float32)
    mask = np.zeros(data.shape, bool)
    fits = fit_stars(data.astype(np.float32), err, mask, np.rint(truth), 2.1)
    pull = (fits.positions - truth) / np.sqrt(fits.variance / 2)[:, None]
    assert np.nanstd(pull) == pytest.approx(1.0, abs=0.15)
    assert np.nanmedian(fits.flux) == pytest.approx(60.0, rel=0.05)


def test_masked_edge_and_empty_stars_fail_alone():
    data = np.zeros((40, 40))
    add_stars(data, [20.2, 10.1], [20.3, 10.4], [500.0, 500.0], 2.0)
    mask = np.zeros(data.shape, bool)
    mask[5:16, 5:16] = True
    start = np.array([[20.0, 20.0], [10.0, 10.0], [np.nan, 3.0]])
    err = np.ones(data.shape, np.float32)
    places = fit_stars(data.astype(np.float32), err, mask, start, 2.0).positions
    assert places[0] == pytest.approx([20.2, 20.3], abs=1e-3)
    assert np.isnan(places[1:]).any(axis=1).all()
    none = fit_stars(data.astype(np.float32), err, mask, np.empty((0, 2)), 2.0)
    assert len(none.flux) == 0
    assert typical_width(data, err, mask, np.empty((0, 2)), 2.0) == 2.0


def profile(place, sigma):
    out = np.empty((3, 13))
    pixel_profile(place, sigma, 6, *out)
    return out


def test_profile_sums_to_one_and_has_its_derivatives():
    values, slopes, widths = profile(0.2, 0.9)
    assert values.sum() == pytest.approx(1.0)
    assert (profile(0.2 + 1e-6, 0.9)[0] - values) / 1e-6 == pytest.approx(slopes, abs=1e-5)
    assert (profile(0.2, 0.9 + 1e-6)[0] - values) / 1e-6 == pytest.approx(widths, abs=1e-5)


@pytest.mark.parametrize("fwhm", [0.8, 1.4, 3.0])
def test_the_width_is_measured_on_the_bright_stars(fwhm):
    data = np.zeros((60, 200))
    x = np.arange(10) * 18 + 15 + np.linspace(-0.5, 0.5, 10)
    add_stars(data, x, np.full(10, 30.3), np.full(10, 1e4), fwhm)
    err = np.ones(data.shape, np.float32)
    mask = np.zeros(data.shape, bool)
    start = np.rint(np.stack([x, np.full(10, 30.0)], axis=1))
    assert typical_width(data, err, mask, start, 1.3 * fwhm) == pytest.approx(fwhm, rel=0.01)


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
