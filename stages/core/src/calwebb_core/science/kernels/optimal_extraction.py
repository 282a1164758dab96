"""Loops of optimal extraction: a profile is fitted to the pixels across the dispersion.

Every element along the dispersion is a linear fit, all pixels as heavy or weighted by the inverse
variance of reading: ``d_i = F P_i + N Q_i + sum_k b_k x_i^k``, with the profile P of the source,
that of a negative nod Q where there is one, and a polynomial of the background. The solution is
linear in the pixels, ``F = sum_i c_i d_i``, so that all variances are propagated exactly. Lost
pixels are left out of the fit and bias nothing. Source: Horne (1986, PASP 98, 609).
"""

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from calwebb_core.science.kernels.box_extraction import gather
from calwebb_core.science.kernels.column_background import BKG, FLUX, NPIXELS, solve

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]
UInt32 = NDArray[np.uint32]

LEAST_LIGHT = 0.1  # part of the squared profile that has to be seen to scale a PSF of a reference
READING = 2  # row of the column with the variance of reading


@njit(cache=True, nogil=True, error_model="numpy")
def terms_of(profiles: Float64, j: int, i: int, order: int, terms: Float64) -> None:
    """Fill `terms` with what one unit of each unknown puts into a pixel."""
    count, _, nacross = profiles.shape
    for p in range(count):
        terms[p] = profiles[p, j, i]
    place = (2.0 * i - (nacross - 1)) / max(1, nacross - 1)
    power = 1.0
    for k in range(order + 1):
        terms[count + k] = power
        power *= place


@njit(cache=True, nogil=True, error_model="numpy")
def weigh(column: Float64, valid: Any, uniform: bool, weight: Float64) -> None:
    """Fill the weight of every pixel, with a mean of 1; that of lost ones is 0.

    Where no pixel has a variance of reading, all weigh the same.
    """
    known, total = 0, 0.0
    for i in range(weight.size):
        weight[i] = 0.0
        good = valid[i] and not np.isnan(column[0, i])
        if good and not uniform and column[READING, i] > 0.0:
            weight[i] = 1.0 / column[READING, i]
            total += weight[i]
            known += 1
    for i in range(weight.size):
        if known > 0:
            weight[i] *= known / total
        elif valid[i] and not np.isnan(column[0, i]):
            weight[i] = 1.0


@njit(cache=True, nogil=True, error_model="numpy")
def pixels_seen(profiles: Float64, j: int, weight: Float64) -> float:
    """Return the number of pixels that the light is spread over, ``sum(P) / sum(P^2)``.

    0 where too little of the source's profile is left to scale it.
    """
    light = seen = total = 0.0
    for i in range(weight.size):
        square = profiles[0, j, i] ** 2
        total += square
        if weight[i] > 0.0:
            seen += square
            light += profiles[0, j, i]
    return light / total if seen > LEAST_LIGHT * total else 0.0


@njit(cache=True, nogil=True, error_model="numpy")
def equations(
    profiles: Float64, j: int, order: int, column: Float64, weight: Float64,
    matrix: Float64, right: Float64, terms: Float64,
) -> None:  # fmt: skip
    """Fill the equations: for the flux, the background at the source, and all unknowns."""
    n, count = terms.size, profiles.shape[0]
    matrix[...] = 0.0
    right[...] = 0.0
    right[0, 0] = 1.0
    for i in range(weight.size):
        terms_of(profiles, j, i, order, terms)
        for a in range(count, n):
            right[a, 1] += profiles[0, j, i] * terms[a]
        if weight[i] <= 0.0:
            continue
        for a in range(n):
            right[a, 2] += weight[i] * terms[a] * column[0, i]
            for b in range(n):
                matrix[a, b] += weight[i] * terms[a] * terms[b]


@njit(cache=True, nogil=True, error_model="numpy")
def fit_element(
    profiles: Float64, j: int, order: int, column: Float64, weight: Float64,
    matrix: Float64, right: Float64, terms: Float64, result: Float64,
) -> bool:  # fmt: skip
    """Fit one element; False, and no flux, where the pixels that are left cannot tell it."""
    result[FLUX] = np.nan
    npixels = pixels_seen(profiles, j, weight)
    if npixels <= 0.0:
        return False
    result[NPIXELS] = npixels
    equations(profiles, j, order, column, weight, matrix, right, terms)
    if not solve(matrix, right, terms.size):
        return False
    result[FLUX] = 0.0
    for i in range(weight.size):
        if weight[i] <= 0.0:
            continue
        terms_of(profiles, j, i, order, terms)
        flux = level = 0.0
        for a in range(terms.size):
            flux += right[a, 0] * terms[a]
            level += right[a, 1] * terms[a]
        flux *= weight[i]
        level *= weight[i] * npixels
        result[FLUX] += flux * column[0, i]
        result[BKG] += level * column[0, i]
        for v in range(1, 4):
            result[FLUX + v] += flux * flux * column[v, i]
            result[BKG + v] += level * level * column[v, i]
    return True


@njit(cache=True, nogil=True, error_model="numpy")
def fit_cube(
    data: Float32, dq: UInt32, poisson: Float32, rnoise: Float32, flat: Float32,
    vertical: bool, extracted: Any, valid: Any, profiles: Float64, order: int,
    uniform: bool, out: Float64, scene: Float64,
) -> None:  # fmt: skip
    """Fit every element of every integration.

    Parameters
    ----------
    data, dq : float32, uint32 (nints, ny, nx)
    poisson, rnoise, flat : float32 (nints, ny, nx), or (0, 0, 0) for none
    vertical : whether the dispersion runs along y
    extracted : bool (nalong,)
    valid : bool (nalong, nacross)
        Pixels of the spectrum.
    profiles : float64 (1 or 2, nalong, nacross)
        That of the source, and of the negative nod.
    order : of the polynomial of the background, -1 for none
    uniform : whether all pixels weigh the same
    out : float64 (nints, nalong, NCOLUMNS), zero
    scene : float64 (nints, nalong, nacross), NaN, or (0, 0, 0)
        Filled with the fitted model.
    """
    count, nalong, nacross = profiles.shape
    n = count + order + 1
    planes = (data, dq, poisson, rnoise, flat)
    column, weight, terms = np.empty((4, nacross)), np.zeros(nacross), np.zeros(n)
    matrix, right = np.zeros((n, n)), np.zeros((n, 3))
    for t in range(data.shape[0]):
        for j in range(nalong):
            if not extracted[j]:
                continue
            gather(planes, t, j, 0, nacross, vertical, column)
            weigh(column, valid[j], uniform, weight)
            known = fit_element(
                profiles, j, order, column, weight, matrix, right, terms, out[t, j]
            )  # fmt: skip
            if not known or scene.size == 0:
                continue
            for i in range(nacross):
                if valid[j, i]:
                    terms_of(profiles, j, i, order, terms)
                    scene[t, j, i] = 0.0
                    for a in range(n):
                        scene[t, j, i] += right[a, 2] * terms[a]
