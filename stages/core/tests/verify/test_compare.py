"""What differs between two products, how much, and why by their records."""

import copy

import numpy as np
import pytest

from calwebb_core.framework.catalogs import write_catalog
from calwebb_core.framework.products import write_image
from calwebb_core.framework.verify.compare import differences, same_bytes
from calwebb_core.framework.verify.explain import MACHINE, UNKNOWN_LOCK, causes, machine
from calwebb_core.framework.verify.findings import Finding, Verdict

from .runs import RUN, sample_image


@pytest.fixture(autouse=True)
def epoch(monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")


def pair(tmp_path, change):
    """Write an image as it is and after a change; both have the same name."""
    paths = []
    for place in ("old", "new"):
        image = sample_image()
        if place == "new":
            change(image)
        paths.append(tmp_path / place / "x_cal.fits")
        paths[-1].parent.mkdir()
        write_image(image, paths[-1])
    return paths


def test_same(tmp_path):
    old, new = pair(tmp_path, lambda image: None)
    assert same_bytes(old, new)
    assert differences(old, new) == []


def test_pixels_in_units_of_err(tmp_path):
    def change(image):
        image.data[0, :2] += (0.25, 1.5)
        image.dq[1, 1] ^= 4

    old, new = pair(tmp_path, change)
    assert not same_bytes(old, new)
    science, quality = differences(old, new)
    size = sample_image().data.size
    assert science.text == f"SCI: 2 of {size} pixels differ, by 3 ERR at most"
    assert science.details["largest_in_err"] == pytest.approx(3, rel=1e-6)
    assert quality.text == f"DQ: 1 of {size} pixels differ, by 4 at most"


def test_nan_has_no_size(tmp_path):
    old, new = pair(tmp_path, lambda image: image.data.__setitem__((0, 0), np.nan))
    (science,) = differences(old, new)
    assert science.details["pixels"] == 1
    assert science.details["largest"] == 0


def test_keywords(tmp_path):
    old, new = pair(tmp_path, lambda image: image.metadata.update(TARGPROP="OTHER"))
    header, metadata = differences(old, new)
    assert header.text.startswith("keywords of PRIMARY differ: TARGPROP (")
    assert "made again 'OTHER'" in header.text
    assert metadata.text == "the metadata in the ASDF extension differ"


def test_extensions_and_shapes(tmp_path):
    old, new = pair(tmp_path, lambda image: setattr(image, "area", None))
    (finding,) = differences(old, new)
    assert finding.kind in ("extensions", "shape", "keywords")


def test_only_the_record(tmp_path):
    old, new = pair(tmp_path, lambda image: image.metadata.provenance.update(runs=[1]))
    assert not same_bytes(old, new)
    assert differences(old, new) == []


def test_catalogs(tmp_path):
    from astropy.table import QTable

    table = QTable({"label": [1, 2], "flux": [1.0, np.nan]})
    write_catalog(table, tmp_path / "a.ecsv", {"abvega": 1.0, "calwebb_flow": {"runs": [1]}})
    write_catalog(table, tmp_path / "b.ecsv", {"abvega": 1.0, "calwebb_flow": {"runs": [2]}})
    assert differences(tmp_path / "a.ecsv", tmp_path / "b.ecsv") == []
    table["flux"][0] = 1.5
    write_catalog(table, tmp_path / "c.ecsv", {"abvega": 2.0})
    texts = [item.text for item in differences(tmp_path / "a.ecsv", tmp_path / "c.ecsv")]
    assert texts == [
        "columns differ: flux (1 rows)", "the values in the head of the catalog differ",
    ]  # fmt: skip
    write_catalog(table[:1], tmp_path / "d.ecsv")
    (finding,) = differences(tmp_path / "a.ecsv", tmp_path / "d.ecsv")
    assert finding.text == "the catalog has 2 rows of 2 columns; made again 1 of 2"


def test_windows_of_persistence(tmp_path):
    import asdf

    def write(name, value, runs):
        entry = {"rows": np.arange(3), "vals": np.array([1.0, value, 3.0]), "pers_time": 60.0}
        path = tmp_path / f"{name}_perswindow.asdf"
        asdf.AsdfFile({"NRCB1": entry, "calwebb_flow": {"runs": runs}}).write_to(path)
        return path

    one, other = write("a", 2.0, [1]), write("b", 2.0, [2])
    assert not same_bytes(one, other)
    assert differences(one, other) == []
    (finding,) = differences(one, write("c", 2.5, [1]))
    assert finding.text == "its entries NRCB1 differ"
    other.write_bytes(other.read_bytes()[:200])
    (finding,) = differences(one, other)
    assert finding.text == "its content differs"


def changed(**values):
    run = copy.deepcopy(RUN)
    for name, value in values.items():
        run[name] = value
    return run


def with_step(number, **values):
    run = copy.deepcopy(RUN)
    run["steps"][number] |= values
    return run


@pytest.mark.parametrize(
    ("new", "text"),
    [
        (changed(software={**RUN["software"], "numpy": "2.4.7"}),
         "numpy was 2.4.6, here it is 2.4.7"),
        (changed(software={**RUN["software"], "scipy": "1.0"}),
         "scipy was not recorded, here it is 1.0"),
        (changed(environment={"lock": None}),
         "the lock file of the environment was aaaaaaaaaaaa..., here it is none"),
        (changed(references={"flat": RUN["references"]["flat"]}),
         "reference area was N/A, here it is not used"),
        (changed(context="jwst_0002.pmap"),
         "context was jwst_0001.pmap, here it is jwst_0002.pmap"),
        (changed(steps=RUN["steps"][:2]), "step resample is recorded only when it was made"),
        (with_step(0, status="SKIPPED", reason="N/A"),
         "step flat_field ended as COMPLETE, here as SKIPPED N/A"),
        (with_step(0, parameters={"inverse": True}),
         "option flat_field.inverse was False, here it is True"),
        (with_step(0, parameters={"inverse": False, "more": 1}),
         "option flat_field.more was not recorded, here it is 1"),
        (with_step(0, hook_files={"mine:look": {"name": "mine.py", "sha256": "b" * 64}}),
         "the file of hook mine:look of flat_field has changed: its SHA-256 was none, here it is "
         "bbbbbbbbbbbb..."),
    ],
)  # fmt: skip
def test_causes(new, text):
    assert [item.text for item in causes(RUN, new)] == [text]


def test_no_cause():
    assert causes(RUN, copy.deepcopy(RUN)) == []
    assert machine(RUN).text == MACHINE
    assert machine(changed(environment={"lock": None})).text == UNKNOWN_LOCK


@pytest.mark.parametrize(
    ("found", "state"),
    [
        ([], "identical"),
        (["pixels"], "differs"),
        (["reference missing"], "not verified"),
        (["reference changed", "not made again"], "differs"),
        (["reference changed", "input missing"], "differs"),
    ],
)
def test_states(tmp_path, found, state):
    verdict = Verdict(tmp_path / "x", findings=[Finding(kind, "text") for kind in found])
    assert verdict.state == state
    assert verdict.plain()["state"] == state
