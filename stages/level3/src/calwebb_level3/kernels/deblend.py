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
def labelled_neighbours(image, segments, labels, parent, y, x, near):
    """Put the peaks of a pixel's labelled neighbours in `near`.

    Returns
    -------
    int, int
        How many, and the peak of the brightest one (0 if there is none).
    """
    ny, nx = image.shape
    found, chosen, best = 0, 0, -np.inf
    for v in range(max(0, y - 1), min(ny, y + 2)):
        for u in range(max(0, x - 1), min(nx, x + 2)):
            if labels[v, u] > 0 and segments[v, u] == segments[y, x]:
                root = root_of(parent, labels[v, u])
                near[found] = root
                found += 1
                if image[v, u] > best:
                    best, chosen = image[v, u], root
    return found, chosen


@njit(cache=True, nogil=True)
def flood(image, noise, segments, order, totals, limits, labels):
    """Label the pixels of segments by peak, from the brightest pixel down.

    A pixel without a labelled neighbour in its segment starts a peak; one between peaks is
    their saddle: the weaker one is merged unless both stand out above it.

    Parameters
    ----------
    image, noise : float32, (ny, nx)
    segments : int32, (ny, nx)
        0 outside of segments.
    order : int64, (n,)
        Flat indices of the segments' pixels, brightest first.
    totals : float64, (number of segments + 1,)
        Sum of the image in each segment.
    limits : float64, (3,)
        Least pixels, least share of the segment's total, least height of a peak above the
        saddle in units of the noise there.
    labels : int32, (ny, nx)
        0 on input; on output 1, 2, ... by peak, before merging is resolved.

    Returns
    -------
    int32, (number of peaks + 1,)
        The peak that each label has been merged into.
    """
    nx = image.shape[1]
    n = len(order)
    parent = np.zeros(n + 1, np.int32)
    flux, height = np.zeros(n + 1), np.zeros(n + 1)
    count = np.zeros(n + 1, np.int64)
    near = np.zeros(8, np.int32)
    own = np.empty(3)
    peaks = 0
    for index in order:
        y, x = index // nx, index % nx
        level = image[y, x]
        found, chosen = labelled_neighbours(image, segments, labels, parent, y, x, near)
        if found == 0:
            peaks += 1
            parent[peaks], chosen = peaks, peaks
            height[peaks] = level
        own[0] = limits[0]
        own[1], own[2] = limits[1] * totals[segments[y, x]], limits[2] * noise[y, x]
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
        labels[y, x] = chosen
        flux[chosen] += level
        count[chosen] += 1
    return parent[: peaks + 1]
