"""Extraction: truth, errors, lost pixels, backgrounds, places, corrections, times."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calwebb_core.framework.errors import InputError, ReferenceFileError
from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.models import Slits, Table
from calwebb_core.framework.reference_data import Reference
from calwebb_core.science.kernels import column_background as box
from calwebb_core.science.spectral.aperture import Aperture, weights_of
from calwebb_core.science.spectral.aperture_correction import correction
from calwebb_core.science.spectral.extract_1d import ExtractionFiles, extract_spectra
from calwebb_core.science.spectral.extract_1d_options import DROP, Extract1dParameters
from calwebb_core.science.spectral.extraction import Background, Pixels, extract_box

from .spectra import apertures, light, star, times

FILES = ExtractionFiles(apertures(extract_width=12), None)
FIXED = Extract1dParameters(use_source_posn=False)
MIDDLE = slice(5, -5)


def extracted(part, files=FILES, **options):
    return extract_spectra(part, files, Extract1dParameters(**options)).spectra[0]


def plain(data, axis=1, variance=1.0):
    data = np.asarray(data, "f4")
    planes = [np.full(data.shape, variance * factor, "f4") for factor in (2, 1, 4)]
    return Pixels(data, np.zeros(data.shape, "u4"), *planes, axis)


def flat_waves(nalong, nacross):
    return np.repeat(1.0 + 0.1 * np.arange(nalong)[:, None], nacross, axis=1)


@pytest.mark.parametrize("axis", [1, 2])
def test_the_light_of_a_star_is_found_where_it_is(axis):
    part = star(axis, EXP_TYPE="MIR_LRS-FIXEDSLIT")
    columns = extracted(part).columns
    truth = light(columns["WAVELENGTH"]) * 1e6
    np.testing.assert_allclose(columns["FLUX"][MIDDLE], truth[MIDDLE], rtol=2e-4)
    assert not columns["SURF_BRIGHT"].any()


def test_the_scatter_of_spectra_is_their_error():
    part = star(nints=200, noise=0.05)
    columns = extracted(part, use_source_posn=False).columns
    scatter = columns["FLUX"].std(axis=0)
    error = columns["FLUX_ERROR"].mean(axis=0)
    assert np.median(scatter / error) == pytest.approx(1.0, abs=0.03)


@pytest.mark.parametrize("order", [0, 1, 2])
def test_a_polynomial_background_leaves_nothing(order):
    y = np.arange(20.0)
    data = np.repeat(np.polyval([0.02, -0.3, 5.0][2 - order :], y)[:, None], 6, axis=1)[None]
    aperture = Aperture(across=(8, 12), background=((-0.5,), (4.5,), (14.5,), (19.5,)))
    sums = extract_box(
        plain(data), weights_of(aperture, flat_waves(6, 20)), Background(order=order)
    )
    np.testing.assert_allclose(sums[..., box.FLUX], 0.0, atol=2e-5)
    np.testing.assert_allclose(sums[..., box.BKG], data[:, 8:13].sum(axis=1), rtol=1e-6)


@pytest.mark.parametrize("fit", ["poly", "mean", "median"])
def test_the_error_of_a_background_is_that_of_its_scatter(fit):
    rng = np.random.default_rng(5)
    data = rng.normal(0.0, 2.0, (4000, 20, 3)).astype("f4")
    pixels = plain(data, variance=4.0 / 7.0)
    aperture = Aperture(across=(8, 12), background=((-0.5,), (4.5,), (14.5,), (19.5,)))
    sums = extract_box(pixels, weights_of(aperture, flat_waves(3, 20)), Background(fit))
    error = np.sqrt(sums[..., box.POISSON : box.FLAT + 1].sum(axis=-1)).mean()
    assert sums[..., box.FLUX].std() == pytest.approx(error, rel=0.05)


def test_edges_count_by_the_part_of_the_pixel_inside():
    weights = weights_of(Aperture(source=((4.8,), (9.0,))), flat_waves(3, 20))
    np.testing.assert_allclose(weights.source[0, 4:11], [0.0, 0.7, 1.0, 1.0, 1.0, 0.5, 0.0])
    assert weights.limits == pytest.approx((5.3, 8.5))


def test_polynomials_of_wavelength_follow_each_pixel():
    waves = flat_waves(3, 20) + 0.001 * np.arange(20)
    aperture = Aperture(source=((0.0, 5.0), (6.0, 5.0)), variable="wavelength")
    assert weights_of(aperture, waves).source.sum(axis=1) == pytest.approx(6.03)


def test_a_background_pixel_counts_in_full_or_not_at_all():
    aperture = Aperture(background=((1.0,), (3.0,)))
    assert list(np.flatnonzero(weights_of(aperture, flat_waves(2, 9)).background[0])) == [1, 2, 3]


@given(
    shape=st.tuples(st.integers(1, 3), st.integers(3, 12), st.integers(1, 6)),
    axis=st.sampled_from([1, 2]),
    low=st.floats(-3.0, 8.0),
    width=st.floats(0.2, 9.0),
    seed=st.integers(0, 99),
)
@settings(max_examples=40, deadline=None)
def test_sums_agree_with_numpy(shape, axis, low, width, seed):
    rng = np.random.default_rng(seed)
    _nints, nacross, nalong = shape
    data = rng.normal(5.0, 1.0, shape).astype("f4")
    bad = rng.random(shape) < 0.2
    data[bad] = np.nan
    given_data = data if axis == 1 else np.ascontiguousarray(data.swapaxes(1, 2))
    weights = weights_of(Aperture(source=((low,), (low + width,))), flat_waves(nalong, nacross))
    sums = extract_box(plain(given_data, axis), weights, Background(), fill=False)
    w = weights.source.T[None] * ~bad
    expected = np.where(w.sum(axis=1) > 0, (w * np.nan_to_num(data)).sum(axis=1), np.nan)
    used = weights.extracted
    np.testing.assert_allclose(sums[:, used, box.FLUX], expected[:, used], rtol=1e-6)
    np.testing.assert_allclose(sums[:, used, box.NPIXELS], w.sum(axis=1)[:, used])
    np.testing.assert_allclose(sums[:, used, box.RNOISE], (w**2).sum(axis=1)[:, used], rtol=1e-6)


@pytest.mark.parametrize("nints", [None, 30])
def test_a_lost_pixel_biases_nothing_beyond_its_error(nints):
    whole = star(nints=nints, noise=0.002)
    holed = star(nints=nints, noise=0.002)
    rng = np.random.default_rng(8)
    bad = np.zeros(whole.data.shape[-2:], bool)
    columns = np.arange(8, 72, 4)
    bad[rng.integers(8, 14, len(columns)), columns] = True
    holed.data[..., bad] = np.nan
    before = extracted(whole, use_source_posn=False).columns
    after = extracted(holed, use_source_posn=False).columns
    hit = (..., columns)
    pull = (after["FLUX"] - before["FLUX"])[hit] / after["FLUX_ERROR"][hit]
    assert np.abs(pull).max() < 4.0
    assert np.sqrt(np.mean(pull**2)) < 1.3
    assert np.all(after["FLUX_ERROR"][hit] > before["FLUX_ERROR"][hit])
    assert np.all(after["DQ"][hit] & 268435456)
    dropped = extracted(holed, use_source_posn=False, lost_pixels=DROP).columns
    missing = np.abs(dropped["FLUX"] / before["FLUX"] - 1.0)[hit]
    assert missing.max() > 0.1
    assert np.median(np.abs(after["FLUX"] / before["FLUX"] - 1.0)[hit]) < 0.01


def test_a_time_series_knows_lost_pixels_from_other_integrations():
    whole, holed = star(nints=20, noise=0.002), star(nints=20, noise=0.002)
    rng = np.random.default_rng(8)
    bad = rng.random(whole.data.shape) < 0.01
    holed.dq[bad] |= 1
    before = extracted(whole, use_source_posn=False).columns
    after = extracted(holed, use_source_posn=False).columns
    pull = (after["FLUX"] - before["FLUX"]) / after["FLUX_ERROR"]
    assert np.isfinite(pull).all()
    assert np.abs(pull).max() < 4.5


@pytest.mark.parametrize("drift", [0.0, 0.02])
def test_the_brightest_pixel_of_a_narrow_star_is_known_from_its_wings(drift):
    """97 of 100 parts of the squared profile are lost; the error knows the star's movement, too."""
    rng = np.random.default_rng(3)
    nints, nalong, nacross, middle = 200, 20, 11, 5
    moved = drift * rng.standard_normal(nints)[:, None, None]
    place = np.arange(nacross)[None, :, None] - middle - 0.1 - moved
    profile = np.exp(-0.5 * (place / 0.53) ** 2)
    profile = np.broadcast_to(profile, (nints, nacross, nalong)) / profile[0].sum()
    assert profile[0, middle, 0] ** 2 / np.square(profile[0, :, 0]).sum() > 0.9
    variance = profile + 0.01
    holed = 1e3 * profile + np.sqrt(1e1 * variance) * rng.standard_normal(variance.shape)
    lost = (np.arange(0, nints, 2), np.arange(0, nints, 2) % nalong)
    holed[lost[0], middle, lost[1]] = np.nan
    weights = weights_of(Aperture(across=(1.0, 9.0)), flat_waves(nalong, nacross))
    planes = [(10.0 * part * variance).astype("f4") for part in (0.5, 0.5, 0.0)]
    pixels = Pixels(holed.astype("f4"), np.zeros(holed.shape, "u4"), *planes, 1)
    sums = extract_box(pixels, weights, Background())[lost]
    change = sums[:, box.FLUX] - 1e3 * profile[lost[0], 1:10, 0].sum(axis=1)
    error = np.sqrt(sums[:, box.POISSON] + sums[:, box.RNOISE])
    assert np.isfinite(change).all()
    assert 0.75 < np.sqrt(np.mean((change / error) ** 2)) < 1.25
    assert abs(np.mean(change / error)) < 0.3
    assert np.all(error < 0.1 * sums[:, box.FLUX])


def test_a_column_without_light_is_nan_and_flagged():
    part = star()
    part.data[:, 30] = np.nan
    columns = extracted(part, use_source_posn=False).columns
    assert np.isnan(columns["FLUX"][30])
    assert np.isnan(columns["FLUX_ERROR"][30])
    assert columns["DQ"][30] == 1
    assert np.isfinite(np.delete(columns["FLUX"], 30)).all()


@pytest.mark.parametrize(("fit", "order"), [("poly", 0), ("poly", 1), ("median", 0)])
def test_without_its_background_a_column_has_no_flux(fit, order):
    """All pixels of the background are lost in one column, all but one in another."""
    data = np.full((1, 12, 5), 7.0, "f4")
    data[:, 3:6] += 10.0
    pixels = plain(data)
    pixels.data[0, [0, 1, 10, 11], 2] = np.nan
    pixels.dq[0, [0, 1, 10], 3] |= 1
    aperture = Aperture(across=(3.0, 5.0), background=((-0.5,), (1.5,), (9.5,), (11.5,)))
    weights = weights_of(aperture, flat_waves(5, 12))
    flux = extract_box(pixels, weights, Background(fit, order))[0, :, box.FLUX]
    np.testing.assert_allclose(flux[[0, 1, 3, 4]], 30.0, rtol=1e-6)
    assert np.isnan(flux[2])
    # the official way
    sums = extract_box(pixels, weights, Background(fit, order), fill=False)[0]
    if fit == "median":
        assert np.isnan(sums[2, box.FLUX])
    else:
        assert sums[2, box.FLUX] == pytest.approx(51.0)
        assert sums[3, box.FLUX] == pytest.approx(51.0 if order else 30.0)


def test_lost_pixels_on_both_sides_of_a_slit_are_no_part_of_the_aperture():
    part = star()
    part.data[:6] = np.nan
    part.data[16:] = np.nan
    columns = extracted(part, ExtractionFiles(None, None), use_source_posn=False).columns
    np.testing.assert_array_equal(columns["NPIXELS"], 10.0)
    assert not (columns["DQ"] & 268435456).any()


def test_integrations_have_their_numbers_and_times():
    part = star(nints=3, INTSTART=5, EXSEGNUM=2)
    part.tables["INT_TIMES"] = times(4, 6)
    spectra = extract_spectra(part, FILES, FIXED)
    columns = spectra.spectra[0].columns
    assert spectra.kind == "x1dints"
    assert list(spectra.tables) == ["INT_TIMES"]
    np.testing.assert_array_equal(columns["INT_NUM"], [5, 6, 7])
    np.testing.assert_array_equal(columns["SEGMENT"], 2)
    np.testing.assert_allclose(columns["MJD-AVG"], [59001.1, 59002.1, 59003.1])
    np.testing.assert_allclose(columns["TDB-END"], [59001.5, 59002.5, 59003.5])


def test_integrations_without_times_are_refused_or_said(caplog):
    part = star(nints=3, INTSTART=5)
    part.tables["INT_TIMES"] = times(1, 5)
    with pytest.raises(InputError, match="INT_TIMES has 5 integrations, but not all of 5 to 7"):
        extract_spectra(part, FILES, FIXED)
    del part.tables["INT_TIMES"]
    assert np.isnan(extract_spectra(part, FILES, FIXED).spectra[0].columns["MJD-BEG"]).all()
    assert "has no table INT_TIMES" in caplog.text


def test_surface_brightness_becomes_flux_by_the_area_of_a_pixel():
    part = star(BUNIT="MJy/sr")
    spectrum = extracted(part, use_source_posn=False)
    columns = spectrum.columns
    np.testing.assert_allclose(columns["FLUX"], columns["SURF_BRIGHT"] * 12 * 2e-12 * 1e6)
    assert spectrum.units["FLUX"] == "Jy"
    assert spectrum.units["BKGD_ERROR"] == "MJy/sr"
    del part.metadata["PIXAR_SR"]
    with pytest.raises(InputError, match="PIXAR_SR is missing"):
        extracted(part, use_source_posn=False)


def test_a_source_outside_of_its_slit_is_refused():
    part = star(EXP_TYPE="MIR_LRS-FIXEDSLIT", TARG_DEC=-20.01)
    with pytest.raises(InputError, match="outside of the 24 pixels of its spectrum"):
        extracted(part)


def test_a_spectrum_off_the_detector_is_refused():
    part = star()
    part.planes["WAVELENGTH"][...] = np.nan
    with pytest.raises(InputError, match="the spectrum is off the detector"):
        extracted(part, use_source_posn=False)


def test_a_reference_without_the_aperture_is_refused():
    entry = apertures(id="S400A1", extract_width=3)
    with pytest.raises(ReferenceFileError, match="no aperture S200A1 or NRS_FIXEDSLIT of order 1"):
        extracted(star(), ExtractionFiles(entry, None))
    with pytest.raises(ReferenceFileError, match="dispaxis is 2, but DISPAXIS of the spectrum 1"):
        extracted(star(), ExtractionFiles(apertures(dispaxis=2), None))
    with pytest.raises(ReferenceFileError, match="src_coeff has 1 lists"):
        extracted(star(), ExtractionFiles(apertures(src_coeff=[[1.0]]), None))
    with pytest.raises(ReferenceFileError, match="expected an odd number of pixels"):
        extracted(star(), ExtractionFiles(apertures(smoothing_length=4), None))


def test_every_slit_has_its_spectrum_in_order():
    parts = [star(SLTNAME=name) for name in ("S200A1", "S400A1")]
    exposure = Slits(Metadata({"EXP_TYPE": "NRS_FIXEDSLIT"}, "x_cal.fits"), parts)
    spectra = extract_spectra(exposure, FILES, FIXED).spectra
    assert [spectrum.metadata["SLTNAME"] for spectrum in spectra] == ["S200A1", "S400A1"]


def correction_table(phases=False):
    waves, sizes = np.array([1.0, 2.0, 3.0]), np.array([2.0, 4.0, 8.0])
    plane = 1.0 + waves[:, None] ** 2 / sizes
    columns = {"wavelength": waves, "nelem_wl": 3, "nelem_size": 3, "subarray": "FULL"}
    if phases:
        cube = plane.T[..., None] + np.array([0.0, 10.0, 20.0])
        sizes = np.repeat(sizes[:, None], 3, axis=1)
        columns |= {"pixphase": np.array([0.0, 0.25, 0.5]), "apcorr": cube, "size": sizes}
    else:
        columns |= {"apcorr": plane, "size": sizes}
    fields = [(name, np.asarray(v).dtype, np.shape(v)) for name, v in columns.items()]
    rows = np.zeros(1, fields)
    for name, value in columns.items():
        rows[name] = value
    return Reference("apcorr", "apcorr.fits", tables={"APCORR": Table(rows)})


@pytest.mark.parametrize(("phases", "more"), [(False, 0.0), (True, 20.0)])
def test_aperture_corrections_are_interpolated(phases, more):
    reference = correction_table(phases=phases)
    keywords = Metadata({"SUBARRAY": "FULL"})
    found = correction(reference, keywords, np.array([1.5, 9.0]), np.array([3.0, 1.0]))
    middle = np.mean([[1.5, 3.0], [1.25, 2.0]])
    np.testing.assert_allclose(found, [middle + more, 5.5 + more])


def test_point_sources_are_corrected_for_their_aperture_and_others_are_not():
    files = ExtractionFiles(apertures(extract_width=4), correction_table())
    keywords = {"SUBARRAY": "FULL", "BUNIT": "MJy/sr"}
    plain_sums = extracted(star(**keywords), use_source_posn=False).columns
    options = {"files": files, "use_source_posn": False}
    point = extracted(star(**keywords), **options).columns
    bare = extracted(star(**keywords), **options, apply_apcorr=False).columns
    factor = 1.0 + np.interp(point["WAVELENGTH"], [1, 2, 3], [1, 4, 9]) / 4.0
    np.testing.assert_allclose(point["FLUX"] / bare["FLUX"], factor)
    np.testing.assert_allclose(point["SB_VAR_RNOISE"] / bare["SB_VAR_RNOISE"], factor**2)
    extended = extracted(star(SRCTYPE="EXTENDED", **keywords), **options).columns
    np.testing.assert_allclose(extended["FLUX"], bare["FLUX"])
    assert plain_sums["FLUX"].shape == bare["FLUX"].shape


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"apcorr": None}, "has no column 'apcorr'; name another file"),
        ({"nelem_size": 0}, r"has 3 wavelengths and 0 sizes for factors of shape \(3, 0\)"),
        ({"nelem_wl": -1}, "has 0 wavelengths and 3 sizes"),
        ({"wavelength": np.full(3, np.nan)}, "has 3 wavelengths and 3 sizes"),
        ({"wavelength": np.ones(2), "nelem_wl": 3}, "has 2 wavelengths and 3 sizes"),
        ({"size": b"four"}, "has no numbers: could not convert"),
    ],
)
def test_a_correction_that_makes_no_sense_is_refused(change, message):
    data = correction_table().tables["APCORR"].data
    values = {name: data[name][0] for name in data.dtype.names} | change
    kept = {name: np.asarray(value) for name, value in values.items() if value is not None}
    rows = np.zeros(1, [(name, value.dtype, value.shape) for name, value in kept.items()])
    for name, value in kept.items():
        rows[name] = value
    reference = Reference("apcorr", "apcorr.fits", tables={"APCORR": Table(rows)})
    with pytest.raises(ReferenceFileError, match=message):
        correction(reference, Metadata({"SUBARRAY": "FULL"}), np.ones(1), np.ones(1))


def test_a_correction_for_another_exposure_is_refused():
    with pytest.raises(ReferenceFileError, match="has no row for SUBARRAY SLITLESSPRISM"):
        correction(
            correction_table(), Metadata({"SUBARRAY": "SLITLESSPRISM"}), np.ones(1), np.ones(1)
        )
