"""Piecewise cubic interpolation of a coordinate map from a coarse grid to all pixels."""

import numpy as np
from numba import njit, prange
from numpy.typing import NDArray

Float64 = NDArray[np.float64]
Int64 = NDArray[np.int64]


@njit(cache=True, nogil=True, parallel=True)
def interpolate_map(
    node_values: Float64,
    y_first: Int64,
    y_weights: Float64,
    x_first: Int64,
    x_weights: Float64,
    out: Float64,
) -> None:
    """Fill `out` from values at grid nodes.

    Parameters
    ----------
    node_values : float64, (nky, nkx, 2)
        Coordinates at the nodes.
    y_first, x_first : int64, (ny,), (nx,)
        First of the four nodes that a row or column uses.
    y_weights, x_weights : float64, (ny, 4), (nx, 4)
        Their Lagrange weights.
    out : float64, (ny, nx, 2)
        Written.
    """
    ny, nx = out.shape[0], out.shape[1]
    nkx = node_values.shape[1]
    for y in prange(ny):
        row = np.empty((nkx, 2), dtype=np.float64)
        first = y_first[y]
        for k in range(nkx):
            for axis in range(2):
                value = 0.0
                for i in range(4):
                    value += y_weights[y, i] * node_values[first + i, k, axis]
                row[k, axis] = value
        for x in range(nx):
            start = x_first[x]
            for axis in range(2):
                value = 0.0
                for i in range(4):
                    value += x_weights[x, i] * row[start + i, axis]
                out[y, x, axis] = value
