"""Accumulation of resampled variances."""

import numpy as np
from numba import njit, prange
from numpy.typing import NDArray

Float32 = NDArray[np.float32]


@njit(cache=True, nogil=True, parallel=True)
def add_weighted_variance(
    sigma: Float32, weight: Float32, weighted_sum: Float32, total_weight: Float32
) -> None:
    """Add ``sigma^2 weight^2`` and ``weight`` where all of them are numbers.

    Parameters
    ----------
    sigma, weight : float32, (ny, nx)
        Resampled standard deviation and weight of one image.
    weighted_sum, total_weight : float32, (ny, nx)
        Windows of the running sums; written.
    """
    ny, nx = sigma.shape
    for y in prange(ny):
        for x in range(nx):
            s = np.float64(sigma[y, x])
            w = np.float64(weight[y, x])
            if np.isfinite(s) and np.isfinite(w) and w > 0.0:
                weighted_sum[y, x] += np.float32(s * s * w * w)
                total_weight[y, x] += np.float32(w)
