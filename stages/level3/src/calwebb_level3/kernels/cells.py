"""Loops of skymatch: pixels into the cells of a grid on the sky, and two exposures cell by cell."""

import math

import numpy as np
from numba import njit

from calwebb_core.science.kernels.order_statistics import median_of

MEAN, MEDIAN, MIDPT, MODE = range(4)
SAMPLE = 2001  # values that the first guess of a level is made from
BINS = 4096


@njit(cache=True, nogil=True, error_model="numpy")
def collect(data, dq, bits, limits, nodes, step, box, sums, counts):
    """Add the good pixels of an image to cells.

    Parameters
    ----------
    data : float32, (ny, nx)
    dq : uint32, (ny, nx), or of size 0
    bits : uint32
        Flags that exclude a pixel.
    limits : float32, (2,)
        Least and greatest value that counts.
    nodes : float64, (2, nky, nkx)
        Cell coordinates u, v, positive, of the pixels 0, step, 2 step, ...; beyond the last
        pixel on both axes.
    step : int
    box : int64, (4,)
        First and last + 1 row and column of the image that count.
    sums : float32, (ncv, ncu)
        Added to.
    counts : int16, (ncv, ncu)
        Added to.
    """
    nkx = nodes.shape[2]
    u, v = np.empty(nkx), np.empty(nkx)
    for y in range(box[0], box[1]):
        k, part = y // step, (y % step) / step
        for i in range(nkx):
            u[i] = nodes[0, k, i] + part * (nodes[0, k + 1, i] - nodes[0, k, i])
            v[i] = nodes[1, k, i] + part * (nodes[1, k + 1, i] - nodes[1, k, i])
        for segment in range(box[2] // step, (box[3] - 1) // step + 1):
            du, dv = (u[segment + 1] - u[segment]) / step, (v[segment + 1] - v[segment]) / step
            start = segment * step
            for x in range(max(start, box[2]), min(start + step, box[3])):
                value = data[y, x]
                # NaN fails both
                good = limits[0] <= value <= limits[1]
                if dq.size > 0:
                    good &= (dq[y, x] & bits) == 0
                if good:
                    row, column = (
                        int(v[segment] + (x - start) * dv),
                        int(u[segment] + (x - start) * du),
                    )
                    sums[row, column] += value
                    counts[row, column] += 1


@njit(cache=True, nogil=True, error_model="numpy")
def average(sums, counts, least):
    """Turn sums into means in place; cells of fewer pixels than `least` get none at all."""
    for row in range(sums.shape[0]):
        for column in range(sums.shape[1]):
            if counts[row, column] < least:
                counts[row, column] = 0
                sums[row, column] = np.nan
            else:
                sums[row, column] /= np.float32(counts[row, column])


@njit(cache=True, nogil=True, error_model="numpy")
def roughness(levels, counts):
    """Return the variance of a pixel, from the differences of neighbouring cells."""
    found = np.empty(SAMPLE, np.float32)
    ncv, ncu = levels.shape
    stride = max(1, ncv * (ncu - 1) // (4 * SAMPLE))
    n = 0
    for i in range(0, ncv * (ncu - 1), stride):
        row, column = i // (ncu - 1), i % (ncu - 1)
        a, b = counts[row, column], counts[row, column + 1]
        if a > 0 and b > 0 and n < SAMPLE:
            scale = np.float32(math.sqrt(1.0 / (1.0 / a + 1.0 / b)))
            found[n] = abs(levels[row, column + 1] - levels[row, column]) * scale
            n += 1
    return (1.4826 * float(median_of(found, n))) ** 2 if n else 1.0


@njit(cache=True, nogil=True, error_model="numpy")
def differences(first, second, difference, weight):
    """Write by how much the second exposure is brighter in each cell that both have.

    Parameters
    ----------
    first, second : (levels, counts, variance of a pixel)
        float32 and int16 of the same shape, float: the cells that both may have.
    difference, weight : float32, (n,)
        Written.

    Returns
    -------
    int
        How many there are.
    """
    n = 0
    for row in range(first[0].shape[0]):
        for column in range(first[0].shape[1]):
            a, b = first[1][row, column], second[1][row, column]
            if a > 0 and b > 0:
                difference[n] = second[0][row, column] - first[0][row, column]
                weight[n] = 1.0 / (first[2] / a + second[2] / b)
                n += 1
    return n


@njit(cache=True, nogil=True, error_model="numpy")
def guess(values, sample):
    """Return the median of values and 1.48 times their median deviation, from a sample of them."""
    n = 0
    for i in range(0, len(values), (len(values) + SAMPLE - 1) // SAMPLE):
        sample[n] = values[i]
        n += 1
    centre = float(median_of(sample, n))
    for i in range(n):
        sample[i] = abs(sample[i] - np.float32(centre))
    return centre, 1.4826 * float(median_of(sample, n))


@njit(cache=True, nogil=True, error_model="numpy")
def weighted_moments(values, weights, low, high, origin):
    """Return sum of weights, mean and deviation of the values within limits."""
    total = mean = square = 0.0
    for i in range(len(values)):
        d = values[i] - origin
        w = float(weights[i]) if low <= values[i] <= high else 0.0
        total += w
        mean += w * d
        square += w * d * d
    mean /= total
    return total, origin + mean, math.sqrt(max(square / total - mean * mean, 0.0))


@njit(cache=True, nogil=True, error_model="numpy")
def balance(values, low, high, middle):
    """Return how many more of the values within limits are below a value than above it."""
    difference = 0
    for i in range(len(values)):
        difference += (low <= values[i] < middle) - (middle < values[i] <= high)
    return difference


@njit(cache=True, nogil=True, error_model="numpy")
def bisected_median(values, low, high, near, mean, sigma):
    """Return the median of the values within limits to 1e-4 of their standard deviation.

    It is never farther than that from the mean, and most often near a value known. Counting is
    several times faster than sorting.
    """
    left, right = near - 0.15 * sigma, near + 0.15 * sigma
    if balance(values, low, high, left) > 0 or balance(values, low, high, right) < 0:
        left, right = mean - 1.1 * sigma, mean + 1.1 * sigma
    for _ in range(16):
        middle = 0.5 * (left + right)
        if right - left <= 1e-4 * sigma:
            break
        surplus = balance(values, low, high, middle)
        if surplus == 0:
            return middle
        if surplus > 0:
            right = middle
        else:
            left = middle
    return 0.5 * (left + right)


@njit(cache=True, nogil=True, error_model="numpy")
def peak(values, low, high, width, histogram):
    """Return the peak of the histogram, by a parabola through the bins around the highest one."""
    bins = min(BINS, int((high - low) / width) + 1)
    histogram[:bins] = 0
    for i in range(len(values)):
        if low <= values[i] <= high:
            histogram[min(bins - 1, int((values[i] - low) / width))] += 1
    top = 0
    for i in range(bins):
        if histogram[i] > histogram[top]:
            top = i
    half = min(5, top, bins - 1 - top)
    if half < 1:
        return low + width * (top + 0.5)
    # least squares on -half ... half
    s2 = s4 = c0 = c1 = c2 = 0.0
    for t in range(-half, half + 1):
        count = histogram[top + t]
        s2 += t * t
        s4 += t**4
        c0 += count
        c1 += count * t
        c2 += count * t * t
    s0 = 2.0 * half + 1.0
    bend = (s0 * c2 - s2 * c0) / (s0 * s4 - s2 * s2)
    shift = -c1 / s2 / (2.0 * bend) if bend < 0 else 0.0
    return low + width * (top + 0.5 + min(max(shift, -5.0), 5.0))


@njit(cache=True, nogil=True, error_model="numpy")
def level(values, weights, kind, nclip, clip, binwidth, sample, histogram):
    """Measure the level of some values after sigma clipping.

    Parameters
    ----------
    values, weights : float32, (n,)
        n > 0.
    kind : int
        MEAN, MEDIAN, MIDPT or MODE; only the mean is weighted.
    nclip : int
    clip : float64, (2,)
        Limits below and above in standard deviations.
    binwidth : float
        Bins of the mode in standard deviations.
    sample : float32, (SAMPLE,)
    histogram : int64, (BINS,)
        Scratch.

    Returns
    -------
    float, float
        Level, and the sum of the weights that count.
    """
    low, high = -np.inf, np.inf
    first, sigma = guess(values, sample)
    centre = first
    total, mean, spread = weighted_moments(values, weights, low, high, centre)
    if nclip and sigma == 0:
        sigma = spread
    for _ in range(nclip):
        limits = centre - clip[0] * sigma, centre + clip[1] * sigma
        if limits[0] == low and limits[1] == high:
            break
        low, high = limits
        previous = total
        total, mean, spread = weighted_moments(values, weights, low, high, centre)
        centre, sigma = mean, spread
        if total == previous:
            break
    result = mean
    if kind == MEDIAN:
        result = bisected_median(values, low, high, first, mean, spread)
    elif kind == MIDPT:
        result = 3.0 * bisected_median(values, low, high, first, mean, spread) - 2.0 * mean
    elif kind == MODE and spread > 0:
        edge = 0.5 * BINS * binwidth * spread
        low, high = max(low, mean - edge), min(high, mean + edge)
        result = peak(values, low, high, binwidth * spread, histogram)
    return result, total
