"""The look of an image on a grid in the pixels of another: interpolation with polynomials."""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from calwebb_core.science.kernels.pixelmap import MapArrays, map_row

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]
Int32 = NDArray[np.int32]

# Shorter runs of neighbours are done pixel by pixel.
SHORTEST_RUN = 8


@njit(cache=True, nogil=True, error_model="numpy")
def quintic_weights(places: Float64, first: Int32, weights: Float32) -> None:
    """Write Lagrange's weights of the six pixels around each place.

    Parameters
    ----------
    places : float64, (n,)
    first : int32, (n,)
        Written: the pixel at or below each place, the third of the six.
    weights : float32, (6, n)
        Written.
    """
    a, b, c, d, e, f = weights[0], weights[1], weights[2], weights[3], weights[4], weights[5]
    for n in range(places.shape[0]):
        floor = np.floor(places[n])
        first[n] = np.int32(floor)
        u = places[n] - floor
        t2, t1, s1, s2, s3 = u + 2.0, u + 1.0, u - 1.0, u - 2.0, u - 3.0
        low, high = t2 * t1, s2 * s3
        a[n] = np.float32(t1 * u * s1 * high * (-1.0 / 120.0))
        b[n] = np.float32(t2 * u * s1 * high * (1.0 / 24.0))
        c[n] = np.float32(low * s1 * high * (-1.0 / 12.0))
        d[n] = np.float32(low * u * high * (1.0 / 12.0))
        e[n] = np.float32(low * u * s1 * s3 * (-1.0 / 24.0))
        f[n] = np.float32(low * u * s1 * s2 * (1.0 / 120.0))


@njit(cache=True, nogil=True, error_model="numpy")
def quintic_run(model, j, i, start, stop, x_weights, y_weights, out):
    """Interpolate pixels `start` to `stop` of a row, whose six by six are one beside the other.

    The model's pixel (j, i) is the first of the first.
    """
    size = stop - start
    w0, w1, w2 = x_weights[0, start:], x_weights[1, start:], x_weights[2, start:]
    w3, w4, w5 = x_weights[3, start:], x_weights[4, start:], x_weights[5, start:]
    part = out[start:stop]
    for row in range(6):
        v, line = y_weights[row, start:], model[j + row, i:]
        for n in range(size):
            value = w0[n] * line[n] + w1[n] * line[n + 1] + w2[n] * line[n + 2]
            value = value + w3[n] * line[n + 3] + w4[n] * line[n + 4] + w5[n] * line[n + 5]
            part[n] = part[n] + v[n] * value


@njit(cache=True, nogil=True, error_model="numpy")
def quintic_pixel(model, j, i, n, x_weights, y_weights):
    """Interpolate one pixel; `model` has its first of six by six at (j, i)."""
    result = np.float32(0.0)
    for row in range(6):
        line = model[j + row]
        value = x_weights[0, n] * line[i] + x_weights[1, n] * line[i + 1]
        value = value + x_weights[2, n] * line[i + 2]
        value = value + x_weights[3, n] * line[i + 3]
        value = value + x_weights[4, n] * line[i + 4] + x_weights[5, n] * line[i + 5]
        result = result + y_weights[row, n] * value
    return result


@njit(cache=True, nogil=True, error_model="numpy")
def linear_pixel(model, y, x):
    """Interpolate the four pixels around a place; NaN if one is unknown or beyond the edge."""
    if not (x >= 0.0 and y >= 0.0 and x < model.shape[1] - 1.0 and y < model.shape[0] - 1.0):
        return np.float32(np.nan)
    i, j = int(x), int(y)
    u, v = np.float32(x - i), np.float32(y - j)
    one = np.float32(1.0)
    low = (one - u) * model[j, i] + u * model[j, i + 1]
    high = (one - u) * model[j + 1, i] + u * model[j + 1, i + 1]
    return (one - v) * low + v * high


@njit(cache=True, nogil=True, error_model="numpy")
def quintic_row(model, rows, columns, x_weights, y_weights, out):
    """Interpolate a row of pixels; what is too near to the edge becomes NaN.

    `rows` and `columns` are the third of the six pixels in both directions.
    """
    n, size = 0, out.shape[0]
    while n < size:
        j, i = rows[n] - 2, columns[n] - 2
        if j < 0 or i < 0 or j + 6 > model.shape[0] or i + 6 > model.shape[1]:
            out[n] = np.float32(np.nan)
            n += 1
            continue
        last = min(size, n + model.shape[1] - i - 5)
        stop = n + 1
        while stop < last and rows[stop] - 2 == j and columns[stop] - columns[n] == stop - n:
            stop += 1
        if stop - n < SHORTEST_RUN:
            for m in range(n, stop):
                out[m] = quintic_pixel(model, j, i + m - n, m, x_weights, y_weights)
        else:
            out[n:stop] = np.float32(0.0)
            quintic_run(model, j, i, n, stop, x_weights, y_weights, out)
        n = stop


@njit(cache=True, nogil=True, error_model="numpy")
def blot_rows(
    model: Float32, origin: tuple[int, int], arrays: MapArrays, first: int, out: Float32
) -> None:
    """Write what pixels see of an image.

    Parameters
    ----------
    model : float32, (ny, nx)
        NaN where unknown.
    origin : (int, int)
        Row and column of the grid that `model` begins with.
    arrays : MapArrays
    first : int
        Row of the map that `out` begins with.
    out : float32, (n, arrays.columns)
        Written; NaN where one of four neighbours is unknown.
    """
    size = arrays.columns
    places = np.empty((2, size))
    columns, rows = np.empty(size, np.int32), np.empty(size, np.int32)
    x_weights, y_weights = np.empty((6, size), np.float32), np.empty((6, size), np.float32)
    for y in range(out.shape[0]):
        map_row(arrays, first + y, 0, places)
        for n in range(size):
            # whole numbers are subtracted without error, so that a window shows the same
            places[0, n] -= origin[1]
            places[1, n] -= origin[0]
        quintic_weights(places[0], columns, x_weights)
        quintic_weights(places[1], rows, y_weights)
        quintic_row(model, rows, columns, x_weights, y_weights, out[y])
        for n in range(size):
            if np.isnan(out[y, n]):
                out[y, n] = linear_pixel(model, places[1, n], places[0, n])
