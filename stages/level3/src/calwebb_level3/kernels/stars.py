"""Loops of the star finder: levels of boxes, matched filter, local maxima."""

import math

import numpy as np
from numba import njit

from calwebb_core.science.kernels.order_statistics import select

CLIP = 3.0
CLIPPINGS = 10


@njit(cache=True, nogil=True, error_model="numpy")
def clipped_level(values, n):
    """Return median and standard deviation of the first n values without outliers.

    Values further than three standard deviations from the median are left out, again and again
    until none is.

    Parameters
    ----------
    values : float32, (at least n,)
        Overwritten.
    n : int
        At least 1.
    """
    level, scatter = 0.0, 0.0
    for iteration in range(CLIPPINGS + 1):
        half = n // 2
        level = np.float64(select(values, n, half))
        if n % 2 == 0:
            below = values[0]
            for i in range(1, half):
                below = max(below, values[i])
            level = 0.5 * (level + below)
        total, square = 0.0, 0.0
        for i in range(n):
            difference = values[i] - level
            total += difference
            square += difference * difference
        scatter = math.sqrt(max(0.0, square / n - (total / n) ** 2))
        kept = 0
        for i in range(n):
            if abs(values[i] - level) <= CLIP * scatter:
                values[kept] = values[i]
                kept += 1
        if kept == n or kept == 0 or iteration == CLIPPINGS:
            break
        n = kept
    return level, scatter


@njit(cache=True, nogil=True, error_model="numpy")
def box_levels(data, bad, side, stride, least, levels, noises):
    """Measure level and noise of boxes.

    Parameters
    ----------
    data : float32, (ny, nx)
    bad : bool, (ny, nx)
    side : int
        Of a box; those at the upper edges may be cut.
    stride : int
        Of the pixels that are looked at, along both axes.
    least : float
        Fraction of a whole box's pixels that must be good.
    levels, noises : float64, (my, mx)
        Out; NaN for boxes with too few good pixels.
    """
    ny, nx = data.shape
    steps = (side + stride - 1) // stride
    values = np.empty(steps * steps, np.float32)
    for j in range(levels.shape[0]):
        for i in range(levels.shape[1]):
            n = 0
            for y in range(j * side, min(ny, (j + 1) * side), stride):
                for x in range(i * side, min(nx, (i + 1) * side), stride):
                    if not bad[y, x]:
                        values[n] = data[y, x]
                        n += 1
            if n > least * values.size:
                levels[j, i], noises[j, i] = clipped_level(values, n)
            else:
                levels[j, i] = np.nan
                noises[j, i] = np.nan


@njit(cache=True, nogil=True, error_model="numpy")
def subtract_rows(data, bad, rows, columns):
    """Subtract a separable surface; bad pixels become 0.

    Parameters
    ----------
    data : float32, (ny, nx)
        Changed in place.
    bad : bool, (ny, nx)
    rows : float32, (ny, m)
        The surface at the nodes of x, for each row.
    columns : float32, (m, nx)
        Weights of the nodes.
    """
    ny, nx = data.shape
    level = np.empty(nx, np.float32)
    for y in range(ny):
        level[:] = 0
        for k in range(rows.shape[1]):
            factor = rows[y, k]
            if factor != 0:
                weights = columns[k]
                for x in range(nx):
                    level[x] += factor * weights[x]
        values, out = data[y], bad[y]
        for x in range(nx):
            values[x] = np.float32(0) if out[x] else values[x] - level[x]


@njit(cache=True, nogil=True, error_model="numpy")
def correlate_row(data, y, kernel, line):
    """Correlate one row of an image, zero beyond its edges, with a kernel.

    Parameters
    ----------
    data : float32, (ny, nx)
    y : int
    kernel : float32, (2 ry + 1, 2 rx + 1)
    line : float32, (nx,)
        Out.
    """
    ny, nx = data.shape
    ry, rx = kernel.shape[0] // 2, kernel.shape[1] // 2
    line[:] = 0
    for j in range(kernel.shape[0]):
        v = y + j - ry
        if v < 0 or v >= ny:
            continue
        for i in range(kernel.shape[1]):
            factor = kernel[j, i]
            if factor == 0:
                continue
            shift = i - rx
            first, last = max(0, -shift), min(nx, nx - shift)
            if last > first:
                source, target = data[v, first + shift : last + shift], line[first:last]
                for x in range(last - first):
                    target[x] += factor * source[x]


@njit(cache=True, nogil=True, error_model="numpy")
def correlate(data, kernel, out):
    """Correlate an image, zero beyond its edges, with a kernel: `correlate_row` for all rows."""
    for y in range(data.shape[0]):
        correlate_row(data, y, kernel, out[y])


@njit(cache=True, nogil=True, error_model="numpy")
def local_maxima(image, bad, threshold, reach, peaks):
    """Find good pixels above a threshold that no pixel around exceeds.

    Parameters
    ----------
    image : float32, (ny, nx)
    bad : bool, (ny, nx)
    threshold : float32
    reach : int64, (n, 2)
        Steps in y and x that count as around.
    peaks : int64, (m, 2)
        Out: x, y, as many as there is room for.

    Returns
    -------
    int
        How many there are, also beyond the room.
    """
    ny, nx = image.shape
    count = 0
    for y in range(ny):
        row = image[y]
        for x in range(nx):
            if row[x] > threshold and not bad[y, x] and is_highest(image, y, x, reach):
                if count < peaks.shape[0]:
                    peaks[count, 0] = x
                    peaks[count, 1] = y
                count += 1
    return count


@njit(cache=True, nogil=True, error_model="numpy")
def is_highest(image, y, x, reach):
    """Say whether no pixel around exceeds this one."""
    ny, nx = image.shape
    value = image[y, x]
    for k in range(reach.shape[0]):
        v, u = y + reach[k, 0], x + reach[k, 1]
        if 0 <= v < ny and 0 <= u < nx and image[v, u] > value:
            return False
    return True
