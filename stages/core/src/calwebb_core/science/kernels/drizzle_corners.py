"""Where the corners of a row of pixels lie on the grid.

Four pixels meet at a corner: it lies at the mean of their centres, continued with the last step
at the edges of the map.
"""

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from calwebb_core.science.kernels.pixelmap import MapArrays, map_row

Float64 = NDArray[np.float64]


class Placed(NamedTuple):
    """Some columns of a map, and how its pixels lie on the grid.

    Attributes
    ----------
    arrays : MapArrays
        For these columns and those beside them, as far as the map has them.
    rows : (int, int)
        First row of the whole map, and the one behind the last.
    ends : (int, int)
        1 where the map ends on the left and on the right of the columns, else 0.
    quarter, turn, order : int
        See `calwebb_core.science.grid_window.Lie`; the same for the whole map, so that numbers
        don't depend on the columns asked for.
    """

    arrays: MapArrays
    rows: tuple[int, int]
    ends: tuple[int, int]
    quarter: int
    turn: int
    order: int


@njit(cache=True, nogil=True, error_model="numpy")
def number_of_columns(placed: Placed) -> int:
    """Return how many columns there are without those beside them."""
    return placed.arrays.columns - 2 + placed.ends[0] + placed.ends[1]


@njit(cache=True, nogil=True, error_model="numpy")
def centre_row(placed: Placed, y: int, out: Float64) -> None:
    """Write the centres of row `y`, with one more on each side; `out` is (2, columns + 2).

    Rows and columns beside the map are continued with the last step.
    """
    arrays, rows, (left, right) = placed.arrays, placed.rows, placed.ends
    if rows[1] - rows[0] < 2 or arrays.columns < 2:
        out[:] = np.nan
        return
    inside = min(max(y, rows[0]), rows[1] - 1)
    map_row(arrays, inside, left, out)
    if inside != y:
        other = np.empty_like(out)
        map_row(arrays, 2 * inside - y, left, other)
        for axis in range(2):
            for x in range(left, left + arrays.columns):
                out[axis, x] = 2.0 * out[axis, x] - other[axis, x]
    last = out.shape[1] - 1
    for axis in range(2):
        if left:
            out[axis, 0] = 2.0 * out[axis, 1] - out[axis, 2]
        if right:
            out[axis, last] = 2.0 * out[axis, last - 1] - out[axis, last - 2]


@njit(cache=True, nogil=True, error_model="numpy")
def corner_row(below, above, out):
    """Write where the pixels of two rows of centres meet; `out` is (2, columns + 1)."""
    for axis in range(2):
        low, high, part = below[axis], above[axis], out[axis]
        for x in range(part.shape[0]):
            part[x] = 0.25 * ((low[x] + low[x + 1]) + (high[x] + high[x + 1]))


@njit(cache=True, nogil=True, error_model="numpy")
def reaching(low, high, first, last):
    """Return the columns of a row between which pixels reach output rows from `first` to `last`.

    The last one of both is excluded.
    """
    bottom, top = first - 0.5, last - 0.5
    below, above = low[1], high[1]
    start, stop = 0, low.shape[1] - 1
    while start < stop:
        a, b, c, d = below[start], below[start + 1], above[start], above[start + 1]
        least, most = min(min(a, b), min(c, d)), max(max(a, b), max(c, d))
        if most > bottom and least < top:
            break
        start += 1
    while start < stop:
        a, b, c, d = below[stop - 1], below[stop], above[stop - 1], above[stop]
        least, most = min(min(a, b), min(c, d)), max(max(a, b), max(c, d))
        if most > bottom and least < top:
            break
        stop -= 1
    return start, stop


@njit(cache=True, nogil=True, error_model="numpy")
def copy_line(source, start, stop, order, out):
    """Write a part of a line, backwards if the order is -1."""
    part = source[start:stop]
    if order > 0:
        for n in range(part.shape[0]):
            out[n] = part[n]
    else:
        for n in range(part.shape[0]):
            out[n] = part[part.shape[0] - 1 - n]


@njit(cache=True, nogil=True, error_model="numpy")
def row_quadrangles(placed, centres, low, high, start, stop, shrink, spare, quads):
    """Write shrunken pixels of a row, from the lower left corner counter-clockwise.

    `centres` is (2, columns + 2), `low` and `high` (2, columns + 1); of `quads` (4, 2, columns)
    the first `stop` - `start` are written, in the order of `placed`.
    """
    size, order = stop - start, placed.order
    for axis in range(2):
        for position in range(4):
            corner = (placed.quarter + placed.turn * position) % 4
            right = 1 if corner in (1, 2) else 0
            line = low[axis] if corner < 2 else high[axis]
            copy_line(line, start + right, stop + right, order, quads[position, axis])
        if shrink != 1.0:
            copy_line(centres[axis], start + 1, stop + 1, order, spare)
            for position in range(4):
                part = quads[position, axis]
                for n in range(size):
                    part[n] = spare[n] + shrink * (part[n] - spare[n])
