"""Put a noise realisation, moved by some pixels, on counts that are free of noise."""

import numpy as np
from numba import njit
from numpy.typing import NDArray


@njit(cache=True, nogil=True)
def compose(
    out: NDArray[np.uint16],
    bright: NDArray[np.uint16],
    dim: NDArray[np.uint16],
    weight: float,
    noise: NDArray[np.int32],
    shift: tuple[int, int],
    box: tuple[int, int, int, int],
) -> None:
    """Fill in the counts of an integration.

    Noise moves cyclically: along rows within the box, along columns over all columns.

    Parameters
    ----------
    out : uint16, (ngroups, ny, nx)
        Filled in.
    bright, dim : uint16, (ngroups, ny, nx)
        Counts without noise at the variable light's brightest and faintest.
    weight : float
        Where between them this integration is: 0 for `bright`, 1 for `dim`.
    noise : int32, (ngroups, ny, nx)
        What is added, before it is moved.
    shift : (int, int)
        Columns and rows by which it is moved, not negative.
    box : (int, int, int, int)
        First column, column behind the last, first row and row behind the last that move.
    """
    groups, ny, nx = out.shape
    x0, x1, y0, y1 = box
    for group in range(groups):
        for j in range(ny):
            row = j
            if y0 <= j < y1:
                row = y0 + (j - y0 - shift[1]) % (y1 - y0)
            for i in range(nx):
                column = i
                if x0 <= i < x1 and y0 <= j < y1:
                    column = x0 + (i - x0 - shift[0]) % (x1 - x0)
                first = float(bright[group, j, i])
                value = first + weight * (float(dim[group, j, i]) - first)
                value = np.rint(value + noise[group, row, column])
                out[group, j, i] = np.uint16(min(max(value, 0.0), 65535.0))
