"""Separate touching sources: a watershed from the peaks down, with merging of weak peaks."""

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def root_of(parent, label):
    """Return the peak that a label has been merged into."""
    while parent[label] != label:
        label = parent[label]
    return label


@njit(cache=True, nogil=True)
def strong(count, flux, height, level, limits):
    """Say whether a peak stands out above the saddle to its neighbour by size, flux and noise.

    `flux` and `count` are the sum of the image and the number of pixels above the saddle, whose
    value is `level`.
    """
    above = flux - count * level
    return count >= limits[0] and above >= limits[1] and height - level >= limits[2]


@njit(cache=True, nogil=True)
def labelled_neighbours(values, index, labels, parent, y, x, near):
    """Put the peaks of a pixel's labelled neighbours in `near`.

    Returns
    -------
    int, int
        How many, and the peak of the brightest one (0 if there is none).
    """
    ny, nx = index.shape
    found, chosen, best = 0, 0, -np.inf
    for v in range(max(0, y - 1), min(ny, y + 2)):
        for u in range(max(0, x - 1), min(nx, x + 2)):
            other = index[v, u] - 1
            if other >= 0 and labels[other] > 0:
                root = root_of(parent, labels[other])
                near[found] = root
                found += 1
                if values[other] > best:
                    best, chosen = values[other], root
    return found, chosen


@njit(cache=True, nogil=True)
def flood(values, noise, segments, places, index, order, totals, limits, labels):
    """Label the pixels of segments by peak, from the brightest pixel down.

    A pixel without a labelled neighbour starts a peak; one between peaks is their saddle: the
    weaker one is merged unless both stand out above it.

    Parameters
    ----------
    values, noise : float32, (n,)
        Of the smoothed image at the segments' pixels.
    segments : int32, (n,)
    places : int64, (n,)
        Flat indices of the pixels.
    index : int32, (ny, nx)
        Position + 1 in `places` of each pixel, 0 of the others.
    order : int64, (n,)
        Positions, brightest first.
    totals : float64, (number of segments,)
        Sum of the image in each segment.
    limits : float64, (3,)
        Least pixels, least share of the segment's total, least height of a peak above the
        saddle in units of the noise there.
    labels : int32, (n,)
        0 on input; on output 1, 2, ... by peak, before merging is resolved.

    Returns
    -------
    int32, (number of peaks + 1,)
        The peak that each label has been merged into.
    """
    nx = index.shape[1]
    n = len(order)
    parent = np.zeros(n + 1, np.int32)
    flux, height = np.zeros(n + 1), np.zeros(n + 1)
    count = np.zeros(n + 1, np.int64)
    near = np.zeros(8, np.int32)
    own = np.empty(3)
    peaks = 0
    for place in order:
        y, x = places[place] // nx, places[place] % nx
        level = values[place]
        found, chosen = labelled_neighbours(values, index, labels, parent, y, x, near)
        if found == 0:
            peaks += 1
            parent[peaks], chosen = peaks, peaks
            height[peaks] = level
        own[0] = limits[0]
        own[1], own[2] = limits[1] * totals[segments[place]], limits[2] * noise[place]
        for k in range(found):
            other, chosen = root_of(parent, near[k]), root_of(parent, chosen)
            if other == chosen or (
                strong(count[other], flux[other], height[other], level, own)
                and strong(count[chosen], flux[chosen], height[chosen], level, own)
            ):
                continue
            if height[other] > height[chosen]:
                other, chosen = chosen, other
            parent[other] = chosen
            flux[chosen] += flux[other]
            count[chosen] += count[other]
        labels[place] = chosen
        flux[chosen] += level
        count[chosen] += 1
    return parent[: peaks + 1]


@njit(cache=True, nogil=True)
def renumber(labels, largest):
    """Renumber labels 1, 2, ... by first appearance, in place (0 stays); return how many.

    Parameters
    ----------
    labels : int32, (n,)
    largest : int
        Greatest label there may be.
    """
    names = np.zeros(largest + 1, np.int32)
    count = 0
    for i in range(len(labels)):
        name = labels[i]
        if name > 0:
            if names[name] == 0:
                count += 1
                names[name] = count
            labels[i] = names[name]
    return count
