"""Spectra of NIRSpec's slits in stage 3 beside the official extract_1d on the same ``_s2d``.

Two nods on one grid, a point and light that fills its slit; ``lost_pixels=drop`` is the official
way. MIRI's slit is in tests/peer/test_extraction.py.
"""

import json

import numpy as np
import pytest

from calwebb_core.framework.product_reading import read_image
from calwebb_core.framework.spectra_products import read_spectra
from calwebb_core.science.dq import DO_NOT_USE
from calwebb_core.science.spectral.rectified_grid import RectifiedGrid
from calwebb_level3.spec3 import run as spec3
from official_process import ROOT, run_official

from .slit import DEC, NY, RA, STEP, WAVES, slits, write, write_members

pytestmark = [pytest.mark.peer, pytest.mark.slow]

PEER = ROOT / "stages" / "spec2" / "tests" / "peer_extract_1d.py"
PRODUCT = "jw01703-o001_{source_id}_nirspec_f290lp-g395h-{slit_name}"
KINDS = {1: ("POINT", "MJy"), 2: ("EXTENDED", "MJy/sr")}
BACKGROUND = {"bkg_coeff": [[1.5], [6.5], [25.5], [29.5]], "bkg_order": 1}
LOST = 40  # element with lost pixels
PLACES = ("EXTRXSTR", "EXTRXSTP", "EXTRYSTR", "EXTRYSTP", "SLIT_RA", "SLIT_DEC", "SOURCEID")


def nod(number, shift):
    """Return an exposure of two slits with lost pixels, the star `shift` pixels off the middle."""
    one = slits(number, shift)
    middle = (NY - 1) / 2 + shift
    places = 0.05 * (np.arange(NY) - middle)
    for slit in one.slits:
        lost = slice(round(middle) + 1, round(middle) + 3), LOST
        slit.data[lost], slit.dq[lost] = np.nan, DO_NOT_USE
        slit.wcs = RectifiedGrid((RA, DEC), (0.6, 0.8), STEP, middle, NY, WAVES, 1, places).world()
        kind, unit = KINDS[slit.metadata["SOURCEID"]]
        slit.metadata.update({"SRCTYPE": kind, "BUNIT": unit, "SRCXPOS": 0.0, "SRCYPOS": 0.0})
    return one


@pytest.mark.parametrize("values", [{}, BACKGROUND], ids=["sum", "background"])
def test_spectra_of_slits_are_those_of_the_official_step(tmp_path, values):
    entry = {"id": "ANY", "region_type": "target", "dispaxis": 1, "extract_width": 8}
    reference = tmp_path / "apertures.json"
    reference.write_text(json.dumps({"REFTYPE": "EXTRACT1D", "apertures": [entry | values]}))
    wish = {"lost_pixels": "drop"}
    result = spec3(
        write_members(tmp_path, write(tmp_path, [nod(1, 0.0), nod(2, 3.3)]), product=PRODUCT),
        output_dir=tmp_path / "out", overrides={"extract1d": reference, "apcorr": "N/A"},
        parameters={"resample_spec": wish, "extract_1d": wish},
    )  # fmt: skip
    grids = [path for path in result.outputs if path.name.endswith("_s2d.fits")]
    found = [path for path in result.outputs if path.name.endswith("_x1d.fits")]
    told = [
        {
            "input": str(path), "extract1d": str(reference), "apcorr": "N/A", "options": {},
            "output": str(tmp_path / f"{number}_x1d.fits"),
        }
        for number, path in enumerate(grids)
    ]  # fmt: skip
    (tmp_path / "cases.json").write_text(json.dumps(told))
    run_official(PEER.read_text(), tmp_path / "cases.json", folder=tmp_path)
    kinds = []
    for path, case in zip(found, told, strict=True):
        (ours,), (theirs,) = (read_spectra(p).spectra for p in (path, case["output"]))
        check(ours, theirs)
        kinds.append(ours.metadata["SRCTYPE"])
    assert kinds == ["POINT", "EXTENDED"]
    assert all(read_image(grid).metadata["S_RESAMP"] == "COMPLETE" for grid in grids)


def check(ours, theirs):
    """Compare two spectra of one source."""
    mine, known = ours.columns, theirs.columns
    assert mine["FLUX"].shape == known["FLUX"].shape
    for name in PLACES:
        assert ours.metadata[name] == pytest.approx(theirs.metadata[name], abs=1e-5), name
    scale = known["FLUX_ERROR"]
    assert np.max(np.abs(mine["FLUX"] - known["FLUX"]) / scale) < 1e-5
    for name in ("WAVELENGTH", "SURF_BRIGHT", "BACKGROUND", "NPIXELS"):
        np.testing.assert_allclose(mine[name], known[name], rtol=1e-5, err_msg=name)
    # with lost pixels they add the background's variance for the whole aperture
    whole = np.arange(mine["FLUX"].size) != LOST
    for name in ("FLUX_ERROR", "FLUX_VAR_POISSON", "FLUX_VAR_RNOISE"):
        np.testing.assert_allclose(mine[name][whole], known[name][whole], rtol=1e-5, err_msg=name)
