import gc
import io
import json
import threading
import weakref
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from calwebb_core.framework.call import call_pipeline
from calwebb_core.framework.errors import InputError, ProcessingError, ReferenceFileError
from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.plan import make_plan
from calwebb_core.framework.progress import progress_bar
from calwebb_core.framework.provenance import input_record
from calwebb_core.framework.references import References
from calwebb_core.framework.runner import run_pipeline
from calwebb_core.framework.settings import settle

from .toy import PIPELINE, ROOT, Toy, toy


def gain(value=2.0):
    return References.of(gain={"SCI": np.full((4, 4), value, np.float32)})


def run(model=None, **options):
    options.setdefault("references", gain())
    return run_pipeline(PIPELINE, toy() if model is None else model, **options)


def test_all_steps_run_in_order(tmp_path):
    result = run(output_dir=tmp_path)
    assert result.model.data[0, 0] == (1 + 2) * 2 * 2
    assert {name: status.word for name, status in result.statuses.items()} == {
        "first": "COMPLETE",
        "second": "COMPLETE",
        "extra": "SKIPPED",
        "last": "COMPLETE",
    }
    assert result.outputs == [tmp_path / f"{ROOT}_toy.fits"]


def test_keywords_of_steps_and_references(tmp_path):
    metadata = run(output_dir=tmp_path).model.metadata
    assert metadata["S_FIRST"] == "COMPLETE"
    assert metadata["S_EXTRA"] == "SKIPPED"
    assert metadata["R_GAIN"] == "gain in memory"
    assert metadata["CAL_VER"]


def test_reference_that_does_not_apply_is_recorded(tmp_path):
    result = run(references=References.of(gain=None), output_dir=tmp_path)
    assert result.model.metadata["R_GAIN"] == "N/A"
    assert result.model.metadata.provenance["runs"][0]["references"]["gain"]["name"] == "N/A"


def test_skip_and_run_also(tmp_path):
    result = run(skip=["second"], run_also=["extra"], output_dir=tmp_path)
    assert result.model.metadata["S_SECOND"] == "SKIPPED"
    assert result.statuses["second"].reason == "left out as asked"
    assert result.model.metadata["S_EXTRA"] == "COMPLETE"


@pytest.mark.parametrize("on", [True, False])
def test_skip_as_parameter(tmp_path, on):
    parameters = {"second": {"skip": on}, "extra": {"skip": False}}
    result = run(parameters=parameters, output_dir=tmp_path)
    assert result.statuses["second"].word == ("SKIPPED" if on else "COMPLETE")
    assert result.statuses["extra"].word == "COMPLETE"


def test_step_that_skips_itself_keeps_its_reason(tmp_path):
    result = run(toy(0.0), parameters={"first": {"amount": 0}}, output_dir=tmp_path)
    assert str(result.statuses["second"]) == "SKIPPED: all pixels are zero"
    steps = result.model.metadata.provenance["runs"][0]["steps"]
    assert steps[1]["reason"] == "all pixels are zero"


def test_step_that_is_not_needed(tmp_path):
    result = run(toy(INSTRUME="MIRI"), output_dir=tmp_path)
    assert result.statuses["second"].reason == "MIRI has none"


def test_stop_after(tmp_path):
    result = run(stop_after="first", output_dir=tmp_path)
    assert list(result.statuses) == ["first"]
    assert "S_SECOND" not in result.model.metadata
    assert result.outputs == [tmp_path / f"{ROOT}_toy.fits"]


def test_saved_intermediate_resumes_to_the_same_result(tmp_path, gain_file):
    overrides = {"gain": gain_file}
    whole = run(save=["first"], output_dir=tmp_path)
    assert whole.outputs[0] == tmp_path / f"{ROOT}_first.fits"
    again = call_pipeline(
        PIPELINE, whole.outputs[0], overrides=overrides, output_dir=tmp_path / "b"
    )
    np.testing.assert_array_equal(again.model.data, whole.model.data)
    assert "first" not in again.statuses


def test_intermediate_says_only_what_has_been_done(tmp_path):
    seen = []
    run(
        post_hooks=[("first", lambda model: seen.append(dict(model.metadata)))], output_dir=tmp_path
    )
    assert seen[0]["S_FIRST"] == "COMPLETE"
    assert "S_SECOND" not in seen[0]


def test_nothing_left_to_run(tmp_path):
    done = toy(S_FIRST="COMPLETE", S_SECOND="COMPLETE", S_EXTRA="SKIPPED", S_LAST="COMPLETE")
    with pytest.raises(InputError, match=r"no step of calwebb_toy is left to run; give an earlier"):
        run(done, output_dir=tmp_path)
    with pytest.raises(InputError, match="up to first is left"):
        run(toy(S_FIRST="COMPLETE"), stop_after="first", output_dir=tmp_path)


def test_step_cannot_be_turned_on_too_late(tmp_path):
    past = toy(S_FIRST="COMPLETE", S_SECOND="SKIPPED", S_EXTRA="COMPLETE")
    with pytest.raises(InputError, match="second cannot run after extra"):
        run(past, run_also=["second"], output_dir=tmp_path)


def test_only_one_step(tmp_path):
    result = run(only="extra", output_dir=tmp_path)
    assert list(result.statuses) == ["extra"]
    assert result.outputs == [tmp_path / f"{ROOT}_extra.fits"]
    assert "R_GAIN" not in result.model.metadata
    assert run(only="last", output_dir=tmp_path).outputs == [tmp_path / f"{ROOT}_toy.fits"]


def test_only_one_step_that_was_done(tmp_path):
    with pytest.raises(InputError, match=r"first has been done already \(S_FIRST is COMPLETE\)"):
        run(toy(S_FIRST="COMPLETE"), only="first", output_dir=tmp_path)


def test_unknown_step(tmp_path):
    for options in ({"skip": ["frist"]}, {"save": ["frist"]}, {"stop_after": "frist"}):
        with pytest.raises(InputError, match="no step 'frist'; did you mean first"):
            run(output_dir=tmp_path, **options)


def test_output_dir_is_checked_before_anything_runs(tmp_path):
    (tmp_path / "file").write_text("")
    ran = []
    with pytest.raises(InputError, match="products cannot be written to this folder"):
        run(
            pre_hooks=[("first", lambda model: ran.append(1))],
            output_dir=tmp_path / "file" / "below",
        )
    assert not ran


def test_missing_references_are_found_before_anything_runs(tmp_path):
    ran = []
    with pytest.raises(ReferenceFileError, match="no gain reference file in"):
        run(
            references=References({}),
            pre_hooks=[("first", lambda model: ran.append(1))],
            output_dir=tmp_path,
        )
    assert not ran


def test_references_of_skipped_steps_are_not_needed(tmp_path):
    result = run(references=References({}), skip=["first"], output_dir=tmp_path)
    assert result.statuses["first"].word == "SKIPPED"


def test_unexpected_failure_names_the_step(tmp_path):
    with pytest.raises(ValueError, match="boom") as info:
        run(parameters={"first": {"fail": "theirs"}}, output_dir=tmp_path)
    assert info.value.__notes__ == ["in step first"]


def test_out_of_memory(tmp_path):
    with pytest.raises(ProcessingError, match="step first ran out of memory"):
        run(parameters={"first": {"fail": "memory"}}, output_dir=tmp_path)


def test_python_hooks_may_replace_the_model(tmp_path):
    def tenfold(model):
        return Toy(model.metadata, model.data * 10)

    result = run(pre_hooks=[("first", tenfold)], stop_after="first", output_dir=tmp_path)
    assert result.model.data[0, 0] == 12


def test_hook_by_name(tmp_path, monkeypatch):
    (tmp_path / "myhooks.py").write_text("def mark(model):\n    model.metadata['MARK'] = 7\n")
    monkeypatch.chdir(tmp_path)
    result = run(post_hooks=["first=myhooks:mark"], output_dir=tmp_path)
    assert result.model.metadata["MARK"] == 7
    steps = result.model.metadata.provenance["runs"][0]["steps"]
    assert steps[0]["post_hooks"] == ["myhooks:mark"]


@pytest.mark.parametrize("hook", ["no_such_module:run", "math:no_such", "math:pi"])
def test_hook_that_does_not_exist(tmp_path, hook):
    with pytest.raises(InputError, match=f"hook {hook}"):
        run(pre_hooks=[f"first={hook}"], output_dir=tmp_path)


def test_hook_that_returns_something_else(tmp_path):
    with pytest.raises(ProcessingError, match="returned a int; expected a Toy or nothing"):
        run(pre_hooks=[("first", lambda model: 3)], output_dir=tmp_path)


def test_hook_that_fails(tmp_path):
    def bad(model):
        raise KeyError("x")

    with pytest.raises(ProcessingError, match=r"pre-hook of first .*bad failed with KeyError"):
        run(pre_hooks=[("first", bad)], output_dir=tmp_path)


def test_command_hook_sees_a_copy_of_the_product(tmp_path):
    seen = tmp_path / "seen"
    command = f"first=cp {{}} {seen} && echo $CALWEBB_STEP $CALWEBB_WHEN >> {seen}.txt && rm {{}}"
    result = run(post_hooks=[command], output_dir=tmp_path / "out")
    assert seen.read_bytes()[:6] == b"SIMPLE"
    assert (tmp_path / "seen.txt").read_text() == "first post\n"
    assert [path.name for path in (tmp_path / "out").iterdir()] == [result.outputs[0].name]


def test_command_hook_that_fails(tmp_path):
    with pytest.raises(ProcessingError, match=r"exit code 3: echo no >&2; exit 3 \(no\)"):
        run(pre_hooks=["first=echo no >&2; exit 3"], output_dir=tmp_path)


@pytest.mark.parametrize("text", ["first", "=run", "first="])
def test_malformed_hook(tmp_path, text):
    with pytest.raises(InputError, match="expected STEP=COMMAND or STEP=module:function"):
        run(pre_hooks=[text], output_dir=tmp_path)


def test_provenance_of_two_programs(tmp_path):
    first = run(output_dir=tmp_path, source={"name": "a", "sha256": "0"})
    model = first.model
    for keyword in ("S_FIRST", "S_SECOND", "S_EXTRA", "S_LAST"):
        del model.metadata[keyword]
    second = run(model, output_dir=tmp_path, source={"name": "b", "sha256": "1"})
    runs = second.model.metadata.provenance["runs"]
    assert [entry["input"]["name"] for entry in runs] == ["a", "b"]
    assert runs[0]["steps"][0]["parameters"]["window"] == [1, 2]
    assert json.loads(json.dumps(runs)) == runs
    assert str(tmp_path) not in json.dumps(runs)


def test_every_member_of_a_container_is_recorded(tmp_path):
    model = toy()
    model.parts = [toy(), toy()]
    run(model, output_dir=tmp_path)
    for part in model.parts:
        assert part.metadata["S_LAST"] == "COMPLETE"
        assert len(part.metadata.provenance["runs"]) == 1


def test_call_records_input_and_references(toy_file, refs_file, tmp_path):
    result = call_pipeline(PIPELINE, toy_file, references=refs_file, output_dir=tmp_path / "out")
    record = result.model.metadata.provenance["runs"][0]
    assert record["input"]["name"] == toy_file.name
    assert len(record["input"]["sha256"]) == 64
    assert record["context"] == "jwst_0001.pmap"
    assert record["references"]["gain"]["name"] == "jwst_gain.fits"
    assert len(record["references"]["gain"]["sha256"]) == 64
    assert result.model.metadata["R_GAIN"] == "crds://jwst_gain.fits"
    assert result.model.metadata["CRDS_CTX"] == "jwst_0001.pmap"
    assert result.model.metadata["CRDS_VER"] == "14.0.3"


def test_call_by_name_with_overrides_needs_no_crds(toy_file, gain_file, tmp_path, monkeypatch):
    monkeypatch.delenv("CRDS_PATH", raising=False)
    result = call_pipeline(
        PIPELINE, str(toy_file), overrides={"GAIN": gain_file}, output_dir=tmp_path / "out"
    )
    assert result.model.metadata["R_GAIN"] == "gain.fits"
    assert "CRDS_CTX" not in result.model.metadata


def test_call_without_references_or_crds(toy_file, tmp_path, monkeypatch):
    monkeypatch.delenv("CRDS_PATH", raising=False)
    with pytest.raises(ReferenceFileError, match="CRDS_PATH is not set"):
        call_pipeline(PIPELINE, toy_file, output_dir=tmp_path)


def test_call_without_input(tmp_path):
    with pytest.raises(InputError, match=r"x\.fits: the input file does not exist"):
        call_pipeline(PIPELINE, tmp_path / "x.fits")


def test_list_made_for_another_exposure_is_noted(toy_file, refs_file, tmp_path, caplog):
    refs_file.write_text(refs_file.read_text().replace("nrca1", "nrcb4"))
    call_pipeline(PIPELINE, toy_file, references=refs_file, output_dir=tmp_path / "out")
    assert "was made for jw00001001001_02101_00001_nrcb4" in caplog.text


def test_containers_are_freed_on_the_way(toy_file, tmp_path):
    alive = []

    def renew(model):
        alive.append(weakref.ref(model))
        return Toy(model.metadata, model.data.copy())

    def count(model):
        gc.collect()
        alive.append(alive[0]() is None)

    hooks = [("first", renew), ("second", count)]
    call_pipeline(
        PIPELINE, toy_file, overrides={"gain": "N/A"}, pre_hooks=hooks, output_dir=tmp_path / "o"
    )
    assert alive[1] is True


def test_full_disk(tmp_path):
    def full(model, directory):
        raise OSError(28, "No space left on device")

    with pytest.raises(ProcessingError, match=r"products cannot be written \(No space left"):
        run_pipeline(replace(PIPELINE, write=full), toy(), references=gain(), output_dir=tmp_path)


def test_association_members_are_recorded(tmp_path):
    (tmp_path / "a.fits").write_text("a")
    members = [{"expname": name, "exptype": "science"} for name in ("a.fits", "absent.fits")]
    path = tmp_path / "asn.json"
    path.write_text(json.dumps({"products": [{"name": "p", "members": members}]}))
    record = input_record(path)
    assert [member["name"] for member in record["members"]] == ["a.fits"]


def test_keywords_come_from_the_headers_of_a_product(toy_file, gain_file, tmp_path):
    plain = replace(PIPELINE, read_metadata=None)
    result = call_pipeline(
        plain, toy_file, overrides={"gain": gain_file}, output_dir=tmp_path / "o"
    )
    assert result.outputs


ASSOCIATION = '{"products": [{"name": "p", "members": [{"expname": "a", "exptype": "science"}]}]}'


def test_association_is_read_once(gain_file, tmp_path):
    path = tmp_path / "asn.json"
    path.write_text(ASSOCIATION)
    calls = []

    def read(source, input_dir=None):
        calls.append((source, input_dir))
        return toy()

    result = call_pipeline(
        replace(PIPELINE, read_metadata=None, read=read),
        path,
        overrides={"gain": gain_file},
        input_dir=tmp_path,
        output_dir=tmp_path / "o",
    )
    assert result.statuses["last"].word == "COMPLETE"
    assert calls == [(path, tmp_path)]


@pytest.fixture
def several(tmp_path):
    """An association of two products, whose members lie in a folder beside it."""
    (tmp_path / "beside").mkdir()
    products = []
    for name in ("p", "q"):
        (tmp_path / "beside" / f"{name}.fits").write_text(name)
        member = {"expname": f"../beside/{name}.fits", "exptype": "science"}
        products.append({"name": name, "members": [member]})
    (tmp_path / "asn").mkdir()
    path = tmp_path / "asn" / "asn.json"
    path.write_text(json.dumps({"products": products}))
    return path


def call_several(path, gain_file, **options):
    """Run on an association; return the result and the keywords of each reading."""
    calls = []

    def read(source, **given):
        calls.append((source, given))
        return toy()

    pipeline = replace(
        PIPELINE, read_metadata=lambda *_, **__: toy().metadata, read=read, associations=True
    )
    output = path.parent / "o"
    result = call_pipeline(
        pipeline, path, overrides={"gain": gain_file}, output_dir=output, **options
    )
    return result, calls


def test_each_product_of_an_association_is_made(several, gain_file):
    result, calls = call_several(several, gain_file, allow_outside=True)
    assert [given for _, given in calls] == [
        {"allow_outside": True, "product": name} for name in ("p", "q")
    ]
    assert len(result.outputs) == 2
    record = result.model.metadata.provenance["runs"][-1]["input"]
    assert [member["name"] for member in record["members"]] == ["q.fits"]


def test_one_product_of_an_association_is_made(several, gain_file):
    result, calls = call_several(several, gain_file, allow_outside=True, product="p")
    assert calls == [(several, {"allow_outside": True, "product": "p"})]
    assert len(result.outputs) == 1
    with pytest.raises(InputError, match="has no product r; it has p, q"):
        call_several(several, gain_file, allow_outside=True, product="r")


def test_members_outside_are_refused_before_anything_is_read(several, gain_file):
    with pytest.raises(InputError, match=r"member ../beside/p.fits lies outside"):
        call_several(several, gain_file)


def test_progress(monkeypatch, tmp_path):
    with progress_bar() as show:
        assert show is None
    terminal = io.StringIO()
    monkeypatch.setattr(terminal, "isatty", lambda: True)
    monkeypatch.setattr("sys.stderr", terminal)
    with progress_bar(quiet=True) as show:
        assert show is None
    with progress_bar() as show:
        run(output_dir=tmp_path, progress=show)
    assert "last" in terminal.getvalue()


STATES = st.sampled_from(["COMPLETE", "SKIPPED", None])


@given(st.tuples(STATES, STATES, STATES, STATES))
def test_a_complete_step_is_never_repeated(states):
    keywords = [step.keyword for step in PIPELINE.steps]
    values = {k: s for k, s in zip(keywords, states, strict=True) if s}
    metadata = Metadata(values, "x.fits")
    try:
        plan = make_plan(PIPELINE, metadata, settle(PIPELINE))
    except InputError:
        assert None not in (states[0], states[1], states[3])
        return
    for item, state in zip(plan, states, strict=True):
        assert (item.action == "done") == (state is not None)


def test_later_steps_are_warmed_up_beside_the_first(tmp_path, caplog):
    threads = []

    def warm():
        threads.append(threading.current_thread())
        raise RuntimeError("no harm done")

    steps = tuple(replace(step, warm=warm) for step in PIPELINE.steps)
    pipeline = replace(PIPELINE, steps=steps, select=lambda _: steps)
    run_pipeline(pipeline, toy(), references=gain(), output_dir=tmp_path)
    for thread in threading.enumerate():
        if thread.name == "warm-up":
            thread.join()
    # extra is skipped, and the first step finds nothing to run beside
    assert len(threads) == 2
    assert threads[0] is not threading.main_thread()
    assert not [record for record in caplog.records if record.levelname == "WARNING"]
