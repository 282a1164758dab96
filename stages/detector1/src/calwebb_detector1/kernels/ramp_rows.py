"""Slopes of all pixels in one read of the data: those without flags side by side."""

import numpy as np
from numba import njit

from calwebb_detector1.kernels.clean_ramps import (
    CLEAN_WORK,
    find_clean,
    fit_clean,
    median_differences,
)
from calwebb_detector1.kernels.network import WIDTH
from calwebb_detector1.kernels.ramp_fit import fit_pixel
from calwebb_detector1.kernels.types import Float32, Float64, Int64, Product, UInt8, UInt32


@njit(cache=True, nogil=True, error_model="numpy")
def fit_ramps(
    data: Float32,
    groupdq: UInt8,
    pixel: tuple[UInt32, Float32, Float32, Float32],
    zeroframe: Float32,
    table: Float64,
    pairs: Int64,
    bounds: tuple[int, int],
    suppress: bool,
    times: tuple[float, float, float],
    rateints: Product,
    rate: Product,
) -> None:
    """Fit every pixel and write the products of all integrations and of the exposure.

    Parameters
    ----------
    data : float32, (nints, ngroups, ny, nx), DN
    groupdq : uint8, shape of `data`
    pixel : (dq uint32, gain electron/DN, sigma of one group in electrons, dark current), each
        (ny, nx), float32 but the first
    zeroframe : float32, (nints, ny, nx), DN, or of shape (0, 0, 0)
    table, pairs : what `slope_coefficients` and `network.comparisons` return
    bounds : (int, int), first group used and the one after the last
    suppress : bool, drop ramps with one good group
    times : (group time, frame time, mean time of the first group), s
    rateints, rate : written: (slope, err, dq, var_poisson, var_rnoise), float32 but dq uint32,
        each (nints, ny, nx) and (ny, nx); DN/s
    """
    nints, ny, nx = data.shape[0], data.shape[2], data.shape[3]
    ngroups = bounds[1] - bounds[0]
    scratch = (
        np.empty((nints, ngroups), np.float64),
        np.empty((nints, ngroups), np.uint8),
        np.empty(nints, np.int64),
        np.empty(ngroups, np.float64),
    )
    clean, median_rates = np.zeros(WIDTH, np.bool_), np.empty(WIDTH, np.float64)
    work = np.empty((max(ngroups, CLEAN_WORK), WIDTH), np.float64)
    for y, chunk in np.ndindex(ny, (nx + WIDTH - 1) // WIDTH):
        start = chunk * WIDTH
        stop = min(start + WIDTH, nx)
        if ngroups > 1:
            place = (y, start, stop)
            find_clean(data, groupdq, pixel, place, bounds, clean)
            median_differences(data, place, bounds, pairs, work, median_rates)
            fit_clean(data, pixel, place, bounds, table, times, median_rates, work, rateints, rate)
        for x in range(start, stop):
            if not clean[x - start]:
                fit_pixel(
                    data, groupdq, pixel, zeroframe, table, (y, x), bounds, suppress, times,
                    scratch, rateints, rate,
                )  # fmt: skip
