"""What a small motion of the star, or a change of its brightness, does to an image.

For each image three numbers are fitted to its difference from the median along time: a share of
the median itself and shifts along both axes. Values far off (cosmic rays) lose their weight.
"""

import numpy as np
from numba import njit

TERMS = 3
ROUNDS = 3
# Residuals beyond this many standard deviations count as if they were there.
CALM = 3.0
# Fainter pixels, in standard deviations, show no motion.
BRIGHT = np.float32(3)
# Fewer pixels tell no motion.
LEAST = 30


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def slope(low, here, high):
    """Return the slope between neighbours, on one side where the other is unknown."""
    if np.isnan(low):
        return np.float32(0) if np.isnan(high) else high - here
    return here - low if np.isnan(high) else np.float32(0.5) * (high - low)


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def templates(model, y, x):
    """Return what the median, a shift along x and one along y look like in a pixel."""
    ny, nx = model.shape
    here = model[y, x]
    nothing = np.float32(np.nan)
    along = slope(
        model[y, x - 1] if x > 0 else nothing, here, model[y, x + 1] if x < nx - 1 else nothing
    )
    across = slope(
        model[y - 1, x] if y > 0 else nothing, here, model[y + 1, x] if y < ny - 1 else nothing
    )
    return here, along, across


@njit(cache=True, nogil=True, error_model="numpy")
def gather(image, model, noise, found, normal, right):
    """Add up the normal equations of an image; return how many pixels count."""
    used = 0
    for y in range(image.shape[0]):
        for x in range(image.shape[1]):
            if not model[y, x] > BRIGHT * noise[y, x]:
                continue
            difference = np.float64(image[y, x] - model[y, x])
            weight = np.float64(noise[y, x])
            weight = 1.0 / (weight * weight)
            if not (np.isfinite(difference) and np.isfinite(weight)):
                continue
            a, b, c = templates(model, y, x)
            p, q, r = np.float64(a), np.float64(b), np.float64(c)
            rest = difference - (found[0] * p + found[1] * q + found[2] * r)
            far = abs(rest) * np.sqrt(weight)
            if far > CALM:
                weight *= CALM / far
            used += 1
            right[0] += weight * p * difference
            right[1] += weight * q * difference
            right[2] += weight * r * difference
            normal[0, 0] += weight * p * p
            normal[0, 1] += weight * p * q
            normal[0, 2] += weight * p * r
            normal[1, 1] += weight * q * q
            normal[1, 2] += weight * q * r
            normal[2, 2] += weight * r * r
    return used


@njit(cache=True, nogil=True, error_model="numpy")
def solve(normal, right, found):
    """Solve the normal equations by Cholesky's method; a term without information is 0."""
    lower = np.zeros((TERMS, TERMS))
    for i in range(TERMS):
        for j in range(i + 1):
            total = normal[j, i]
            for k in range(j):
                total -= lower[i, k] * lower[j, k]
            if i == j:
                lower[i, i] = np.sqrt(total) if total > 1e-9 * normal[i, i] else 0.0
            else:
                lower[i, j] = total / lower[j, j] if lower[j, j] > 0 else 0.0
    for i in range(TERMS):
        total = right[i]
        for k in range(i):
            total -= lower[i, k] * found[k]
        found[i] = total / lower[i, i] if lower[i, i] > 0 else 0.0
    for i in range(TERMS - 1, -1, -1):
        total = found[i]
        for k in range(i + 1, TERMS):
            total -= lower[k, i] * found[k]
        found[i] = total / lower[i, i] if lower[i, i] > 0 else 0.0


@njit(cache=True, nogil=True, error_model="numpy")
def fit_image(image, model, noise, found):
    """Fit an image; `found` is 0 if too few pixels are known."""
    normal, right = np.empty((TERMS, TERMS)), np.empty(TERMS)
    found[:] = 0.0
    for _ in range(ROUNDS):
        normal[:], right[:] = 0.0, 0.0
        if gather(image, model, noise, found, normal, right) < LEAST:
            found[:] = 0.0
            return
        solve(normal, right, found)


@njit(cache=True, nogil=True, error_model="numpy")
def take_motion(cube, model, noise, found):
    """Replace images by their difference from the median, less what motion explains of it.

    Parameters
    ----------
    cube : float32, (n, ny, nx)
        Changed.
    model : float32, (n, ny, nx)
        Median along time.
    noise : float32, (n, ny, nx)
        Standard deviation of a pixel.
    found : float64, (n, 3)
        Written: share of the median, shifts along x and y (pixels, towards smaller values).
    """
    for t in range(cube.shape[0]):
        fit_image(cube[t], model[t], noise[t], found[t])
        for y in range(cube.shape[1]):
            for x in range(cube.shape[2]):
                rest = np.float64(cube[t, y, x] - model[t, y, x])
                if model[t, y, x] > BRIGHT * noise[t, y, x]:
                    a, b, c = templates(model[t], y, x)
                    rest -= found[t, 0] * a + found[t, 1] * b + found[t, 2] * c
                cube[t, y, x] = np.float32(rest)
