"""Medians, sigma clipping and selection of many values, always in the same order of sums."""

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]
Bool = NDArray[np.bool_]
Scalar = Any  # a number whose type the compiler infers

HALF = np.float32(0.5)
NAN = np.float32(np.nan)


@njit(cache=True, nogil=True, error_model="numpy")
def select(values: Float32, n: int, k: int) -> Scalar:
    """Return the k-th smallest of the first `n` values (no NaN), which are partitioned at k."""
    low, high = 0, n - 1
    while high > low:
        pivot = values[(low + high) // 2]
        i, j = low, high
        while i <= j:
            while values[i] < pivot:
                i += 1
            while values[j] > pivot:
                j -= 1
            if i <= j:
                values[i], values[j] = values[j], values[i]
                i += 1
                j -= 1
        if k <= j:
            high = j
        elif k >= i:
            low = i
        else:
            break
    return values[k]


@njit(cache=True, nogil=True, error_model="numpy")
def median_of(values: Float32, n: int) -> Scalar:
    """Return the median of the first `n` > 0 values (no NaN); their order changes."""
    half = n // 2
    upper = select(values, n, half)
    if n % 2:
        return upper
    lower = values[0]
    for i in range(1, half):
        lower = max(lower, values[i])
    return (lower + upper) * HALF


@njit(cache=True, nogil=True, error_model="numpy")
def middle(values: Float32, start: int, stop: int) -> float:
    """Return the median of the sorted values [start, stop), which is not empty."""
    half = start + (stop - start) // 2
    if (stop - start) % 2:
        return float(values[half])
    return 0.5 * (float(values[half - 1]) + float(values[half]))


@njit(cache=True, nogil=True, error_model="numpy")
def moments(values: Float32, start: int, stop: int, origin: float) -> tuple[float, float]:
    """Return the mean deviation from `origin` and the mean square of it.

    Four sums each, because one alone would wait for every addition.
    """
    s0 = s1 = s2 = s3 = 0.0
    q0 = q1 = q2 = q3 = 0.0
    n = stop - start
    whole = start + n // 4 * 4
    for i in range(start, whole, 4):
        d0, d1 = values[i] - origin, values[i + 1] - origin
        d2, d3 = values[i + 2] - origin, values[i + 3] - origin
        s0 += d0
        s1 += d1
        s2 += d2
        s3 += d3
        q0 += d0 * d0
        q1 += d1 * d1
        q2 += d2 * d2
        q3 += d3 * d3
    for i in range(whole, stop):
        d0 = values[i] - origin
        s0 += d0
        q0 += d0 * d0
    return (s0 + s1 + s2 + s3) / n, (q0 + q1 + q2 + q3) / n


@njit(cache=True, nogil=True, error_model="numpy")
def first_at_least(values: Float32, start: int, stop: int, bound: float) -> int:
    """Return the first index of the sorted values [start, stop) that is >= `bound`, or stop."""
    while start < stop:
        half = (start + stop) // 2
        if values[half] < bound:
            start = half + 1
        else:
            stop = half
    return start


@njit(cache=True, nogil=True, error_model="numpy")
def first_above(values: Float32, start: int, stop: int, bound: float) -> int:
    """Return the first index of the sorted values [start, stop) that is > `bound`, or stop."""
    while start < stop:
        half = (start + stop) // 2
        if values[half] <= bound:
            start = half + 1
        else:
            stop = half
    return start


@njit(cache=True, nogil=True, error_model="numpy")
def clip_sorted(values: Float32, n: int, limit: float, rounds: int) -> tuple[int, int]:
    """Return which range of the first `n` > 0 sorted values survives clipping.

    Parameters
    ----------
    values : float32, sorted, no NaN
    n : how many of them
    limit : standard deviations from the median, both ways
    rounds : how often they are clipped at most
    """
    start, stop = 0, n
    low, high = 0, n
    for _ in range(rounds):
        center = middle(values, start, stop)
        shift, square = moments(values, start, stop, center)
        sigma = np.sqrt(max(square - shift * shift, 0.0))
        low = first_at_least(values, 0, n, center - limit * sigma)
        high = first_above(values, 0, n, center + limit * sigma)
        # As astropy counts: only what is left is clipped again, the last limits hold for all.
        left = min(high, stop) - max(low, start)
        unchanged = left == stop - start
        start, stop = max(low, start), min(high, stop)
        if unchanged:
            break
    return low, high


@njit(cache=True, nogil=True, error_model="numpy")
def mirrored_sigma(values: Float32, stop: int, center: float, limit: float, rounds: int) -> float:
    """Return the clipped deviation of the sorted values [0, stop) mirrored at `center`."""
    start, sigma = 0, 0.0
    for _ in range(rounds + 1):
        sigma = np.sqrt(moments(values, start, stop, center)[1])
        low = first_at_least(values, start, stop, center - limit * sigma)
        if low == start:
            break
        start = low
    return sigma


@njit(cache=True, nogil=True, error_model="numpy")
def box_medians(
    image: Float32, mask: Bool, box: tuple[int, int], limit: float, rounds: int, least: float
) -> Float32:
    """Return the clipped median of every box of an image; NaN where too few pixels are left.

    Parameters
    ----------
    image : float32, (ny, nx)
    mask : bool, (ny, nx), which pixels count; none of them NaN
    box : rows and columns of a box; those at the far border may be smaller
    limit, rounds : of the clipping
    least : a box needs more pixels than this
    """
    ny, nx = image.shape
    rows, columns = (ny + box[0] - 1) // box[0], (nx + box[1] - 1) // box[1]
    medians = np.empty((rows, columns), np.float32)
    values = np.empty(box[0] * box[1], np.float32)
    for row in range(rows):
        for column in range(columns):
            n = 0
            for y in range(row * box[0], min((row + 1) * box[0], ny)):
                for x in range(column * box[1], min((column + 1) * box[1], nx)):
                    if mask[y, x]:
                        values[n] = image[y, x]
                        n += 1
            medians[row, column] = NAN
            if n > least:
                values[:n].sort()
                low, high = clip_sorted(values, n, limit, rounds)
                if high - low > least:
                    medians[row, column] = middle(values, low, high)
    return medians
