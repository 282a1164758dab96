"""The steps of NIRSpec's IRS2 exposures: those of the near infrared, on frames with more rows.

dq_init and superbias have references of the frames' size. saturation and ipc see the pixels only.
refpix takes the other rows out, so that all that follows needs to know nothing.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from calwebb_core.framework.step import Step
from calwebb_detector1.irs2.correction import run_irs2
from calwebb_detector1.irs2.pixels import on_pixels, run_on_pixels
from calwebb_detector1.together import alone


def with_drifts(step: Step) -> Step:
    """Return refpix as IRS2 needs it: frames whole, by its own reference."""
    return replace(step, run=run_irs2, prepare=None, references_for=reference_of_drifts)


def reference_of_drifts(_: Any) -> tuple[str, ...]:
    """Return the CRDS type of the weights."""
    return ("refpix",)


def on_pixels_only(step: Step) -> Step:
    """Return a step that sees the pixels of IRS2 frames only."""
    if step.prepare is None:
        return replace(step, run=run_on_pixels(step.run))
    prepare = on_pixels(step.prepare)
    return replace(step, prepare=prepare, run=alone(prepare))


CHANGED: dict[str, Callable[[Step], Step]] = {
    "saturation": on_pixels_only,
    "ipc": on_pixels_only,
    "refpix": with_drifts,
}


def irs2_steps(steps: tuple[Step, ...]) -> tuple[Step, ...]:
    """Return the steps of the near infrared as IRS2 exposures need them."""
    return tuple(CHANGED[step.name](step) if step.name in CHANGED else step for step in steps)
