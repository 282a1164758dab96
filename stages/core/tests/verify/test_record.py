"""Reading a product's record: what is taken, and what is refused although it looks like one."""

import copy

import pytest

from calwebb_core.framework.catalogs import write_catalog
from calwebb_core.framework.errors import InputError
from calwebb_core.framework.fits_headers import product_date
from calwebb_core.framework.products import write_image
from calwebb_core.framework.verify.record import epoch_of, read_record

from .runs import RUN, record, sample_image


def product(tmp_path, content):
    image = sample_image()
    image.metadata["R_FLAT"] = "crds://jwst_flat.fits"
    image.metadata["R_SUPERB"] = "crds://jwst_superbias.fits"
    image.metadata.provenance = content
    path = tmp_path / "x_cal.fits"
    write_image(image, path)
    return path


def test_record_of_an_image(tmp_path, monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    found = read_record(product(tmp_path, record()))
    assert found.name == "x_cal.fits"
    assert found.epoch == "1700000000"
    assert found.last["program"] == "calwebb-image2"
    assert [item["name"] for item in found.inputs] == ["x_asn.json", "x_rate.fits"]
    assert found.unread == {"superbias": "crds://jwst_superbias.fits"}
    assert found.hooks == []


def test_record_of_a_catalog(tmp_path):
    from astropy.table import QTable

    write_catalog(QTable({"x": [1.0]}), tmp_path / "x_cat.ecsv", {"calwebb_flow": record()})
    assert read_record(tmp_path / "x_cat.ecsv").runs == (RUN,)


def test_date_is_repeated_with_its_milliseconds(monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", epoch_of("2026-01-02T03:04:05.678"))
    assert product_date() == "2026-01-02T03:04:05.678"
    assert epoch_of("2026-01-02T03:04:05.000") == "1767323045"
    assert epoch_of("yesterday") == ""


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda run: run.clear(), "its record of how it was made is damaged"),
        (lambda run: run.update(steps=[1]), "its record of how it was made is damaged"),
        (lambda run: run.update(program="/bin/sh"), "was made by '/bin/sh'; expected one of"),
        (lambda run: run["input"].update(name="../x"), "names '../x'; expected the name of a file"),
        (lambda run: run["input"].update(name=None), "names None; expected the name of a file"),
        (
            lambda run: run["references"]["flat"].update(name="/etc/x"),
            "names '/etc/x'; expected the name of a file",
        ),
        (
            lambda run: run["input"]["members"].append({"name": "a\x1bb"}),
            "expected the name of a file without folder",
        ),
    ],
)
def test_records_that_are_refused(tmp_path, change, message):
    content = copy.deepcopy(record())
    change(content["runs"][0])
    with pytest.raises(InputError, match=message):
        read_record(product(tmp_path, content))


@pytest.mark.parametrize("content", [{}, {"runs": []}, {"runs": {}}])
def test_product_without_record(tmp_path, content):
    with pytest.raises(InputError, match="does not say how it was made"):
        read_record(product(tmp_path, content))


def test_record_of_a_later_format(tmp_path):
    with pytest.raises(InputError, match="in format 2; expected 1: verify it with the version"):
        read_record(product(tmp_path, record() | {"format": 2}))


def test_other_files(tmp_path):
    with pytest.raises(InputError, match=r"x\.png: is no product that can be made again"):
        read_record(tmp_path / "x.png")
