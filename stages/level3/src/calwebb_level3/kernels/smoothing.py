"""Clean, weight and smooth the rows of an image; boxes of it, sorted."""

import numpy as np
from numba import njit


@njit(cache=True, nogil=True, error_model="numpy")
def prepare(data, err, mesh_rows, columns, unit, out):
    """Subtract the background and weight by the inverse variance.

    Parameters
    ----------
    data, err : float32, (n, nx)
        Not finite where there are no data.
    mesh_rows : float64, (n, m)
        Background of each row at the nodes along x.
    columns : float64, (m, nx)
        Weight of each node in each column.
    unit : float
        Typical error: weights are ``(unit / err)**2``.
    out : float32, (4, n, nx)
        data without background, the same times weight, weight, variance in squared units;
        all 0 where there are no data.
    """
    n, nx = data.shape
    level = np.empty(nx)
    unit = np.float32(unit)
    for y in range(n):
        level[:] = 0.0
        for node in range(len(columns)):
            value, share = mesh_rows[y, node], columns[node]
            for x in range(nx):
                level[x] += value * share[x]
        for x in range(nx):
            value, error = data[y, x], err[y, x] / unit
            variance = error * error
            if np.isfinite(value) and variance > 0 and np.isfinite(variance):
                clean, weight = value - np.float32(level[x]), np.float32(1.0) / variance
            else:
                clean, weight, variance = np.float32(0), np.float32(0), np.float32(0)
            out[0, y, x] = clean
            out[1, y, x] = clean * weight
            out[2, y, x] = weight
            out[3, y, x] = variance


@njit(cache=True, nogil=True, error_model="numpy")
def smooth_rows(image, weights, first, out):
    """Convolve rows of an image with a separable symmetric kernel; 0 beyond the edges.

    Parameters
    ----------
    image : float32, (n, nx)
    weights : float32, (2 half + 1,)
    first : int
        Row of `image` that is the first one of `out`.
    out : float32, (m, nx)
    """
    n, nx = image.shape
    half = len(weights) // 2
    line = np.zeros(nx + 2 * half, np.float32)
    inner = line[half : half + nx]
    for y in range(len(out)):
        inner[:] = np.float32(0)
        for k in range(len(weights)):
            row = first + y + k - half
            if 0 <= row < n:
                share, values = weights[k], image[row]
                for x in range(nx):
                    inner[x] += share * values[x]
        target = out[y]
        target[:] = np.float32(0)
        for k in range(len(weights)):
            share, shifted = weights[k], line[k : k + nx]
            for x in range(nx):
                target[x] += share * shifted[x]


@njit(cache=True, nogil=True, error_model="numpy")
def divide_by_root(signal, power, weight, factor):
    """Divide `signal` by the root of `factor` times `power`, in place; 0 without weight."""
    n, nx = signal.shape
    for y in range(n):
        for x in range(nx):
            variance = factor * power[y, x]
            if weight[y, x] > 0 and variance > 0:
                signal[y, x] /= np.float32(np.sqrt(variance))
            else:
                signal[y, x] = np.float32(0)


@njit(cache=True, nogil=True, error_model="numpy")
def reach_of_data(data, err, top, columns, rows):
    """Note the first and last usable pixel of columns and rows.

    Parameters
    ----------
    data, err : float32, (n, nx)
    top : int
        Row of the mosaic that `data` begins with.
    columns : int64, (2, nx)
        First and last usable row of each column so far; updated.
    rows : int64, (2, n)
        First and last usable column of each row; written.
    """
    n, nx = data.shape
    for y in range(n):
        rows[0, y], rows[1, y] = nx, -1
        for x in range(nx):
            if np.isfinite(data[y, x]) and np.isfinite(err[y, x]) and err[y, x] > 0:
                rows[0, y] = min(rows[0, y], x)
                rows[1, y] = max(rows[1, y], x)
                columns[0, x] = min(columns[0, x], top + y)
                columns[1, x] = max(columns[1, x], top + y)
