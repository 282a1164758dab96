"""Hermitian linear equations, many small ones, with the same bits on every processor."""

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

Scalar = Any  # a number whose type the compiler infers
Complex128 = NDArray[np.complex128]
Float64 = NDArray[np.float64]
Int64 = NDArray[np.int64]

# Pivots below this fraction of the diagonal belong to directions that the data say nothing of.
SMALL = 1e-10


@njit(cache=True, nogil=True, error_model="numpy")
def decompose(matrix: Complex128) -> Float64:
    """Return D of ``matrix = L D L^H`` (L with ones on its diagonal) and leave L below it.

    Where the matrix says nothing of a direction, D and the column of L are zero.
    """
    n = len(matrix)
    largest = 0.0
    for i in range(n):
        largest = max(largest, matrix[i, i].real)
    pivots = np.zeros(n)
    for j in range(n):
        pivot = matrix[j, j].real
        for k in range(j):
            pivot -= (matrix[j, k].real ** 2 + matrix[j, k].imag ** 2) * pivots[k]
        known = pivot > SMALL * largest
        pivots[j] = pivot if known else 0.0
        for i in range(j + 1, n):
            value = matrix[i, j]
            for k in range(j):
                value -= matrix[i, k] * np.conj(matrix[j, k]) * pivots[k]
            matrix[i, j] = value / pivot if known else 0.0
    return pivots


@njit(cache=True, nogil=True, error_model="numpy")
def solve(matrix: Complex128, right: Complex128) -> Float64:
    """Solve ``matrix x = right`` in place; undetermined unknowns become zero.

    Parameters
    ----------
    matrix : complex128, (n, n), Hermitian, positive semi-definite; its lower half is overwritten
    right : complex128, (n,); becomes x

    Returns
    -------
    float64, (n,)
        The pivots: their product is the determinant; zero where undetermined.
    """
    n = len(right)
    pivots: Float64 = decompose(matrix)
    for i in range(n):
        for k in range(i):
            right[i] -= matrix[i, k] * right[k]
    for i in range(n):
        right[i] = right[i] / pivots[i] if pivots[i] > 0.0 else 0.0
    for i in range(n - 1, -1, -1):
        for k in range(i + 1, n):
            right[i] -= np.conj(matrix[k, i]) * right[k]
    return pivots


@njit(cache=True, nogil=True, error_model="numpy")
def solve_lines(
    windows: Complex128, signals: Complex128, waves: Int64, damping: Float64, length: int
) -> Complex128:
    """Fit waves to lines of which only some pixels count.

    Parameters
    ----------
    windows : complex128, (nlines, n // 2 + 1), half the Fourier transform of a mask of 0 and 1
    signals : complex128, same shape, that of the data, zero outside of the mask
    waves : int64, (nwaves,), whole numbers of cycles in a line, also negative ones
    damping : float64, (nwaves,), variance of a pixel over the variance expected of a wave
    length : pixels of a line

    Returns
    -------
    complex128, (nlines, nwaves)
        Amplitudes a of ``sum over k of a_k exp(2 pi i k x / n)``; zero for an empty line.
    """
    nlines, nwaves = len(windows), len(waves)
    amplitudes = np.zeros((nlines, nwaves), np.complex128)
    matrix = np.empty((nwaves, nwaves), np.complex128)
    for line in range(nlines):
        if windows[line, 0].real <= 0.0:
            continue
        fill(matrix, windows[line], waves, damping, length)
        for i in range(nwaves):
            amplitudes[line, i] = half_spectrum(signals[line], waves[i], length)
        solve(matrix, amplitudes[line])
    return amplitudes


@njit(cache=True, nogil=True, error_model="numpy")
def weigh_dampings(
    window: Complex128, signal: Complex128, waves: Int64, dampings: Float64, length: int
) -> Float64:
    """Return what a line says of how strongly its waves are to be damped.

    Parameters
    ----------
    window, signal, waves, length : as for `solve_lines`, of one line
    dampings : float64, (ndampings, nwaves); where one is zero all are

    Returns
    -------
    float64, (ndampings, 2)
        The logarithm of the determinant of the data's covariance, in units of that of white
        noise alone, and by how much the waves lower the sum over pixels of data^2. Minus twice
        the logarithm of the likelihood is ``first + n log(power - second)`` for n pixels whose
        white noise is not known.
    """
    nwaves = len(waves)
    found = np.zeros((len(dampings), 2))
    matrix = np.empty((nwaves, nwaves), np.complex128)
    right, amplitudes = np.empty(nwaves, np.complex128), np.empty(nwaves, np.complex128)
    for i in range(nwaves):
        right[i] = half_spectrum(signal, waves[i], length)
    for k in range(len(dampings)):
        fill(matrix, window, waves, dampings[k], length)
        amplitudes[:] = right
        pivots = solve(matrix, amplitudes)
        for i in range(nwaves):
            if pivots[i] > 0.0:
                found[k, 0] += np.log(pivots[i])
            if dampings[k, i] > 0.0:
                found[k, 0] -= np.log(dampings[k, i])
            found[k, 1] += (np.conj(right[i]) * amplitudes[i]).real
    return found


@njit(cache=True, nogil=True, error_model="numpy")
def fill(
    matrix: Complex128, window: Complex128, waves: Int64, damping: Float64, length: int
) -> None:
    """Write the lower half of the matrix of a line's equations."""
    for i in range(len(waves)):
        for j in range(i + 1):
            matrix[i, j] = half_spectrum(window, waves[i] - waves[j], length)
        matrix[i, i] += damping[i]


@njit(cache=True, nogil=True, error_model="numpy")
def half_spectrum(spectrum: Complex128, wave: int, length: int) -> Scalar:
    """Return a value of the Fourier transform of real data, of which half is stored."""
    wave = wave % length
    if wave <= length // 2:
        return spectrum[wave]
    return np.conj(spectrum[length - wave])
