"""Scenarios of all instruments, small: products and references open, crds chooses the files."""

import json
from dataclasses import replace

import numpy as np
import pytest
from astropy.io import fits

from calwebb_core.framework.crds_client import best_references
from calwebb_core.framework.products import open_raw, read_metadata
from calwebb_simulator.references.crds import reference_types
from calwebb_simulator.run import run
from calwebb_simulator.scenario import with_options
from calwebb_simulator.scenario_file import load_scenario

COMMON = {"mask", "saturation", "linearity", "dark", "gain", "readnoise"}
OPTICS = {"distortion", "flat", "photom", "area", "apcorr", "abvegaoffset"}
EXPECTED = {
    "miri": COMMON | OPTICS | {"reset", "rscd", "lastframe", "emicorr", "filteroffset"},
    "niriss": COMMON | OPTICS | {"superbias"},
    "nirspec-subarray": COMMON | {"superbias"},
    "nirspec-irs2": COMMON | {"superbias", "refpix", "pictureframe"},
    "fgs": COMMON | OPTICS | {"superbias"},
}
QUICK = ("miri", "niriss", "nirspec-subarray")
MODELS = {
    "mask": "MaskModel",
    "saturation": "SaturationModel",
    "superbias": "SuperBiasModel",
    "linearity": "LinearityModel",
    "gain": "GainModel",
    "readnoise": "ReadnoiseModel",
    "refpix": "IRS2Model",
    "rscd": "RSCDModel",
    "reset": "ResetModel",
    "lastframe": "LastFrameModel",
    "emicorr": "EmiModel",
    "sirskernel": "SIRSKernelModel",
    "pictureframe": "PictureFrameModel",
    "flat": "FlatModel",
    "area": "PixelAreaModel",
    "distortion": "DistortionModel",
    "filteroffset": "FilteroffsetModel",
    "abvegaoffset": "ABVegaOffsetModel",
}


def small(name):
    scenario = load_scenario(name)
    options = {"count": 1, "groups": 2} if name not in QUICK else {"count": 1}
    return with_options(scenario, **options)


@pytest.fixture(
    scope="module",
    params=[
        name if name in QUICK else pytest.param(name, marks=pytest.mark.slow) for name in EXPECTED
    ],
)
def done(request, tmp_path_factory):
    scenario = replace(small(request.param), inverse_linearity=True)
    return request.param, scenario, run(scenario, tmp_path_factory.mktemp(request.param))


def chosen(outcome, path, monkeypatch):
    monkeypatch.setenv("CRDS_PATH", str(outcome.cache))
    monkeypatch.setenv("CRDS_SERVER_URL", "https://jwst-serverless-mode.stsci.edu")
    monkeypatch.setenv("CRDS_READONLY_CACHE", "1")
    return best_references(read_metadata(path), reference_types(), "jwst_0001.pmap")


def test_crds_chooses_every_file(done, monkeypatch):
    name, _, outcome = done
    for path in outcome.raw:
        found = chosen(outcome, path, monkeypatch)
        kinds = {kind for kind, file in found.names.items() if file != "N/A"}
        assert kinds == EXPECTED[name]
        assert all(file.is_file() for file in found.paths.values())


def test_raw_counts_open(done):
    name, _, outcome = done
    for path in outcome.raw:
        with open_raw(path) as raw:
            counts = raw.read_rows(0, 0, 16)
            assert np.median(counts) > 5000
            assert counts.max() < 65535
            assert (raw.refout(0) is not None) == (name == "miri")
            metadata = raw.metadata
        assert metadata["SUBSIZE2"] == (2048 if name == "nirspec-irs2" else raw.shape[2])
        assert ("NRS_NORM" in metadata) == (name == "nirspec-irs2")
        needed = "EXP_TYPE READPATT NOUTPUTS FASTAXIS SLOWAXIS TFRAME TGROUP SUBSTRT1 FILTER"
        assert [key for key in needed.split() if key not in metadata] == []


@pytest.mark.filterwarnings("error")
def test_official_data_models_open_everything(done, monkeypatch):
    datamodels = pytest.importorskip("stdatamodels.jwst.datamodels")
    _, _, outcome = done
    for path in outcome.raw:
        with datamodels.Level1bModel(path) as model:
            assert model.data.ndim == 4
            model.validate()
        for kind, file in chosen(outcome, path, monkeypatch).paths.items():
            model = getattr(datamodels, model_of(kind, file))
            with model(file) as opened:
                opened.validate()


def model_of(kind, file):
    return MODELS.get(kind) or fits.getval(file, "DATAMODL")


def test_truth_holds_the_rates(done):
    name, scenario, outcome = done
    summary = json.loads((outcome.truth / "truth.json").read_text())
    assert len(summary["exposures"]) == len(outcome.raw)
    with fits.open(sorted(outcome.truth.glob("*_truth.fits"))[0]) as hdus:
        rate, surface = hdus["SCI"].data, hdus["CAL"].data
    assert np.all(np.isfinite(rate))
    if name.startswith("nirspec"):
        assert np.all(np.isnan(surface))
        assert np.median(rate) == pytest.approx(scenario.scene.sky, rel=0.1)
    else:
        # nowhere is less than the sky, and somewhere there is a source
        assert np.nanmin(surface) > 0.99 * scenario.scene.sky
        assert np.nanmax(surface) > 2 * np.nanmin(surface)


def test_linearity_has_its_inverse(done, monkeypatch):
    _, _, outcome = done
    path = chosen(outcome, outcome.raw[0], monkeypatch).paths["linearity"]
    with fits.open(path) as hdus:
        rows = slice(hdus["COEFFS"].shape[1] // 2, hdus["COEFFS"].shape[1] // 2 + 4)
        forward, back = (hdus[key].data[:, rows].astype(float) for key in ("COEFFS", "INV_COEFFS"))
    for counts in (9500.0, 20_000.0):
        linear = sum(item * counts**power for power, item in enumerate(forward))
        again = sum(item * linear**power for power, item in enumerate(back))
        assert np.abs(again - counts).max() < 1.5
