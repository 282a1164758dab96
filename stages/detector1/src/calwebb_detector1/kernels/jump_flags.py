"""Flags around jumps: neighbours, groups after them, and marks that the search leaves."""

import numpy as np
from numba import njit

from calwebb_detector1.kernels.flags import JUMP_DET, SPREADING, UNUSABLE
from calwebb_detector1.kernels.jump import copy_finite, has_jump, pixel_differences
from calwebb_detector1.kernels.order import median
from calwebb_detector1.kernels.types import Float32, Float64, Int64, Scalar, UInt8


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def gather_neighbours(groupdq: UInt8, i: int, g: int, y: int, near: UInt8) -> None:
    """Write into `near` (uint8, nx) all flags of the four neighbours of each pixel of a row."""
    ny, nx = groupdq.shape[2], groupdq.shape[3]
    near[:] = 0
    if y > 0:
        for x in range(nx):
            near[x] |= groupdq[i, g, y - 1, x]
    if y < ny - 1:
        for x in range(nx):
            near[x] |= groupdq[i, g, y + 1, x]
    for x in range(1, nx):
        near[x] |= groupdq[i, g, y, x - 1]
    for x in range(nx - 1):
        near[x] |= groupdq[i, g, y, x + 1]


@njit(cache=True, nogil=True, error_model="numpy")
def flag_neighbours(groupdq: UInt8) -> None:
    """Flag JUMP_DET the usable groups next to one that is marked SPREADING."""
    nints, ngroups, ny, nx = groupdq.shape
    for y in range(ny):
        near = np.empty(nx, np.uint8)
        for i in range(nints):
            for g in range(1, ngroups):
                gather_neighbours(groupdq, i, g, y, near)
                for x in range(nx):
                    flags = groupdq[i, g, y, x]
                    hit = near[x] & SPREADING != 0 and flags & UNUSABLE == 0
                    groupdq[i, g, y, x] = flags | JUMP_DET if hit else flags


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def flag_following(
    groupdq: UInt8,
    y: int,
    x: int,
    differences: Float32,
    level: float,
    limits: Float64,
    lengths: Int64,
    reached: Int64,
) -> None:
    """Flag the groups after a pixel's jumps above each of two limits (electrons, groups)."""
    nints, ngroups = groupdq.shape[0], groupdq.shape[1]
    for i in range(nints):
        reached[:] = -1
        for g in range(1, ngroups):
            size = differences[i * (ngroups - 1) + g - 1] - level
            if groupdq[i, g, y, x] & JUMP_DET:
                for k in range(2):
                    if lengths[k] > 0 and size >= limits[k]:
                        reached[k] = max(reached[k], g + lengths[k])
            if g <= max(reached[0], reached[1]):
                # Bit by bit: a group flagged here must not set off a transient of its own.
                groupdq[i, g, y, x] |= SPREADING
        for g in range(1, ngroups):
            if groupdq[i, g, y, x] & SPREADING and groupdq[i, g, y, x] & UNUSABLE == 0:
                groupdq[i, g, y, x] |= JUMP_DET


@njit(cache=True, nogil=True, error_model="numpy")
def flag_transients(
    data: Float32, groupdq: UInt8, gain: Float32, limits: Float64, lengths: Int64
) -> None:
    """Flag JUMP_DET for `lengths` (int64, (2,)) groups after jumps of `limits` electrons."""
    nints, ngroups, ny, nx = data.shape
    size = nints * (ngroups - 1)
    for y in range(ny):
        differences = np.empty(size, np.float32)
        scratch = np.empty(size, np.float32)
        reached = np.empty(2, np.int64)
        for x in range(nx):
            if np.isnan(gain[y, x]) or not has_jump(groupdq, y, x):
                continue
            pixel_differences(data, groupdq, gain[y, x], y, x, differences)
            n = copy_finite(differences, scratch)
            if n > 0:
                level = median(scratch, n)
                flag_following(groupdq, y, x, differences, level, limits, lengths, reached)


@njit(cache=True, nogil=True, error_model="numpy")
def clear_marks(groupdq: UInt8) -> None:
    """Clear SPREADING everywhere, and JUMP_DET where the group is unusable anyhow."""
    nints, ngroups, ny, nx = groupdq.shape
    for y in range(ny):
        for i in range(nints):
            for g in range(ngroups):
                for x in range(nx):
                    flags = groupdq[i, g, y, x] & ~SPREADING
                    if flags & UNUSABLE:
                        flags &= ~JUMP_DET
                    groupdq[i, g, y, x] = flags


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def all_flagged(flags: UInt8, bits: Scalar) -> bool:
    """Say whether every pixel of a group's flags (ny, nx) has one of the bits."""
    ny, nx = flags.shape
    for y in range(ny):
        for x in range(nx):
            if flags[y, x] & bits == 0:
                return False
    return True
