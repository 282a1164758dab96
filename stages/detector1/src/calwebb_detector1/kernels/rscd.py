"""Groups after a reset: flags with back-off, and the exponential decay of the documents."""

import numpy as np
from numba import njit

from calwebb_detector1.kernels.flags import DO_NOT_USE, SATURATED
from calwebb_detector1.kernels.types import Bool, Float32, Float64, Int64, Scalar, UInt8

# Rows of the decay table as the kernel takes it.
TAU, B1, POWER, PARAM3, CROSSOVER, SATURATED_SLOPE, SATURATED_OFFSET, SATURATED_SCALE = range(8)


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def groups_to_skip(groupdq: UInt8, i: int, y: int, x: int, wanted: int) -> int:
    """Return how many groups of a ramp to skip so that two unsaturated ones remain, if they can.

    A ramp that saturates in its first group has none to save: all `wanted` are skipped.
    """
    if groupdq[i, 0, y, x] & SATURATED:
        return wanted
    skip, last = wanted, min(wanted + 1, groupdq.shape[1] - 1)
    while last > 0 and groupdq[i, last, y, x] & SATURATED:
        skip = max(skip - 1, 0)
        last -= 1
    return skip


@njit(cache=True, nogil=True, error_model="numpy")
def flag_first_groups(
    groupdq: UInt8, wanted: Int64, part: Int64, lowered: Bool, kept: Bool
) -> None:
    """Flag the first groups of each integration DO_NOT_USE in `groupdq`.

    `groupdq` uint8 (nints, ngroups, ny, nx); `wanted` (int64, nints) is how many groups to
    skip; `part` (int64, nints) sorts the integrations into rows of `lowered` and `kept`, bool
    (nparts, ny, nx), which become True where fewer groups are skipped and where none is,
    because the ramp saturates early.
    """
    nints, _, ny, nx = groupdq.shape
    for y in range(ny):
        for i in range(nints):
            for x in range(nx):
                skip = groups_to_skip(groupdq, i, y, x, wanted[i])
                if skip < wanted[i]:
                    lowered[part[i], y, x] = True
                    kept[part[i], y, x] |= skip == 0
                for g in range(skip):
                    groupdq[i, g, y, x] |= DO_NOT_USE


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def last_from_fit(data: Float32, groupdq: UInt8, i: int, y: int, x: int, instead: float) -> Scalar:
    """Return the last group of a ramp as a line through its unsaturated ones has it.

    First and last group, which are not measured well, are left out; with fewer than three
    others, or a flat line, the result is `instead`.
    """
    ngroups = data.shape[1]
    n, st, sd, stt, std = 0.0, 0.0, 0.0, 0.0, 0.0
    for g in range(1, ngroups - 1):
        if groupdq[i, g, y, x] & SATURATED == 0:
            value = data[i, g, y, x]
            n += 1
            st += g
            sd += value
            stt += g * g
            std += g * value
    if n < 3:
        return instead
    slope = (n * std - st * sd) / (n * stt - st * st)
    return instead if slope == 0 else (sd - slope * st) / n + slope * (ngroups - 1)


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def scale_of_decay(last: float, table: Float64, parity: int) -> Scalar:
    """Return the amplitude after an unsaturated ramp, in percent of the accumulated signal."""
    counts = last - table[CROSSOVER, parity]
    if not counts > 0:
        return 0.0
    grown = np.exp(counts / table[PARAM3, parity]) - 1
    return table[B1, parity] * counts ** table[POWER, parity] / grown


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def is_saturated(groupdq: UInt8, i: int, y: int, x: int) -> bool:
    """Say whether a group between the first and the last is saturated."""
    found = False
    for g in range(1, groupdq.shape[1] - 1):
        found |= groupdq[i, g, y, x] & SATURATED != 0
    return found


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def decay_amplitude(
    data: Float32, groupdq: UInt8, i: int, y: int, x: int, table: Float64, parity: int
) -> Scalar:
    """Return what the signal of integration `i` takes from the next at its start, DN."""
    ngroups = data.shape[1]
    last = 2.0 * data[i, ngroups - 2, y, x] - data[i, ngroups - 3, y, x]
    if is_saturated(groupdq, i, y, x):
        counts = last_from_fit(data, groupdq, i, y, x, last) * table[SATURATED_SCALE, parity]
        scale = table[SATURATED_SLOPE, parity] * counts + table[SATURATED_OFFSET, parity]
    else:
        scale = scale_of_decay(last, table, parity)
    amplitude = 0.01 * last * scale
    return amplitude if np.isfinite(amplitude) else 0.0


@njit(cache=True, nogil=True, error_model="numpy")
def add_decay(data: Float32, groupdq: UInt8, exempt: Bool, table: Float64, first_row: int) -> None:
    """Add to integrations 2 and later, in place, what the decay after their reset has taken.

    `data` float32 (nints, ngroups, ny, nx), DN; `exempt` bool (ny, nx): reference pixels;
    `table` float64 (8, 2), second axis even and odd rows; `first_row`: number of the first row
    on the detector, from 1. Integrations are taken backwards: each needs the one before it as
    it was measured.
    """
    nints, ngroups, ny, nx = data.shape
    fading = np.empty((ngroups, 2), np.float64)
    for parity in range(2):
        for g in range(ngroups):
            fading[g, parity] = np.exp(-(g + 1) / table[TAU, parity])
    amplitude = np.empty(nx, np.float64)
    for y in range(ny):
        parity = (first_row + y) % 2
        for i in range(nints - 1, 0, -1):
            for x in range(nx):
                amplitude[x] = 0.0
                if not exempt[y, x]:
                    amplitude[x] = decay_amplitude(data, groupdq, i - 1, y, x, table, parity)
            for g in range(ngroups):
                for x in range(nx):
                    data[i, g, y, x] += np.float32(amplitude[x] * fading[g, parity])
