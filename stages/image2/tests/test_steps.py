"""Each step on its own, with references in memory."""

import numpy as np
import pytest

from calwebb_core.framework.errors import InputError, ReferenceFileError
from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.references import References
from calwebb_image2.calibrated import Calibrated
from calwebb_image2.modes import ENGINEERING, SCIENCE, exposure_type
from calwebb_image2.pipeline import select
from calwebb_image2.steps import assign_wcs, bkg_subtract, flat_field, photom, resample


def run(step, image, references, **options):
    return step.STEP.run(image, references, step.STEP.parameters(**options))


def test_assign_wcs_header(rate, references):
    image, status = run(assign_wcs, rate, references)
    assert str(status) == "COMPLETE"
    assert image.metadata["CTYPE1"] == "RA---TAN-SIP"
    assert image.metadata["S_REGION"].startswith("POLYGON ICRS")
    assert image.wcs.available_frames[-1] == "world"


def test_assign_wcs_without_sip(rate, references):
    image, _ = run(assign_wcs, rate, references, sip_approx=False)
    assert "CTYPE1" not in image.metadata


def test_sip_that_does_not_fit_is_left_out(rate, references, caplog):
    image, _ = run(assign_wcs, rate, references, sip_max_pix_error=1e-15)
    assert "no SIP keywords are written" in caplog.text
    assert "A_ORDER" not in image.metadata
    assert image.wcs is not None


def test_filter_offset_is_used(rate, reference_files):
    with_offset = References({}).with_overrides(reference_files)
    without = with_offset.with_overrides({"filteroffset": "N/A"})
    moved, _ = run(assign_wcs, rate, with_offset)
    here = moved.wcs(10.0, 10.0)
    plain, _ = run(assign_wcs, rate, without)
    assert plain.wcs(10.25, 9.6) == pytest.approx(here, abs=1e-12)


def test_distortion_is_needed(rate, references):
    missing = references.with_overrides({"distortion": "N/A"})
    with pytest.raises(ReferenceFileError, match="the distortion reference is N/A"):
        run(assign_wcs, rate, missing)


def test_flat_warns_of_lost_pixels(rate, references, caplog):
    _, status = run(flat_field, rate, references)
    assert str(status) == "COMPLETE"
    assert "3 pixels have no flat value" in caplog.text


def test_flat_may_be_absent(rate, references):
    before = rate.data.copy()
    _, status = run(flat_field, rate, references.with_overrides({"flat": "N/A"}))
    assert str(status) == "SKIPPED: the flat reference is N/A"
    np.testing.assert_array_equal(rate.data, before)


def test_flat_without_sci(rate):
    with pytest.raises(ReferenceFileError, match="has no SCI array"):
        run(flat_field, rate, References.of(flat={"OTHER": np.ones((2, 2))}))


def test_flat_of_another_shape(rate):
    with pytest.raises(ReferenceFileError, match="shape"):
        run(flat_field, rate, References.of(flat={"SCI": np.ones((3, 3))}))


def test_photom_keywords(rate, references):
    image, _ = run(photom, rate, references)
    assert image.metadata["BUNIT"] == "MJy/sr"
    expected = 0.42 / (1 - 0.05 * (60065.501 - 59800) / 365)
    assert image.metadata["PHOTMJSR"] == pytest.approx(expected, rel=1e-6)
    assert image.metadata["PIXAR_SR"] == pytest.approx(9.31e-14)
    assert image.area.shape == image.data.shape


def test_area_is_cut_to_the_subarray(rate, references):
    image, _ = run(photom, rate, references)
    assert image.area[0, 0] == pytest.approx(1 + 1e-5 * (600 - 1024) - 5e-6 * (900 - 1024))


def test_pixel_area_from_the_wcs(rate, references):
    run(assign_wcs, rate, references)
    image, _ = run(photom, rate, references.with_overrides({"area": "N/A"}))
    assert image.area is None
    assert image.metadata["PIXAR_A2"] == pytest.approx(0.0628 * 0.0631, rel=0.01)


def test_no_pixel_area_anywhere(rate, references):
    with pytest.raises(ReferenceFileError, match="neither AREA nor PHOTOM reference has PIXAR_SR"):
        run(photom, rate, references.with_overrides({"area": "N/A"}))


def test_science_needs_photom(rate, references):
    with pytest.raises(ReferenceFileError, match="the product would stay in DN/s"):
        run(photom, rate, references.with_overrides({"photom": "N/A"}))


def test_acquisition_needs_no_photom(rate, references):
    rate.metadata["EXP_TYPE"] = "NRC_TACQ"
    _, status = run(photom, rate, references.with_overrides({"photom": "N/A"}))
    assert str(status) == "SKIPPED: the photom reference is N/A"


def test_missing_filter(rate, references):
    del rate.metadata["FILTER"]
    with pytest.raises(InputError, match="keyword FILTER is missing"):
        run(photom, rate, references)


def test_resample_leaves_the_image_alone(rate, references):
    run(assign_wcs, rate, references)
    before = rate.data.copy(), dict(rate.metadata)
    result, _ = run(resample, rate, references)
    assert isinstance(result, Calibrated)
    np.testing.assert_array_equal(result.image.data, before[0])
    assert dict(result.metadata) == before[1]


def test_resample_options(rate, references):
    run(assign_wcs, rate, references)
    result, _ = run(
        resample, rate, references, pixel_scale=0.02, rotation=0.0, output_shape=(300, 200)
    )
    assert result.resampled.data.shape == (200, 300)
    assert result.resampled.metadata["CDELT1"] == pytest.approx(0.02 / 3600)
    assert result.resampled.metadata["PC1_1"] == pytest.approx(-1)


def test_cubes_are_not_resampled(rateints, references):
    run(assign_wcs, rateints, references)
    image, status = run(resample, rateints, references)
    assert image is rateints
    assert status.word == "SKIPPED"


def test_resample_needs_a_wcs(rate, references):
    with pytest.raises(InputError, match="run assign_wcs before resample"):
        run(resample, rate, references)


def test_coronagraphy_gets_no_i2d():
    assert "NRC_CORON" in resample.not_needed(Metadata({"EXP_TYPE": "NRC_CORON"}))


def test_missing_exposure_type():
    with pytest.raises(InputError, match="keyword EXP_TYPE is missing"):
        exposure_type(Metadata({}, "x.fits"))


def test_photom_inverse_gives_rates_back(rate, references):
    before = rate.data.copy()
    run(photom, rate, references)
    image, _ = run(photom, rate, references, inverse=True)
    assert image.metadata["BUNIT"] == "DN/s"
    good = np.isfinite(image.data)
    np.testing.assert_allclose(image.data[good], before[good], rtol=3e-7)


def test_flat_inverse_gives_rates_back(rate, references):
    before = rate.data.copy()
    run(flat_field, rate, references)
    image, _ = run(flat_field, rate, references, inverse=True)
    good = np.isfinite(image.data)
    np.testing.assert_allclose(image.data[good], before[good], rtol=3e-7)


def test_background_without_members(rate, references):
    image, status = run(bkg_subtract, rate, references)
    assert image is rate
    assert str(status) == "SKIPPED: there is no association with background exposures"


def test_wavefront_sensing_gets_no_i2d_unless_asked_for():
    metadata = Metadata({"EXP_TYPE": "NRC_IMAGE", "VISITYPE": "PRIME_WFSC_ROUTINE"})
    assert select(metadata)[-1].skip
    metadata["VISITYPE"] = "PRIME_TARGETED_FIXED"
    assert not select(metadata)[-1].skip


@pytest.mark.parametrize("exp_type", SCIENCE + ENGINEERING)
def test_modes_share_their_steps(exp_type):
    names = [step.name for step in select(Metadata({"EXP_TYPE": exp_type}))]
    assert names == ["bkg_subtract", "assign_wcs", "flat_field", "photom", "resample"]
