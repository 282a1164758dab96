"""Wavelengths of pixels from planes and WCS; the axis of dispersion."""

import numpy as np
import pytest

from calwebb_core.framework.errors import InputError
from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.models import Image, Slit
from calwebb_core.science.spectral.wavelengths import dispersion_axis, wavelengths

SHAPE = (3, 5)


def slit(shape=SHAPE, **parts):
    pixels = np.zeros(shape, "f4")
    return Slit(Metadata({}, "x_rate.fits"), pixels, pixels, **parts)


class Chain:
    def __init__(self, axes=3):
        self.axes = axes

    def __call__(self, x, y):
        return (x, y, 5.0 + x + 10.0 * y)[: self.axes]


@pytest.mark.parametrize("shape", [SHAPE, (4, *SHAPE)])
def test_the_plane_comes_first(shape):
    plane = np.arange(15, dtype="f4").reshape(SHAPE)
    model = slit(shape, planes={"WAVELENGTH": plane}, wcs=Chain())
    found = wavelengths(model)
    assert found.dtype == np.float64
    np.testing.assert_array_equal(found, plane)
    model.planes["WAVELENGTH"] = np.broadcast_to(plane, (2, *SHAPE))
    np.testing.assert_array_equal(wavelengths(model), plane)


@pytest.mark.parametrize("shape", [SHAPE, (4, *SHAPE)])
def test_else_the_wcs(shape):
    y, x = np.mgrid[:3, :5]
    pixels = np.zeros(shape, "f4")
    image = Image(Metadata(), pixels, pixels, wcs=Chain())
    np.testing.assert_array_equal(wavelengths(image), 5.0 + x + 10.0 * y)
    np.testing.assert_array_equal(wavelengths(slit(shape, wcs=Chain())), 5.0 + x + 10.0 * y)


def test_neither():
    with pytest.raises(InputError, match=r"x_rate.fits: has neither a WAVELENGTH array nor a WCS"):
        wavelengths(slit())
    with pytest.raises(InputError, match="gives 2 coordinates; that of a spectrum gives three"):
        wavelengths(slit(wcs=Chain(2)))


def test_axis():
    assert [dispersion_axis(Metadata({"DISPAXIS": axis})) for axis in (1, 2)] == [1, 2]
    for value, message in ((3, "DISPAXIS is 3; expected 1"), (None, "DISPAXIS is missing")):
        with pytest.raises(InputError, match=message):
            dispersion_axis(Metadata({"DISPAXIS": value}, "x"))
