"""Drizzling with the square kernel, several planes of one image at once.

The output is split into bands of rows; each band is filled by one thread, visiting the input
pixels in order, so that the result doesn't depend on the number of threads.
"""

import numpy as np
from numba import njit, prange
from numpy.typing import NDArray

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]
BAND = 64


@njit(cache=True, nogil=True)
def ramp(first, last, width):
    """Integrate the positive part of a straight line from `first` to `last`."""
    if first >= 0.0 and last >= 0.0:
        return 0.5 * (first + last) * width
    top = max(first, last)
    if top <= 0.0:
        return 0.0
    return 0.5 * top * top / abs(last - first) * width


@njit(cache=True, nogil=True)
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


@njit(cache=True, nogil=True)
def mapped(pixmap, y, x, axis, dy, dx):
    """Return a coordinate of the map at (y + dy, x + dx), bilinear in the neighbours there.

    Beyond the map, or where a neighbour is unknown, the step from the other side is continued.
    """
    ny, nx = pixmap.shape[0], pixmap.shape[1]
    here = pixmap[y, x, axis]
    sy, sx = (1 if dy > 0.0 else -1), (1 if dx > 0.0 else -1)
    ty, tx = abs(dy), abs(dx)
    if not (0 <= y + sy < ny and np.isfinite(pixmap[y + sy, x, axis])):
        sy, ty = -sy, -ty
    if not (0 <= x + sx < nx and np.isfinite(pixmap[y, x + sx, axis])):
        sx, tx = -sx, -tx
    if not (0 <= y + sy < ny and 0 <= x + sx < nx):
        return np.nan
    beside, above = pixmap[y, x + sx, axis], pixmap[y + sy, x, axis]
    corner = pixmap[y + sy, x + sx, axis]
    if not np.isfinite(corner):
        corner = beside + above - here
    return (1.0 - ty) * ((1.0 - tx) * here + tx * beside) + ty * ((1.0 - tx) * above + tx * corner)


@njit(cache=True, nogil=True, parallel=True)
def shared_corners(pixmap: Float64, corners: Float64) -> None:
    """Write where four pixels meet: the mean of their centres, NaN at the edges of the map.

    Parameters
    ----------
    pixmap : float64, (ny, nx, 2)
    corners : float64, (ny + 1, nx + 1, 2)
        Written; [y, x] is the lower left corner of pixel (y, x).
    """
    ny, nx = pixmap.shape[0], pixmap.shape[1]
    for y in prange(ny + 1):
        for x in range(nx + 1):
            inside = 0 < y < ny and 0 < x < nx
            for axis in range(2):
                value = np.nan
                if inside:
                    value = 0.25 * (
                        (pixmap[y - 1, x - 1, axis] + pixmap[y - 1, x, axis])
                        + (pixmap[y, x - 1, axis] + pixmap[y, x, axis])
                    )
                corners[y, x, axis] = value


@njit(cache=True, nogil=True)
def quadrangle(pixmap, corners, y, x, half, xs, ys):
    """Write the corners of a shrunken pixel in the output; return its signed area."""
    centre_x, centre_y = pixmap[y, x, 0], pixmap[y, x, 1]
    for corner in range(4):
        right, up = (1 if corner in (1, 2) else 0), (1 if corner in (2, 3) else 0)
        at_x, at_y = corners[y + up, x + right, 0], corners[y + up, x + right, 1]
        if np.isnan(at_x):
            at_x = mapped(pixmap, y, x, 0, up - 0.5, right - 0.5)
            at_y = mapped(pixmap, y, x, 1, up - 0.5, right - 0.5)
        xs[corner] = centre_x + 2.0 * half * (at_x - centre_x)
        ys[corner] = centre_y + 2.0 * half * (at_y - centre_y)
    return 0.5 * ((xs[2] - xs[0]) * (ys[3] - ys[1]) - (xs[3] - xs[1]) * (ys[2] - ys[0]))


@njit(cache=True, nogil=True)
def overlap(xs, ys, x, y):
    """Return the area that a quadrangle shares with the pixel centred on (x, y)."""
    area = 0.0
    for corner in range(4):
        other = (corner + 1) % 4
        area += area_below(
            xs[corner] - x + 0.5, ys[corner] - y + 0.5, xs[other] - x + 0.5, ys[other] - y + 0.5
        )
    return abs(area)


@njit(cache=True, nogil=True, parallel=True)
def row_extents(
    pixmap: Float64, corners: Float64, weight: Float32, half: float, extents: Float64
) -> None:
    """Find which output rows each input row reaches.

    Parameters
    ----------
    pixmap : float64, (ny, nx, 2)
    corners : float64, (ny + 1, nx + 1, 2)
        From `shared_corners`.
    weight : float32, (ny, nx)
    half : float
        Half the side of the shrunken pixel.
    extents : float64, (ny, 3)
        Written: lowest and highest y, and the greatest distance of a corner from its centre.
    """
    ny, nx = weight.shape
    for y in prange(ny):
        xs, ys = np.empty(4), np.empty(4)
        low, high, reach = np.inf, -np.inf, 0.0
        for x in range(nx):
            if weight[y, x] > 0.0:
                quadrangle(pixmap, corners, y, x, half, xs, ys)
                low, high = min(low, ys.min()), max(high, ys.max())
                centre = pixmap[y, x, 1]
                reach = max(reach, ys.max() - centre, centre - ys.min())
        extents[y, 0], extents[y, 1], extents[y, 2] = low, high, reach


@njit(cache=True, nogil=True)
def spread(planes, y, x, share, j, i, sums, totals):
    """Add a pixel's planes to an output pixel; a plane that is NaN there adds nothing."""
    for plane in range(planes.shape[0]):
        value = planes[plane, y, x]
        if np.isfinite(value):
            sums[plane, j, i] += share * value
            totals[plane, j, i] += share


@njit(cache=True, nogil=True, parallel=True)
def drizzle_square(
    planes: Float32,
    weight: Float32,
    pixmap: Float64,
    corners: Float64,
    half: float,
    extents: Float64,
    sums: Float64,
    totals: Float64,
) -> None:
    """Add ``weight * overlap / area`` and its product with the planes to output pixels.

    Parameters
    ----------
    planes : float32, (nplanes, ny, nx)
    weight : float32, (ny, nx)
    pixmap : float64, (ny, nx, 2)
    corners : float64, (ny + 1, nx + 1, 2)
        From `shared_corners`.
    half : float
    extents : float64, (ny, 3)
        From `row_extents`.
    sums, totals : float64, (nplanes, my, mx)
        Written.
    """
    ny, nx = weight.shape
    my, mx = sums.shape[1], sums.shape[2]
    for band in prange((my + BAND - 1) // BAND):
        first, last = band * BAND, min((band + 1) * BAND, my)
        xs, ys = np.empty(4), np.empty(4)
        for y in range(ny):
            if extents[y, 1] <= first - 0.5 or extents[y, 0] >= last - 0.5:
                continue
            reach = extents[y, 2]
            for x in range(nx):
                centre = pixmap[y, x, 1]
                near = centre + reach > first - 0.5 and centre - reach < last - 0.5
                if weight[y, x] <= 0.0 or not near:
                    continue
                area = abs(quadrangle(pixmap, corners, y, x, half, xs, ys))
                if not area > 0.0:
                    continue
                for j in range(
                    max(first, int(np.floor(ys.min() + 0.5))),
                    min(last, int(np.floor(ys.max() + 0.5)) + 1),
                ):
                    for i in range(
                        max(0, int(np.floor(xs.min() + 0.5))),
                        min(mx, int(np.floor(xs.max() + 0.5)) + 1),
                    ):
                        share = overlap(xs, ys, i, j) / area * weight[y, x]
                        if share > 0.0:
                            spread(planes, y, x, share, j, i, sums, totals)
