"""refpix: remove drifts of the readout electronics with the reference pixels.

Near-infrared detectors, in the order they are read. With four outputs: for each group and output
the 3-sigma clipped means of the odd and the even columns in the first and the last four rows,
averaged over both ends, are subtracted from the columns; then from every row the running median
(11 rows, mirrored at the ends) of the first and the last four columns, averaged, times
`side_gain`. With one output (subarrays): the clipped means of the odd and the even columns of all
reference pixels. NIRSpec SUB512, SUB512S and SUB32 have none: their outermost columns serve.
The zero frame is treated likewise (its zeros mean bad and stay).

NIRSpec's IRS2 readout has reference samples between the pixels: see `calwebb_detector1.irs2`.
Its frames are trimmed to 2048 x 2048 pixels here.

Reference pixels with DO_NOT_USE or BAD_REF_PIXEL are not used; the log says how many are. Sets no
flags. Does not run, and says so, where there are none or all are flagged.
"""

import logging
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.models import Float32, Ramp, UInt32
from calwebb_core.framework.parameters import option
from calwebb_core.framework.references import References
from calwebb_core.framework.step import COMPLETE, Status, Step, skipped
from calwebb_core.science.dq import DO_NOT_USE, REFERENCE_PIXEL, PixelDQ
from calwebb_detector1.arrays import check_array, image_shape
from calwebb_detector1.kernels import refpix as kernels
from calwebb_detector1.orientation import EDGE, SIZE, Orientation, orientation_of

logger = logging.getLogger(__name__)

Mask = NDArray[np.bool_]
UNUSABLE = np.uint32(DO_NOT_USE | PixelDQ.BAD_REF_PIXEL)
WITHOUT_EDGES = ("SUB512", "SUB512S", "SUB32")
OUTPUT_EDGES = np.arange(0, SIZE + 1, SIZE // 4)


@dataclass(frozen=True)
class RefpixParameters:
    """Options of the step refpix."""

    odd_even_columns: bool = option(True, "treat odd and even columns apart")
    use_side_ref_pixels: bool = option(True, "subtract a level from every row")
    side_smoothing_length: int = option(
        11, "rows of the running median; an even number gets one more", minimum=1, unit="row"
    )
    side_gain: float = option(1.0, "factor on the levels of the rows")
    siglimit: float = option(3.0, "clipping of reference pixels", minimum=0.5, unit="sigma")
    ovr_corr_mitigation_ftr: float = option(
        3.0, "IRS2: scatter above which a reference pixel is bad", minimum=0.5, unit="sigma"
    )
    preserve_irs2_refpix: bool = option(
        False, "IRS2: keep the reference samples (to make reference files; run no later step)"
    )
    irs2_mean_subtraction: bool = option(
        False, "IRS2: first subtract levels of odd and even columns"
    )


def edge_pixels(where: Orientation) -> Mask:
    """Return which pixels (slow, fast) of an oriented array are on the detector's rim."""
    slow = np.arange(where.slow0, where.slow0 + where.nslow)
    fast = np.arange(where.fast0, where.fast0 + where.nfast)
    rows = (slow < EDGE) | (slow >= SIZE - EDGE)
    columns = (fast < EDGE) | (fast >= SIZE - EDGE)
    return rows[:, np.newaxis] | columns[np.newaxis, :]


def has_no_edges(metadata: Metadata) -> bool:
    """Say whether an exposure's outermost columns serve as reference pixels."""
    return metadata.get("INSTRUME") == "NIRSPEC" and metadata.get("SUBARRAY") in WITHOUT_EDGES


def reference_pixels(pixeldq: UInt32, where: Orientation, *, outermost: bool) -> Mask:
    """Return which pixels (slow, fast) are reference pixels, good or bad.

    Those that the mask flags; without any flag, the rim of the detector. With `outermost`
    also the first and the last four columns of the image.
    """
    flagged: Mask = where.turn(pixeldq & REFERENCE_PIXEL != 0)
    if outermost:
        columns = np.zeros(pixeldq.shape, np.bool_)
        columns[:, :EDGE] = columns[:, -EDGE:] = True
        flagged |= where.turn(columns)
        return flagged
    return flagged if flagged.any() else edge_pixels(where)


def outer(array: NDArray[Any], start: int, axis: int) -> list[NDArray[Any]]:
    """Return the first and last four of the detector along an axis, empty where not covered."""
    n = array.shape[axis]
    head = slice(0, max(0, EDGE - start))
    tail = slice(min(n, max(0, SIZE - EDGE - start)), n)
    index = [slice(None)] * array.ndim
    parts = []
    for part in (head, tail):
        index[axis] = part
        parts.append(array[tuple(index)])
    return parts


def strips(planes: Float32, good: Mask, where: Orientation, axis: int) -> tuple[Float32, Mask]:
    """Return the outer four rows (`axis` -2) or columns (-1) at both ends, and which are good.

    Returns
    -------
    float32 (nplanes, 2, 4, n) or (nplanes, 2, n, 4), and bool without the first axis; where
    the array does not reach that end, samples are zero and none is good.
    """
    start = where.slow0 if axis == -2 else where.fast0
    shape = (EDGE, where.nfast) if axis == -2 else (where.nslow, EDGE)
    samples = np.zeros((len(planes), 2, *shape), np.float32)
    mask = np.zeros((2, *shape), np.bool_)
    turned = where.turn(planes)
    for end, (part, part_good) in enumerate(
        zip(outer(turned, start, axis), outer(good, start, axis), strict=True)
    ):
        size = part.shape[axis]
        index = (slice(size), slice(None)) if axis == -2 else (slice(None), slice(size))
        samples[:, end, *index] = part
        mask[end, *index] = part_good
    return samples, mask


def column_levels(
    planes: Float32, good: Mask, where: Orientation, parameters: RefpixParameters
) -> NDArray[np.float64]:
    """Return the level (nplanes, nfast) of each column of each group, by output and parity."""
    samples, mask = strips(planes, good, where, -2)
    inside = OUTPUT_EDGES[(where.fast0 < OUTPUT_EDGES) & (where.fast0 + where.nfast > OUTPUT_EDGES)]
    edges = np.array([0, *(inside - where.fast0), where.nfast])
    step = 2 if parameters.odd_even_columns else 1
    levels = np.zeros((len(planes), where.nfast))
    for plane, level in zip(samples, levels, strict=True):
        kernels.column_levels(plane, mask, edges, step, parameters.siglimit, level)
    return levels


def row_levels(
    planes: Float32,
    good: Mask,
    where: Orientation,
    columns: NDArray[np.float64],
    parameters: RefpixParameters,
) -> NDArray[np.float64]:
    """Return the level (nplanes, nslow) of each row of each group, after its columns' levels."""
    levels = np.zeros((len(planes), where.nslow))
    if not parameters.use_side_ref_pixels:
        return levels
    samples, mask = strips(planes, good, where, -1)
    for end, part in enumerate(outer(columns, where.fast0, -1)):
        samples[:, end, :, : part.shape[-1]] -= part[:, np.newaxis, :].astype(np.float32)
    half = min(parameters.side_smoothing_length // 2, SIZE - 1)
    kernels.row_levels(samples, mask, half, parameters.side_gain, where.slow0, SIZE, levels)
    return levels


def single_output_levels(
    planes: Float32, good: Mask, where: Orientation, parameters: RefpixParameters
) -> NDArray[np.float64]:
    """Return the level (nplanes, nfast) of each column where one output reads all columns."""
    turned = where.turn(planes)
    levels = np.zeros((len(planes), where.nfast))
    column = np.broadcast_to(np.arange(where.fast0, where.fast0 + where.nfast), good.shape)
    step = 2 if parameters.odd_even_columns else 1
    for parity in range(step):
        chosen = good & (column % step == parity)
        if chosen.any():
            samples = np.ascontiguousarray(turned[:, chosen])
            means = kernels.clipped_levels(samples, parameters.siglimit)
            levels[:, column[0] % step == parity] = means[:, np.newaxis]
    return levels


def subtract_reference(
    planes: Float32, good: Mask, where: Orientation, noutputs: int, parameters: RefpixParameters
) -> None:
    """Subtract the reference levels from groups in place.

    Parameters
    ----------
    planes : float32, (nplanes, ny, nx), DN: groups of any integrations, or zero frames
    good : bool, (slow, fast): reference pixels to use
    where : Orientation
    noutputs : 1, or 4 (also for a full frame)
    parameters : RefpixParameters
    """
    check_array("planes", planes, np.float32, planes.shape)
    if noutputs == 4:
        columns = column_levels(planes, good, where, parameters)
        rows = row_levels(planes, good, where, columns, parameters)
    else:
        columns = single_output_levels(planes, good, where, parameters)
        rows = np.zeros((len(planes), where.nslow))
    columns = columns[:, ::-1] if where.flip_fast else columns
    rows = rows[:, ::-1] if where.flip_slow else rows
    along_x, along_y = (rows, columns) if where.fast_is_y else (columns, rows)
    kernels.subtract(planes, np.ascontiguousarray(along_x), np.ascontiguousarray(along_y))


def run(ramp: Ramp, _: References, parameters: RefpixParameters) -> tuple[Ramp, Status]:
    """Correct the groups of an exposure in place."""
    shape = image_shape(ramp)
    where = orientation_of(ramp.metadata, shape)
    pixels = reference_pixels(ramp.pixeldq, where, outermost=has_no_edges(ramp.metadata))
    good = np.ascontiguousarray(pixels & (where.turn(ramp.pixeldq) & UNUSABLE == 0))
    used, found = int(np.count_nonzero(good)), int(np.count_nonzero(pixels))
    logger.info("%d of %d reference pixels are used", used, found)
    if found == 0:
        return ramp, skipped("the subarray has no reference pixels")
    if used == 0:
        reason = f"all {found} reference pixels are flagged DO_NOT_USE or BAD_REF_PIXEL"
        logger.warning("%s: %s; drifts are not removed", ramp.metadata.source, reason)
        return ramp, skipped(reason)
    noutputs = 4 if where.full or ramp.metadata.get("NOUTPUTS") == 4 else 1
    subtract_reference(ramp.data.reshape(-1, *shape), good, where, noutputs, parameters)
    if ramp.zeroframe is not None:
        bad = ramp.zeroframe == 0
        subtract_reference(ramp.zeroframe, good, where, noutputs, parameters)
        ramp.zeroframe[bad] = 0
    return ramp, COMPLETE


STEP = Step(
    name="refpix",
    keyword="S_REFPIX",
    meaning="Remove drifts of the readout electronics with the reference pixels.",
    parameters=RefpixParameters,
    run=run,
)
