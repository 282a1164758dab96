"""Deviations of groups from steady rates, smoothed over rings; flags that change rates too much."""

import numpy as np
from numba import njit

from calwebb_detector1.kernels.flags import JUMP_DET, SPREADING, UNUSABLE
from calwebb_detector1.kernels.order import median
from calwebb_detector1.kernels.types import Float32, Int64, Scalar, UInt8

NAN = np.float32(np.nan)
CLEAN_BITS = UNUSABLE | JUMP_DET
CLIP, CLIP_TURNS = 5.0, 5


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def difference(data: Float32, groupdq: UInt8, i: int, g: int, y: int, x: int) -> Scalar:
    """Return group g minus group g-1, DN; NaN if one of them is flagged."""
    if (groupdq[i, g, y, x] | groupdq[i, g - 1, y, x]) & CLEAN_BITS:
        return NAN
    return data[i, g, y, x] - data[i, g - 1, y, x]


@njit(cache=True, nogil=True, error_model="numpy")
def steady_rates(
    data: Float32,
    groupdq: UInt8,
    rows: tuple[int, int],
    gain: Float32,
    variance: Float32,
    level: Float32,
    sigma: Float32,
) -> None:
    """Write the median difference of each pixel over all integrations, and its noise.

    Parameters
    ----------
    rows : first row, and the one after the last; only these are written
    data : float32, (nints, ngroups, ny, nx), DN
    groupdq : uint8, shape of `data`
    gain : float32, (ny, nx), electron/DN
    variance : float32, (ny, nx), electron^2 of a difference without signal
    level, sigma : float32, (ny, nx), electron a group, written; NaN without differences
    """
    nints, ngroups, _, nx = data.shape
    values = np.empty(nints * (ngroups - 1) + 1, np.float32)
    for y in range(rows[0], rows[1]):
        for x in range(nx):
            n = 0
            for i in range(nints):
                for g in range(1, ngroups):
                    values[n] = difference(data, groupdq, i, g, y, x) * gain[y, x]
                    n += np.isfinite(values[n])
            level[y, x] = median(values, n) if n > 0 else NAN
            sigma[y, x] = np.sqrt(abs(level[y, x]) + variance[y, x])


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def clip(values: Float32, n: int, scratch: Float32) -> tuple[float, float]:
    """Return median and standard deviation of `n` values without those beyond five sigma."""
    centre, width = np.nan, np.nan
    for turn in range(CLIP_TURNS + 1):
        if n == 0:
            return np.nan, np.nan
        total, square = 0.0, 0.0
        for k in range(n):
            scratch[k] = values[k]
            total += values[k]
        mean = total / n
        for k in range(n):
            square += (values[k] - mean) ** 2
        centre, width = np.float64(median(scratch, n)), np.sqrt(square / n)
        left = 0
        for k in range(n):
            if abs(values[k] - centre) <= CLIP * width:
                values[left] = values[k]
                left += 1
        if left == n or turn == CLIP_TURNS:
            break
        n = left
    return centre, width


@njit(cache=True, nogil=True, error_model="numpy")
def clipped_rates(
    data: Float32, groupdq: UInt8, gain: Float32, g: int, level: Float32, sigma: Float32
) -> None:
    """Write median and scatter of one group's differences across integrations, electrons."""
    nints, _, ny, nx = data.shape
    values, scratch = np.empty(nints + 1, np.float32), np.empty(nints, np.float32)
    for y in range(ny):
        for x in range(nx):
            n = 0
            for i in range(nints):
                values[n] = difference(data, groupdq, i, g, y, x) * gain[y, x]
                n += np.isfinite(values[n])
            level[y, x], sigma[y, x] = clip(values, n, scratch)


@njit(cache=True, nogil=True, error_model="numpy")
def write_deviations(
    data: Float32,
    groupdq: UInt8,
    at: tuple[int, int],
    gain: Float32,
    level: Float32,
    sigma: Float32,
    blind: UInt8,
    deviation: Float32,
    good: Float32,
) -> None:
    """Write how many sigma a group's differences are off the steady rate, in a wider frame.

    Parameters
    ----------
    data, groupdq : (nints, ngroups, ny, nx)
    at : integration and group
    gain, level, sigma : float32, (ny, nx)
    blind : uint8, (ny, nx), not 0: pixel is passed over
    deviation, good : float32, (ny + 2 r, nx + 2 r), written but for the rim: |deviation| where
        there is one, else 0; 1 where there is one, else 0
    """
    i, g = at
    ny, nx = level.shape
    rim = (deviation.shape[0] - ny) // 2
    for y in range(ny):
        for x in range(nx):
            off = difference(data, groupdq, i, g, y, x) * gain[y, x] - level[y, x]
            size = abs(off) / sigma[y, x]
            usable = np.isfinite(size) and blind[y, x] == 0
            deviation[y + rim, x + rim] = size if usable else np.float32(0)
            good[y + rim, x + rim] = np.float32(usable)


@njit(cache=True, nogil=True, error_model="numpy")
def mark_emission(
    deviation: Float32, good: Float32, ring: Int64, threshold: float, mask: UInt8
) -> bool:
    """Mark pixels around which the mean deviation in a ring exceeds a limit; say if any does.

    Parameters
    ----------
    deviation, good : float32, (ny + 2 r, nx + 2 r); beyond the edge 0 and 1
    ring : int64, (n, 2), offsets in y and x of the pixels in the ring, at most r
    threshold : sigma
    mask : uint8, (ny, nx), written
    """
    ny, nx = mask.shape
    rim = (deviation.shape[0] - ny) // 2
    total, number = np.empty(nx, np.float32), np.empty(nx, np.float32)
    found = False
    for y in range(ny):
        total[:] = 0
        number[:] = 0
        for k in range(ring.shape[0]):
            row, start = y + rim + ring[k, 0], rim + ring[k, 1]
            values, weights = deviation[row, start : start + nx], good[row, start : start + nx]
            for x in range(nx):
                total[x] += values[x]
                number[x] += weights[x]
        for x in range(nx):
            bright = number[x] > 0 and total[x] > np.float32(threshold) * number[x]
            mask[y, x] = bright and good[y + rim, x + rim] > 0
            found |= mask[y, x] != 0
    return found


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def mean_difference(data: Float32, groupdq: UInt8, i: int, y: int, x: int, bits: Scalar) -> Scalar:
    """Return a pixel's mean difference between groups without any of the bits, DN."""
    total, n = 0.0, 0
    for g in range(1, data.shape[1]):
        if (groupdq[i, g, y, x] | groupdq[i, g - 1, y, x]) & bits == 0:
            size = data[i, g, y, x] - data[i, g - 1, y, x]
            if np.isfinite(size):
                total += size
                n += 1
    return total / n if n > 0 else np.nan


@njit(cache=True, nogil=True, error_model="numpy")
def settle_marks(data: Float32, groupdq: UInt8, i: int, blind: UInt8, limit: float) -> int:
    """Turn marks SPREADING into JUMP_DET in the pixels whose rate they change little.

    Parameters
    ----------
    data : float32, (nints, ngroups, ny, nx), DN
    groupdq : uint8, shape of `data`, changed
    i : integration
    blind : uint8, (ny, nx), not 0: marks are taken away
    limit : DN a group

    Returns
    -------
    int
        Pixels whose marks were taken away, as the rate would change more or be lost.
    """
    _, ngroups, ny, nx = data.shape
    undone = 0
    for y in range(ny):
        for x in range(nx):
            marked = False
            for g in range(ngroups):
                marked |= groupdq[i, g, y, x] & SPREADING != 0
            if not marked:
                continue
            before = mean_difference(data, groupdq, i, y, x, CLEAN_BITS)
            after = mean_difference(data, groupdq, i, y, x, CLEAN_BITS | SPREADING)
            keep = abs(before - after) <= limit and blind[y, x] == 0
            undone += not keep
            for g in range(ngroups):
                flags = groupdq[i, g, y, x]
                if flags & SPREADING:
                    flags &= ~SPREADING
                    groupdq[i, g, y, x] = flags | JUMP_DET if keep else flags
    return undone
