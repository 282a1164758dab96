"""Slopes of all pixels in one read of the data: those without flags side by side."""

import numpy as np
from numba import njit

from calwebb_detector1.kernels.clean_ramps import (
    CLEAN_WORK,
    find_clean,
    fit_clean,
    median_rates,
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
    spans: Int64,
    networks: tuple[Int64, Int64],
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
    table : what `slope_coefficients` returns
    spans : int64, (nints, 2): first group and end of those that most pixels can use; both zero
        where these are not next to one another, or fewer than two
    networks : what `network.networks` returns for the differences of each span
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
    clean, rates = np.zeros(WIDTH, np.bool_), np.empty(WIDTH, np.float64)
    work = np.empty((max(ngroups, CLEAN_WORK), WIDTH), np.float64)
    regular = spans[:, 1].min() > 0
    for y, chunk in np.ndindex(ny, (nx + WIDTH - 1) // WIDTH):
        start = chunk * WIDTH
        stop = min(start + WIDTH, nx)
        if regular:
            place = (y, start, stop)
            find_clean(data, groupdq, pixel, place, bounds, spans, clean)
            median_rates(data, place, spans, networks, times[0], work, rates)
            fit_clean(data, pixel, place, spans, table, times, rates, work, rateints, rate)
        for x in range(start, stop):
            if not clean[x - start]:
                fit_pixel(
                    data, groupdq, pixel, zeroframe, table, (y, x), bounds, suppress, times,
                    scratch, rateints, rate,
                )  # fmt: skip
