"""The background of one column of a spectrum: what it takes from a weighted sum.

A polynomial is fitted to the pixels of the background regions, each as heavy, or their median is
taken; the variances of the sum grow by what the pixels of the background add to it.
"""

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from calwebb_core.science.kernels.order_statistics import median_of

Float64 = NDArray[np.float64]

MEDIAN_GROWTH = 1.44  # variance of a median over that of a mean, as the official step takes it
TINY = 1e-12
# columns of the result: the sum, its background, and how they were made
FLUX, POISSON, RNOISE, FLAT = 0, 1, 2, 3
BKG, BKG_POISSON, BKG_RNOISE, BKG_FLAT = 4, 5, 6, 7
NPIXELS, FILLED = 8, 9
NCOLUMNS = 10


@njit(cache=True, nogil=True, error_model="numpy")
def swap_rows(matrix: Float64, one: int, other: int) -> None:
    """Exchange two rows."""
    for c in range(matrix.shape[1]):
        matrix[one, c], matrix[other, c] = matrix[other, c], matrix[one, c]


@njit(cache=True, nogil=True, error_model="numpy")
def solve(matrix: Float64, right: Float64, n: int) -> bool:
    """Solve n equations for two right sides in place; False if they have no solution."""
    for k in range(n):
        best = k
        for r in range(k + 1, n):
            if abs(matrix[r, k]) > abs(matrix[best, k]):
                best = r
        if abs(matrix[best, k]) < TINY:
            return False
        swap_rows(matrix, k, best)
        swap_rows(right, k, best)
        for r in range(k + 1, n):
            factor = matrix[r, k] / matrix[k, k]
            matrix[r] -= factor * matrix[k]
            right[r] -= factor * right[k]
    for k in range(n - 1, -1, -1):
        for r in range(k + 1, n):
            right[k] -= matrix[k, r] * right[r]
        right[k] /= matrix[k, k]
    return True


@njit(cache=True, nogil=True, error_model="numpy")
def polynomial_parts(
    column: Float64, inside: Any, first: int, stop: int, order: int, weights: Float64,
    parts: Float64,
) -> bool:  # fmt: skip
    """Fill `parts` (2, nacross) with what a pixel of the background adds to two weighted sums.

    The sums are those of the fitted polynomial with the two rows of `weights`.
    """
    n = order + 1
    middle, half = 0.5 * (first + stop - 1), max(1.0, 0.5 * (stop - 1 - first))
    matrix, right = np.zeros((n, n)), np.zeros((n, 2))
    count = 0
    for i in range(first, stop):
        x = (i - middle) / half
        power = 1.0
        for a in range(n):
            right[a, 0] += weights[0, i] * power
            right[a, 1] += weights[1, i] * power
            power *= x
        if not inside[i] or np.isnan(column[0, i]):
            continue
        count += 1
        row = 1.0
        for a in range(n):
            power = row
            for b in range(n):
                matrix[a, b] += power
                power *= x
            row *= x
    if count < n or not solve(matrix, right, n):
        return False
    for i in range(first, stop):
        parts[0, i] = parts[1, i] = 0.0
        if inside[i] and not np.isnan(column[0, i]):
            x = (i - middle) / half
            power = 1.0
            for a in range(n):
                parts[0, i] += right[a, 0] * power
                parts[1, i] += right[a, 1] * power
                power *= x
    return True


@njit(cache=True, nogil=True, error_model="numpy")
def subtract_polynomial(
    column: Float64, measured: Float64, inside: Any, first: int, stop: int, order: int,
    weights: Float64, parts: Float64, result: Float64,
) -> bool:  # fmt: skip
    """Subtract a polynomial that is fitted to the pixels of the background, each as heavy.

    False, and nothing is subtracted, where too few of them are left.
    """
    if not polynomial_parts(column, inside, first, stop, order, weights, parts):
        return False
    for i in range(first, stop):
        if inside[i] and not np.isnan(column[0, i]):
            result[FLUX] -= parts[0, i] * measured[i]
            result[BKG] += parts[1, i] * measured[i]
            for v in range(1, 4):
                result[v] += parts[0, i] ** 2 * column[v, i]
                result[BKG + v] += parts[1, i] ** 2 * column[v, i]
    return True


@njit(cache=True, nogil=True, error_model="numpy")
def subtract_median(
    column: Float64, measured: Float64, inside: Any, first: int, stop: int, weights: Float64,
    scratch: Float64, result: Float64,
) -> bool:  # fmt: skip
    """Subtract the median of the pixels of the background; False where none is left."""
    count = 0
    total = np.zeros(4)
    areas = np.zeros(2)
    for i in range(first, stop):
        areas[0] += weights[0, i]
        areas[1] += weights[1, i]
        if inside[i] and not np.isnan(column[0, i]):
            scratch[count] = measured[i]
            count += 1
            for v in range(1, 4):
                total[v] += column[v, i]
    if count == 0:
        return False
    level = median_of(scratch, count)
    result[FLUX] -= level * areas[0]
    result[BKG] += level * areas[1]
    for v in range(1, 4):
        variance = MEDIAN_GROWTH * total[v] / count**2
        result[v] += areas[0] ** 2 * variance
        result[BKG + v] += areas[1] ** 2 * variance
    return True
