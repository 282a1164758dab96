"""Estimates of the values of bad pixels of a spectrum, from what is beside them."""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from calwebb_core.science.dq import DO_NOT_USE, FLUX_ESTIMATED

Float32 = NDArray[np.float32]
UInt32 = NDArray[np.uint32]
USABLE = np.uint32(~DO_NOT_USE & 0xFFFFFFFF)
ESTIMATED = np.uint32(FLUX_ESTIMATED)


@njit(cache=True, nogil=True, error_model="numpy")
def replace_by_gradient(
    planes: tuple[Float32, ...], variances: int, out: tuple[Float32, ...], dq: UInt32
) -> tuple[int, int]:
    """Replace the NaN of an image by the mean of two neighbours; those at its edges stay.

    Parameters
    ----------
    planes : float32, (ny, nx) each
        Values, errors, then variances.
    variances : int
        How many variances there are; the mean of their roots is taken.
    out : float32, (ny, nx) each
        Written: as `planes`, of which they are copies.
    dq : uint32, (ny, nx)
        Changed.

    Returns
    -------
    bad, replaced : int
        Pixels.
    """
    values = planes[0]
    ny, nx = values.shape
    bad = replaced = 0
    for y in range(ny):
        for x in range(nx):
            if not np.isnan(values[y, x]):
                continue
            bad += 1
            if y == 0 or x == 0 or y == ny - 1 or x == nx - 1:
                continue
            level = abs(values[y, x - 1] - values[y, x + 1])
            upright = abs(values[y - 1, x] - values[y + 1, x])
            if np.isnan(level) and np.isnan(upright):
                continue
            sideways = np.isnan(upright) or level < upright
            dy, dx = (0, 1) if sideways else (1, 0)
            for number in range(len(planes)):
                plane = planes[number]
                first, second = plane[y - dy, x - dx], plane[y + dy, x + dx]
                out[number][y, x] = mean_of(first, second, number >= len(planes) - variances)
            dq[y, x] = (dq[y, x] & USABLE) | ESTIMATED
            replaced += 1
    return bad, replaced


@njit(cache=True, nogil=True, inline="always")
def mean_of(first, second, of_roots):
    """Return the mean of two numbers, or the square of the mean of their roots."""
    if of_roots:
        root = (np.sqrt(np.float64(first)) + np.sqrt(np.float64(second))) / 2
        return np.float32(root * root)
    return np.float32((np.float64(first) + np.float64(second)) / 2)


@njit(cache=True, nogil=True, error_model="numpy")
def replace_by_profile(
    planes: tuple[Float32, ...], variances: int, out: tuple[Float32, ...], dq: UInt32, reach: int
) -> tuple[int, int]:
    """Replace the NaN of an image by the profile of the columns beside theirs.

    The profile is the median of the columns, each divided by its largest absolute value, and is
    scaled to the column by least squares.

    Parameters
    ----------
    planes, variances, out, dq
        As of `replace_by_gradient`; the axis of dispersion is the last.
    reach : int
        Columns on either side.

    Returns
    -------
    bad, replaced : int
        Pixels.
    """
    values = planes[0]
    ny, nx = values.shape
    profile, beside = np.empty(ny), np.empty(2 * reach)
    norms = np.empty(nx)
    for x in range(nx):
        norms[x] = largest(values[:, x])
    bad = replaced = 0
    for x in range(nx):
        missing = 0
        for y in range(ny):
            missing += np.isnan(values[y, x])
        bad += missing
        if missing == 0 or missing == ny:
            continue
        for y in range(ny):
            profile[y] = median_beside(values, norms, y, x, reach, beside, False)
        scale = scale_of(profile, values[:, x])
        for y in range(ny):
            if np.isnan(values[y, x]) and np.isfinite(profile[y] * scale):
                for number in range(len(planes)):
                    of_roots = number >= len(planes) - variances
                    part = median_beside(planes[number], norms, y, x, reach, beside, of_roots)
                    found = part * (scale if number == 0 else abs(scale))
                    out[number][y, x] = np.float32(found * found if of_roots else found)
                dq[y, x] = (dq[y, x] & USABLE) | ESTIMATED
                replaced += 1
    return bad, replaced


@njit(cache=True, nogil=True, error_model="numpy")
def scale_of(profile, column):
    """Return what a profile is multiplied with to be a column, by least squares; NaN if nothing."""
    product = square = 0.0
    for y in range(len(column)):
        if np.isfinite(profile[y]) and not np.isnan(column[y]):
            product += profile[y] * column[y]
            square += profile[y] * profile[y]
    return product / square


@njit(cache=True, nogil=True)
def largest(column):
    """Return the largest absolute value of a column, NaN if it has no other than zero."""
    found = 0.0
    for value in column:
        if abs(value) > found:
            found = abs(value)
    return found if found > 0 else np.nan


@njit(cache=True, nogil=True)
def median_beside(plane, norms, y, x, reach, beside, of_roots):
    """Return the median over the columns beside one, each divided by its norm; NaN if none."""
    count = 0
    for other in range(max(0, x - reach), min(plane.shape[1], x + reach + 1)):
        value = np.float64(plane[y, other])
        value = (np.sqrt(value) if of_roots else value) / norms[other]
        if other != x and np.isfinite(value):
            beside[count] = value
            count += 1
    return np.median(beside[:count]) if count else np.nan
