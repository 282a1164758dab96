"""Sums over circles with exact overlap, clipped medians of annuli."""

import math

import numpy as np
from numba import njit

from calwebb_core.science.kernels.order_statistics import clip_sorted, middle, moments


@njit(cache=True, nogil=True, error_model="numpy")
def subtract(data, err, mesh_rows, columns, out):
    """Subtract a background from data; NaN where data or error are unusable.

    Parameters
    ----------
    data, err : float32, (n, nx)
    mesh_rows : float64, (n, m); columns : float64, (m, nx)
        As `smoothing.prepare` takes them.
    out : float32, (n, nx)
    """
    n, nx = data.shape
    level = np.empty(nx)
    for y in range(n):
        level[:] = 0.0
        for node in range(len(columns)):
            value, share = mesh_rows[y, node], columns[node]
            for x in range(nx):
                level[x] += value * share[x]
        for x in range(nx):
            good = err[y, x] > 0 and np.isfinite(err[y, x]) and np.isfinite(data[y, x])
            out[y, x] = data[y, x] - np.float32(level[x]) if good else np.float32(np.nan)


@njit(cache=True, nogil=True, error_model="numpy")
def under_circle(x, radius):
    """Return the area under the quarter circle between 0 and x, both >= 0."""
    part = min(x / radius, 1.0)
    return 0.5 * radius * radius * (part * math.sqrt(1.0 - part * part) + math.asin(part))


@njit(cache=True, nogil=True, error_model="numpy")
def corner_area(x, y, radius):
    """Return the signed area of the circle within the rectangle from the centre to (x, y)."""
    sign = math.copysign(1.0, x) * math.copysign(1.0, y)
    a, b = min(abs(x), radius), min(abs(y), radius)
    if a * a + b * b <= radius * radius:
        return sign * a * b
    edge = math.sqrt(radius * radius - b * b)
    return sign * (b * edge + under_circle(a, radius) - under_circle(edge, radius))


@njit(cache=True, nogil=True, error_model="numpy")
def overlap(x, y, radius):
    """Return the part of a pixel centred on (x, y) that a circle about the origin covers."""
    far = math.hypot(abs(x) + 0.5, abs(y) + 0.5)
    if far <= radius:
        return 1.0
    near = math.hypot(max(abs(x) - 0.5, 0.0), max(abs(y) - 0.5, 0.0))
    if near >= radius:
        return 0.0
    left, right, low, high = x - 0.5, x + 0.5, y - 0.5, y + 0.5
    return (
        corner_area(right, high, radius)
        - corner_area(left, high, radius)
        - corner_area(right, low, radius)
        + corner_area(left, low, radius)
    )


@njit(cache=True, nogil=True, error_model="numpy")
def circle_sums(clean, err, top, places, radii, out):
    """Sum image and variance in circles about sources.

    Parameters
    ----------
    clean, err : float32, (n, nx)
        Rows of the image from `top` on; `clean` NaN where there are no data.
    top : int
    places : float64, (m, 2)
        x, y; not NaN.
    radii : float64, (k,)
    out : float64, (m, k, 3)
        Sum, sum of squared errors, area without data (beyond the edges too).
    """
    n, nx = clean.shape
    for i in range(len(places)):
        x0, y0 = places[i, 0], places[i, 1] - top
        for k in range(len(radii)):
            radius = radii[k]
            total, variance, lost = 0.0, 0.0, 0.0
            for y in range(math.floor(y0 - radius + 0.5), math.floor(y0 + radius + 0.5) + 1):
                for x in range(math.floor(x0 - radius + 0.5), math.floor(x0 + radius + 0.5) + 1):
                    share = overlap(x - x0, y - y0, radius)
                    if share <= 0:
                        continue
                    if y < 0 or x < 0 or y >= n or x >= nx or not np.isfinite(clean[y, x]):
                        lost += share
                        continue
                    total += share * clean[y, x]
                    variance += share * err[y, x] * err[y, x]
            out[i, k, 0], out[i, k, 1], out[i, k, 2] = total, variance, lost


@njit(cache=True, nogil=True, error_model="numpy")
def annulus_levels(clean, top, places, inner, outer, limit, rounds, out):
    """Return the clipped median of annuli about sources, and its error.

    Parameters
    ----------
    clean : float32, (n, nx)
        NaN where there are no data.
    top : int
        Row of the image that `clean` begins with.
    places : float64, (m, 2)
    inner, outer : float
        Radii; a pixel counts if its centre lies between them.
    limit, rounds : float, int
        Of the clipping.
    out : float64, (m, 2)
        0 where no pixel is left.
    """
    n, nx = clean.shape
    side = 2 * math.ceil(outer) + 3
    values = np.empty(side * side, np.float32)
    for i in range(len(places)):
        x0, y0 = places[i, 0], places[i, 1] - top
        count = 0
        for y in range(max(0, math.floor(y0 - outer)), min(n, math.ceil(y0 + outer) + 1)):
            for x in range(max(0, math.floor(x0 - outer)), min(nx, math.ceil(x0 + outer) + 1)):
                square = (x - x0) ** 2 + (y - y0) ** 2
                if inner * inner <= square < outer * outer and np.isfinite(clean[y, x]):
                    values[count] = clean[y, x]
                    count += 1
        out[i, 0], out[i, 1] = 0.0, 0.0
        if count == 0:
            continue
        values[:count].sort()
        start, stop = clip_sorted(values, count, limit, rounds)
        centre = middle(values, start, stop)
        shift, square = moments(values, start, stop, centre)
        scatter = math.sqrt(max(square - shift * shift, 0.0))
        out[i, 0] = centre
        # The median of normal deviates scatters by sqrt(pi / 2) more than their mean.
        out[i, 1] = math.sqrt(math.pi / 2.0) * scatter / math.sqrt(stop - start)
