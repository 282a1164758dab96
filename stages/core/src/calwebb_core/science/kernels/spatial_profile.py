"""Loops of the spatial profile: the light of a source across the dispersion, from many columns."""

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from calwebb_core.science.kernels.order_statistics import median_of

Float64 = NDArray[np.float64]

SIGMA_OF_MAD = 1.4826
LEAST_COLUMNS = 4
FAINTEST = 0.2  # of the median column: a fainter one tells nothing of the profile's form


@njit(cache=True, nogil=True, error_model="numpy")
def median_frame(samples: Float64, first: int, stop: int, frame: Float64) -> None:
    """Fill `frame` (nalong, nacross) with the median of the finite values of `samples` (n, ...).

    Only the columns [first, stop) along the dispersion.
    """
    n, _, nacross = samples.shape
    scratch = np.empty(n)
    for j in range(first, stop):
        for i in range(nacross):
            count = 0
            for t in range(n):
                if np.isfinite(samples[t, j, i]):
                    scratch[count] = samples[t, j, i]
                    count += 1
            frame[j, i] = median_of(scratch, count) if count else np.nan


@njit(cache=True, nogil=True, error_model="numpy")
def amplitude_of(column: Float64, profile: Float64, aperture: Any) -> float:
    """Return by how much a column is brighter than the profile, 1 where it cannot be told."""
    light = norm = 0.0
    for i in range(profile.size):
        if aperture[i] and np.isfinite(column[i]) and np.isfinite(profile[i]):
            light += column[i] * profile[i]
            norm += profile[i] * profile[i]
    return light / norm if norm > 0.0 else 1.0


@njit(cache=True, nogil=True, error_model="numpy")
def medians(stack: Float64, scale: Float64, least: int, scratch: Float64, profile: Float64) -> None:
    """Fill `profile` with the median of the columns over their scale; NaN of too few."""
    for i in range(profile.size):
        count = 0
        for k in range(stack.shape[0]):
            if np.isfinite(stack[k, i]):
                scratch[count] = stack[k, i] / scale[k]
                count += 1
        profile[i] = median_of(scratch, count) if count >= least else np.nan


@njit(cache=True, nogil=True, error_model="numpy")
def amplitude_without(column: Float64, profile: Float64, aperture: Any, lost: int) -> float:
    """Return by how much a column is brighter than the profile, from all pixels but one."""
    light = norm = 0.0
    for i in range(profile.size):
        if i != lost and aperture[i] and np.isfinite(column[i]) and np.isfinite(profile[i]):
            light += column[i] * profile[i]
            norm += profile[i] * profile[i]
    return light / norm if norm > 0.0 else 1.0


@njit(cache=True, nogil=True, error_model="numpy")
def profile_of(
    stack: Float64, aperture: Any, least: int, profile: Float64, spread: Float64
) -> None:
    """Fill the profile that a stack of columns (k, nacross) has in common, and its scatter.

    The scatter is that of a pixel about what the others of its column make of it: noise, and how
    well the profile tells the brightest pixel from the faint ones.
    """
    n = stack.shape[0]
    scale, scratch = np.ones(n), np.empty(n)
    medians(stack, scale, least, scratch, profile)
    faintest = np.inf
    for k in range(n):
        scale[k] = amplitude_of(stack[k], profile, aperture)
        faintest = min(faintest, scale[k])
    if faintest > FAINTEST:
        medians(stack, scale, least, scratch, profile)
    for i in range(profile.size):
        count = 0
        for k in range(n):
            if np.isfinite(stack[k, i]):
                others = amplitude_without(stack[k], profile, aperture, i)
                scratch[count] = abs(stack[k, i] - others * profile[i])
                count += 1
        spread[i] = SIGMA_OF_MAD * median_of(scratch, count) if count >= least else np.nan


@njit(cache=True, nogil=True, error_model="numpy")
def profiles(
    samples: Float64, frame: Float64, aperture: Any, wanted: Any, reach: int, least: int,
    begin: int, end: int, profile: Float64, spread: Float64,
) -> None:  # fmt: skip
    """Fill the profile of every wanted column of [begin, end).

    It is that of the same column in other integrations where these know all of it, otherwise that
    of the columns beside it.

    Parameters
    ----------
    samples : float64 (n, nalong, nacross)
        Integrations, background subtracted, NaN where lost.
    frame : float64 (nalong, nacross)
        Their median.
    aperture : bool (nalong, nacross)
    wanted : bool (nalong,)
    reach : columns on each side
    least : integrations that a pixel needs to be known by them
    begin, end : columns along the dispersion
    profile, spread : float64 (nalong, nacross), NaN
    """
    n, nalong, _ = samples.shape
    for j in range(begin, end):
        if not wanted[j]:
            continue
        known = n >= least
        for i in range(frame.shape[1]):
            count = 0
            for t in range(n):
                count += np.isfinite(samples[t, j, i])
            if aperture[j, i] and count < least:
                known = False
        if known:
            profile_of(samples[:, j].copy(), aperture[j], least, profile[j], spread[j])
        else:
            first, stop = max(0, j - reach), min(nalong, j + reach + 1)
            columns = frame[first:stop].copy()
            profile_of(columns, aperture[j], LEAST_COLUMNS, profile[j], spread[j])
