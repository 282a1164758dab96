import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calwebb_core.science.drizzling import Part, add_planes, drizzle_planes
from calwebb_core.science.drop_shapes import Drop, with_library
from calwebb_core.science.grid_window import Window
from calwebb_core.science.pixelmap import PixelMap


def skewed_map(ny, nx, angle, scale, bend=1e-3):
    """Rotation and scale with a little distortion."""
    y, x = np.mgrid[0:ny, 0:nx].astype(float)
    cos, sin = scale * np.cos(angle), scale * np.sin(angle)
    u, v = x - nx / 2, y - ny / 2
    return np.stack(
        [cos * u - sin * v + bend * u * v + nx / 2, sin * u + cos * v - bend * u * u + ny / 2], -1
    )


@settings(deadline=None, max_examples=30)
@given(
    st.integers(3, 40),
    st.integers(3, 40),
    st.floats(-np.pi, np.pi),
    st.floats(0.4, 2.5),
    st.sampled_from([1.0, 0.7, 0.2]),
)
def test_same_as_the_library(ny, nx, angle, scale, pixfrac):
    rng = np.random.default_rng(ny * nx)
    planes = rng.normal(1, 1, (2, ny, nx)).astype(np.float32)
    weight = rng.uniform(0, 2, (ny, nx)).astype(np.float32)
    weight[rng.uniform(size=(ny, nx)) < 0.1] = 0
    # the library leaves out corners at the far edges of the output: keep away from them
    # and shrinks pixels along the curved axes, which real distortion does not tell apart
    pixmap = skewed_map(ny, nx, angle, scale, 1e-5) + 60
    shape = (ny + 150, nx + 150)
    drop = Drop(pixfrac=pixfrac)
    sums, totals = drizzle_planes(planes, weight, pixmap, shape, drop)
    for plane in range(2):
        expected, expected_totals, _ = with_library(planes[plane], weight, pixmap, shape, drop)
        np.testing.assert_allclose(totals[plane], expected_totals, atol=2e-5)
        np.testing.assert_allclose(sums[plane], expected, atol=5e-5)


def test_all_weight_arrives():
    rng = np.random.default_rng(1)
    weight = rng.uniform(0, 1, (30, 40)).astype(np.float32)
    planes = rng.normal(size=(1, 30, 40)).astype(np.float32)
    pixmap = skewed_map(30, 40, 0.4, 1.3) + 30
    sums, totals = drizzle_planes(planes, weight, pixmap, (120, 120))
    assert totals.sum() == pytest.approx(weight.sum(dtype=float), rel=1e-9)
    assert sums.sum() == pytest.approx((planes[0].astype(float) * weight).sum(), rel=1e-9)


def test_identity():
    planes = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
    y, x = np.mgrid[0:3, 0:4].astype(float)
    weight = np.full((3, 4), 2, np.float32)
    sums, totals = drizzle_planes(planes, weight, np.stack([x, y], -1), (3, 4))
    np.testing.assert_allclose(sums, 2 * planes)
    np.testing.assert_allclose(totals, 2)


def test_pixels_beside_unknown_ones_are_kept():
    pixmap = skewed_map(10, 12, 0.3, 1.0) + 10
    weight = np.ones((10, 12), np.float32)
    whole = drizzle_planes(np.ones((1, 10, 12), np.float32), weight, pixmap, (40, 40))[1].sum()
    pixmap[:3] = np.nan
    weight[:3] = 0
    part = drizzle_planes(np.ones((1, 10, 12), np.float32), weight, pixmap, (40, 40))[1].sum()
    assert part == pytest.approx(whole * 0.7)


def test_plane_that_is_nan_somewhere():
    planes = np.ones((2, 6, 6), np.float32)
    planes[1, 2, 2] = np.nan
    pixmap = skewed_map(6, 6, 0.0, 1.0, 0.0)
    _, totals = drizzle_planes(planes, np.ones((6, 6), np.float32), pixmap, (6, 6))
    assert totals[0].sum() - totals[1].sum() == pytest.approx(1)


@pytest.mark.parametrize("kernel", ["gaussian", "point", "turbo", "lanczos3"])
def test_other_kernels_keep_a_constant(kernel):
    planes = np.full((1, 30, 30), 3, np.float32)
    pixmap = skewed_map(30, 30, 0.1, 1.0)
    weight = np.ones((30, 30), np.float32)
    sums, totals = drizzle_planes(planes, weight, pixmap, (30, 30), Drop(kernel))
    used = totals[0] > 0.1
    np.testing.assert_allclose(sums[0][used] / totals[0][used], 3, rtol=1e-5)


@pytest.mark.parametrize("angle", [0.0, 0.02, 0.5, 1.57, 2.5, np.pi])
@pytest.mark.parametrize(("scale", "pixfrac"), [(1.0, 1.0), (1.0, 0.6), (2.0, 1.0), (3.7, 1.0)])
@pytest.mark.parametrize("parity", [1, -1])
def test_every_way_of_cutting_keeps_the_area(angle, scale, pixfrac, parity):
    """Quarters, ninths and edges say the same as the library, turned and mirrored."""
    rng = np.random.default_rng(1)
    pixmap = skewed_map(24, 30, angle, scale, 1e-5)[:, ::parity] + 60
    weight = rng.uniform(0.5, 2, (24, 30)).astype(np.float32)
    weight[rng.uniform(size=weight.shape) < 0.1] = 0
    planes = rng.normal(1, 1, (1, 24, 30)).astype(np.float32)
    shape, drop = (220, 230), Drop(pixfrac=pixfrac)
    maps = PixelMap.from_array(np.ascontiguousarray(pixmap), shape)
    sums = np.zeros((2, *shape))
    add_planes(planes, weight, 0, maps, drop, (0, 0), sums)
    expected, totals, _ = with_library(planes[0], weight, pixmap, shape, drop)
    np.testing.assert_allclose(sums[0], totals, atol=3e-5)
    np.testing.assert_allclose(sums[1], expected, atol=1e-4)
    assert sums[0].sum() == pytest.approx(weight.sum(dtype=float), rel=1e-9)


@pytest.mark.parametrize("angle", [0.1, 0.7, 1.3, 1.57, 2.2, 3.1, -0.9, -1.6])
@pytest.mark.parametrize("parity", [1, -1])
def test_turned_images_are_the_same_in_any_bands(angle, parity):
    """Only pixels that reach a band are looked at, and their order doesn't depend on it."""
    rng = np.random.default_rng(2)
    pixmap = skewed_map(70, 90, angle, 1.0, 1e-4)[:, ::parity] + 30
    planes = rng.normal(1, 1, (2, 70, 90)).astype(np.float32)
    weight = rng.uniform(0.5, 2, (70, 90)).astype(np.float32)
    shape = (160, 170)
    maps = PixelMap.from_array(np.ascontiguousarray(pixmap), shape)

    def drizzled(height):
        out = np.zeros((3, *shape))
        for start in range(0, shape[0], height):
            rows = slice(start, min(shape[0], start + height))
            part = Part.of(maps, rows, Drop())
            for y, x in part.pieces if part else ():
                some = np.ascontiguousarray(planes[:, y, x])
                w = np.ascontiguousarray(weight[y, x])
                add_planes(some, w, y.start, maps, Drop(), (start, 0), out[:, rows], column=x.start)
        return out

    whole = drizzled(160)
    for height in (7, 40):
        np.testing.assert_array_equal(drizzled(height), whole)
    sums, totals = drizzle_planes(planes, weight, maps, shape)
    np.testing.assert_allclose(whole[0], totals[0], rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(whole[1:], sums, rtol=1e-9, atol=1e-13)
    assert maps.lie.turned == (abs(np.tan(angle)) > 2.5)


def test_window_of_an_image_beside_the_output():
    pixmap = skewed_map(5, 5, 0.0, 1.0, 0.0) + 1000
    assert PixelMap.from_array(pixmap, (20, 20)).reach() is None
    assert PixelMap.from_array(pixmap * np.nan, (20, 20)).reach() is None
    window = PixelMap.from_array(pixmap - 1000, (20, 20)).reach()
    assert window is not None
    assert (window.y0, window.x0) == (0, 0)
    assert window.y1 >= 5
    assert window.x1 >= 5
    assert Window(1, 3, 2, 6).shape == (2, 4)
