import json
import os
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits

ROOT = "jw00001001001_02101_00001_nrca1"


def make_reference(path, kind="gain", value=2.0, shape=(4, 4), dtype="f4", **keywords):
    header = fits.Header({"REFTYPE": kind.upper(), "INSTRUME": "NIRCAM", "DETECTOR": "NRCA1"})
    header.update(keywords)
    data = np.full(shape, value, dtype)
    fits.HDUList([fits.PrimaryHDU(header=header), fits.ImageHDU(data, name="SCI")]).writeto(path)
    return path


@pytest.fixture
def make_gain(tmp_path):
    def make(name="gain.fits", **keywords):
        return make_reference(tmp_path / name, **keywords)

    return make


@pytest.fixture
def gain_file(tmp_path):
    return make_reference(tmp_path / "gain.fits")


@pytest.fixture
def toy_file(tmp_path):
    header = fits.Header({"INSTRUME": "NIRCAM", "DETECTOR": "NRCA1", "EXP_TYPE": "NRC_IMAGE"})
    header.update({"DATE-OBS": "2022-08-01", "TIME-OBS": "01:02:03.004"})
    path = tmp_path / f"{ROOT}_uncal.fits"
    image = fits.ImageHDU(np.ones((4, 4)), name="SCI")
    fits.HDUList([fits.PrimaryHDU(header=header), image]).writeto(path)
    return path


@pytest.fixture
def refs_file(tmp_path, gain_file):
    content = {
        "format": 1,
        "exposure": ROOT,
        "context": "jwst_0001.pmap",
        "crds_version": "14.0.3",
        "references": {"gain": {"name": "jwst_gain.fits", "path": "gain.fits", "sha256": None}},
    }
    path = tmp_path / "refs.json"
    path.write_text(json.dumps(content))
    return path


@pytest.fixture
def crds_cache(monkeypatch):
    default = Path(__file__).parents[5] / "shared" / "realdata"
    cache = Path(os.environ.get("CALWEBB_REALDATA", default)) / "crds_cache"
    if not cache.is_dir():
        pytest.skip(f"no real CRDS cache at {cache}; set CALWEBB_REALDATA")
    monkeypatch.setenv("CRDS_PATH", str(cache))
    monkeypatch.setenv("CRDS_SERVER_URL", "https://jwst-serverless-mode.stsci.edu")
    monkeypatch.setenv("CRDS_READONLY_CACHE", "1")
    monkeypatch.delenv("CRDS_CONTEXT", raising=False)
    return cache
