"""The mosaic: flux, grid options, keywords of all exposures."""

import asdf
import numpy as np
import pytest

from calwebb_core.framework.errors import InputError
from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.planes import FilePlane, Store
from calwebb_level3.image3 import resample_on_grid
from calwebb_level3.imageset import make_set
from calwebb_level3.imaging import mosaicking
from calwebb_level3.imaging.blending import blend, column, header_table
from calwebb_level3.imaging.geometry import Geometry
from calwebb_level3.steps.resample import ResampleParameters, fill_value, grid_of, numbers, run

from .scene import SCALE, dithered, metadata, star_field

ONE_STAR = (np.array([80.0]), np.array([-69.5]), np.array([3000.0]))


def mosaic(parameters=None, **keywords):
    images = make_set(dithered(ONE_STAR, **keywords), product="p")
    _, status = run(images, None, parameters or ResampleParameters())
    assert status.word == "COMPLETE"
    return images.mosaic.image()


def test_flux_and_position_are_kept():
    result = mosaic()
    x, y = result.wcs.invert(80.0, -69.5, with_bounding_box=False)
    yy, xx = np.mgrid[: result.data.shape[0], : result.data.shape[1]]
    near = np.hypot(xx - x, yy - y) < 12
    area = result.metadata["PIXAR_SR"] / (SCALE / 206264.806) ** 2
    assert result.data[near].sum() * area == pytest.approx(3000.0 + near.sum() * 1.0, rel=0.01)
    assert result.weight.shape == result.data.shape
    assert result.context.max() == 0b1111


def test_sky_levels_are_subtracted():
    exposures = dithered(ONE_STAR, skies=[1.0, 5.0, 2.0, 9.0])
    for image, level in zip(exposures, [0.0, 4.0, 1.0, 8.0], strict=True):
        image.metadata["BKGLEVEL"], image.metadata["BKGSUB"] = level, False
    images = make_set(exposures, product="p")
    run(images, None, ResampleParameters())
    assert np.nanmedian(images.mosaic.plane("data")) == pytest.approx(1.0, abs=0.02)


def test_grid_options():
    images = make_set(dithered(ONE_STAR), product="p")
    wide = grid_of(images, ResampleParameters(pixel_scale_ratio=2.0))
    assert wide.pixel_shape[0] == pytest.approx(grid_of(images).pixel_shape[0] / 2, abs=1)
    fixed = ResampleParameters(
        pixel_scale=0.05, rotation=0.0, output_shape="120 90", crval="80.0 -69.5", crpix="60 45"
    )
    grid = grid_of(images, fixed)
    assert grid.pixel_shape == (120, 90)
    ra, dec = grid(60.0, 45.0)
    assert (ra, dec) == pytest.approx((80.0, -69.5))
    assert grid(60.0, 46.0)[1] - dec == pytest.approx(0.05 / 3600, rel=1e-4)


def test_fill_value_and_exposure_time_weights():
    result = mosaic(ResampleParameters(fillval="0", weight_type="exptime", rotation=0.0))
    assert result.data[0, 0] == 0
    assert result.metadata["RESWHT"] == "exptime"
    assert np.isnan(fill_value("nan"))


def test_bad_options_are_refused():
    with pytest.raises(InputError, match=r"resample\.crpix is '1'; expected two numbers"):
        numbers("1", "crpix", float)
    with pytest.raises(InputError, match=r"resample\.fillval is 'x'; expected a number or NAN"):
        fill_value("x")


def test_an_exposure_far_away_is_refused_by_name():
    exposures = dithered(star_field(3), 2)
    exposures += dithered(star_field(3), 1, ra=81.0)
    images = make_set(exposures, product="p")
    with pytest.raises(InputError, match=r"nrca1_cal\.fits: the output image would be"):
        run(images, None, ResampleParameters())


def test_keywords_are_blended():
    result = mosaic().metadata
    assert result["DATE-BEG"] == "2022-06-03T16:01:32.472"
    assert result["DATE-END"] == "2022-06-03T16:05:32.472"
    assert result["EXPSTART"] == pytest.approx(59700.01)
    assert result["EXPEND"] == pytest.approx(59700.045)
    assert result["XPOSURE"] == 400.0
    assert result["DETECTOR"] == "NRCA1"


def test_several_detectors_are_said():
    inputs = [metadata(detector="NRCA1"), metadata(detector="NRCB2", MODULE="B")]
    result, table = blend(inputs, inputs[0])
    assert result["DETECTOR"] == result["MODULE"] == "MULTIPLE"
    assert list(table.data["DETECTOR"]) == [b"NRCA1", b"NRCB2"]
    assert inputs[0]["DETECTOR"] == "NRCA1"


def test_header_table_has_a_row_for_each_exposure():
    table = mosaic().tables["HDRTAB"]
    assert len(table.data) == 4
    assert list(table.data["EXPOSURE"]) == [b"1", b"2", b"3", b"4"]
    assert table.data["XPOSURE"].dtype == np.float64


def test_columns_of_missing_and_mixed_values():
    first = Metadata({"A": 1, "B": True, "C": "x", "D": 1.5, "E": 3})
    second = Metadata({"A": 2, "B": False, "C": None, "D": None, "E": "y", "F": 1})
    data = header_table([first, second]).data
    assert data["A"].dtype == np.int64
    assert data["B"].dtype == bool
    assert list(data["C"]) == [b"x", b""]
    assert np.isnan(data["D"][1])
    assert list(data["E"]) == [b"3", b"y"]
    assert np.isnan(data["F"][0])
    assert column([None, None]) is None


def test_the_bytes_do_not_depend_on_bands_threads_or_the_store(monkeypatch, tmp_path):
    made = []
    for pixels, memory in ((1 << 30, 1 << 30), (240 * 17, 0)):
        images = make_set(dithered(ONE_STAR), product="p")
        images.store = Store(tmp_path, memory)
        monkeypatch.setattr(
            mosaicking, "bands",
            lambda shape, n=pixels: [
                slice(y, min(shape[0], y + max(1, n // shape[1])))
                for y in range(0, shape[0], max(1, n // shape[1]))
            ],
        )  # fmt: skip
        run(images, None, ResampleParameters(propagate_dq=True))
        made.append(images.mosaic)
    assert isinstance(made[1].planes["data"], FilePlane)
    for name in ("data", "err", "weight", "context", "var_poisson", "var_rnoise", "dq"):
        first, second = (mosaic.plane(name) for mosaic in made)
        np.testing.assert_array_equal(first, second, err_msg=name)


def test_planes_that_are_not_wanted_are_left_out():
    unwanted = ResampleParameters(enable_ctx=False, enable_err=False, report_var=False)
    assert list(mosaic_planes(unwanted)) == ["data", "weight"]
    assert "var_rnoise" in mosaic_planes(ResampleParameters(enable_err=False))
    assert "var_rnoise" not in mosaic_planes(ResampleParameters(report_var=False))
    assert "err" in mosaic_planes(ResampleParameters(report_var=False))


def mosaic_planes(parameters):
    images = make_set(dithered(ONE_STAR), product="p")
    run(images, None, parameters)
    assert bool(images.mosaic.context) == parameters.enable_ctx
    return images.mosaic.planes


def test_errors_do_not_depend_on_the_nominal_pixel_area():
    # that of the middle of the detector, where a subarray need not lie
    nominal = dithered(ONE_STAR)
    for image in nominal:
        image.metadata["PIXAR_SR"] *= 1.05
    for wanted, ratio in (({}, 1.0), ({"pixel_scale": 2 * SCALE}, 2.0)):
        images = make_set(nominal, product="p")
        run(images, None, ResampleParameters(**wanted))
        expected = mosaic(ResampleParameters(**wanted))
        np.testing.assert_array_equal(images.mosaic.plane("err"), expected.err)
        assert images.mosaic.metadata["PXSCLRT"] == pytest.approx(ratio, rel=1e-4)


def test_a_changed_wcs_gives_another_grid():
    images = make_set(dithered(ONE_STAR), product="p")
    first = grid_of(images)
    assert grid_of(images) is first
    maps = images.geometry.maps(images.exposures, first)
    assert images.geometry.maps(images.exposures, first) is maps
    images.exposures[1].wcs = dithered(ONE_STAR)[1].wcs
    assert grid_of(images) is not first
    assert images.geometry.maps(images.exposures, first) is not maps


def test_a_grid_of_the_users_own(tmp_path):
    images = make_set(dithered(ONE_STAR), product="p")
    run(images, None, ResampleParameters(pixel_scale=0.05, rotation=10.0))
    first = images.mosaic
    path = tmp_path / "grid.asdf"
    asdf.AsdfFile({"wcs": first.wcs.gwcs()}).write_to(path)
    images.geometry = Geometry()
    resample_on_grid(images, None, ResampleParameters(output_wcs=str(path)))
    assert images.mosaic.shape == first.shape
    np.testing.assert_array_equal(images.mosaic.plane("data"), first.plane("data"))
    path.write_text("no ASDF")
    with pytest.raises(InputError, match=r"grid\.asdf: output_wcs can't be read as ASDF"):
        resample_on_grid(images, None, ResampleParameters(output_wcs=str(path)))
