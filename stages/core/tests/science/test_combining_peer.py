"""combine_1d beside the official step on the same files.

Equal but for two things. Where the mean wavelength is beyond the last one of a spectrum that still
reaches there with half an element, the official step leaves that spectrum out; ours counts it. A
wavelength at which no spectrum has a value is left out there, and NaN here.

Each file holds the spectra of one source from several exposures: on the same wavelengths, moved
against each other by part of an element, of different length, and with values that are not used.
"""

import numpy as np
import pytest

from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.spectra import EXTRACTED, Spectra, Spectrum
from calwebb_core.framework.spectra_products import write_spectra
from calwebb_core.science.spectral.combining import WEIGHTS, combine
from official_process import run_official

OFFICIAL = """
import logging
import sys
import numpy as np
import stdatamodels.jwst.datamodels as dm
from jwst.combine_1d import Combine1dStep

logging.disable(logging.WARNING)
found = {}
for name in sys.argv[2:]:
    for key in ("exposure_time", "integration_time", "unit_weight"):
        result = Combine1dStep.call(name + "_x1d.fits", exptime_key=key)
        table = result.spec[0].spec_table
        for column in table.dtype.names:
            found[f"{name}-{key}-{column}"] = np.asarray(table[column], float)
np.savez(sys.argv[1], **found)
"""
WAVES = np.linspace(5.0, 12.0, 60) ** 1.01
KEYWORDS = {
    "TELESCOP": "JWST", "INSTRUME": "MIRI", "DETECTOR": "MIRIMAGE", "FILTER": "P750L",
    "EXP_TYPE": "MIR_LRS-FIXEDSLIT", "EFFEXPTM": 100.0, "EFFINTTM": 10.0, "SUBARRAY": "FULL",
    "DATE-OBS": "2022-06-03", "TIME-OBS": "16:01:32.472",
}  # fmt: skip
STEP = WAVES[1] - WAVES[0]
CASES = {
    "same": (WAVES, WAVES, WAVES),
    "moved": (WAVES, WAVES + 0.3 * STEP, WAVES - 0.2 * STEP),
    "short": (WAVES, WAVES[10:-7], WAVES[20:]),
    "apart": (WAVES[:35] + 0.1 * STEP, WAVES[30:]),
    "lost": (WAVES, WAVES),
}
COLUMNS = (
    "WAVELENGTH", "FLUX", "ERROR", "SURF_BRIGHT", "SB_ERROR", "WEIGHT", "N_INPUT",
)  # fmt: skip


def member(wave, seed, *, lost):
    """Return a spectrum with noise, of which some values are not used."""
    rng = np.random.default_rng(seed)
    columns = {name: rng.uniform(0.5, 1.5, len(wave)) for name in EXTRACTED}
    columns |= {"WAVELENGTH": wave, "DQ": np.zeros(len(wave), np.uint32)}
    if lost:
        columns["DQ"][5 + 2 * seed] = 1
        columns["FLUX"][20 + seed] = np.nan
        columns["SURF_BRIGHT"][20 + seed] = np.nan
        columns["DQ"][20 + seed] = 1
        columns["DQ"][30] = 1
    words = Metadata({"SRCTYPE": "POINT", "SPORDER": 1, "SLTNAME": "ANY", "SOURCEID": 1})
    return Spectrum(words, columns, {"FLUX": "Jy", "SURF_BRIGHT": "MJy/sr"})


@pytest.mark.peer
@pytest.mark.slow
def test_means_are_those_of_the_official_step(tmp_path):
    products = {}
    for name, waves in CASES.items():
        spectra = [member(wave, n, lost=name == "lost") for n, wave in enumerate(waves)]
        path = tmp_path / f"{name}_x1d.fits"
        products[name] = Spectra(Metadata(KEYWORDS, path.name), spectra)
        write_spectra(products[name], path)
    run_official(OFFICIAL, "theirs.npz", *CASES, folder=tmp_path)
    theirs = np.load(tmp_path / "theirs.npz")
    for name, product in products.items():
        for key in WEIGHTS:
            ours = combine([product], exptime_key=key).spectra[0].columns
            known = np.isfinite(ours["FLUX"])
            assert np.count_nonzero(~known) == (name == "lost")
            inner = slice(1, -1) if name == "moved" else slice(None)
            for column in COLUMNS:
                expected = theirs[f"{name}-{key}-{column}"][inner]
                found = ours[column][known][inner]
                np.testing.assert_allclose(
                    found, expected, rtol=1e-6, err_msg=f"{name} {key} {column}"
                )
