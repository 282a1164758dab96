"""Grids of rectified spectra that the user asks for."""

from dataclasses import replace

import numpy as np
import pytest

from calwebb_core.framework.errors import InputError
from calwebb_core.science.spectral.rectified_custom import custom_grid
from calwebb_core.science.spectral.rectify import Rectification, rectify

from .spectra import Dispersed, star, world

LRS = {"EXP_TYPE": "MIR_LRS-FIXEDSLIT"}


class White(Dispersed):
    """A slit whose pixels all have one wavelength."""

    def evaluate(self, *arrays):
        ra, dec, wave = super().evaluate(*arrays)
        return ra, dec, np.ones_like(wave)


def rectified(axis=1, **how):
    part = star(axis, **LRS)
    return rectify([part], part.metadata, axis, Rectification(**how))


def places(found):
    y, x = np.indices(found.data.shape).astype(float)
    return found.wcs(x, y)


@pytest.mark.parametrize("axis", [1, 2])
def test_the_shape_of_the_grid_can_be_chosen(axis):
    """The middle of the slit stays, wavelengths begin with the same and go on evenly."""
    usual = rectified(axis)
    along, across = usual.data.shape[::-1] if axis == 1 else usual.data.shape
    shape = (along + 10, across + 4) if axis == 1 else (across + 4, along + 10)
    found = rectified(axis, output_shape=shape)
    assert found.data.shape == shape[::-1]
    inner = (slice(2, -2), slice(0, along)) if axis == 1 else (slice(0, along), slice(2, -2))
    for ours, theirs in zip(places(found), places(usual), strict=True):
        np.testing.assert_allclose(ours[inner], theirs, rtol=1e-12)
    np.testing.assert_allclose(found.data[inner], usual.data, rtol=1e-6)
    small = rectified(axis, output_shape=(20, 10) if axis == 1 else (10, 20))
    assert small.data.shape == ((10, 20) if axis == 1 else (20, 10))


@pytest.mark.parametrize("axis", [1, 2])
def test_a_grid_of_another_product_is_used(axis):
    first = rectified(axis, pixel_scale_ratio=1.3)
    tree = {"wcs": first.wcs.gwcs(), "array_shape": first.data.shape}
    again = rectified(axis, custom=(tree, "grid.asdf"))
    assert again.data.shape == first.data.shape
    np.testing.assert_allclose(again.data, first.data, rtol=1e-5, atol=1e-6)
    assert again.metadata["PIXAR_SR"] == pytest.approx(first.metadata["PIXAR_SR"])
    wider = rectified(axis, custom=(tree, "grid.asdf"), output_shape=first.data.shape[::-1])
    np.testing.assert_array_equal(wider.data, again.data)


def test_what_is_no_grid_of_spectra_is_refused():
    with pytest.raises(InputError, match="no 'wcs' in the ASDF tree; expected that of a rectified"):
        custom_grid({}, "grid.asdf", 1)
    with pytest.raises(InputError, match="the WCS cannot be read"):
        custom_grid({"wcs": 3}, "grid.asdf", 1)
    tilted = {"wcs": world((24, 80), 1)}
    with pytest.raises(InputError, match=r"the grid is not straight, by up to .* pixels"):
        custom_grid(tilted, "grid.asdf", 1)
    with pytest.raises(InputError, match=r"the shape of the grid is \(1, 80\); expected rows"):
        custom_grid(tilted, "grid.asdf", 1, (1, 80))
    flat = replace(tilted["wcs"], transforms=(White(1, 0.0),), _cache={})
    with pytest.raises(InputError, match="wavelengths neither rise nor fall along axis 1"):
        custom_grid({"wcs": flat}, "grid.asdf", 1)
    with pytest.raises(InputError, match="output_shape is 1 80; expected columns and rows"):
        rectified(output_shape=(1, 80))
