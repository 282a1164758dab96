"""Subtract the dark frames that correspond to each group."""

import numpy as np
from numba import njit

from calwebb_detector1.kernels.types import Float32, Int64, Scalar

ZERO = np.float32(0)


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def dark_frame(darks: Float32, d: int, k: int, y: int, x: int) -> Scalar:
    """Return frame `k` of dark `d`, extrapolated by its last rate, NaN as 0.

    `darks` is (ndarks, nframes, ny, nx).
    """
    last = darks.shape[1] - 1
    value = darks[d, min(k, last), y, x]
    if k > last:
        value += np.float32(k - last) * (value - darks[d, last - 1, y, x])
    return ZERO if np.isnan(value) else value


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def dark_group(
    darks: Float32, d: int, g: int, nframes: int, groupgap: int, y: int, x: int
) -> Scalar:
    """Return the mean of the frames of dark `d` that group `g` averages."""
    start = g * (nframes + groupgap)
    if nframes == 1:
        return dark_frame(darks, d, start, y, x)
    total = ZERO
    for k in range(start, start + nframes):
        total += dark_frame(darks, d, k, y, x)
    return total / np.float32(nframes)


@njit(cache=True, nogil=True, error_model="numpy")
def subtract_dark(data: Float32, darks: Float32, which: Int64, nframes: int, groupgap: int) -> None:
    """Subtract from `data` (nints, ngroups, ny, nx) in place the dark of each integration.

    `darks` float32 (ndarks, nframes, ny, nx), DN; `which` (int64, nints) names the dark of
    each integration, in ascending order. A group of the data averages `nframes` frames of the
    dark and skips `groupgap`.
    """
    nints, ngroups, ny, nx = data.shape
    for y in range(ny):
        row = np.empty(nx, np.float32)
        for g in range(ngroups):
            known = -1
            for i in range(nints):
                if which[i] != known:
                    known = which[i]
                    for x in range(nx):
                        row[x] = dark_group(darks, known, g, nframes, groupgap, y, x)
                for x in range(nx):
                    data[i, g, y, x] -= row[x]
