"""Group differences of one ramp, which of them may be used, and the search for jumps in them."""

import numpy as np
from numba import njit

from calwebb_detector1.kernels.flags import JUMP_DET
from calwebb_detector1.kernels.likelihood import SPACING, WORK_ROWS, fit_first
from calwebb_detector1.kernels.order import median
from calwebb_detector1.kernels.ramp_fit import PIXEL_UNUSABLE, read_integration
from calwebb_detector1.kernels.segments import KEEP
from calwebb_detector1.kernels.types import Float32, Float64, Scalar, UInt8, UInt32

UNFIT = np.uint8(KEEP & ~JUMP_DET)


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def joined(before: Scalar, after: Scalar, averaged: bool) -> Scalar:
    """Return 1 if the difference of two groups may be used.

    A jump is before the group that is flagged; or amid the reads that this group averages, and
    then the next difference has a part of it.
    """
    if (before | after) & UNFIT or after & JUMP_DET or (averaged and before & JUMP_DET):
        return np.uint8(0)
    return np.uint8(1)


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def write_differences(
    ramps: Float64,
    flags: UInt8,
    i: int,
    zero: float,
    nframes: int,
    tables: Float64,
    v: int,
    differences: Float64,
    use: UInt8,
) -> int:
    """Write the differences of an integration in DN/s and which may be used; return how many.

    With a zero frame (not 0) the first group is parted in that read and the mean of the others.
    """
    n = 0
    first = ramps[i, 0]
    if zero != 0:
        first = (nframes * first - zero) / (nframes - 1)
        differences[0] = (first - zero) / tables[v, SPACING, 0]
        use[0] = joined(np.uint8(0), flags[i, 0], False)
        n = 1
    previous = first
    for g in range(1, ramps.shape[1]):
        differences[n] = (ramps[i, g] - previous) / tables[v, SPACING, n]
        use[n] = joined(flags[i, g - 1], flags[i, g], nframes > 1)
        previous = ramps[i, g]
        n += 1
    return n


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def median_in_use(differences: Float64, use: UInt8, n: int, scratch: Float64) -> tuple[int, Scalar]:
    """Return how many differences are in use, and their median."""
    count = 0
    for k in range(n):
        if use[k]:
            scratch[count] = differences[k]
            count += 1
    return count, median(scratch, count) if count > 0 else 0.0


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def zero_of(zeroframe: Float32, flags: UInt8, i: int, y: int, x: int, wanted: bool) -> Scalar:
    """Return the zero frame of a pixel, or 0 if there is none of use."""
    if not wanted or flags[i, 0] & KEEP != 0 or np.isnan(zeroframe[i, y, x]):
        return 0.0
    return np.float64(zeroframe[i, y, x])


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def mark_jumps(
    use: UInt8,
    wanted: UInt8,
    n: int,
    flags: UInt8,
    i: int,
    groupdq: UInt8,
    first: int,
    y: int,
    x: int,
) -> None:
    """Flag the later group of every difference that was `wanted` but is no longer in use."""
    shift = flags.shape[1] - n
    for k in range(n):
        if wanted[k] and not use[k]:
            flags[i, k + shift] |= JUMP_DET
            groupdq[i, first + k + shift, y, x] |= JUMP_DET


@njit(cache=True, nogil=True, error_model="numpy")
def find_jumps(
    data: Float32,
    groupdq: UInt8,
    pixel: tuple[UInt32, Float32, Float32],
    tables: Float64,
    bounds: tuple[int, int],
    nframes: int,
    limits: tuple[float, float, bool],
) -> None:
    """Flag jumps in `groupdq`, for a fit of another kind; arguments as in `likelihood_fit`."""
    nints, ny, nx = data.shape[0], data.shape[2], data.shape[3]
    ngroups = bounds[1] - bounds[0]
    ramps, flags = np.empty((nints, ngroups)), np.empty((nints, ngroups), np.uint8)
    differences, scratch = np.empty(ngroups), np.empty(ngroups)
    use, wanted = np.empty(ngroups, np.uint8), np.empty(ngroups, np.uint8)
    work = np.empty((WORK_ROWS, ngroups))
    for y in range(ny):
        for x in range(nx):
            if pixel[0][y, x] & PIXEL_UNUSABLE:
                continue
            own = (np.float64(pixel[1][y, x]), np.float64(pixel[2][y, x]) ** 2)
            for i in range(nints):
                read_integration(data, groupdq, i, y, x, bounds, ramps, flags)
                n = write_differences(ramps, flags, i, 0.0, nframes, tables, 0, differences, use)
                count, guess = median_in_use(differences, use, n, scratch)
                if count < 3:
                    continue
                wanted[:] = use
                fit_first(tables, 0, differences, use, n, guess, own, limits, work)
                mark_jumps(use, wanted, n, flags, i, groupdq, bounds[0], y, x)
