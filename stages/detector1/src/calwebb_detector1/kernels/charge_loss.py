"""Read noise of ramps that lost groups to charge migration, as if those had been used."""

import numpy as np
from numba import njit

from calwebb_core.science import dq
from calwebb_detector1.kernels.flags import DO_NOT_USE
from calwebb_detector1.kernels.ramp_fit import choose_samples, read_integration
from calwebb_detector1.kernels.segments import (
    inverse,
    longest_segment,
    next_segment,
    read_variance,
    segment_time,
)
from calwebb_detector1.kernels.types import Float32, Product, Scalar, UInt8

CHARGELOSS = np.uint8(dq.CHARGELOSS)
LOST = np.uint8(CHARGELOSS | DO_NOT_USE)


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def is_anywhere(groupdq: UInt8) -> bool:
    """Say whether any group of any pixel is flagged CHARGELOSS."""
    together = np.uint8(0)
    for flag in groupdq.reshape(-1):
        together |= flag
    return bool(together & CHARGELOSS)


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def has_charge_loss(groupdq: UInt8, i: int, y: int, x: int, bounds: tuple[int, int]) -> bool:
    """Say whether a group of an integration is flagged CHARGELOSS."""
    together = np.uint8(0)
    for g in range(bounds[0], bounds[1]):
        together |= groupdq[i, g, y, x]
    return bool(together & CHARGELOSS)


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def weight_of_reads(
    flags: UInt8, i: int, kind: int, sigma: float, gain: float, times: tuple[float, float, float]
) -> Scalar:
    """Return 1 over the read-noise variance of an integration's segments."""
    longest, weight = longest_segment(flags, i), 0.0
    start, end = next_segment(flags, i, 0)
    while start >= 0:
        n = end - start
        if n > 1 or longest == 1:
            weight += 1.0 / read_variance(n, sigma, gain, segment_time(n, kind, times))
        if longest == 1:
            break
        start, end = next_segment(flags, i, end)
    return weight


@njit(cache=True, nogil=True, error_model="numpy")
def restore_read_noise(
    data: Float32,
    groupdq: UInt8,
    pixel: tuple[Float32, Float32],
    bounds: tuple[int, int],
    suppress: bool,
    times: tuple[float, float, float],
    rateints: Product,
    rate: Product,
) -> None:
    """Rewrite the read-noise variances of ramps with CHARGELOSS that have a slope.

    Arguments as in `ramp_fit.fit_ramps`; `pixel` is (gain, sigma of one group in electrons).
    """
    if not is_anywhere(groupdq):
        return
    nints, ny, nx = data.shape[0], data.shape[2], data.shape[3]
    ngroups = bounds[1] - bounds[0]
    ramps, flags = np.empty((nints, ngroups)), np.empty((nints, ngroups), np.uint8)
    for y in range(ny):
        for x in range(nx):
            total, some = 0.0, False
            for i in range(nints):
                if np.isnan(rateints[0][i, y, x]):
                    continue
                if not has_charge_loss(groupdq, i, y, x, bounds):
                    known = rateints[4][i, y, x]
                    total += 1.0 / known if known > 0 else 0.0
                    continue
                some = True
                read_integration(data, groupdq, i, y, x, bounds, ramps, flags)
                kind = choose_samples(ramps, flags, i, suppress, 0.0)
                for g in range(ngroups):
                    if flags[i, g] & CHARGELOSS:
                        flags[i, g] &= ~LOST
                own = (np.float64(pixel[1][y, x]), np.float64(pixel[0][y, x]))
                weight = weight_of_reads(flags, i, kind, own[0], own[1], times)
                rateints[4][i, y, x] = inverse(weight)
                total += weight
            if some and not np.isnan(rate[0][y, x]):
                rate[4][y, x] = inverse(total)
