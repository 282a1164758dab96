"""The research object: its own validator finds nothing, and other tools read what is in it."""

import json
import os
import subprocess

import pytest
from rocrate.rocrate import ROCrate

from programs import ROOT

pytestmark = pytest.mark.slow
VALIDATE = ROOT / ".env" / "validate" / "bin"


def make(results, *words):
    """Write a research object; return it as rocrate reads it."""
    results.run(
        "calwebb-crate", "results/01234", "--workflow", ROOT / "Snakefile", *words,
    )  # fmt: skip
    return ROCrate(results.folder / "results" / "01234")


def actions_of(crate):
    return {entity["name"]: entity for entity in crate.get_by_type("CreateAction")}


def value(action, name):
    (found,) = (item for item in action["object"] if item.get("name") == name)
    return found["value"]


def test_runs_are_described(results):
    crate = make(results)
    raw = next((results.folder / "uncal").iterdir())
    actions = actions_of(crate)
    assert set(actions) == {
        f"calwebb-detector1 on {raw.name}",
        "calwebb-image2 on one_asn.json",
        "calwebb-flow on program 01234",
    }
    first = actions[f"calwebb-detector1 on {raw.name}"]
    assert first["instrument"]["softwareVersion"] == "0.1.0"
    assert value(first, "jump.rejection_threshold") == "5.0"
    assert value(first, "superbias.skip") == "true"
    assert {item.id.rpartition("_")[2] for item in first["result"]} == {
        "rate.fits", "rateints.fits",
    }  # fmt: skip
    (source,) = (item for item in first["object"] if item.get("name") == raw.name)
    assert source.id.startswith("ni:///sha-256;")
    assert len(source["sha256"]) == 64
    rates = {item.id for item in first["result"]}
    second = actions["calwebb-image2 on one_asn.json"]
    assert {item.id for item in second["object"]} & rates
    assert crate.mainEntity.id == "workflow/Snakefile"
    assert (results.folder / "results/01234/workflow/rules/image2.smk").is_file()


def test_times_images_and_settings(results):
    logs = results.folder / "logs"
    raw = next((results.folder / "uncal").iterdir())
    log = logs / "detector1" / f"{raw.name.removesuffix('_uncal.fits')}.log"
    log.parent.mkdir(parents=True)
    log.write_text("2026-01-01T10:00:00.000Z DEBUG x: a\n2026-01-01T10:00:07.500Z DEBUG x: b\n")
    image = results.folder / "detector1-0123.sif"
    image.write_bytes(b"image")
    crate = make(
        results, "--logs", logs, "--image", f"calwebb-detector1={image}", "--set", "jump.x=1"
    )
    first = actions_of(crate)[f"calwebb-detector1 on {raw.name}"]
    assert first["startTime"] == "2026-01-01T10:00:00+00:00"
    assert first["endTime"] == "2026-01-01T10:00:07+00:00"
    assert first["containerImage"]["name"] == image.name
    assert len(first["containerImage"]["sha256"]) == 64
    assert value(actions_of(crate)["calwebb-flow on program 01234"], "jump.x") == "1"


def test_runs_that_failed_are_named(results):
    logs = results.folder / "logs"
    (logs / "image2").mkdir(parents=True)
    (logs / "image2" / "jw01234001001_02101_00009_nrcb1.log").write_text(
        "2026-01-01T10:00:00.000Z DEBUG x: a\n2026-01-01T10:00:02.000Z ERROR calwebb: "
        "calwebb-image2: error: /somewhere/else/x_rate.fits: SCI is missing\n"
    )
    actions = actions_of(make(results, "--logs", logs))
    failed = actions["calwebb-image2 on jw01234001001_02101_00009_nrcb1"]
    assert failed["actionStatus"].endswith("FailedActionStatus")
    assert failed["error"] == "x_rate.fits: SCI is missing"
    assert failed["endTime"] == "2026-01-01T10:00:02+00:00"
    assert failed["instrument"]["softwareVersion"] == "0.1.0"
    whole = actions["calwebb-flow on program 01234"]
    assert whole["actionStatus"].endswith("FailedActionStatus")
    assert whole["error"] == "1 runs have failed"
    assert actions["calwebb-image2 on one_asn.json"]["actionStatus"].endswith(
        "CompletedActionStatus"
    )


def test_people_and_readme(results):
    crate = make(
        results, "--person", "Jane Doe=https://orcid.org/0000-0000-0000-0000",
        "--organization", "Some institute",
    )  # fmt: skip
    assert crate.root_dataset["author"]["name"] == "Jane Doe"
    assert crate.root_dataset["author"]["affiliation"]["name"] == "Some institute"
    assert crate.root_dataset["publisher"].id == "#Organization/Some institute"
    assert {action["agent"].id for action in crate.get_by_type("CreateAction")} == {
        "https://orcid.org/0000-0000-0000-0000"
    }
    readme = crate.get("README.md")
    assert readme["about"].id == "./"
    assert readme["encodingFormat"] == "text/markdown"
    path = results.folder / "results" / "01234" / "README.md"
    path.write_text("my own\n")
    make(results)
    assert path.read_text() == "my own\n"


def test_nothing_names_this_machine(results):
    make(results)
    text = (results.folder / "results/01234/ro-crate-metadata.json").read_text()
    assert str(results.folder) not in text


def test_folder_without_products(results):
    (results.folder / "results" / "none").mkdir()
    done = results.run("calwebb-crate", "results/none", check=False)
    assert done.returncode == 2
    assert "has no product that says how it was made" in done.stderr


def test_validator_finds_nothing(results, tmp_path):
    make(results)
    if not (VALIDATE / "rocrate-validator").exists():
        pytest.skip("the validator's environment is missing: run `make env`")
    cache, report = tmp_path / "cache", tmp_path / "report.json"
    environment = {name: text for name, text in os.environ.items() if name != "PYTHONPATH"}
    fill = [VALIDATE / "python", ROOT / "tests" / "provenance" / "contexts.py", cache]
    subprocess.run(fill, check=True, env=environment)
    done = subprocess.run(
        [
            VALIDATE / "rocrate-validator", "--no-interactive", "--disable-color", "validate",
            results.folder / "results" / "01234", "--profile-identifier", "workflow-run-crate",
            "--requirement-severity", "required", "--offline", "--skip-availability-check",
            "--cache-path", cache, "--no-paging", "--output-format", "json",
            "--output-file", report,
        ],
        capture_output=True, text=True, check=False, env=environment,
    )  # fmt: skip
    assert report.exists(), done.stdout + done.stderr
    found = json.loads(report.read_text())
    assert [issue["message"] for issue in found["issues"]] == []
    assert found["passed"]
    assert set(found["statistics"]["profiles"]) == {
        "process-run-crate-0.5", "ro-crate-1.1", "workflow-ro-crate-1.0", "workflow-run-crate-0.5",
    }  # fmt: skip
