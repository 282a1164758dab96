"""Loops of skymatch: pixels into the cells of a grid on the sky, and two exposures cell by cell."""

import math

import numpy as np
from numba import njit

from calwebb_core.science.kernels.order_statistics import median_of

MEAN, MEDIAN, MIDPT, MODE = range(4)
# Cells of two exposures that differ by more than this many deviations share something else.
DIFFERENCE_LIMIT = 3.5
MOST_ROUNDS = 10
SAMPLE = 2001  # cells that the first guess of a difference is made from


@njit(cache=True, nogil=True, error_model="numpy")
def collect(data, dq, bits, limits, nodes, step, box, values, counts):
    """Sort the good pixels of an image into cells.

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
    values : float32, (ncv, ncu, capacity)
        Written: the pixels of each cell.
    counts : int32, (ncv, ncu)
        Zero; written: how many there are.
    """
    ncv, ncu, capacity = values.shape
    nkx = nodes.shape[2]
    u, v = np.empty(nkx), np.empty(nkx)
    first_segment, last_segment = box[2] // step, (box[3] - 1) // step
    for y in range(box[0], box[1]):
        k, part = y // step, (y % step) / step
        for i in range(nkx):
            u[i] = nodes[0, k, i] + part * (nodes[0, k + 1, i] - nodes[0, k, i])
            v[i] = nodes[1, k, i] + part * (nodes[1, k + 1, i] - nodes[1, k, i])
        for segment in range(first_segment, last_segment + 1):
            du, dv = (u[segment + 1] - u[segment]) / step, (v[segment + 1] - v[segment]) / step
            start = segment * step
            for x in range(max(start, box[2]), min(start + step, box[3])):
                value = data[y, x]
                # NaN fails both
                if not (value >= limits[0] and value <= limits[1]):
                    continue
                if dq.size > 0 and (dq[y, x] & bits) != 0:
                    continue
                column = int(u[segment] + (x - start) * du)
                row = int(v[segment] + (x - start) * dv)
                if row < ncv and column < ncu:
                    place = counts[row, column]
                    if place < capacity:
                        values[row, column, place] = value
                        counts[row, column] = place + 1


@njit(cache=True, nogil=True, error_model="numpy")
def scatter_of(values, n):
    """Return mean and standard deviation of the first n > 0 values."""
    origin = float(values[0])
    total = square = 0.0
    for i in range(n):
        difference = values[i] - origin
        total += difference
        square += difference * difference
    mean = total / n
    return origin + mean, math.sqrt(max(square / n - mean * mean, 0.0))


@njit(cache=True, nogil=True, error_model="numpy")
def keep_between(values, n, low, high):
    """Move the values within limits to the front; return how many they are."""
    kept = 0
    for i in range(n):
        value = values[i]
        values[kept] = value
        kept += 1 if low <= value <= high else 0
    return kept


@njit(cache=True, nogil=True, error_model="numpy")
def peak_of(values, n, width, histogram):
    """Return the peak of the histogram, by a parabola through the bins around the highest one."""
    low = high = values[0]
    for i in range(n):
        low, high = min(low, values[i]), max(high, values[i])
    bins = min(len(histogram), int((high - low) / width) + 1)
    histogram[:bins] = 0
    for i in range(n):
        histogram[min(bins - 1, int((values[i] - low) / width))] += 1
    peak = 0
    for i in range(bins):
        if histogram[i] > histogram[peak]:
            peak = i
    half = min(5, peak, bins - 1 - peak)
    if half < 1:
        return low + width * (peak + 0.5)
    # least squares on -half .. half
    s1 = s2 = s4 = c0 = c1 = c2 = 0.0
    for t in range(-half, half + 1):
        count = histogram[peak + t]
        s1 += 1
        s2 += t * t
        s4 += t**4
        c0 += count
        c1 += count * t
        c2 += count * t * t
    bend = (s1 * c2 - s2 * c0) / (s1 * s4 - s2 * s2)
    shift = -c1 / s2 / (2 * bend) if bend < 0 else 0.0
    return low + width * (peak + 0.5 + min(max(shift, -5.0), 5.0))


@njit(cache=True, nogil=True, error_model="numpy")
def reduce_cells(values, counts, least, kind, nclip, clip, binwidth, levels, scatter):
    """Measure the level of each cell after sigma clipping.

    Parameters
    ----------
    values : float32, (ncv, ncu, capacity)
        From `collect`; their order changes.
    counts : int32, (ncv, ncu)
        From `collect`; then how many pixels survived.
    least : int
        Cells with fewer pixels have no level.
    kind : int
        MEAN, MEDIAN, MIDPT or MODE.
    nclip : int
    clip : float64, (2,)
        Limits below and above the mean in standard deviations.
    binwidth : float
        Bins of the mode in standard deviations.
    levels, scatter : float32, (ncv, ncu)
        Written; NaN without level.
    """
    histogram = np.empty(4096, np.int64)
    for row in range(counts.shape[0]):
        for column in range(counts.shape[1]):
            cell, n = values[row, column], counts[row, column]
            levels[row, column] = scatter[row, column] = np.nan
            if n < least:
                counts[row, column] = 0
                continue
            mean, sigma = scatter_of(cell, n)
            for _ in range(nclip):
                kept = keep_between(cell, n, mean - clip[0] * sigma, mean + clip[1] * sigma)
                if kept == n or kept == 0:
                    break
                n = kept
                mean, sigma = scatter_of(cell, n)
            level = mean
            if kind == MEDIAN:
                level = float(median_of(cell, n))
            elif kind == MIDPT:
                level = 3.0 * float(median_of(cell, n)) - 2.0 * mean
            elif kind == MODE and sigma > 0:
                level = peak_of(cell, n, binwidth * sigma, histogram)
            counts[row, column] = n
            levels[row, column], scatter[row, column] = level, sigma


@njit(cache=True, nogil=True, error_model="numpy")
def median_and_spread(values, sample):
    """Return the median of values and 1.48 times their median deviation, from a sample of them."""
    n = 0
    stride = (len(values) + SAMPLE - 1) // SAMPLE
    for i in range(0, len(values), stride):
        sample[n] = values[i]
        n += 1
    centre = float(median_of(sample, n))
    for i in range(n):
        sample[i] = abs(sample[i] - np.float32(centre))
    return centre, 1.4826 * float(median_of(sample, n))


@njit(cache=True, nogil=True, error_model="numpy")
def compare(first, second, difference, weight, sample):
    """Return by how much the second exposure's cells are brighter than the first's.

    The same stars are in both, so they cancel cell by cell; cells with something that only one
    of them has are clipped.

    Parameters
    ----------
    first, second : (levels, counts, variance of a pixel)
        float32 and int32 of the same shape: the cells that both may have.
    difference, weight : float32, (n,)
        Scratch for all cells.
    sample : float32, (SAMPLE,)
        Scratch.

    Returns
    -------
    float, float
        Difference and its inverse variance, 0 if there is no cell in common.
    """
    n = 0
    for row in range(first[0].shape[0]):
        for column in range(first[0].shape[1]):
            a, b = first[1][row, column], second[1][row, column]
            if a > 0 and b > 0:
                difference[n] = second[0][row, column] - first[0][row, column]
                weight[n] = 1.0 / (first[2] / a + second[2] / b)
                n += 1
    if n == 0:
        return 0.0, 0.0
    centre, spread = median_and_spread(difference[:n], sample)
    total = 0.0
    for _ in range(MOST_ROUNDS):
        limit = DIFFERENCE_LIMIT * spread
        total = mean = square = 0.0
        for i in range(n):
            d = difference[i] - centre
            w = weight[i] if abs(d) <= limit else np.float32(0)
            total += w
            mean += w * d
            square += w * d * d
        mean /= total
        centre += mean
        previous, spread = spread, math.sqrt(max(square / total - mean * mean, 0.0))
        if abs(spread - previous) <= 1e-3 * previous:
            break
    return centre, total
