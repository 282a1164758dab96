"""Segments of good groups: where they are, their weighted slopes and variances.

Weights: Fixsen et al. 2000 PASP 112 1350; |x - mid|^P with an exponent P that grows with the
segment's signal to noise ratio. Since they are symmetric about the middle of a segment, the
least-squares slope is a dot product with coefficients that depend on length and P alone.
"""

import numpy as np
from numba import njit

from calwebb_detector1.kernels.flags import JUMP_DET, PERSISTENCE
from calwebb_detector1.kernels.types import Float64, Scalar, Scalar4, UInt8

LARGE_VARIANCE = 1.0e6
EXPONENTS = (0.0, 0.4, 1.0, 3.0, 6.0, 10.0)
KEEP = np.uint8(255 - PERSISTENCE)
WHOLE_RAMP, FIRST_GROUP, ZERO_FRAME, CLEAN_RAMP = 0, 1, 2, 3


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def slope_coefficients(longest: int) -> Float64:
    """Return the coefficients of the slope for every exponent and segment length.

    Returns
    -------
    float64, (6, longest (longest + 1) / 2); those of length n begin at n (n - 1) / 2.
    """
    table = np.zeros((len(EXPONENTS), longest * (longest + 1) // 2))
    for p in range(len(EXPONENTS)):
        for n in range(2, longest + 1):
            start, mid, norm = n * (n - 1) // 2, (n - 1) / 2.0, 0.0
            for k in range(n):
                weight = (abs(k - mid) / mid) ** EXPONENTS[p]
                table[p, start + k] = weight * (k - mid)
                norm += weight * (k - mid) ** 2
            table[p, start : start + n] /= norm
    return table


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def exponent_index(rise: float, gain: float, sigma: float) -> int:
    """Return which exponent suits a segment that rises by `rise` DN (`sigma` in electrons)."""
    signal = rise * gain
    variance = sigma * sigma + signal
    snr = signal / np.sqrt(variance) if variance > 0 else 0.0
    index = 0
    for limit in (5.0, 10.0, 20.0, 50.0, 100.0):
        if snr >= limit:
            index += 1
    return index


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def segment_slope(
    ramps: Float64, i: int, start: int, n: int, table: Float64, gain: float, sigma: float
) -> Scalar:
    """Return the slope of `n` >= 2 groups of integration `i` from `start`, DN a group."""
    rise = ramps[i, start + n - 1] - ramps[i, start]
    if n == 2:
        return rise
    p = exponent_index(rise, gain, sigma)
    offset = n * (n - 1) // 2
    slope = 0.0
    for k in range(n):
        slope += table[p, offset + k] * ramps[i, start + k]
    return slope


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def read_variance(n: int, sigma: float, gain: float, time: float) -> Scalar:
    """Return the variance that read noise gives the slope of `n` groups `time` s apart."""
    cubes = 6.0 if n == 1 else n * n * float(n) - n
    noise = sigma / (time * gain)
    return 12.0 * noise * noise / cubes


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def poisson_variance(n: int, rate: float, dark: float, gain: float, time: float) -> Scalar:
    """Return the variance that photon noise gives the slope of `n` groups `time` s apart."""
    return (max(rate, 0.0) + dark) / (time * gain * max(n - 1, 1))


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def inverse(total: float) -> Scalar:
    """Return the variance of a sum of weights; 0 for none, and for a meaningless one."""
    variance = 1.0 / total if total > 0 else 0.0
    return 0.0 if variance >= LARGE_VARIANCE else variance


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def start_of_segment(flags: UInt8, i: int, g: int) -> int:
    """Return where the segment of the good group `g` starts: with the jump before it, if any."""
    if g > 0 and flags[i, g - 1] & KEEP == JUMP_DET:
        return g - 1
    return g


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def next_segment(flags: UInt8, i: int, position: int) -> tuple[int, int]:
    """Return start and end of the next run of good groups at or after `position`, or (-1, -1)."""
    n = flags.shape[1]
    g = position
    while g < n and flags[i, g] & KEEP:
        g += 1
    if g == n:
        return -1, -1
    start = start_of_segment(flags, i, g)
    while g < n and flags[i, g] & KEEP == 0:
        g += 1
    return start, g


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def longest_segment(flags: UInt8, i: int) -> int:
    """Return the length of the longest segment; 0 if there is none."""
    longest = 0
    start, end = next_segment(flags, i, 0)
    while start >= 0:
        longest = max(longest, end - start)
        start, end = next_segment(flags, i, end)
    return longest


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def segment_time(n: int, kind: int, times: tuple[float, float, float]) -> Scalar:
    """Return the time that a segment's first step spans, s."""
    if n == 1 and kind == FIRST_GROUP:
        return times[2]
    if n == 1 and kind == ZERO_FRAME:
        return times[1]
    return times[0]


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def fit_segment(
    ramps: Float64,
    i: int,
    start: int,
    n: int,
    table: Float64,
    pixel: Scalar4,
    time: float,
) -> Scalar4:
    """Return a segment's slope / VAR_R, 1 / VAR_R, 1 / VAR_P (0 for none) and 1 / VAR."""
    gain, sigma, dark, rate = pixel
    slope = ramps[i, start] if n == 1 else segment_slope(ramps, i, start, n, table, gain, sigma)
    var_r = read_variance(n, sigma, gain, time)
    var_p = poisson_variance(n, rate, dark, gain, time)
    weight_p = 1.0 / var_p if var_p > 0 else 0.0
    return slope / (time * var_r), 1.0 / var_r, weight_p, 1.0 / (var_p + var_r)


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def fit_integration(
    ramps: Float64,
    flags: UInt8,
    i: int,
    table: Float64,
    pixel: Scalar4,
    times: tuple[float, float, float],
    kind: int,
) -> Scalar4:
    """Return the sums over an integration's segments of what `fit_segment` returns.

    `pixel` is (gain, sigma, dark, median rate); `times` (group, frame, first group), s. One
    group alone counts only if no segment is longer, and then only the first such. Without any
    segment the sums are zero.
    """
    if kind == CLEAN_RAMP:
        fitted: Scalar4 = fit_segment(ramps, i, 0, flags.shape[1], table, pixel, times[0])
        return fitted
    longest = longest_segment(flags, i)
    slopes, weights_r, weights_p, weights = 0.0, 0.0, 0.0, 0.0
    start, end = next_segment(flags, i, 0)
    while start >= 0:
        n = end - start
        if n > 1 or longest == 1:
            time = segment_time(n, kind, times)
            slope, in_r, in_p, in_all = fit_segment(ramps, i, start, n, table, pixel, time)
            slopes += slope
            weights_r += in_r
            weights_p += in_p
            weights += in_all
        if longest == 1:
            break
        start, end = next_segment(flags, i, end)
    return slopes, weights_r, weights_p, weights
