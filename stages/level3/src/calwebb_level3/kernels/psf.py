"""Loops of the fit of stars: a Gaussian integrated over pixels, by Gauss-Newton steps."""

import math

import numpy as np
from numba import njit

ITERATIONS = 30
# A step is at most this long, in pixels.
LONGEST_STEP = 0.5
SMALL_STEP = 1e-5


@njit(cache=True, nogil=True, error_model="numpy")
def pixel_profile(place, sigma, half, values, slopes, widths):
    """Integrate a unit Gaussian over pixels along one axis.

    Parameters
    ----------
    place : float
        Centre relative to the middle pixel.
    sigma : float
    half : int
        Pixels from ``-half`` to ``half``.
    values, slopes, widths : float64, (2 half + 1,)
        Out: the fraction of the light in each pixel, its change with the centre and with sigma.
    """
    root = 1.0 / (math.sqrt(2.0) * sigma)
    norm = 1.0 / (math.sqrt(2.0 * math.pi) * sigma)
    t = -half - 0.5 - place
    below = 0.5 * math.erf(t * root)
    density = math.exp(-((t * root) ** 2)) * norm
    moment = density * t / sigma
    for i in range(2 * half + 1):
        t = i - half + 0.5 - place
        above = 0.5 * math.erf(t * root)
        following = math.exp(-((t * root) ** 2)) * norm
        next_moment = following * t / sigma
        values[i] = above - below
        slopes[i] = density - following
        widths[i] = moment - next_moment
        below, density, moment = above, following, next_moment


@njit(cache=True, nogil=True, error_model="numpy")
def cholesky(matrix, n):
    """Replace the lower half of a symmetric matrix by its Cholesky factor.

    Returns
    -------
    bool
        False if a diagonal of 1 loses all but 1e-12: the matrix is as good as singular.
    """
    for i in range(n):
        for j in range(i + 1):
            total = matrix[i, j]
            for k in range(j):
                total -= matrix[i, k] * matrix[j, k]
            if i == j and not total > 1e-12:
                return False
            matrix[i, j] = math.sqrt(total) if i == j else total / matrix[j, j]
    return True


@njit(cache=True, nogil=True, error_model="numpy")
def solve_factored(factor, n, column):
    """Replace a right-hand side by the solution, given the matrix's Cholesky factor."""
    for i in range(n):
        for k in range(i):
            column[i] -= factor[i, k] * column[k]
        column[i] /= factor[i, i]
    for i in range(n - 1, -1, -1):
        for k in range(i + 1, n):
            column[i] -= factor[k, i] * column[k]
        column[i] /= factor[i, i]


@njit(cache=True, nogil=True, error_model="numpy")
def solve_symmetric(matrix, right, n, inverse):
    """Solve ``matrix @ x = right`` and invert the matrix, scaled to a diagonal of 1.

    Parameters
    ----------
    matrix : float64, (n, n)
        Overwritten.
    right : float64, (n,)
        Replaced by the solution.
    n : int
    inverse : float64, (n, n)
        Out.

    Returns
    -------
    bool
        False if the matrix is singular.
    """
    size, column = np.empty(n), np.empty(n)
    for i in range(n):
        if not matrix[i, i] > 0:
            return False
        size[i] = 1.0 / math.sqrt(matrix[i, i])
    for i in range(n):
        for j in range(n):
            matrix[i, j] *= size[i] * size[j]
    if not cholesky(matrix, n):
        return False
    for c in range(n):
        column[:] = 0.0
        column[c] = 1.0
        solve_factored(matrix, n, column)
        for i in range(n):
            inverse[i, c] = column[i] * size[i] * size[c]
    for i in range(n):
        column[i] = 0.0
        for k in range(n):
            column[i] += inverse[i, k] * right[k]
    right[:n] = column
    return True


@njit(cache=True, nogil=True, error_model="numpy")
def fit_height(values, weights, px, py):
    """Return flux and constant that fit best with the star's shape given; NaN if undetermined."""
    s, sp, spp, sv, spv = 0.0, 0.0, 0.0, 0.0, 0.0
    for j in range(values.shape[0]):
        for i in range(values.shape[1]):
            w, p = weights[j, i], py[j] * px[i]
            s += w
            sp += w * p
            spp += w * p * p
            sv += w * values[j, i]
            spv += w * p * values[j, i]
    below = s * spp - sp * sp
    if not below > 1e-12 * s * spp:
        return np.nan, np.nan
    return (s * spv - sp * sv) / below, (spp * sv - sp * spv) / below


@njit(cache=True, nogil=True, error_model="numpy")
def normal_equations(values, weights, along_x, along_y, flux, constant, normal, right, n):
    """Build the normal equations of a step of x, y, flux, constant and, if n is 5, sigma.

    Parameters
    ----------
    along_x, along_y : float64, (3, side)
        Profile, its change with the centre and with sigma.
    """
    row = np.empty(5)
    normal[:] = 0.0
    right[:] = 0.0
    for j in range(values.shape[0]):
        for i in range(values.shape[1]):
            w = weights[j, i]
            if w == 0:
                continue
            px, py = along_x[0, i], along_y[0, j]
            row[0] = flux * py * along_x[1, i]
            row[1] = flux * along_y[1, j] * px
            row[2] = py * px
            row[3] = 1.0
            row[4] = flux * (py * along_x[2, i] + along_y[2, j] * px)
            residual = values[j, i] - flux * row[2] - constant
            for a in range(n):
                right[a] += w * row[a] * residual
                for b in range(n):
                    normal[a, b] += w * row[a] * row[b]


@njit(cache=True, nogil=True, error_model="numpy")
def fit_star(values, weights, start, sigma, free, out):
    """Fit a star on a constant to a square of pixels.

    Flux and constant are linear and solved for with the shape held; then position (and width)
    are improved with all of them.

    Parameters
    ----------
    values, weights : float64, (side, side)
        Weight 0 where not to be used.
    start : float64, (2,)
        x and y from the middle pixel.
    sigma : float
    free : bool
        Whether the width is fitted too.
    out : float64, (7,)
        x, y, flux, variance of x, of y, sigma, misfit. NaN if the fit fails.
    """
    side = values.shape[0]
    half = side // 2
    n = 5 if free else 4
    along_x, along_y = np.empty((3, side)), np.empty((3, side))
    normal, inverse, right = np.empty((5, 5)), np.empty((5, 5)), np.empty(5)
    x, y, flux, constant = start[0], start[1], 0.0, 0.0
    out[:] = np.nan
    for _ in range(ITERATIONS):
        pixel_profile(x, sigma, half, along_x[0], along_x[1], along_x[2])
        pixel_profile(y, sigma, half, along_y[0], along_y[1], along_y[2])
        flux, constant = fit_height(values, weights, along_x[0], along_y[0])
        normal_equations(values, weights, along_x, along_y, flux, constant, normal, right, n)
        if not solve_symmetric(normal, right, n, inverse):
            return
        step_x = min(LONGEST_STEP, max(-LONGEST_STEP, right[0]))
        step_y = min(LONGEST_STEP, max(-LONGEST_STEP, right[1]))
        x, y = x + step_x, y + step_y
        if free:
            sigma = min(1.5 * sigma, max(sigma / 1.5, sigma + right[4]))
        if not (abs(x) < half and abs(y) < half):
            return
        largest = max(abs(step_x), abs(step_y), 0.1 * abs(right[4]) if free else 0.0)
        if largest < SMALL_STEP:
            break
    out[0], out[1], out[2] = x, y, flux
    out[3], out[4], out[5] = inverse[0, 0], inverse[1, 1], sigma
    out[6] = misfit(values, weights, along_x[0], along_y[0], flux, constant)


@njit(cache=True, nogil=True, error_model="numpy")
def misfit(values, weights, px, py, flux, constant):
    """Return the residuals beyond the pixels' errors over the light of the model there."""
    total, light = 0.0, 0.0
    for j in range(values.shape[0]):
        for i in range(values.shape[1]):
            if weights[j, i] > 0:
                model = flux * py[j] * px[i]
                excess = abs(values[j, i] - model - constant) - 1.0 / math.sqrt(weights[j, i])
                total += max(excess, 0.0)
                light += model
    return total / light


@njit(cache=True, nogil=True, error_model="numpy")
def take_square(data, err, bad, x, y, values, weights):
    """Copy the square around a pixel with weights 1/err**2; 0 where not to be used."""
    ny, nx = data.shape
    half = values.shape[0] // 2
    for j in range(values.shape[0]):
        for i in range(values.shape[1]):
            v, u = y + j - half, x + i - half
            values[j, i] = weights[j, i] = 0.0
            if v < 0 or v >= ny or u < 0 or u >= nx or bad[v, u]:
                continue
            if err[v, u] > 0 and math.isfinite(err[v, u]) and math.isfinite(data[v, u]):
                values[j, i] = data[v, u]
                weights[j, i] = 1.0 / np.float64(err[v, u]) ** 2


@njit(cache=True, nogil=True, error_model="numpy")
def fit_all(data, err, bad, positions, sigma, half, free, out):
    """Fit all stars, see `fit_star`.

    Parameters
    ----------
    data, err : float32, (ny, nx)
    bad : bool, (ny, nx)
    positions : float64, (n, 2)
        First guesses of x, y; NaN or out of the image gives NaN.
    sigma : float
    half : int
        Pixels on each side of the nearest one.
    free : bool
    out : float64, (n, 7)
        See `fit_star`; positions are those in the image.
    """
    ny, nx = data.shape
    side = 2 * half + 1
    values, weights, start = np.empty((side, side)), np.empty((side, side)), np.empty(2)
    for k in range(positions.shape[0]):
        out[k] = np.nan
        if not (math.isfinite(positions[k, 0]) and math.isfinite(positions[k, 1])):
            continue
        x, y = round(positions[k, 0]), round(positions[k, 1])
        if 0 <= x < nx and 0 <= y < ny:
            take_square(data, err, bad, x, y, values, weights)
            start[0], start[1] = positions[k, 0] - x, positions[k, 1] - y
            fit_star(values, weights, start, sigma, free, out[k])
            out[k, 0] += x
            out[k, 1] += y
