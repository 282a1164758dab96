"""The parts of pixels, times weight and value, added to the sums of the output.

Pixels of a row are added in their order, but where they need no checks one plane after the
other: sums of a plane lie side by side, and processors are several times faster then.
"""

import numpy as np
from numba import njit

from calwebb_core.science.kernels.drizzle_edges import SLIVER, area_over, bounds, sorted_edges

# Shorter runs of neighbours are done pixel by pixel.
SHORTEST_RUN = 4
# How the pixels of a segment are added: as lines of neighbours, from quarters, from ninths.
RUN, QUARTERS, NINTHS = 0, 1, 2
# Others are done one by one, or have no weight.
OTHER, NOTHING = 3, 4


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
def add_ninths(parts, m, values, n, j, i, sums, own):
    """Add the nine parts of a pixel to those output pixels that there are."""
    for part in range(9):
        jj, ii = j + part // 3, i + part % 3
        if 0 <= jj < sums.shape[1] and 0 <= ii < sums.shape[2] and parts[part, m] > 0.0:
            add_share(parts[part, m], values, n, jj, ii, sums, own)


@njit(cache=True, nogil=True, error_model="numpy")
def add_pixel(
    quads, edges, weight, values, parts, ninths, index, places, whole, n, corner, sums, own
):
    """Add a pixel to those output pixels that there are: from quarters, ninths, or edge by edge."""
    j, i = places[1, n] - corner[0], places[0, n] - corner[1]
    if not weight[n] > 0.0:
        return
    if whole[n]:
        add_quarters(parts, values, n, j, i, sums, own)
    elif index[n] >= 0:
        add_ninths(ninths, index[n], values, n, j, i, sums, own)
    else:
        add_clipped(quads, edges, weight[n], values, n, corner, sums, own)


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
def run_segment(parts, values, start, stop, j, i, out):
    """Add pixels that lie side by side, the first with its lower left part in (j, i)."""
    for above in range(2):
        if 0 <= j + above < out.shape[0]:
            left, right = parts[3 if above else 0, start:stop], parts[2 if above else 1, start:stop]
            add_line(left, right, values[start:stop], out[j + above, i : i + stop - start + 1])


@njit(cache=True, nogil=True, error_model="numpy")
def quarters_segment(parts, values, start, stop, places, corner, out):
    """Add pixels whose four output pixels are all there."""
    for n in range(start, stop):
        j, i = np.uint64(places[1, n] - corner[0]), np.uint64(places[0, n] - corner[1])
        k = np.uint64(n)
        value, above, right = values[k], j + np.uint64(1), i + np.uint64(1)
        out[j, i] += parts[0, k] * value
        out[j, right] += parts[1, k] * value
        out[above, right] += parts[2, k] * value
        out[above, i] += parts[3, k] * value


@njit(cache=True, nogil=True, error_model="numpy")
def ninths_segment(parts, first, values, start, stop, places, corner, out):
    """Add pixels whose nine output pixels are all there, from `parts` from `first` on."""
    for n in range(stop - start):
        y, x = places[1, start + n] - corner[0], places[0, start + n] - corner[1]
        j, i, m, value = np.uint64(y), np.uint64(x), np.uint64(first + n), values[start + n]
        for row in range(np.uint64(3)):
            part, line = np.uint64(3) * row, j + row
            out[line, i] += parts[part, m] * value
            out[line, i + np.uint64(1)] += parts[part + np.uint64(1), m] * value
            out[line, i + np.uint64(2)] += parts[part + np.uint64(2), m] * value


@njit(cache=True, nogil=True, error_model="numpy")
def add_segments(segments, count, values, parts, ninths, index, places, corner, sums):
    """Add segments of a row, each row of `segments` a kind, the first pixel and the one behind."""
    for plane in range(sums.shape[0]):
        out, value = sums[plane], values[plane]
        for number in range(count):
            kind, start, stop = segments[0, number], segments[1, number], segments[2, number]
            if kind == RUN:
                j, i = places[1, start] - corner[0], places[0, start] - corner[1]
                run_segment(parts, value, start, stop, j, i, out)
            elif kind == QUARTERS:
                quarters_segment(parts, value, start, stop, places, corner, out)
            else:
                ninths_segment(ninths, index[start], value, start, stop, places, corner, out)


@njit(cache=True, nogil=True, error_model="numpy")
def row_kinds(weight, whole, index, places, corner, shape, kinds):
    """Write how each pixel is added where it is not in a run."""
    rows, columns = places[1], places[0]
    for n in range(weight.shape[0]):
        j, i = rows[n] - corner[0], columns[n] - corner[1]
        more = 1 if whole[n] else 2
        inside = (j >= 0) & (i >= 0) & (j + more < shape[0]) & (i + more < shape[1])
        kind = QUARTERS if whole[n] else NINTHS
        if not inside or (not whole[n] and index[n] < 0):
            kind = OTHER
        kinds[n] = kind if weight[n] > 0.0 else NOTHING


@njit(cache=True, nogil=True, error_model="numpy")
def row_segments(n, whole, kinds, places, corner, width, segments):
    """Write segments from pixel `n` on until a pixel follows that is added by itself.

    Returns their number and that pixel.
    """
    rows, columns, size = places[1], places[0], kinds.shape[0]
    count = 0
    while n < size:
        if whole[n]:
            i = columns[n] - corner[1]
            j, shift, stop = rows[n], columns[n] - n, n
            # as far as the output has the columns
            end = min(size, n + width - 1 - i) if i >= 0 else n
            while stop < end and whole[stop] and rows[stop] == j and columns[stop] - stop == shift:
                stop += 1
            if stop - n >= SHORTEST_RUN:
                segments[0, count], segments[1, count], segments[2, count] = RUN, n, stop
                count += 1
                n = stop
                continue
        kind = kinds[n]
        if kind == OTHER:
            break
        if kind != NOTHING:
            if count and segments[0, count - 1] == kind and segments[2, count - 1] == n:
                segments[2, count - 1] = n + 1
            else:
                segments[0, count], segments[1, count], segments[2, count] = kind, n, n + 1
                count += 1
        n += 1
    return count, n


@njit(cache=True, nogil=True, error_model="numpy")
def add_row(
    quads, edges, weight, values, parts, ninths, index, places, whole, corner, room, sums, own
):
    """Add a row of pixels to the sums; `room` is int32, (4, columns), for its own use."""
    n, size, segments, kinds = 0, weight.shape[0], room[:3], room[3, : weight.shape[0]]
    row_kinds(weight, whole, index, places, corner, sums.shape[1:], kinds)
    while n < size:
        # where some planes are NaN, those of each pixel must be looked at
        if not own.shape[0]:
            count, n = row_segments(n, whole, kinds, places, corner, sums.shape[2], segments)
            add_segments(segments, count, values, parts, ninths, index, places, corner, sums)
        if n < size:
            add_pixel(
                quads, edges, weight, values, parts, ninths, index, places, whole, n, corner, sums,
                own,
            )  # fmt: skip
            n += 1
