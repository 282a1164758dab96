"""Slopes of all pixels in one read of the data: those without flags side by side."""

import numpy as np
from numba import njit

from calwebb_detector1.kernels.clean_ramps import (
    CLEAN_WORK,
    add_median_rates,
    find_clean,
    fit_clean,
)
from calwebb_detector1.kernels.flags import JUMP_DET, PERSISTENCE
from calwebb_detector1.kernels.network import WIDTH
from calwebb_detector1.kernels.ramp_fit import (
    PIXEL_UNUSABLE,
    Scratch,
    exposure_result,
    fit_pixel,
    rate_of_pixel,
)
from calwebb_detector1.kernels.types import Bool, Float32, Float64, Int64, Product, UInt8, UInt32

Pixel = tuple[UInt32, Float32, Float32, Float32]
Place = tuple[int, int, int]
Times = tuple[float, float, float]


@njit(cache=True, nogil=True, error_model="numpy")
def find_rates(
    data: Float32,
    groupdq: UInt8,
    zeroframe: Float32,
    place: Place,
    spans: Int64,
    networks: tuple[Int64, Int64],
    bounds: tuple[int, int],
    suppress: bool,
    times: Times,
    clean: Bool,
    scratch: Scratch,
    work: Float64,
    rates: Float64,
) -> None:
    """Write into `rates` the mean over integrations of the median rates of part of a row."""
    y, start, stop = place
    nints = data.shape[0]
    rates[:] = 0.0
    for i in range(nints):
        if spans[i, 1] > 0:
            add_median_rates(data, place, i, spans, networks, times[0], clean, work, rates)
        for x in range(stop - start):
            if not clean[i, x]:
                rates[x] += rate_of_pixel(
                    data, groupdq, zeroframe, (i, y, start + x), bounds, suppress, times, scratch
                )
    for x in range(stop - start):
        rates[x] /= nints


@njit(cache=True, nogil=True, error_model="numpy")
def fit_row(
    data: Float32,
    groupdq: UInt8,
    pixel: Pixel,
    zeroframe: Float32,
    table: Float64,
    place: Place,
    spans: Int64,
    bounds: tuple[int, int],
    suppress: bool,
    times: Times,
    clean: Bool,
    rates: Float64,
    scratch: Scratch,
    work: Float64,
    bits: UInt32,
    rateints: Product,
) -> None:
    """Fit part of a row: the products of its integrations, sums and flags over all.

    The sums end up in rows 3 to 5 of `work`. `bits` uint32 (3, columns) gets flags of the
    exposure so far, flags that all integrations have, SATURATED where any group is.
    """
    y, start, stop = place
    work[3:CLEAN_WORK] = 0.0
    bits[0, : stop - start] = pixel[0][y, start:stop]
    bits[1], bits[2] = PIXEL_UNUSABLE, 0
    for i in range(data.shape[0]):
        if spans[i, 1] > 0:
            fit_clean(data, pixel, place, i, spans, table, times[0], rates, clean, work, rateints)
        for x in range(stop - start):
            if clean[i, x]:
                bits[1, x] &= pixel[0][y, start + x]
                continue
            sums, own, some = fit_pixel(
                data, groupdq, pixel, zeroframe, table, (i, y, start + x), bounds, suppress,
                times, rates[x], scratch, rateints,
            )  # fmt: skip
            work[3, x] += sums[0]
            work[4, x] += sums[1]
            work[5, x] += sums[2]
            bits[0, x] |= own & np.uint32(JUMP_DET | PERSISTENCE)
            bits[1, x] &= own
            bits[2, x] |= some


@njit(cache=True, nogil=True, error_model="numpy")
def write_exposure(place: Place, work: Float64, bits: UInt32, rate: Product) -> None:
    """Write the products over all integrations from the sums and flags of part of a row."""
    y, start, stop = place
    for x in range(stop - start):
        flags = bits[0, x] | bits[1, x]
        found = exposure_result(work[3, x], work[4, x], work[5, x], flags)
        rate[0][y, start + x], rate[1][y, start + x] = found[0], found[1]
        rate[2][y, start + x] = flags | bits[2, x]
        rate[3][y, start + x], rate[4][y, start + x] = found[2], found[3]


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
    ngroups, width = bounds[1] - bounds[0], min(WIDTH, nx)
    scratch = (
        np.empty((1, ngroups), np.float64),
        np.empty((1, ngroups), np.uint8),
        np.empty(ngroups, np.float64),
    )
    clean, rates = np.empty((nints, width), np.bool_), np.empty(width, np.float64)
    work = np.empty((max(ngroups, CLEAN_WORK), width), np.float64)
    bits = np.empty((3, width), np.uint32)
    for y, chunk in np.ndindex(ny, (nx + width - 1) // width):
        place = (y, chunk * width, min(chunk * width + width, nx))
        find_clean(data, groupdq, pixel, place, bounds, spans, clean)
        find_rates(
            data, groupdq, zeroframe, place, spans, networks, bounds, suppress, times, clean,
            scratch, work, rates,
        )  # fmt: skip
        fit_row(
            data, groupdq, pixel, zeroframe, table, place, spans, bounds, suppress, times, clean,
            rates, scratch, work, bits, rateints,
        )  # fmt: skip
        write_exposure(place, work, bits, rate)
