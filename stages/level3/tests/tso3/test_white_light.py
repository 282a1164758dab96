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
    assert curve(spectrum(DETECTOR="MIRIMAGE")).colnames == [
        "MJD_UTC", "BJD_TDB", "whitelight_flux", "whitelight_flux_error",
    ]  # fmt: skip
    two = curve(spectrum(DETECTOR="NRS1"), spectrum(DETECTOR="NRS2", nints=5))
    assert two.colnames[4:] == [
        "MJD_UTC_NRS2", "BJD_TDB_NRS2", "whitelight_flux_NRS2", "whitelight_flux_error_NRS2",
    ]  # fmt: skip
    assert np.isnan(two["whitelight_flux_NRS2"].value[5:]).all()
    orders = curve(spectrum(SPORDER=1), spectrum(SPORDER=2))
    assert "whitelight_flux_order_2" in orders.colnames
    assert "whitelight_flux_error_order_2" in orders.colnames
    assert str(orders["whitelight_flux_order_1"].unit) == "Jy"


def test_wavelengths_outside_the_range_do_not_count():
    own = spectrum()
    own.columns["WAVELENGTH"][:, -1] = np.nan
    wave, flux = own.columns["WAVELENGTH"][0], own.columns["FLUX"]
    inside = (wave >= 1.2) & (wave <= 1.6)
    table = curve(own, min_wavelength=1.2, max_wavelength=1.6)
    np.testing.assert_allclose(table["whitelight_flux"].value, flux[:, inside].sum(axis=1))
    all_of_it = curve(own)["whitelight_flux"].value
    np.testing.assert_allclose(all_of_it, flux[:, :-1].sum(axis=1))


def test_a_missing_flux_is_estimated(caplog):
    own = spectrum(nwave=200)
    shape = np.linspace(1, 3, 200)
    light = np.array([1, 1, 0.98, 0.98, 0.98, 1, 1])
    own.columns["FLUX"] = light[:, None] * shape
    own.columns["FLUX"][3, 150] = np.nan
    own.columns["FLUX"][:, 7] = np.nan
    flux = curve(own)["whitelight_flux"].value
    np.testing.assert_allclose(flux / flux[0], light, rtol=1e-12)
    assert "1 fluxes are missing" in caplog.text
    plain = curve(own, fill=False)["whitelight_flux"].value
    assert plain[3] / plain[0] == pytest.approx(0.98 * (1 - shape[150] / (shape.sum() - shape[7])))


def test_an_integration_without_any_flux_has_none():
    own = spectrum()
    own.columns["FLUX"][2] = np.nan
    table = curve(own)
    assert np.isnan(table["whitelight_flux"].value[2])
    assert np.isfinite(np.delete(table["whitelight_flux"].value, 2)).all()


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
