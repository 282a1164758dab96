"""Where inputs and reference files are looked for, and what is said of them."""

import copy
import hashlib
import json
import re

import pytest

from calwebb_core.framework.verify.find import Finder, best, gather
from calwebb_core.framework.verify.record import Recorded

from .runs import RUN


def sha(text):
    return hashlib.sha256(text.encode()).hexdigest()


@pytest.fixture
def results(tmp_path, monkeypatch):
    """A workflow's folder of results with what the product is made of."""
    monkeypatch.setenv("CRDS_PATH", str(tmp_path / "crds"))
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "results" / "01234"
    for place, text in {
        "associations/x_asn.json": "{}",
        "detector1/x_rate.fits": "rate",
        "image2/x_cal.fits": "cal",
    }.items():
        (folder / place).parent.mkdir(parents=True, exist_ok=True)
        (folder / place).write_text(text)
    cached = tmp_path / "crds" / "references" / "jwst" / "flat.fits" / "jwst_flat.fits"
    cached.parent.mkdir(parents=True)
    cached.write_text("flat")
    return folder


@pytest.fixture
def recorded(results):
    run = copy.deepcopy(RUN)
    run["input"]["sha256"] = sha("{}")
    run["input"]["members"][0]["sha256"] = sha("rate")
    run["references"]["flat"]["sha256"] = sha("flat")
    return Recorded(results / "image2" / "x_cal.fits", "x_cal.fits", (run,))


def test_layout_of_the_workflow_and_cache(results, recorded):
    found = gather(recorded, Finder(recorded.path))
    assert found.findings == []
    assert found.inputs["x_rate.fits"] == results / "detector1" / "x_rate.fits"
    assert set(found.references) == {"flat"}


def test_the_workflow_lists_of_raw_and_reference_files(results, recorded, tmp_path):
    (results / "detector1" / "x_rate.fits").rename(tmp_path / "x_rate.fits")
    (results / "plan").mkdir()
    (results / "plan" / "raw_exposures.txt").write_text(f"{tmp_path / 'x_rate.fits'}\n")
    own = tmp_path / "own.fits"
    own.write_text("flat")
    (results / "references").mkdir()
    entry = {"name": "jwst_flat.fits", "path": str(own), "sha256": None}
    listed = {"format": 1, "references": {"flat": entry}}
    (results / "references" / "x_image2.json").write_text(json.dumps(listed))
    found = gather(recorded, Finder(recorded.path))
    assert found.findings == []
    assert found.references["flat"] == (own, sha("flat"))


def test_file_with_the_right_checksum_wins(results, recorded, tmp_path):
    (results / "image2" / "x_rate.fits").write_text("other")
    assert gather(recorded, Finder(recorded.path)).findings == []
    assert best([], "x") == (None, "")


@pytest.mark.parametrize(
    ("place", "kind", "text"),
    [
        ("detector1/x_rate.fits", "input changed", "input x_rate.fits has changed: its"),
        ("../../crds/references/jwst/flat.fits/jwst_flat.fits", "reference changed",
         r"reference flat jwst_flat\.fits has changed"),
    ],
)  # fmt: skip
def test_changed(results, recorded, place, kind, text):
    (results / place).write_text("changed")
    (finding,) = gather(recorded, Finder(recorded.path)).findings
    assert finding.kind == kind
    assert not finding.blocks
    assert finding.details["found"] == sha("changed")
    assert re.search(text, finding.text)


def test_missing(results, recorded):
    (results / "detector1" / "x_rate.fits").unlink()
    (finding,) = gather(recorded, Finder(recorded.path)).findings
    assert finding.blocks
    assert finding.text == "input x_rate.fits is not there; name its folder with --input-dir"


def test_file_that_an_option_names(results, recorded, tmp_path):
    mask = {"name": "mask.fits", "sha256": sha("mask")}
    recorded.last["steps"][0]["parameters"]["user_mask"] = mask
    assert [item.kind for item in gather(recorded, Finder(recorded.path)).findings] == [
        "input missing"
    ]
    (tmp_path / "mask.fits").write_text("mask")
    found = gather(recorded, Finder(recorded.path, [tmp_path]))
    assert found.options == {("flat_field", "user_mask"): tmp_path / "mask.fits"}
