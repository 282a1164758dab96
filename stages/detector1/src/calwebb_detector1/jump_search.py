"""The two-point difference search on arrays: its options, method, hits and what is around them.

See `calwebb_detector1.steps.jump` for the formulas and their source.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calwebb_core.framework.models import Float32, UInt8
from calwebb_core.framework.parameters import option
from calwebb_detector1.arrays import check_array, check_ramps, one_row
from calwebb_detector1.kernels import jump as kernels
from calwebb_detector1.kernels import jump_clip, jump_flags
from calwebb_detector1.kernels.flags import DO_NOT_USE, JUMP_DET, SPREADING
from calwebb_detector1.kernels.network import comparisons
from calwebb_detector1.large_events.options import LargeEventOptions

Groups = NDArray[np.bool_]
CLIPPING = (kernels.CLIP_INTEGRATIONS, kernels.CLIP_ALL)


@dataclass(frozen=True)
class SearchOptions:
    """Options of the search in single pixels."""

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


@dataclass(frozen=True)
class JumpParameters(LargeEventOptions, SearchOptions):
    """Options of the step jump: of single pixels, then of snowballs and showers."""


def choose_method(unusable: Groups, parameters: JumpParameters) -> int | None:
    """Return the kernel's method that suits an exposure, or None if it has too few groups.

    `unusable` (nints, ngroups) tells which groups no pixel can use.
    """
    counts = np.count_nonzero(~unusable, axis=1)
    fewest, total = int(counts.min()), int(counts.sum())
    series = len(counts) if parameters.only_use_ints else total
    if series >= parameters.minimum_sigclip_groups:
        return kernels.CLIP_INTEGRATIONS if parameters.only_use_ints else kernels.CLIP_ALL
    if fewest < parameters.minimum_groups:
        return None
    single_pass = fewest - 1 >= parameters.min_diffs_single_pass
    return kernels.AT_ONCE if single_pass else kernels.ONE_BY_ONE


def find_jumps(
    data: Float32,
    groupdq: UInt8,
    *,
    gain: Float32,
    readnoise: Float32,
    nframes: int,
    method: int,
    typical: Groups,
    parameters: JumpParameters,
) -> NDArray[np.int32]:
    """Flag the jumps of pixels on their own in `groupdq`, and mark those that spread.

    Parameters
    ----------
    data : float32, (nints, ngroups, ny, nx), DN
    groupdq : uint8, shape of `data`, changed
    gain : float32, (ny, nx), electron/DN; NaN: the pixel is passed over
    readnoise : float32, (ny, nx), DN, of the difference of two frames; NaN likewise
    nframes : frames that a group averages
    method : as `choose_method` returns
    typical : bool, (nints, ngroups): groups that are DO_NOT_USE for most pixels; it only makes
        the search faster
    parameters : JumpParameters

    Returns
    -------
    int32, (ny, nx)
        Jumps found.

    Raises
    ------
    ValueError
        If shapes or types disagree.
    """
    check_ramps(data, groupdq)
    check_array("gain", gain, np.float32, data.shape[2:])
    check_array("readnoise", readnoise, np.float32, data.shape[2:])
    limits = (
        parameters.rejection_threshold,
        parameters.four_group_rejection_threshold,
        parameters.three_group_rejection_threshold,
    )
    spread = (parameters.min_jump_to_flag_neighbors, parameters.max_jump_to_flag_neighbors)
    counts = np.empty(data.shape[2:], np.int32)
    variance = (readnoise * gain) ** 2 / np.float32(nframes)
    nints, ngroups = data.shape[:2]
    if method in CLIPPING:
        gain = np.where(np.isnan(variance), np.float32(np.nan), gain)
        together = method == kernels.CLIP_ALL
        pairs = comparisons(nints * (ngroups - 1) if together else nints)
        jump_clip.find_clipped(
            one_row(data),
            one_row(groupdq),
            one_row(gain),
            one_row(variance),
            limits[0],
            np.array(spread),
            together,
            pairs,
            one_row(counts),
        )
        return counts
    pairs = comparisons(int(np.count_nonzero(~typical[:, 1:] & ~typical[:, :-1])))
    kernels.find_jumps(
        one_row(data),
        one_row(groupdq),
        one_row(gain),
        one_row(variance),
        np.array(limits),
        np.array(spread),
        method,
        typical,
        pairs,
        one_row(counts),
    )
    return counts


def clear_common(groupdq: UInt8, common: Groups) -> None:
    """Clear jumps that all pixels of a group have in common: no cosmic ray does that."""
    for i, g in np.argwhere(common):
        group = groupdq[i, g]
        group[group & ~SPREADING == JUMP_DET] = 0


def flag_around(
    data: Float32,
    groupdq: UInt8,
    *,
    gain: Float32,
    median_gain: float,
    group_time: float,
    parameters: JumpParameters,
) -> None:
    """Flag what surrounds jumps in place: neighbours, and later groups if the options ask for it.

    `median_gain` (electron/DN, of the whole detector) turns the options' DN into electrons.
    """
    if parameters.flag_4_neighbors:
        jump_flags.flag_neighbours(groupdq)
    jump_flags.clear_marks(groupdq)
    times = (parameters.after_jump_flag_time1, parameters.after_jump_flag_time2)
    lengths: NDArray[np.int64] = np.array([int(time // group_time) for time in times])
    if lengths.any():
        limits = np.array([parameters.after_jump_flag_dn1, parameters.after_jump_flag_dn2])
        jump_flags.flag_transients(data, groupdq, gain, limits * median_gain, lengths)
        jump_flags.clear_marks(groupdq)


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
    """Flag the jumps of a whole exposure in `groupdq`; the arguments are those of `find_jumps`.

    Returns
    -------
    int or None
        Jumps found, without neighbours; None if there are too few groups to look for any.
    """
    check_ramps(data, groupdq)
    unusable: Groups = np.all(groupdq & DO_NOT_USE, axis=(2, 3))
    method = choose_method(unusable, parameters)
    if method is None or data.shape[1] < 2:
        return None
    counts = find_jumps(
        data,
        groupdq,
        gain=gain,
        readnoise=readnoise,
        nframes=nframes,
        method=method,
        typical=unusable,
        parameters=parameters,
    )
    if method in CLIPPING:
        clear_common(groupdq, np.all(groupdq & (JUMP_DET | DO_NOT_USE), axis=(2, 3)))
    flag_around(
        data,
        groupdq,
        gain=gain,
        median_gain=float(np.nanmedian(gain)),
        group_time=group_time,
        parameters=parameters,
    )
    return int(counts.sum())
