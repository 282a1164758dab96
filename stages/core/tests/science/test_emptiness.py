"""Spectra that show nothing are named."""

import numpy as np

from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.spectra import Spectra, Spectrum
from calwebb_core.science.spectral.emptiness import warn_of_nothing


def test_a_spectrum_without_any_flux_is_named(caplog):
    flux = np.full((2, 4), np.nan)
    known = flux.copy()
    known[1, 2] = 0.0
    spectra = [
        Spectrum(Metadata({"SLTNAME": name}), {"FLUX": values}, {})
        for name, values in (("S200A1", flux), ("S400A1", known))
    ]
    warn_of_nothing(Spectra(Metadata({}, "x_cal.fits"), spectra, {}, "x1d"))
    (record,) = caplog.records
    assert record.message == (
        "x_cal.fits: the spectrum of slit S200A1 has no flux at any wavelength: all of its pixels "
        "are lost"
    )
