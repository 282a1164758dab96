"""Which steps an exposure gets, by instrument and mode, and which modes are not there yet."""

import logging
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from calwebb_core.framework.errors import InputError
from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.step import Step
from calwebb_detector1.steps import (
    dark_current,
    dq_init,
    gain_scale,
    group_scale,
    ipc,
    jump,
    linearity,
    ramp_fit,
    refpix,
    saturation,
    superbias,
)

logger = logging.getLogger(__name__)

NEAR_INFRARED: tuple[Step, ...] = (
    group_scale.STEP,
    dq_init.STEP,
    saturation.STEP,
    ipc.STEP,
    superbias.STEP,
    refpix.STEP,
    linearity.STEP,
    dark_current.STEP,
    jump.STEP,
    ramp_fit.STEP,
    gain_scale.STEP,
)

# MIRI has no superbias, which saturation consults for the other instruments.
MIRI_GENERAL: tuple[Step, ...] = (
    group_scale.STEP,
    dq_init.STEP,
    replace(saturation.STEP, references=("saturation",)),
    linearity.STEP,
    dark_current.STEP,
    jump.STEP,
    ramp_fit.STEP,
    gain_scale.STEP,
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


def unavailable(metadata: Mapping[str, Any]) -> str | None:
    """Return what kind of exposure this is if there are no steps for it yet."""
    if str(metadata.get("EXP_TYPE", "")).upper() in GUIDER:
        return f"guider exposures (EXP_TYPE {metadata['EXP_TYPE']})"
    if str(metadata.get("EXP_TYPE", "")).upper().endswith("DARK"):
        return f"darks (EXP_TYPE {metadata['EXP_TYPE']})"
    if metadata.get("TSOVISIT") is True:
        return "time series (TSOVISIT is T)"
    if "IRS2" in str(metadata.get("READPATT", "")).upper():
        return f"NIRSpec's IRS2 readout (READPATT {metadata['READPATT']})"
    if metadata.get("MSTR_RD1") is not None or metadata.get("SSTR_NST"):
        return "subarrays of several stripes"
    return None


def refuse_unavailable(metadata: Metadata) -> None:
    """Refuse an exposure of a mode that is not there yet.

    Raises
    ------
    InputError
        In one sentence.
    """
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
    if instrument(metadata) == "MIRI":
        steps = ", ".join(step.name for step in MIRI_GENERAL)
        msg = (
            f"{metadata.source}: calwebb_detector1 for MIRI is not available yet; "
            f"`calwebb-detector1 step NAME` runs one of the general steps alone: {steps}"
        )
        raise InputError(msg)
    for keyword, kind in REQUIRED:
        metadata.require(keyword, kind)
    return NEAR_INFRARED


def select_alone(metadata: Metadata) -> tuple[Step, ...]:
    """Return the steps that may run alone on an exposure: also the general ones for MIRI.

    Raises
    ------
    InputError
        For a mode that is not available yet.
    """
    refuse_unavailable(metadata)
    if instrument(metadata) == "MIRI":
        logger.warning(
            "%s: MIRI's own steps (emicorr, firstframe, lastframe, reset, rscd) are not "
            "available yet; only the general steps are",
            metadata.source,
        )
        return MIRI_GENERAL
    return NEAR_INFRARED
