"""The mean of several spectra."""

import numpy as np
import pytest

from calwebb_core.framework.errors import InputError
from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.spectra import Spectra, Spectrum
from calwebb_core.science.spectral.combining import combine, common_wavelengths

WAVES = np.linspace(1.0, 2.0, 11)


def product(flux, error=1.0, wave=WAVES, time=10.0, dq=None, order=1):
    flux = np.broadcast_to(np.asarray(flux, float), np.shape(wave)).copy()
    columns = {
        "WAVELENGTH": np.asarray(wave, float),
        "FLUX": flux, "FLUX_ERROR": np.full(flux.shape, error),
        "SURF_BRIGHT": 2 * flux, "SB_ERROR": np.full(flux.shape, 2 * error),
        "DQ": np.zeros(flux.shape, np.uint32) if dq is None else dq,
    }  # fmt: skip
    spectrum = Spectrum(Metadata({"SPORDER": order, "SRCTYPE": "POINT"}), columns, {"FLUX": "Jy"})
    return Spectra(Metadata({"EFFEXPTM": time, "EFFINTTM": 1.0}, "x_x1d.fits"), [spectrum])


def test_spectra_weigh_by_their_time():
    found = combine([product(1.0), product(4.0, error=2.0, time=20.0)]).spectra[0].columns
    np.testing.assert_allclose(found["WAVELENGTH"], WAVES)
    np.testing.assert_allclose(found["FLUX"], 3.0)
    np.testing.assert_allclose(found["ERROR"], np.hypot(10.0, 40.0) / 30.0)
    np.testing.assert_allclose(found["SURF_BRIGHT"], 6.0)
    np.testing.assert_allclose(found["WEIGHT"], 30.0)
    np.testing.assert_allclose(found["N_INPUT"], 2.0)
    alike = combine([product(1.0), product(4.0, time=20.0)], exptime_key="unit_weight")
    np.testing.assert_allclose(alike.spectra[0].columns["FLUX"], 2.5)


def test_flagged_values_are_left_out():
    dq = np.zeros(11, np.uint32)
    dq[3] = 1
    found = combine([product(1.0), product(9.0, dq=dq)]).spectra[0].columns
    assert found["FLUX"][3] == 1.0
    assert found["N_INPUT"][3] == 1.0
    assert found["FLUX"][4] == 5.0
    dq[:] = 1
    dq[0] = 0
    both = combine([product(1.0, dq=dq), product(1.0, dq=dq)]).spectra[0].columns
    assert np.all(both["DQ"][1:] == 1)
    assert np.isnan(both["FLUX"][1:]).all()


def test_wavelengths_that_nearly_agree_are_averaged():
    found = common_wavelengths([WAVES, WAVES + 0.01, WAVES[2:] - 0.01])
    assert len(found) == 11
    np.testing.assert_allclose(found[2:], WAVES[2:], atol=1e-9)


def test_spectra_side_by_side_keep_their_wavelengths():
    found = common_wavelengths([WAVES, WAVES + 3.0])
    np.testing.assert_allclose(found, np.concatenate([WAVES, WAVES + 3.0]))


def test_outliers_are_clipped():
    products = [product(value) for value in (1.0, 1.1, 0.9, 1.05)]
    products.append(product(np.where(np.arange(11) == 5, 50.0, 1.0)))
    found = combine(products, sigma_clip=5.0).spectra[0].columns
    assert found["FLUX"].max() < 1.2
    assert found["N_INPUT"][5] == 4.0


def test_orders_and_integrations_are_told_apart():
    series = product(np.ones((3, 11)), wave=np.tile(WAVES, (3, 1)))
    found = combine([series, product(2.0, order=2)]).spectra
    assert [spectrum.metadata["SPORDER"] for spectrum in found] == [1, 2]
    np.testing.assert_allclose(found[0].columns["N_INPUT"], 3.0)


def test_nothing_to_combine_is_refused():
    with pytest.raises(InputError, match="no spectrum has a value that can be used"):
        combine([product(np.nan)])
    with pytest.raises(InputError, match="exptime_key is 'time'"):
        combine([product(1.0)], exptime_key="time")
