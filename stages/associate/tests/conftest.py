"""Small raw exposures (header only), pools, and the real data."""

import os
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[3]
REALDATA = Path(os.environ.get("CALWEBB_REALDATA", REPOSITORY.parent / "shared" / "realdata"))

HEADER = {
    "TELESCOP": "JWST",
    "DATE-OBS": "2022-07-01",
    "TIME-OBS": "10:20:30.400",
    "OBS_ID": "V01345001001P0000000002201",
    "PROGRAM": "01345",
    "OBSERVTN": "001",
    "VISIT": "001",
    "VISITGRP": "02",
    "ACT_ID": "01",
    "EXPOSURE": "00001",
    "BKGDTARG": False,
    "VISITYPE": "PRIME_TARGETED_FIXED",
    "TSOVISIT": False,
    "TARGPROP": "EGS",
    "INSTRUME": "NIRCAM",
    "DETECTOR": "NRCALONG",
    "MODULE": "A",
    "CHANNEL": "LONG",
    "FILTER": "F277W",
    "PUPIL": "CLEAR",
    "EXP_TYPE": "NRC_IMAGE",
    "READPATT": "MEDIUM8",
    "NINTS": 1,
    "NGROUPS": 10,
    "SUBARRAY": "FULL",
    "SUBSTRT1": 1,
    "SUBSTRT2": 1,
    "SUBSIZE1": 2048,
    "SUBSIZE2": 2048,
    "PATT_NUM": 1,
    "GWA_XTIL": -0.25,
}


def card(keyword, value):
    if isinstance(value, bool):
        text = f"{'T' if value else 'F':>20}"
    elif isinstance(value, str):
        text = f"'{value.replace(chr(39), chr(39) * 2):<8}'"
    else:
        text = f"{value:>20}"
    return f"{keyword:<8}= {text} / comment".ljust(80)[:80]


def header_bytes(**keywords):
    cards = ["SIMPLE  =                    T".ljust(80), "BITPIX  =                    8".ljust(80)]
    cards.append("NAXIS   =                    0".ljust(80))
    cards += [card(keyword, value) for keyword, value in keywords.items() if value is not None]
    text = "".join(cards) + "END".ljust(80)
    return text.ljust(-(-len(text) // 2880) * 2880).encode("ascii")


@pytest.fixture
def put(tmp_path):
    """Write the primary header of a raw exposure; keywords replace those of `HEADER`."""

    def write(name="jw01345001001_02201_00001_nrcalong_uncal.fits", folder=None, **keywords):
        changed = {key.replace("__", "-"): value for key, value in keywords.items()}
        path = (folder or tmp_path) / name
        path.write_bytes(header_bytes(**(HEADER | changed)))
        return path

    return write


@pytest.fixture
def realdata():
    if not REALDATA.is_dir():
        pytest.skip(f"no real data in {REALDATA}")
    return REALDATA


@pytest.fixture
def crds(monkeypatch, tmp_path):
    """Use the real CRDS cache without a server."""
    if not REALDATA.is_dir():
        pytest.skip(f"no real data in {REALDATA}")
    monkeypatch.setenv("CRDS_PATH", str(REALDATA / "crds_cache"))
    monkeypatch.setenv("CRDS_SERVER_URL", "https://jwst-serverless-mode.stsci.edu")
    monkeypatch.setenv("CRDS_READONLY_CACHE", "1")
    monkeypatch.delenv("CRDS_CONTEXT", raising=False)
    return REALDATA / "crds_cache"


@pytest.fixture
def raw(put, tmp_path):
    """Folder with two raw exposures of one observation."""
    folder = tmp_path / "raw"
    folder.mkdir()
    for number in (1, 2):
        put(f"jw01345001001_02201_0000{number}_nrcalong_uncal.fits", folder)
    return folder
