"""Steps that do not exist yet: shown in plans, and no run begins that would need one."""

from dataclasses import replace

import pytest

from calwebb_core.framework.errors import InputError
from calwebb_core.framework.plan import MISSING, RUN, SKIP, make_plan
from calwebb_core.framework.references import References
from calwebb_core.framework.runner import run_pipeline
from calwebb_core.framework.settings import settle
from calwebb_core.framework.step import missing_step

from .toy import EXTRA, PIPELINE, SECOND, toy

WANTED = missing_step("wanted", "S_WANTED", "Not there")
OFF = missing_step("unwanted", "S_UNWANT", "Not there either", skip=True)
UNFIT = missing_step("unfit", "S_UNFIT", "For none", not_needed=lambda _: "no need")


def pipeline(*steps):
    return replace(PIPELINE, steps=steps, select=lambda _: steps, mode=lambda _: "toys")


def actions(steps, metadata=None, **wishes):
    line = pipeline(*steps)
    plan = make_plan(line, metadata or toy().metadata, settle(line, **wishes))
    return [item.action for item in plan]


def run(steps, tmp_path, model=None, **options):
    return run_pipeline(
        pipeline(*steps), model or toy(), references=References({}), output_dir=tmp_path, **options
    )


def test_only_what_the_exposure_needs_is_missing():
    assert actions((SECOND, WANTED, OFF, UNFIT)) == [RUN, MISSING, SKIP, SKIP]
    assert actions((SECOND, OFF), run_also=["unwanted"]) == [RUN, MISSING]
    # asking to leave it out does not make a product that lacks it
    assert actions((SECOND, WANTED), skip=["wanted"]) == [RUN, MISSING]
    assert actions((SECOND, OFF), skip=["unwanted"]) == [RUN, SKIP]


def test_a_run_is_refused_and_writes_nothing(tmp_path):
    message = "calwebb_toy for toys is not available yet: its step wanted does not exist"
    for options in ({}, {"skip": ["wanted"]}, {"save": ["second"]}):
        with pytest.raises(InputError, match=message):
            run((SECOND, WANTED), tmp_path, **options)
    with pytest.raises(InputError, match="step wanted of calwebb_toy for toys does not exist yet"):
        run((SECOND, WANTED), tmp_path, only="wanted")
    assert not list(tmp_path.iterdir())


def test_what_comes_before_it_runs(tmp_path):
    assert run((SECOND, WANTED), tmp_path, stop_after="second").statuses.keys() == {"second"}
    assert run((SECOND, WANTED), tmp_path, only="second").statuses.keys() == {"second"}


def test_what_an_input_has_been_through_is_not_missing(tmp_path):
    result = run((WANTED, SECOND), tmp_path, toy(S_WANTED="COMPLETE"))
    assert result.statuses.keys() == {"second"}
    with pytest.raises(InputError, match="its step wanted does not exist"):
        run((SECOND, WANTED), tmp_path, toy(S_SECOND="COMPLETE"))


def test_without_a_mode_the_exposure_type_is_named(tmp_path):
    line = replace(pipeline(WANTED, EXTRA), mode=None)
    with pytest.raises(InputError, match="for NRC_IMAGE is not available yet"):
        run_pipeline(line, toy(), references=References({}), output_dir=tmp_path)


def test_its_function_refuses_too():
    with pytest.raises(InputError, match="step wanted does not exist yet"):
        WANTED.run(toy(), None, None)
