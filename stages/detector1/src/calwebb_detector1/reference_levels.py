"""Levels of the reference pixels of near-infrared detectors, and their subtraction.

See `calwebb_detector1.steps.refpix` for what is done and why.
"""

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.models import Float32, UInt32
from calwebb_core.science.dq import DO_NOT_USE, REFERENCE_PIXEL, PixelDQ
from calwebb_detector1.arrays import check_array
from calwebb_detector1.blocks import Window
from calwebb_detector1.kernels import refpix as kernels
from calwebb_detector1.orientation import EDGE, SIZE, Orientation

Mask = NDArray[np.bool_]
Float64 = NDArray[np.float64]
UNUSABLE = np.uint32(DO_NOT_USE | PixelDQ.BAD_REF_PIXEL)
WITHOUT_EDGES = ("SUB512", "SUB512S", "SUB32")
OUTPUT_EDGES = np.arange(0, SIZE + 1, SIZE // 4)


class Options(Protocol):
    """The options of refpix that matter here."""

    @property
    def odd_even_columns(self) -> bool:
        """Treat odd and even columns apart."""

    @property
    def use_side_ref_pixels(self) -> bool:
        """Subtract a level from every row."""

    @property
    def side_smoothing_length(self) -> int:
        """Rows of the running median."""

    @property
    def side_gain(self) -> float:
        """Factor on the levels of the rows."""

    @property
    def siglimit(self) -> float:
        """Clipping of reference pixels, sigma."""


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


def output_edges(where: Orientation) -> NDArray[np.int64]:
    """Return the columns where the outputs begin that the array covers, and the end."""
    inside = OUTPUT_EDGES[(where.fast0 < OUTPUT_EDGES) & (where.fast0 + where.nfast > OUTPUT_EDGES)]
    return np.array([0, *(inside - where.fast0), where.nfast])


def column_levels(
    planes: Float32, good: Mask, where: Orientation, parameters: Options
) -> NDArray[np.float64]:
    """Return the level (nplanes, nfast) of each column of each group, by output and parity."""
    samples, mask = strips(planes, good, where, -2)
    edges = output_edges(where)
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
    parameters: Options,
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
    planes: Float32, good: Mask, where: Orientation, parameters: Options
) -> NDArray[np.float64]:
    """Return the level (nplanes, nfast) of each column where one output reads all columns."""
    pixels = planes.reshape(len(planes), -1)
    # where each pixel (slow, fast) is in the image
    places = where.turn(np.arange(pixels.shape[1]).reshape(planes.shape[1:]))
    levels = np.zeros((len(planes), where.nfast))
    column = np.broadcast_to(np.arange(where.fast0, where.fast0 + where.nfast), good.shape)
    step = 2 if parameters.odd_even_columns else 1
    for parity in range(step):
        chosen = good & (column % step == parity)
        if chosen.any():
            samples = np.ascontiguousarray(pixels[:, places[chosen]])
            means = kernels.clipped_levels(samples, parameters.siglimit)
            levels[:, column[0] % step == parity] = means[:, np.newaxis]
    return levels


def levels_of(
    planes: Float32, good: Mask, where: Orientation, noutputs: int, parameters: Options
) -> tuple[Float64, Float64]:
    """Return the reference levels along the axes of the image: (nplanes, nx), (nplanes, ny).

    Parameters
    ----------
    planes : float32, (nplanes, ny, nx), DN: groups of any integrations, or zero frames
    good : bool, (slow, fast): reference pixels to use
    where : Orientation
    noutputs : 1, or 4 (also for a full frame)
    parameters : the options of refpix
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
    return (rows, columns) if where.fast_is_y else (columns, rows)


class Levels:
    """The reference levels of all groups of an exposure.

    Levels of the columns repeat within an output, and are kept once for each output and parity.

    Parameters
    ----------
    nints, ngroups : of the exposure; one more plane an integration is kept for the zero frame
    good, where, noutputs, parameters : as for `levels_of`
    """

    def __init__(
        self,
        nints: int,
        ngroups: int,
        good: Mask,
        where: Orientation,
        noutputs: int,
        parameters: Options,
    ) -> None:
        self._how = (good, where, noutputs, parameters)
        edges = output_edges(where) if noutputs == 4 else np.array([0, where.nfast])
        position = np.arange(where.nfast)
        output = np.searchsorted(edges, position, side="right") - 1
        start = edges[output]
        # two columns of each output stand for all of its columns of their parity
        self._places = np.minimum(edges[:-1, np.newaxis] + np.arange(2), where.nfast - 1).ravel()
        self._index = 2 * output + (position - start) % 2
        self._columns = np.zeros((nints, ngroups + 1, len(self._places)))
        self._rows = np.zeros((nints, ngroups + 1, where.nslow if noutputs == 4 else 1))

    def add(self, integration: int, group: int, images: Float32) -> None:
        """Find the levels of groups (nints, ngroups, ny, nx), of zero frames as group -1."""
        good, where, noutputs, parameters = self._how
        nints, ngroups = images.shape[:2]
        planes = images.reshape(-1, *images.shape[2:])
        along_x, along_y = levels_of(planes, good, where, noutputs, parameters)
        columns, rows = (along_y, along_x) if where.fast_is_y else (along_x, along_y)
        columns = columns[:, ::-1] if where.flip_fast else columns
        own = slice(integration, integration + nints)
        groups = slice(group, group + ngroups) if group >= 0 else slice(-1, None)
        shape = (nints, ngroups, -1)
        self._columns[own, groups] = columns[:, self._places].reshape(shape)
        if noutputs == 4:
            self._rows[own, groups] = rows.reshape(shape)

    def subtract(self, planes: Float32, groups: slice, part: Window) -> None:
        """Subtract the levels from some pixels of `planes` (nints, ngroups, rows, columns)."""
        _, where, *_ = self._how
        index = self._index[::-1] if where.flip_fast else self._index
        fast, slow = (part.rows, part.columns) if where.fast_is_y else (part.columns, part.rows)
        columns = self._columns[:, groups][..., index[fast]]
        rows = self._rows[:, groups]
        shape = (*columns.shape[:2], slow.stop - slow.start)
        rows = np.broadcast_to(rows[..., slow] if rows.shape[-1] > 1 else rows, shape)
        along_x, along_y = (rows, columns) if where.fast_is_y else (columns, rows)
        images = planes.reshape(-1, *planes.shape[2:])
        kernels.subtract(
            images,
            np.ascontiguousarray(along_x.reshape(len(images), -1)),
            np.ascontiguousarray(along_y.reshape(len(images), -1)),
        )
