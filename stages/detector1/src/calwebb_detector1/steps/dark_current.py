"""dark_current: subtract the dark ramp of the detector.

The DARK reference holds cumulative frames, (nframes, ny, nx) and for MIRI one such ramp an
integration. Frames are averaged over NFRAMES and skipped over GROUPGAP to make the groups of the
exposure; beyond the last, the dark grows on at the rate of its last two frames. NaN counts as
zero. The reference's flags are added to PIXELDQ, and its average dark current (AVDRKCUR, e-/s)
is kept for the Poisson variance of ramp_fit. Does not run where the reference is N/A or its own
NFRAMES or GROUPGAP cannot be brought to those of the exposure.
"""

import logging
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calwebb_core.framework.errors import ReferenceFileError
from calwebb_core.framework.models import Float32, Ramp
from calwebb_core.framework.parameters import option
from calwebb_core.framework.reference_data import Reference
from calwebb_core.framework.references import References
from calwebb_core.framework.step import COMPLETE, Status, Step, skipped
from calwebb_detector1.arrays import (
    check_array,
    check_size,
    image_shape,
    label,
    reference_array,
    reference_dq,
)
from calwebb_detector1.kernels import dark_current as kernels

logger = logging.getLogger(__name__)

Pattern = tuple[int, int]


@dataclass(frozen=True)
class DarkCurrentParameters:
    """Options of the step dark_current."""

    average_dark_current: float | None = option(
        None, "average dark current instead of the reference's", minimum=0.0, unit="electron/s"
    )


def pattern_mismatch(dark: Pattern, science: Pattern) -> str | None:
    """Say why a dark of one (NFRAMES, GROUPGAP) cannot serve an exposure of another, if so."""
    if dark == science or dark == (1, 0):
        return None
    return (
        f"the dark's NFRAMES, GROUPGAP {dark[0]}, {dark[1]} cannot be brought to the "
        f"exposure's {science[0]}, {science[1]}"
    )


def dark_of_integrations(ndarks: int, nints: int, first: int) -> NDArray[np.int64]:
    """Return which of `ndarks` dark ramps belongs to each integration.

    Integrations beyond the last take the last, and so do all of a segment that does not start
    at integration 1.
    """
    if first > 1:
        return np.full(nints, ndarks - 1)
    return np.minimum(np.arange(nints), ndarks - 1)


def subtract_dark(
    data: Float32, *, dark: Float32, pattern: Pattern, first_integration: int = 1
) -> None:
    """Subtract a dark from `data` in place.

    Parameters
    ----------
    data : float32, (nints, ngroups, ny, nx), DN
    dark : float32, (nframes, ny, nx) or (ndarks, nframes, ny, nx), DN
    pattern : (frames averaged into a group, frames skipped between groups), in dark frames
    first_integration : number of the first integration within the exposure, from 1
    """
    check_array("data", data, np.float32, (*data.shape[:2], *dark.shape[-2:]))
    darks = dark if dark.ndim == 4 else dark[np.newaxis]
    which = dark_of_integrations(darks.shape[0], data.shape[0], first_integration)
    kernels.subtract_dark(data, darks, which, *pattern)


def dark_array(reference: Reference, shape: tuple[int, int], frames: int) -> Float32:
    """Return the dark frames, of which `frames` will be needed.

    Raises
    ------
    ReferenceFileError
        If it has the wrong axes or one frame, which says nothing about a rate.
    """
    dark = reference_array(reference, "SCI", shape)
    if dark.ndim not in (3, 4) or dark.shape[-3] == 1 < frames:
        msg = (
            f"{label(reference)}: SCI has shape {dark.shape}; expected two frames or more, "
            f"(nframes, {shape[0]}, {shape[1]})"
        )
        raise ReferenceFileError(msg)
    if dark.shape[-3] < frames:
        logger.warning(
            "%s has %d frames of %d needed; the rest is extrapolated",
            label(reference),
            dark.shape[-3],
            frames,
        )
    return dark


def average_current(
    reference: Reference, shape: tuple[int, int], parameters: DarkCurrentParameters
) -> Float32:
    """Return the average dark current, e-/s, of each pixel: the option's or the reference's."""
    if parameters.average_dark_current is not None:
        return np.full(shape, parameters.average_dark_current, np.float32)
    array = reference.arrays.get("AVDRKCUR")
    if array is not None and np.any(array):
        check_size(reference, "AVDRKCUR", array, shape)
        return np.nan_to_num(np.ascontiguousarray(array, np.float32), nan=0.0)
    return np.full(shape, float(reference.metadata.get("AVDRKCUR") or 0.0), np.float32)


def run(
    ramp: Ramp, references: References, parameters: DarkCurrentParameters
) -> tuple[Ramp, Status]:
    """Subtract the dark of an exposure in place."""
    reference = references.load("dark", ramp.metadata)
    if reference is None:
        return ramp, skipped("the dark reference is N/A")
    science = ramp.metadata.require("NFRAMES", int), int(ramp.metadata.get("GROUPGAP") or 0)
    own = int(reference.metadata.get("NFRAMES", 1)), int(reference.metadata.get("GROUPGAP", 0))
    reason = pattern_mismatch(own, science)
    if reason:
        logger.warning("%s: %s", label(reference), reason)
        return ramp, skipped(reason)
    shape, ngroups = image_shape(ramp), ramp.data.shape[1]
    nframes, groupgap = (1, 0) if own == science else science
    dark = dark_array(reference, shape, ngroups * (nframes + groupgap) - groupgap)
    ramp.pixeldq |= reference_dq(reference, shape)
    ramp.average_dark_current = average_current(reference, shape, parameters)
    first = int(ramp.metadata.get("INTSTART") or 1)
    subtract_dark(ramp.data, dark=dark, pattern=(nframes, groupgap), first_integration=first)
    return ramp, COMPLETE


STEP = Step(
    name="dark_current",
    keyword="S_DARK",
    meaning="Subtract the dark current.",
    parameters=DarkCurrentParameters,
    run=run,
    references=("dark",),
)
