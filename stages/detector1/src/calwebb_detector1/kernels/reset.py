"""Subtract the reset anomaly from the first groups of each integration."""

import numpy as np
from numba import njit

from calwebb_detector1.kernels.types import Float32, Int64

ZERO = np.float32(0)


@njit(cache=True, nogil=True, error_model="numpy")
def subtract_planes(data: Float32, planes: Float32, which: Int64) -> None:
    """Subtract from `data` (nints, ngroups, ny, nx) in place the planes of each integration.

    `planes` float32 (nplanes, nframes, ny, nx), DN, NaN counts as zero; `which` (int64, nints)
    names the planes of each integration. Groups beyond the last frame stay as they are.
    """
    nints, ngroups, ny, nx = data.shape
    for y in range(ny):
        for g in range(min(ngroups, planes.shape[1])):
            for i in range(nints):
                for x in range(nx):
                    value = planes[which[i], g, y, x]
                    data[i, g, y, x] -= ZERO if np.isnan(value) else value
