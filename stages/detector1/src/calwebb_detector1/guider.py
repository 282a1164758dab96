"""calwebb_guider: the steps of guide-star data in order, and the files around them."""

from pathlib import Path

from calwebb_core.framework.errors import InputError
from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.models import Ramp
from calwebb_core.framework.pipeline import Pipeline
from calwebb_core.framework.products import product_path, read_metadata, root_of
from calwebb_core.framework.step import Step
from calwebb_detector1 import modes
from calwebb_detector1.guide_files import (
    read_guide_ramp,
    read_guide_rates,
    write_guide_ramp,
    write_guide_rates,
)
from calwebb_detector1.guide_rates import GuideRates
from calwebb_detector1.steps import dq_init, flat_field, guider_cds

STEPS = (dq_init.STEP, guider_cds.STEP, flat_field.STEP)
SUFFIX = "cal"


def select(metadata: Metadata) -> tuple[Step, ...]:
    """Return the steps of guide-star data.

    Raises
    ------
    InputError
        If it is none, or a keyword is missing.
    """
    exp_type = metadata.require("EXP_TYPE", str)
    if not modes.is_guider(metadata):
        program = "calwebb-dark" if modes.is_dark(metadata) else "calwebb-detector1"
        msg = (
            f"{metadata.source}: EXP_TYPE is {exp_type}, no guide-star data such as FGS_ACQ1; "
            f"use {program}"
        )
        raise InputError(msg)
    if not metadata.require("TGROUP", float) > 0:
        msg = f"{metadata.source}: TGROUP is {metadata['TGROUP']}; expected seconds above 0"
        raise InputError(msg)
    return STEPS


def read(path: Path) -> Ramp | GuideRates:
    """Read raw guide-star data, or count rates made of them.

    Raises
    ------
    InputError
        As `read_guide_ramp` and `read_guide_rates`.
    """
    done = read_metadata(path).get(guider_cds.STEP.keyword) == "COMPLETE"
    return read_guide_rates(path) if done else read_guide_ramp(path)


def write(model: Ramp | GuideRates, directory: Path) -> list[Path]:
    """Write `_cal`, or of a run that ended before its last step what it made, named after it."""
    done = [step.name for step in STEPS if step.keyword in model.metadata]
    whole = isinstance(model, GuideRates) and len(done) == len(STEPS)
    return save(model, SUFFIX if whole or not done else done[-1], directory)


def save(model: Ramp | GuideRates, name: str, directory: Path) -> list[Path]:
    """Write groups or count rates under a step's name."""
    path = product_path(directory, root_of(model.metadata), name)
    if isinstance(model, GuideRates):
        write_guide_rates(model, path)
    else:
        write_guide_ramp(model, path)
    return [path]


PIPELINE = Pipeline(
    name="calwebb_guider",
    program="calwebb-guider",
    meaning="Turn raw guide-star data into count rates.",
    steps=STEPS,
    select=select,
    read=read,
    save=save,
    write=write,
)
