"""Which of the spectra of several slits is compared with the truth."""

import numpy as np
import pytest
from astropy.io import fits

from calwebb_simulator.spectra.truth_file import read_rows


def write(path, kinds):
    """Write a product of several slits whose fluxes are 1, 2, ..."""
    hdus = [fits.PrimaryHDU()]
    for number, kind in enumerate(kinds, 1):
        rows = np.zeros(3, [(name, "f8") for name in ("WAVELENGTH", "FLUX", "FLUX_ERROR")])
        rows["FLUX"] = number
        table = fits.BinTableHDU(rows, name="EXTRACT1D", ver=number)
        if kind:
            table.header["SRCTYPE"] = kind
        hdus.append(table)
    fits.HDUList(hdus).writeto(path)
    return path


@pytest.mark.parametrize(
    ("kinds", "flux"),
    [(("EXTENDED", "EXTENDED", "POINT"), 3), (("EXTENDED", "UNKNOWN"), 1), ((None,), 1)],
)
def test_the_spectrum_is_that_of_the_star(tmp_path, kinds, flux):
    assert read_rows(write(tmp_path / "x_x1d.fits", kinds))[1].tolist() == [[flux] * 3]
