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
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calwebb_core.framework.models import Float32, Ramp, UInt8
from calwebb_core.framework.parameters import option
from calwebb_core.framework.references import References
from calwebb_core.framework.step import COMPLETE, Status, Step, skipped
from calwebb_detector1.arrays import check_array, check_ramps, usable_gain, usable_readnoise
from calwebb_detector1.kernels import jump as kernels
from calwebb_detector1.kernels import jump_flags
from calwebb_detector1.kernels.flags import DO_NOT_USE, JUMP_DET, SPREADING

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class JumpParameters:
    """Options of the step jump."""

    rejection_threshold: float = option(4.0, "limit for a hit", minimum=0.0, unit="sigma")
    four_group_rejection_threshold: float = option(
        5.0, "limit for a hit among three usable differences", minimum=0.0, unit="sigma"
    )
    three_group_rejection_threshold: float = option(
        6.0, "limit for a hit among two usable differences", minimum=0.0, unit="sigma"
    )
    flag_4_neighbors: bool = option(True, "flag the four neighbours of a hit")
    min_jump_to_flag_neighbors: float = option(
        10.0, "hits above this flag their neighbours", minimum=0.0, unit="sigma"
    )
    max_jump_to_flag_neighbors: float = option(
        1000.0, "hits above this do not, as they spread further", minimum=0.0, unit="sigma"
    )
    after_jump_flag_dn1: float = option(
        0.0, "hits above this flag the groups after them", minimum=0.0, unit="DN"
    )
    after_jump_flag_time1: float = option(0.0, "for this long", minimum=0.0, unit="s")
    after_jump_flag_dn2: float = option(
        0.0, "larger hits flag more groups after them", minimum=0.0, unit="DN"
    )
    after_jump_flag_time2: float = option(0.0, "for this long", minimum=0.0, unit="s")
    min_diffs_single_pass: int = option(
        10, "differences an integration from which all hits are found at once", minimum=2
    )
    minimum_groups: int = option(3, "usable groups needed", minimum=2)
    minimum_sigclip_groups: int = option(
        100, "integrations (or groups) from which differences are sigma clipped", minimum=3
    )
    only_use_ints: bool = option(
        True, "clip each difference across integrations, not all groups together"
    )


def usable_groups(groupdq: UInt8) -> tuple[int, int]:
    """Return the fewest groups of an integration, and all groups, of which any pixel is usable."""
    counts = [
        sum(not jump_flags.all_flagged(flags, DO_NOT_USE) for flags in integration)
        for integration in groupdq
    ]
    return min(counts), sum(counts)


def choose_method(groupdq: UInt8, parameters: JumpParameters) -> int | None:
    """Return the kernel's method that suits an exposure, or None if it has too few groups."""
    fewest, total = usable_groups(groupdq)
    series = groupdq.shape[0] if parameters.only_use_ints else total
    if series >= parameters.minimum_sigclip_groups:
        return kernels.CLIP_INTEGRATIONS if parameters.only_use_ints else kernels.CLIP_ALL
    if fewest < parameters.minimum_groups:
        return None
    single_pass = fewest - 1 >= parameters.min_diffs_single_pass
    return kernels.AT_ONCE if single_pass else kernels.ONE_BY_ONE


def detect_jumps(
    data: Float32,
    groupdq: UInt8,
    *,
    gain: Float32,
    readnoise: Float32,
    nframes: int,
    group_time: float,
    parameters: JumpParameters,
) -> int | None:
    """Flag jumps in `groupdq` in place.

    Parameters
    ----------
    data : float32, (nints, ngroups, ny, nx), DN
    groupdq : uint8, shape of `data`
    gain : float32, (ny, nx), electron/DN; NaN: the pixel is passed over
    readnoise : float32, (ny, nx), DN, of the difference of two frames; NaN likewise
    nframes : frames that a group averages
    group_time : s
    parameters : JumpParameters

    Returns
    -------
    int or None
        Jumps found, without neighbours; None if there are too few groups to look for any.

    Raises
    ------
    ValueError
        If shapes or types disagree.
    """
    check_ramps(data, groupdq)
    check_array("gain", gain, np.float32, data.shape[2:])
    check_array("readnoise", readnoise, np.float32, data.shape[2:])
    method = choose_method(groupdq, parameters)
    if method is None or data.shape[1] < 2:
        return None
    thresholds = np.array(
        [
            parameters.rejection_threshold,
            parameters.four_group_rejection_threshold,
            parameters.three_group_rejection_threshold,
        ]
    )
    spread = np.array(
        [parameters.min_jump_to_flag_neighbors, parameters.max_jump_to_flag_neighbors]
    )
    counts = np.zeros(data.shape[2], np.int64)
    variance = (readnoise * gain) ** 2 / np.float32(nframes)
    kernels.find_jumps(data, groupdq, gain, variance, thresholds, spread, method, counts)
    if method in (kernels.CLIP_INTEGRATIONS, kernels.CLIP_ALL):
        clear_common(groupdq)
    if parameters.flag_4_neighbors:
        jump_flags.flag_neighbours(groupdq)
    jump_flags.clear_marks(groupdq)
    flag_transients(data, groupdq, gain, group_time, parameters)
    return int(counts.sum())


def clear_common(groupdq: UInt8) -> None:
    """Clear jumps that all pixels of a group have in common: no cosmic ray does that."""
    for group in groupdq.reshape(-1, *groupdq.shape[2:]):
        if jump_flags.all_flagged(group, JUMP_DET | DO_NOT_USE):
            group[group & ~SPREADING == JUMP_DET] = 0


def flag_transients(
    data: Float32, groupdq: UInt8, gain: Float32, group_time: float, parameters: JumpParameters
) -> None:
    """Flag the groups after large jumps in place, if the options ask for it."""
    times = (parameters.after_jump_flag_time1, parameters.after_jump_flag_time2)
    lengths: NDArray[np.int64] = np.array([int(time // group_time) for time in times])
    if not lengths.any():
        return
    limits = np.array([parameters.after_jump_flag_dn1, parameters.after_jump_flag_dn2])
    jump_flags.flag_transients(data, groupdq, gain, limits * float(np.nanmedian(gain)), lengths)
    jump_flags.clear_marks(groupdq)


def hits_per_second(ramp: Ramp, jumps: int) -> float | None:
    """Return hits per second and thousand pixels, for PRIMECRS."""
    total = usable_groups(ramp.groupdq)[1] - ramp.data.shape[0]
    if total < 1:
        return None
    pixels = ramp.data.shape[2] * ramp.data.shape[3]
    time: float = ramp.metadata.require("TGROUP", float)
    hits: float = 1000.0 * jumps / (time * total * pixels)
    return hits


def not_needed(metadata: Mapping[str, Any]) -> str | None:
    """Say why an exposure cannot be searched."""
    ngroups = metadata.get("NGROUPS")
    if isinstance(ngroups, int) and ngroups < 3:
        return f"{ngroups} groups an integration; three are needed"
    return None


def run(ramp: Ramp, references: References, parameters: JumpParameters) -> tuple[Ramp, Status]:
    """Flag the jumps of an exposure in place."""
    gain_reference = references.load("gain", ramp.metadata)
    noise_reference = references.load("readnoise", ramp.metadata)
    if gain_reference is None or noise_reference is None:
        missing = "gain" if gain_reference is None else "readnoise"
        return ramp, skipped(f"the {missing} reference is N/A")
    if ramp.data.shape[1] < 3:
        return ramp, skipped(f"{ramp.data.shape[1]} groups an integration; three are needed")
    gain = usable_gain(gain_reference, ramp.pixeldq)
    # a hot pixel jumps at every turn, and would have its good neighbours flagged too
    bad = (ramp.pixeldq & DO_NOT_USE) != 0
    jumps = detect_jumps(
        ramp.data,
        ramp.groupdq,
        gain=np.where(bad, np.float32(np.nan), gain),
        readnoise=usable_readnoise(noise_reference, ramp.pixeldq),
        nframes=ramp.metadata.require("NFRAMES", int),
        group_time=ramp.metadata.require("TGROUP", float),
        parameters=parameters,
    )
    if jumps is None:
        return ramp, skipped("too few usable groups")
    logger.info("%d jumps", jumps)
    rate = hits_per_second(ramp, jumps)
    if rate is not None:
        ramp.metadata["PRIMECRS"] = rate
        ramp.metadata["EXTNCRS"] = 0.0
    return ramp, COMPLETE


STEP = Step(
    name="jump",
    keyword="S_JUMP",
    meaning="Find cosmic-ray hits.",
    parameters=JumpParameters,
    run=run,
    references=("gain", "readnoise"),
    not_needed=not_needed,
)
