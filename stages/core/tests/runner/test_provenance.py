"""What a product's record says about software, environment, options and reference files."""

import json
import sys
from dataclasses import dataclass

import pytest

from calwebb_core import __version__
from calwebb_core.framework import provenance
from calwebb_core.framework.call import call_pipeline
from calwebb_core.framework.hashing import sha256_of
from calwebb_core.framework.parameters import option
from calwebb_core.framework.provenance import LOCK_FILE, environment, plain_parameters

from .toy import PIPELINE


@pytest.fixture
def prefix(tmp_path, monkeypatch):
    folder = tmp_path / "environment"
    folder.mkdir()
    monkeypatch.setattr(sys, "prefix", str(folder))
    environment.cache_clear()
    yield folder
    environment.cache_clear()


def test_lock_of_the_environment(prefix):
    (prefix / LOCK_FILE).write_text("0123456789abcdef" * 4 + "\n")
    assert environment() == {"lock": "0123456789abcdef" * 4}


@pytest.mark.parametrize("content", [None, "", "main", "0" * 63, b"\xff" * 64])
def test_environment_that_does_not_say(prefix, content):
    if content is not None:
        raw = content if isinstance(content, bytes) else content.encode()
        (prefix / LOCK_FILE).write_bytes(raw)
    assert environment() == {"lock": None}


def record_of(toy_file, tmp_path, **options):
    result = call_pipeline(PIPELINE, toy_file, output_dir=tmp_path / "out", **options)
    (record,) = result.model.metadata.provenance["runs"]
    return record


def test_versions(toy_file, refs_file, tmp_path, prefix):
    record = record_of(toy_file, tmp_path, references=refs_file)
    assert record["software"]["calwebb_core"] == __version__
    assert set(provenance.LIBRARIES) < set(record["software"])
    assert record["environment"] == {"lock": None}
    assert str(tmp_path) not in json.dumps(record)


def test_step_that_was_asked_for(toy_file, refs_file, tmp_path):
    record = record_of(toy_file, tmp_path, references=refs_file, run_also=["extra"])
    marked = [step["name"] for step in record["steps"] if step.get("off_by_default")]
    assert marked == ["extra"]


def test_reference_file_of_the_user(toy_file, refs_file, gain_file, tmp_path):
    chosen = record_of(toy_file, tmp_path, references=refs_file)["references"]["gain"]
    own = record_of(toy_file, tmp_path, references=refs_file, overrides={"gain": gain_file})
    assert "given" not in chosen
    assert own["references"]["gain"] == {
        "name": "gain.fits",
        "sha256": chosen["sha256"],
        "given": True,
    }


@dataclass(frozen=True)
class FileParameters:
    catalog: str = option("", "A file or the name of a catalog", names_file=True)
    other: str = option("", "A text")


def test_files_are_recorded_without_their_folders(tmp_path):
    path = tmp_path / "stars.ecsv"
    path.write_text("x")
    assert plain_parameters(FileParameters(str(path), str(path)))["catalog"] == {
        "name": "stars.ecsv",
        "sha256": sha256_of(path),
    }
    assert plain_parameters(FileParameters("GAIADR3"))["catalog"] == "GAIADR3"
    assert plain_parameters(FileParameters())["catalog"] == ""
