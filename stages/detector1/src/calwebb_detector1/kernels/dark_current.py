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


@njit(cache=True, nogil=True, error_model="numpy")
def average_frames(darks: Float32, start: int, nframes: int, out: Float32) -> None:
    """Write into `out` (ndarks, ny, nx) the mean of `nframes` frames of each dark from `start`.

    `darks` float32 (ndarks, nframes, ny, nx), DN; frames beyond the last are extrapolated.
    """
    ndarks, ny, nx = out.shape
    for d in range(ndarks):
        for y in range(ny):
            for x in range(nx):
                if nframes == 1:
                    out[d, y, x] = dark_frame(darks, d, start, y, x)
                    continue
                total = ZERO
                for k in range(start, start + nframes):
                    total += dark_frame(darks, d, k, y, x)
                out[d, y, x] = total / np.float32(nframes)


@njit(cache=True, nogil=True, error_model="numpy")
def subtract_dark(data: Float32, group: int, dark: Float32, which: Int64) -> None:
    """Subtract the dark of a group from `data` (nints, ngroups, ny, nx) in place.

    `dark` float32 (ndarks, ny, nx), DN, NaN as 0; `which` (int64, nints) names that of each
    integration.
    """
    nints, _, ny, nx = data.shape
    for i in range(nints):
        for y in range(ny):
            for x in range(nx):
                value = dark[which[i], y, x]
                data[i, group, y, x] -= ZERO if np.isnan(value) else value
