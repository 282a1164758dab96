"""Persistence: windows of flags, and charge that traps catch and let go."""

import numpy as np
from numba import njit

from calwebb_detector1.kernels.flags import DO_NOT_USE, JUMP_DET, SATURATED, UNUSABLE
from calwebb_detector1.kernels.types import Bool, Float32, Float64, Scalar, UInt8

# Times are sums of rounded keywords: a group at the very end of a window is in it.
TOLERANCE = 1e-3  # s
SERIES_BELOW = 1e-2  # where a closed form would cancel
Decay = tuple[Float64, Float64, Float64, Float64]
Capture = tuple[tuple[float, float], Float64, Float64, Float64, Float64, Float64]


@njit(cache=True, nogil=True, error_model="numpy")
def flag_windows(
    data: Float32,
    groupdq: UInt8,
    ends: Float64,
    times: Float64,
    length: float,
    threshold: float,
    flags: int,
) -> None:
    """Flag groups within windows in `groupdq` (nints, ngroups, ny, nx) in place.

    `ends` float64 (ny, nx), s, where each pixel's window ends, 0 for none, is brought up to date;
    `times` float64 (nints, ngroups), s; a window of `length` s opens at the first saturated group
    of an integration, and above `threshold` DN where there is none. A window that ends later than
    one that opens now would end is closed: it comes from a later exposure.
    """
    nints, ngroups, ny, nx = data.shape
    full = np.empty(nx, np.bool_)
    for y in range(ny):
        for i in range(nints):
            full[:] = False
            for g in range(ngroups):
                now = times[i, g]
                for x in range(nx):
                    end = ends[y, x]
                    if end < now - TOLERANCE or end > now + length + TOLERANCE:
                        end = 0.0
                    saturated = groupdq[i, g, y, x] & SATURATED != 0
                    opens = saturated and not full[x]
                    if opens or (end == 0.0 and data[i, g, y, x] > threshold):
                        end = now + length
                    full[x] = full[x] or saturated
                    if end > 0.0:
                        groupdq[i, g, y, x] |= flags
                    ends[y, x] = end


@njit(cache=True, nogil=True, error_model="numpy")
def slow_part(time: float) -> Scalar:
    """Return the part of the slow traps that a steady rise fills; `time` in capture times.

    It is the integral of ``2 t (1 - exp(-t))`` from 0 to `time`, over the square of `time`.
    """
    if time < SERIES_BELOW:
        return time * (2 / 3 - time / 4 + time * time / 15 - time * time * time / 72)
    return 1.0 + 2.0 * (time * np.exp(-time) + np.expm1(-time)) / (time * time)


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def rise_of(
    data: Float32, groupdq: UInt8, i: int, y: int, x: int, limit: float, first: float
) -> tuple[Scalar, Scalar]:
    """Return a pixel's slope in DN a group, and when it is full, in groups after the reset.

    The slope says when, within the times at which it is known to be full or not to be.
    """
    total, pairs, before = 0.0, 0, False
    alone = 0.0
    if groupdq[i, 0, y, x] & UNUSABLE != DO_NOT_USE:
        alone = np.float64(data[i, 0, y, x]) / first
    not_yet, already = 0.0, np.inf
    for g in range(data.shape[1]):
        flags, value = groupdq[i, g, y, x], data[i, g, y, x]
        usable = flags & UNUSABLE == 0 and value < limit
        if flags & UNUSABLE != DO_NOT_USE and value >= limit:
            already = min(already, first + g)
        if usable and already == np.inf:
            not_yet = first + g
        if usable and before and flags & JUMP_DET == 0:
            total += np.float64(value) - np.float64(data[i, g - 1, y, x])
            pairs += 1
        before = usable
    slope = max(total / pairs if pairs else alone, 0.0)
    when = limit / slope if slope > 0 else np.inf
    return slope, min(max(when, not_yet), already)


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def catch(
    data: Float32,
    groupdq: UInt8,
    i: int,
    y: int,
    x: int,
    limit: float,
    capture: Capture,
    out: Float64,
) -> None:
    """Write into `out` (nfamilies,) what is caught in an integration, DN for a density of 1."""
    (first, length), steady, rate, hit, slow, at_once = capture
    ngroups = data.shape[1]
    slope, when = rise_of(data, groupdq, i, y, x, limit, first)
    full = when < length
    lit = min(when, length)
    level = 1.0 if full else min(slope * lit / limit, 1.0)
    for f in range(out.size):
        part = slow_part(rate[f] * lit) if full else steady[f]
        out[f] = (slow[f] * part + at_once[f]) * level * level
        if full:
            room = slow[f] + at_once[f] - out[f]
            out[f] -= room * np.expm1(-rate[f] * (length - lit))
    for g in range(1, ngroups):
        flags, earlier = groupdq[i, g, y, x], groupdq[i, g - 1, y, x]
        if flags & JUMP_DET and (flags | earlier) & UNUSABLE == 0:
            after, before = np.float64(data[i, g, y, x]), np.float64(data[i, g - 1, y, x])
            before = max(before + slope, 0.0)
            if before < after < limit:
                for f in range(out.size):
                    out[f] += hit[f, g] * (after * after - before * before) / (limit * limit)


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def release(data: Float32, i: int, y: int, x: int, filled: Float64, released: Float64) -> Scalar:
    """Subtract from the groups what traps have let go; return what the last group gets."""
    glow = 0.0
    for g in range(data.shape[1]):
        glow = 0.0
        for f in range(filled.size):
            glow += filled[f] * released[f, g]
        data[i, g, y, x] -= glow
    return glow


@njit(cache=True, nogil=True, error_model="numpy")
def correct_ramps(
    data: Float32,
    groupdq: UInt8,
    zeroframe: Float32,
    state: Float32,
    pixels: tuple[Float32, Float32],
    decay: Decay,
    capture: Capture,
    cutoff: float,
    flagged: Bool,
) -> None:
    """Subtract what traps let go from `data` (nints, ngroups, ny, nx) and `zeroframe` in place.

    Parameters
    ----------
    zeroframe : float32 (nints, ny, nx), or without integrations
    state : float32 (nfamilies, ny, nx), DN in traps; brought to the end of the last integration
    pixels : density of traps, 0 for none, and DN at which a pixel is full, float32 (ny, nx)
    decay : parts of the state, float64: left after the resets (nints, nfamilies), let go until the
        first frame (nfamilies,), until each group (nfamilies, ngroups), left after the last one
        (nfamilies,)
    capture : time of the first group and length of the integration (groups), then float64: part of
        the slow traps filled by a steady rise over all groups, capture
        rate by group time (nfamilies,), DN caught by a hit of the full pixel (nfamilies, ngroups)
        by group, DN that slow traps hold and DN that are caught at once (nfamilies,)
    cutoff : DN let go from which a pixel is marked in `flagged`, bool (ny, nx)
    """
    nints, _, ny, nx = data.shape
    density, limit = pixels
    kept, in_frame, released, left = decay
    filled, caught = np.empty(state.shape[0]), np.empty(state.shape[0])
    for y in range(ny):
        for i in range(nints):
            for x in range(nx):
                caught[:] = 0.0
                if density[y, x] > 0:
                    catch(data, groupdq, i, y, x, limit[y, x], capture, caught)
                for f in range(filled.size):
                    filled[f] = state[f, y, x] * kept[i, f]
                if release(data, i, y, x, filled, released) >= cutoff:
                    flagged[y, x] = True
                for f in range(filled.size):
                    if i < zeroframe.shape[0] and zeroframe[i, y, x] != 0:
                        zeroframe[i, y, x] -= filled[f] * in_frame[f]
                    rest = filled[f] * left[f]
                    most = max(density[y, x] * (capture[4][f] + capture[5][f]), rest)
                    state[f, y, x] = min(rest + density[y, x] * caught[f], most)
