"""Options from `pars-*` files: how they are read, what wins over what, what is recorded."""

import json
import logging

import asdf
import numpy as np
import pytest
from click.testing import CliRunner

from calwebb_core.framework import call as call_module
from calwebb_core.framework.call import call_pipeline
from calwebb_core.framework.command import make_program
from calwebb_core.framework.errors import InputError, ReferenceFileError
from calwebb_core.framework.parameter_files import given_options, switched
from calwebb_core.framework.reference_types import (
    KNOWN_TYPES,
    PARAMETER_TYPES,
    pipeline_type,
    step_type,
)
from calwebb_core.framework.references import References, Source

from .toy import PIPELINE

BASE = {
    "pre_hooks": [], "post_hooks": [], "output_file": None, "output_dir": "/somewhere",
    "save_results": True, "search_output_file": True, "input_dir": "", "suffix": "x",
    "maximum_cores": "half",
}  # fmt: skip


def write(folder, kind, parameters, steps=None, name="first"):
    """Write a file as the official software does, tagged, with the ASDF library."""
    tree = {
        "class": "jwst.toy.ToyStep", "name": name, "parameters": BASE | parameters,
        "meta": {"reftype": kind, "author": "x", "useafter": "2020-01-01T00:00:00"},
    }  # fmt: skip
    if steps is not None:
        tree["steps"] = [
            {"class": "jwst.toy.Step", "name": step, "parameters": BASE | values}
            for step, values in steps.items()
        ]
    path = folder / f"jwst_nircam_{kind}_0001.asdf"
    asdf.AsdfFile(tree).write_to(path)
    return path


def run(toy_file, gain_file, folder, *files, **options):
    """Run the toy pipeline with files by type."""
    entries = {"gain": Source("gain.fits", gain_file)}
    entries |= {kind: Source(path.name, path) for kind, path in files}
    options.setdefault("references", References(entries, context="jwst_0001.pmap"))
    return call_pipeline(PIPELINE, toy_file, output_dir=folder / "out", **options)


STEP, WHOLE = "pars-firststep", "pars-toypipeline"


@pytest.fixture
def files(tmp_path):
    step = write(tmp_path, STEP, {"amount": 10.0, "rounds": 2, "kind": "odd"})
    steps = {"first": {"amount": 20.0}, "second": {"skip": True}, "extra": {"skip": False}}
    return (STEP, step), (WHOLE, write(tmp_path, WHOLE, {}, steps, name="toy"))


def amount(result):
    (record,) = result.model.metadata.provenance["runs"]
    return next(step["parameters"] for step in record["steps"] if step["name"] == "first")


def test_types_are_named_after_the_official_classes():
    assert step_type("dark_current") == "pars-darkcurrentstep"
    assert step_type("bkg_subtract") == "pars-backgroundstep"
    assert pipeline_type("calwebb_detector1") == "pars-detector1pipeline"
    assert set(PARAMETER_TYPES) <= set(KNOWN_TYPES)


def test_a_file_of_the_asdf_library_is_read_without_it(files):
    (_, step), (_, whole) = files
    assert given_options(STEP, step)[STEP]["amount"] == 10.0
    found = given_options(WHOLE, whole)
    assert list(found) == ["", "first", "second", "extra"]
    assert found["first"]["amount"] == 20.0
    assert switched(WHOLE, whole, ["first", "second", "extra"]) == {"second": False, "extra": True}


def test_precedence(toy_file, gain_file, tmp_path, files, caplog):
    step, whole = files
    with caplog.at_level(logging.WARNING):
        found = amount(run(toy_file, gain_file, tmp_path, step))
        assert (found["amount"], found["rounds"], found["kind"]) == (10.0, 2, "odd")
        found = amount(run(toy_file, gain_file, tmp_path, step, whole))
        assert (found["amount"], found["rounds"]) == (20.0, 2)
        mine = {"first": {"amount": 30.0}}
        found = amount(run(toy_file, gain_file, tmp_path, step, whole, parameters=mine))
        assert (found["amount"], found["rounds"]) == (30.0, 2)
    assert caplog.text == ""


def test_steps_are_turned_on_and_off_unless_the_user_says_otherwise(
    toy_file, gain_file, tmp_path, files
):
    words = run(toy_file, gain_file, tmp_path, *files).statuses
    assert (words["second"].word, words["extra"].word) == ("SKIPPED", "COMPLETE")
    mine = {"second": {"skip": False}, "extra": {"skip": True}}
    words = run(toy_file, gain_file, tmp_path, *files, parameters=mine).statuses
    assert (words["second"].word, words["extra"].word) == ("COMPLETE", "SKIPPED")
    words = run(toy_file, gain_file, tmp_path, *files, skip=["extra"], run_also=["second"]).statuses
    assert (words["second"].word, words["extra"].word) == ("COMPLETE", "SKIPPED")


def test_they_are_recorded_and_can_be_ignored(toy_file, gain_file, tmp_path, files):
    result = run(toy_file, gain_file, tmp_path, *files)
    (record,) = result.model.metadata.provenance["runs"]
    assert record["crds_parameters"] == {
        "first": {"amount": 20.0, "rounds": 2, "kind": "odd"},
        "second": {"skip": True}, "extra": {"skip": False},
    }  # fmt: skip
    assert record["references"][STEP]["name"] == "jwst_nircam_pars-firststep_0001.asdf"
    assert len(record["references"][WHOLE]["sha256"]) == 64
    result = run(toy_file, gain_file, tmp_path, *files, crds_parameters=False)
    (record,) = result.model.metadata.provenance["runs"]
    assert "crds_parameters" not in record
    assert set(record["references"]) == {"gain"}
    assert amount(result)["amount"] == 1.0


def test_what_is_unknown_is_left_out_with_one_warning(toy_file, gain_file, tmp_path, caplog):
    values = {"amount": 500.0, "kind": "plain", "colour": "red", "save_mask": False}
    path = write(tmp_path, WHOLE, {"save_all": True}, {"first": values, "third": {"x": 1}})
    with caplog.at_level(logging.WARNING):
        found = amount(run(toy_file, gain_file, tmp_path, (WHOLE, path)))
    assert (found["amount"], found["kind"]) == (1.0, "plain")
    (message,) = [item.getMessage() for item in caplog.records]
    assert message == (
        "jwst_nircam_pars-toypipeline_0001.asdf: left out, unknown here: save_all; "
        "first.amount is 500.0 DN; expected 0 to 100 DN; first.colour; third.x"
    )


def test_numbers_as_texts_and_what_is_not_set(toy_file, gain_file, tmp_path, caplog):
    values = {"rounds": "3", "amount": None, "window": "", "third": None}
    path = write(tmp_path, STEP, values)
    with caplog.at_level(logging.WARNING):
        found = amount(run(toy_file, gain_file, tmp_path, (STEP, path)))
    assert (found["rounds"], found["amount"], found["window"]) == (3, 1.0, [1, 2])
    assert caplog.text == ""


def test_a_wrong_value_of_skip_is_left_out(toy_file, gain_file, tmp_path, caplog):
    path = write(tmp_path, WHOLE, {}, {"second": {"skip": "maybe"}})
    with caplog.at_level(logging.WARNING):
        run(toy_file, gain_file, tmp_path, (WHOLE, path))
    assert "second.skip is 'maybe'; expected true or false" in caplog.text


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"\x00\xff\xfe", "no readable ASDF file"),
        (b"#ASDF 1.0.0\n--- [1, 2]\n...\n", "no mapping `parameters`"),
        (b"--- {parameters: 3}\n...\n", "no mapping `parameters`"),
        (b"--- {parameters: {}, steps: [7]}\n...\n", "steps of the pars-firststep file hold 7"),
        (b"--- {parameters: {a: [}\n...\n", "no readable ASDF file"),
    ],
)
def test_damaged_files_are_refused(toy_file, gain_file, tmp_path, content, words):
    path = tmp_path / "x.asdf"
    path.write_bytes(content)
    with pytest.raises(ReferenceFileError, match=words):
        run(toy_file, gain_file, tmp_path, (STEP, path))


def test_missing_and_changed_files_are_refused(toy_file, gain_file, tmp_path, files):
    with pytest.raises(ReferenceFileError, match="absent"):
        run(toy_file, gain_file, tmp_path, (STEP, tmp_path / "absent.asdf"))
    (kind, path), _ = files
    content = {"format": 1, "references": {
        "gain": {"path": str(gain_file)},
        kind: {"name": path.name, "path": str(path), "sha256": "0" * 64},
    }}  # fmt: skip
    (tmp_path / "refs.json").write_text(json.dumps(content))
    with pytest.raises(ReferenceFileError, match="has changed since the list was made"):
        run(toy_file, gain_file, tmp_path, references=tmp_path / "refs.json")
    with pytest.raises(ReferenceFileError, match="cannot be read"):
        given_options(STEP, tmp_path / "absent.asdf")


def test_an_override_is_a_file_of_options_too(toy_file, gain_file, tmp_path, files):
    (_, path), _ = files
    overrides = {"gain": gain_file, "pars-dqinitstep": path}
    result = run(toy_file, gain_file, tmp_path, references=None, overrides=overrides)
    assert amount(result)["amount"] == 1.0  # of another step
    with pytest.raises(InputError, match="did you mean pars-dqinitstep"):
        run(toy_file, gain_file, tmp_path, overrides={"pars-dqinistep": path})


def test_crds_is_asked_for_them_together_with_the_references(
    toy_file, gain_file, tmp_path, files, monkeypatch
):
    asked = []

    def answer(metadata, types, context=None):
        asked.append(list(types))
        known = {"gain": gain_file, **dict(files)}
        return References({k: Source(known[k].name, known[k]) for k in types if k in known})

    monkeypatch.setattr(call_module.References, "from_crds", answer)
    result = run(toy_file, gain_file, tmp_path, references=None)
    assert amount(result)["amount"] == 20.0
    assert asked == [
        ["gain", "pars-firststep", "pars-secondstep", "pars-extrastep", "pars-laststep", WHOLE]
    ]
    asked.clear()
    result = run(toy_file, gain_file, tmp_path, references=None, overrides={"gain": gain_file})
    assert amount(result)["amount"] == 1.0
    assert asked == []


def test_the_option_of_the_program(toy_file, gain_file, tmp_path, files, monkeypatch):
    import sys

    from . import toy

    monkeypatch.setitem(sys.modules, "toy_pipeline", toy)
    content = {"format": 1, "references": {
        "gain": {"path": str(gain_file)}, WHOLE: {"path": str(dict(files)[WHOLE])},
    }}  # fmt: skip
    (tmp_path / "refs.json").write_text(json.dumps(content))
    main = make_program("toy_pipeline:PIPELINE", name="calwebb-toy", package="calwebb_core")
    words = ["run", str(toy_file), "--references", str(tmp_path / "refs.json"), "-q"]
    values = []
    for number, more in enumerate(([], ["--no-crds-parameters"])):
        out = tmp_path / str(number)
        done = CliRunner().invoke(
            main, [*words, "--output-dir", str(out), *more], catch_exceptions=False
        )
        assert done.exit_code == 0, done.output
        (path,) = out.iterdir()
        values.append(float(np.max(toy.read(path).data)))
    assert values == [(1 + 2 * 20) * 2 * 2, (1 + 2) * 2 * 2]
