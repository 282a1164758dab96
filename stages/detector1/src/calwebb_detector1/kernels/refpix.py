"""Clipped means and running medians of reference pixels, and their subtraction."""

import numpy as np
from numba import njit

from calwebb_detector1.kernels.order import median
from calwebb_detector1.kernels.types import Bool, Float32, Float64, Int64, Scalar


@njit(cache=True, nogil=True, error_model="numpy")
def mean_and_deviation(values: Float32, n: int) -> tuple[Scalar, Scalar]:
    """Return mean and standard deviation of the first `n` > 0 values, float64."""
    total = 0.0
    for k in range(n):
        total += values[k]
    mean = total / n
    squares = 0.0
    for k in range(n):
        squares += (values[k] - mean) ** 2
    return mean, np.sqrt(squares / n)


@njit(cache=True, nogil=True, error_model="numpy")
def clipped_mean(values: Float32, n: int, limit: float) -> Scalar:
    """Return the mean of the first `n` values within `limit` sigma, iterated; NaN for none.

    The values that stay are moved to the front.
    """
    if n == 0:
        return np.nan
    while True:
        mean, deviation = mean_and_deviation(values, n)
        low, high = mean - limit * deviation, mean + limit * deviation
        kept = 0
        for k in range(n):
            if low <= values[k] <= high:
                values[kept] = values[k]
                kept += 1
        if kept == n or kept == 0:
            return mean
        n = kept


@njit(cache=True, nogil=True, error_model="numpy")
def collect(strip: Float32, good: Bool, start: int, stop: int, step: int, values: Float32) -> int:
    """Copy the good samples of columns start:stop:step of a strip; return how many."""
    n = 0
    for row in range(strip.shape[0]):
        for x in range(start, stop, step):
            if good[row, x] and not np.isnan(strip[row, x]):
                values[n] = strip[row, x]
                n += 1
    return n


@njit(cache=True, nogil=True, error_model="numpy")
def average_of_two(first: float, second: float) -> Scalar:
    """Return the mean of two values of which one may be missing (NaN); NaN if both are."""
    if np.isnan(first):
        return second
    if np.isnan(second):
        return first
    return 0.5 * (first + second)


@njit(cache=True, nogil=True, error_model="numpy")
def column_levels(
    strips: Float32, good: Bool, edges: Int64, step: int, limit: float, levels: Float64
) -> None:
    """Write the reference level of every column into `levels` (float64, ncolumns).

    `strips` float32 (2, 4, ncolumns): the first and the last four rows in detector
    orientation; `good` bool of that shape; `edges` int64: the columns where the outputs begin
    and the end of the last; `step` is 2 to treat even and odd columns apart, otherwise 1. An
    output that lacks a level for one of its parities is left at zero.
    """
    values = np.empty(strips.shape[1] * strips.shape[2], np.float32)
    means = np.empty(2, np.float64)
    levels[:] = 0.0
    for output in range(edges.size - 1):
        for parity in range(step):
            start = edges[output] + parity
            ends = np.empty(2, np.float64)
            for end in range(2):
                n = collect(strips[end], good[end], start, edges[output + 1], step, values)
                ends[end] = clipped_mean(values, n, limit)
            means[parity] = average_of_two(ends[0], ends[1])
        if not np.isnan(means[:step]).any():
            for x in range(edges[output], edges[output + 1]):
                levels[x] = means[(x - edges[output]) % step]


@njit(cache=True, nogil=True, error_model="numpy")
def reflect(k: int, n: int) -> int:
    """Return the index below `n` that `k` falls on when the ends are mirrors."""
    if k < 0:
        k = -k
    if k >= n:
        k = 2 * (n - 1) - k
    return k


@njit(cache=True, nogil=True, error_model="numpy")
def running_median(
    strip: Float32, good: Bool, half: int, row0: int, size: int, out: Float64
) -> None:
    """Write into `out` (float64, nrows) the median of the good samples of 2 half + 1 rows.

    `strip` float32 (nrows, ncolumns) begins at row `row0` of a detector of `size` rows, which
    is mirrored at its ends; NaN where no sample is good.
    """
    nrows, ncolumns = strip.shape
    values = np.empty((2 * half + 1) * ncolumns, np.float64)
    for row in range(nrows):
        n = 0
        for k in range(row - half, row + half + 1):
            source = reflect(k + row0, size) - row0
            if source < 0 or source >= nrows:
                continue
            for x in range(ncolumns):
                if good[source, x]:
                    values[n] = strip[source, x]
                    n += 1
        out[row] = median(values, n) if n > 0 else np.nan


@njit(cache=True, nogil=True, error_model="numpy")
def row_levels(
    sides: Float32, good: Bool, half: int, gain: float, row0: int, size: int, levels: Float64
) -> None:
    """Write the reference level of every row into `levels` (float64, nplanes, nrows).

    `sides` float32 (nplanes, 2, nrows, 4): the first and the last four columns of each group,
    already corrected for their columns, from row `row0` of `size`; `good` bool (2, nrows, 4).
    """
    nplanes, _, nrows, _ = sides.shape
    for plane in range(nplanes):
        left = np.empty(nrows, np.float64)
        right = np.empty(nrows, np.float64)
        running_median(sides[plane, 0], good[0], half, row0, size, left)
        running_median(sides[plane, 1], good[1], half, row0, size, right)
        for row in range(nrows):
            level = average_of_two(left[row], right[row])
            levels[plane, row] = 0.0 if np.isnan(level) else gain * level


@njit(cache=True, nogil=True, error_model="numpy")
def subtract_levels(value: float, column: float, row: float) -> Scalar:
    """Return a sample with the reference levels of its column and its row taken away."""
    return np.float32(value - column - row)


@njit(cache=True, nogil=True, error_model="numpy")
def subtract(planes: Float32, columns: Float64, rows: Float64) -> None:
    """Subtract from `planes` (nplanes, ny, nx) in place the levels of each column and row.

    `columns` float64 (nplanes, nx), `rows` float64 (nplanes, ny): along the axes of the array.
    """
    nplanes, ny, nx = planes.shape
    for y in range(ny):
        for plane in range(nplanes):
            row = rows[plane, y]
            for x in range(nx):
                planes[plane, y, x] = subtract_levels(planes[plane, y, x], columns[plane, x], row)


@njit(cache=True, nogil=True, error_model="numpy")
def clipped_levels(samples: Float32, limit: float) -> Float64:
    """Return the clipped mean of every row of `samples` (nplanes, n), skipping NaN; float64."""
    levels = np.empty(samples.shape[0], np.float64)
    values = np.empty(samples.shape[1], np.float32)
    for plane in range(samples.shape[0]):
        n = 0
        for k in range(samples.shape[1]):
            if not np.isnan(samples[plane, k]):
                values[n] = samples[plane, k]
                n += 1
        levels[plane] = clipped_mean(values, n, limit)
    return levels
