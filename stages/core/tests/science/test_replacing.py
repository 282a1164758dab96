"""Estimated pixels: beside plain numpy, on spectra whose values are known, and what stays."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.models import Image
from calwebb_core.science.spectral.replacing import replace_pixels

NAMES = ("data", "err", "var_poisson", "var_rnoise", "var_flat")
ESTIMATED = 268435456


def spectrum(shape, seed=0, bad=0.05):
    rng = np.random.default_rng(seed)
    arrays = [rng.uniform(1, 5, shape).astype("f4") for _ in NAMES]
    lost = rng.uniform(size=shape) < bad
    for array in arrays:
        array[lost] = np.nan
    data, err, *variances = arrays
    return Image(Metadata(), data, err, np.where(lost, 1, 4).astype("u4"), *variances)


def by_gradient(arrays):
    """Plain definition for one image: values, errors, variances."""
    values = arrays[0]
    found = [array.copy() for array in arrays]
    ny, nx = values.shape
    for y, x in np.argwhere(np.isnan(values)):
        if not (0 < y < ny - 1 and 0 < x < nx - 1):
            continue
        pairs = [((y, x - 1), (y, x + 1)), ((y - 1, x), (y + 1, x))]
        steps = [abs(values[a] - values[b]) for a, b in pairs]
        if np.isnan(steps).all():
            continue
        a, b = pairs[int(np.nanargmin(steps))]
        for number, array in enumerate(arrays):
            root = number > 1
            pair = np.array([array[a], array[b]], "f8")
            mean = np.mean(np.sqrt(pair) if root else pair)
            found[number][y, x] = mean**2 if root else mean
    return found


def by_profile(arrays, reach):
    """Plain definition for one image, dispersed along x."""
    values = arrays[0].astype("f8")
    found = [array.copy() for array in arrays]
    norms = np.nanmax(np.abs(values), axis=0)
    for x in range(values.shape[1]):
        beside = [
            c for c in range(max(0, x - reach), min(values.shape[1], x + reach + 1)) if c != x
        ]
        profile = np.nanmedian(values[:, beside] / norms[beside], axis=1)
        good = np.isfinite(values[:, x]) & np.isfinite(profile)
        scale = (profile[good] @ values[good, x]) / (profile[good] @ profile[good])
        for y in np.flatnonzero(np.isnan(values[:, x]) & np.isfinite(profile)):
            for number, array in enumerate(arrays):
                kind = np.sqrt if number > 1 else np.asarray
                part = np.nanmedian(kind(array.astype("f8"))[y, beside] / norms[beside]) * scale
                found[number][y, x] = part**2 if number > 1 else part
    return found


@settings(max_examples=25, deadline=None)
@given(ny=st.integers(3, 9), nx=st.integers(8, 14), seed=st.integers(0, 99), axis=st.integers(1, 2))
def test_estimates_are_those_of_the_plain_definition(ny, nx, seed, axis):
    image = spectrum((2, ny, nx), seed)
    before = [getattr(image, name).copy() for name in NAMES]
    found, bad, replaced = replace_pixels(image, axis=axis)
    for number in range(2):
        expected = by_gradient([array[number] for array in before])
        for name, array in zip(NAMES, expected, strict=True):
            np.testing.assert_allclose(getattr(found, name)[number], array, rtol=1e-6)
    estimated = (found.dq & ESTIMATED) != 0
    assert estimated.sum() == replaced <= bad == np.isnan(before[0]).sum()
    assert not np.any(found.dq[estimated] & 1)
    np.testing.assert_array_equal(np.isnan(found.data), (found.dq & 1) != 0)
    for name, array in zip(NAMES, before, strict=True):
        np.testing.assert_array_equal(getattr(image, name), array)


@pytest.mark.parametrize("axis", [1, 2])
def test_profiles_are_those_of_the_plain_definition(axis):
    image = spectrum((9, 15), 3)
    found, _, _ = replace_pixels(image, algorithm="fit_profile", axis=axis, reach=2)
    turn = np.transpose if axis == 2 else np.asarray
    expected = by_profile([turn(getattr(image, name)) for name in NAMES], 2)
    for name, array in zip(NAMES, expected, strict=True):
        np.testing.assert_allclose(turn(getattr(found, name)), array, rtol=1e-5)


def test_a_trace_that_only_changes_in_brightness_is_restored():
    profile = np.exp(-(np.arange(-6, 7) ** 2) / 8)
    truth = np.outer(profile, np.linspace(50, 90, 30)).astype("f4")
    image = spectrum((3, 13, 30), bad=0)
    for cube in range(3):
        image.data[cube] = truth
        image.data[cube, 6, 10 + cube] = np.nan
    image.data[1, 6, 12] = np.nan
    found, bad, replaced = replace_pixels(image, algorithm="fit_profile", reach=3)
    np.testing.assert_allclose(found.data, np.broadcast_to(truth, (3, 13, 30)), rtol=1e-5)
    assert bad == replaced == 4


def test_what_cannot_be_estimated_stays():
    image = spectrum((5, 6), bad=0)
    image.data[1:4, 1:5] = np.nan
    image.data[0, 3] = np.nan
    found, bad, replaced = replace_pixels(image)
    assert (bad, replaced) == (13, 0)
    image.data[:, 2] = np.nan
    found, _, _ = replace_pixels(image, algorithm="fit_profile")
    assert np.isnan(found.data[:, 2]).all()


def test_a_product_without_variances_and_flags(caplog):
    image = spectrum((5, 6), bad=0)
    image.data[2, 2] = np.nan
    plain = Image(image.metadata, image.data, image.err)
    found, _, replaced = replace_pixels(plain)
    assert replaced == 1
    assert found.dq[2, 2] == ESTIMATED


def test_another_algorithm_is_refused():
    with pytest.raises(ValueError, match="algorithm is 'median'; expected one of mingrad"):
        replace_pixels(spectrum((5, 6)), algorithm="median")
