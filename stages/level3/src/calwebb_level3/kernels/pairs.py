"""Loops of the matching of positions in a plane; one list is sorted by its second coordinate."""

import math

import numpy as np
from numba import njit


@njit(cache=True, nogil=True, error_model="numpy")
def first_at_least(sorted_values, value):
    """Return the index of the first of some ascending values that is at least `value`."""
    low, high = 0, sorted_values.shape[0]
    while low < high:
        middle = (low + high) // 2
        if sorted_values[middle] < value:
            low = middle + 1
        else:
            high = middle
    return low


@njit(cache=True, nogil=True, error_model="numpy")
def nearest(points, others, radius, skip_same, index, distance):
    """Find the nearest of other points within a radius.

    Parameters
    ----------
    points : float64, (n, 2)
    others : float64, (m, 2)
        Ascending in their second coordinate.
    radius : float
    skip_same : bool
        The lists are the same one: a point is not its own neighbour.
    index : int64, (n,)
        Out: row of `others`, -1 if none is near.
    distance : float64, (n,)
        Out: infinite if none is near.
    """
    heights = others[:, 1].copy()
    for k in range(points.shape[0]):
        x, y = points[k, 0], points[k, 1]
        index[k], best = -1, radius * radius
        distance[k] = np.inf
        for i in range(first_at_least(heights, y - radius), heights.shape[0]):
            dy = heights[i] - y
            if dy > radius:
                break
            dx = others[i, 0] - x
            square = dx * dx + dy * dy
            if square <= best and not (skip_same and i == k):
                best = square
                index[k] = i
                distance[k] = math.sqrt(square)


@njit(cache=True, nogil=True, error_model="numpy")
def offset_histogram(points, others, reach, step, counts):
    """Count the offsets ``others - points`` of all pairs in square bins about 0.

    Parameters
    ----------
    points : float64, (n, 2)
    others : float64, (m, 2)
        Ascending in their second coordinate.
    reach : float
        Largest offset along each axis.
    step : float
        Side of a bin; the middle one is centred on 0.
    counts : int64, (2 k + 1, 2 k + 1)
        Added to: rows along the second coordinate.
    """
    half = counts.shape[0] // 2
    heights = others[:, 1].copy()
    for k in range(points.shape[0]):
        for i in range(first_at_least(heights, points[k, 1] - reach), heights.shape[0]):
            dy = heights[i] - points[k, 1]
            if dy > reach:
                break
            dx = others[i, 0] - points[k, 0]
            if -reach <= dx <= reach:
                row, column = round(dy / step) + half, round(dx / step) + half
                counts[row, column] += 1


@njit(cache=True, nogil=True, error_model="numpy")
def mean_offset(points, others, guess, radius):
    """Return the mean offset of the pairs within a radius of a guess, and their number.

    Parameters
    ----------
    points, others
        As `offset_histogram`.
    guess : float64, (2,)
    radius : float
    """
    heights = others[:, 1].copy()
    sx, sy, count = 0.0, 0.0, 0
    for k in range(points.shape[0]):
        x, y = points[k, 0] + guess[0], points[k, 1] + guess[1]
        for i in range(first_at_least(heights, y - radius), heights.shape[0]):
            dy = heights[i] - y
            if dy > radius:
                break
            dx = others[i, 0] - x
            if dx * dx + dy * dy <= radius * radius:
                sx += dx
                sy += dy
                count += 1
    if count == 0:
        return guess[0], guess[1], 0
    return guess[0] + sx / count, guess[1] + sy / count, count
