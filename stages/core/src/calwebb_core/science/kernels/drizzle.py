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


@njit(cache=True, nogil=True, error_model="numpy")
def ramp(first, last, width):
    """Integrate the positive part of a straight line from `first` to `last`."""
    if first >= 0.0 and last >= 0.0:
        return 0.5 * (first + last) * width
    top = max(first, last)
    if top <= 0.0:
        return 0.0
    return 0.5 * top * top / abs(last - first) * width


@njit(cache=True, nogil=True, error_model="numpy")
def area_below(xa, ya, xb, yb):
    """Return the area of the unit square below an edge; negative for one that runs left."""
    sign = 1.0
    if xa > xb:
        xa, ya, xb, yb, sign = xb, yb, xa, ya, -1.0
    if xa >= 1.0 or xb <= 0.0 or xa == xb:
        return 0.0
    slope = (yb - ya) / (xb - xa)
    left, right = max(xa, 0.0), min(xb, 1.0)
    low, high = ya + slope * (left - xa), ya + slope * (right - xa)
    width = right - left
    return sign * (ramp(low, high, width) - ramp(low - 1.0, high - 1.0, width))


@njit(cache=True, nogil=True, error_model="numpy")
def overlap(quads, n, x, y):
    """Return the area that quadrangle `n` shares with the pixel centred on (x, y)."""
    area = 0.0
    for corner in range(4):
        other = (corner + 1) % 4
        area += area_below(
            quads[corner, 0, n] - x + 0.5,
            quads[corner, 1, n] - y + 0.5,
            quads[other, 0, n] - x + 0.5,
            quads[other, 1, n] - y + 0.5,
        )
    return abs(area)


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
def lowest_corner(low, high):
    """Return which corner of a row's pixels is at the lower left in the output, and the turn.

    Corners are counted as left and right of `low`, right and left of `high`; a turn of -1 says
    that they run clockwise.
    """
    x = (low.shape[1] - 1) // 2
    along_x, along_y = low[0, x + 1] - low[0, x], low[1, x + 1] - low[1, x]
    up_x, up_y = high[0, x] - low[0, x], high[1, x] - low[1, x]
    turn = 1
    if along_x * up_y < along_y * up_x:
        along_x, along_y, turn = up_x, up_y, -1
    if abs(along_x) >= abs(along_y):
        quarter = 0 if along_x > 0.0 else 2
    else:
        quarter = 3 if along_y > 0.0 else 1
    return turn * quarter % 4, turn


@njit(cache=True, nogil=True, error_model="numpy")
def row_quadrangles(centres, low, high, shrink, quads):
    """Write a row's shrunken pixels, from the lower left corner counter-clockwise.

    `centres` is (2, columns + 2), `low` and `high` (2, columns + 1), `quads` (4, 2, columns).
    """
    start, turn = lowest_corner(low, high)
    for position in range(4):
        corner = (start + turn * position) % 4
        right = 1 if corner in (1, 2) else 0
        for axis in range(2):
            part = quads[position, axis]
            line = low[axis, right:] if corner < 2 else high[axis, right:]
            middle = centres[axis, 1:]
            if shrink == 1.0:
                for x in range(part.shape[0]):
                    part[x] = line[x]
            else:
                for x in range(part.shape[0]):
                    part[x] = middle[x] + shrink * (line[x] - middle[x])


@njit(cache=True, nogil=True, error_model="numpy")
def row_quarters(quads, parts, places, whole):
    """Cut a row's quadrangles by the lines between the output pixels that hold their corners.

    Parameters
    ----------
    quads : float64, (4, 2, n)
        From the lower left corner counter-clockwise.
    parts : float64, (4, n)
        Written: share of the area at the lower left, lower right, upper right, upper left.
    places : int32, (2, n)
        Written: column and row of the output pixel at the lower left.
    whole : uint8, (n,)
        Written: 1 where the corners lie in four output pixels that meet, so that `parts` hold.
    """
    x0s, y0s, x1s, y1s = quads[0, 0], quads[0, 1], quads[1, 0], quads[1, 1]
    x2s, y2s, x3s, y3s = quads[2, 0], quads[2, 1], quads[3, 0], quads[3, 1]
    a, b, c, d = parts[0], parts[1], parts[2], parts[3]
    columns, rows = places[0], places[1]
    for n in range(x0s.shape[0]):
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
        area = 1.0 / ((x2 - x0) * (y3 - y1) - (x3 - x1) * (y2 - y0))
        a[n] = ((x - x0) * bottom + left * (y - y0)) * area
        b[n] = (right * (y - y1) + (x1 - x) * bottom) * area
        c[n] = ((x2 - x) * top + right * (y2 - y)) * area
        d[n] = (left * (y3 - y) + (x - x3) * top) * area


@njit(cache=True, nogil=True, error_model="numpy")
def add_share(planes, y, x, share, sums, own, j, i):
    """Add a pixel's planes to an output pixel; a plane that is NaN there adds nothing."""
    sums[j, i, 0] += share
    for plane in range(planes.shape[0]):
        value = np.float64(planes[plane, y, x])
        if own.shape[0] == 0:
            sums[j, i, 1 + plane] += share * value
        elif np.isfinite(value):
            sums[j, i, 1 + plane] += share * value
            own[j, i, plane] += share


@njit(cache=True, nogil=True, error_model="numpy")
def add_clipped(planes, weight, y, x, quads, n, corner, sums, own):
    """Clip one quadrangle edge by edge and add it to all output pixels that it touches."""
    low_x, high_x = quads[:, 0, n].min(), quads[:, 0, n].max()
    low_y, high_y = quads[:, 1, n].min(), quads[:, 1, n].max()
    area = 0.5 * abs(
        (quads[2, 0, n] - quads[0, 0, n]) * (quads[3, 1, n] - quads[1, 1, n])
        - (quads[3, 0, n] - quads[1, 0, n]) * (quads[2, 1, n] - quads[0, 1, n])
    )
    if not area > 0.0:
        return
    first, left = corner
    for j in range(
        max(first, int(np.floor(low_y + 0.5))),
        min(first + sums.shape[0], int(np.floor(high_y + 0.5)) + 1),
    ):
        for i in range(
            max(left, int(np.floor(low_x + 0.5))),
            min(left + sums.shape[1], int(np.floor(high_x + 0.5)) + 1),
        ):
            share = overlap(quads, n, i, j) / area * weight
            if share > 0.0:
                add_share(planes, y, x, share, sums, own, j - first, i - left)


@njit(cache=True, nogil=True, error_model="numpy")
def add_quarters(planes, weight, y, x, parts, n, places, corner, sums, own):
    """Add the four parts of a pixel to the output pixels inside of the window."""
    j, i = places[1, n] - corner[0], places[0, n] - corner[1]
    for part in range(4):
        jj = j + (1 if part >= 2 else 0)
        ii = i + (1 if part in (1, 2) else 0)
        share = parts[part, n] * weight
        if 0 <= jj < sums.shape[0] and 0 <= ii < sums.shape[1] and share > 0.0:
            add_share(planes, y, x, share, sums, own, jj, ii)


@njit(cache=True, nogil=True, error_model="numpy")
def add_row(planes, weight, y, offset, quads, parts, places, whole, corner, sums, own):
    """Add a row of pixels to the sums; `offset` is the first column of the map."""
    rows, columns = sums.shape[0], sums.shape[1]
    for n in range(whole.shape[0]):
        x = n + offset
        w = np.float64(weight[y, x])
        if not w > 0.0:
            continue
        if not whole[n]:
            add_clipped(planes, w, y, x, quads, n, corner, sums, own)
            continue
        j, i = places[1, n] - corner[0], places[0, n] - corner[1]
        if j < -1 or j >= rows:
            continue
        if own.shape[0] or j < 0 or i < 0 or j + 1 >= rows or i + 1 >= columns:
            add_quarters(planes, w, y, x, parts, n, places, corner, sums, own)
            continue
        a, b, c, d = parts[0, n] * w, parts[1, n] * w, parts[2, n] * w, parts[3, n] * w
        low, high = sums[j], sums[j + 1]
        low[i, 0] += a
        low[i + 1, 0] += b
        high[i + 1, 0] += c
        high[i, 0] += d
        for plane in range(planes.shape[0]):
            value = np.float64(planes[plane, y, x])
            low[i, 1 + plane] += a * value
            low[i + 1, 1 + plane] += b * value
            high[i + 1, 1 + plane] += c * value
            high[i, 1 + plane] += d * value


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
        Some rows of an image; finite where the weight is positive, unless `own` is used.
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
    sums : float64, (my, mx, 1 + nplanes)
        Added to: sums of weights, and sums of weight times value for each plane.
    own : float64, (my, mx, nplanes)
        Added to: sums of weights of each plane where it is finite; empty if not wanted.
    """
    columns = arrays.columns
    below, here = np.empty((2, columns + 2)), np.empty((2, columns + 2))
    above = np.empty((2, columns + 2))
    low, high = np.empty((2, columns + 1)), np.empty((2, columns + 1))
    quads, parts = np.empty((4, 2, columns)), np.empty((4, columns))
    places, whole = np.empty((2, columns), np.int32), np.empty(columns, np.uint8)
    centre_row(arrays, rows, first - 1, below)
    centre_row(arrays, rows, first, here)
    corner_row(below, here, low)
    for y in range(weight.shape[0]):
        centre_row(arrays, rows, first + y + 1, above)
        corner_row(here, above, high)
        row_quadrangles(here, low, high, shrink, quads)
        row_quarters(quads, parts, places, whole)
        add_row(
            planes, weight, y, arrays.first_column, quads, parts, places, whole, corner, sums, own
        )
        here, above = above, here
        low, high = high, low


@njit(cache=True, nogil=True, error_model="numpy")
def or_flags(flag, quads, n, corner, out):
    """Set a flag in all output pixels that share some area with a quadrangle."""
    low_x, high_x = quads[:, 0, n].min(), quads[:, 0, n].max()
    low_y, high_y = quads[:, 1, n].min(), quads[:, 1, n].max()
    first, left = corner
    for j in range(
        max(first, int(np.floor(low_y + 0.5))),
        min(first + out.shape[0], int(np.floor(high_y + 0.5)) + 1),
    ):
        for i in range(
            max(left, int(np.floor(low_x + 0.5))),
            min(left + out.shape[1], int(np.floor(high_x + 0.5)) + 1),
        ):
            if overlap(quads, n, i, j) > 0.0:
                out[j - first, i - left] |= flag


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
    columns = arrays.columns
    below, here = np.empty((2, columns + 2)), np.empty((2, columns + 2))
    above = np.empty((2, columns + 2))
    low, high = np.empty((2, columns + 1)), np.empty((2, columns + 1))
    quads = np.empty((4, 2, columns))
    for y in range(weight.shape[0]):
        if not np.any(flags[y]):
            continue
        centre_row(arrays, rows, first + y - 1, below)
        centre_row(arrays, rows, first + y, here)
        centre_row(arrays, rows, first + y + 1, above)
        corner_row(below, here, low)
        corner_row(here, above, high)
        row_quadrangles(here, low, high, shrink, quads)
        for n in range(columns):
            x = n + arrays.first_column
            if flags[y, x] and weight[y, x] > 0.0:
                or_flags(flags[y, x], quads, n, corner, out)
