"""Connected regions of flagged pixels, and the ellipses that have their second moments.

An ellipse is a row of six numbers: centre x and y, full width across (minor axis) and along
(major axis) in pixels, cosine and sine of the angle from the y axis to the major axis.
Widths are between the centres of the outermost pixels of a disk: a disk of diameter 11 pixels
has the width 10.
"""

import numpy as np
from numba import njit

from calwebb_detector1.kernels.types import Bool, Float64, Int32, Scalar, UInt8

PARAMETERS = 6
X, Y, WIDTH, LENGTH, COS, SIN = range(PARAMETERS)


@njit(cache=True, nogil=True, error_model="numpy")
def mark_bits(flags: UInt8, bits: Scalar, mask: UInt8) -> Scalar:
    """Write into `mask` (uint8, (ny, nx)) where any of the bits is set; say if it is anywhere."""
    found = np.uint8(0)
    for y in range(flags.shape[0]):
        for x in range(flags.shape[1]):
            mask[y, x] = flags[y, x] & bits
            found |= mask[y, x]
    return found != 0


@njit(cache=True, nogil=True, error_model="numpy")
def mark_new(before: UInt8, flags: UInt8, bits: Scalar, mask: UInt8) -> Scalar:
    """Write into `mask` where a bit is set that was not `before`; say if it is anywhere."""
    found = np.uint8(0)
    for y in range(flags.shape[0]):
        for x in range(flags.shape[1]):
            mask[y, x] = flags[y, x] & ~before[y, x] & bits
            found |= mask[y, x]
    return found != 0


@njit(cache=True, nogil=True, error_model="numpy")
def take_region(mask: UInt8, y: int, x: int, pixels: Int32) -> tuple[int, Int32]:
    """Clear the region of (y, x), connected also across corners; return its size and pixels.

    `pixels` (int32, (n, 2)) is returned enlarged if the region does not fit in.
    """
    ny, nx = mask.shape
    mask[y, x] = 0
    pixels[0, 0], pixels[0, 1] = y, x
    n, k = 1, 0
    while k < n:
        if n + 8 > pixels.shape[0]:
            larger = np.empty((2 * pixels.shape[0], 2), np.int32)
            larger[:n] = pixels[:n]
            pixels = larger
        for v in range(max(pixels[k, 0] - 1, 0), min(pixels[k, 0] + 2, ny)):
            for u in range(max(pixels[k, 1] - 1, 0), min(pixels[k, 1] + 2, nx)):
                if mask[v, u]:
                    mask[v, u] = 0
                    pixels[n, 0], pixels[n, 1] = v, u
                    n += 1
        k += 1
    return n, pixels


@njit(cache=True, nogil=True, error_model="numpy")
def filled_area(pixels: Int32) -> Scalar:
    """Return the area of a region with its holes; what is open across a corner is no hole."""
    low_y, high_y = pixels[:, 0].min(), pixels[:, 0].max()
    low_x, high_x = pixels[:, 1].min(), pixels[:, 1].max()
    frame = np.ones((high_y - low_y + 3, high_x - low_x + 3), np.uint8)
    for k in range(pixels.shape[0]):
        frame[pixels[k, 0] - low_y + 1, pixels[k, 1] - low_x + 1] = 0
    outside, _ = take_region(frame, 0, 0, np.empty((64, 2), np.int32))
    return frame.size - outside


@njit(cache=True, nogil=True, error_model="numpy")
def large_enough(pixels: Int32, area: float) -> Scalar:
    """Say whether a region with its holes has at least this area."""
    if pixels.shape[0] >= area:
        return True
    # a hole takes eight pixels around it
    return pixels.shape[0] >= 8 and filled_area(pixels) >= area


@njit(cache=True, nogil=True, error_model="numpy")
def fit_ellipse(pixels: Int32, ellipse: Float64) -> None:
    """Write the ellipse with the second moments of a region."""
    n = pixels.shape[0]
    y, x = 0.0, 0.0
    for k in range(n):
        y += pixels[k, 0]
        x += pixels[k, 1]
    y /= n
    x /= n
    yy, xx, xy = 0.0, 0.0, 0.0
    for k in range(n):
        v, u = pixels[k, 0] - y, pixels[k, 1] - x
        yy += v * v
        xx += u * u
        xy += u * v
    yy /= n
    xx /= n
    xy /= n
    mean, spread = 0.5 * (xx + yy), np.sqrt(0.25 * (xx - yy) ** 2 + xy**2)
    angle = 0.5 * np.arctan2(2.0 * xy, yy - xx)
    ellipse[X], ellipse[Y] = x, y
    # four standard deviations of a uniform disk are its diameter
    ellipse[WIDTH] = 4.0 * np.sqrt(max(mean - spread, 0.0)) - 1.0
    ellipse[LENGTH] = 4.0 * np.sqrt(mean + spread) - 1.0
    ellipse[COS], ellipse[SIN] = np.cos(angle), np.sin(angle)


@njit(cache=True, nogil=True, error_model="numpy")
def find_ellipses(mask: UInt8, area: float) -> Float64:
    """Return the ellipses (float64, (n, 6)) of the regions of `mask`, which is cleared.

    Parameters
    ----------
    mask : uint8, (ny, nx), cleared
    area : regions with fewer pixels, holes included, are passed over
    """
    ny, nx = mask.shape
    ellipses = np.empty((16, PARAMETERS))
    pixels = np.empty((1024, 2), np.int32)
    count = 0
    for y in range(ny):
        for x in range(nx):
            if mask[y, x] == 0:
                continue
            n, pixels = take_region(mask, y, x, pixels)
            if not large_enough(pixels[:n], area):
                continue
            if count == ellipses.shape[0]:
                larger = np.empty((2 * count, PARAMETERS))
                larger[:count] = ellipses
                ellipses = larger
            fit_ellipse(pixels[:n], ellipses[count])
            count += 1
    return ellipses[:count].copy()


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def is_inside(x: float, y: float, ellipse: Float64) -> Scalar:
    """Say whether a point lies in an ellipse or on its rim; one of no width holds no point."""
    u, v = x - ellipse[X], y - ellipse[Y]
    along = v * ellipse[COS] + u * ellipse[SIN]
    across = v * ellipse[SIN] - u * ellipse[COS]
    if ellipse[WIDTH] <= 0.0:
        return False
    return (2 * along / ellipse[LENGTH]) ** 2 + (2 * across / ellipse[WIDTH]) ** 2 <= 1.0


@njit(cache=True, nogil=True, error_model="numpy")
def match_centres(ellipses: Float64, points: Float64, holds: Bool, inside: Bool) -> None:
    """Mark which ellipses hold the centre of a point, and which points lie in an ellipse.

    Parameters
    ----------
    ellipses : float64, (n, 6)
    points : float64, (m, 6), ellipses whose centres are looked for
    holds : bool, (n,); inside : bool, (m,): marks are added
    """
    order = np.argsort(points[:, Y])
    heights = points[order, Y]
    for k in range(ellipses.shape[0]):
        reach = 0.5 * ellipses[k, LENGTH]
        first = np.searchsorted(heights, ellipses[k, Y] - reach)
        for i in range(first, heights.size):
            if heights[i] > ellipses[k, Y] + reach:
                break
            j = order[i]
            if is_inside(points[j, X], points[j, Y], ellipses[k]):
                holds[k] = True
                inside[j] = True


@njit(cache=True, nogil=True, error_model="numpy")
def flag_ellipse(
    flags: UInt8,
    ellipse: Float64,
    width: float,
    length: float,
    put: Scalar,
    blocked: Scalar,
    clear: Scalar,
) -> None:
    """Set bits of a frame inside an ellipse of other widths than its own.

    Centre and half widths are rounded to whole pixels; pixels on the rim are left alone.

    Parameters
    ----------
    flags : uint8, (ny, nx), changed
    ellipse : float64, (6,)
    width, length : full widths, pixels
    put : bits to set
    blocked : pixels with one of these bits are left alone
    clear : bits to clear where `put` is set
    """
    x, y = int(np.rint(ellipse[X])), int(np.rint(ellipse[Y]))
    half_length, half_width = np.rint(0.5 * length), np.rint(0.5 * width)
    if half_length <= 0 or half_width <= 0:
        return
    reach = int(max(half_length, half_width))
    for v in range(max(y - reach, 0), min(y + reach + 1, flags.shape[0])):
        for u in range(max(x - reach, 0), min(x + reach + 1, flags.shape[1])):
            along = (v - y) * ellipse[COS] + (u - x) * ellipse[SIN]
            across = (v - y) * ellipse[SIN] - (u - x) * ellipse[COS]
            inside = (along / half_length) ** 2 + (across / half_width) ** 2 < 1.0
            if inside and flags[v, u] & blocked == 0:
                flags[v, u] = flags[v, u] & ~clear | put
