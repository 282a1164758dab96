"""Optimal extraction beside the official step on the same files, in units of the error.

``pixel_weights=uniform`` and ``profile_sum=array`` are the official way. The official profiles are
half a pixel beside the trace where the bounding box begins at the edge of the first pixel; ours are
moved there.
"""

import json
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits

from calwebb_core.framework.call import call_pipeline
from calwebb_core.framework.products import write_image
from calwebb_core.framework.spectra_products import read_spectra
from calwebb_spec2.pipeline import PIPELINE
from official_process import run_official

from .test_extract_1d import NACROSS, WAVES
from .test_extract_1d_peer import PEER, noisy

FINE, HALF = 10, 30
OFFICIAL = {"extraction_type": "optimal", "pixel_weights": "uniform", "profile_sum": "array"}
CASES = {
    "star": {"subtract_background": False},
    "level": {"subtract_background": True},
    "slope": {"subtract_background": True, "bkg_order": 1},
    "middle": {"use_source_posn": False},
}
HEADER = {
    "TELESCOP": "JWST", "INSTRUME": "MIRI", "DETECTOR": "MIRIMAGE", "FILTER": "P750L",
    "EXP_TYPE": "MIR_LRS-FIXEDSLIT", "REFTYPE": "PSF", "DATAMODL": "SpecPsfModel", "AUTHOR": "test",
    "PEDIGREE": "DUMMY", "DESCRIP": "a test", "USEAFTER": "2020-01-01T00:00:00",
}  # fmt: skip


def write_psf(path):
    """Write a Gaussian that is wider at longer wavelengths."""
    wave = np.linspace(12.0, 4.0, 40)
    place = (np.arange(2 * HALF * FINE + 1) - HALF * FINE) / FINE
    table = np.exp(-((place / (1.0 + 0.1 * wave[:, None])) ** 2) / 2)
    psf = fits.ImageHDU(table, name="PSF")
    psf.header.update(SUBPIX=float(FINE), CENTCOL=float(HALF * FINE), APERTURE="ANY")
    first = fits.PrimaryHDU()
    first.header.update(HEADER)
    fits.HDUList([first, psf, fits.ImageHDU(wave, name="WAVE")]).writeto(path)


@pytest.mark.peer
@pytest.mark.slow
def test_profiles_are_fitted_as_by_the_official_step(tmp_path):
    model = noisy(None, lost=True)
    model.metadata["FILTER"] = "P750L"
    distance = np.arange(NACROSS) - 11.1
    model.data += 500.0 * np.exp(-((distance / (1.0 + 0.1 * WAVES[:, None])) ** 2) / 2)
    path = tmp_path / model.metadata.source
    write_image(model, path)
    psf, reference = tmp_path / "psf.fits", tmp_path / "apertures.json"
    write_psf(psf)
    entry = {"id": "ANY", "region_type": "target", "dispaxis": 2, "extract_width": 7}
    reference.write_text(json.dumps({"REFTYPE": "EXTRACT1D", "apertures": [entry]}))
    common = {"extraction_type": "optimal", "optimize_psf_location": False}
    told = [
        {
            "input": str(path), "extract1d": str(reference), "apcorr": "N/A", "psf": str(psf),
            "output": str(tmp_path / f"{name}_x1d.fits"), "options": options | common,
        }
        for name, options in CASES.items()
    ]  # fmt: skip
    (tmp_path / "cases.json").write_text(json.dumps(told))
    run_official(PEER.read_text(), tmp_path / "cases.json", folder=tmp_path)
    for case, (name, options) in zip(told, CASES.items(), strict=True):
        found = call_pipeline(
            PIPELINE, path, only="extract_1d", output_dir=tmp_path / name,
            overrides={"extract1d": reference, "psf": psf, "apcorr": "N/A"},
            parameters={
                "extract_1d": OFFICIAL | options
                | {"optimize_psf_location": False, "position_offset": 0.5}
            },
        )  # fmt: skip
        ours = read_spectra(found.outputs[0]).spectra[0].columns
        theirs = read_spectra(Path(case["output"])).spectra[0].columns
        apart = np.abs(ours["FLUX"] - theirs["FLUX"]) / theirs["FLUX_ERROR"]
        assert apart.max() < 1e-6, name
        for column in ("FLUX_ERROR", "FLUX_VAR_POISSON", "NPIXELS", "WAVELENGTH", "SURF_BRIGHT"):
            np.testing.assert_allclose(ours[column], theirs[column], rtol=1e-6, err_msg=name)
