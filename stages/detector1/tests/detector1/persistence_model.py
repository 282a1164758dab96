"""Persistence the slow way: windows pixel by pixel, traps by summing over small steps of time."""

import numpy as np

from calwebb_detector1.traps import Course, Families

SATURATED, DO_NOT_USE, JUMP_DET, PERSISTENCE = 2, 1, 4, 32
FAMILIES = Families(
    slow=np.array([180.0, 270.0, 80.0]),
    capture_rate=np.array([0.005, 0.02, 0.3]),
    at_once=np.array([90.0, 40.0, 60.0]),
    decay_rate=np.array([1 / 8000, 1 / 900, 1 / 150]),
)


def windows(data, groupdq, ends, times, length, threshold):
    """Return flags and ends of windows, as `flag_windows` finds them."""
    groupdq, ends = groupdq.copy(), ends.copy()
    nints, ngroups, ny, nx = data.shape
    for y, x in np.ndindex(ny, nx):
        for i in range(nints):
            saturated_before = False
            for g in range(ngroups):
                now, end = times[i, g], ends[y, x]
                inside = now - 1e-3 <= end <= now + length + 1e-3
                saturated = bool(groupdq[i, g, y, x] & SATURATED)
                bright = data[i, g, y, x] > threshold
                if (saturated and not saturated_before) or (bright and not inside):
                    inside, end = True, now + length
                saturated_before |= saturated
                ends[y, x] = end if inside else 0.0
                if inside:
                    groupdq[i, g, y, x] |= PERSISTENCE
    return groupdq, ends


def caught(rate, time, family, steps=20000):
    """Return DN caught by a pixel of density 1 whose level rises by `rate` (1/s) for `time`."""
    middle = (np.arange(steps) + 0.5) * time / steps
    slow = family.slow * -np.expm1(-family.capture_rate * middle)
    return float(np.sum(2 * rate**2 * middle * (slow + family.at_once)) * time / steps)


def one(families, f):
    """Return one family of several."""
    return Families(*(values[f : f + 1] for values in vars(families).values()))


def slope_and_full(values, flags, full):
    """Return the slope in DN a group and which groups are full."""
    ngroups = len(values)
    above = [
        bool(flags[g] & SATURATED) or (not flags[g] & DO_NOT_USE and values[g] >= full)
        for g in range(ngroups)
    ]
    good = [not above[g] and not flags[g] & DO_NOT_USE for g in range(ngroups)]
    pairs = [
        float(values[g]) - float(values[g - 1])
        for g in range(1, ngroups)
        if good[g] and good[g - 1] and not flags[g] & JUMP_DET
    ]
    alone = float(values[0]) if good[0] else 0.0
    return max(sum(pairs) / len(pairs) if pairs else alone, 0.0), above


def until_full(slope, above, full):
    """Return the groups, with a fraction, until a pixel is full."""
    lit, first = len(above) - sum(above), above.index(True) if any(above) else 0
    return lit + min(max(full / slope - first, 0), 1) if first and slope > 0 else lit


def caught_from_hits(values, flags, above, slope, full, kind, time):
    """Return DN caught of the jumps of an integration."""
    total, ngroups = 0.0, len(values)
    for k in range(1, ngroups):
        bad = (flags[k] | flags[k - 1]) & (DO_NOT_USE | SATURATED)
        start = max(values[k - 1] + slope, 0)
        if flags[k] & JUMP_DET and not above[k] and not bad and values[k] > start:
            since = (ngroups - k - 0.5) * time
            slow = kind.slow[0] * (1 - np.exp(-kind.capture_rate[0] * since))
            total += (values[k] ** 2 - start**2) / full**2 * (slow + kind.at_once[0])
    return total


def traps_of_pixel(values, flags, state, density, full, families: Families, course: Course):
    """Correct the ramps (nints, ngroups) of one pixel; return them, the state, what was let go."""
    values = values.astype(float).copy()
    nints, ngroups = values.shape
    state, most = np.array(state, float), 0.0
    time = course.group_time
    for i in range(nints):
        slope, above = slope_and_full(values[i], flags[i], full)
        lit = until_full(slope, above, full) * time
        new = np.zeros(len(families))
        for f in range(len(families)):
            kind = one(families, f)
            rate = min(slope / (full * time), 1 / lit) if lit else 0
            new[f] = kind.at_once[0] if above[0] else caught(rate, lit, kind)
            if any(above):
                holds = kind.slow[0] + kind.at_once[0]
                rest = ngroups * time - lit
                new[f] += (holds - new[f]) * (1 - np.exp(-rest * kind.capture_rate[0]))
            new[f] += caught_from_hits(values[i], flags[i], above, slope, full, kind, time)
        state = state * np.exp(-families.decay_rate * course.resets[i])
        for g in range(ngroups):
            glow = np.sum(state * (1 - np.exp(-families.decay_rate * (g + 1) * time)))
            values[i, g] -= glow
            most = max(most, glow)
        state = state * np.exp(-families.decay_rate * ngroups * time)
        state = np.minimum(state + density * new, np.maximum(density * families.holds, state))
    return values, state, most


def afterglow(state, families, times, step=0.05):
    """Return DN let go until each of `times` (s), by small steps of time."""
    state, total, now, found = np.array(state, float), np.zeros(np.shape(state)[1:]), 0.0, []
    rate = families.decay_rate[:, None, None]
    for time in times:
        count = max(int(np.ceil((time - now) / step)), 1)
        for _ in range(count):
            # midpoint rule
            gone = rate * (state - 0.5 * rate * state * (time - now) / count) * (time - now) / count
            state = state - gone
            total = total + gone.sum(axis=0)
        now = time
        found.append(total)
    return np.array(found), state
