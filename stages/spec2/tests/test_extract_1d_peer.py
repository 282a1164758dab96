"""extract_1d beside the official step on the same files, in units of the error.

``lost_pixels=drop`` is the official way. Both are given spectra with noise, lost pixels, places,
backgrounds of several kinds, apertures by width, edges and polynomials, and series.
"""

import json
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits

from calwebb_core.framework.call import call_pipeline
from calwebb_core.framework.products import write_image
from calwebb_core.framework.spectra import TIMES
from calwebb_core.framework.spectra_products import read_spectra
from calwebb_spec2.pipeline import PIPELINE
from official_process import run_official

from .test_extract_1d import NACROSS, NWAVE, exposure

PEER = Path(__file__).with_name("peer_extract_1d.py")
BACKGROUND = [[0.0], [4.2], [15.0], [19.5]]
CASES = {
    "width": {"extract_width": 7},
    "edges": {"xstart": 6, "xstop": 13},
    "rows": {"extract_width": 6, "ystart": 2, "ystop": 9},
    "polynomial": {"src_coeff": [[6.2, 0.05], [13.1, 0.02]]},
    "wavelength": {"src_coeff": [[5.0, 0.2], [13.0, 0.1]], "independent_var": "wavelength"},
    "constant": {"extract_width": 7, "bkg_coeff": BACKGROUND},
    "median": {"extract_width": 7, "bkg_coeff": BACKGROUND, "bkg_fit": "median"},
    "slope": {"extract_width": 7, "bkg_coeff": BACKGROUND, "bkg_order": 1},
    "smooth": {"extract_width": 7, "bkg_coeff": BACKGROUND, "smoothing_length": 3},
}
VALUES = ("WAVELENGTH", "FLUX", "SURF_BRIGHT", "BACKGROUND", "NPIXELS")


SAVED = {"save_profile": True, "save_scene_model": True, "save_residual_image": True}


def noisy(nints, lost):
    exp_type = "MIR_LRS-SLITLESS" if nints else "MIR_LRS-FIXEDSLIT"
    model = exposure(
        nints, exp_type, "calints" if nints else "cal", SUBSIZE1=NACROSS, SUBSIZE2=NWAVE,
        DITH_RA=10.0, DITH_DEC=20.00002, SRCTYPE="POINT", INTSTART=1, SUBARRAY="FULL",
    )  # fmt: skip
    rng = np.random.default_rng(4)
    model.data += rng.normal(30.0, 3.0, model.data.shape).astype("f4")
    for plane in (model.var_poisson, model.var_rnoise, model.var_flat):
        plane *= rng.uniform(0.5, 2.0, plane.shape).astype("f4")
    if lost:
        model.data[..., 3, 9] = np.nan
        model.dq[..., 7, 11] |= 1
    return model


def compare(folder, cases, nints, lost):
    """Return ours and theirs by case."""
    model = noisy(nints, lost)
    path = folder / model.metadata.source
    write_image(model, path)
    told = []
    for name, values in cases.items():
        entry = {"id": "ANY", "region_type": "target", "dispaxis": 2} | values
        reference = folder / f"{name}.json"
        reference.write_text(json.dumps({"REFTYPE": "EXTRACT1D", "apertures": [entry]}))
        told.append({
            "input": str(path), "extract1d": str(reference), "apcorr": "N/A",
            "output": str(folder / f"{name}_x1d.fits"), "options": {},
        })  # fmt: skip
    (folder / "cases.json").write_text(json.dumps(told))
    run_official(PEER.read_text(), folder / "cases.json", folder=folder)
    for case, name in zip(told, cases, strict=True):
        ours = call_pipeline(
            PIPELINE, path, only="extract_1d", output_dir=folder / name,
            overrides={"extract1d": case["extract1d"], "apcorr": "N/A"},
            parameters={"extract_1d": {"lost_pixels": "drop"}},
        )  # fmt: skip
        theirs = Path(case["output"])
        yield read_spectra(ours.outputs[0]).spectra[0], read_spectra(theirs).spectra[0]


@pytest.mark.peer
@pytest.mark.slow
@pytest.mark.parametrize(("nints", "lost"), [(None, False), (None, True), (3, True)])
def test_spectra_are_those_of_the_official_step(tmp_path, nints, lost):
    for ours, theirs in compare(tmp_path, CASES, nints, lost):
        assert ours.columns["FLUX"].shape == theirs.columns["FLUX"].shape
        for name in VALUES:
            scale = theirs.columns["FLUX_ERROR"] if name == "FLUX" else 1.0
            apart = np.abs(ours.columns[name] - theirs.columns[name]) / scale
            assert apart.max() < 1e-5, name
        for name in ("EXTRXSTR", "EXTRXSTP", "SLIT_RA", "SLIT_DEC"):
            assert ours.metadata[name] == pytest.approx(theirs.metadata[name], abs=1e-5)
        # with lost pixels they add the background's variance for the whole aperture
        if not lost:
            for name in ("FLUX_ERROR", "FLUX_VAR_POISSON", "FLUX_VAR_FLAT", "BKGD_ERROR"):
                np.testing.assert_allclose(ours.columns[name], theirs.columns[name], rtol=1e-5)
        if nints:
            for name in ("INT_NUM", *TIMES):
                np.testing.assert_array_equal(ours.columns[name], theirs.columns[name])


@pytest.mark.peer
@pytest.mark.slow
@pytest.mark.parametrize("values", [CASES["width"], CASES["slope"], CASES["median"]])
def test_images_of_the_extraction_are_those_of_the_official_step(tmp_path, values):
    model = noisy(None, lost=False)
    path = tmp_path / model.metadata.source
    write_image(model, path)
    reference = tmp_path / "apertures.json"
    entry = {"id": "ANY", "region_type": "target", "dispaxis": 2} | values
    reference.write_text(json.dumps({"REFTYPE": "EXTRACT1D", "apertures": [entry]}))
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    case = {
        "input": str(path), "extract1d": str(reference), "apcorr": "N/A", "options": SAVED,
        "output": str(tmp_path / "theirs_x1d.fits"), "images": str(theirs),
    }  # fmt: skip
    (tmp_path / "cases.json").write_text(json.dumps([case]))
    run_official(PEER.read_text(), tmp_path / "cases.json", folder=tmp_path)
    call_pipeline(
        PIPELINE, path, only="extract_1d", output_dir=tmp_path / "ours",
        overrides={"extract1d": reference, "apcorr": "N/A"}, parameters={"extract_1d": SAVED},
    )  # fmt: skip
    for suffix in ("profile", "scene_model", "residual"):
        name = path.name.replace("_cal", f"_{suffix}")
        ours, expected = (fits.getdata(folder / name) for folder in (tmp_path / "ours", theirs))
        np.testing.assert_allclose(ours, expected, rtol=1e-5, atol=2e-5, err_msg=suffix)
