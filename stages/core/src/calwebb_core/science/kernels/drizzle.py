"""Drizzling with the square kernel, several planes of one image at once.

Pixels become quadrangles whose corners lie where four pixels meet. A call fills some rows of the
output, visiting the pixels of the input in order, so that the sums don't depend on how the
output is divided into bands or who fills them. A row is done at a time, so that the processor's
vectors are used: `drizzle_corners` finds the quadrangles, `drizzle_shares` cuts them by the
output pixels (`drizzle_edges` those that are too large), and `drizzle_sums` adds the parts up.
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from calwebb_core.science.kernels.drizzle_corners import (
    Placed,
    centre_row,
    copy_line,
    corner_row,
    number_of_columns,
    reaching,
    row_quadrangles,
)
from calwebb_core.science.kernels.drizzle_edges import SLIVER, area_over, bounds, sorted_edges
from calwebb_core.science.kernels.drizzle_shares import pick, row_ninths, row_quarters
from calwebb_core.science.kernels.drizzle_sums import add_row

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]
UInt32 = NDArray[np.uint32]


@njit(cache=True, nogil=True, error_model="numpy")
def drizzle_square(
    planes: Float32,
    weight: Float32,
    first: tuple[int, int],
    placed: Placed,
    shrink: float,
    corner: tuple[int, int],
    sums: Float64,
    own: Float64,
) -> None:
    """Add ``weight * overlap / area`` and its product with the planes to output pixels.

    Parameters
    ----------
    planes : float32, (nplanes, n, m)
        Some rows of an image; finite, unless `own` is used.
    weight : float32, (n, m)
    first : (int, int)
        Row of the image that the first of `planes` is; where in them the columns of `placed`
        begin.
    placed : Placed
        For these rows and those beside them.
    shrink : float
        Side of the shrunken pixel.
    corner : (int, int)
        Row and column of the grid that the first of `sums` is.
    sums : float64, (1 + nplanes, my, mx)
        Added to: sums of weights, and sums of weight times value for each plane.
    own : float64, (nplanes, my, mx)
        Added to: sums of weights of each plane where it is finite; empty if not wanted.
    """
    columns, order = number_of_columns(placed), placed.order
    below, here = np.empty((2, columns + 2)), np.empty((2, columns + 2))
    above, spare = np.empty((2, columns + 2)), np.empty(columns)
    low, high = np.empty((2, columns + 1)), np.empty((2, columns + 1))
    quads, parts, edges = np.empty((4, 2, columns)), np.empty((4, columns)), np.empty((4, 5))
    places, whole = np.empty((2, columns), np.int32), np.empty(columns, np.uint8)
    values, weights = np.ones((1 + planes.shape[0], columns)), np.empty(columns)
    picked, ninths = np.empty((4, 2, columns)), np.empty((9, columns))
    some, index = np.empty(columns), np.empty(columns, np.int32)
    room = np.empty((4, columns), np.int32)
    centre_row(placed, first[0] - 1, below)
    centre_row(placed, first[0], here)
    corner_row(below, here, low)
    for y in range(weight.shape[0]):
        centre_row(placed, first[0] + y + 1, above)
        corner_row(here, above, high)
        start, stop = reaching(low, high, corner[0], corner[0] + sums.shape[1])
        if start < stop:
            row_quadrangles(placed, here, low, high, start, stop, shrink, spare, quads)
            begin, end = first[1] + start, first[1] + stop
            copy_line(weight[y], begin, end, order, weights)
            for plane in range(planes.shape[0]):
                copy_line(planes[plane, y], begin, end, order, values[1 + plane])
            w = weights[: stop - start]
            row_quarters(quads, w, parts, places, whole)
            count = pick(quads, w, whole, places, picked, some, index)
            row_ninths(picked, some[:count], ninths)
            add_row(
                quads, edges, w, values, parts, ninths, index, places, whole, corner, room, sums,
                own,
            )  # fmt: skip
        here, above = above, here
        low, high = high, low


@njit(cache=True, nogil=True, error_model="numpy")
def or_flags(flag, quads, edges, n, corner, out):
    """Set a flag in all output pixels that share some area with a quadrangle."""
    (left, right), (bottom, top) = bounds(quads, n, 0), bounds(quads, n, 1)
    first, start = corner
    area = sorted_edges(quads, n, edges)
    for j in range(max(first, bottom), min(first + out.shape[0] - 1, top) + 1):
        for i in range(max(start, left), min(start + out.shape[1] - 1, right) + 1):
            above = area_over(edges, float(i), j + 0.5)
            if area_over(edges, float(i), j - 0.5) - above > SLIVER * area:
                out[j - first, i - start] |= flag


@njit(cache=True, nogil=True, error_model="numpy")
def spread_flags(
    flags: UInt32,
    weight: Float32,
    first: tuple[int, int],
    placed: Placed,
    shrink: float,
    corner: tuple[int, int],
    out: UInt32,
) -> None:
    """Combine the flags of pixels with weight in the output pixels that they fall on, by OR.

    Parameters
    ----------
    flags : uint32, (n, m)
    weight, first, placed, shrink, corner
        As in `drizzle_square`.
    out : uint32, (my, mx)
        Changed.
    """
    columns = number_of_columns(placed)
    below, here = np.empty((2, columns + 2)), np.empty((2, columns + 2))
    above, spare = np.empty((2, columns + 2)), np.empty(columns)
    low, high = np.empty((2, columns + 1)), np.empty((2, columns + 1))
    quads, edges = np.empty((4, 2, columns)), np.empty((4, 5))
    for y in range(weight.shape[0]):
        if not np.any(flags[y]):
            continue
        centre_row(placed, first[0] + y - 1, below)
        centre_row(placed, first[0] + y, here)
        centre_row(placed, first[0] + y + 1, above)
        corner_row(below, here, low)
        corner_row(here, above, high)
        row_quadrangles(placed, here, low, high, 0, columns, shrink, spare, quads)
        for n in range(columns):
            x = first[1] + (n if placed.order > 0 else columns - 1 - n)
            if flags[y, x] and weight[y, x] > 0.0:
                or_flags(flags[y, x], quads, edges, n, corner, out)
