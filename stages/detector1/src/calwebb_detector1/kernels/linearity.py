"""Polynomial linearity correction of samples and of averaged reads."""

import numpy as np
from numba import njit

from calwebb_detector1.kernels.flags import SATURATED
from calwebb_detector1.kernels.types import Bool, Float32, Float64, Scalar, UInt8


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def horner(result: Scalar, coefficient: Scalar, value: Scalar) -> Scalar:
    """Return one step of Horner's rule."""
    return (result + coefficient) * value


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def polynomial(coefficients: Float32 | Float64, value: float) -> Scalar:
    """Return sum of coefficients[k] value^k (two coefficients at least)."""
    last = coefficients.size - 1
    result = coefficients[last] * value
    for k in range(last - 1, 0, -1):
        result = horner(result, coefficients[k], value)
    return result + coefficients[0]


@njit(cache=True, nogil=True, error_model="numpy")
def correct_row(
    values: Float32,
    flags: UInt8,
    coefficients: Float32,
    y: int,
    usable: Bool,
    last: int,
    row: Float32,
) -> None:
    """Correct a row of samples in place, term by term; `row` is scratch of its length."""
    top = coefficients[last, y]
    for x in range(values.size):
        row[x] = top[x] * values[x]
    for k in range(last - 1, 0, -1):
        term = coefficients[k, y]
        for x in range(values.size):
            row[x] = horner(row[x], term[x], values[x])
    constant = coefficients[0, y]
    for x in range(values.size):
        wanted = usable[x] & (flags[x] & SATURATED == 0)
        values[x] = row[x] + constant[x] if wanted else values[x]


@njit(cache=True, nogil=True, error_model="numpy")
def correct_ramps(data: Float32, groupdq: UInt8, coefficients: Float32, usable: Bool) -> None:
    """Correct `data` (nints, ngroups, ny, nx) in place where `usable` and not saturated.

    `coefficients` float32 (ncoefficients, ny, nx), `usable` bool (ny, nx). It takes a row term
    by term, so that the processor works on many pixels at once.
    """
    nints, ngroups, ny, nx = data.shape
    last = coefficients.shape[0] - 1
    row = np.empty(nx, np.float32)
    for y in range(ny):
        for i in range(nints):
            for g in range(ngroups):
                correct_row(data[i, g, y], groupdq[i, g, y], coefficients, y, usable[y], last, row)


@njit(cache=True, nogil=True, error_model="numpy")
def correct_zeroframe(zeroframe: Float32, coefficients: Float32, usable: Bool) -> None:
    """Correct `zeroframe` (nints, ny, nx) in place; zero, which means bad, stays."""
    nints, ny, nx = zeroframe.shape
    for y in range(ny):
        own = np.empty(coefficients.shape[0], np.float32)
        for x in range(nx):
            if not usable[y, x]:
                continue
            for k in range(own.size):
                own[k] = coefficients[k, y, x]
            for i in range(nints):
                if zeroframe[i, y, x] != 0:
                    zeroframe[i, y, x] = polynomial(own, zeroframe[i, y, x])


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def count_unsaturated(groupdq: UInt8, i: int, y: int, x: int) -> int:
    """Return how many groups of a pixel's integration are not saturated."""
    count = 0
    for g in range(groupdq.shape[1]):
        if groupdq[i, g, y, x] & SATURATED == 0:
            count += 1
    return count


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def first_estimate(
    data: Float32, groupdq: UInt8, i: int, g: int, y: int, x: int, forward: Float64
) -> Scalar:
    """Return a group corrected as if it were one read (as it is when saturated)."""
    value = np.float64(data[i, g, y, x])
    if groupdq[i, g, y, x] & SATURATED:
        return value
    return polynomial(forward, value)


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def correct_average(
    value: float,
    linear_mean: float,
    linear_step: float,
    nframes: int,
    forward: Float64,
    inverse: Float64,
) -> Scalar:
    """Return the linear value of a group whose reads were averaged before being corrected.

    The reads are modelled as a straight line (`linear_mean`, `linear_step` a read, both DN after
    correction), bent back by the `inverse` polynomial, shifted so that they average to the
    observed `value`, corrected one by one with `forward` and averaged again.
    """
    middle = (nframes - 1) / 2.0
    predicted = 0.0
    for read in range(nframes):
        predicted += polynomial(inverse, linear_mean + (read - middle) * linear_step)
    shift = value - predicted / nframes
    total = 0.0
    for read in range(nframes):
        bent = polynomial(inverse, linear_mean + (read - middle) * linear_step)
        total += polynomial(forward, bent + shift)
    return total / nframes


@njit(cache=True, nogil=True, error_model="numpy")
def correct_averaged_ramps(
    data: Float32,
    groupdq: UInt8,
    forward: Float32,
    inverse: Float32,
    usable: Bool,
    nframes: int,
    cycle: int,
) -> None:
    """Correct `data` in place, group by group, through the reads that each group averages.

    `forward`, `inverse` float32 (ncoefficients, ny, nx); needs two groups at least, one every
    `cycle` frames, of which `nframes` are averaged. The slope
    comes from the first group and the one before the last that is not saturated, which may
    itself hold saturated reads.
    """
    nints, ngroups, ny, nx = data.shape
    for y in range(ny):
        there = np.empty(forward.shape[0], np.float64)
        back = np.empty(inverse.shape[0], np.float64)
        for x in range(nx):
            if not usable[y, x]:
                continue
            for k in range(there.size):
                there[k] = forward[k, y, x]
            for k in range(back.size):
                back[k] = inverse[k, y, x]
            for i in range(nints):
                last = max(count_unsaturated(groupdq, i, y, x) - 1, 2) - 1
                start = first_estimate(data, groupdq, i, 0, y, x, there)
                end = first_estimate(data, groupdq, i, last, y, x, there)
                step = (end - start) / (last * cycle)
                for g in range(ngroups):
                    if groupdq[i, g, y, x] & SATURATED == 0:
                        mean = start + step * (g * cycle)
                        data[i, g, y, x] = correct_average(
                            np.float64(data[i, g, y, x]), mean, step, nframes, there, back
                        )
