import numpy as np
import pytest
from drizzle.resample import blot_image
from hypothesis import given, settings
from hypothesis import strategies as st

from calwebb_core.science.blot import blot, rows_to_blot
from calwebb_core.science.output_grid import output_wcs
from calwebb_core.science.pixelmap import PixelMap

FAR = -1e3


def turned(ny, nx, angle, grid_shape, scale=1.0):
    """Return a map that turns an image about the middle of a grid."""
    y, x = np.mgrid[0:ny, 0:nx].astype(float)
    u, v = scale * (x - nx / 2), scale * (y - ny / 2)
    cos, sin = np.cos(angle), np.sin(angle)
    middle = np.array([grid_shape[1] / 2, grid_shape[0] / 2])
    return np.stack([cos * u - sin * v, sin * u + cos * v], -1) + middle


def exact(model, x, y):
    """Lagrange's polynomial of degree five in both directions, in double precision."""

    def weights(u):
        at = np.arange(-2, 4)
        return [np.prod([(u - m) / (k - m) for m in at if m != k]) for k in at]

    i, j = int(np.floor(x)), int(np.floor(y))
    patch = model[j - 2 : j + 4, i - 2 : i + 4].astype(float)
    return np.array(weights(y - j)) @ patch @ np.array(weights(x - i))


@settings(deadline=None, max_examples=30)
@given(st.integers(4, 40), st.integers(4, 40), st.floats(-np.pi, np.pi), st.floats(0.3, 2))
def test_same_as_the_library(ny, nx, angle, scale):
    rng = np.random.default_rng(nx * ny)
    model = rng.normal(10, 1, (120, 130)).astype(np.float32)
    places = turned(ny, nx, angle, model.shape, scale)
    found = blot(model, PixelMap.from_array(places, model.shape))
    inside = np.all((places > 4) & (places < np.array([124, 114])), axis=-1)
    expected = blot_image(
        model, np.where(inside[..., None], places, FAR), fillval=0, interp="poly5"
    )
    # the library keeps positions in single precision
    np.testing.assert_allclose(found[inside], expected[inside], rtol=1e-4)


@pytest.mark.parametrize("angle", [0.0, 0.003, 1.0])
def test_exact_polynomial(angle):
    model = np.random.default_rng(0).normal(10, 1, (70, 80)).astype(np.float32)
    places = turned(30, 40, angle, model.shape)
    found = blot(model, PixelMap.from_array(places, model.shape))
    expected = [[exact(model, x, y) for x, y in line] for line in places]
    np.testing.assert_allclose(found, expected, rtol=2e-6)


def test_unknown_pixels():
    model = np.ones((40, 40), np.float32)
    model[20, 20] = np.nan
    y, x = np.mgrid[0:40, 0:40] + 0.25
    seen = blot(model, PixelMap.from_array(np.stack([x, y], -1), model.shape))
    unknown = np.isnan(seen)
    assert unknown[19:21, 19:21].all()
    unknown[19:21, 19:21] = False
    assert unknown[39].all()
    assert unknown[:, 39].all()
    assert not unknown[:39, :39].any()
    np.testing.assert_allclose(seen[:19, :39], 1, rtol=1e-6)


def test_linear_beside_unknown_pixels():
    y, x = np.mgrid[0:30, 0:30].astype(float)
    model = (x**2).astype(np.float32)
    model[15, 15] = np.nan
    seen = blot(model, PixelMap.from_array(np.stack([x + 0.5, y], -1), model.shape))
    assert seen[15, 5] == pytest.approx(5.5**2, rel=1e-6)
    assert seen[15, 13] == pytest.approx((13**2 + 14**2) / 2, rel=1e-6)


def test_any_rows_and_any_window_show_the_same(subarray):
    wcs, metadata = subarray()
    grid = output_wcs([wcs, subarray(x=650)[0]], [(80, 96)] * 2, reference=metadata)
    pixmap = PixelMap.of(wcs, grid, (80, 96))
    nx, ny = grid.pixel_shape
    model = np.random.default_rng(3).normal(size=(ny, nx)).astype(np.float32)
    whole = blot(model, pixmap)
    assert np.isfinite(whole).sum() > 7000
    for first, last in ((0, 13), (13, 14), (14, 80)):
        needed = rows_to_blot(pixmap, slice(first, last))
        part = blot(model[needed], pixmap, slice(first, last), (needed.start, 0))
        np.testing.assert_array_equal(part, whole[first:last])


def test_nothing_to_see(subarray):
    wcs, metadata = subarray()
    grid = output_wcs([wcs], [(80, 96)], reference=metadata)
    far = PixelMap.of(subarray(x=1500, y=100)[0], grid, (80, 96))
    assert rows_to_blot(far) == slice(0, 0)
    assert np.isnan(blot(np.ones((90, 100), np.float32), far)).all()
    assert np.isnan(blot(np.ones((0, 100), np.float32), far)).all()
    assert blot(np.ones((90, 100), np.float32), far, slice(5, 5)).shape == (0, 96)
