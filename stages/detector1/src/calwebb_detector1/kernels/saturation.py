"""Saturation: first saturated group of each pixel, its neighbours, flags."""

import numpy as np
from numba import njit

from calwebb_detector1.kernels.flags import AD_FLOOR, DO_NOT_USE, SATURATED, UNUSABLE
from calwebb_detector1.kernels.types import Bool, Float32, Float64, Int32, UInt8

FLOOR = np.uint8(AD_FLOOR | DO_NOT_USE)


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def is_saturated(value: float, threshold: float) -> bool:
    """Say whether a sample reaches the threshold (NaN does not)."""
    return value >= threshold


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def is_floor(value: float) -> bool:
    """Say whether a sample lies at or below the floor of the A/D converter."""
    return value <= 0


@njit(cache=True, nogil=True, error_model="numpy")
def find_first_saturated(ramps: Float32, threshold: Float32, first: Int32) -> None:
    """Write into `first` (int32, ny, nx) each pixel's first saturated group, or ngroups.

    `ramps` is one integration, float32 (ngroups, ny, nx); `threshold` float32 (ny, nx), DN.
    """
    ngroups, ny, nx = ramps.shape
    for y in range(ny):
        for x in range(nx):
            first[y, x] = ngroups
        for g in range(ngroups - 1, -1, -1):
            for x in range(nx):
                if is_saturated(ramps[g, y, x], threshold[y, x]):
                    first[y, x] = g


@njit(cache=True, nogil=True, error_model="numpy")
def smallest_in_box(values: Int32, reach: int, out: Int32) -> None:
    """Write into `out` the minimum of `values` (int32, ny, nx) over a (2 reach + 1)^2 box."""
    ny, nx = values.shape
    for y in range(ny):
        low, high = max(0, y - reach), min(ny, y + reach + 1)
        column = np.empty(nx, np.int32)
        for x in range(nx):
            column[x] = values[low, x]
        for row in range(low + 1, high):
            for x in range(nx):
                column[x] = min(column[x], values[row, x])
        for x in range(nx):
            best = column[x]
            for near in range(max(0, x - reach), min(nx, x + reach + 1)):
                best = min(best, column[near])
            out[y, x] = best


@njit(cache=True, nogil=True, error_model="numpy")
def flag_groups(ramps: Float32, first: Int32, groupdq: UInt8) -> None:
    """Flag in `groupdq` (uint8, ngroups, ny, nx) saturation from `first` on, and the A/D floor."""
    ngroups, ny, nx = ramps.shape
    for y in range(ny):
        for g in range(ngroups):
            for x in range(nx):
                flags = groupdq[g, y, x]
                if g >= first[y, x]:
                    flags |= SATURATED
                if is_floor(ramps[g, y, x]):
                    flags |= FLOOR
                groupdq[g, y, x] = flags


@njit(cache=True, nogil=True, error_model="numpy")
def flag_integrations(
    data: Float32,
    groupdq: UInt8,
    threshold: Float32,
    reach: int,
    first: Int32,
    grown: Int32,
    ever: Bool,
) -> None:
    """Flag all integrations; `ever` (bool, ny, nx) gets True where a pixel saturates in any."""
    for i in range(data.shape[0]):
        find_first_saturated(data[i], threshold, first)
        smallest_in_box(first, reach, grown)
        flag_groups(data[i], grown, groupdq[i])
        for y in range(ever.shape[0]):
            own, group = ever[y], grown[y]
            for x in range(own.size):
                own[x] |= group[x] < data.shape[1]


@njit(cache=True, nogil=True, error_model="numpy")
def find_partly_saturated(
    ramps: Float32,
    groupdq: UInt8,
    threshold: Float32,
    dilution: Float64,
    undiluted: Bool,
    first: Int32,
    partly: Int32,
) -> None:
    """Write into `partly` the group before the first saturated one if it holds saturated reads.

    A group averages several reads. When only its last reads were saturated, the average may
    stay below the threshold; it is suspected when it exceeds threshold x `dilution` (float64,
    one a group: mean over last read time), except where `undiluted` (bool, ny, nx). `partly`
    (int32, ny, nx) is -1 where there is none.
    """
    ngroups, ny, nx = ramps.shape
    for y in range(ny):
        for x in range(nx):
            partly[y, x] = -1
            g = first[y, x] - 1
            if g < 0 or g == ngroups - 1 or dilution[g] == 1.0:
                continue
            limit = np.float64(threshold[y, x])
            if not undiluted[y, x]:
                limit *= dilution[g]
            if groupdq[g, y, x] & UNUSABLE == 0 and ramps[g, y, x] >= limit:
                partly[y, x] = g


@njit(cache=True, nogil=True, error_model="numpy")
def flag_partly_saturated(partly: Int32, reach: int, groupdq: UInt8) -> None:
    """Flag DO_NOT_USE the groups named in `partly`, for the pixel and the box around it."""
    ny, nx = partly.shape
    for y in range(ny):
        for row in range(max(0, y - reach), min(ny, y + reach + 1)):
            for x in range(nx):
                g = partly[row, x]
                if g >= 0:
                    for near in range(max(0, x - reach), min(nx, x + reach + 1)):
                        groupdq[g, y, near] |= DO_NOT_USE


@njit(cache=True, nogil=True, error_model="numpy")
def flag_second_group(
    ramps: Float32, first: Int32, threshold: Float32, bias: Float32, nframes: int, groupdq: UInt8
) -> None:
    """Flag DO_NOT_USE the second group where saturation set in within it without being seen.

    Three conditions: the third group is the first saturated one; the first group, extrapolated
    to the end of the third, would not saturate; the second group rose by more than one
    saturated read among its `nframes` explains. `bias` float32 (ny, nx), DN.
    """
    ny, nx = first.shape
    mean_time, last_time = (nframes + 1) / 2.0, 3.0 * nframes
    for y in range(ny):
        for x in range(nx):
            if first[y, x] != 2:
                continue
            start, limit = np.float64(ramps[0, y, x]), np.float64(threshold[y, x])
            pedestal = np.float64(bias[y, x])
            expected = (start - pedestal) / mean_time * last_time + pedestal
            rise = np.float64(ramps[1, y, x]) - start
            if expected < limit and rise > (limit - start) / nframes:
                groupdq[1, y, x] |= DO_NOT_USE


@njit(cache=True, nogil=True, error_model="numpy")
def blank_zeroframe(zeroframe: Float32, first: Int32) -> None:
    """Set `zeroframe` (ny, nx) to zero where it is saturated (`first` is 0) or at the floor."""
    ny, nx = zeroframe.shape
    for y in range(ny):
        for x in range(nx):
            if first[y, x] == 0 or is_floor(zeroframe[y, x]):
                zeroframe[y, x] = 0
