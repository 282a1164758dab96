"""Likelihood of one ramp: generalised least squares on its group differences.

Differences that share a group are correlated, so that their covariance matrix C is tri-diagonal:
photon noise of the reads between, read noise of the reads averaged (Brandt 2024 PASP 136 045004).
Everything that is needed of its inverse comes from one LDL^T factorisation in O(n): x = C^-1 1,
v = C^-1 d, the diagonal and the first off-diagonal. A difference that is left out takes its row
and column out of C.

What leaving out one difference k, or the two that share a group, gains in chi-square (Brandt 2024
PASP 136 045005) follows from the residual u = v - a x and the inverse P:

    S_jk = P_jk - x_j x_k / (1 C^-1 1)     gain = u_k^2 / S_kk     or   u^T S^-1 u
"""

import numpy as np
from numba import njit

from calwebb_detector1.kernels.types import Float64, Scalar, UInt8

# rows of a covariance table: s between samples; factors of photon and read noise, of a difference
# itself and with the next one; 1 where the sample between a difference and the next averages reads
SPACING, PHOTON, PHOTON_NEXT, READ, READ_NEXT, AVERAGED = 0, 1, 2, 3, 4, 5
TABLE_ROWS = 6
# rows of the scratch array
DIAGONAL, NEXT, PER_PIVOT, ONES, SOLVED, INVERSE = 0, 1, 2, 3, 4, 5
WORK_ROWS = 6


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def write_covariance(
    tables: Float64,
    v: int,
    photons: float,
    variance: float,
    use: UInt8,
    n: int,
    work: Float64,
) -> None:
    """Write the covariance of `n` differences with the table `v`.

    `photons` is the rate over the gain, DN^2/s / DN; `variance` that of one read, DN^2.
    """
    for k in range(n):
        work[DIAGONAL, k] = photons * tables[v, PHOTON, k] + variance * tables[v, READ, k]
        work[NEXT, k] = 0.0
        if k + 1 < n and use[k] and use[k + 1]:
            work[NEXT, k] = photons * tables[v, PHOTON_NEXT, k] + variance * tables[v, READ_NEXT, k]


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def eliminate(differences: Float64, use: UInt8, n: int, work: Float64) -> None:
    """Factorise the covariance and carry both right-hand sides forward."""
    link, per_pivot, one, value = 0.0, 0.0, 0.0, 0.0
    for k in range(n):
        ratio = link * per_pivot
        if use[k]:
            per_pivot = 1.0 / (work[DIAGONAL, k] - ratio * link)
            one = 1.0 - ratio * one
            value = differences[k] - ratio * value
        else:
            per_pivot, one, value = 0.0, 0.0, 0.0
        link = work[NEXT, k]
        work[PER_PIVOT, k], work[ONES, k], work[SOLVED, k] = per_pivot, one, value


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def substitute(
    differences: Float64, use: UInt8, n: int, work: Float64
) -> tuple[Scalar, Scalar, Scalar]:
    """Solve backwards; return 1 C^-1 1, 1 C^-1 d and d C^-1 d."""
    ones, mixed, squares = 0.0, 0.0, 0.0
    one, value, inverse = 0.0, 0.0, 0.0
    for j in range(n):
        k = n - 1 - j
        per_pivot = work[PER_PIVOT, k]
        ratio = work[NEXT, k] * per_pivot
        one = work[ONES, k] * per_pivot - ratio * one
        value = work[SOLVED, k] * per_pivot - ratio * value
        inverse = per_pivot + ratio * ratio * inverse
        work[ONES, k], work[SOLVED, k], work[INVERSE, k] = one, value, inverse
        if use[k]:
            ones += one
            mixed += value
            squares += value * differences[k]
    return ones, mixed, squares


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def solve(differences: Float64, use: UInt8, n: int, work: Float64) -> tuple[Scalar, Scalar, Scalar]:
    """Fit one rate to the differences in use; return it, 1 over its variance, and chi-square."""
    eliminate(differences, use, n, work)
    ones, mixed, squares = substitute(differences, use, n, work)
    rate = mixed / ones
    return rate, ones, squares - rate * mixed


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def gain_of_one(k: int, rate: float, weight: float, positive: bool, work: Float64) -> Scalar:
    """Return by how much chi-square falls without difference `k`; 0 for a fall, if `positive`."""
    one = work[ONES, k]
    residual = work[SOLVED, k] - rate * one
    if positive and residual < 0:
        return 0.0
    return residual * residual / (work[INVERSE, k] - one * one / weight)


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def gain_of_two(k: int, rate: float, weight: float, positive: bool, work: Float64) -> Scalar:
    """Return by how much chi-square falls without the differences `k` and `k + 1`.

    0 if both are to be `positive`, as those of a hit amid averaged reads are, but are not.
    """
    one, other = work[ONES, k], work[ONES, k + 1]
    first, second = work[SOLVED, k] - rate * one, work[SOLVED, k + 1] - rate * other
    spread = work[INVERSE, k] - one * one / weight
    next_spread = work[INVERSE, k + 1] - other * other / weight
    shared = -work[NEXT, k] * work[PER_PIVOT, k] * work[INVERSE, k + 1] - one * other / weight
    # sizes of both jumps, but for the determinant
    size, next_size = first * next_spread - second * shared, second * spread - first * shared
    if positive and (size < 0 or next_size < 0):
        return 0.0
    return (first * size + second * next_size) / (spread * next_spread - shared * shared)


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def most_suspect(
    tables: Float64,
    v: int,
    use: UInt8,
    n: int,
    usable: int,
    fitted: tuple[Scalar, Scalar],
    limits: tuple[float, float, bool],
    work: Float64,
) -> tuple[int, int]:
    """Return which differences are best left out: the first, and how many (0, 1 or 2).

    `fitted` is (rate, 1 / variance); `limits` what leaving out one or two must gain, and whether
    only rises count. Two go only
    where the sample that they share averages several reads, among which a hit may be, and if
    two are left to judge by.
    """
    best, where, count = 0.0, 0, 0
    for k in range(n):
        if not use[k]:
            continue
        excess = gain_of_one(k, fitted[0], fitted[1], limits[2], work) - limits[0]
        if excess > best:
            best, where, count = excess, k, 1
        if usable > 3 and k + 1 < n and use[k + 1] and tables[v, AVERAGED, k] > 0:
            excess = gain_of_two(k, fitted[0], fitted[1], limits[2], work) - limits[1]
            if excess > best:
                best, where, count = excess, k, 2
    return where, count


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def fit_first(
    tables: Float64,
    v: int,
    differences: Float64,
    use: UInt8,
    n: int,
    guess: float,
    pixel: tuple[Scalar, Scalar],
    limits: tuple[float, float, bool],
    work: Float64,
) -> Scalar:
    """Return a first rate, with the noise of the rate `guess`, and leave jumps out of `use`.

    `pixel` is (gain, variance of one read). Limits of infinity search for no jumps. Three
    differences at least are needed to tell which one is wrong.
    """
    usable = 0
    for k in range(n):
        usable += use[k]
    enough = 3
    while True:
        write_covariance(tables, v, max(guess, 0.0) / pixel[0], pixel[1], use, n, work)
        rate, weight, _ = solve(differences, use, n, work)
        if usable < enough or limits[0] == np.inf:
            return rate
        where, count = most_suspect(tables, v, use, n, usable, (rate, weight), limits, work)
        if count == 0:
            return rate
        for k in range(where, where + count):
            use[k] = 0
        usable -= count
        enough = 4


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def photon_and_read_variance(
    tables: Float64, v: int, n: int, weight: float, work: Float64
) -> tuple[Scalar, Scalar]:
    """Return the slope's variance by photon noise of 1 DN/s at gain 1, and by reads of 1 DN^2."""
    photon, read = 0.0, 0.0
    for k in range(n):
        one = work[ONES, k]
        following = work[ONES, k + 1] if k + 1 < n else 0.0
        photon += one * (one * tables[v, PHOTON, k] + 2 * following * tables[v, PHOTON_NEXT, k])
        read += one * (one * tables[v, READ, k] + 2 * following * tables[v, READ_NEXT, k])
    return photon / (weight * weight), read / (weight * weight)
