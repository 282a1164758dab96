"""Piecewise cubic interpolation of a coordinate map from a coarse grid, a row at a time."""

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

Float64 = NDArray[np.float64]
Int64 = NDArray[np.int64]


class MapArrays(NamedTuple):
    """A coordinate map as kernels read it.

    Attributes
    ----------
    values : float64, (2, nky, nkx)
        x and y in the output at the nodes; without cells, of whole rows of pixels.
    first_row, first_column, columns : int
        First pixel row that `y_first` and `y_weights` tell of, first pixel column of the map,
        and its number of columns.
    y_first, y_weights : int64, (n,) and float64, (n, 4)
        First of the four nodes that a row uses, and their Lagrange weights.
    cells : int64, (ncells + 1,)
        Where cells of columns begin, counted from `first_column`; empty if `values` holds
        pixels instead of nodes.
    x_first : int64, (ncells,)
        First of the four nodes that a cell uses.
    places : float64, (columns,)
        Position of a column in units of the nodes' distance, counted from the first of its
        four nodes.
    """

    values: Float64
    first_row: int
    first_column: int
    columns: int
    y_first: Int64
    y_weights: Float64
    cells: Int64
    x_first: Int64
    places: Float64


@njit(cache=True, nogil=True, error_model="numpy")
def map_row(arrays: MapArrays, y: int, pad: int, out: Float64) -> None:
    """Write where the pixels of row `y` fall.

    Parameters
    ----------
    arrays : MapArrays
    y : int
        Row of the image; one of those that the arrays tell of.
    pad : int
        Columns of `out` to leave as they are on the left.
    out : float64, (2, pad + columns or more)
        Written: x and y.
    """
    row = y - arrays.first_row
    if arrays.cells.shape[0] == 0:
        for axis in range(2):
            out[axis, pad : pad + arrays.columns] = arrays.values[axis, row, :]
        return
    start = arrays.y_first[row]
    w0, w1, w2, w3 = arrays.y_weights[row]
    for axis in range(2):
        n0, n1 = arrays.values[axis, start], arrays.values[axis, start + 1]
        n2, n3 = arrays.values[axis, start + 2], arrays.values[axis, start + 3]
        for cell in range(arrays.x_first.shape[0]):
            k = arrays.x_first[cell]
            p0 = w0 * n0[k] + w1 * n1[k] + w2 * n2[k] + w3 * n3[k]
            p1 = w0 * n0[k + 1] + w1 * n1[k + 1] + w2 * n2[k + 1] + w3 * n3[k + 1]
            p2 = w0 * n0[k + 2] + w1 * n1[k + 2] + w2 * n2[k + 2] + w3 * n3[k + 2]
            p3 = w0 * n0[k + 3] + w1 * n1[k + 3] + w2 * n2[k + 3] + w3 * n3[k + 3]
            # Newton's form on equidistant nodes: small differences keep their digits.
            d1, d2 = p1 - p0, 0.5 * (p2 - 2.0 * p1 + p0)
            d3 = (p3 - 3.0 * p2 + 3.0 * p1 - p0) / 6.0
            places = arrays.places[arrays.cells[cell] : arrays.cells[cell + 1]]
            part = out[axis, pad + arrays.cells[cell] : pad + arrays.cells[cell + 1]]
            for i in range(part.shape[0]):
                t = places[i]
                part[i] = p0 + t * (d1 + (t - 1.0) * (d2 + (t - 2.0) * d3))


@njit(cache=True, nogil=True, error_model="numpy")
def map_rows(arrays: MapArrays, first: int, out: Float64) -> None:
    """Write where the pixels of rows from `first` on fall.

    Parameters
    ----------
    arrays : MapArrays
    first : int
    out : float64, (n, columns, 2)
        Written.
    """
    row = np.empty((2, arrays.columns))
    for y in range(out.shape[0]):
        map_row(arrays, first + y, 0, row)
        for x in range(arrays.columns):
            out[y, x, 0] = row[0, x]
            out[y, x, 1] = row[1, x]


@njit(cache=True, nogil=True, error_model="numpy")
def map_extents(arrays: MapArrays, first: int, step: int, out: Float64) -> None:
    """Write the least and the greatest coordinates of rows, looking at every `step`-th column.

    Parameters
    ----------
    arrays : MapArrays
    first, step : int
        First row; distance of the columns.
    out : float64, (n, 4)
        Written: least x, greatest x, least y, greatest y.
    """
    row = np.empty((2, arrays.columns))
    for y in range(out.shape[0]):
        map_row(arrays, first + y, 0, row)
        for axis in range(2):
            line = row[axis]
            low = min(line[0], line[-1])
            high = max(line[0], line[-1])
            for x in range(0, arrays.columns, step):
                low = min(low, line[x])
                high = max(high, line[x])
            out[y, 2 * axis] = low
            out[y, 2 * axis + 1] = high


@njit(cache=True, nogil=True, error_model="numpy")
def map_lattice(arrays: MapArrays, rows: Int64, columns: Int64, out: Float64) -> None:
    """Write where some rows and columns cross.

    Parameters
    ----------
    arrays : MapArrays
    rows : int64, (n,)
        Rows of the image.
    columns : int64, (m,)
        Counted from the first column of the arrays.
    out : float64, (n, m, 2)
        Written: x and y.
    """
    row = np.empty((2, arrays.columns))
    for n in range(rows.shape[0]):
        map_row(arrays, rows[n], 0, row)
        for m in range(columns.shape[0]):
            out[n, m, 0] = row[0, columns[m]]
            out[n, m, 1] = row[1, columns[m]]
