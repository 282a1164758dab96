"""Mean of repeated images, pixel by pixel, without values that are far from their median."""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from calwebb_core.science.dq import DO_NOT_USE

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]
UInt32 = NDArray[np.uint32]
BAD = np.uint32(DO_NOT_USE)
NAN = np.float32(np.nan)


@njit(cache=True, nogil=True, error_model="numpy")
def clip_range(values: Float64, n: int, sigma: float, rounds: int) -> tuple[int, int]:
    """Return which of sorted values are left after clipping around their median.

    Values more than `sigma` standard deviations (about the mean, of the values still left) from
    the median are left out, again and again until no more go, at most `rounds` times.

    Parameters
    ----------
    values : float64, sorted; the first `n` count
    sigma : float
    rounds : int

    Returns
    -------
    start, stop : int
    """
    start, stop = 0, n
    for _ in range(rounds):
        count = stop - start
        total = 0.0
        for k in range(start, stop):
            total += values[k]
        mean = total / count
        total = 0.0
        for k in range(start, stop):
            total += (values[k] - mean) ** 2
        reach = sigma * np.sqrt(total / count)
        half = start + count // 2
        median = values[half] if count % 2 else 0.5 * (values[half - 1] + values[half])
        first, last = start, stop
        while first < last and values[first] < median - reach:
            first += 1
        while last > first and values[last - 1] > median + reach:
            last -= 1
        if first == start and last == stop:
            break
        start, stop = first, last
        if start == stop:
            break
    return start, stop


@njit(cache=True, nogil=True, error_model="numpy")
def clipped_mean(
    data: Float32,
    var_poisson: Float32,
    var_rnoise: Float32,
    dq: UInt32,
    sigma: float,
    rounds: int,
    mean: Float32,
    mean_poisson: Float32,
    mean_rnoise: Float32,
    mean_dq: UInt32,
) -> None:
    """Average images and propagate their variances.

    Parameters
    ----------
    data, var_poisson, var_rnoise : float32, (n, ny, nx)
        Values that are not finite don't count.
    dq : uint32, (n, ny, nx)
    sigma : float
    rounds : int
        See `clip_range`.
    mean, mean_poisson, mean_rnoise : float32, (ny, nx)
        Written: mean of the values left and the variances of that mean; NaN where none is.
    mean_dq : uint32, (ny, nx)
        Written: all flags, and DO_NOT_USE where no value is left.
    """
    n, ny, nx = data.shape
    values = np.empty(n, np.float64)
    for y in range(ny):
        for x in range(nx):
            count, flags = 0, np.uint32(0)
            for i in range(n):
                flags |= dq[i, y, x]
                if np.isfinite(data[i, y, x]):
                    values[count] = data[i, y, x]
                    count += 1
            low, high = -np.inf, np.inf
            if count > 1:
                values[:count].sort()
                start, stop = clip_range(values, count, sigma, rounds)
                if stop > start:
                    low, high = values[start], values[stop - 1]
            total, poisson, rnoise, left = 0.0, 0.0, 0.0, 0
            for i in range(n):
                value = np.float64(data[i, y, x])
                if np.isfinite(value) and low <= value <= high:
                    total += value
                    poisson += var_poisson[i, y, x]
                    rnoise += var_rnoise[i, y, x]
                    left += 1
            if left == 0:
                mean[y, x] = mean_poisson[y, x] = mean_rnoise[y, x] = NAN
                mean_dq[y, x] = flags | BAD
                continue
            mean[y, x] = total / left
            mean_poisson[y, x] = poisson / left / left
            mean_rnoise[y, x] = rnoise / left / left
            mean_dq[y, x] = flags


@njit(cache=True, nogil=True, error_model="numpy")
def subtract_mean(
    data: Float32,
    err: Float32,
    dq: UInt32,
    var_poisson: Float32,
    var_rnoise: Float32,
    mean: Float32,
    mean_poisson: Float32,
    mean_rnoise: Float32,
    mean_dq: UInt32,
) -> None:
    """Subtract an average image from some rows of an image, in place.

    Parameters
    ----------
    data, err, var_poisson, var_rnoise : float32, (rows, nx)
    dq : uint32, (rows, nx)
    mean, mean_poisson, mean_rnoise, mean_dq : (rows, nx)
        From `clipped_mean`.
    """
    for y in range(mean.shape[0]):
        for x in range(mean.shape[1]):
            poisson, rnoise = mean_poisson[y, x], mean_rnoise[y, x]
            data[y, x] -= mean[y, x]
            err[y, x] = np.sqrt(err[y, x] * err[y, x] + poisson + rnoise)
            var_poisson[y, x] += poisson
            var_rnoise[y, x] += rnoise
            dq[y, x] |= mean_dq[y, x]
