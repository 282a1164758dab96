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


def rise(values, flags, full, first):
    """Return the slope in DN a group, when the pixel is full (groups), and which groups are."""
    ngroups, bad = len(values), DO_NOT_USE | SATURATED
    above = [bool(values[g] >= full) and flags[g] & bad != DO_NOT_USE for g in range(ngroups)]
    good = [not flags[g] & bad and values[g] < full for g in range(ngroups)]
    pairs = [
        float(values[g]) - float(values[g - 1])
        for g in range(1, ngroups)
        if good[g] and good[g - 1] and not flags[g] & JUMP_DET
    ]
    alone = float(values[0]) / first if flags[0] & bad != DO_NOT_USE else 0.0
    slope = max(sum(pairs) / len(pairs) if pairs else alone, 0.0)
    end = above.index(True) if any(above) else ngroups
    not_yet = max([first + g for g in range(end) if good[g]], default=0.0)
    when = max(full / slope if slope > 0 else np.inf, not_yet)
    return slope, min(when, first + end) if any(above) else when, above


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
        slope, when, above = rise(values[i], flags[i], full, course.first / time)
        lit = min(when * time, course.length)
        new = np.zeros(len(families))
        for f in range(len(families)):
            kind = one(families, f)
            is_full = when * time < course.length
            new[f] = caught(1 / lit if is_full else slope / (full * time), lit, kind)
            if is_full:
                holds = kind.slow[0] + kind.at_once[0]
                rest = course.length - lit
                new[f] += (holds - new[f]) * (1 - np.exp(-rest * kind.capture_rate[0]))
            new[f] += caught_from_hits(values[i], flags[i], above, slope, full, kind, time)
        state = state * np.exp(-families.decay_rate * course.resets[i])
        for g in range(ngroups):
            glow = np.sum(state * (1 - np.exp(-families.decay_rate * (course.first + g * time))))
            values[i, g] -= glow
            most = max(most, glow)
        state = state * np.exp(-families.decay_rate * course.length)
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
