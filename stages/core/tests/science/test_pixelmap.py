from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calwebb_core.framework.errors import ProcessingError
from calwebb_core.science.output_grid import output_wcs
from calwebb_core.science.pixelmap import (
    PixelMap,
    Window,
    between,
    interpolate,
    nodes,
    pixel_map,
    refine,
)
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
