"""Least-squares fit of a Gaussian to a histogram."""

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

Float64 = NDArray[np.float64]
Triple = tuple[float, float, float]

ROUNDS = 200
ENOUGH = 1e-10


@njit(cache=True, nogil=True, error_model="numpy")
def sum_of_squares(x: Float64, y: Float64, amplitude: float, center: float, sigma: float) -> float:
    """Return the sum of squared residuals."""
    total = 0.0
    for i in range(len(x)):
        u = (x[i] - center) / sigma
        residual = y[i] - amplitude * math.exp(-0.5 * u * u)
        total += residual * residual
    return total


@njit(cache=True, nogil=True, error_model="numpy")
def normal_equations(
    x: Float64, y: Float64, amplitude: float, center: float, sigma: float
) -> Float64:
    """Return the matrix of the linearised fit with its right side as fourth column."""
    system = np.zeros((3, 4))
    row = np.empty(4)
    for i in range(len(x)):
        u = (x[i] - center) / sigma
        bell = math.exp(-0.5 * u * u)
        row[0] = bell
        row[1] = amplitude * bell * u / sigma
        row[2] = amplitude * bell * u * u / sigma
        row[3] = y[i] - amplitude * bell
        for j in range(3):
            for k in range(4):
                system[j, k] += row[j] * row[k]
    return system


@njit(cache=True, nogil=True, error_model="numpy")
def damped_step(system: Float64, damping: float) -> Float64:
    """Return the solution of the equations with their diagonal raised by `damping`."""
    a = system.copy()
    for j in range(3):
        a[j, j] *= 1.0 + damping
    for j in range(3):
        for i in range(j + 1, 3):
            factor = a[i, j] / a[j, j]
            for k in range(j, 4):
                a[i, k] -= factor * a[j, k]
    step = np.zeros(3)
    for j in range(2, -1, -1):
        step[j] = a[j, 3]
        for k in range(j + 1, 3):
            step[j] -= a[j, k] * step[k]
        step[j] /= a[j, j]
    return step


@njit(cache=True, nogil=True, error_model="numpy")
def fit_gaussian(x: Float64, y: Float64, start: Triple) -> Triple:
    """Return amplitude, centre and sigma of the Gaussian nearest to (x, y).

    Levenberg and Marquardt's method. All are NaN if it does not settle at a sigma above zero
    with its centre within `x`.
    """
    amplitude, center, sigma = start
    least = sum_of_squares(x, y, amplitude, center, sigma)
    damping = 1e-3
    for _ in range(ROUNDS):
        step = damped_step(normal_equations(x, y, amplitude, center, sigma), damping)
        trial = (amplitude + step[0], center + step[1], sigma + step[2])
        found = np.inf
        if trial[2] > 0.0:
            found = sum_of_squares(x, y, trial[0], trial[1], trial[2])
        if not found <= least:
            damping *= 10.0
            if damping > 1e12:
                break
            continue
        settled = least - found <= ENOUGH * least
        amplitude, center, sigma = trial
        least, damping = found, damping * 0.1
        if settled:
            break
    if amplitude > 0.0 and x[0] <= center <= x[-1] and sigma > 0.0:
        return amplitude, center, sigma
    return np.nan, np.nan, np.nan
