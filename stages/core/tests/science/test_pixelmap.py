from dataclasses import replace

import asdf
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calwebb_core.framework.errors import ProcessingError
from calwebb_core.science.grid_window import Window
from calwebb_core.science.map_nodes import interpolate, nodes, refine
from calwebb_core.science.output_grid import output_wcs
from calwebb_core.science.pixelmap import PixelMap, between, pixel_map
from calwebb_core.science.wcs import imaging_wcs
from calwebb_core.science.world import Box


@pytest.mark.parametrize("tolerance", [1e-3, 1e-6])
def test_error_bound_on_a_full_frame(pointing, distortion, tolerance):
    wcs = imaging_wcs(pointing, distortion)
    grid = output_wcs([wcs], [(2048, 2048)], reference=pointing)
    found = pixel_map(wcs, grid, (2048, 2048), tolerance=tolerance)
    y, x = np.mgrid[0:2048:23, 0:2048:29].astype(float)
    exact = between(wcs, grid)(x, y)
    assert np.abs(found[::23, ::29] - exact).max() < tolerance


@settings(deadline=None, max_examples=40)
@given(
    st.integers(2, 300),
    st.integers(2, 300),
    st.lists(st.floats(-1, 1), min_size=4, max_size=4),
    st.floats(20, 500),
)
def test_error_bound_for_any_smooth_map(ny, nx, numbers, period):
    a, b, c, d = numbers

    def transform(x, y):
        return np.stack([x + a * np.sin(x / period) + b * y, y + c * np.cos(y / period) + d], -1)

    box = Window(0, ny, 0, nx)
    pixmap = PixelMap((ny, nx), (ny, nx), box, transform, refine(transform, box, 1e-3))
    found = pixmap.rows(0, ny)
    x, y = np.meshgrid(np.arange(float(nx)), np.arange(float(ny)))
    assert found.shape == (ny, nx, 2)
    assert np.abs(found - transform(x, y)).max() < 1e-3


@settings(deadline=None)
@given(st.integers(8, 60), st.integers(4, 20), st.lists(st.floats(-2, 2), min_size=8, max_size=8))
def test_cubics_are_interpolated_exactly(size, step, numbers):
    grid = nodes(0, size, step)
    along = np.polyval(numbers[:4], grid / size)
    values = np.stack([along[:, None] * along, along[:, None] + along], axis=-1)
    at = np.arange(float(size))
    found = interpolate(values, grid, grid, at, at)
    line = np.polyval(numbers[:4], at / size)
    np.testing.assert_allclose(found[..., 0], line[:, None] * line, atol=1e-9)


def test_nothing_outside_the_bounding_box(subarray):
    wcs, metadata = subarray()
    grid = output_wcs([wcs], [(80, 96)], reference=metadata)
    wcs = replace(wcs, bounding_box=Box(((9.5, 95.5), (-0.5, 69.5))))
    found = pixel_map(wcs, grid, (80, 96))
    assert np.isnan(found[:, :10]).all()
    assert np.isnan(found[70:]).all()
    assert np.isfinite(found[:70, 10:]).all()


def test_transform_without_numbers_is_refused():
    with pytest.raises(ProcessingError, match="gives no position"):
        refine(lambda x, y: np.stack([x * np.nan, y], -1), Window(0, 10, 0, 10), 1e-3)


DETECTORS = [f"nrc{name}" for name in ("a1", "a2", "a3", "a4", "along", "b1", "b2", "b3", "b4")]


@pytest.mark.realdata
@pytest.mark.parametrize("detector", DETECTORS)
def test_error_bound_of_flight_wcs(realdata, detector):
    path = realdata / "nircam_wcs" / f"jw01345001001_02201_00001_{detector}_tweakreg.asdf"
    with asdf.open(path) as tree:
        flight = tree["wcs"]
    grid = output_wcs([flight], [(2048, 2048)], rotation=25.0)
    pixmap = PixelMap.of(flight, grid, (2048, 2048))
    assert pixmap.nodes is not None
    assert len(pixmap.nodes.x) <= 65
    y, x = np.mgrid[0:2048:31, 0:2048:29]
    ra, dec = flight(x.astype(float), y.astype(float), with_bounding_box=False)
    exact = np.stack(grid.invert(ra, dec, with_bounding_box=False), axis=-1)
    assert np.abs(pixmap.rows(0, 2048)[::31, ::29] - exact).max() < 1e-4


@pytest.mark.parametrize("strength", [1.0, 30.0])
def test_error_bound_with_polynomials_of_order_five(strength):
    """An imager of 1032 x 1024 pixels whose polynomials bend by tens of pixels, as MIRI's."""
    rng = np.random.default_rng(5)
    powers = [(i, j) for i in range(6) for j in range(6 - i) if i + j > 1]
    terms = rng.normal(0, strength, (2, len(powers)))

    def transform(x, y):
        u, v = (x - 515.5) / 516, (y - 511.5) / 512
        bend = [sum(c * u**i * v**j for c, (i, j) in zip(t, powers, strict=True)) for t in terms]
        return np.stack([x + bend[0] - 0.08 * y, y + bend[1] + 0.08 * x], -1)

    box = Window(0, 1024, 0, 1032)
    pixmap = PixelMap((1024, 1032), (1200, 1200), box, transform, refine(transform, box, 1e-4))
    assert pixmap.nodes is not None
    y, x = np.mgrid[0:1024:7, 0:1032:5].astype(float)
    assert np.abs(pixmap.rows(0, 1024)[::7, ::5] - transform(x, y)).max() < 1e-4


def rough(x, y):
    """A map that no coarse grid can tell."""
    return np.stack([x + 0.3 * np.sin(2.1 * x), y + 0.3 * np.cos(1.7 * y + x)], -1)


def test_a_map_that_is_not_smooth_is_evaluated():
    box = Window(2, 60, 3, 70)
    pixmap = PixelMap((64, 72), (64, 72), box, rough, refine(rough, box, 1e-4))
    assert pixmap.nodes is None
    y, x = np.mgrid[2:60, 3:70].astype(float)
    found = pixmap.rows(0, 64)
    np.testing.assert_array_equal(found[2:60, 3:70], rough(x, y))
    assert np.isnan(found[:2]).all()
    assert np.isnan(found[:, 70:]).all()
    np.testing.assert_array_equal(pixmap.rows(17, 23), found[17:23])


@settings(deadline=None, max_examples=30)
@given(st.floats(-np.pi, np.pi), st.floats(0.3, 2), st.booleans(), st.integers(0, 90))
def test_rows_that_reach_a_band_hold_all_its_pixels(angle, scale, smooth, first):
    cos, sin = scale * np.cos(angle), scale * np.sin(angle)

    def transform(x, y):
        u, v = x - 30, y - 25
        return np.stack([cos * u - sin * v + 1e-3 * u * v + 50, sin * u + cos * v + 50], -1)

    box = Window(0, 50, 0, 60)
    found = refine(transform, box, 1e-4) if smooth else None
    pixmap = PixelMap((50, 60), (100, 110), box, transform, found)
    places = pixmap.rows(0, 50)
    inside = np.all((places > -0.5) & (places < np.array([109.5, 99.5])), axis=-1)
    hit = inside & (places[..., 1] >= first - 0.5) & (places[..., 1] < first + 9.5)
    rows = pixmap.rows_reaching(first, first + 9)
    assert not np.delete(hit, np.arange(rows.start, rows.stop), axis=0).any()
    columns = pixmap.columns_reaching(slice(7, 33), first, first + 9)
    assert not np.delete(hit[7:33], np.arange(columns.start, columns.stop), axis=1).any()
    window = pixmap.reach(slice(10, 20))
    y, x = (places[10:20, :, axis][inside[10:20]] for axis in (1, 0))
    if len(y):
        assert window.y0 <= y.min() + 0.5
        assert window.y1 >= y.max() + 0.5
        assert window.x0 <= x.min() + 0.5
        assert window.x1 >= x.max() + 0.5


def test_an_image_beside_the_grid_reaches_nothing(subarray):
    wcs, metadata = subarray()
    grid = output_wcs([wcs], [(80, 96)], reference=metadata)
    pixmap = PixelMap.of(subarray(x=1500)[0], grid, (80, 96))
    assert pixmap.reach() is None
    assert pixmap.rows_reaching(0, 79) == slice(0, 0)


def test_nothing_in_the_bounding_box(subarray):
    wcs, metadata = subarray()
    grid = output_wcs([wcs], [(80, 96)], reference=metadata)
    empty = replace(wcs, bounding_box=Box(((200.0, 300.0), (-0.5, 79.5))))
    pixmap = PixelMap.of(empty, grid, (80, 96))
    assert np.isnan(pixmap.rows(0, 80)).all()
    assert pixmap.reach() is None


def test_gaps_in_a_given_map_are_refused():
    places = np.zeros((5, 6, 2))
    places[2, 2] = np.nan
    with pytest.raises(ProcessingError, match="no position for some pixels among those"):
        PixelMap.from_array(places, (5, 6))
