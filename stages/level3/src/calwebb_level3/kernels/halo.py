"""Peaks of sources, and what bright stars' diffraction patterns put at their places."""

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
