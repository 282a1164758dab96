"""Loops of box extraction: a weighted sum across the dispersion above a fitted background.

Everything here is linear in the pixels, so that variances are propagated exactly: the sum is
``sum(g_i d_i) - sum(h_k d_k)`` over pixels of the aperture and of the background regions. Where
pixels of the aperture are lost, their part follows from the others and a spatial profile P: with
``A = sum(P d) / sum(P^2)`` over the good ones, ``g_i = w_i + P_i sum(w P)_lost / sum(P^2)``.
"""

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from calwebb_core.science.kernels.column_background import (
    BKG,
    FILLED,
    FLUX,
    NPIXELS,
    RNOISE,
    subtract_median,
    subtract_polynomial,
)

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]
UInt32 = NDArray[np.uint32]
Cube = Any  # an array whose type the compiler infers

DO_NOT_USE = np.uint32(1)
LEAST_LIGHT = 0.01  # part of the squared profile that has to be seen to scale it


@njit(cache=True, nogil=True, error_model="numpy")
def value_of(cube: Cube, t: int, along: int, across: int, vertical: bool) -> float:
    """Return a pixel by its place along and across the dispersion; 0 of an array without any."""
    if cube.size == 0:
        return 0.0
    if vertical:
        return float(cube[t, along, across])
    return float(cube[t, across, along])


@njit(cache=True, nogil=True, error_model="numpy")
def gather(
    planes: Any, t: int, along: int, first: int, stop: int, vertical: bool, column: Float64
) -> None:
    """Fill `column` (4, nacross) with value and variances; the value of a lost pixel is NaN."""
    data, dq, poisson, rnoise, flat = planes
    for i in range(first, stop):
        flag = dq[t, along, i] if vertical else dq[t, i, along]
        column[0, i] = value_of(data, t, along, i, vertical)
        column[1, i] = value_of(poisson, t, along, i, vertical)
        column[2, i] = value_of(rnoise, t, along, i, vertical)
        column[3, i] = value_of(flat, t, along, i, vertical)
        total = column[0, i] + column[1, i] + column[2, i] + column[3, i]
        if flag & DO_NOT_USE or not np.isfinite(total):
            column[0, i] = np.nan


@njit(cache=True, nogil=True, error_model="numpy")
def smoothed(planes: Any, t: int, along: int, i: int, vertical: bool, length: int) -> float:
    """Return the mean of a pixel and its neighbours along the dispersion that have a value.

    Beyond the ends the last pixels repeat.
    """
    data, dq = planes[0], planes[1]
    nalong = data.shape[1] if vertical else data.shape[2]
    half = length // 2
    total, count = 0.0, 0
    for j in range(along - half, along + half + 1):
        place = min(max(j, 0), nalong - 1)
        value = value_of(data, t, place, i, vertical)
        flag = dq[t, place, i] if vertical else dq[t, i, place]
        if np.isfinite(value) and not flag & DO_NOT_USE:
            total += value
            count += 1
    return total / count


@njit(cache=True, nogil=True, error_model="numpy")
def drop_lost(column: Float64, source: Float64, weights: Float64) -> None:
    """Set the weights of the pixels, without those of lost ones."""
    for i in range(source.size):
        good = source[i] > 0.0 and not np.isnan(column[0, i])
        weights[0, i] = weights[1, i] = source[i] if good else 0.0


@njit(cache=True, nogil=True, error_model="numpy")
def is_between(profile: Float64, source: Float64, i: int) -> bool:
    """Say whether the profile is known on both sides of a pixel: that is no edge of a slit."""
    before = after = False
    for k in range(source.size):
        known = source[k] > 0.0 and not np.isnan(profile[k])
        before = before or (known and k < i)
        after = after or (known and k > i)
    return before and after


@njit(cache=True, nogil=True, error_model="numpy")
def share_lost(column: Float64, source: Float64, profile: Float64, weights: Float64) -> float:
    """Set the weights of the pixels, with those of lost ones given to the others.

    Returns
    -------
    float
        Number of lost pixels whose part was estimated; -1 if what is left cannot tell it. Those
        beyond the profile, at the edge of a slit, are left out.
    """
    seen = total = missing = filled = 0.0
    drop_lost(column, source, weights)
    for i in range(source.size):
        lost, light = np.isnan(column[0, i]), profile[i]
        if source[i] <= 0.0 or (np.isnan(light) and not lost):
            continue
        if np.isnan(light):
            if is_between(profile, source, i):
                return -1.0
            continue
        total += light * light
        if lost:
            weights[1, i] = source[i]
            missing += source[i] * light
            filled += 1.0
        else:
            seen += light * light
    if filled > 0.0 and total > 0.0:
        if seen <= LEAST_LIGHT * total:
            return -1.0
        for i in range(source.size):
            if weights[0, i] > 0.0 and not np.isnan(profile[i]):
                weights[0, i] += missing / seen * profile[i]
    return filled


@njit(cache=True, nogil=True, error_model="numpy")
def doubt(
    column: Float64, source: Float64, weights: Float64, profile: Float64, spread: Float64,
    background: float,
) -> float:  # fmt: skip
    """Return the variance of the estimates for lost pixels that is not in that of the others.

    The scatter of a pixel about what the others make of it has their noise in it, which the
    weights already count.
    """
    light = norm = lost = counted = 0.0
    for i in range(source.size):
        if source[i] <= 0.0 or np.isnan(profile[i]):
            continue
        if np.isnan(column[0, i]):
            lost += (source[i] * spread[i]) ** 2
        else:
            light += profile[i] * (column[0, i] - background)
            norm += profile[i] * profile[i]
            counted += (weights[0, i] - source[i]) ** 2 * (column[1, i] + column[2, i])
    amplitude = light / norm if norm > 0.0 else 1.0
    return max(0.0, lost * max(1.0, amplitude * amplitude) - counted)


@njit(cache=True, nogil=True, error_model="numpy")
def subtract_background(
    column: Float64, measured: Float64, inside: Any, order: int, fill: bool, weights: Float64,
    parts: Float64, result: Float64,
) -> bool:  # fmt: skip
    """Subtract the background; False if it isn't known, as all of its pixels are lost.

    Pixels that are too few for a polynomial make one of a lower order; the official step (`fill`
    is False) then subtracts nothing.
    """
    stop = column.shape[1]
    if order < 0:
        return bool(subtract_median(column, measured, inside, 0, stop, weights, parts[3], result))
    for lower in range(order, -1, -1):
        if subtract_polynomial(column, measured, inside, 0, stop, lower, weights, parts, result):
            return True
        if not fill:
            return True
    return False


@njit(cache=True, nogil=True, error_model="numpy")
def extract_element(
    planes: Any, t: int, j: int, vertical: bool, source: Float64, inside: Any,
    profile: Float64, spread: Float64, order: int, length: int, fill: bool,
    column: Float64, weights: Float64, parts: Float64, result: Float64,
) -> None:  # fmt: skip
    """Extract one element along the dispersion of one integration; `order` -1 is a median."""
    stop = source.size
    gather(planes, t, j, 0, stop, vertical, column)
    if fill:
        result[FILLED] = share_lost(column, source, profile, weights)
    else:
        drop_lost(column, source, weights)
    any_inside = False
    for i in range(stop):
        any_inside = any_inside or inside[i]
        if weights[0, i] != 0.0:
            result[FLUX] += weights[0, i] * column[0, i]
            for v in range(1, 4):
                result[v] += weights[0, i] ** 2 * column[v, i]
        result[NPIXELS] += weights[1, i]
    if any_inside:
        for i in range(stop):
            smooth = length > 1 and inside[i] and not np.isnan(column[0, i])
            parts[2, i] = smoothed(planes, t, j, i, vertical, length) if smooth else column[0, i]
        known = subtract_background(
            column, parts[2], inside, order, fill, weights, parts, result
        )  # fmt: skip
        if not known:
            result[FLUX] = np.nan
    if result[FILLED] > 0.0:
        level = result[BKG] / result[NPIXELS] if result[NPIXELS] > 0.0 else 0.0
        result[RNOISE] += doubt(column, source, weights, profile, spread, level)
    if result[FILLED] < 0.0 or result[NPIXELS] <= 0.0:
        result[FLUX] = np.nan


@njit(cache=True, nogil=True, error_model="numpy")
def extract_cube(
    data: Float32, dq: UInt32, poisson: Float32, rnoise: Float32, flat: Float32,
    vertical: bool, extracted: Any, source: Float64, inside: Any, profile: Float64,
    spread: Float64, order: int, length: int, fill: bool, out: Float64,
) -> None:  # fmt: skip
    """Extract every integration of a cube.

    Parameters
    ----------
    data, dq : float32, uint32 (nints, ny, nx)
    poisson, rnoise, flat : float32 (nints, ny, nx), or (0, 0, 0) for none
    vertical : whether the dispersion runs along y
    extracted : bool (nalong,)
    source, inside : float64, bool (nalong, nacross)
        Weights in the aperture; pixels of the background.
    profile, spread : float64 (nalong, nacross)
        Light of the source and its scatter, NaN where unknown.
    order : of the polynomial of the background, -1 for a median
    length : pixels along the dispersion that the background is averaged over
    fill : whether lost pixels are estimated from the profile
    out : float64 (nints, nalong, NCOLUMNS), zero
    """
    nalong, nacross = source.shape
    planes = (data, dq, poisson, rnoise, flat)
    for t in range(data.shape[0]):
        column, weights = np.empty((4, nacross)), np.zeros((2, nacross))
        parts = np.zeros((4, nacross))
        for j in range(nalong):
            if extracted[j]:
                extract_element(
                    planes, t, j, vertical, source[j], inside[j], profile[j], spread[j], order,
                    length, fill, column, weights, parts, out[t, j],
                )  # fmt: skip
