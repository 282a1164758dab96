"""Drizzling with the square kernel, several planes of one image at once.

Pixels become quadrangles whose corners lie where four pixels meet: the mean of their centres,
continued with the last step at the edges. A call fills some rows of the output, visiting the
pixels of the input in order, so that the sums don't depend on how the output is divided into
bands or who fills them.

A quadrangle about the size of an output pixel mostly has its corners in four output pixels
that meet in a point inside of it. The lines through that point cut it into four quadrangles,
whose areas are exact without following edges; a row is done at a time, so that the
processor's vectors are used. All other cases are clipped edge by edge.
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from calwebb_core.science.kernels.pixelmap import MapArrays, map_row

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]
UInt32 = NDArray[np.uint32]

# Parts of a pixel below this are rounding errors, which would leave traces in WHT and CON.
SLIVER = 1e-12
# Shorter runs of neighbours are done pixel by pixel.
SHORTEST_RUN = 4


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


@njit(cache=True, nogil=True, error_model="numpy", forceinline=True)
def bounds(quads, n, axis):
    """Return the first output pixel that a quadrangle reaches on an axis, and the last."""
    a, b, c, d = quads[0, axis, n], quads[1, axis, n], quads[2, axis, n], quads[3, axis, n]
    low, high = min(min(a, b), min(c, d)), max(max(a, b), max(c, d))
    return int(np.floor(low + 0.5)), int(np.floor(high + 0.5))


@njit(cache=True, nogil=True, error_model="numpy")
def centre_row(arrays, rows, y, out):
    """Write the centres of row `y`, with one continued on each side; `out` is (2, columns + 2).

    `rows` is the first row of the map and the one behind the last; a row beside them is
    continued with the last step.
    """
    columns = arrays.columns
    if rows[1] - rows[0] < 2 or columns < 2:
        out[:] = np.nan
        return
    inside = min(max(y, rows[0]), rows[1] - 1)
    map_row(arrays, inside, 1, out)
    if inside != y:
        other = np.empty_like(out)
        map_row(arrays, 2 * inside - y, 1, other)
        for axis in range(2):
            for x in range(1, columns + 1):
                out[axis, x] = 2.0 * out[axis, x] - other[axis, x]
    for axis in range(2):
        out[axis, 0] = 2.0 * out[axis, 1] - out[axis, 2]
        out[axis, columns + 1] = 2.0 * out[axis, columns] - out[axis, columns - 1]


@njit(cache=True, nogil=True, error_model="numpy")
def corner_row(below, above, out):
    """Write where the pixels of two rows of centres meet; `out` is (2, columns + 1)."""
    for axis in range(2):
        low, high, part = below[axis], above[axis], out[axis]
        for x in range(part.shape[0]):
            part[x] = 0.25 * ((low[x] + low[x + 1]) + (high[x] + high[x + 1]))


@njit(cache=True, nogil=True, error_model="numpy")
def orientation(low, high):
    """Return how a row's pixels lie in the output.

    First which corner is at the lower left, counted as left and right of `low`, right and left
    of `high`; then 1 if the next corners run counter-clockwise, -1 if clockwise; then -1 if
    neighbours follow from right to left, else 1.
    """
    x = (low.shape[1] - 1) // 2
    along_x, along_y = low[0, x + 1] - low[0, x], low[1, x + 1] - low[1, x]
    up_x, up_y = high[0, x] - low[0, x], high[1, x] - low[1, x]
    order = -1 if along_x < -abs(along_y) else 1
    turn = 1
    if along_x * up_y < along_y * up_x:
        along_x, along_y, turn = up_x, up_y, -1
    if abs(along_x) >= abs(along_y):
        quarter = 0 if along_x > 0.0 else 2
    else:
        quarter = 3 if along_y > 0.0 else 1
    return turn * quarter % 4, turn, order


@njit(cache=True, nogil=True, error_model="numpy")
def reaching(low, high, first, last):
    """Return the columns of a row between which pixels reach output rows from `first` to `last`.

    The last one of both is excluded.
    """
    bottom, top = first - 0.5, last - 0.5
    below, above = low[1], high[1]
    start, stop = 0, low.shape[1] - 1
    while start < stop:
        a, b, c, d = below[start], below[start + 1], above[start], above[start + 1]
        least, most = min(min(a, b), min(c, d)), max(max(a, b), max(c, d))
        if most > bottom and least < top:
            break
        start += 1
    while start < stop:
        a, b, c, d = below[stop - 1], below[stop], above[stop - 1], above[stop]
        least, most = min(min(a, b), min(c, d)), max(max(a, b), max(c, d))
        if most > bottom and least < top:
            break
        stop -= 1
    return start, stop


@njit(cache=True, nogil=True, error_model="numpy")
def copy_line(source, start, stop, order, out):
    """Write a part of a line, backwards if the order is -1."""
    part = source[start:stop]
    if order > 0:
        for n in range(part.shape[0]):
            out[n] = part[n]
    else:
        for n in range(part.shape[0]):
            out[n] = part[part.shape[0] - 1 - n]


@njit(cache=True, nogil=True, error_model="numpy")
def row_quadrangles(centres, low, high, start, stop, shrink, spare, quads):
    """Write shrunken pixels of a row, from the lower left corner counter-clockwise.

    `centres` is (2, columns + 2), `low` and `high` (2, columns + 1); of `quads` (4, 2, columns)
    the first `stop` - `start` are written, in the order of `orientation`.
    """
    first, turn, order = orientation(low, high)
    size = stop - start
    for axis in range(2):
        for position in range(4):
            corner = (first + turn * position) % 4
            right = 1 if corner in (1, 2) else 0
            line = low[axis] if corner < 2 else high[axis]
            copy_line(line, start + right, stop + right, order, quads[position, axis])
        if shrink != 1.0:
            copy_line(centres[axis], start + 1, stop + 1, order, spare)
            for position in range(4):
                part = quads[position, axis]
                for n in range(size):
                    part[n] = spare[n] + shrink * (part[n] - spare[n])
    return order


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


@njit(cache=True, nogil=True, error_model="numpy", forceinline=True)
def add_ninths(parts, m, values, n, j, i, sums, own):
    """Add the nine parts of a pixel to those output pixels that there are."""
    inside = j >= 0 and i >= 0 and j + 2 < sums.shape[1] and i + 2 < sums.shape[2]
    if inside and not own.shape[0]:
        j, i = np.uint64(j), np.uint64(i)
        for row in range(np.uint64(3)):
            a = parts[np.uint64(3) * row, m]
            b = parts[np.uint64(3) * row + np.uint64(1), m]
            c = parts[np.uint64(3) * row + np.uint64(2), m]
            y = j + row
            for plane in range(np.uint64(sums.shape[0])):
                value = values[plane, n]
                sums[plane, y, i] += a * value
                sums[plane, y, i + np.uint64(1)] += b * value
                sums[plane, y, i + np.uint64(2)] += c * value
        return
    for part in range(9):
        jj, ii = j + part // 3, i + part % 3
        if 0 <= jj < sums.shape[1] and 0 <= ii < sums.shape[2] and parts[part, m] > 0.0:
            add_share(parts[part, m], values, n, jj, ii, sums, own)


@njit(cache=True, nogil=True, error_model="numpy", forceinline=True)
def add_line(left, right, values, line):
    """Add products of neighbours to a line of the output, one pixel longer than they are."""
    # what a pixel gives to the right comes before what the next gives there
    size = values.shape[0]
    line[0] += left[0] * values[0]
    inner, before, after = line[1:size], values[: size - 1], values[1:]
    given, taken = right[: size - 1], left[1:]
    for n in range(size - 1):
        inner[n] = inner[n] + given[n] * before[n] + taken[n] * after[n]
    line[size] += right[size - 1] * values[size - 1]


@njit(cache=True, nogil=True, error_model="numpy")
def add_run(parts, values, start, stop, j, i, sums):
    """Add pixels that lie side by side, the first with its lower left part in (j, i)."""
    for above in range(2):
        if not 0 <= j + above < sums.shape[1]:
            continue
        left, right = parts[3 if above else 0, start:stop], parts[2 if above else 1, start:stop]
        for plane in range(sums.shape[0]):
            line = sums[plane, j + above, i : i + stop - start + 1]
            add_line(left, right, values[plane, start:stop], line)


@njit(cache=True, nogil=True, error_model="numpy")
def add_share(share, values, n, j, i, sums, own):
    """Add a pixel's planes to an output pixel; a plane that is NaN there adds nothing."""
    sums[0, j, i] += share
    for plane in range(1, sums.shape[0]):
        value = values[plane, n]
        if own.shape[0] == 0:
            sums[plane, j, i] += share * value
        elif np.isfinite(value):
            sums[plane, j, i] += share * value
            own[plane - 1, j, i] += share


@njit(cache=True, nogil=True, error_model="numpy")
def add_clipped(quads, edges, weight, values, n, corner, sums, own):
    """Clip one quadrangle edge by edge and add it to all output pixels that it touches."""
    (left, right), (bottom, top) = bounds(quads, n, 0), bounds(quads, n, 1)
    first, start = corner
    low, high = max(first, bottom), min(first + sums.shape[1] - 1, top)
    if low > high:
        return
    area = sorted_edges(quads, n, edges)
    if not area > 0.0:
        return
    for i in range(max(start, left), min(start + sums.shape[2] - 1, right) + 1):
        above = area_over(edges, float(i), low - 0.5)
        for j in range(low, high + 1):
            here, above = above, (area_over(edges, float(i), j + 0.5) if j < top else 0.0)
            share = (here - above) / area
            if share > SLIVER:
                add_share(share * weight, values, n, j - first, i - start, sums, own)


@njit(cache=True, nogil=True, error_model="numpy")
def add_quarters(parts, values, n, j, i, sums, own):
    """Add the four parts of a pixel to those output pixels that there are."""
    for part in range(4):
        jj = j + (1 if part >= 2 else 0)
        ii = i + (1 if part in (1, 2) else 0)
        if 0 <= jj < sums.shape[1] and 0 <= ii < sums.shape[2] and parts[part, n] > 0.0:
            add_share(parts[part, n], values, n, jj, ii, sums, own)


@njit(cache=True, nogil=True, error_model="numpy", forceinline=True)
def add_others(quads, edges, weight, values, ninths, place, n, corner, places, sums, own):
    """Add a pixel that is not cut in quarters: from its ninths, or edge by edge."""
    if place >= 0:
        j, i = places[1, n] - corner[0], places[0, n] - corner[1]
        add_ninths(ninths, place, values, n, j, i, sums, own)
    elif weight[n] > 0.0:
        add_clipped(quads, edges, weight[n], values, n, corner, sums, own)


@njit(cache=True, nogil=True, error_model="numpy", forceinline=True)
def end_of_run(whole, places, n, size):
    """Return where the pixels end that are cut in quarters and lie side by side from `n` on."""
    columns, rows = places[0], places[1]
    j, shift = rows[n], columns[n] - n
    stop = n + 1
    while stop < size and whole[stop] and rows[stop] == j and columns[stop] - stop == shift:
        stop += 1
    return stop


@njit(cache=True, nogil=True, error_model="numpy")
def add_row(quads, edges, weight, values, parts, ninths, index, places, whole, corner, sums, own):
    """Add a row of pixels to the sums: runs of neighbours as lines, others one by one."""
    size = weight.shape[0]
    n = 0
    while n < size:
        if not whole[n]:
            add_others(quads, edges, weight, values, ninths, index[n], n, corner, places, sums, own)
            n += 1
            continue
        stop = end_of_run(whole, places, n, size)
        j, i = places[1, n] - corner[0], places[0, n] - corner[1]
        inside = i >= 0 and i + stop - n < sums.shape[2]
        if own.shape[0] or not inside or stop - n < SHORTEST_RUN:
            for m in range(n, stop):
                if weight[m] > 0.0:
                    add_quarters(parts, values, m, j, i + m - n, sums, own)
        else:
            add_run(parts, values, n, stop, j, i, sums)
        n = stop


@njit(cache=True, nogil=True, error_model="numpy")
def drizzle_square(
    planes: Float32,
    weight: Float32,
    first: int,
    arrays: MapArrays,
    rows: tuple[int, int],
    shrink: float,
    corner: tuple[int, int],
    sums: Float64,
    own: Float64,
) -> None:
    """Add ``weight * overlap / area`` and its product with the planes to output pixels.

    Parameters
    ----------
    planes : float32, (nplanes, n, nx)
        Some rows of an image; finite, unless `own` is used.
    weight : float32, (n, nx)
        0 outside of the map.
    first : int
        Row of the image that the first of `planes` is.
    arrays : MapArrays
        For these rows and those beside them.
    rows : (int, int)
        First row of the whole map, and the one behind the last.
    shrink : float
        Side of the shrunken pixel.
    corner : (int, int)
        Row and column of the grid that the first of `sums` is.
    sums : float64, (1 + nplanes, my, mx)
        Added to: sums of weights, and sums of weight times value for each plane.
    own : float64, (nplanes, my, mx)
        Added to: sums of weights of each plane where it is finite; empty if not wanted.
    """
    columns, offset = arrays.columns, arrays.first_column
    below, here = np.empty((2, columns + 2)), np.empty((2, columns + 2))
    above, spare = np.empty((2, columns + 2)), np.empty(columns)
    low, high = np.empty((2, columns + 1)), np.empty((2, columns + 1))
    quads, parts, edges = np.empty((4, 2, columns)), np.empty((4, columns)), np.empty((4, 5))
    places, whole = np.empty((2, columns), np.int32), np.empty(columns, np.uint8)
    values, weights = np.ones((1 + planes.shape[0], columns)), np.empty(columns)
    picked, ninths = np.empty((4, 2, columns)), np.empty((9, columns))
    some, index = np.empty(columns), np.empty(columns, np.int32)
    centre_row(arrays, rows, first - 1, below)
    centre_row(arrays, rows, first, here)
    corner_row(below, here, low)
    for y in range(weight.shape[0]):
        centre_row(arrays, rows, first + y + 1, above)
        corner_row(here, above, high)
        start, stop = reaching(low, high, corner[0], corner[0] + sums.shape[1])
        if start < stop:
            order = row_quadrangles(here, low, high, start, stop, shrink, spare, quads)
            copy_line(weight[y], offset + start, offset + stop, order, weights)
            for plane in range(planes.shape[0]):
                line = planes[plane, y]
                copy_line(line, offset + start, offset + stop, order, values[1 + plane])
            w = weights[: stop - start]
            row_quarters(quads, w, parts, places, whole)
            count = pick(quads, w, whole, places, picked, some, index)
            row_ninths(picked, some[:count], ninths)
            add_row(quads, edges, w, values, parts, ninths, index, places, whole, corner, sums, own)
        here, above = above, here
        low, high = high, low


@njit(cache=True, nogil=True, error_model="numpy")
def or_flags(flag, quads, edges, n, corner, out):
    """Set a flag in all output pixels that share some area with a quadrangle."""
    (left, right), (bottom, top) = bounds(quads, n, 0), bounds(quads, n, 1)
    first, start = corner
    area = sorted_edges(quads, n, edges)
    for j in range(max(first, bottom), min(first + out.shape[0] - 1, top) + 1):
        for i in range(max(start, left), min(start + out.shape[1] - 1, right) + 1):
            above = area_over(edges, float(i), j + 0.5)
            if area_over(edges, float(i), j - 0.5) - above > SLIVER * area:
                out[j - first, i - start] |= flag


@njit(cache=True, nogil=True, error_model="numpy")
def spread_flags(
    flags: UInt32,
    weight: Float32,
    first: int,
    arrays: MapArrays,
    rows: tuple[int, int],
    shrink: float,
    corner: tuple[int, int],
    out: UInt32,
) -> None:
    """Combine the flags of pixels with weight in the output pixels that they fall on, by OR.

    Parameters
    ----------
    flags : uint32, (n, nx)
    weight, first, arrays, rows, shrink, corner
        As in `drizzle_square`.
    out : uint32, (my, mx)
        Changed.
    """
    columns, offset = arrays.columns, arrays.first_column
    below, here = np.empty((2, columns + 2)), np.empty((2, columns + 2))
    above, spare = np.empty((2, columns + 2)), np.empty(columns)
    low, high = np.empty((2, columns + 1)), np.empty((2, columns + 1))
    quads, edges = np.empty((4, 2, columns)), np.empty((4, 5))
    for y in range(weight.shape[0]):
        if not np.any(flags[y]):
            continue
        centre_row(arrays, rows, first + y - 1, below)
        centre_row(arrays, rows, first + y, here)
        centre_row(arrays, rows, first + y + 1, above)
        corner_row(below, here, low)
        corner_row(here, above, high)
        order = row_quadrangles(here, low, high, 0, columns, shrink, spare, quads)
        for n in range(columns):
            x = offset + (n if order > 0 else columns - 1 - n)
            if flags[y, x] and weight[y, x] > 0.0:
                or_flags(flags[y, x], quads, edges, n, corner, out)
