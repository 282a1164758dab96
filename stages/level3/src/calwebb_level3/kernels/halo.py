"""Peaks of sources, and what bright stars' diffraction patterns put at their places."""

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def brightest_pixels(labels, values, out):
    """Find the first of the brightest pixels of each source.

    Parameters
    ----------
    labels : int32, (n,)
        From 1 on.
    values : float32, (n,)
    out : int64, (count,)
        Positions in `labels`.
    """
    out[:] = -1
    for i in range(len(labels)):
        best = out[labels[i] - 1]
        if best < 0 or values[i] > values[best]:
            out[labels[i] - 1] = i


@njit(cache=True, nogil=True)
def halo_light(x, y, heights, noise, stars, amplitudes, pattern, light, giver):
    """Sum the light of brighter stars at the peaks of sources.

    Parameters
    ----------
    x, y : int64, (n,)
        Peaks.
    heights, noise : float32, (n,)
        Of the peaks.
    stars : int64, (m,)
        Which sources are bright stars.
    amplitudes : float64, (m,)
        Their heights as told by their surroundings.
    pattern : float32, (2 reach + 1, 2 reach + 1)
        What a star of height 1 puts around it.
    light : float64, (n,)
    giver : int64, (n,)
        Star that gives most; -1 if there is none.
    """
    reach = len(pattern) // 2
    for j in range(len(x)):
        light[j], giver[j], most = 0.0, -1, 0.0
        for k in range(len(stars)):
            i = stars[k]
            dx, dy = x[j] - x[i], y[j] - y[i]
            if i == j or abs(dx) > reach or abs(dy) > reach or amplitudes[k] <= heights[j]:
                continue
            share = 0.0
            # The pattern is known to a pixel: stars lie anywhere within theirs.
            for v in range(max(0, reach + dy - 1), min(len(pattern), reach + dy + 2)):
                for u in range(max(0, reach + dx - 1), min(len(pattern), reach + dx + 2)):
                    share = max(share, pattern[v, u])
            share *= amplitudes[k]
            # Scraps of many stars' patterns would add up to something.
            if share < 0.5 * noise[j]:
                continue
            light[j] += share
            if share > most:
                most, giver[j] = share, i


@njit(cache=True, nogil=True, error_model="numpy")
def turned_quantile(squares, weights, quantile, near, out):
    """Find the lower weighted quantile over squares and the same turned by half a turn.

    Parameters
    ----------
    squares : float32, (n, side, side)
        NaN where nothing is known.
    weights : float64, (n,)
        The squares are divided by them, too.
    quantile : float
    near : int
        Farther than this from the centre along an axis at least half of the weight must be known.
    out : float32, (side, side)
        0 where nothing is known, or less than that.
    """
    n, side, _ = squares.shape
    enough = np.sum(weights)
    values, shares = np.empty(2 * n), np.empty(2 * n)
    out[:] = np.float32(0)
    # The values at a place and opposite to it are the same.
    for y in range(side // 2 + 1):
        for x in range(side):
            count, total = 0, 0.0
            for k in range(2 * n):
                i = k // 2
                if k % 2 == 0:
                    value = squares[i, y, x] / weights[i]
                else:
                    value = squares[i, side - 1 - y, side - 1 - x] / weights[i]
                if not np.isfinite(value):
                    continue
                place = count
                while place > 0 and values[place - 1] > value:
                    values[place], shares[place] = values[place - 1], shares[place - 1]
                    place -= 1
                values[place], shares[place] = value, weights[i]
                count += 1
                total += weights[i]
            if max(abs(y - side // 2), abs(x - side // 2)) > near and total < enough:
                continue
            below = 0.0
            for k in range(count):
                below += shares[k]
                if below >= quantile * total:
                    out[y, x] = out[side - 1 - y, side - 1 - x] = max(values[k], 0.0)
                    break
