"""flat_field, pathloss, photom and clean_flicker_noise of spectra: what they refuse and count."""

import logging

import numpy as np
import pytest

from calwebb_core.framework.call import call_pipeline
from calwebb_core.framework.errors import InputError, ReferenceFileError
from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.models import Image, Slit, Slits, Table
from calwebb_core.framework.reference_data import Reference
from calwebb_core.framework.references import References
from calwebb_core.framework.slit_products import read_slits, write_slits
from calwebb_core.science.photom import KEYWORD_OF_COLUMN
from calwebb_core.science.spectral.factors import apply_factors
from calwebb_spec2 import PIPELINE
from calwebb_spec2.flux_conversion import calibration, dispersion
from calwebb_spec2.pipeline import select
from calwebb_spec2.steps import clean_flicker_noise, flat_field, pathloss, photom, pixel_replace
from official_process import REALDATA

NY, NX = 6, 20
WAVES = np.linspace(1.0, 2.0, 30)
NO_FLAT = 1 + 262144 + 33554432


def slit(name="S200A1", source="POINT", nints=None):
    shape = (NY, NX) if nints is None else (nints, NY, NX)
    metadata = Metadata(
        {"SLTNAME": name, "SRCTYPE": source, "SRCXPOS": 0.1, "SRCYPOS": -0.2, "SLTSTRT1": 5,
         "SLTSTRT2": 3, "DISPAXIS": 1}
    )  # fmt: skip
    waves = np.broadcast_to(np.linspace(1.1, 1.9, NX, dtype="f4"), (NY, NX)).copy()
    ones = np.ones(shape, "f4")
    return Slit(
        metadata, 2 * ones, ones, np.zeros(shape, "u4"), ones / 2, ones / 2,
        planes={"WAVELENGTH": waves},
    )  # fmt: skip


def exposure(*slits, **keywords):
    values = {"EXP_TYPE": "NRS_FIXEDSLIT", "FXD_SLIT": "S200A1", "FILTER": "F100LP",
              "GRATING": "G140M", "EXPMID": 60000.0}  # fmt: skip
    return Slits(Metadata(values | keywords, "x_nrs1.fits"), list(slits))


def photom_table(waves=WAVES, values=None, scalar="photmj", **keys):
    keys = keys or {"filter": "F100LP", "grating": "G140M", "slit": "S200A1"}
    dtype = [(name, "U12" if isinstance(value, str) else "i2") for name, value in keys.items()]
    dtype += [(scalar, "f4"), ("nelem", "i2")]
    dtype += [(name, "f4", (len(waves),)) for name in ("wavelength", "relresponse")]
    values = np.full(len(waves), 2.0) if values is None else values
    return Table(np.array([(*keys.values(), 3.0, len(waves), waves, values)], dtype))


def photom_file(table=None, **headers):
    return Reference("photom", "photom.fits", metadata=Metadata(headers),
                     tables={"PHOTOM": table or photom_table()})  # fmt: skip


def area_file(**areas):
    rows = [(name, value) for name, value in (areas or {"S200A1": 0.02}).items()]
    table = Table(np.array(rows, [("slit_id", "U15"), ("pixarea", "f4")]))
    return Reference("area", "area.fits", tables={"AREA": table})


def run(step, model, options=None, **references):
    found = References.of(**references)
    return step.run(model, found, (options or step.STEP.parameters()))


def calibrate(model, table=None, area="default", **options):
    area = area_file() if area == "default" else area
    return run(photom, model, photom.PhotomParameters(**options), photom=photom_file(table),
               area=area)  # fmt: skip


def test_a_point_source_is_in_mjy_and_an_extended_one_in_mjy_per_steradian():
    steradian = 0.02 / photom.ARCSEC2_PER_STERADIAN
    point, extended = slit(), slit(source="EXTENDED")
    calibrate(exposure(point))
    calibrate(exposure(extended))
    np.testing.assert_allclose(point.data, 12.0, rtol=1e-6)
    np.testing.assert_allclose(extended.data, 12.0 / steradian, rtol=1e-5)
    assert (point.metadata["BUNIT"], extended.metadata["BUNIT"]) == ("MJy", "MJy/sr")
    assert point.metadata["PIXAR_SR"] == pytest.approx(steradian, rel=1e-6)
    np.testing.assert_allclose(point.planes["PHOTOM_UN"] * steradian, 6.0, rtol=1e-5)
    forced = slit()
    calibrate(exposure(forced), source_type="EXTENDED")
    np.testing.assert_array_equal(forced.data, extended.data)


def test_inverse_undoes_the_calibration():
    part = slit(nints=3)
    calibrate(exposure(part))
    calibrate(exposure(part), inverse=True)
    np.testing.assert_allclose(part.data, 2.0, rtol=1e-6)
    np.testing.assert_allclose(part.var_poisson, 0.5, rtol=1e-6)
    assert part.metadata["BUNIT"] == "DN/s"


def test_pixels_out_of_range_and_without_response_are_flagged_and_counted(caplog):
    values = np.full(30, 2.0)
    values[14:16] = np.nan, 0.0
    part = slit()
    part.planes["WAVELENGTH"][:, 0], part.planes["WAVELENGTH"][:, 1] = np.nan, 2.5
    calibrate(exposure(part), photom_table(values=values))
    lost = np.isnan(part.data)
    np.testing.assert_array_equal(lost, (part.dq & 1) != 0)
    assert lost[:, :2].all()
    inside = lost[:, 2:].sum()
    assert 0 < inside < 30
    assert f"{inside} pixels have no usable response in photom.fits" in caplog.text


def test_tables_may_run_from_long_to_short_wavelengths():
    up, down = slit(), slit()
    calibrate(exposure(up), photom_table(WAVES, 1 + WAVES))
    calibrate(exposure(down), photom_table(WAVES[::-1], 1 + WAVES[::-1]))
    np.testing.assert_array_equal(up.data, down.data)


@pytest.mark.parametrize(
    ("table", "text"),
    [
        (photom_table(filter="F170LP", grating="G140M", slit="S200A1"), "has no row for filter F1"),
        (photom_table(WAVES + 3), r"known at 4-5 um, but the pixels have 1.1-1.9 um"),
        (photom_table(values=np.zeros(30)), "none of its values is a number above zero"),
        (photom_table(np.r_[WAVES[:15], WAVES[:15]]), "are not positive numbers in order"),
        (Table(np.zeros(1, [("filter", "U8"), ("photmj", "f4")])), "it is not one of spectra"),
    ],
)
def test_photom_references_that_do_not_fit_are_refused(table, text):
    with pytest.raises(ReferenceFileError, match=text):
        calibrate(exposure(slit()), table)


def test_sizes_of_pixels_have_to_be_there():
    with pytest.raises(ReferenceFileError, match="AREA has no pixarea above zero for slit S200A1"):
        calibrate(exposure(slit()), area=area_file(S200A2=0.02))
    with pytest.raises(ReferenceFileError, match="area reference is N/A, but slit S200A1 has no"):
        calibrate(exposure(slit(source="EXTENDED")), area=None)
    part = slit()
    calibrate(exposure(part), area=None)
    assert "PIXAR_SR" not in part.metadata
    with pytest.raises(ReferenceFileError, match="photom reference is N/A"):
        run(photom, exposure(slit()), photom=None, area=None)
    with pytest.raises(InputError, match="EXP_TYPE NRS_IFU does not exist yet"):
        run(photom, exposure(slit(), EXP_TYPE="NRS_IFU"), photom=None)


def test_grisms_divide_by_the_dispersion_where_neighbours_are_missing_too():
    waves = np.broadcast_to(2 + 0.1 * np.arange(8.0) + 0.01 * np.arange(8.0) ** 2, (3, 8)).copy()
    expected = np.gradient(waves[0])
    waves[1, 3] = np.nan
    found = dispersion(waves, 1)
    np.testing.assert_allclose(found[0], expected)
    np.testing.assert_allclose(found[1, [2, 4]], np.diff(waves[0])[[1, 4]])
    np.testing.assert_array_equal(dispersion(waves.T.copy(), 2), found.T)
    with pytest.raises(InputError, match="do not change along axis 2"):
        dispersion(np.ones((4, 1)) * np.arange(1, 6.0), 2)


def test_flags_and_nan_are_the_same_after_factors():
    image = Image(Metadata(), np.ones((2, 3, 4), "f4"), np.ones((2, 3, 4), "f4"))
    factors = np.full((3, 4), 2.0)
    factors[1, 1] = np.nan
    image.data[1, 0, 0] = np.nan
    apply_factors(image, factors)
    np.testing.assert_array_equal(np.isnan(image.data), (image.dq & 1) != 0)
    assert np.isnan(image.data).sum() == 3
    with pytest.raises(ValueError, match=r"factors has shape \(2, 2\)"):
        apply_factors(image, np.ones((2, 2)))


def fast_table(name="ANY", waves=None, values=None):
    waves = np.linspace(0.5, 2.5, 200) if waves is None else waves
    values = 1 + 0 * waves if values is None else values
    dtype = [("slit_name", "U15"), ("nelem", "i4")]
    dtype += [(column, "f4", (len(waves),)) for column in ("wavelength", "data", "error")]
    return Table(np.array([(name, len(waves), waves, values, 0.1 * values)], dtype))


def flat_file(kind="sflat", table=None, **arrays):
    tables = {"FAST_VARIATION": table or fast_table()}
    return Reference(kind, f"{kind}.fits", tables=tables, arrays=arrays)


def flatten(part, sflat, **others):
    references = {"fflat": None, "dflat": None} | others
    return run(flat_field, exposure(part), sflat=sflat, **references)


def test_unknown_values_of_a_slits_flat_are_flagged_and_counted(caplog):
    image = np.full((20, 40), 2.0, "f4")
    image[3, 7], image[4, 8] = np.nan, 0.0
    part = slit()
    part.planes["WAVELENGTH"][0, 0] = np.nan
    flatten(part, flat_file(SCI=image))
    assert set(zip(*np.nonzero(part.dq), strict=True)) == {(0, 0), (1, 3), (2, 4)}
    assert set(part.dq[part.dq != 0]) == {NO_FLAT}
    assert np.nanmax(np.abs(part.data - 1)) < 1e-6
    np.testing.assert_allclose(part.planes["FLATFIELD_PS"][1, 3], 1.0)
    assert "2 pixels of slit S200A1 have no flat value" in caplog.text
    assert "references fflat, dflat are N/A" in caplog.text


def test_a_gap_in_the_fast_variation_is_flagged_not_averaged_in():
    waves = np.linspace(0.5, 2.5, 200)
    values = np.where(np.abs(waves - 1.5) < 0.03, 0.0, 1.0)
    part = slit()
    flatten(part, flat_file(table=fast_table(values=values)))
    lost = np.isnan(part.data[0])
    assert 2 <= lost.sum() <= 5
    np.testing.assert_allclose(part.data[0, ~lost], 2.0)


@pytest.mark.parametrize(
    ("flat", "text"),
    [
        (flat_file(table=fast_table("S1600A1")), "slit S200A1: there is no row for it; .* S1600A1"),
        (flat_file(SCI=np.ones((7, 40))), "slit S200A1 ends at 24, 8: choose a file that covers"),
        (flat_file(SCI=np.full((20, 40), np.nan)), "no value for any pixel of slit S200A1"),
        (flat_file(table=fast_table(waves=np.linspace(3, 5, 50))), "no value for any pixel"),
        (flat_file(SCI=np.ones((3, 20, 40))), "has no WAVELENGTH table"),
    ],
)
def test_flats_that_do_not_fit_are_refused(flat, text):
    with pytest.raises(ReferenceFileError, match=text):
        flatten(slit(), flat)


def test_without_any_flat_nothing_is_done():
    part = slit()
    assert str(flatten(part, None)[1]) == "SKIPPED: the fflat, sflat and dflat references are N/A"


def losses(name="S200A1", kind="NRS_FIXEDSLIT", start=0.9e-6):
    wave = {"CRPIX": 1.0, "CRVAL": start, "CDELT": 0.2e-6}
    place = {"CRPIX": 1.0, "CRVAL": -0.5, "CDELT": 0.25}
    header = {f"{key}{axis}": value for axis in (1, 2) for key, value in place.items()}
    header |= {f"{key}3": value for key, value in wave.items()} | {"APERTURE": name}
    cube = np.broadcast_to(np.linspace(0.5, 0.9, 5), (8, 5, 5)).copy()
    return Reference(
        "pathloss", "loss.fits", metadata=Metadata({"EXP_TYPE": kind} if kind else {}),
        arrays={"PS": cube, "UNI": np.full(8, 0.8)},
        headers={"PS": header, "UNI": {f"{key}1": value for key, value in wave.items()}},
    )  # fmt: skip


def correct(part, reference=None, **options):
    parameters = pathloss.PathlossParameters(**options)
    return run(pathloss, exposure(part), parameters, pathloss=reference or losses())


@pytest.mark.parametrize("kind", ["NRS_FIXEDSLIT", None])
def test_losses_are_those_of_the_place_of_the_source(kind):
    point, extended = slit(), slit(source="EXTENDED")
    correct(point, losses(kind=kind))
    correct(extended, losses(kind=kind))
    np.testing.assert_allclose(point.data, 2 / 0.74, rtol=1e-6)
    np.testing.assert_allclose(extended.data, 2 / 0.8, rtol=1e-6)
    assert (point.metadata["PTHLOSS"], extended.metadata["PTHLOSS"]) == ("POINT", "UNIFORM")
    correct(point, losses(), inverse=True)
    np.testing.assert_allclose(point.data, 2.0, rtol=1e-6)


def test_a_source_outside_of_its_slit_is_refused(caplog):
    part = slit()
    part.metadata["SRCXPOS"] = 0.7
    with pytest.raises(InputError, match=r"source is outside of slit S200A1, at 0.700, -0.200"):
        correct(part)
    assert str(correct(part, outside_slit="official")[1]).startswith("SKIPPED")
    assert "the slit stays uncorrected" in caplog.text
    correct(part, source_type="EXTENDED")
    np.testing.assert_allclose(part.data, 2 / 0.8, rtol=1e-6)


def test_references_of_losses_that_do_not_fit_are_refused(caplog):
    with pytest.raises(ReferenceFileError, match="is for EXP_TYPE NRS_MSASPEC, the exposure"):
        correct(slit(), losses(kind="NRS_MSASPEC"))
    with pytest.raises(ReferenceFileError, match=r"no aperture S200A1, where .* a point source"):
        correct(slit(), losses("S1600A1"))
    with pytest.raises(ReferenceFileError, match=r"has no value at 1.1-1.9 um"):
        correct(slit(), losses(start=3e-6))
    sky = slit(source="EXTENDED")
    correct(sky, losses("S1600A1"))
    np.testing.assert_array_equal(sky.data, 2.0)
    assert "that slit of x_nrs1.fits stays uncorrected" in caplog.text
    broken = losses()
    del broken.headers["PS"]["CDELT3"]
    with pytest.raises(ReferenceFileError, match="axis 3 has 8 elements and CRPIX, CRVAL, CDELT"):
        correct(slit(), broken)


def test_lrs_is_corrected_for_point_sources_only():
    image = Image(Metadata({"EXP_TYPE": "MIR_LRS-FIXEDSLIT", "SRCTYPE": "EXTENDED"}, "x.fits"),
                  np.ones((4, 4), "f4"), np.ones((4, 4), "f4"))  # fmt: skip
    found = run(pathloss, image, pathloss=losses(kind=None))[1]
    assert str(found).startswith("SKIPPED: the source is EXTENDED")


def test_replaced_pixels_leave_the_calibrated_spectrum_alone():
    part = slit()
    part.data[3, 10], part.dq[3, 10] = np.nan, 1
    model = exposure(part)
    found, _ = run(pixel_replace, model)
    assert np.isnan(part.data[3, 10])
    assert found.replaced.slits[0].data[3, 10] == 2.0
    assert found.calibrated is model
    with pytest.raises(InputError, match="adaptive_trace_model does not exist yet"):
        run(pixel_replace, model, pixel_replace.PixelReplaceParameters(algorithm="trace_model"))


def test_the_calibrated_product_keeps_what_is_lost(tmp_path):
    """Whatever follows: rectified and extracted spectra are made of a copy with estimates."""
    part = slit()
    part.data[3, 10], part.dq[3, 10] = np.nan, 1
    model = exposure(part)
    model.metadata.update({"INSTRUME": "NIRSPEC", "TELESCOP": "JWST"})
    before = [step.keyword for step in select(model.metadata)]
    before = before[: before.index("S_PXREPL")]
    model.metadata.update(dict.fromkeys(before, "COMPLETE"))
    path = tmp_path / "jw09999001001_02101_00001_nrs1_photom.fits"
    write_slits(model, path)
    wish = {"pixel_replace": {"skip": False}}
    outputs = call_pipeline(
        PIPELINE, path, stop_after="pixel_replace", output_dir=tmp_path, parameters=wish
    ).outputs
    calibrated, estimated = (read_slits(output) for output in outputs)
    assert [output.stem.rpartition("_")[2] for output in outputs] == ["cal", "replace"]
    assert np.isnan(calibrated.slits[0].data[3, 10])
    assert calibrated.slits[0].dq[3, 10] == 1
    assert "S_PXREPL" not in calibrated.metadata
    assert estimated.slits[0].data[3, 10] == 2.0
    assert estimated.metadata["S_PXREPL"] == "COMPLETE"


def test_noise_in_lines_is_found_in_the_background(caplog):
    caplog.set_level(logging.INFO)
    rng = np.random.default_rng(1)
    truth = np.ones((2, 32, 64), "f4")
    truth[:, 15:18] = 50
    data = truth + rng.normal(0, 0.1, (2, 1, 64)) + rng.normal(0, 0.05, truth.shape)
    metadata = Metadata({"EXP_TYPE": "NRS_BRIGHTOBJ", "FASTAXIS": 2, "SLOWAXIS": 1}, "x.fits")
    image = Image(metadata, data.astype("f4"), truth)
    assert str(run(clean_flicker_noise, image)[1]) == "COMPLETE"
    cleaned = image.data - truth
    assert np.std(cleaned - cleaned.mean(axis=(1, 2), keepdims=True)) < 0.06
    image.metadata["SLOWAXIS"] = 2
    with pytest.raises(InputError, match="FASTAXIS, SLOWAXIS are 2, 2"):
        run(clean_flicker_noise, image)
    image.metadata["SLOWAXIS"], image.data[:] = 1, np.nan
    assert str(run(clean_flicker_noise, image)[1]).startswith("SKIPPED: no pixel shows")


@pytest.mark.realdata
@pytest.mark.parametrize(
    "name",
    ["nirspec/jwst_nirspec_photom_0014", "nircam/jwst_nircam_photom_0064",
     "miri/jwst_miri_photom_0071"],
)  # fmt: skip
def test_every_row_of_real_references_can_be_used(name):
    path = REALDATA / "crds_cache" / "references" / "jwst" / f"{name}.fits"
    if not path.exists():
        pytest.skip(f"{path} is not there")
    tables = References.open_file("photom", path).tables
    table = tables["PHOTOM"]
    keys = [key for key in table.data.dtype.names if key in KEYWORD_OF_COLUMN]
    for row in table.data:
        values = {KEYWORD_OF_COLUMN[key]: row[key].item() for key in keys}
        found = calibration(tables, Metadata(values, "x"), time_correction=False)
        assert found.response.wavelength[-1] > found.response.wavelength[0] > 0.5
        assert found.unit == ("MJy" if "SLTNAME" in values else "MJy/sr")


@pytest.mark.realdata
def test_a_real_flat_of_the_fore_optics_covers_every_slit():
    path = REALDATA / "crds_cache" / "references" / "jwst" / "nirspec"
    if not path.is_dir():
        pytest.skip(f"{path} is not there")
    reference = References.open_file("fflat", path / "jwst_nirspec_fflat_0017.fits")
    for name in ("S200A1", "S200A2", "S400A1", "S1600A1", "S200B1"):
        part = slit(name)
        flatten(part, None, fflat=reference)
        assert np.isfinite(part.data).all()
