import hashlib
import json
import os
import subprocess
import sys

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table

from calwebb_core.framework.crds_client import best_references
from calwebb_core.framework.names import ExposureName
from calwebb_core.framework.products import open_raw, read_metadata
from calwebb_core.framework.references import References
from calwebb_core.science.wcs import find_filter_offset, imaging_wcs
from calwebb_simulator.plan import plan
from calwebb_simulator.references.crds import mapping_checksum, reference_types
from calwebb_simulator.run import run

FILES = {
    "abvegaoffset", "apcorr", "area", "dark", "distortion", "filteroffset", "flat", "gain",
    "linearity", "mask", "photom", "readnoise", "saturation", "superbias",
}  # fmt: skip


@pytest.fixture
def offline(tiny_run, monkeypatch):
    monkeypatch.setenv("CRDS_PATH", str(tiny_run[1].cache))
    monkeypatch.setenv("CRDS_SERVER_URL", "https://jwst-serverless-mode.stsci.edu")
    monkeypatch.setenv("CRDS_READONLY_CACHE", "1")
    return tiny_run


def digests(folder):
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_raw_counts(tiny_run):
    scenario, outcome = tiny_run
    for path, entry in zip(outcome.raw, plan(scenario), strict=True):
        assert ExposureName.parse(path).suffix == "uncal"
        with open_raw(path) as raw, fits.open(path) as hdus:
            assert raw.shape == (1, 10, 160, 160)
            assert hdus["SCI"].data.dtype == np.uint16
            assert len(hdus["GROUP"].data) == 10
            assert len(hdus["INT_TIMES"].data) == 1
            assert raw.metadata["RA_REF"] == pytest.approx(entry.placement.reference[0])
            data = raw.read_rows(0, 0, 160)
        assert data.min() > 5000
        assert data.max() < 65535


def test_keywords_are_complete(tiny_run):
    metadata = read_metadata(tiny_run[1].raw[0])
    needed = """PROGRAM OBSERVTN VISIT VISITGRP SEQ_ID ACT_ID EXPOSURE CATEGORY TARGPROP TARGNAME
        DATE-OBS TIME-OBS DATE-BEG DATE-END EXPSTART EXPMID EXPEND TARG_RA TARG_DEC INSTRUME
        DETECTOR MODULE CHANNEL FILTER PUPIL EXP_TYPE READPATT NINTS NGROUPS NFRAMES GROUPGAP
        TGROUP TFRAME FRMDIVSR EFFINTTM EFFEXPTM DURATION NOUTPUTS ZEROFRAM SUBARRAY SUBSTRT1
        SUBSTRT2 SUBSIZE1 SUBSIZE2 FASTAXIS SLOWAXIS PATTTYPE PATT_NUM NUMDTHPT XOFFSET YOFFSET
        APERNAME V2_REF V3_REF VPARITY V3I_YANG RA_REF DEC_REF ROLL_REF XREF_SCI YREF_SCI PA_V3
        RA_V1 DEC_V1 PA_APER VA_SCALE VA_RA VA_DEC S_REGION TSOVISIT VISITYPE TARGTYPE BKGDTARG
        PCS_MODE ENGQLPTG CROWDFLD EXPRIPAR TIMESYS XPOSURE JWST_DX MJD-AVG TDB-MID BUNIT"""
    missing = [name for name in needed.split() if metadata.get(name) in (None, "")]
    assert not missing
    assert metadata["TSOVISIT"] is False
    # a simulation is no result of the official pipeline
    assert not any(name.startswith(("S_D", "R_", "CAL_VER")) for name in metadata)


@pytest.mark.parametrize("context", ["jwst_0001.pmap", "jwst_0002.pmap"])
def test_crds_chooses_every_file(offline, context):
    metadata = read_metadata(offline[1].raw[0])
    chosen = best_references(metadata, reference_types(), context)
    assert {kind for kind, name in chosen.names.items() if name != "N/A"} == FILES
    assert all(path.is_file() for path in chosen.paths.values())


def test_choosing_without_a_server_leaves_the_cache_as_it_is(offline):
    """The library would make a folder of each instrument, which a read-only cache refuses."""
    best_references(read_metadata(offline[1].raw[0]), ["gain"], "jwst_0001.pmap")
    folders = (offline[1].cache / "references" / "jwst").iterdir()
    assert [folder.name for folder in folders] == ["nircam"]


def test_contexts_differ_in_one_flat_and_one_photom(offline):
    metadata = read_metadata(offline[1].raw[0])
    first, second = (
        best_references(metadata, reference_types(), f"jwst_000{n}.pmap").names for n in (1, 2)
    )
    assert {kind for kind in first if first[kind] != second[kind]} == {"flat", "photom"}
    # nobody who names no context gets anything but the truth
    assert best_references(metadata, ["flat"]).context == "jwst_0001.pmap"


def test_rules_are_unchanged_copies_between_contexts(tiny_run):
    mappings = tiny_run[1].cache / "mappings" / "jwst"
    assert len(list(mappings.glob("*.rmap"))) == len(FILES) + 2
    for path in mappings.iterdir():
        text = path.read_text()
        assert f"'sha1sum' : '{mapping_checksum(text)}'" in text


@pytest.mark.realdata
def test_checksum_is_that_of_real_mappings():
    from pathlib import Path

    default = Path(__file__).parents[2].parent / "shared" / "realdata"
    folder = Path(os.environ.get("CALWEBB_REALDATA", default)) / "crds_cache/mappings/jwst"
    path = folder / "jwst_nircam_gain_0010.rmap"
    if not path.is_file():
        pytest.skip(f"{path} is not there; set CALWEBB_REALDATA")
    text = path.read_text()
    assert f"'sha1sum' : '{mapping_checksum(text)}'" in text


def test_references_open_and_fit(offline):
    metadata = read_metadata(offline[1].raw[0])
    references = References.from_crds(metadata, FILES)
    for kind in sorted(FILES):
        loaded = references.load(kind, metadata)
        assert loaded is not None
        assert loaded.metadata["REFTYPE"].lower() == kind
        for name in ("SCI", "DQ", "COEFFS"):
            if name in loaded.arrays:
                assert loaded.arrays[name].shape[-2:] == (160, 160), kind
    for name in ("gain", "readnoise", "flat"):
        values = references.load(name, metadata).arrays["SCI"]
        assert np.all(np.isfinite(values))
        assert np.all(values > 0)


def test_references_carry_the_mandatory_keywords(tiny_run):
    names = """REFTYPE DESCRIP AUTHOR USEAFTER PEDIGREE TELESCOP INSTRUME DETECTOR SUBARRAY
        SUBSTRT1 SUBSTRT2 SUBSIZE1 SUBSIZE2 FASTAXIS SLOWAXIS HISTORY"""
    needed = names.split()
    paths = sorted((tiny_run[1].cache / "references/jwst/nircam").glob("*.fits"))
    assert paths
    for path in paths:
        header = fits.getheader(path)
        assert [name for name in needed if name not in header] == [], path.name


def test_wcs_of_the_references_puts_stars_where_they_were_drawn(offline):
    scenario, outcome = offline
    for path, entry in zip(outcome.raw, plan(scenario), strict=True):
        metadata = read_metadata(path)
        references = References.from_crds(metadata, ["distortion", "filteroffset"])
        model = references.load("distortion", metadata).tree["model"]
        rows = references.load("filteroffset", metadata).tree["filters"]
        wcs = imaging_wcs(metadata, model, find_filter_offset(rows, metadata))
        x, y = np.array([5.0, 150.0, 80.2]), np.array([10.0, 20.0, 151.7])
        ra, dec = entry.placement.sky(x, y)
        found = wcs(x, y)
        scale = np.cos(np.radians(dec)) * 3.6e6
        assert np.all(np.abs(found[0] - ra) * scale < 1e-3)  # mas
        assert np.all(np.abs(found[1] - dec) * 3.6e6 < 1e-3)


def test_perfect_calibration_gives_back_the_sky(offline):
    scenario, outcome = offline
    path = outcome.raw[0]
    root = path.name.removesuffix("_uncal.fits")
    metadata = read_metadata(path)
    references = References.from_crds(metadata, ["flat", "photom"])
    flat = references.load("flat", metadata)
    row = references.load("photom", metadata).tables["PHOTOM"].data[0]
    with fits.open(outcome.truth / f"{root}_truth.fits") as hdus:
        rate, surface = hdus["SCI"].data.astype(float), hdus["CAL"].data.astype(float)
    seen = np.isfinite(surface)
    calibrated = rate / flat.arrays["SCI"] * row["photmjsr"]
    np.testing.assert_allclose(calibrated[seen], surface[seen], rtol=2e-5)
    assert np.median(surface[seen]) > scenario.scene.sky


def test_truth(tiny_run):
    scenario, outcome = tiny_run
    table = Table.read(outcome.truth / "scene.ecsv")
    assert len(table) == scenario.scene.stars.count + scenario.scene.galaxies.count
    assert table["flux_F200W"].unit == "uJy"
    assert table["exposures_F200W"].max() == 2
    seen = table["exposures_F200W"] > 0
    assert np.all(table["snr_F200W"][seen] > 0)
    summary = json.loads((outcome.truth / "truth.json").read_text())
    assert len(summary["exposures"]) == 2


@pytest.mark.slow
def test_same_seed_same_bytes_and_another_seed_others(tmp_path, small, monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    scenario = small()
    first = run(scenario, tmp_path / "a")
    run(scenario, tmp_path / "b")
    assert digests(tmp_path / "a") == digests(tmp_path / "b")
    from dataclasses import replace

    run(replace(scenario, seed=2), tmp_path / "c")
    one, other = digests(tmp_path / "a"), digests(tmp_path / "c")
    changed = {name.split("/")[0] for name in one if one[name] != other[name]}
    assert changed == {"uncal", "truth"}
    assert first.raw[0].name.endswith("_nrcb1_uncal.fits")


@pytest.mark.slow
def test_any_number_of_threads_gives_the_same_bytes(tmp_path):
    code = (
        "import sys; from pathlib import Path; from calwebb_simulator.cli import main; "
        "main(['run', '--scenario', 'tiny', '--subarray', 'SUB64P', '--exposures', '1', "
        "'--groups', '3', '-q', '--output-dir', sys.argv[1]])"
    )
    started = []
    for threads in ("1", "2"):
        environment = {**os.environ, "SOURCE_DATE_EPOCH": "1700000000"}
        environment |= dict.fromkeys(("NUMBA_NUM_THREADS", "OPENBLAS_NUM_THREADS"), threads)
        command = [sys.executable, "-c", code, str(tmp_path / threads)]
        started.append(subprocess.Popen(command, env=environment))
    assert [process.wait() for process in started] == [0, 0]
    assert digests(tmp_path / "1") == digests(tmp_path / "2")


def test_two_channels_see_the_same_sky(tmp_path, small):
    scenario = small(
        detectors=("NRCB1", "NRCBLONG"), filters=("F200W", "F277W"), subarray="SUB160", groups=2
    )
    outcome = run(scenario, tmp_path, references=False)
    assert sorted(path.name.split("_")[3] for path in outcome.raw) == ["nrcb1", "nrcblong"]
    short, long = plan(scenario)
    assert short.start == long.start
    apart = np.array(short.placement.sky(80, 80)) - np.array(long.placement.sky(80, 80))
    assert np.hypot(*apart) * 3600 < 120


def test_zeroframe_is_written_when_asked_for(tmp_path, small):
    scenario = small(zeroframe=True, readpatt="SHALLOW4", groups=2)
    path = run(scenario, tmp_path, references=False).raw[0]
    with open_raw(path) as raw:
        assert raw.metadata["ZEROFRAM"] is True
        assert raw.zeroframe(0).shape == (64, 64)
    assert raw.metadata["NFRAMES"] == raw.metadata["FRMDIVSR"] == 4
