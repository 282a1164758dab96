"""Evaluate and fit an effective PSF on a grid finer than the pixels."""

import math

import numpy as np
from numba import njit


@njit(cache=True, nogil=True, error_model="numpy")
def cubic(t, weights, slopes):
    """Put the weights of four nodes at -1, 0, 1, 2 and their derivatives at t in [0, 1).

    The convolution of Keys (1981, IEEE Trans. ASSP 29, 1153) with a = -1/2.
    """
    weights[0] = ((-0.5 * t + 1.0) * t - 0.5) * t
    weights[1] = (1.5 * t - 2.5) * t * t + 1.0
    weights[2] = ((-1.5 * t + 2.0) * t + 0.5) * t
    weights[3] = (0.5 * t - 0.5) * t * t
    slopes[0] = (-1.5 * t + 2.0) * t - 0.5
    slopes[1] = (4.5 * t - 5.0) * t
    slopes[2] = (-4.5 * t + 4.0) * t + 0.5
    slopes[3] = (1.5 * t - 1.0) * t


@njit(cache=True, nogil=True, error_model="numpy")
def evaluate(grid, step, dx, dy, work):
    """Return the PSF and its slopes along x and y at an offset from the star; 0 beyond it.

    Parameters
    ----------
    grid : float64, (side, side)
        With the star at the centre of the middle node.
    step : float
        Pixels between nodes.
    dx, dy : float
        Pixels.
    work : float64, (4, 4)
        Scratch.
    """
    half = len(grid) // 2
    x, y = dx / step + half, dy / step + half
    column, row = math.floor(x), math.floor(y)
    if column < 1 or row < 1 or column > len(grid) - 3 or row > len(grid) - 3:
        return 0.0, 0.0, 0.0
    cubic(x - column, work[0], work[1])
    cubic(y - row, work[2], work[3])
    value, along_x, along_y = 0.0, 0.0, 0.0
    for j in range(4):
        plain, sloped = 0.0, 0.0
        for i in range(4):
            node = grid[row - 1 + j, column - 1 + i]
            plain += work[0, i] * node
            sloped += work[1, i] * node
        value += work[2, j] * plain
        along_x += work[2, j] * sloped
        along_y += work[3, j] * plain
    return value, along_x / step, along_y / step


@njit(cache=True, nogil=True, error_model="numpy")
def evaluate_all(grid, step, dx, dy, out):
    """Put the PSF at many offsets, float64 (n,), in `out`."""
    work = np.empty((4, 4))
    for k in range(len(dx)):
        out[k] = evaluate(grid, step, dx[k], dy[k], work)[0]


@njit(cache=True, nogil=True, error_model="numpy")
def add_pixel(system, side, weight, residual, value, slope_x, slope_y):
    """Add a pixel to the normal equations of amplitude and place."""
    row = (value, slope_x, slope_y)
    for a in range(3):
        side[a] += weight * row[a] * residual
        for b in range(3):
            system[a, b] += weight * row[a] * row[b]


@njit(cache=True, nogil=True, error_model="numpy")
def solved(system, side, change):
    """Solve the normal equations by cofactors.

    Returns
    -------
    float
        Variance of the first unknown; NaN if there is no solution.
    """
    a, b, c = system[0, 0], system[0, 1], system[0, 2]
    d, e, f = system[1, 1], system[1, 2], system[2, 2]
    first, second, third = d * f - e * e, c * e - b * f, b * e - c * d
    determinant = a * first + b * second + c * third
    if not determinant > 1e-12 * a * d * f:
        return np.nan
    fifth, sixth, last = a * f - c * c, b * c - a * e, a * d - b * b
    change[0] = (first * side[0] + second * side[1] + third * side[2]) / determinant
    change[1] = (second * side[0] + fifth * side[1] + sixth * side[2]) / determinant
    change[2] = (third * side[0] + sixth * side[1] + last * side[2]) / determinant
    return first / determinant


@njit(cache=True, nogil=True, error_model="numpy")
def fit_places(clean, err, top, grid, step, levels, radii, floor, rounds, fits):
    """Fit amplitude and place of stars.

    Parameters
    ----------
    clean, err : float32, (n, nx)
        Rows of the image from `top` on; `clean` NaN where not to be used.
    top : int
    grid, step
        As `evaluate` takes them.
    levels : float64, (m,)
        Local sky.
    radii : float64, (m,)
        Pixels within this distance count.
    floor : float
        Error of the PSF relative to its value.
    rounds : int
    fits : float64, (m, 4)
        Amplitude, x, y on input and output; NaN where the fit fails. Output: the amplitude's
        error.
    """
    n, nx = clean.shape
    work, change = np.empty((4, 4)), np.zeros(3)
    for k in range(len(fits)):
        amplitude, x0, y0 = fits[k, 0], fits[k, 1], fits[k, 2] - top
        start_x, start_y, radius = x0, y0, radii[k]
        failed = False
        error = np.nan
        for _ in range(rounds):
            system, side = np.zeros((3, 3)), np.zeros(3)
            for y in range(max(0, math.ceil(y0 - radius)), min(n, math.floor(y0 + radius) + 1)):
                for x in range(
                    max(0, math.ceil(x0 - radius)), min(nx, math.floor(x0 + radius) + 1)
                ):
                    dx, dy = x - x0, y - y0
                    if dx * dx + dy * dy > radius * radius or not np.isfinite(clean[y, x]):
                        continue
                    value, along_x, along_y = evaluate(grid, step, dx, dy, work)
                    model = amplitude * value
                    variance = err[y, x] * err[y, x] + (floor * model) ** 2
                    residual = clean[y, x] - levels[k] - model
                    # Neighbours' pixels count less the farther they are off (Huber 1964).
                    away = abs(residual) / math.sqrt(variance)
                    weight = min(1.0, 2.0 / away) / variance if away > 0 else 1.0 / variance
                    add_pixel(
                        system, side, weight, residual, value,
                        -amplitude * along_x, -amplitude * along_y,
                    )  # fmt: skip
            variance = solved(system, side, change)
            if not variance > 0:
                failed = True
                break
            error = math.sqrt(variance)
            length = math.hypot(change[1], change[2])
            shorten = min(1.0, 0.5 / length) if length > 0 else 1.0
            amplitude += change[0]
            x0 += shorten * change[1]
            y0 += shorten * change[2]
            if length < 1e-4:
                break
        failed = failed or not amplitude > 0 or math.hypot(x0 - start_x, y0 - start_y) > 2.0
        fits[k, 0] = np.nan if failed else amplitude
        fits[k, 1], fits[k, 2], fits[k, 3] = x0, y0 + top, error


@njit(cache=True, nogil=True, error_model="numpy")
def fill_star(clean, err, bad, left, low, grid, step, amplitude, x0, y0, level, error):
    """Put the PSF in the bad pixels of a window of an image.

    Parameters
    ----------
    clean, err : float32, (n, nx)
        Changed.
    bad : bool, (h, w)
    left, low : int
        First column and row of the window in `clean`.
    amplitude, x0, y0, level
        Of the star, in the coordinates of `clean`.
    error : float
        Relative error of what is put in.
    """
    work = np.empty((4, 4))
    for y in range(bad.shape[0]):
        for x in range(bad.shape[1]):
            if bad[y, x]:
                value = amplitude * evaluate(grid, step, left + x - x0, low + y - y0, work)[0]
                clean[low + y, left + x] = value + level
                err[low + y, left + x] = error * value
