"""Extracted spectra of simulated exposures beside the official extract_1d on the same files."""

import json
from pathlib import Path

import numpy as np
import pytest

from calwebb_core.framework.spectra_products import read_spectra
from official_process import ROOT, run_official
from programs import SERVERLESS, run

pytestmark = [pytest.mark.peer, pytest.mark.slow]

SCRIPT = ROOT / "stages" / "spec2" / "tests" / "peer_extract_1d.py"
DROP = "extract_1d.lost_pixels=drop"
# the official way, see docs/extraction.md
OPTIMAL = [
    "extract_1d.extraction_type=optimal", "extract_1d.pixel_weights=uniform",
    "extract_1d.profile_sum=array", "extract_1d.subtract_background=false",
]  # fmt: skip
SETTINGS = {"extraction_type": "optimal", "subtract_background": False}


class Data:
    """A simulated scenario in a folder."""

    def __init__(self, folder: Path, scenario: str, *options: str) -> None:
        self.folder = folder
        self.cache = folder / "crds_cache"
        words = ["--scenario", scenario, *options, "--output-dir", folder, "-q"]
        run(["calwebb-simulate", "rates", *words])

    def call(self, program, source, output, *settings, skip=()):
        """Run a stage and return the folder of its products."""
        words = [word for setting in settings for word in ("--set", setting)]
        words += [word for step in skip for word in ("--skip", step)]
        chosen = {"CRDS_SERVER_URL": SERVERLESS, "CRDS_CONTEXT": "jwst_0001.pmap"}
        run(
            [program, "run", source, *words, "--output-dir", self.folder / output, "-q"],
            CRDS_PATH=str(self.cache), **chosen,
        )  # fmt: skip
        return self.folder / output

    def official(self, source, name, options, *left_out):
        """Return the official spectrum of a product with the references of the simulation."""
        case = {"input": str(source), "output": str(self.folder / name), "options": options}
        for kind in ("extract1d", "apcorr", "psf"):
            found = sorted(self.cache.glob(f"references/*/*/*_{kind}_*"))
            case[kind] = str(found[0]) if found and kind not in left_out else "N/A"
        (self.folder / "cases.json").write_text(json.dumps([case]))
        run_official(SCRIPT.read_text(), self.folder / "cases.json", folder=self.folder)
        (spectrum,) = read_spectra(self.folder / name).spectra
        return spectrum.columns


def apart(ours, theirs, limit=2e-6):
    """Return how far fluxes are apart in units of the error, where both have an element."""
    waves = np.ravel(ours["WAVELENGTH"]), np.ravel(theirs["WAVELENGTH"])
    places = np.abs(waves[0][:, None] - waves[1]).argmin(axis=0)
    assert np.abs(waves[0][places] - waves[1]).max() < limit
    # ours may have an element more at each end
    assert len(waves[0]) - len(waves[1]) in (0, 1, 2)
    pairs = np.ravel(ours["FLUX"])[places], np.ravel(theirs["FLUX"])
    np.testing.assert_array_equal(*map(np.isnan, pairs))
    return np.abs(pairs[0] - pairs[1]) / np.ravel(theirs["FLUX_ERROR"])


def spectrum_in(folder, pattern):
    (path,) = folder.glob(pattern)
    (spectrum,) = read_spectra(path).spectra
    return spectrum.columns


def test_bright_objects_get_the_same_aperture_correction(tmp_path):
    """Places along NIRSpec's slit come out of inverse polynomials, to some 1e-5 pixel."""
    data = Data(tmp_path, "nirspec-bright", "--integrations", "3", "--segments", "1")
    (rates,) = (tmp_path / "rates").iterdir()
    out = data.call("calwebb-spec2", rates, "out", DROP)
    (source,) = out.glob("*_calints.fits")
    ours = spectrum_in(out, "*_x1dints.fits")
    theirs = data.official(source, "theirs_x1dints.fits", {})
    assert ours["FLUX"].shape == theirs["FLUX"].shape == (3, len(ours["FLUX"][0]))
    differ = [
        np.abs(ours[name] - theirs[name]) / theirs["FLUX_ERROR"] for name in ("FLUX", "FLUX_ERROR")
    ]
    assert np.nanmax(differ) < 1e-3
    np.testing.assert_array_equal(np.isnan(ours["FLUX"]), np.isnan(theirs["FLUX"]))
    bare = data.official(source, "bare_x1dints.fits", {}, "apcorr")
    corrected = np.abs(theirs["FLUX"] - bare["FLUX"]) / theirs["FLUX_ERROR"]
    assert np.nanmedian(corrected) > 20 * np.nanmax(differ)


@pytest.fixture(scope="module")
def nods(tmp_path_factory):
    """Two nods of a star in MIRI's slit, each the other's background."""
    data = Data(tmp_path_factory.mktemp("nods"), "lrs-slit")
    pool, made = data.folder / "pool.csv", data.folder / "rates"
    run(["calwebb-pool", made, "-o", pool, "-q"])
    run(["calwebb-associate", pool, "--output-dir", made, "-q"])
    for path in sorted(made.glob("*_spec2_*_asn.json")):
        data.call("calwebb-spec2", path, "out", *OPTIMAL, skip=["resample_spec"])
    return data


@pytest.mark.parametrize("number", [1, 2])
def test_the_star_of_the_other_nod_is_fitted_as_by_the_official_step(nods, number):
    """Both look for the places of the two stars; where they end differs by a little."""
    root = f"jw01702001001_02101_0000{number}_mirimage"
    out = nods.folder / "out"
    ours = spectrum_in(out, f"{root}_x1d.fits")
    source = out / f"{root}_cal.fits"
    theirs = nods.official(source, f"{root}_theirs.fits", SETTINGS)
    differ = apart(ours, theirs)
    assert np.median(differ) < 0.1
    assert np.percentile(differ, 99) < 0.8
    alone = nods.official(source, f"{root}_alone.fits", SETTINGS | {"model_nod_pair": False})
    assert np.median(differ) < 0.8 * np.median(apart(ours, alone))


def test_the_spectrum_of_two_nods_is_that_of_the_official_step(nods):
    (association,) = (nods.folder / "rates").glob("*_spec3_*_asn.json")
    moved = nods.folder / "out" / association.name
    moved.write_bytes(association.read_bytes())
    out = nods.call("calwebb-spec3", moved, "stage3", "resample_spec.lost_pixels=drop", DROP)
    (source,) = out.glob("*_s2d.fits")
    ours = spectrum_in(out, "*_x1d.fits")
    theirs = nods.official(source, "theirs3_x1d.fits", {})
    assert apart(ours, theirs).max() < 1e-6
