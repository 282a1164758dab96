"""Two-point difference search for jumps in one pixel's ramps, and its flags.

Everything about a pixel is done while its samples are in a scratch array of a few hundred
bytes; what concerns its neighbours goes through one bit of the group flags.
"""

import numpy as np
from numba import njit

from calwebb_detector1.kernels.flags import JUMP_DET, SPREADING, UNUSABLE
from calwebb_detector1.kernels.jump_rows import find_flagged, find_suspects, sorted_differences
from calwebb_detector1.kernels.network import WIDTH
from calwebb_detector1.kernels.order import median, middle, sort
from calwebb_detector1.kernels.types import Bool, Float32, Float64, Int32, Int64, Scalar, UInt8

NAN = np.float32(np.nan)
ONE_BY_ONE, AT_ONCE, CLIP_INTEGRATIONS, CLIP_ALL = 0, 1, 2, 3


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def pixel_differences(
    data: Float32, groupdq: UInt8, gain: float, y: int, x: int, differences: Float32
) -> None:
    """Write a pixel's group differences in electrons; NaN next to an unusable group."""
    nints, ngroups = data.shape[0], data.shape[1]
    k = 0
    for i in range(nints):
        previous = NAN
        for g in range(ngroups):
            value = data[i, g, y, x] * gain
            if groupdq[i, g, y, x] & UNUSABLE:
                value = NAN
            if g > 0:
                differences[k] = value - previous
                k += 1
            previous = value


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def copy_finite(values: Float32, out: Float32) -> int:
    """Copy the finite values to the front of `out`; return how many."""
    n = 0
    for k in range(values.size):
        if np.isfinite(values[k]):
            out[n] = values[k]
            n += 1
    return n


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def noise(rate: float, variance: float) -> Scalar:
    """Return the standard deviation of a difference: Poisson noise of `rate` and read noise."""
    return np.sqrt(np.float64(abs(rate)) + variance)


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def reference_difference(values: Float32, start: int, stop: int) -> Scalar:
    """Return what a pixel's sorted |differences| [start, stop) say of its steady rate.

    The median without the largest for four and more, the median of three, the smaller of two,
    NaN for one.
    """
    n = stop - start
    if n >= 4:
        largest = values[stop - 1]
        while stop > start and values[stop - 1] == largest:
            stop -= 1
        return middle(values, start, stop) if stop > start else NAN
    if n == 3:
        return values[start + 1]
    return values[start] if n == 2 else NAN


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def threshold_for(n: int, thresholds: Float64) -> Scalar:
    """Return the limit in sigma for `n` usable differences: thresholds are (>= 4, 3, 2)."""
    if n >= 4:
        return thresholds[0]
    if n == 3:
        return thresholds[1]
    return thresholds[2] if n == 2 else np.inf


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def mark_equal(differences: Float32, size: float, hits: Bool) -> int:
    """Mark the differences of that absolute size; return how many."""
    count = 0
    for k in range(differences.size):
        if abs(differences[k]) == size and not hits[k]:
            hits[k] = True
            count += 1
    return count


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def find_one_by_one(
    differences: Float32, variance: float, thresholds: Float64, scratch: Float32, hits: Bool
) -> int:
    """Mark in `hits` the jumps of a pixel, the most significant first; return how many.

    After each the steady rate and its noise are found again without it. In the sorted
    |differences| the most significant is always at one of the ends.
    """
    n = copy_finite(differences, scratch)
    for k in range(n):
        scratch[k] = abs(scratch[k])
    sort(scratch, n)
    start, stop, count = 0, n, 0
    while stop - start >= 2:
        level = reference_difference(scratch, start, stop)
        sigma = noise(level, variance)
        high = abs(scratch[stop - 1] - level)
        low = abs(scratch[start] - level)
        if not (sigma > 0 and max(high, low) / sigma > threshold_for(stop - start, thresholds)):
            break
        if high >= low:
            found = mark_equal(differences, scratch[stop - 1], hits)
            stop -= found
            count += found
        if low >= high and start < stop:
            found = mark_equal(differences, scratch[start], hits)
            start += found
            count += found
    return count


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def find_at_once(
    differences: Float32, level: float, sigma: float, threshold: float, hits: Bool
) -> int:
    """Mark in `hits` every difference further than `threshold` sigma from `level`."""
    count = 0
    for k in range(differences.size):
        if abs(differences[k] - level) / sigma > threshold:
            hits[k] = True
            count += 1
    return count


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def write_hits(
    groupdq: UInt8,
    y: int,
    x: int,
    differences: Float32,
    hits: Bool,
    level: float,
    sigma: float,
    spread: Float64,
) -> None:
    """Flag a pixel's jumps, and mark those whose neighbours are to be flagged.

    `spread` is (smallest, largest) significance for that; jumps that were flagged before
    count too.
    """
    nints, ngroups = groupdq.shape[0], groupdq.shape[1]
    k = 0
    for i in range(nints):
        for g in range(1, ngroups):
            flags = groupdq[i, g, y, x]
            if hits[k]:
                flags |= JUMP_DET
            if flags & JUMP_DET:
                significance = abs(differences[k] - level) / sigma
                if significance > spread[0] and significance < spread[1]:
                    flags |= SPREADING
            groupdq[i, g, y, x] = flags
            k += 1


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def has_jump(groupdq: UInt8, y: int, x: int) -> bool:
    """Say whether any group of a pixel is flagged as a jump."""
    for i in range(groupdq.shape[0]):
        for g in range(1, groupdq.shape[1]):
            if groupdq[i, g, y, x] & JUMP_DET:
                return True
    return False


@njit(cache=True, nogil=True, error_model="numpy")
def search_pixel(
    data: Float32,
    groupdq: UInt8,
    place: tuple[int, int],
    gain: float,
    variance: float,
    thresholds: Float64,
    spread: Float64,
    method: int,
    differences: Float32,
    scratch: Float32,
    hits: Bool,
) -> Scalar:
    """Flag the jumps of the pixel at `place` (y, x) and return how many were found.

    `hits` is all False before and after; the other arguments are those of `find_jumps`.
    """
    y, x = place
    pixel_differences(data, groupdq, gain, y, x, differences)
    level, sigma = NAN, np.nan
    if method == AT_ONCE:
        n = copy_finite(differences, scratch)
        if n > 0:
            level = median(scratch, n)
            sigma = noise(level, variance)
        found = find_at_once(differences, level, sigma, thresholds[0], hits)
    else:
        found = find_one_by_one(differences, variance, thresholds, scratch, hits)
    if found > 0 or has_jump(groupdq, y, x):
        n = copy_finite(differences, scratch)
        if n > 0:
            level = median(scratch, n)
            sigma = noise(level, variance)
        write_hits(groupdq, y, x, differences, hits, level, sigma, spread)
        hits[:] = False
    return found


@njit(cache=True, nogil=True, error_model="numpy")
def count_usable(typical: Bool) -> Scalar:
    """Return how many differences of neighbouring groups any pixel can use."""
    count = 0
    for i in range(typical.shape[0]):
        for g in range(1, typical.shape[1]):
            count += 0 if typical[i, g] or typical[i, g - 1] else 1
    return count


@njit(cache=True, nogil=True, error_model="numpy")
def find_jumps(
    data: Float32,
    groupdq: UInt8,
    gain: Float32,
    variance: Float32,
    thresholds: Float64,
    spread: Float64,
    method: int,
    typical: Bool,
    pairs: Int64,
    counts: Int32,
) -> None:
    """Flag jumps in `groupdq` in place, and mark those that spread with the bit SPREADING.

    Parameters
    ----------
    data : float32, (nints, ngroups, ny, nx), DN
    groupdq : uint8, shape of `data`, changed
    gain : float32, (ny, nx), electron/DN; pixels with NaN are passed over
    variance : float32, (ny, nx), electron^2 of a difference without signal
    thresholds : float64, (3,): sigma for >= 4, 3, 2 usable differences
    spread : float64, (2,): significance between which neighbours are flagged
    method : ONE_BY_ONE or AT_ONCE
    typical : bool, (nints, ngroups): groups that are DO_NOT_USE for most pixels
    pairs : network for the differences of all other groups, see `network.comparisons`
    counts : int32, (ny, nx), written: jumps found in each pixel
    """
    nints, ngroups, ny, nx = data.shape
    size = nints * (ngroups - 1)
    differences, scratch = np.empty(size, np.float32), np.empty(size, np.float32)
    hits = np.zeros(size, np.bool_)
    usable = count_usable(typical)
    width = min(WIDTH, nx)
    work, levels = np.empty((max(usable, 1), width), np.float32), np.empty(width, np.float32)
    flagged, suspects = np.empty(width, np.bool_), np.empty(width, np.bool_)
    threshold = thresholds[0] if method == AT_ONCE else threshold_for(usable, thresholds)
    for y, chunk in np.ndindex(ny, (nx + width - 1) // width):
        start = chunk * width
        stop = min(start + width, nx)
        place = (y, start, stop)
        find_flagged(groupdq, typical, place, flagged)
        sorted_differences(data, gain, typical, place, pairs, method == ONE_BY_ONE, work, flagged)
        own = suspects[: stop - start]
        find_suspects(work, variance[y, start:stop], threshold, method == AT_ONCE, levels, own)
        for x in range(start, stop):
            counts[y, x] = 0
            if np.isnan(gain[y, x]) or np.isnan(variance[y, x]):
                continue
            if flagged[x - start] or suspects[x - start]:
                counts[y, x] = search_pixel(
                    data, groupdq, (y, x), gain[y, x], np.float64(variance[y, x]), thresholds,
                    spread, method, differences, scratch, hits,
                )  # fmt: skip
