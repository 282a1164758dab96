"""The light of all wavelengths together, whatever is missing."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from calwebb_core.framework.errors import InputError
from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.spectra import COLUMNS, TIMES, Spectra, Spectrum
from calwebb_level3.timeseries.series import TimeSeries
from calwebb_level3.timeseries.steps.white_light import WhiteLightParameters, run
from calwebb_level3.timeseries.white import sum_flux

PER_ROW = ("INT_NUM", "N_ALONGDISP", "SEGMENT", *TIMES)


def spectrum(*, nints=7, nwave=30, seed=1, **keywords):
    """Return spectra of one order on one detector."""
    rng = np.random.default_rng(seed)
    wide = {
        name: rng.uniform(1, 2, (nints, nwave))
        for name in COLUMNS["x1dints"]
        if name not in PER_ROW
    }
    number = np.arange(1, nints + 1)
    columns = wide | {
        "WAVELENGTH": np.tile(np.linspace(1, 2, nwave), (nints, 1)),
        "DQ": np.zeros((nints, nwave), np.uint32),
        "INT_NUM": number,
        "N_ALONGDISP": np.full(nints, nwave),
        "SEGMENT": np.ones(nints),
        **{name: 59000 + number * 1e-3 + k * 1e-5 for k, name in enumerate(TIMES)},
    }
    columns = {name: columns[name] for name in COLUMNS["x1dints"]}
    return Spectrum(Metadata(keywords), columns, {"FLUX": "Jy", "WAVELENGTH": "um"})


def series_of(*spectra):
    metadata = Metadata({"INSTRUME": "NIRSPEC", "EXP_TYPE": "NRS_BRIGHTOBJ", "TARGNAME": "WASP"})
    return TimeSeries(metadata, "x", spectra=Spectra(metadata, list(spectra), {}, "x1dints"))


def curve(*spectra, **options):
    series, status = run(series_of(*spectra), None, WhiteLightParameters(**options))
    assert status.word == "COMPLETE"
    return series.white_light


def test_columns_of_detectors_and_orders():
    assert list(curve(spectrum(DETECTOR="MIRIMAGE")).columns) == [
        "MJD_UTC", "BJD_TDB", "whitelight_flux", "whitelight_flux_error",
    ]  # fmt: skip
    two = curve(spectrum(DETECTOR="NRS1"), spectrum(DETECTOR="NRS2", nints=5))
    assert list(two.columns)[4:] == [
        "MJD_UTC_NRS2", "BJD_TDB_NRS2", "whitelight_flux_NRS2", "whitelight_flux_error_NRS2",
    ]  # fmt: skip
    assert np.isnan(two.columns["whitelight_flux_NRS2"][5:]).all()
    orders = curve(spectrum(SPORDER=1), spectrum(SPORDER=2))
    assert "whitelight_flux_order_2" in orders.columns
    assert "whitelight_flux_error_order_2" in orders.columns
    assert orders.units["whitelight_flux_order_1"] == "Jy"


def test_wavelengths_outside_the_range_do_not_count():
    own = spectrum()
    own.columns["WAVELENGTH"][:, -1] = np.nan
    wave, flux = own.columns["WAVELENGTH"][0], own.columns["FLUX"]
    inside = (wave >= 1.2) & (wave <= 1.6)
    table = curve(own, min_wavelength=1.2, max_wavelength=1.6)
    np.testing.assert_allclose(table.columns["whitelight_flux"], flux[:, inside].sum(axis=1))
    all_of_it = curve(own).columns["whitelight_flux"]
    np.testing.assert_allclose(all_of_it, flux[:, :-1].sum(axis=1))


def test_a_missing_flux_is_estimated(caplog):
    own = spectrum(nwave=200)
    shape = np.linspace(1, 3, 200)
    light = np.array([1, 1, 0.98, 0.98, 0.98, 1, 1])
    own.columns["FLUX"] = light[:, None] * shape
    own.columns["FLUX"][3, 150] = np.nan
    own.columns["FLUX"][:, 7] = np.nan
    flux = curve(own).columns["whitelight_flux"]
    np.testing.assert_allclose(flux / flux[0], light, rtol=1e-12)
    assert "1 fluxes are missing" in caplog.text
    plain = curve(own, fill=False).columns["whitelight_flux"]
    assert plain[3] / plain[0] == pytest.approx(0.98 * (1 - shape[150] / (shape.sum() - shape[7])))


def test_an_integration_without_any_flux_has_none():
    own = spectrum()
    own.columns["FLUX"][2] = np.nan
    table = curve(own)
    assert np.isnan(table.columns["whitelight_flux"][2])
    assert np.isfinite(np.delete(table.columns["whitelight_flux"], 2)).all()


@given(st.integers(0, 2**32 - 1), st.floats(0, 0.6))
def test_missing_values_never_change_the_shape_of_a_constant_star(seed, share):
    rng = np.random.default_rng(seed)
    light = rng.uniform(0.9, 1.1, 9)
    flux = light[:, None] * rng.uniform(1, 5, 20)
    flux[rng.random(flux.shape) < share] = np.nan
    total, sigma, _ = sum_flux(flux, np.ones_like(flux), np.ones(flux.shape, bool))
    known = np.isfinite(total)
    assert np.array_equal(known, np.isfinite(sigma))
    # medians of other integrations carry their brightness
    np.testing.assert_allclose((total / light)[known] / np.nanmean(total / light), 1, atol=0.2)


def test_no_spectra_and_no_range_are_refused():
    with pytest.raises(InputError, match="needs extracted spectra: run extract_1d first"):
        run(TimeSeries(Metadata({}, "x.fits"), "x"), None, WhiteLightParameters())
    with pytest.raises(InputError, match="expected the first to be the smaller"):
        curve(spectrum(), min_wavelength=2.0, max_wavelength=1.0)


def test_a_range_that_holds_no_wavelength_is_refused():
    with pytest.raises(InputError, match="have 1 to 2 um, expected some of them in between"):
        curve(spectrum(), min_wavelength=100.0)
    with pytest.raises(InputError, match=r"min_wavelength is nan.*expected some of them"):
        curve(spectrum(), min_wavelength=float("nan"))


def test_integrations_without_any_flux_are_counted(caplog):
    own = spectrum(DETECTOR="NRS1")
    own.columns["FLUX"][2:4] = np.nan
    curve(own, spectrum(DETECTOR="NRS2", nints=5))
    (message,) = [record.message for record in caplog.records if "no flux" in record.message]
    assert "2 of 7 integrations have no flux at any wavelength (whitelight_flux_NRS1)" in message


def test_nothing_is_added_up_where_extraction_is_left_out():
    series = TimeSeries(Metadata({"S_EXTR1D": "SKIPPED"}, "x.fits"), "x")
    series, status = run(series, None, WhiteLightParameters())
    assert status.word == "SKIPPED"
    assert series.white_light is None
