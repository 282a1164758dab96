"""Places and shapes of sources from the pixels of their segments and from windows."""

import math

import numpy as np
from numba import njit


@njit(cache=True, nogil=True, error_model="numpy")
def segment_moments(places, labels, nx, filtered, clean, err, out):
    """Sum over the pixels of segments.

    Parameters
    ----------
    places : int64, (n,)
        Flat indices.
    labels : int32, (n,)
        From 1 on.
    nx : int
    filtered : float32, (n,)
        Weights of the moments; negative ones count as 0.
    clean, err : float32, (n,)
        NaN where there are no data.
    out : float64, (count, 12), zeros
        x, y, variance along x, covariance, variance along y (of `filtered`), sum and sum of
        squared errors (of `clean`), number of pixels, first and last x, first and last y.
    """
    weight = np.zeros(len(out))
    out[:, 8], out[:, 10] = nx, places[-1] // nx + 1
    out[:, 9], out[:, 11] = -1, -1
    for i in range(len(places)):
        row = out[labels[i] - 1]
        x, y = float(places[i] % nx), float(places[i] // nx)
        share = max(filtered[i], np.float32(0))
        weight[labels[i] - 1] += share
        row[0] += share * x
        row[1] += share * y
        if np.isfinite(clean[i]):
            row[5] += clean[i]
            row[6] += err[i] * err[i]
            row[7] += 1
        row[8], row[9] = min(row[8], x), max(row[9], x)
        row[10], row[11] = min(row[10], y), max(row[11], y)
    for k in range(len(out)):
        out[k, 0] /= weight[k]
        out[k, 1] /= weight[k]
    for i in range(len(places)):
        row = out[labels[i] - 1]
        share = max(filtered[i], np.float32(0)) / weight[labels[i] - 1]
        dx, dy = places[i] % nx - row[0], places[i] // nx - row[1]
        row[2] += share * dx * dx
        row[3] += share * dx * dy
        row[4] += share * dy * dy


@njit(cache=True, nogil=True, error_model="numpy")
def windowed(clean, top, starts, levels, sigma, limit, out):
    """Find the centroids of sources in a Gaussian window that moves with them.

    Each step moves the window by twice the weighted mean offset, as for a source of the
    window's width (the XWIN_IMAGE of SExtractor).

    Parameters
    ----------
    clean : float32, (n, nx)
        NaN where there are no data.
    top : int
        Row of the image that `clean` begins with.
    starts : float64, (m, 2)
        x, y.
    levels : float64, (m,)
        Local sky.
    sigma : float
        Width of the window, pixels.
    limit : float
        Farthest a source may move, pixels.
    out : float64, (m, 2)
        NaN where a pixel in the middle of the window has no data, or it runs away.
    """
    n, nx = clean.shape
    for i in range(len(starts)):
        x0, y0 = starts[i, 0], starts[i, 1] - top
        reach = 4.0 * sigma
        good = True
        for _ in range(20):
            weight, sum_x, sum_y = 0.0, 0.0, 0.0
            for y in range(max(0, math.ceil(y0 - reach)), min(n, math.floor(y0 + reach) + 1)):
                for x in range(max(0, math.ceil(x0 - reach)), min(nx, math.floor(x0 + reach) + 1)):
                    dx, dy = x - x0, y - y0
                    square = dx * dx + dy * dy
                    if square > reach * reach:
                        continue
                    value = clean[y, x]
                    if not np.isfinite(value):
                        good = good and square > 2.25 * sigma * sigma
                        continue
                    share = (value - levels[i]) * math.exp(-0.5 * square / (sigma * sigma))
                    weight += share
                    sum_x += share * dx
                    sum_y += share * dy
            if not (good and weight > 0):
                good = False
                break
            step_x, step_y = 2.0 * sum_x / weight, 2.0 * sum_y / weight
            x0 += step_x
            y0 += step_y
            if math.hypot(x0 - starts[i, 0], y0 + top - starts[i, 1]) > limit:
                good = False
                break
            if math.hypot(step_x, step_y) < 1e-4:
                break
        out[i, 0] = x0 if good else np.nan
        out[i, 1] = y0 + top if good else np.nan


@njit(cache=True, nogil=True, error_model="numpy")
def nearest(places, order, index, distance):
    """Find the nearest other source of each.

    Parameters
    ----------
    places : float64, (n, 2)
        x, y; not NaN.
    order : int64, (n,)
        Sources by y.
    index : int64, (n,)
        -1 for a lonely one; of several at the same distance the first one.
    distance : float64, (n,)
    """
    n = len(places)
    for rank in range(n):
        i = order[rank]
        best, which = np.inf, -1
        for direction in (-1, 1):
            other = rank + direction
            while 0 <= other < n:
                j = order[other]
                dy = places[j, 1] - places[i, 1]
                if dy * dy > best:
                    break
                square = dy * dy + (places[j, 0] - places[i, 0]) ** 2
                if square < best or (square == best and j < which):
                    best, which = square, j
                other += direction
        index[i] = which
        distance[i] = math.sqrt(best) if which >= 0 else np.nan
