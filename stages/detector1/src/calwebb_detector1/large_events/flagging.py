"""Flag snowballs and showers of a whole exposure, integrations or groups in threads."""

import logging

import numpy as np

from calwebb_core.framework.models import Float32, Ramp, UInt8, UInt32
from calwebb_core.framework.references import References
from calwebb_core.framework.threads import in_threads
from calwebb_core.science.dq import PixelDQ
from calwebb_detector1.arrays import check_array, check_ramps, image_shape, reference_array
from calwebb_detector1.kernels import showers
from calwebb_detector1.kernels.flags import DO_NOT_USE
from calwebb_detector1.kernels.jump_flags import all_flagged
from calwebb_detector1.large_events.options import LargeEventOptions
from calwebb_detector1.large_events.showers import (
    FEWEST_DIFFERENCES,
    Exposure,
    ShowerSearch,
    enough_differences,
    groups_to_search,
    mark_showers,
)
from calwebb_detector1.large_events.snowballs import SnowballSearch, flag_cores

logger = logging.getLogger(__name__)

BLIND = np.uint32(PixelDQ.DO_NOT_USE | PixelDQ.REFERENCE_PIXEL)


def wanted(options: LargeEventOptions) -> bool:
    """Say whether the options ask for any search."""
    return options.expand_large_events or options.find_showers


def flag_in_ramp(
    ramp: Ramp, references: References, options: LargeEventOptions, *, across: bool
) -> None:
    """Flag the events of an exposure whose jumps are found, in place, and note their rate.

    EXTNCRS is the number of events per second and million pixels.
    """
    metadata = ramp.metadata
    group_time = metadata.require("TGROUP", float)
    events = flag_large_events(
        ramp.data,
        ramp.groupdq,
        ramp.pixeldq,
        gain=above_zero(references, "gain", ramp),
        readnoise=above_zero(references, "readnoise", ramp),
        nframes=metadata.require("NFRAMES", int),
        group_time=group_time,
        across=across,
        options=options,
    )
    nints, _, ny, nx = ramp.data.shape
    frames = ramp.groupdq.reshape(-1, ny, nx)
    differences = sum(not all_flagged(frame, DO_NOT_USE) for frame in frames) - nints
    if differences > 0:
        metadata["EXTNCRS"] = 1e6 * events / (group_time * differences * ny * nx)


def above_zero(references: References, kind: str, ramp: Ramp) -> Float32:
    """Return a reference image with NaN where it is not above zero.

    The pixels without were flagged and counted when jumps were searched.
    """
    reference = references.load(kind, ramp.metadata)
    assert reference is not None  # noqa: S101 - jumps are not found without
    values = reference_array(reference, "SCI", image_shape(ramp))
    return np.where(values > 0, values, np.float32(np.nan))


def flag_large_events(
    data: Float32,
    groupdq: UInt8,
    pixeldq: UInt32,
    *,
    gain: Float32,
    readnoise: Float32,
    nframes: int,
    group_time: float,
    across: bool,
    options: LargeEventOptions,
) -> int:
    """Flag snowballs and showers in `groupdq` in place, if the options ask for them.

    Parameters
    ----------
    data : float32, (nints, ngroups, ny, nx), DN; whole frames
    groupdq : uint8, shape of `data`, with the jumps of single pixels
    pixeldq : uint32, (ny, nx)
    gain : float32, (ny, nx), electron/DN; NaN where there is none
    readnoise : float32, (ny, nx), DN, of the difference of two frames; NaN likewise
    nframes : frames that a group averages
    group_time : s
    across : look for showers by comparing groups across integrations
    options : LargeEventOptions

    Returns
    -------
    int
        Events found.

    Raises
    ------
    ValueError
        If shapes or types disagree.
    """
    check_ramps(data, groupdq)
    check_array("pixeldq", pixeldq, np.uint32, data.shape[2:])
    check_array("gain", gain, np.float32, data.shape[2:])
    check_array("readnoise", readnoise, np.float32, data.shape[2:])
    events = 0
    if options.expand_large_events:
        events += flag_snowballs(groupdq, group_time=group_time, options=options)
    if options.find_showers:
        variance = (readnoise * gain) ** 2 / np.float32(nframes)
        blind = (pixeldq & BLIND != 0).astype(np.uint8)
        exposure = Exposure(data, groupdq, blind, gain, variance)
        events += flag_showers(exposure, group_time=group_time, across=across, options=options)
    return events


def flag_snowballs(groupdq: UInt8, *, group_time: float, options: LargeEventOptions) -> int:
    """Flag snowballs in place and return how many there are."""
    searches = [SnowballSearch(integration, options) for integration in groupdq]
    in_threads(SnowballSearch.run, searches)
    if options.mask_snowball_core_next_int:
        groups = int(options.snowball_time_masked_next_int // group_time)
        for search, integration in zip(searches, groupdq[1:], strict=False):
            flag_cores(integration, search.cores, groups)
    count = sum(search.count for search in searches)
    logger.info("%d snowballs", count)
    return count


def flag_showers(
    exposure: Exposure, *, group_time: float, across: bool, options: LargeEventOptions
) -> int:
    """Flag showers in place and return how many there are."""
    groupdq = exposure.groupdq
    if not enough_differences(groupdq):
        logger.warning(
            "no search for showers: fewer than %d usable differences", FEWEST_DIFFERENCES
        )
        return 0
    search = ShowerSearch(exposure, options, across=across)
    search.prepare(in_threads)
    items = groups_to_search(groupdq)
    found = in_threads(search.find, items)
    # flags come last: those that last for more groups would hide the showers of these
    groups = int(options.time_masked_after_shower // group_time)
    for (i, g), ellipses in zip(items, found, strict=True):
        mark_showers(groupdq[i], g, ellipses, groups, options)
    limit = options.max_shower_amplitude * group_time
    undone = sum(
        showers.settle_marks(exposure.data, groupdq, i, exposure.blind, limit)
        for i in range(len(groupdq))
    )
    count = sum(map(len, found))
    logger.info("%d showers; %d pixels of them are too bright for one", count, undone)
    return count
