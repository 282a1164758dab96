"""Jumps in long series: each group difference against the others of its kind, sigma clipped.

Series of a few hundred pixels are sorted side by side (see `network`); what is clipped off lies
at their ends.
"""

import numpy as np
from numba import njit

from calwebb_detector1.kernels.flags import JUMP_DET, SPREADING, UNUSABLE
from calwebb_detector1.kernels.jump import copy_finite, noise, pixel_differences
from calwebb_detector1.kernels.network import sort_columns
from calwebb_detector1.kernels.order import HALF
from calwebb_detector1.kernels.types import (
    Float32,
    Float64,
    Int32,
    Int64,
    Scalar,
    UInt8,
)

ROUNDS = 5
NAN, INF = np.float32(np.nan), np.float32(np.inf)
COLUMNS = 64  # fewer than elsewhere: series are long, and shall stay in the cache
Place = tuple[int, int, int]


@njit(cache=True, nogil=True, error_model="numpy")
def read_series(
    data: Float32,
    groupdq: UInt8,
    gain: Float32,
    place: Place,
    group: int,
    work: Float32,
    sizes: Int64,
) -> None:
    """Write the differences before a group in all integrations, electrons; infinity if unusable.

    `work` float32 (nints, columns); `sizes` (int64) gets how many of each column are finite.
    """
    y, start, stop = place
    own = gain[y, start:stop]
    for i in range(data.shape[0]):
        low, high = data[i, group - 1, y, start:stop], data[i, group, y, start:stop]
        before, after = groupdq[i, group - 1, y, start:stop], groupdq[i, group, y, start:stop]
        steps = work[i]
        for x in range(stop - start):
            step = high[x] * own[x] - low[x] * own[x]
            good = ((before[x] | after[x]) & UNUSABLE == 0) & (abs(step) < INF)
            steps[x] = step if good else INF
            sizes[x] += 1 if good else 0


@njit(cache=True, nogil=True, error_model="numpy")
def middle_between(values: Float32, start: int, stop: int, x: int) -> Scalar:
    """Return the median of rows [start, stop) of a sorted column."""
    n = stop - start
    half = start + n // 2
    return values[half, x] if n % 2 else (values[half - 1, x] + values[half, x]) * HALF


@njit(cache=True, nogil=True, error_model="numpy")
def moments(values: Float32, sizes: Int64, mean: Float64, squares: Float64) -> None:
    """Write the mean of each column's first values, and the sum of squares about it."""
    mean[:] = 0.0
    for k in range(values.shape[0]):
        row = values[k]
        for x in range(mean.size):
            mean[x] += np.float64(row[x]) if k < sizes[x] else 0.0
    for x in range(mean.size):
        mean[x] /= sizes[x]
    squares[:] = 0.0
    for k in range(values.shape[0]):
        row = values[k]
        for x in range(mean.size):
            apart = np.float64(row[x]) - mean[x]
            squares[x] += apart * apart if k < sizes[x] else 0.0


@njit(cache=True, nogil=True, error_model="numpy")
def clip_columns(
    values: Float32, sizes: Int64, threshold: float, low: Float64, high: Float64
) -> None:
    """Write the limits that clipping settles on (median +- threshold sigma, five rounds).

    `values` are sorted; the first `sizes` of each column count. Without any, no limits.
    """
    columns = sizes.size
    mean, squares = np.empty(columns), np.empty(columns)
    moments(values, sizes, mean, squares)
    low[:], high[:] = -np.inf, np.inf
    for x in range(columns):
        if sizes[x] > 0:
            low[x], high[x] = clip_column(values, x, sizes[x], mean[x], squares[x], threshold)


@njit(cache=True, nogil=True, error_model="numpy")
def clip_column(
    values: Float32, x: int, size: int, mean: float, squares: float, threshold: float
) -> tuple[Scalar, Scalar]:
    """Return the limits of one sorted column from its mean and the sum of squares about it.

    What is clipped off is taken out of the sums, `shift` and `squares`, about that mean.
    """
    start, stop, shift = 0, size, 0.0
    low, high = -np.inf, np.inf
    for _ in range(ROUNDS):
        n = stop - start
        center = np.float64(middle_between(values, start, stop, x))
        variance = squares / n - (shift / n) ** 2
        reach = threshold * np.sqrt(max(variance, 0.0))
        low, high = center - reach, center + reach
        first, end = start, stop
        while first < end and values[first, x] < low:
            first += 1
        while end > first and values[end - 1, x] > high:
            end -= 1
        if end == first or end - first == n:
            break
        for k in range(start, first):
            apart = np.float64(values[k, x]) - mean
            shift -= apart
            squares -= apart * apart
        for k in range(end, stop):
            apart = np.float64(values[k, x]) - mean
            shift -= apart
            squares -= apart * apart
        start, stop = first, end
    return low, high


@njit(cache=True, nogil=True, error_model="numpy")
def flag_clipped(
    series: Float32,
    groupdq: UInt8,
    place: Place,
    group: int,
    limits: tuple[Float64, Float64],
    centers: Float32,
    largest: Float32,
    counts: Int32,
) -> None:
    """Flag what lies outside of the limits; note each column's largest distance from the center."""
    y, start, stop = place
    low, high = limits
    for i in range(series.shape[0]):
        steps, flags = series[i], groupdq[i, group, y, start:stop]
        for x in range(stop - start):
            if ((steps[x] < low[x]) | (steps[x] > high[x])) & (steps[x] < INF):
                flags[x] |= JUMP_DET
                counts[x] += 1
            if flags[x] & JUMP_DET and steps[x] < INF:
                largest[x] = max(largest[x], abs(steps[x] - centers[x]))


@njit(cache=True, nogil=True, error_model="numpy")
def mark_spreading(
    data: Float32,
    groupdq: UInt8,
    place: tuple[int, int],
    gain: float,
    variance: float,
    spread: Float64,
    scratch: Float32,
) -> None:
    """Mark those jumps of a pixel whose neighbours are to be flagged."""
    y, x = place
    differences, finite = scratch[0], scratch[1]
    pixel_differences(data, groupdq, gain, y, x, differences)
    n = copy_finite(differences, finite)
    if n == 0:
        return
    level = np.float32(np.median(finite[:n]))
    sigma = noise(level, variance)
    k = 0
    for i in range(data.shape[0]):
        for g in range(1, data.shape[1]):
            if groupdq[i, g, y, x] & JUMP_DET:
                significance = abs(differences[k] - level) / sigma
                if significance > spread[0] and significance < spread[1]:
                    groupdq[i, g, y, x] |= SPREADING
            k += 1


@njit(cache=True, nogil=True, error_model="numpy")
def may_spread(largest: float, low: float, high: float, variance: float, limit: float) -> bool:
    """Say whether a jump may be more significant than `limit`.

    `largest` is its distance from the median of its series; the median of all differences
    lies between the smallest and the largest of these, `low` and `high`.
    """
    least = 0.0 if low <= 0.0 <= high else min(abs(low), abs(high))
    return not (largest + (high - low)) / noise(least, variance) <= limit


@njit(cache=True, nogil=True, error_model="numpy")
def note_centers(
    work: Float32, sizes: Int64, centers: Float32, bounds: tuple[Float32, Float32]
) -> None:
    """Write the medians of sorted series into `centers`, and widen their range so far."""
    for x in range(sizes.size):
        centers[x] = NAN
        if sizes[x] > 0:
            centers[x] = middle_between(work, 0, sizes[x], x)
            bounds[0][x] = min(bounds[0][x], centers[x])
            bounds[1][x] = max(bounds[1][x], centers[x])


@njit(cache=True, nogil=True, error_model="numpy")
def clip_series(
    data: Float32,
    groupdq: UInt8,
    gain: Float32,
    place: Place,
    groups: tuple[int, int],
    threshold: float,
    pairs: Int64,
    scratch: tuple[Float32, Float32],
    centers: Float32,
    largest: Float32,
    bounds: tuple[Float32, Float32],
    counts: Int32,
) -> None:
    """Clip the differences before `groups` (first, end) as one series a pixel; flag the rest."""
    nints, columns, first = data.shape[0], place[2] - place[1], groups[0]
    series, work = scratch
    sizes = np.zeros(columns, np.int64)
    for g in range(groups[0], groups[1]):
        part = series[(g - first) * nints : (g - first + 1) * nints]
        read_series(data, groupdq, gain, place, g, part, sizes)
    series[:, columns:] = INF
    work[:] = series
    sort_columns(work, pairs)
    low, high = np.empty(columns), np.empty(columns)
    clip_columns(work, sizes, threshold, low, high)
    note_centers(work, sizes, centers, bounds)
    for g in range(groups[0], groups[1]):
        part = series[(g - first) * nints : (g - first + 1) * nints]
        flag_clipped(part, groupdq, place, g, (low, high), centers, largest, counts)


@njit(cache=True, nogil=True, error_model="numpy")
def find_clipped(
    data: Float32,
    groupdq: UInt8,
    gain: Float32,
    variance: Float32,
    threshold: float,
    spread: Float64,
    together: bool,
    pairs: Int64,
    counts: Int32,
) -> None:
    """Flag jumps in `groupdq`, and mark those that spread with the bit SPREADING.

    Arguments as those of `jump.find_jumps`; `together` clips all differences of a pixel as one
    series instead of one for each group. `pairs` is the network for a series.
    """
    nints, ngroups, ny, nx = data.shape
    length = nints * (ngroups - 1) if together else nints
    width = min(COLUMNS, nx)
    series, work = np.empty((length, width), np.float32), np.empty((length, width), np.float32)
    scratch = np.empty((2, nints * (ngroups - 1)), np.float32)
    centers, largest = np.empty(width, np.float32), np.empty(width, np.float32)
    bounds = np.empty(width, np.float32), np.empty(width, np.float32)
    for y, chunk in np.ndindex(ny, (nx + width - 1) // width):
        place = (y, chunk * width, min(chunk * width + width, nx))
        own = counts[y, place[1] : place[2]]
        own[:], largest[:], bounds[0][:], bounds[1][:] = 0, 0, INF, -INF
        for first in range(1, 2 if together else ngroups):
            groups = (first, ngroups if together else first + 1)
            clip_series(
                data, groupdq, gain, place, groups, threshold, pairs, (series, work),
                centers, largest, bounds, own,
            )  # fmt: skip
        for x in range(place[1], place[2]):
            c, read = x - place[1], np.float64(variance[y, x])
            low, high = np.float64(bounds[0][c]), np.float64(bounds[1][c])
            if largest[c] > 0 and may_spread(np.float64(largest[c]), low, high, read, spread[0]):
                mark_spreading(data, groupdq, (y, x), gain[y, x], read, spread, scratch)
