import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calwebb_core.framework import threads
from calwebb_core.framework.errors import InputError, ProcessingError
from calwebb_core.framework.exposures import Exposure
from calwebb_core.framework.metadata import Metadata
from calwebb_core.science import drizzling, weights
from calwebb_core.science.dq import DO_NOT_USE, JUMP_DET, NON_SCIENCE
from calwebb_core.science.drop_shapes import Drop, with_library
from calwebb_core.science.footprint import footprint, mean_pixel_area, polygon_area, s_region
from calwebb_core.science.output_grid import output_wcs
from calwebb_core.science.pixelmap import PixelMap, pixel_map
from calwebb_core.science.resample import Mosaic, good_mask, input_weight, render
from calwebb_core.science.resample_keywords import convex_hull

SHAPE = (80, 96)


def mosaic_of(*images, **options):
    grid = output_wcs(
        [image.wcs for image in images], [SHAPE] * len(images), reference=images[0].metadata
    )
    mosaic = Mosaic(grid, **options)
    for image in images:
        mosaic.add(image, pixel_map(image.wcs, grid, image.data.shape))
    return mosaic.finish(images[0].metadata)


def test_grid_keeps_the_detector_axes(subarray):
    wcs, metadata = subarray()
    for reference in (metadata, None):
        grid = output_wcs([wcs], [SHAPE], reference=reference)
        steps = np.array(grid.invert(*wcs([10.0, 11.0, 10.0], [10.0, 10.0, 11.0])))
        assert steps[:, 1] - steps[:, 0] == pytest.approx([1, 0], abs=0.02)
        assert steps[:, 2] - steps[:, 0] == pytest.approx([0, 1], abs=0.02)


def test_grid_holds_all_inputs(subarray):
    wcses = [subarray(x=x, y=y)[0] for x, y in ((1, 1), (300, 80), (60, 500))]
    grid = output_wcs(wcses, [SHAPE] * 3, reference=subarray()[1])
    nx, ny = grid.pixel_shape
    for wcs in wcses:
        x, y = grid.invert(*footprint(wcs, SHAPE).T, with_bounding_box=False)
        assert min(x.min(), y.min()) > -0.51
        assert x.max() < nx + 0.5
        assert y.max() < ny + 0.5


@pytest.mark.parametrize("angle", [0.0, 33.0, -120.0])
def test_rotation_is_the_position_angle_of_y(subarray, angle):
    wcs, metadata = subarray()
    grid = output_wcs([wcs], [SHAPE], reference=metadata, rotation=angle)
    ra, dec = grid([50.0, 50.0], [40.0, 41.0])
    east = (ra[1] - ra[0]) * np.cos(np.deg2rad(dec[0]))
    found = np.rad2deg(np.arctan2(east, dec[1] - dec[0]))
    assert found == pytest.approx(angle, abs=0.01)


def test_chosen_grid(subarray):
    wcs, metadata = subarray()
    grid = output_wcs(
        [wcs], [SHAPE], reference=metadata, pixel_scale=0.03, crval=(80.01, -69.51),
        crpix=(10.0, 12.0), output_shape=(40, 50),
    )  # fmt: skip
    assert grid.pixel_shape == (50, 40)
    assert grid(10.0, 12.0) == pytest.approx((80.01, -69.51))
    assert mean_pixel_area(grid, (40, 50)) == pytest.approx(np.deg2rad(0.03 / 3600) ** 2, rel=1e-6)


def test_pixel_scale_ratio(subarray):
    wcs, metadata = subarray()
    one = output_wcs([wcs], [SHAPE], reference=metadata)
    half = output_wcs([wcs], [SHAPE], reference=metadata, pixel_scale_ratio=0.5)
    assert half.pixel_shape[0] == pytest.approx(2 * one.pixel_shape[0], abs=2)


def test_absurd_union_names_the_exposure(subarray):
    wcses = [subarray()[0], subarray(x=650)[0], subarray(RA_REF=95.0)[0]]
    with pytest.raises(InputError, match=r"^far\.fits: the output image would be"):
        output_wcs(wcses, [SHAPE] * 3, names=["a.fits", "b.fits", "far.fits"])


@pytest.mark.parametrize("options", [{"pixel_scale": -1.0}, {"pixel_scale_ratio": 0.0}])
def test_impossible_scale(subarray, options):
    with pytest.raises(InputError, match="expected a positive number"):
        output_wcs([subarray()[0]], [SHAPE], **options)


def test_no_inputs():
    with pytest.raises(InputError, match="0 WCS and 0 shapes"):
        output_wcs([], [])


def test_empty_output(subarray):
    with pytest.raises(InputError, match="would have shape"):
        output_wcs([subarray()[0]], [SHAPE], pixel_scale=1000.0)


def test_surface_brightness_and_flux_are_kept(make_image):
    image = make_image(2.0)
    image.data[40, 50] += 1000
    result = mosaic_of(image)
    well = result.weight > 0.99 * np.nanmax(result.weight) * 0.9
    assert np.nanmedian(result.data[well]) == pytest.approx(2.0, rel=1e-6)
    out_area = mean_pixel_area(result.wcs, result.data.shape)
    in_area = mean_pixel_area(image.wcs, SHAPE)
    flux = np.nansum(np.where(well, result.data - 2.0, 0)) * out_area
    assert flux == pytest.approx(1000 * in_area, rel=2e-3)


def test_star_stays_where_it_is_on_the_sky(make_image):
    first, second = make_image(0.0), make_image(0.0, x=611, y=905)
    ra, dec = first.wcs(50.0, 40.0)
    for image in (first, second):
        x, y = image.wcs.invert(ra, dec)
        yy, xx = np.mgrid[0:80, 0:96]
        image.data += 100 * np.exp(-((xx - x) ** 2 + (yy - y) ** 2) / 8).astype(np.float32)
    result = mosaic_of(first, second)
    data = np.nan_to_num(result.data)
    yy, xx = np.mgrid[0 : data.shape[0], 0 : data.shape[1]]
    found = (data * xx).sum() / data.sum(), (data * yy).sum() / data.sum()
    assert found == pytest.approx(result.wcs.invert(ra, dec), abs=0.01)


def test_error_of_one_image(make_image):
    result = mosaic_of(make_image())
    inside = result.weight > 3.9
    assert result.err[inside] == pytest.approx(1.0, rel=2e-2)
    assert result.var_poisson[inside] == pytest.approx(0.5, rel=2e-2)


def test_errors_of_two_images_average_down(make_image):
    result = mosaic_of(make_image(), make_image())
    assert np.nanmedian(result.err) == pytest.approx(np.sqrt(0.5), rel=2e-2)
    assert np.nanmax(result.context) == 3


def test_weights_count_in_mean_and_error(make_image):
    first, second = make_image(1.0), make_image(4.0)
    second.var_rnoise *= 2
    result = mosaic_of(first, second)
    assert np.nanmedian(result.data) == pytest.approx(2.0, rel=1e-4)
    expected = (0.25 * 4 + 0.5 * 1) / 9
    assert np.nanmedian(result.var_rnoise) == pytest.approx(expected, rel=2e-2)


def test_order_of_inputs_does_not_matter(make_image):
    images = [make_image(seed=n, x=601 + 5 * n) for n in range(3)]
    grid = output_wcs([i.wcs for i in images], [SHAPE] * 3)
    results = []
    for order in itertools.permutations(images):
        mosaic = Mosaic(grid)
        for image in order:
            mosaic.add(image, pixel_map(image.wcs, grid, SHAPE))
        results.append(mosaic.finish(order[0].metadata).data)
    for other in results[1:]:
        np.testing.assert_allclose(other, results[0], rtol=1e-4, atol=1e-5)


def test_sky_is_subtracted(make_image):
    image = make_image(5.0)
    grid = output_wcs([image.wcs], [SHAPE])
    mosaic = Mosaic(grid)
    mosaic.add(image, pixel_map(image.wcs, grid, SHAPE), sky=3.0)
    assert np.nanmedian(mosaic.finish(image.metadata).data) == pytest.approx(2.0)
    assert np.all(image.data == 5.0)


def test_bad_pixels_leave_no_trace(make_image):
    image = make_image(1.0)
    image.data[10:30, 10:30] = 1e9
    image.dq[10:30, 10:30] = DO_NOT_USE
    image.data[50, 50] = np.nan
    result = mosaic_of(image)
    assert np.nanmax(result.data) == pytest.approx(1.0, rel=1e-6)
    assert np.isnan(result.data[18:22, 18:22]).all()
    assert np.isnan(result.err[18:22, 18:22]).all()


def test_fill_value(make_image):
    image = make_image(1.0)
    image.dq[10:30, 10:30] = DO_NOT_USE
    assert (mosaic_of(image, fillval=-7.0).data[18:22, 18:22] == -7).all()


def test_more_than_32_images_take_a_second_plane(make_image):
    image = make_image()
    grid = output_wcs([image.wcs], [SHAPE])
    pixmap = pixel_map(image.wcs, grid, SHAPE)
    mosaic = Mosaic(grid, enable_err=False, report_var=False)
    for _ in range(33):
        mosaic.add(image, pixmap)
    context = mosaic.finish(image.metadata).context
    assert context.dtype == np.uint32
    assert context.shape[0] == 2
    assert context[0].max() == 0xFFFFFFFF
    assert context[1].max() == 1


PLANES = ("data", "err", "weight", "context", "dq", "var_poisson", "var_rnoise", "var_flat")


def dithered(make_image, number=4):
    """Return noisy images with flags, gaps and unlike variances, turned against one another."""
    images = []
    for n in range(number):
        image = make_image(2.0, seed=n, x=601 + 7 * n, y=901 - 5 * n, ROLL_REF=120.0 + 20 * n)
        rng = np.random.default_rng(100 + n)
        image.dq[rng.uniform(size=SHAPE) < 0.02] = DO_NOT_USE
        image.dq[rng.uniform(size=SHAPE) < 0.02] = JUMP_DET
        image.var_rnoise *= rng.uniform(0.5, 2, SHAPE).astype(np.float32)
        if n == 1:
            image.var_poisson[20:23, 30] = np.nan, -1.0, np.inf
        images.append(image)
    return images


def assert_same(first, second, names=PLANES):
    for name in names:
        np.testing.assert_array_equal(getattr(first, name), getattr(second, name), name)


@pytest.mark.parametrize("kernel", ["square", "point"])
def test_same_bits_in_bands_and_threads(make_image, monkeypatch, kernel):
    images = dithered(make_image)
    metadata = images[0].metadata
    grid = output_wcs([i.wcs for i in images], [SHAPE] * 4, reference=metadata)
    maps = [PixelMap.of(i.wcs, grid, SHAPE) for i in images]
    options = {"kernel": kernel, "propagate_dq": True}
    monkeypatch.setattr(threads, "_wanted", [1])
    whole = render(images, maps, grid, metadata, **options)
    monkeypatch.setattr(drizzling, "BAND_BYTES", 1)
    if kernel == "square":
        # the library adds up in single precision, so that its sums depend on the chunks
        monkeypatch.setattr(weights, "CHUNK_BYTES", 1)
    for number in (1, 3):
        monkeypatch.setattr(threads, "_wanted", [number])
        assert len(drizzling.bands(whole.data.shape)) > 5
        assert_same(whole, render(images, maps, grid, metadata, **options))


def test_a_band_is_what_the_whole_has_there(make_image):
    images = dithered(make_image)
    grid = output_wcs([i.wcs for i in images], [SHAPE] * 4, reference=images[0].metadata)
    maps = [PixelMap.of(i.wcs, grid, SHAPE) for i in images]
    whole = render(images, maps, grid, images[0].metadata)
    rows = slice(31, 64)
    mosaic = Mosaic(grid, rows=rows, nimages=4)
    for image, pixmap in zip(images, maps, strict=True):
        mosaic.add(Exposure.of(image), pixmap)
    planes = mosaic.planes()
    assert set(planes) == set(PLANES) - {"dq"}
    for name, values in planes.items():
        np.testing.assert_array_equal(values, getattr(whole, name)[..., rows, :], name)


def test_planes_that_have_gaps_of_their_own(make_image):
    image = make_image()
    image.var_flat[:] = np.nan
    image.var_poisson[40, 50] = np.nan
    result = mosaic_of(image, make_image(x=603))
    assert np.isfinite(result.var_poisson[result.weight > 3.9]).all()
    alone = mosaic_of(image)
    inside = alone.weight > 3.9
    assert np.isnan(alone.var_flat).all()
    assert np.nanmedian(alone.err[inside]) == pytest.approx(np.sqrt(0.75), rel=2e-2)


def test_planes_that_are_not_wanted(make_image):
    image = make_image()
    full = mosaic_of(image)
    bare = mosaic_of(image, enable_ctx=False, enable_err=False, report_var=False)
    assert_same(full, bare, ("data", "weight"))
    assert bare.context is None
    assert bare.err is None
    assert bare.var_flat is None
    assert_same(full, mosaic_of(image, report_var=False), ("data", "err", "context"))
    assert mosaic_of(image, report_var=False).var_rnoise is None
    assert_same(full, mosaic_of(image, enable_err=False), ("data", "var_flat", "context"))


def test_flags_of_the_pixels_that_count(make_image):
    image = make_image()
    image.dq[40, 50] = JUMP_DET
    image.dq[42, 50] = JUMP_DET | DO_NOT_USE
    second = make_image()
    second.dq[40, 51] = 8
    grid = output_wcs([image.wcs], [SHAPE], reference=image.metadata)
    maps = [PixelMap.of(image.wcs, grid, SHAPE)] * 2
    for kernel in ("square", "turbo"):
        options = {"propagate_dq": True, "kernel": kernel}
        flags = render([image, second], maps, grid, image.metadata, **options).dq
        assert flags.dtype == np.uint32
        y, x = np.nonzero(flags & JUMP_DET)
        at = maps[0].rows(40, 41)[0, 50]
        assert np.abs(x - at[0]).max() <= 1.1
        assert np.abs(y - at[1]).max() <= 1.1
        assert np.bitwise_or.reduce(flags, axis=None) == JUMP_DET | 8


def test_flags_are_those_of_the_library(make_image):
    image = dithered(make_image, 1)[0]
    grid = output_wcs([image.wcs], [SHAPE], reference=image.metadata, rotation=33.0)
    pixmap = PixelMap.of(image.wcs, grid, SHAPE)
    found = render([image], [pixmap], grid, image.metadata, propagate_dq=True)
    drop, weight = Drop(), input_weight(image)
    local = pixmap.rows(0, SHAPE[0])
    shape = found.data.shape
    flags = with_library(image.data, weight, local, shape, drop, image.dq)[2]
    # rounding decides at single points, and the library leaves out corners at far edges
    assert np.count_nonzero(flags[2:-2, 2:-2] != found.dq[2:-2, 2:-2]) < 5


def test_without_weights_all_pixels_are_equal(make_image):
    first, second = make_image(1.0), make_image(4.0)
    second.var_rnoise *= 2
    second.dq[30:40, 30:40] = DO_NOT_USE
    result = mosaic_of(first, second, weight_type=None)
    assert np.nanmedian(result.data) == pytest.approx(2.5, rel=1e-6)
    assert np.nanmax(result.weight) == pytest.approx(2, rel=2e-2)
    assert result.data[35, 35] == pytest.approx(1.0)
    assert "RESWHT" not in result.metadata


def test_a_mosaic_of_exposures_beside_a_band(make_image):
    image, far = make_image(), make_image(x=1200)
    grid = output_wcs([image.wcs], [SHAPE], reference=image.metadata)
    mosaic = Mosaic(grid, nimages=2)
    mosaic.add(far, PixelMap.of(far.wcs, grid, SHAPE))
    mosaic.add(image, PixelMap.of(image.wcs, grid, SHAPE))
    result = mosaic.finish(image.metadata)
    assert set(np.unique(result.context)) == {0, 2}


def test_more_images_than_announced(make_image):
    image = make_image()
    grid = output_wcs([image.wcs], [SHAPE], reference=image.metadata)
    maps = [PixelMap.of(image.wcs, grid, SHAPE)] * 34
    mosaic = Mosaic(grid, nimages=33, rows=slice(10, 20))
    for pixmap in maps:
        mosaic.add(image, pixmap)
    assert mosaic.planes()["context"].shape == (2, 10, grid.pixel_shape[0])


def test_a_layer_is_what_a_mosaic_without_errors_is(make_image):
    images = dithered(make_image)
    grid = output_wcs([i.wcs for i in images], [SHAPE] * 4, reference=images[0].metadata)
    maps = [PixelMap.of(i.wcs, grid, SHAPE) for i in images]
    levels = [0.0, 1.0, 2.0, 3.0]
    whole = render(images, maps, grid, images[0].metadata, levels=levels)
    exposures = [Exposure.of(image) for image in images]
    for rows in (slice(0, 50), slice(50, 61)):
        layer, weight = drizzling.drizzle_layer(exposures, maps, levels, rows)
        np.testing.assert_allclose(layer, whole.data[rows], rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(weight, whole.weight[rows], rtol=1e-6)


def test_typical_weight(make_image):
    image = make_image()
    image.dq[:40] = DO_NOT_USE
    pixmap = PixelMap.of(image.wcs, output_wcs([image.wcs], [SHAPE]), SHAPE)
    assert weights.typical_weight([Exposure.of(image)], [pixmap]) == pytest.approx(4)
    image.dq[:] = DO_NOT_USE
    assert weights.typical_weight([Exposure.of(image)], [pixmap]) == np.inf


def test_weights_outside_of_numbers(make_image):
    image = make_image()
    image.var_rnoise[5, 5], image.data[6, 6] = 1e-45, np.inf
    weight = input_weight(image)
    assert weight[5, 5] == 0
    assert weight[6, 6] == 0


def test_exposure_keywords(make_image):
    first, second, third = make_image(), make_image(), make_image()
    for number, image in enumerate((first, second, third)):
        image.metadata.update(
            {"PROGRAM": "1", "EXPOSURE": str(number // 2), "EXPSTART": 60000.0 + number,
             "EXPEND": 60000.5 + number}
        )  # fmt: skip
    found = mosaic_of(first, second, third).metadata
    assert found["NDRIZ"] == 2  # the first two are detectors of one exposure
    assert found["XPOSURE"] == 200.0
    assert (found["EXPSTART"], found["EXPEND"]) == (60000.0, 60002.5)
    assert found["RESWHT"] == "ivm"
    assert "V2_REF" not in found
    assert "V2_REF" in first.metadata


def test_header_is_the_grid(make_image):
    from astropy.io import fits
    from astropy.wcs import WCS

    result = mosaic_of(make_image())
    keys = ("CRPIX", "CRVAL", "CDELT", "CTYPE", "CUNIT", "PC")
    header = {k: v for k, v in result.metadata.items() if k.startswith(keys)}
    ra, dec = WCS(fits.Header(header)).all_pix2world(12.0, 34.0, 0)
    assert result.wcs(12.0, 34.0) == pytest.approx((float(ra), float(dec)), abs=1e-11)


@pytest.mark.parametrize(
    ("change", "message"),
    [({"pixfrac": 2.0}, "pixfrac is 2.0"), ({"kernel": "round"}, "kernel is 'round'")],
)
def test_options_are_checked(subarray, change, message):
    grid = output_wcs([subarray()[0]], [SHAPE])
    with pytest.raises(InputError, match=message):
        Mosaic(grid, **change)


def test_nothing_added(subarray):
    with pytest.raises(InputError, match="no image was added"):
        Mosaic(output_wcs([subarray()[0]], [SHAPE])).finish(Metadata())


def test_pixel_map_of_another_shape(make_image):
    image = make_image()
    mosaic = Mosaic(output_wcs([image.wcs], [SHAPE]))
    with pytest.raises(InputError, match="pixel map has shape"):
        mosaic.add(image, np.zeros((3, 3, 2)))


def test_weights(make_image):
    image = make_image()
    image.dq[0, :3] = DO_NOT_USE, NON_SCIENCE, JUMP_DET
    image.var_rnoise[1, :3] = 0, np.nan, 0.5
    weight = input_weight(image)
    assert list(weight[0, :4]) == [0, 0, 4, 4]
    assert list(weight[1, :4]) == [0, 0, 2, 4]
    image.metadata["TMEASURE"] = 90.0
    assert list(input_weight(image, "exptime")[0, :3]) == [0, 0, 90]
    with pytest.raises(InputError, match="weight_type is 'other'"):
        input_weight(image, "other")


def test_cubes_are_refused(make_image):
    image = make_image()
    image.data = image.data[None]
    with pytest.raises(InputError, match="SCI has 3 axes"):
        input_weight(image)


def test_unknown_flag():
    with pytest.raises(InputError, match="good_bits is 'NONSENSE'"):
        good_mask(np.zeros(1, np.uint32), "NONSENSE")


def test_good_bits_as_number():
    assert list(good_mask(np.array([0, 1, 4, 5], np.uint32), 4)) == [True, False, True, False]


def test_area_of_an_octant():
    assert polygon_area(np.eye(3)) == pytest.approx(np.pi / 2)


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(-9, 9), st.integers(-9, 9)), min_size=3, max_size=20))
def test_hull_holds_all_points(points):
    points = np.array(points, float)
    if np.linalg.matrix_rank(points - points[0]) < 2:
        return
    hull = points[convex_hull(points)]
    edges = np.roll(hull, -1, axis=0) - hull
    for edge, corner in zip(edges, hull, strict=True):
        offset = points - corner
        assert np.all(edge[0] * offset[:, 1] - edge[1] * offset[:, 0] >= -1e-9)


def test_two_points_have_no_hull():
    with pytest.raises(InputError, match="2 points have no hull"):
        convex_hull(np.zeros((2, 2)))


def test_region_without_positions(subarray):
    class Nowhere:
        bounding_box = None

        def __call__(self, x, y, **_):
            return np.asarray(x) * np.nan, y

    with pytest.raises(ProcessingError, match="no sky position"):
        s_region(Nowhere(), SHAPE)
