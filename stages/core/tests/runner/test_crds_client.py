import os
from pathlib import Path

import pytest
from astropy.io import fits

from calwebb_core.framework import crds_client
from calwebb_core.framework.crds_client import best_references, context_name, rule_parameters
from calwebb_core.framework.errors import InputError, ReferenceFileError
from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.reference_files import read_reference
from calwebb_core.framework.references import Missing, References, Source

EXPOSURE = {"INSTRUME": "NIRCAM", "DATE-OBS": "2022-05-14", "TIME-OBS": "01:02:03"}
TYPES = [
    "mask",
    "saturation",
    "superbias",
    "linearity",
    "dark",
    "gain",
    "readnoise",
    "ipc",
    "refpix",
    "distortion",
    "filteroffset",
    "flat",
    "photom",
    "area",
    "apcorr",
    "abvegaoffset",
]


def keywords(path):
    header = fits.getheader(path)
    content = {key: header[key] for key in header if key and key not in ("COMMENT", "HISTORY")}
    return Metadata(content, str(path))


def test_missing_keyword():
    with pytest.raises(InputError, match="keyword DATE-OBS is missing"):
        rule_parameters(Metadata({"INSTRUME": "NIRCAM"}, "x.fits"))


def test_keywords_get_the_names_of_the_rules():
    parameters = rule_parameters(Metadata({**EXPOSURE, "SUBSTRT1": 1, "TARGNAME": "M1"}, "x"))
    assert parameters["META.SUBARRAY.XSTART"] == 1
    assert parameters["META.INSTRUMENT.NAME"] == "NIRCAM"
    assert len(parameters) == 4


def test_no_cache(monkeypatch):
    monkeypatch.delenv("CRDS_PATH", raising=False)
    with pytest.raises(ReferenceFileError, match="CRDS_PATH is not set; set it to the folder"):
        best_references(Metadata(EXPOSURE, "x.fits"), ["gain"], "jwst_0001.pmap")


@pytest.fixture
def empty_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("CRDS_PATH", str(tmp_path))
    monkeypatch.setenv("CRDS_SERVER_URL", "https://jwst-serverless-mode.stsci.edu")
    monkeypatch.setenv("CRDS_READONLY_CACHE", "1")
    monkeypatch.delenv("CRDS_CONTEXT", raising=False)
    return tmp_path


def test_empty_cache(empty_cache):
    metadata = Metadata(EXPOSURE, "x.fits")
    with pytest.raises(
        ReferenceFileError, match=r"cannot choose references with context jwst_0001"
    ):
        best_references(metadata, ["gain"], "jwst_0001.pmap")
    with pytest.raises(ReferenceFileError, match=r"neither the CRDS server .* which context"):
        best_references(metadata, ["gain"])


@pytest.mark.parametrize("name", ["hst_0001.pmap", "0001", "jwst_nircam_0001.imap"])
def test_malformed_context(name, monkeypatch):
    with pytest.raises(InputError, match=r"expected a name such as jwst_0001\.pmap"):
        context_name(name)
    monkeypatch.setenv("CRDS_CONTEXT", name)
    with pytest.raises(InputError, match=r"expected a name such as jwst_0001\.pmap"):
        context_name()


def test_no_types(empty_cache):
    assert best_references(Metadata(EXPOSURE, "x"), [], "jwst_0001.pmap").names == {}


def real_headers(folder):
    return sorted((Path(folder).parent / "headers").glob("*.fits"))


@pytest.mark.realdata
@pytest.mark.parametrize("context", ["jwst_0619.pmap", "jwst_0676.pmap"])
def test_choice_equals_that_of_the_library(crds_cache, context):
    crds = pytest.importorskip("crds")
    for path in real_headers(crds_cache):
        metadata = keywords(path)
        ours = best_references(metadata, TYPES, context, strict=False)
        header = {k: v for k, v in metadata.items() if isinstance(v, str | int | float | bool)}
        theirs = crds.getrecommendations(header, TYPES, context=context, observatory="jwst")
        for kind, name in theirs.items():
            if name == "NOT FOUND n/a":
                assert ours.names[kind] == "N/A"
            elif name.startswith("NOT FOUND"):
                assert kind in ours.problems
            else:
                assert ours.names[kind] == name
                assert ours.paths[kind].name == name


@pytest.mark.realdata
def test_contexts_differ(crds_cache):
    metadata = keywords(real_headers(crds_cache)[-1])
    old, new = (
        best_references(metadata, TYPES, f"jwst_{number}.pmap", strict=False)
        for number in ("0619", "0676")
    )
    changed = {kind for kind in TYPES if old.names.get(kind) != new.names.get(kind)}
    assert changed
    assert changed != set(TYPES)
    assert (old.context, new.context) == ("jwst_0619.pmap", "jwst_0676.pmap")


@pytest.mark.realdata
def test_context_from_the_environment_or_the_cache(crds_cache, monkeypatch):
    operational = context_name()
    assert operational.endswith(".pmap")
    monkeypatch.setenv("CRDS_CONTEXT", "jwst_0619.pmap")
    assert context_name() == "jwst_0619.pmap"
    assert context_name("jwst_0676.pmap") == "jwst_0676.pmap"


@pytest.mark.realdata
def test_type_without_a_match(crds_cache):
    metadata = keywords(real_headers(crds_cache)[0])
    with pytest.raises(ReferenceFileError, match="has no dark file for this exposure"):
        best_references(metadata, ["dark"], "jwst_0676.pmap")
    references = References.from_crds(metadata, ["dark", "gain"], "jwst_0676.pmap")
    assert isinstance(references.entries["dark"], Missing)
    assert isinstance(references.entries["gain"], Source)
    with pytest.raises(ReferenceFileError, match="has no dark file for this exposure"):
        references.load("dark", metadata)


@pytest.mark.realdata
def test_type_that_the_context_does_not_know(crds_cache, caplog):
    metadata = keywords(real_headers(crds_cache)[-1])
    names = best_references(metadata, ["pictureframe"], "jwst_0619.pmap").names
    assert names == {"pictureframe": "N/A"}


@pytest.mark.realdata
def test_file_that_is_not_in_the_cache(crds_cache):
    metadata = keywords(real_headers(crds_cache)[-1])
    references = References.from_crds(metadata, ["gain"], "jwst_0676.pmap")
    with pytest.raises(ReferenceFileError, match=r"fetch it with `crds sync --files jwst_nircam_g"):
        references.check(["gain"])


@pytest.mark.realdata
def test_another_cache_in_the_same_process(crds_cache, tmp_path, monkeypatch):
    metadata = keywords(real_headers(crds_cache)[-1])
    best_references(metadata, ["gain"], "jwst_0676.pmap")
    monkeypatch.setenv("CRDS_PATH", str(tmp_path))
    with pytest.raises(ReferenceFileError, match="cannot choose references"):
        best_references(metadata, ["gain"], "jwst_0619.pmap")
    monkeypatch.setenv("CRDS_PATH", str(crds_cache))
    assert best_references(metadata, ["gain"], "jwst_0676.pmap").names["gain"].endswith(".fits")


@pytest.mark.realdata
def test_real_distortion_is_loaded(crds_cache):
    path = next(iter(sorted(crds_cache.glob("references/jwst/nircam/*distortion*.asdf"))))
    references = References({}).with_overrides({"distortion": path})
    reference = references.load("distortion", Metadata({"INSTRUME": "NIRCAM"}, "x"))
    assert "model" in reference.tree


def test_server_that_cannot_be_reached(monkeypatch):
    monkeypatch.setenv("CRDS_SERVER_URL", "https://crds.invalid")

    class Api:
        @staticmethod
        def cache_references(context, files):
            raise OSError("no network")

    import crds.client

    monkeypatch.setattr(crds.client, "api", Api)
    with pytest.raises(ReferenceFileError, match=r"https://crds.invalid: cannot fetch g\.fits"):
        crds_client._fetch("jwst_0001.pmap", {"gain": "g.fits"})
    assert os.environ["CRDS_SERVER_URL"] == "https://crds.invalid"


SERVERLESS = "https://jwst-serverless-mode.stsci.edu"
SERVER = "https://crds.invalid"


@pytest.mark.parametrize(
    ("server", "writable", "readonly"),
    [(SERVER, True, False), (SERVER, False, True), (SERVERLESS, True, True)],
)
def test_nothing_is_written_in_a_cache_that_may_not_be(
    server, writable, readonly, tmp_path, monkeypatch
):
    from crds.core import config

    # permissions do not bind root
    monkeypatch.setattr(crds_client.os, "access", lambda path, mode: writable)
    monkeypatch.setattr(config, "_CRDS_CACHE_READONLY", not readonly)
    monkeypatch.delenv("CRDS_READONLY_CACHE", raising=False)
    monkeypatch.setenv("CRDS_PATH", str(tmp_path))
    monkeypatch.setenv("CRDS_SERVER_URL", server)
    crds_client._library()
    assert config.get_cache_readonly() is readonly


def test_a_cache_that_is_still_to_be_made_is_written(tmp_path, monkeypatch):
    monkeypatch.setenv("CRDS_PATH", str(tmp_path / "new"))
    monkeypatch.setenv("CRDS_SERVER_URL", SERVER)
    assert crds_client._may_write()


def test_a_file_cannot_be_fetched_into_a_cache_that_may_not_be_written(tmp_path, monkeypatch):
    monkeypatch.setenv("CRDS_PATH", str(tmp_path))
    monkeypatch.setenv("CRDS_SERVER_URL", SERVER)
    monkeypatch.setattr(crds_client, "_may_write", lambda: False)
    crds_client._library()
    with pytest.raises(ReferenceFileError, match=r"cannot fetch g\.fits \(.* is not writable\)"):
        crds_client._fetch("jwst_0001.pmap", {"gain": "g.fits"})


@pytest.mark.slow
@pytest.mark.realdata
def test_real_reference_files_are_loaded(crds_cache):
    files = sorted(crds_cache.glob("references/jwst/*/*.*"))
    small = [path for path in files if path.stat().st_size < 60_000]
    assert len(small) > 30
    for path in small:
        _, instrument, kind = path.name.split("_")[:3]
        science = Metadata({"INSTRUME": instrument.upper()}, "x.fits")
        reference = read_reference(kind, path, science)
        assert reference.arrays or reference.tables or reference.tree
        assert "ASDF" not in reference.arrays
