"""jump: find cosmic-ray hits by two-point differences.

Differences d of neighbouring groups in electrons (those next to an unusable group left out),
their median m over all integrations, and sigma = sqrt(|m| + RN^2 / NFRAMES) with the read noise
RN = READNOISE GAIN of a difference (Anderson & Gordon 2011 PASP 123 1237). With ten differences
an integration or more all with |d - m| / sigma above `rejection_threshold` are hits; with fewer,
the largest ratio of |d| is taken out, and median and sigma are found anew until none is left
(limits for four and more, three, two usable differences: `rejection_threshold`,
`four_group_rejection_threshold`, `three_group_rejection_threshold`). With a hundred integrations
or more, each difference is sigma clipped across integrations.

The later group of the pair gets JUMP_DET; so do the four neighbours of a hit between
`min_jump_to_flag_neighbors` and `max_jump_to_flag_neighbors` sigma, and groups for some time
after large hits if asked for. Pixels without gain get NO_GAIN_VALUE | DO_NOT_USE, those without
read noise UNRELIABLE_SLOPE | DO_NOT_USE. Does not run with fewer than three groups, or without
the GAIN and READNOISE references.

If asked for, regions of such jumps that are snowballs (`expand_large_events`) and faint extended
showers (`find_showers`) are flagged after that: see `calwebb_detector1.large_events`. These
look at whole frames, so that the step then does not share a pass with others.
"""

import logging
from collections.abc import Mapping
from typing import Any

import numpy as np

from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.models import Float32, Ramp, UInt32
from calwebb_core.framework.references import References
from calwebb_core.framework.step import COMPLETE, Status, Step, skipped
from calwebb_detector1.arrays import usable_gain, usable_readnoise
from calwebb_detector1.blocks import Block, Correction, Exposure
from calwebb_detector1.census import Census
from calwebb_detector1.jump_search import (
    CLIPPING,
    Groups,
    JumpParameters,
    choose_method,
    clear_common,
    detect_jumps,
    find_jumps,
    flag_around,
)
from calwebb_detector1.kernels.flags import DO_NOT_USE, JUMP_DET
from calwebb_detector1.large_events.flagging import flag_in_ramp, wanted
from calwebb_detector1.together import alone

__all__ = ["STEP", "JumpParameters", "detect_jumps"]

logger = logging.getLogger(__name__)


def note_rate(metadata: Metadata, shape: tuple[int, ...], unusable: Groups, jumps: int) -> None:
    """Write hits per second and thousand pixels as PRIMECRS."""
    logger.info("%d jumps", jumps)
    differences = int(np.count_nonzero(~unusable)) - shape[0]
    if differences > 0:
        seconds = metadata.require("TGROUP", float) * differences
        metadata["PRIMECRS"] = 1000.0 * jumps / (seconds * shape[2] * shape[3])
        metadata["EXTNCRS"] = 0.0


def not_needed(metadata: Mapping[str, Any]) -> str | None:
    """Say why an exposure cannot be searched."""
    ngroups = metadata.get("NGROUPS")
    if isinstance(ngroups, int) and ngroups < 3:
        return f"{ngroups} groups an integration; three are needed"
    return None


def prepare(
    exposure: Exposure, references: References, parameters: JumpParameters
) -> Correction | Status:
    """Read gain and read noise of an exposure, and choose the method."""
    metadata = exposure.metadata
    gain_reference = references.load("gain", metadata)
    noise_reference = references.load("readnoise", metadata)
    if gain_reference is None or noise_reference is None:
        missing = "gain" if gain_reference is None else "readnoise"
        return skipped(f"the {missing} reference is N/A")
    if exposure.shape[1] < 3:
        return skipped(f"{exposure.shape[1]} groups an integration; three are needed")
    gain = exposure.share("gain", lambda: usable_gain(gain_reference, exposure.pixeldq))
    readnoise = exposure.share(
        "readnoise", lambda: usable_readnoise(noise_reference, exposure.pixeldq)
    )
    return correction(exposure, gain, readnoise, parameters)


def usable_only(gain: Float32, pixeldq: UInt32) -> Float32:
    """Return the gain with NaN for pixels that are not to be used.

    A hot pixel jumps at every turn, and would have its good neighbours flagged too.
    """
    return np.where(pixeldq & DO_NOT_USE, np.float32(np.nan), gain)


def correction(
    exposure: Exposure, gain: Float32, readnoise: Float32, parameters: JumpParameters
) -> Correction:
    """Return what is to be done to each block."""
    metadata = exposure.metadata
    census = Census(exposure, "jump")
    together = Census(exposure, "common jumps", JUMP_DET | DO_NOT_USE)
    method = choose_method(census.assumed, parameters)
    nframes = metadata.require("NFRAMES", int)
    group_time = metadata.require("TGROUP", float)
    after = parameters.after_jump_flag_time1 or parameters.after_jump_flag_time2
    median = float(np.nanmedian(usable_only(gain, exposure.pixeldq))) if after else 1.0

    def apply(block: Block) -> int:
        census.add(block)
        if method is None:
            return 0
        own_gain = usable_only(block.window.cut(gain), block.pixeldq)
        counts = find_jumps(
            block.data,
            block.groupdq,
            gain=own_gain,
            readnoise=block.window.cut(readnoise),
            nframes=nframes,
            method=method,
            typical=exposure.typical_groups,
            parameters=parameters,
        )
        if method in CLIPPING:
            together.add(block)
            clear_common(block.groupdq, together.assumed)
        flag_around(
            block.data,
            block.groupdq,
            gain=own_gain,
            median_gain=median,
            group_time=group_time,
            parameters=parameters,
        )
        return int(block.inner(counts).sum())

    def finish(jumps: int) -> None:
        census.check()
        if method in CLIPPING:
            together.check()
        if method is not None:
            note_rate(metadata, exposure.shape, census.assumed, jumps)

    status = skipped("too few usable groups") if method is None else COMPLETE
    return Correction(apply, halo=1, changes_data=False, finish=finish, status=status)


find_in_ramp = alone(prepare)


def run(ramp: Ramp, references: References, parameters: JumpParameters) -> tuple[Ramp, Status]:
    """Flag the jumps of ramps in memory, in place; also events larger than a pixel."""
    ramp, status = find_in_ramp(ramp, references, parameters)
    if status == COMPLETE and wanted(parameters):
        flag_in_ramp(ramp, references, parameters, across=across_integrations(ramp, parameters))
    return ramp, status


def across_integrations(ramp: Ramp, parameters: JumpParameters) -> bool:
    """Say whether there are integrations enough to compare groups across them."""
    return bool(ramp.data.shape[0] >= parameters.minimum_sigclip_groups)


def joins(_: Metadata, parameters: JumpParameters) -> bool:
    """Say whether the step can share a pass: events larger than a pixel need whole frames."""
    return not wanted(parameters)


STEP = Step(
    name="jump",
    keyword="S_JUMP",
    meaning="Find cosmic-ray hits.",
    parameters=JumpParameters,
    run=run,
    prepare=prepare,
    joins=joins,
    references=("gain", "readnoise"),
    not_needed=not_needed,
)
