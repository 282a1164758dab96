"""How much of a pixel falls on each output pixel, for whole rows of pixels.

A quadrangle about the size of an output pixel mostly has its corners in four output pixels
that meet in a point inside of it. The lines through that point cut it into four quadrangles,
whose areas are exact without following edges. Others that reach no more than three by three
output pixels are cut by following their edges through three columns.
"""

import numpy as np
from numba import njit

from calwebb_core.science.kernels.drizzle_edges import SLIVER, bounds


@njit(cache=True, nogil=True, error_model="numpy")
def row_quarters(quads, weight, parts, places, whole):
    """Cut a row's quadrangles by the lines between the output pixels that hold their corners.

    Parameters
    ----------
    quads : float64, (4, 2, n or more)
        From the lower left corner counter-clockwise.
    weight : float64, (n,)
    parts : float64, (4, n or more)
        Written: weight at the lower left, lower right, upper right, upper left.
    places : int32, (2, n or more)
        Written: column and row of the output pixel at the lower left.
    whole : uint8, (n or more,)
        Written: 1 where the corners lie in four output pixels that meet, so that `parts` hold.
    """
    x0s, y0s, x1s, y1s = quads[0, 0], quads[0, 1], quads[1, 0], quads[1, 1]
    x2s, y2s, x3s, y3s = quads[2, 0], quads[2, 1], quads[3, 0], quads[3, 1]
    a, b, c, d = parts[0], parts[1], parts[2], parts[3]
    columns, rows = places[0], places[1]
    for n in range(weight.shape[0]):
        x0, y0, x1, y1 = x0s[n], y0s[n], x1s[n], y1s[n]
        x2, y2, x3, y3 = x2s[n], y2s[n], x3s[n], y3s[n]
        i, j = np.floor(max(x0, x3) + 0.5), np.floor(max(y0, y1) + 0.5)
        x, y = i + 0.5, j + 0.5
        fits = (min(x0, x3) >= x - 1.0) & (min(x1, x2) >= x) & (max(x1, x2) <= x + 1.0)
        fits &= (min(y0, y1) >= y - 1.0) & (min(y2, y3) >= y) & (max(y2, y3) <= y + 1.0)
        whole[n] = fits
        columns[n], rows[n] = np.int32(i), np.int32(j)
        bottom = y - (y0 + (x - x0) * ((y1 - y0) / (x1 - x0)))
        top = y3 + (x - x3) * ((y2 - y3) / (x2 - x3)) - y
        left = x - (x0 + (y - y0) * ((x3 - x0) / (y3 - y0)))
        right = x1 + (y - y1) * ((x2 - x1) / (y2 - y1)) - x
        # areas are halves of what is said here, the whole one as well
        unit = 1.0 / ((x2 - x0) * (y3 - y1) - (x3 - x1) * (y2 - y0))
        pa = ((x - x0) * bottom + left * (y - y0)) * unit
        pb = (right * (y - y1) + (x1 - x) * bottom) * unit
        pc = ((x2 - x) * top + right * (y2 - y)) * unit
        pd = (left * (y3 - y) + (x - x3) * top) * unit
        w = weight[n]
        a[n] = pa * w if pa > SLIVER else 0.0
        b[n] = pb * w if pb > SLIVER else 0.0
        c[n] = pc * w if pc > SLIVER else 0.0
        d[n] = pd * w if pd > SLIVER else 0.0


@njit(cache=True, nogil=True, error_model="numpy", forceinline=True)
def edge_above(ya, yb, width, slant):
    """Integrate the positive part of an edge over a width; `slant` is half of |dx / dy|."""
    low, high = min(ya, yb), max(ya, yb)
    whole = 0.5 * (ya + yb) * width
    return whole if low >= 0.0 else (high * high * slant if high > 0.0 else 0.0)


@njit(cache=True, nogil=True, error_model="numpy", forceinline=True)
def edge_sums(xa, ya, xb, yb):
    """Return the signed areas of an edge above y = 0, 1, 2 in the columns 0-1, 1-2, 2-3."""
    back = xa > xb
    x0, x3 = (xb, xa) if back else (xa, xb)
    y0, y3 = (yb, ya) if back else (ya, yb)
    sign = 1.0 if back else -1.0
    slope = (y3 - y0) / (x3 - x0) if x3 > x0 else 0.0
    slant = 0.5 * abs(x3 - x0) / abs(y3 - y0)
    x1, x2 = min(max(1.0, x0), x3), min(max(2.0, x0), x3)
    y1, y2 = y0 + slope * (x1 - x0), y0 + slope * (x2 - x0)
    wa, wb, wc = sign * (x1 - x0), sign * (x2 - x1), sign * (x3 - x2)
    slant = slant * sign
    return (
        0.5 * (y0 + y1) * wa,
        0.5 * (y1 + y2) * wb,
        0.5 * (y2 + y3) * wc,
        edge_above(y0 - 1.0, y1 - 1.0, wa, slant),
        edge_above(y1 - 1.0, y2 - 1.0, wb, slant),
        edge_above(y2 - 1.0, y3 - 1.0, wc, slant),
        edge_above(y0 - 2.0, y1 - 2.0, wa, slant),
        edge_above(y1 - 2.0, y2 - 2.0, wb, slant),
        edge_above(y2 - 2.0, y3 - 2.0, wc, slant),
    )


@njit(cache=True, nogil=True, error_model="numpy")
def row_ninths(quads, weight, parts):
    """Cut quadrangles that reach no more than three by three output pixels.

    Parameters
    ----------
    quads : float64, (4, 2, n or more)
        Counted from the lower left corner of the output pixel at the lower left.
    weight : float64, (n,)
    parts : float64, (9, n or more)
        Written: weight in the lowest row from left to right, the next, the highest.
    """
    x0s, y0s, x1s, y1s = quads[0, 0], quads[0, 1], quads[1, 0], quads[1, 1]
    x2s, y2s, x3s, y3s = quads[2, 0], quads[2, 1], quads[3, 0], quads[3, 1]
    p0, p1, p2, p3, p4 = parts[0], parts[1], parts[2], parts[3], parts[4]
    p5, p6, p7, p8 = parts[5], parts[6], parts[7], parts[8]
    # more arrays than these, and the compiler gives up on vectors
    for n in range(weight.shape[0]):
        x0, y0, x1, y1 = x0s[n], y0s[n], x1s[n], y1s[n]
        x2, y2, x3, y3 = x2s[n], y2s[n], x3s[n], y3s[n]
        a0, a1, a2, a3, a4, a5, a6, a7, a8 = edge_sums(x0, y0, x1, y1)
        b0, b1, b2, b3, b4, b5, b6, b7, b8 = edge_sums(x1, y1, x2, y2)
        c0, c1, c2, c3, c4, c5, c6, c7, c8 = edge_sums(x2, y2, x3, y3)
        d0, d1, d2, d3, d4, d5, d6, d7, d8 = edge_sums(x3, y3, x0, y0)
        unit, w = 2.0 / ((x2 - x0) * (y3 - y1) - (x3 - x1) * (y2 - y0)), weight[n]
        h3, h4, h5 = a3 + b3 + c3 + d3, a4 + b4 + c4 + d4, a5 + b5 + c5 + d5
        h6, h7, h8 = a6 + b6 + c6 + d6, a7 + b7 + c7 + d7, a8 + b8 + c8 + d8
        p0[n] = share_of((a0 + b0 + c0 + d0 - h3) * unit, w)
        p1[n] = share_of((a1 + b1 + c1 + d1 - h4) * unit, w)
        p2[n] = share_of((a2 + b2 + c2 + d2 - h5) * unit, w)
        p3[n] = share_of((h3 - h6) * unit, w)
        p4[n] = share_of((h4 - h7) * unit, w)
        p5[n] = share_of((h5 - h8) * unit, w)
        p6[n] = share_of(h6 * unit, w)
        p7[n] = share_of(h7 * unit, w)
        p8[n] = share_of(h8 * unit, w)


@njit(cache=True, nogil=True, error_model="numpy", forceinline=True)
def share_of(part, weight):
    """Return the weight of a part of a pixel; that of a rounding error is 0."""
    return part * weight if part > SLIVER else 0.0


@njit(cache=True, nogil=True, error_model="numpy")
def pick(quads, weight, whole, places, picked, weights, index):
    """Copy quadrangles that are not `whole`, have weight and fit in three by three output pixels.

    Parameters
    ----------
    quads, weight, whole
        Of `row_quarters`.
    places : int32, (2, n or more)
        Written for those copied: column and row of the output pixel at the lower left.
    picked : float64, (4, 2, n or more)
        Written: corners counted from the lower left of that output pixel.
    weights : float64, (n or more,)
        Written.
    index : int32, (n or more,)
        Written for all that are not whole: the place among those copied, or -1.

    Returns
    -------
    int
        How many were copied.
    """
    count = 0
    for n in range(weight.shape[0]):
        if whole[n]:
            continue
        index[n] = -1
        left, right = bounds(quads, n, 0)
        bottom, top = bounds(quads, n, 1)
        if not weight[n] > 0.0 or right - left > 2 or top - bottom > 2:
            continue
        for corner in range(4):
            picked[corner, 0, count] = quads[corner, 0, n] - (left - 0.5)
            picked[corner, 1, count] = quads[corner, 1, n] - (bottom - 0.5)
        weights[count] = weight[n]
        places[0, n], places[1, n] = np.int32(left), np.int32(bottom)
        index[n] = count
        count += 1
    return count
