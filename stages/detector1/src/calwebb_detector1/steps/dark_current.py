"""dark_current: subtract the dark ramp of the detector.

The DARK reference holds cumulative frames, (nframes, ny, nx) and for MIRI one such ramp an
integration; in a segment of an exposure the first integration is INTSTART, and those beyond the
last ramp take that. Frames are averaged over NFRAMES and skipped over GROUPGAP to make the groups
of the exposure; beyond the last, the dark grows on at the rate of its last two frames. NaN counts
as zero. The reference's flags are added to PIXELDQ, and its average dark current (AVDRKCUR, e-/s)
is kept for the Poisson variance of ramp_fit. Does not run where the reference is N/A or its own
NFRAMES or GROUPGAP cannot be brought to those of the exposure.
"""

import logging
from dataclasses import dataclass

import numpy as np

from calwebb_core.framework.errors import ReferenceFileError
from calwebb_core.framework.models import Float32
from calwebb_core.framework.parameters import option
from calwebb_core.framework.reference_arrays import part_of
from calwebb_core.framework.reference_data import Reference
from calwebb_core.framework.references import References
from calwebb_core.framework.step import Status, Step, skipped
from calwebb_detector1.arrays import (
    check_array,
    check_size,
    label,
    reference_dq,
    stored_shape,
)
from calwebb_detector1.blocks import Block, Correction, Exposure, Window
from calwebb_detector1.integrations import first_integration, plane_of_integrations
from calwebb_detector1.kernels import dark_current as kernels
from calwebb_detector1.together import alone

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


@dataclass(frozen=True)
class DarkFrames:
    """The frames of a dark reference, read as they are needed.

    Attributes
    ----------
    reference : Reference
        SCI (nframes, ny, nx) or (ndarks, nframes, ny, nx), DN.
    available : int
        Frames there are.
    pattern : (frames averaged into a group, frames skipped between groups), in dark frames
    """

    reference: Reference
    available: int
    pattern: Pattern

    def group(self, group: int, part: Window) -> Float32:
        """Return the dark of a group for some pixels, float32 (ndarks, rows, columns), DN."""
        nframes, groupgap = self.pattern
        start = group * (nframes + groupgap)
        # the last two frames tell how the dark goes on
        alone = nframes == 1 and start < self.available
        low = start if alone else max(0, min(start, self.available - 2))
        planes = slice(low, min(start + nframes, self.available))
        frames = part_of(self.reference.arrays, "SCI", planes, part.rows, part.columns)
        frames = np.ascontiguousarray(frames.reshape((-1, *frames.shape[-3:])), np.float32)
        if alone:
            return np.ascontiguousarray(frames[:, 0])
        out = np.empty((frames.shape[0], *frames.shape[2:]), np.float32)
        kernels.average_frames(frames, start - low, nframes, out)
        return out


def subtract_dark(data: Float32, *, dark: DarkFrames, part: Window, first: int = 1) -> None:
    """Subtract a dark from `data` in place.

    Parameters
    ----------
    data : float32, (nints, ngroups, rows, columns), DN
    dark : DarkFrames
    part : Window
        Which pixels `data` holds.
    first : number of the first integration within the exposure, from 1
    """
    check_array("data", data, np.float32, (*data.shape[:2], *part.shape))
    for group in range(data.shape[1]):
        own = dark.group(group, part)
        which = plane_of_integrations(own.shape[0], data.shape[0], first)
        kernels.subtract_dark(data, group, own, which)


def dark_frames(
    reference: Reference, shape: tuple[int, int], ngroups: int, pattern: Pattern
) -> DarkFrames:
    """Return the frames of a dark for an exposure of `ngroups` groups.

    Raises
    ------
    ReferenceFileError
        If it has the wrong axes or one frame, which says nothing about a rate.
    """
    found = stored_shape(reference, "SCI", shape)
    needed = ngroups * sum(pattern) - pattern[1]
    if len(found) not in (3, 4) or found[-3] == 1 < needed:
        msg = (
            f"{label(reference)}: SCI has shape {found}; expected two frames or more, "
            f"(nframes, {shape[0]}, {shape[1]})"
        )
        raise ReferenceFileError(msg)
    if found[-3] < needed:
        logger.warning(
            "%s has %d frames of %d needed; the rest is extrapolated",
            label(reference),
            found[-3],
            needed,
        )
    return DarkFrames(reference, found[-3], pattern)


def average_current(
    reference: Reference, shape: tuple[int, int], parameters: DarkCurrentParameters
) -> Float32:
    """Return the average dark current, e-/s, of each pixel: the option's or the reference's."""
    if parameters.average_dark_current is not None:
        return np.full(shape, parameters.average_dark_current, np.float32)
    array = reference.arrays.get("AVDRKCUR")
    if array is not None and np.any(array):
        check_size(reference, "AVDRKCUR", array.shape, shape)
        known = np.isfinite(array)
        current = np.ascontiguousarray(array, np.float32)
        return current if known.all() else np.where(known, current, np.float32(0))
    return np.full(shape, float(reference.metadata.get("AVDRKCUR") or 0.0), np.float32)


def prepare(
    exposure: Exposure, references: References, parameters: DarkCurrentParameters
) -> Correction | Status:
    """Check the dark of an exposure; each block reads its own frames."""
    metadata = exposure.metadata
    reference = references.load("dark", metadata)
    if reference is None:
        return skipped("the dark reference is N/A")
    science = metadata.require("NFRAMES", int), int(metadata.get("GROUPGAP") or 0)
    own = int(reference.metadata.get("NFRAMES", 1)), int(reference.metadata.get("GROUPGAP", 0))
    reason = pattern_mismatch(own, science)
    if reason:
        logger.warning("%s: %s", label(reference), reason)
        return skipped(reason)
    shape = exposure.image_shape
    pattern = (1, 0) if own == science else science
    dark = dark_frames(reference, shape, exposure.shape[1], pattern)
    exposure.pixeldq |= reference_dq(reference, shape)
    exposure.average_dark_current = average_current(reference, shape, parameters)
    first = first_integration(metadata)

    def apply(block: Block) -> int:
        subtract_dark(block.data, dark=dark, part=block.window, first=first)
        return 0

    return Correction(apply)


run = alone(prepare)

STEP = Step(
    name="dark_current",
    keyword="S_DARK",
    meaning="Subtract the dark current.",
    parameters=DarkCurrentParameters,
    run=run,
    prepare=prepare,
    references=("dark",),
)
