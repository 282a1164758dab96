"""The slopes of one pixel, whatever its flags: samples, flags and products of its segments."""

import numpy as np
from numba import njit

from calwebb_core.science import dq
from calwebb_detector1.kernels.flags import DO_NOT_USE, JUMP_DET, PERSISTENCE, SATURATED, UNUSABLE
from calwebb_detector1.kernels.order import median
from calwebb_detector1.kernels.segments import (
    CLEAN_RAMP,
    FIRST_GROUP,
    KEEP,
    WHOLE_RAMP,
    ZERO_FRAME,
    fit_integration,
    inverse,
)
from calwebb_detector1.kernels.types import (
    Float32,
    Float64,
    Product,
    Scalar,
    Scalar4,
    UInt8,
    UInt32,
)

PIXEL_UNUSABLE = np.uint32(dq.DO_NOT_USE | dq.SATURATED)
Scratch = tuple[Float64, UInt8, Float64]  # (1, ngroups) twice, (ngroups,)


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def read_integration(
    data: Float32,
    groupdq: UInt8,
    i: int,
    y: int,
    x: int,
    bounds: tuple[int, int],
    ramps: Float64,
    flags: UInt8,
) -> Scalar:
    """Copy one integration of a pixel; NaN becomes unusable. Bounds: first group, end.

    Returns whether no group is flagged at all.
    """
    first, end = bounds
    together = np.uint8(0)
    for g in range(first, end):
        value, flag = data[i, g, y, x], groupdq[i, g, y, x]
        if np.isnan(value):
            flag |= DO_NOT_USE
        ramps[i, g - first] = value
        flags[i, g - first] = flag
        together |= flag
    if first > 0:
        # Nothing precedes this group, so that a jump in it tells nothing.
        flags[i, 0] &= ~JUMP_DET
    return together == 0


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def count_flags(flags: UInt8, i: int) -> Scalar4:
    """Return of an integration: good, unusable, saturated groups, and all flags together."""
    good, unusable, saturated, together = 0, 0, 0, np.uint8(0)
    for g in range(flags.shape[1]):
        flag = flags[i, g]
        together |= flag
        good += flag & KEEP == 0
        unusable += flag & UNUSABLE != 0
        saturated += flag & SATURATED != 0
    return good, unusable, saturated, together


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def choose_samples(ramps: Float64, flags: UInt8, i: int, suppress: bool, zero: float) -> int:
    """Decide what an integration is fitted with, and prepare `ramps` and `flags` for it.

    A ramp with one good group is dropped (`suppress`), or fitted from the start of the
    integration; a ramp without one is fitted with the zero frame unless that is bad (0).
    """
    good = count_flags(flags, i)[0]
    if suppress:
        if good == 1:
            for g in range(flags.shape[1]):
                flags[i, g] |= DO_NOT_USE
        return WHOLE_RAMP
    if good == 1 and flags[i, 0] == 0:
        return FIRST_GROUP
    if good == 0 and zero != 0:
        ramps[i, 0], flags[i, 0] = zero, 0
        return ZERO_FRAME
    return WHOLE_RAMP


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def median_rate(ramps: Float64, flags: UInt8, i: int, scratch: Float64, time: float) -> Scalar:
    """Return the median difference of usable groups without jumps, DN/s; 0 when there is none."""
    n = 0
    for g in range(1, ramps.shape[1]):
        if (flags[i, g] | flags[i, g - 1]) & UNUSABLE == 0 and flags[i, g] & JUMP_DET == 0:
            scratch[n] = ramps[i, g] - ramps[i, g - 1]
            n += 1
    if n > 0:
        return median(scratch, n) / time
    if flags[i, 0] & UNUSABLE == 0:
        return ramps[i, 0] / time
    return 0.0


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def integration_dq(dq_bits: Scalar, counts: Scalar4, flags: UInt8, i: int) -> Scalar:
    """Return an integration's flags, from the pixel's and those of its groups."""
    _, unusable, saturated, together = counts
    ngroups = flags.shape[1]
    dq_bits |= np.uint32(together & (JUMP_DET | PERSISTENCE))
    if unusable == ngroups:
        dq_bits |= np.uint32(DO_NOT_USE)
        if saturated == ngroups:
            dq_bits |= np.uint32(SATURATED)
    if flags[i, 0] & SATURATED:
        dq_bits |= PIXEL_UNUSABLE
    return dq_bits


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def fit_flagged(
    ramps: Float64,
    flags: UInt8,
    i: int,
    kind: int,
    dq_bits: Scalar,
    table: Float64,
    pixel: Scalar4,
    times: tuple[float, float, float],
) -> tuple[Scalar4, Scalar, Scalar]:
    """Return an integration's sums, its flags, and SATURATED if any group is saturated.

    Flags that all groups have in common decide whether there is a slope; the saturation of some
    of them is noted only once it is stored.
    """
    nothing = (0.0, 0.0, 0.0, 0.0)
    bits, some = dq_bits, np.uint32(0)
    if kind != CLEAN_RAMP:
        counts = count_flags(flags, i)
        bits = integration_dq(dq_bits, counts, flags, i)
        some = np.uint32(SATURATED) if counts[2] > 0 else np.uint32(0)
    if bits & PIXEL_UNUSABLE:
        return nothing, bits, some
    sums = fit_integration(ramps, flags, i, table, pixel, times, kind)
    if sums[1] == 0.0:
        bits |= np.uint32(DO_NOT_USE)
    return sums, bits, some


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def integration_result(sums: Scalar4, bits: Scalar) -> Scalar4:
    """Return slope, err, var_poisson, var_rnoise of an integration."""
    if bits & PIXEL_UNUSABLE:
        return np.nan, 0.0, 0.0, 0.0
    var_r = inverse(sums[1])
    return sums[0] * var_r, np.sqrt(inverse(sums[3])), inverse(sums[2]), var_r


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def exposure_result(slopes: float, in_r: float, in_p: float, bits: Scalar) -> Scalar4:
    """Return slope, err, var_poisson, var_rnoise over all integrations."""
    if bits & PIXEL_UNUSABLE:
        return np.nan, 0.0, 0.0, 0.0
    var_p, var_r = inverse(in_p), inverse(in_r)
    return slopes * var_r, np.sqrt(var_p + var_r), var_p, var_r


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def prepare_integration(
    data: Float32,
    groupdq: UInt8,
    i: int,
    y: int,
    x: int,
    bounds: tuple[int, int],
    suppress: bool,
    zero: float,
    ramps: Float64,
    flags: UInt8,
) -> int:
    """Gather an integration of a pixel into the scratch arrays; return what it is fitted with."""
    clean = read_integration(data, groupdq, i, y, x, bounds, ramps, flags)
    if clean and ramps.shape[1] > 1:
        return CLEAN_RAMP
    kind: int = choose_samples(ramps, flags, i, suppress, zero)
    return kind


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def rate_of(
    ramps: Float64,
    flags: UInt8,
    i: int,
    kind: int,
    times: tuple[float, float, float],
    scratch: Float64,
) -> Scalar:
    """Return the median rate of an integration in DN/s, for its Poisson variance."""
    if kind == ZERO_FRAME and ramps.shape[1] > 1:
        return ramps[i, 0] / times[1]
    if kind in (ZERO_FRAME, FIRST_GROUP):
        return ramps[i, 0] / times[2]
    return median_rate(ramps, flags, i, scratch, times[0])


@njit(cache=True, nogil=True, error_model="numpy")
def rate_of_pixel(
    data: Float32,
    groupdq: UInt8,
    zeroframe: Float32,
    place: tuple[int, int, int],
    bounds: tuple[int, int],
    suppress: bool,
    times: tuple[float, float, float],
    scratch: Scratch,
) -> Scalar:
    """Return the median rate of a ramp whatever its flags, DN/s; `place` is (i, y, x)."""
    i, y, x = place
    ramps, flags, differences = scratch
    zero = zeroframe[i, y, x] if zeroframe.shape[0] > 0 else np.float32(0)
    kind = prepare_integration(data[i : i + 1], groupdq[i : i + 1], 0, y, x, bounds, suppress,
                               zero, ramps, flags)  # fmt: skip
    return rate_of(ramps, flags, 0, kind, times, differences)


@njit(cache=True, nogil=True, error_model="numpy")
def fit_pixel(
    data: Float32,
    groupdq: UInt8,
    pixel: tuple[UInt32, Float32, Float32, Float32],
    zeroframe: Float32,
    table: Float64,
    place: tuple[int, int, int],
    bounds: tuple[int, int],
    suppress: bool,
    times: tuple[float, float, float],
    rate: float,
    scratch: Scratch,
    rateints: Product,
) -> tuple[Scalar4, Scalar, Scalar]:
    """Fit a ramp whatever its flags and write its products; `place` is (i, y, x).

    Returns
    -------
    sums, bits, some : as `fit_flagged`; `rate` is the median rate over all integrations
    """
    i, y, x = place
    ramps, flags, _ = scratch
    zero = zeroframe[i, y, x] if zeroframe.shape[0] > 0 else np.float32(0)
    kind = prepare_integration(data[i : i + 1], groupdq[i : i + 1], 0, y, x, bounds, suppress,
                               zero, ramps, flags)  # fmt: skip
    own = (
        np.float64(pixel[1][y, x]),
        np.float64(pixel[2][y, x]),
        np.float64(pixel[3][y, x]),
        rate,
    )
    sums, bits, some = fit_flagged(ramps, flags, 0, kind, pixel[0][y, x], table, own, times)
    found = integration_result(sums, bits)
    rateints[0][i, y, x], rateints[1][i, y, x] = found[0], found[1]
    rateints[2][i, y, x] = bits | some
    rateints[3][i, y, x], rateints[4][i, y, x] = found[2], found[3]
    return sums, bits, some
