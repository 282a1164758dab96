"""The star's brightness along time: its depth, its noise, and what unusable pixels cost."""

import numpy as np
import pytest

from calwebb_core.framework.catalogs import read_catalog
from calwebb_core.framework.errors import InputError
from calwebb_core.science.dq import DO_NOT_USE
from calwebb_level3.timeseries.centroids import centre_of_light, width_and_flux
from calwebb_level3.timeseries.checks import make_series
from calwebb_level3.timeseries.photometry import Aperture, Frames, fill_frames, sums
from calwebb_level3.timeseries.series import Segment
from calwebb_level3.timeseries.steps.tso_photometry import TsoPhotometryParameters, run

from .star import star, write_members, write_segments


def measured(paths, **options):
    series = make_series([Segment.open(path) for path in paths], product="x")
    series, status = run(series, None, TsoPhotometryParameters(**options))
    assert status.word == "COMPLETE"
    return series.photometry


def test_a_transit_of_known_depth(tmp_path):
    from calwebb_level3.tso3 import run as tso3

    images = star(nints=80, side=32, peak=1e7, drift=0.01, depth=0.02)
    paths = write_segments(tmp_path, images, (20, 50))
    out = tmp_path / "out"
    result = tso3(write_members(tmp_path, paths), output_dir=out)
    assert [path.name.rpartition("_")[2] for path in result.outputs] == [
        "crfints.fits", "crfints.fits", "crfints.fits", "phot.ecsv",
    ]  # fmt: skip
    table = read_catalog(result.outputs[-1])
    assert len(table) == 80
    flux, error = table["net_aperture_sum"].value, table["net_aperture_sum_err"].value
    eclipsed = images.depth < 1
    depth = 1 - flux[eclipsed].mean() / flux[~eclipsed].mean()
    noise = np.hypot(
        error[eclipsed].mean() / eclipsed.sum() ** 0.5,
        error[~eclipsed].mean() / (~eclipsed).sum() ** 0.5,
    )
    assert abs(depth - 0.02) < 4 * noise / flux.mean()
    scatter = np.std(flux[~eclipsed]) / flux.mean()
    assert scatter < 2.0 * error.mean() / flux.mean()
    assert table["MJD"][0] == pytest.approx(59700.0011)
    assert table["BJD_TDB"][0] == pytest.approx(59700.0014)
    assert table.meta["target_name"] is None


def test_a_missing_pixel_does_not_dim_the_star(tmp_path):
    images = star(nints=20, side=32, drift=0.0, depth=0.0)
    before = measured(write_segments(tmp_path, images))
    images.data[4, 16, 15] = np.nan
    dq = images.dq
    dq[4, 16, 15] = DO_NOT_USE
    dq[9, 15, 16] = DO_NOT_USE
    paths = write_segments(tmp_path, images, dq=dq)
    filled, plain = measured(paths), measured(paths, fill=False)
    error = before["net_aperture_sum_err"].value
    change = (filled["net_aperture_sum"] - before["net_aperture_sum"]).value / error
    assert np.all(np.abs(change[[4, 9]]) < 3)
    assert np.all(np.abs(np.delete(change, [4, 9])) < 0.1)
    assert np.all(filled["net_aperture_sum_err"].value[[4, 9]] > error[[4, 9]])
    lost = 1 - (plain["net_aperture_sum"] / before["net_aperture_sum"]).value
    assert np.all(lost[[4, 9]] > 0.03)


def test_detectors_are_rows_of_one_table(tmp_path):
    """NIRCam's short channel beside a grism: two detectors, of which one may miss the star."""
    images = star(nints=12, side=32, drift=0.0, depth=0.0)
    one = write_segments(tmp_path, images, (5,))
    other = write_segments(tmp_path, images, (5,), DETECTOR="NRCA3")
    table, alone = measured([*other, *one]), measured(one)
    assert table["detector"].tolist() == ["NRCA3"] * 12 + ["NRCA1"] * 12
    assert "detector" not in alone.colnames
    flux = alone["net_aperture_sum"].value
    np.testing.assert_array_equal(table["net_aperture_sum"].value, np.concatenate([flux, flux]))


def test_a_detector_without_the_star_is_left_out(tmp_path, caplog):
    images = star(nints=12, side=32, drift=0.0, depth=0.0)
    one = write_segments(tmp_path, images)
    other = write_segments(tmp_path, images, DETECTOR="NRCA3", XREF_SCI=-70.0)
    table = measured([*other, *one])
    assert len(table) == 12
    assert "is not in the image; detector NRCA3 is left out" in caplog.text
    with pytest.raises(InputError, match="expected a place in the image of 32 x 32"):
        measured(other)


def test_moving_apertures_follow_the_star(tmp_path):
    images = star(nints=30, side=32, drift=1.0, depth=0.0)
    paths = write_segments(tmp_path, images, (11,))
    still, moving = measured(paths), measured(paths, moving_centroid=True)
    assert np.unique(still["aperture_x"].value).size == 1
    np.testing.assert_allclose(moving["aperture_x"].value, images.x, atol=0.03)
    np.testing.assert_allclose(moving["aperture_y"].value, images.y, atol=0.03)
    wobble = [np.std(t["net_aperture_sum"].value) for t in (still, moving)]
    assert wobble[1] < 0.2 * wobble[0]
    np.testing.assert_allclose(moving["psf_width_x"].value, 1.3, atol=0.02)
    np.testing.assert_allclose(moving["psf_width_y"].value, 1.2, atol=0.02)


def test_the_planned_place_is_taken_as_it_is(tmp_path):
    table = measured(
        write_segments(tmp_path, star(nints=4, side=24)), centroid_source=False, radius=2.0
    )
    assert set(table["aperture_x"].value) == {11.5}
    assert "centroid_x" not in table.colnames
    assert np.all(np.isfinite(table["aperture_ra_icrs"].value))


def test_sums_of_a_flat_image():
    data = np.full((1, 15, 15), 2.0)
    frames = Frames(data, np.ones_like(data), np.zeros(data.shape, bool), 10, 20)
    found = sums(frames, np.array([17.0]), np.array([27.0]), Aperture(3, 4, 5))
    assert found["aperture_sum"][0] == pytest.approx(2 * np.pi * 9)
    assert found["annulus_mean"][0] == pytest.approx(2)
    assert found["net_aperture_sum"][0] == pytest.approx(0, abs=1e-9)
    assert found["aperture_sum_err"][0] == pytest.approx(np.sqrt(np.pi * 9))
    nothing = Frames(data * np.nan, data, np.zeros(data.shape, bool), 10, 20)
    assert np.isnan(
        sums(nothing, np.array([17.0]), np.array([27.0]), Aperture(3, 4, 5))["aperture_sum"]
    )


def test_a_pixel_that_is_never_known_stays_unknown():
    data = np.ones((3, 4, 4))
    data[:, 1, 1] = np.nan
    frames = fill_frames(data, np.ones_like(data), np.ones((4, 4), bool))
    assert np.all(np.isnan(frames.data[:, 1, 1]))
    assert not frames.filled.any()


def test_no_light_has_no_centre():
    assert np.all(np.isnan(centre_of_light(np.zeros((9, 9)), (4.0, 4.0), 5, 2.0)))
    assert np.all(np.isnan(centre_of_light(np.ones((9, 9)), (np.nan, 4.0), 5, 2.0)))
    assert np.all(np.isnan(width_and_flux(np.ones((9, 9)), (np.nan, 4.0), 5, 2.0)))


@pytest.mark.parametrize(
    ("keywords", "options", "text"),
    [
        ({}, {"radius_inner": 6.0}, "expected a circle and a ring of some width"),
        ({"XREF_SCI": 99.0}, {}, "expected a place in the image of 8 x 8 pixels"),
        ({"PIXAR_SR": 0.0}, {}, "expected a positive solid angle"),
        ({"BUNIT": "MJy"}, {}, "BUNIT is MJy; expected MJy/sr"),
        ({"XREF_SCI": None}, {}, "keyword XREF_SCI is missing"),
    ],
)
def test_what_cannot_be_measured_is_refused(tmp_path, keywords, options, text):
    paths = write_segments(tmp_path, star(nints=3, side=8), **keywords)
    with pytest.raises(InputError, match=text):
        measured(paths, **options)
