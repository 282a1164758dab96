"""The rooms stay apart: one stage and the core install alone; tables agree with the steps."""

import re
import subprocess
import sys

import pytest

from programs import ROOT, run

STAGES = {
    "detector1": "calwebb_detector1",
    "image2": "calwebb_image2",
    "spec2": "calwebb_spec2",
    "level3": "calwebb_level3",
    "associate": "calwebb_associate",
}


@pytest.mark.parametrize("stage", STAGES)
def test_an_environment_holds_one_stage_and_the_core(programs, stage):
    python = ROOT / ".env" / stage / "bin" / "python"
    for name, package in STAGES.items():
        done = run([python, "-c", f"import {package}"], check=False)
        assert (done.returncode == 0) == (name == stage), (stage, package, done.stderr)
    run([python, "-c", "import calwebb_core"])


def test_configuration_and_schema_are_those_of_the_steps():
    done = subprocess.run(
        [sys.executable, ROOT / "schemas" / "generate.py", "--check"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def test_the_plan_knows_the_reference_types_of_every_step():
    from calwebb_associate.pipelines import OPTIONAL_TYPES, REFERENCE_TYPES, parameter_types
    from calwebb_core.framework.crds_parameters import parameter_types as own_types
    from calwebb_core.framework.reference_types import KNOWN_TYPES
    from calwebb_detector1.dark import PIPELINE as dark
    from calwebb_detector1.guider import PIPELINE as guider
    from calwebb_detector1.pipeline import PIPELINE as detector1
    from calwebb_image2.pipeline import PIPELINE as image2
    from calwebb_level3.image3 import PIPELINE as image3
    from calwebb_level3.spec3 import PIPELINE as spec3
    from calwebb_level3.tso3 import PIPELINE as tso3
    from calwebb_spec2.pipeline import PIPELINE as spec2

    for pipeline in (detector1, dark, guider, image2, spec2, image3, spec3, tso3):
        used = {kind for step in pipeline.steps for kind in step.references}
        assert set(REFERENCE_TYPES[pipeline.program]) == used, pipeline.program
        types = set(parameter_types(pipeline.program))
        assert types == set(own_types(pipeline, pipeline.steps)), pipeline.program
        assert types <= set(KNOWN_TYPES)
    assert set(OPTIONAL_TYPES) <= {step.name for step in detector1.steps}


def test_the_plan_knows_what_image2_and_image3_take():
    from calwebb_associate.pipelines import (
        IMAGE2,
        IMAGE2_TYPES,
        MOSAICS,
        NIRSPEC_OPTICS,
        RESAMPLED,
        needed_types,
    )
    from calwebb_image2 import modes
    from calwebb_image2.steps.assign_wcs import OPTICS
    from calwebb_level3.image3 import ALSO_AS_IMAGES, IMAGE_TYPES

    taken = {name.lower() for name in modes.SCIENCE + modes.ENGINEERING}
    assert taken >= IMAGE2_TYPES
    assert {name.lower() for name in modes.RESAMPLED} == RESAMPLED
    assert {name.lower() for name in IMAGE_TYPES} == RESAMPLED
    assert {name.lower() for name in IMAGE_TYPES + ALSO_AS_IMAGES} == MOSAICS
    assert set(NIRSPEC_OPTICS) == set(OPTICS)
    assert set(needed_types(IMAGE2, instrument="NIRSPEC")) == {*OPTICS, "flat", "photom", "area"}


def test_the_plan_knows_the_modes_of_spec2():
    """A mode joins the plan once it needs no step that does not exist yet."""
    from calwebb_associate.pipelines import SPEC2, needed_types, program_refuses
    from calwebb_associate.spectral_types import SPEC2_TYPES
    from calwebb_core.framework.step import always_applies
    from calwebb_spec2.modes import MODES
    from calwebb_spec2.pipeline import BY_NAME, PIPELINE

    complete = set()
    for mode in MODES:
        steps = [BY_NAME[name] for name in mode.steps]
        needed = [step for step in steps if not step.skip and step.not_needed is always_applies]
        names = {kind.lower() for kind in mode.exp_types}
        used = {kind for step in steps for kind in step.references}
        if all(step.there and step.name not in mode.not_yet for step in needed):
            complete |= names
        for kind in names & set(SPEC2_TYPES):
            assert set(needed_types(SPEC2, exp_type=kind)) <= used, kind
            assert not program_refuses(SPEC2, kind)
    assert complete == set(SPEC2_TYPES)
    assert PIPELINE.program == SPEC2


def test_the_plan_knows_what_tso3_and_spec3_take():
    from calwebb_associate.pipelines import TSO3, needed_types
    from calwebb_associate.spectral_types import SPEC3_TYPES, TSO3_TYPES
    from calwebb_level3 import spec3, tso3

    assert {name.lower() for name in spec3.SLITS} == set(SPEC3_TYPES)
    assert {name.lower() for name in tso3.IMAGES + tso3.SPECTRA} == set(TSO3_TYPES)
    for kind in tso3.IMAGES:
        assert needed_types(TSO3, exp_type=kind) == TSO3_TYPES[kind.lower()]


@pytest.mark.parametrize(
    "program",
    [
        "calwebb-detector1", "calwebb-dark", "calwebb-guider", "calwebb-image2", "calwebb-spec2",
        "calwebb-image3", "calwebb-spec3", "calwebb-tso3", "calwebb-pool",
        "calwebb-associate", "calwebb-references", "calwebb-report",
        "calwebb-simulate", "calwebb-quicklook", "calwebb-verify", "calwebb-crate",
    ],
)  # fmt: skip
def test_every_program_has_help_with_an_example_and_a_version(programs, program):
    assert "Example" in run([program, "--help"]).stdout
    assert "0.1.0" in run([program, "--version"]).stdout


@pytest.mark.parametrize("stage", [*STAGES, "simulator", "workflow"])
def test_lock_files_agree_on_every_version(stage):
    def pins(name):
        lines = (ROOT / "envs" / f"{name}.lock").read_text().splitlines()
        return {
            line.split(";")[0].rstrip("\\ ").strip()
            for line in lines
            if "==" in line[:80] and line[0].isalpha()
        }

    assert pins(stage) <= pins("test")
    assert pins(stage)


def test_kernels_leave_threads_to_the_programs():
    """Two threads may call a kernel at once, which the pool of numba itself does not bear."""
    sources = [*ROOT.glob("stages/*/src/**/*.py"), *ROOT.glob("simulator/src/**/*.py")]
    assert len(sources) > 200
    shared = re.compile(r"\bparallel=True|\bprange\b")
    assert [str(path) for path in sources if shared.search(path.read_text())] == []
