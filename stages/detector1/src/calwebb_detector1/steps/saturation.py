"""saturation: flag samples that the pixel's well or the A/D converter cut off.

A pixel is SATURATED from the first group that reaches its threshold (SATURATION reference, DN)
on, and so are its neighbours within `n_pix_grow_sat`, into which charge spills. Samples at or
below zero get AD_FLOOR | DO_NOT_USE. Pixels with NO_SAT_CHECK or without a threshold (NaN) are
not checked and get NO_SAT_CHECK.

Where a group averages several frames, saturation that sets in within it does not reach the
threshold. The group before the first saturated one gets DO_NOT_USE when it exceeds the threshold
times (mean / last frame time), and the second group when the first predicts no saturation until
the end of the third although that is saturated, and the second has jumped by more than one
saturated frame accounts for (this test needs the superbias). Saturated or floor values of the
zero frame become 0, which marks them as bad. Does not run where the reference is N/A.
"""

import logging
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calwebb_core.framework.models import Float32, UInt8, UInt32
from calwebb_core.framework.parameters import option
from calwebb_core.framework.reference_arrays import part_of
from calwebb_core.framework.reference_data import Reference
from calwebb_core.framework.references import References
from calwebb_core.framework.step import Status, Step, skipped
from calwebb_core.science.dq import NO_SAT_CHECK
from calwebb_detector1.arrays import (
    check_array,
    check_ramps,
    reference_dq,
    stored_shape,
)
from calwebb_detector1.blocks import Block, Correction, Exposure, Window
from calwebb_detector1.kernels import saturation as kernels
from calwebb_detector1.together import alone

logger = logging.getLogger(__name__)

ABOVE_CONVERTER = np.float32(65536)


@dataclass(frozen=True)
class SaturationParameters:
    """Options of the step saturation."""

    n_pix_grow_sat: int = option(
        1, "neighbours of a saturated pixel to flag in each direction", minimum=0, unit="pixel"
    )
    use_readpatt: bool = option(True, "look for saturation within averaged groups")


def checked_threshold(threshold: Float32, dq: UInt32) -> tuple[Float32, NDArray[np.bool_]]:
    """Return thresholds, above the converter where there is none, and a mask of those pixels."""
    unchecked = (dq & NO_SAT_CHECK != 0) | np.isnan(threshold)
    return np.where(unchecked, ABOVE_CONVERTER, threshold), unchecked


def flag_saturation(
    data: Float32,
    groupdq: UInt8,
    zeroframe: Float32 | None,
    *,
    threshold: Float32,
    unchecked: NDArray[np.bool_],
    nframes: int,
    bias: Float32 | None = None,
    parameters: SaturationParameters,
) -> NDArray[np.bool_]:
    """Flag saturation in `groupdq` and blank saturated values of `zeroframe`, both in place.

    Parameters
    ----------
    data : float32, (nints, ngroups, ny, nx), DN
    groupdq : uint8, shape of `data`
    zeroframe : float32, (nints, ny, nx), DN, or None
    threshold, unchecked : (ny, nx), as `checked_threshold` returns
    nframes : frames that a group averages
    bias : float32, (ny, nx), DN, or None
    parameters : SaturationParameters

    Returns
    -------
    bool, (ny, nx)
        Which pixels saturate in any integration.
    """
    check_ramps(data, groupdq)
    check_array("threshold", threshold, np.float32, data.shape[2:])
    first = np.empty(data.shape[2:], np.int32)
    grown = np.empty_like(first)
    ever = np.zeros(data.shape[2:], np.bool_)
    reach = parameters.n_pix_grow_sat
    within = parameters.use_readpatt and nframes > 1
    if not within and zeroframe is None:
        kernels.flag_integrations(data, groupdq, threshold, reach, first, grown, ever)
        return ever
    for i, (ramps, flags) in enumerate(zip(data, groupdq, strict=True)):
        kernels.flag_integrations(
            data[i : i + 1], groupdq[i : i + 1], threshold, reach, first, grown, ever
        )
        if within:
            _flag_within_groups(
                ramps, flags, grown, first, threshold, unchecked, nframes, bias, reach
            )
        if zeroframe is not None:
            _blank_zeroframe(zeroframe[i], threshold, first, grown, reach)
    return ever


def _flag_within_groups(
    ramps: Float32,
    flags: UInt8,
    first: NDArray[np.int32],
    partly: NDArray[np.int32],
    threshold: Float32,
    unchecked: NDArray[np.bool_],
    nframes: int,
    bias: Float32 | None,
    reach: int,
) -> None:
    """Flag groups of one integration that hold saturated frames; `partly` is overwritten."""
    ends = nframes * np.arange(1, ramps.shape[0] + 1)
    dilution = (ends - (nframes - 1) / 2.0) / ends
    kernels.find_partly_saturated(ramps, flags, threshold, dilution, unchecked, first, partly)
    kernels.flag_partly_saturated(partly, reach, flags)
    if ramps.shape[0] > 2:
        pedestal = np.zeros_like(threshold) if bias is None else bias
        kernels.flag_second_group(ramps, first, threshold, pedestal, nframes, flags)


def _blank_zeroframe(
    frame: Float32,
    threshold: Float32,
    first: NDArray[np.int32],
    grown: NDArray[np.int32],
    reach: int,
) -> None:
    kernels.find_first_saturated(frame[np.newaxis], threshold, first)
    kernels.smallest_in_box(first, reach, grown)
    kernels.blank_zeroframe(frame, grown)


def bias_of(exposure: Exposure, references: References, nframes: int) -> Reference | None:
    """Return the superbias where the test of the second group needs it."""
    metadata = exposure.metadata
    if nframes == 1 or exposure.shape[1] < 3 or metadata.get("INSTRUME") == "MIRI":
        return None
    reference = references.load("superbias", metadata)
    if reference is not None:
        stored_shape(reference, "SCI", exposure.image_shape)
    return reference


def pixels_of(reference: Reference, part: Window) -> Float32:
    """Return SCI of a reference for some pixels."""
    array = part_of(reference.arrays, "SCI", rows=part.rows, columns=part.columns)
    return np.ascontiguousarray(array, np.float32)


def prepare(
    exposure: Exposure, references: References, parameters: SaturationParameters
) -> Correction | Status:
    """Read the flags of an exposure's thresholds; each block reads its own thresholds."""
    reference = references.load("saturation", exposure.metadata)
    if reference is None:
        return skipped("the saturation reference is N/A")
    stored_shape(reference, "SCI", exposure.image_shape)
    dq = reference_dq(reference, exposure.image_shape)
    nframes = exposure.metadata.require("NFRAMES", int)
    pedestal = bias_of(exposure, references, nframes) if parameters.use_readpatt else None
    exposure.pixeldq |= dq

    def apply(block: Block) -> int:
        part = block.window
        threshold, unchecked = checked_threshold(pixels_of(reference, part), part.cut(dq))
        saturated = flag_saturation(
            block.data,
            block.groupdq,
            block.zeroframe,
            threshold=threshold,
            unchecked=unchecked,
            nframes=nframes,
            bias=None if pedestal is None else np.nan_to_num(pixels_of(pedestal, part), nan=0.0),
            parameters=parameters,
        )
        block.pixeldq[unchecked] |= np.uint32(NO_SAT_CHECK)
        return int(np.count_nonzero(block.inner(saturated)))

    def finish(pixels: int) -> None:
        logger.info("%d of %d pixels saturate", pixels, dq.size)

    return Correction(apply, parameters.n_pix_grow_sat, changes_data=False, finish=finish)


run = alone(prepare)

STEP = Step(
    name="saturation",
    keyword="S_SATURA",
    meaning="Flag saturated groups and those at the floor of the A/D converter.",
    parameters=SaturationParameters,
    run=run,
    prepare=prepare,
    references=("saturation", "superbias"),
)
