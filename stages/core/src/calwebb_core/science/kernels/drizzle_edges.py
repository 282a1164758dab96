"""How much of one quadrangle falls on an output pixel, whatever its size and shape."""

import numpy as np
from numba import njit

# Parts of a pixel below this are rounding errors, which would leave traces in WHT and CON.
SLIVER = 1e-12


@njit(cache=True, nogil=True, error_model="numpy", forceinline=True)
def bounds(quads, n, axis):
    """Return the first output pixel that a quadrangle reaches on an axis, and the last."""
    a, b, c, d = quads[0, axis, n], quads[1, axis, n], quads[2, axis, n], quads[3, axis, n]
    low, high = min(min(a, b), min(c, d)), max(max(a, b), max(c, d))
    return int(np.floor(low + 0.5)), int(np.floor(high + 0.5))


@njit(cache=True, nogil=True, error_model="numpy")
def area_above(first, last, width):
    """Integrate the positive part of a straight line from `first` to `last`."""
    low, high = min(first, last), max(first, last)
    if low >= 0.0:
        return 0.5 * (low + high) * width
    if high <= 0.0:
        return 0.0
    return 0.5 * high * high / (high - low) * width


@njit(cache=True, nogil=True, error_model="numpy")
def sorted_edges(quads, n, edges):
    """Write the edges of quadrangle `n` from left to right; return its area.

    Rows of `edges` are x and y at the left, x at the right, slope, and the sign of the area
    above the edge: upper edges count as positive.
    """
    for corner in range(4):
        other = (corner + 1) % 4
        xa, ya, xb, yb = (
            quads[corner, 0, n],
            quads[corner, 1, n],
            quads[other, 0, n],
            quads[other, 1, n],
        )
        sign = -1.0
        if xa > xb:
            xa, ya, xb, yb, sign = xb, yb, xa, ya, 1.0
        edges[corner, 0], edges[corner, 1], edges[corner, 2] = xa, ya, xb
        edges[corner, 3], edges[corner, 4] = (yb - ya) / (xb - xa), sign
    return 0.5 * (
        (quads[2, 0, n] - quads[0, 0, n]) * (quads[3, 1, n] - quads[1, 1, n])
        - (quads[3, 0, n] - quads[1, 0, n]) * (quads[2, 1, n] - quads[0, 1, n])
    )


@njit(cache=True, nogil=True, error_model="numpy")
def area_over(edges, x, y):
    """Return the area of a quadrangle above y, between x - 0.5 and x + 0.5."""
    total = 0.0
    for edge in range(4):
        left, right = max(edges[edge, 0], x - 0.5), min(edges[edge, 2], x + 0.5)
        if left < right:
            slope = edges[edge, 3]
            low = edges[edge, 1] + slope * (left - edges[edge, 0]) - y
            high = edges[edge, 1] + slope * (right - edges[edge, 0]) - y
            total += edges[edge, 4] * area_above(low, high, right - left)
    return total
