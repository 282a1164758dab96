"""Flag pixels and their neighbours from the first group above a limit on."""

import numpy as np
from numba import njit

from calwebb_detector1.kernels.flags import DO_NOT_USE
from calwebb_detector1.kernels.types import Float32, Int32, Scalar, UInt8


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def find_first(data: Float32, groupdq: UInt8, i: int, threshold: Scalar, first: Int32) -> None:
    """Write into `first` (int32, (ny, nx)) each pixel's first group above the threshold."""
    _, ngroups, ny, nx = data.shape
    first[:] = ngroups
    for g in range(ngroups - 1, -1, -1):
        for y in range(ny):
            for x in range(nx):
                above = data[i, g, y, x] > threshold and groupdq[i, g, y, x] != DO_NOT_USE
                first[y, x] = g if above else first[y, x]


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def earliest_around(first: Int32, y: int, row: Int32) -> None:
    """Write into `row` the least of `first` over each pixel of a row and its four neighbours."""
    ny, nx = first.shape
    row[:] = first[y]
    if y > 0:
        for x in range(nx):
            row[x] = min(row[x], first[y - 1, x])
    if y < ny - 1:
        for x in range(nx):
            row[x] = min(row[x], first[y + 1, x])
    for x in range(1, nx):
        row[x] = min(row[x], first[y, x - 1])
    for x in range(nx - 1):
        row[x] = min(row[x], first[y, x + 1])


@njit(cache=True, nogil=True, error_model="numpy")
def flag_charge_loss(data: Float32, groupdq: UInt8, threshold: Scalar, bits: Scalar) -> None:
    """Set bits from a pixel's or its neighbours' first group above a threshold on.

    Parameters
    ----------
    data : float32, (nints, ngroups, ny, nx), DN
    groupdq : uint8, shape of `data`, changed
    threshold : float32, DN
    bits : uint8
    """
    nints, ngroups, ny, nx = data.shape
    first, row = np.empty((ny, nx), np.int32), np.empty(nx, np.int32)
    for i in range(nints):
        find_first(data, groupdq, i, threshold, first)
        for y in range(ny):
            earliest_around(first, y, row)
            earliest = row.min()
            for g in range(earliest, ngroups):
                for x in range(nx):
                    late = g >= row[x]
                    groupdq[i, g, y, x] |= bits if late else np.uint8(0)
