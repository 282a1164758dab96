"""Which steps an exposure gets, by instrument and mode, and which modes are not there yet."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from calwebb_core.framework.errors import InputError
from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.step import Step
from calwebb_detector1.irs2.layout import is_irs2
from calwebb_detector1.irs2.mode import irs2_steps
from calwebb_detector1.miri_refpix import miri_step
from calwebb_detector1.steps import (
    charge_migration,
    clean_flicker_noise,
    dark_current,
    dq_init,
    emicorr,
    firstframe,
    gain_scale,
    group_scale,
    ipc,
    jump,
    lastframe,
    linearity,
    persistence,
    picture_frame,
    ramp_fit,
    refpix,
    reset,
    rscd,
    saturation,
    superbias,
)

NEAR_INFRARED: tuple[Step, ...] = (
    group_scale.STEP,
    dq_init.STEP,
    saturation.STEP,
    ipc.STEP,
    superbias.STEP,
    refpix.STEP,
    linearity.STEP,
    dark_current.STEP,
    charge_migration.STEP,
    jump.STEP,
    picture_frame.STEP,
    clean_flicker_noise.STEP,
    persistence.STEP,
    ramp_fit.STEP,
    gain_scale.STEP,
)

NIRSPEC_IRS2 = irs2_steps(NEAR_INFRARED)

# MIRI has no superbias, which saturation consults for the other instruments.
MIRI: tuple[Step, ...] = (
    group_scale.STEP,
    dq_init.STEP,
    emicorr.STEP,
    replace(saturation.STEP, references=("saturation",)),
    ipc.STEP,
    firstframe.STEP,
    lastframe.STEP,
    reset.STEP,
    linearity.STEP,
    rscd.STEP,
    dark_current.STEP,
    miri_step(refpix.STEP),
    charge_migration.STEP,
    jump.STEP,
    clean_flicker_noise.STEP,
    persistence.STEP,
    ramp_fit.STEP,
    gain_scale.STEP,
)
# In a time series slopes are compared with one another only, and every group counts.
OFF_FOR_MIRI_SERIES = ("lastframe", "rscd")
MIRI_SERIES = tuple(
    replace(step, skip=step.skip or step.name in OFF_FOR_MIRI_SERIES) for step in MIRI
)

INSTRUMENTS = ("NIRCAM", "NIRISS", "NIRSPEC", "FGS", "MIRI")
# Without these no step can be right; found missing before anything is computed.
REQUIRED: tuple[tuple[str, Any], ...] = (
    ("EXP_TYPE", str),
    ("DETECTOR", str),
    ("NINTS", int),
    ("NGROUPS", int),
    ("NFRAMES", int),
    ("GROUPGAP", int),
    ("TGROUP", float),
)
GUIDER = ("FGS_ID-STACK", "FGS_ID-IMAGE", "FGS_ACQ1", "FGS_ACQ2", "FGS_TRACK", "FGS_FINEGUIDE")
DARKS = (
    "FGS_DARK",
    "MIR_DARKALL",
    "MIR_DARKIMG",
    "MIR_DARKMRS",
    "NIS_DARK",
    "NRC_DARK",
    "NRS_DARK",
)


def instrument(metadata: Metadata) -> str:
    """Return the instrument of an exposure.

    Raises
    ------
    InputError
        If INSTRUME is missing or unknown.
    """
    name = metadata.require("INSTRUME", str).upper()
    if name not in INSTRUMENTS:
        known = ", ".join(INSTRUMENTS)
        msg = f"{metadata.source}: INSTRUME is {name!r}; expected one of {known}"
        raise InputError(msg)
    return name


def is_guider(metadata: Mapping[str, Any]) -> bool:
    """Tell whether an exposure is guide-star data."""
    return str(metadata.get("EXP_TYPE", "")).upper() in GUIDER


def is_dark(metadata: Mapping[str, Any]) -> bool:
    """Tell whether an exposure is a dark of some instrument."""
    return str(metadata.get("EXP_TYPE", "")).upper() in DARKS


def unavailable(metadata: Mapping[str, Any]) -> str | None:
    """Return what kind of exposure this is if there are no steps for it yet."""
    if metadata.get("MSTR_RD1") is not None or metadata.get("SSTR_NST"):
        return "subarrays of several stripes"
    return None


def refuse_unavailable(metadata: Metadata) -> None:
    """Refuse an exposure of a mode that is not there yet, or of another program.

    Raises
    ------
    InputError
        In one sentence.
    """
    if is_guider(metadata):
        msg = (
            f"{metadata.source}: EXP_TYPE is {metadata['EXP_TYPE']}, guide-star data; "
            f"use calwebb-guider"
        )
        raise InputError(msg)
    kind = unavailable(metadata)
    if kind:
        msg = f"{metadata.source}: calwebb_detector1 for {kind} is not available yet"
        raise InputError(msg)


def select(metadata: Metadata) -> tuple[Step, ...]:
    """Return the steps of an exposure in order.

    Raises
    ------
    InputError
        For a mode that is not available yet, or if a keyword is missing.
    """
    refuse_unavailable(metadata)
    steps = steps_of_mode(metadata)
    for keyword, kind in REQUIRED:
        metadata.require(keyword, kind)
    return steps


def select_alone(metadata: Metadata) -> tuple[Step, ...]:
    """Return the steps that may run alone on an exposure, which may lack some keywords.

    Raises
    ------
    InputError
        For a mode that is not available yet.
    """
    refuse_unavailable(metadata)
    return steps_of_mode(metadata)


def steps_of_mode(metadata: Metadata) -> tuple[Step, ...]:
    """Return the steps of an exposure's instrument, in order, time series or not."""
    if instrument(metadata) != "MIRI":
        return NIRSPEC_IRS2 if is_irs2(metadata) else NEAR_INFRARED
    return MIRI_SERIES if metadata.get("TSOVISIT") is True else MIRI


def every_step(*modes: tuple[Step, ...]) -> tuple[Step, ...]:
    """Return the steps of all modes, each name once; the order is that of the first mode."""
    steps: list[Step] = []
    for mode in modes:
        place = 0
        for step in mode:
            names = [known.name for known in steps]
            if step.name in names:
                place = max(place, names.index(step.name) + 1)
            else:
                steps.insert(place, step)
                place += 1
    return tuple(steps)


ALL = every_step(NEAR_INFRARED, MIRI)
