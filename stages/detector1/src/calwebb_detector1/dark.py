"""calwebb_dark: the steps of detector1 that a dark exposure gets, up to the dark current.

Darks become ramps (`_dark`) of which reference files are made: nothing is subtracted that is
to be measured, and no slopes are fitted.
"""

from pathlib import Path

from calwebb_core.framework.errors import InputError
from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.models import Ramp
from calwebb_core.framework.pipeline import Pipeline
from calwebb_core.framework.products import read_ramp
from calwebb_core.framework.step import Step
from calwebb_detector1 import modes
from calwebb_detector1.pipeline import put_planes, put_ramp
from calwebb_detector1.sources import open_exposure
from calwebb_detector1.together import run_together

SUFFIX = "dark"
LAST_NEAR_INFRARED = "linearity"
LAST_MIRI = "rscd"


def up_to(steps: tuple[Step, ...], last: str) -> tuple[Step, ...]:
    """Return the steps of a mode up to one of them."""
    names = [step.name for step in steps]
    return steps[: names.index(last) + 1]


def select(metadata: Metadata) -> tuple[Step, ...]:
    """Return the steps of a dark in order.

    Raises
    ------
    InputError
        If it is no dark, of a mode that is not available yet, or a keyword is missing.
    """
    exp_type = metadata.require("EXP_TYPE", str)
    if not modes.is_dark(metadata):
        program = "calwebb-guider" if modes.is_guider(metadata) else "calwebb-detector1"
        msg = (
            f"{metadata.source}: EXP_TYPE is {exp_type}, no dark such as NRC_DARK or "
            f"MIR_DARKIMG; use {program}"
        )
        raise InputError(msg)
    last = LAST_MIRI if modes.instrument(metadata) == "MIRI" else LAST_NEAR_INFRARED
    return up_to(modes.select(metadata), last)


def write(ramp: Ramp, directory: Path) -> list[Path]:
    """Write `_dark`, or of a run that ended before its last step the ramps named after it."""
    steps = select(ramp.metadata)
    done = [step for step in steps if step.keyword in ramp.metadata]
    suffix = done[-1].name if done and done[-1] != steps[-1] else SUFFIX
    return [
        put_ramp(ramp, directory, suffix),
        *(put_planes(planes, directory) for planes in ramp.extras),
    ]


def save(ramp: Ramp, step_name: str, directory: Path) -> list[Path]:
    """Write the ramps under a step's name."""
    return [put_ramp(ramp, directory, step_name)]


PIPELINE = Pipeline(
    name="calwebb_dark",
    program="calwebb-dark",
    meaning="Turn raw darks into corrected ramps for dark references.",
    steps=modes.every_step(
        up_to(modes.NEAR_INFRARED, LAST_NEAR_INFRARED), up_to(modes.MIRI, LAST_MIRI)
    ),
    select=select,
    read=read_ramp,
    save=save,
    write=write,
    open=open_exposure,
    together=run_together,
)
