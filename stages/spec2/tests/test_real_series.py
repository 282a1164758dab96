"""MIRI's spectra without slit as others simulated and reduced them, through our stage 2.

The `_rateints` was made by jwst 1.4.1, the `_calints` from it by jwst 2.0.1 without flat and
photom. The reference files of the optics are older than those that it took, which are not at hand.
"""

import json

import numpy as np
import pytest

from calwebb_core.framework.call import call_pipeline
from calwebb_core.framework.products import read_image
from calwebb_core.framework.spectra_products import read_spectra
from calwebb_core.science.spectral.wavelengths import wavelengths
from calwebb_spec2.pipeline import PIPELINE
from official_process import REALDATA

ROOT = "ERS_NGTS10_2022_new_drift_041"
OPTICS = {
    "specwcs": REALDATA / "miri_wcs" / "jwst_miri_specwcs_0006.fits",
    "distortion": REALDATA / "miri_wcs" / "jwst_miri_imager_distortion_flt9.asdf",
}
COLUMNS = slice(33, 42)
LEFT_OUT = ("flat_field", "photom")


@pytest.mark.realdata
def test_a_series_that_others_simulated(tmp_path):
    paths = [REALDATA / "miri_lrs" / f"{ROOT}_{kind}.fits" for kind in ("rateints", "calints")]
    for path in (*paths, *OPTICS.values()):
        if not path.is_file():
            pytest.skip(f"real data is absent: {path} (set CALWEBB_REALDATA)")
    entry = {"id": "ANY", "region_type": "target", "dispaxis": 2, "xstart": 33, "xstop": 41}
    reference = tmp_path / "extract1d.json"
    reference.write_text(json.dumps({"REFTYPE": "EXTRACT1D", "apertures": [entry]}))
    overrides = dict.fromkeys(("flat", "photom", "apcorr", "psf", "filteroffset"), "N/A")
    overrides |= {kind: str(path) for kind, path in OPTICS.items()}
    result = call_pipeline(
        PIPELINE, paths[0], output_dir=tmp_path / "out", skip=LEFT_OUT,
        overrides=overrides | {"extract1d": str(reference)},
        parameters={"extract_1d": {"lost_pixels": "drop"}},
    )  # fmt: skip
    found = {path.stem.rpartition("_")[2]: path for path in result.outputs}
    ours, theirs = read_image(found["calints"]), read_image(paths[1])
    for name in ("data", "err", "dq", "var_poisson", "var_rnoise"):
        np.testing.assert_array_equal(getattr(ours, name), getattr(theirs, name), err_msg=name)
    off = np.abs(wavelengths(ours) - wavelengths(theirs))
    np.testing.assert_array_equal(np.isnan(off), np.isnan(wavelengths(theirs)))
    step = np.abs(np.gradient(wavelengths(theirs), axis=0))
    # what the newer file of their optics says differently
    assert np.nanmedian(off / step) < 1.0
    assert np.nanmax(off / step) < 4.0
    spectrum = read_spectra(found["x1dints"]).spectra[0].columns
    rows = np.flatnonzero(np.isfinite(wavelengths(ours)[:, COLUMNS]).any(axis=1))
    light = np.nansum(np.where(theirs.dq & 1, np.nan, theirs.data)[:, rows, COLUMNS], axis=2)
    assert spectrum["FLUX"].shape == light.shape
    np.testing.assert_allclose(spectrum["FLUX"], light, rtol=1e-5)
