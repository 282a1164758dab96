"""flat_field, pathloss and photom beside the official steps, on the same files and references."""

import logging
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits

from calwebb_core.framework.call import call_pipeline
from calwebb_core.framework.models import Slits
from calwebb_spec2 import PIPELINE
from calwebb_spec2.inputs import read_file
from official_process import REALDATA, run_official

pytestmark = [pytest.mark.peer, pytest.mark.slow]

ROOT = "jw09999001001_0{}101_00001_{}_{}.fits"
FLATS = {kind: f"{kind}.fits" for kind in ("fflat", "sflat", "dflat")}
LOSSES = {"pathloss": "pathloss.fits"}
PHOTOM = {"photom": "photom.fits", "area": "area.fits"}
LRS = {"photom": "lrs_photom.fits", "area": "N/A"}
CASES = [
    (1, "nrs1", "start", "flat_field", FLATS),
    (1, "nrs1", "flat_field", "pathloss", LOSSES),
    (1, "nrs1", "pathloss", "photom", PHOTOM),
    (2, "nrs1", "start", "flat_field", FLATS),
    (2, "nrs1", "flat_field", "photom", PHOTOM),
    (3, "nrcalong", "start", "photom", {"photom": "grism_photom.fits", "area": "N/A"}),
]
# specwcs is read where targ_centroid has found the source
LRS_LOSSES = {"pathloss": "lrs_pathloss.fits", "specwcs": "N/A"}
REAL = [
    (4, "mirimage", "assign_wcs", "pathloss", LRS_LOSSES),
    (4, "mirimage", "pathloss", "photom", LRS),
    (5, "mirimage", "assign_wcs", "photom", LRS),
]
ARRAYS = ("SCI", "ERR", "VAR_POISSON", "VAR_RNOISE", "VAR_FLAT")
PLANES = ("FLATFIELD_PS", "FLATFIELD_UN", "PATHLOSS_PS", "PATHLOSS_UN", "PHOTOM_PS", "PHOTOM_UN")
KEYWORDS = ("PHOTMJSR", "PHOTUJA2", "PIXAR_SR", "PIXAR_A2", "PTHLOSS")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The folder with all inputs, references and official products."""
    folder = tmp_path_factory.mktemp("flux")
    script = Path(__file__).with_name("peer_flux.py").read_text()
    real = [REALDATA] if (REALDATA / "crds_cache" / "references").is_dir() else []
    run_official(script, folder, *real, folder=folder)
    return folder


def both(made, tmp_path, case, product=None, **options):
    """The official product of a step, and ours of the same input."""
    number, detector, before, name, references = case
    source = made / ROOT.format(number, detector, before)
    if not source.exists():
        pytest.skip("no real references for the WCS of MIRI LRS")
    overrides = {kind: file if file == "N/A" else made / file for kind, file in references.items()}
    (ours,) = call_pipeline(
        PIPELINE, source, only=name, output_dir=tmp_path, overrides=overrides,
        parameters={name: options},
    ).outputs  # fmt: skip
    return made / ROOT.format(number, detector, product or name), ours


def check_extension(theirs, ours, name, version, tolerance):
    """Compare one array; an element may differ by the rounding of float32."""
    a, b = (hdus[name, version].data for hdus in (theirs, ours))
    assert a.shape == b.shape
    np.testing.assert_array_equal(np.isnan(a), np.isnan(b), err_msg=f"{name} {version}")
    np.testing.assert_allclose(b, a, rtol=tolerance, atol=1e-30, err_msg=f"{name} {version}")


@pytest.mark.parametrize("case", CASES + REAL, ids=lambda case: f"{case[0]}-{case[3]}")
def test_the_arrays_are_those_of_the_official_step(made, tmp_path, case, caplog):
    caplog.set_level(logging.ERROR)
    # the target's place along the slit comes out of inverse polynomials, to some 1e-5 pixel
    tolerance = 3e-5 if case in REAL and case[3] == "pathloss" else 3e-6
    with fits.open((paths := both(made, tmp_path, case))[0]) as theirs, fits.open(paths[1]) as ours:
        versions = [hdu.ver for hdu in theirs if hdu.name == "SCI"]
        for version in versions:
            there = {hdu.name for hdu in theirs if hdu.ver == version}
            for name in (*ARRAYS, *PLANES):
                if name in there and theirs[name, version].data is not None:
                    check_extension(theirs, ours, name, version, tolerance)
            np.testing.assert_array_equal(theirs["DQ", version].data, ours["DQ", version].data)
            heads = [hdus["SCI", version].header for hdus in (theirs, ours)]
            for keyword in KEYWORDS:
                a, b = (head.get(keyword) for head in heads)
                assert b == (pytest.approx(a, rel=1e-6) if isinstance(a, float) else a), keyword
            if case[3] == "photom":
                assert heads[0]["BUNIT"] == heads[1]["BUNIT"]


def test_each_slit_has_what_it_needs_for_the_background(made, tmp_path, caplog):
    caplog.set_level(logging.ERROR)
    model = None
    for case in CASES[:3]:
        model = read_file(both(made, tmp_path, case)[1])
    assert isinstance(model, Slits)
    target, *others = model.slits
    assert {"FLATFIELD_PS", "PATHLOSS_UN", "PHOTOM_PS", "PHOTOM_UN"} <= set(target.planes)
    assert not any("PHOTOM_PS" in slit.planes for slit in others)


@pytest.mark.parametrize("number", [1, 2])
@pytest.mark.parametrize("algorithm", ["mingrad", "fit_profile"])
def test_replaced_pixels_are_those_of_the_official_step(made, tmp_path, number, algorithm):
    case = (number, "nrs1", "photom", "pixel_replace", {})
    product = algorithm.replace("_", "")
    # the official step looks for the scale of a profile in steps, not to the last digit
    tolerance = 1e-6 if algorithm == "mingrad" else 2e-3
    paths = both(made, tmp_path, case, product, skip=False, algorithm=algorithm)
    with fits.open(paths[0]) as theirs, fits.open(paths[1]) as ours:
        flags = [np.concatenate([hdu.data.ravel() for hdu in hdus if hdu.name == "DQ"])
                 for hdus in (theirs, ours)]  # fmt: skip
        np.testing.assert_array_equal(*flags)
        assert np.count_nonzero(flags[0] & 268435456)
        for version in [hdu.ver for hdu in theirs if hdu.name == "SCI"]:
            for name in ARRAYS:
                check_extension(theirs, ours, name, version, tolerance)


@pytest.mark.parametrize(
    ("product", "options"), [("one_mask", {}), ("masks", {"single_mask": False})]
)
def test_cleaned_rates_are_those_of_the_official_step(made, tmp_path, product, options):
    case = (6, "nrs1", "start", "clean_flicker_noise", {})
    paths = both(made, tmp_path, case, product, skip=False, **options)
    with fits.open(paths[0]) as theirs, fits.open(paths[1]) as ours:
        difference = theirs["SCI"].data - ours["SCI"].data
        assert np.nanmax(np.abs(difference)) < 5e-6
        lines = np.nanmedian(ours["SCI"].data[:, :12], axis=1)
        assert np.std(lines) < 0.25
        np.testing.assert_array_equal(theirs["DQ"].data, ours["DQ"].data)
        np.testing.assert_array_equal(theirs["ERR"].data, ours["ERR"].data)
