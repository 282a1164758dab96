"""Optional results of the plain fit: slope, intercept and noise of every segment, jumps' sizes."""

import numpy as np
from numba import njit

from calwebb_detector1.kernels.flags import JUMP_DET, SATURATED
from calwebb_detector1.kernels.ramp_fit import prepare_integration, rate_of
from calwebb_detector1.kernels.segments import (
    CLEAN_RAMP,
    EXPONENTS,
    KEEP,
    exponent_index,
    longest_segment,
    next_segment,
    poisson_variance,
    read_variance,
    segment_slope,
    segment_time,
)
from calwebb_detector1.kernels.types import Float32, Float64, Scalar, Scalar4, UInt8

# planes of a segment, in the order of the product
SLOPE, SIGSLOPE, VAR_POISSON, VAR_RNOISE, YINT, SIGYINT, WEIGHTS = range(7)
PLANES = 7


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def is_jump(groupdq: UInt8, i: int, g: int, y: int, x: int) -> bool:
    """Say whether a group is flagged as a jump."""
    return bool(groupdq[i, g, y, x] & JUMP_DET)


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def whole_or_next(flags: UInt8, i: int, kind: int, position: int) -> tuple[int, int]:
    """Return start and end of the segment at or after `position`, or (-1, -1)."""
    if kind == CLEAN_RAMP:
        return (0, flags.shape[1]) if position == 0 else (-1, -1)
    if flags[i, 0] & SATURATED:
        return -1, -1
    segment: tuple[int, int] = next_segment(flags, i, position)
    return segment


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def line_of(
    ramps: Float64, i: int, start: int, n: int, first: int, gain: float, sigma: float
) -> tuple[Scalar, Scalar, Scalar]:
    """Return sigma of the slope, intercept, its sigma, of `n` >= 2 groups from `start`.

    The weighted straight line over the number of the group, counted from the start of the
    integration (`first` groups before those of `ramps`); sigmas in electrons.
    """
    mid = (n - 1) / 2.0
    rise = ramps[i, start + n - 1] - ramps[i, start]
    power = EXPONENTS[exponent_index(rise, gain, sigma)] if n > 2 else 0.0
    w, wx, wxx, wy, wxy = 0.0, 0.0, 0.0, 0.0, 0.0
    for k in range(n):
        weight = (abs(k - mid) / mid) ** power / (sigma * sigma)
        x, value = float(k + start + first), ramps[i, start + k]
        w, wx, wxx = w + weight, wx + weight * x, wxx + weight * x * x
        wy, wxy = wy + weight * value, wxy + weight * x * value
    determinant = w * wxx - wx * wx
    intercept = (wxx * wy - wx * wxy) / determinant
    return np.sqrt(w / determinant), intercept, np.sqrt(wxx / determinant)


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def write_segment(
    planes: Float32,
    where: tuple[int, int, int, int],
    ramps: Float64,
    segment: tuple[int, int],
    table: Float64,
    pixel: Scalar4,
    time: float,
    first: int,
) -> None:
    """Write the planes of a segment (start, length) at `where` (integration, segment, y, x)."""
    i, s, y, x = where
    start, n = segment
    gain, sigma, dark, rate = pixel
    slope = ramps[i, start]
    if n > 1:
        slope = segment_slope(ramps, i, start, n, table, gain, sigma)
        found = line_of(ramps, i, start, n, first, gain, sigma)
        planes[SIGSLOPE, i, s, y, x] = found[0]
        planes[YINT, i, s, y, x], planes[SIGYINT, i, s, y, x] = found[1], found[2]
    var_r = read_variance(n, sigma, gain, time)
    planes[SLOPE, i, s, y, x] = slope / time
    planes[VAR_POISSON, i, s, y, x] = poisson_variance(n, rate, dark, gain, time)
    planes[VAR_RNOISE, i, s, y, x], planes[WEIGHTS, i, s, y, x] = var_r, 1.0 / var_r


@njit(cache=True, nogil=True, error_model="numpy")
def count_most(data: Float32, groupdq: UInt8, bounds: tuple[int, int]) -> tuple[int, int]:
    """Return how many runs of good groups and how many jumps a ramp has at the most."""
    nints, ny, nx = groupdq.shape[0], groupdq.shape[2], groupdq.shape[3]
    segments, jumps = 1, 0
    for i in range(nints):
        for y in range(ny):
            for x in range(nx):
                runs, hits, good = 0, 0, False
                for g in range(bounds[0], bounds[1]):
                    hits += is_jump(groupdq, i, g, y, x) and g > bounds[0]
                    before = good
                    good = groupdq[i, g, y, x] & KEEP == 0 and not np.isnan(data[i, g, y, x])
                    runs += good and not before
                segments, jumps = max(segments, runs), max(jumps, hits)
    return segments, jumps


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def write_jumps(
    data: Float32, groupdq: UInt8, i: int, y: int, x: int, bounds: tuple[int, int], sizes: Float32
) -> None:
    """Write by how much each jump of an integration rises, DN; NaN beside a saturated group."""
    count = 0
    for g in range(bounds[0] + 1, bounds[1]):
        if is_jump(groupdq, i, g, y, x):
            rise = data[i, g, y, x] - data[i, g - 1, y, x]
            if (groupdq[i, g, y, x] | groupdq[i, g - 1, y, x]) & SATURATED:
                rise = np.float32(np.nan)
            sizes[i, count, y, x] = rise
            count += 1


@njit(cache=True, nogil=True, error_model="numpy")
def write_optional(
    data: Float32,
    groupdq: UInt8,
    pixel: tuple[Float32, Float32, Float32],
    zeroframe: Float32,
    table: Float64,
    bounds: tuple[int, int],
    suppress: bool,
    times: tuple[float, float, float],
    planes: Float32,
    sizes: Float32,
) -> int:
    """Write the planes of all segments and the sizes of all jumps; return the most segments.

    Arguments as in `ramp_fit.fit_ramps`; `pixel` is (gain, sigma of one group in electrons, dark
    current), without gain or sigma nothing is written. `planes` is float32 (PLANES, nints,
    nsegments, ny, nx), `sizes` float32 (nints, njumps, ny, nx), both zero before.
    """
    nints, ny, nx = data.shape[0], data.shape[2], data.shape[3]
    ngroups = bounds[1] - bounds[0]
    ramps, flags = np.empty((nints, ngroups)), np.empty((nints, ngroups), np.uint8)
    kinds, scratch = np.empty(nints, np.int64), np.empty(ngroups)
    zeros, most = zeroframe.shape[0] > 0, 1
    for y in range(ny):
        for x in range(nx):
            gain, sigma = np.float64(pixel[0][y, x]), np.float64(pixel[1][y, x])
            if not (gain > 0 and sigma > 0):
                continue
            median_dn = 0.0
            for i in range(nints):
                zero = zeroframe[i, y, x] if zeros else np.float32(0)
                kinds[i] = prepare_integration(
                    data, groupdq, i, y, x, bounds, suppress, zero, ramps, flags
                )
                median_dn += rate_of(ramps, flags, i, kinds[i], times, scratch)
            own = (gain, sigma, np.float64(pixel[2][y, x]), median_dn / nints)
            for i in range(nints):
                write_jumps(data, groupdq, i, y, x, bounds, sizes)
                longest = ngroups if kinds[i] == CLEAN_RAMP else longest_segment(flags, i)
                start, end = whole_or_next(flags, i, kinds[i], 0)
                count = 0
                while start >= 0:
                    n = end - start
                    if n > 1 or longest == 1:
                        time = segment_time(n, kinds[i], times)
                        where = (i, count, y, x)
                        write_segment(planes, where, ramps, (start, n), table, own, time, bounds[0])
                        count += 1
                    if longest == 1:
                        break
                    start, end = whole_or_next(flags, i, kinds[i], end)
                most = max(most, count)
    return most
