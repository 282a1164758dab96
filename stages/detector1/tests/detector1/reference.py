"""The same formulas in plain numpy and Python, slow and independent of the kernels."""

import numpy as np

EXPONENTS = [(5, 0.0), (10, 0.4), (20, 1.0), (50, 3.0), (100, 6.0), (np.inf, 10.0)]


def segments(flags):
    """Return (start, end) of the segments of one ramp."""
    found, start = [], None
    for g, flag in enumerate(flags):
        if flag == 0:
            if start is None:
                start = g - 1 if g > 0 and flags[g - 1] == 4 else g
        elif start is not None:
            found.append((start, g))
            start = None
    if start is not None:
        found.append((start, len(flags)))
    longest = max((b - a for a, b in found), default=0)
    return [s for s in found if s[1] - s[0] > 1] if longest > 1 else found[:1]


def segment_slope(y, gain, sigma):
    """Return the slope of a segment in DN a group by a weighted polynomial fit."""
    n = len(y)
    if n == 2:
        return y[1] - y[0]
    signal = (y[-1] - y[0]) * gain
    variance = sigma**2 + signal
    snr = signal / np.sqrt(variance) if variance > 0 else 0
    power = next(p for limit, p in EXPONENTS if snr < limit)
    x = np.arange(n, dtype=float)
    weight = np.abs((x - x.mean()) / x.mean()) ** power
    mean_x, mean_y = np.average(x, weights=weight), np.average(y, weights=weight)
    return np.sum(weight * (x - mean_x) * (y - mean_y)) / np.sum(weight * (x - mean_x) ** 2)


def fit_pixel(y, flags, gain, sigma, time, dark=0.0):
    """Return slope, err, var_poisson, var_rnoise over all integrations of one pixel."""
    medians = []
    for ramp, flag in zip(y, flags, strict=True):
        good = (flag & 3) == 0
        usable = good[1:] & good[:-1] & (flag[1:] & 4 == 0)
        steps = np.diff(ramp)[usable]
        medians.append(np.median(steps) if len(steps) else (ramp[0] if good[0] else 0))
    rate = max(np.mean(medians) / time, 0) + dark
    slopes, weights_r, weights_p = 0.0, 0.0, 0.0
    for ramp, flag in zip(y, flags, strict=True):
        if np.count_nonzero(flag == 0) == 1:
            continue
        for start, end in segments(flag):
            n = end - start
            slope = segment_slope(ramp[start:end], gain, sigma) / time
            var_r = 12 * (sigma / time / gain) ** 2 / (n**3 - n)
            slopes += slope / var_r
            weights_r += 1 / var_r
            weights_p += time * gain * (n - 1) / rate if rate > 0 else 0
    if weights_r == 0:
        return np.nan, 0, 0, 0
    var_r, var_p = 1 / weights_r, 1 / weights_p if weights_p else 0
    return slopes * var_r, np.sqrt(var_r + var_p), var_p, var_r


def jumps_one_by_one(y, flags, gain, variance, thresholds=(4, 5, 6)):
    """Return which groups of a pixel (nints, ngroups) are hit, found one after the other."""
    bad = (flags & 3) != 0
    electrons = np.where(bad, np.nan, y * gain)
    steps = np.abs(np.diff(electrons, axis=1))
    hit = np.zeros(y.shape, bool)
    while True:
        n = np.count_nonzero(np.isfinite(steps))
        if n < 2:
            return hit
        values = np.sort(steps[np.isfinite(steps)])
        level = np.median(values[values < values[-1]]) if n >= 4 else values[1 if n == 3 else 0]
        ratio = np.abs(steps - level) / np.sqrt(abs(level) + variance)
        largest = np.nanmax(ratio)
        if not largest > thresholds[max(0, 4 - n)]:
            return hit
        hit[:, 1:] |= ratio == largest
        steps[ratio == largest] = np.nan


def jumps_at_once(y, flags, gain, variance, threshold=4):
    """Return which groups of a pixel are hit, all from one median."""
    bad = (flags & 3) != 0
    steps = np.diff(np.where(bad, np.nan, y * gain), axis=1)
    hit = np.zeros(y.shape, bool)
    if np.isfinite(steps).any():
        level = np.nanmedian(steps)
        with np.errstate(invalid="ignore"):
            hit[:, 1:] = np.abs(steps - level) / np.sqrt(abs(level) + variance) > threshold
    return hit


def clipped_mean(values, limit=3.0):
    """Return the mean of what stays within `limit` sigma."""
    values = np.asarray(values, np.float64)
    while True:
        kept = values[np.abs(values - values.mean()) <= limit * values.std()]
        if len(kept) in (len(values), 0):
            return values.mean()
        values = kept
