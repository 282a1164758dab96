"""IRS2: statistics of the reference samples, means over groups, weighting of spectra."""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from calwebb_detector1.kernels.types import Float32, Float64, Int64

Complex64 = NDArray[np.complex64]


@njit(cache=True, nogil=True, error_model="numpy")
def pair_statistics(frames: Float32, rows: Int64, found: Float64) -> None:
    """Measure how pairs of reads of the same reference pixels scatter.

    `frames` float32 (ngroups, ny, nx); `rows` int64 (npairs,): the first row of each pair, the
    other is the next. Writes into `found` (float64, 3, npairs) the mean absolute difference of
    the two reads, and mean and standard deviation of both, over all groups and columns.
    """
    ngroups, _, nx = frames.shape
    for k in range(rows.size):
        row = rows[k]
        total, apart = 0.0, 0.0
        for g in range(ngroups):
            for x in range(nx):
                first, second = frames[g, row, x], frames[g, row + 1, x]
                total += np.float64(first) + np.float64(second)
                apart += np.abs(np.float64(second - first))
        count = ngroups * nx
        mean = total / (2 * count)
        squares = 0.0
        for g in range(ngroups):
            for x in range(nx):
                squares += (frames[g, row, x] - mean) ** 2 + (frames[g, row + 1, x] - mean) ** 2
        found[0, k] = apart / count
        found[1, k] = mean
        found[2, k] = np.sqrt(squares / (2 * count))


@njit(cache=True, nogil=True, error_model="numpy")
def mean_of_groups(frames: Float32, rows: Int64, mean: Float32) -> None:
    """Write into `mean` (nrows, nx) the mean of some rows over the groups of `frames`."""
    ngroups, _, nx = frames.shape
    total = np.empty(nx, np.float64)
    for k in range(rows.size):
        total[:] = 0.0
        for g in range(ngroups):
            for x in range(nx):
                total[x] += frames[g, rows[k], x]
        for x in range(nx):
            mean[k, x] = total[x] / ngroups


@njit(cache=True, nogil=True, error_model="numpy")
def weigh(pixels: Complex64, beta: Complex64, output: Complex64, alpha: Complex64) -> None:
    """Turn the spectrum of the reference pixels into that of the drift, in place.

    beta x (reference pixels) + alpha x (reference output); all complex64 of one shape.
    """
    nrows, ncolumns = pixels.shape
    for row in range(nrows):
        for k in range(ncolumns):
            pixels[row, k] = beta[row, k] * pixels[row, k] + alpha[row, k] * output[row, k]


@njit(cache=True, nogil=True, error_model="numpy")
def read_rows(
    frame: Float32,
    rows: Int64,
    mean: Float32,
    start: Float64,
    slope: float,
    backwards: bool,
    out: Float32,
) -> None:
    """Write into `out` (nrows, nx), in the order of time, rows of a frame without what is steady.

    `mean` float32 (nrows, nx), along x as the frame; `start` float64 (nrows,): the straight line
    at x = 0 of each row, `slope` its rise from column to column.
    """
    nx = frame.shape[1]
    for k in range(rows.size):
        for x in range(nx):
            line = start[k] + slope * x
            late = nx - 1 - x if backwards else x
            out[k, late] = (frame[rows[k], x] - mean[k, x]) - line


@njit(cache=True, nogil=True, error_model="numpy")
def subtract_drift(
    frame: Float32,
    rows: Int64,
    drift: Float32,
    start: Float64,
    slope: float,
    backwards: bool,
    targets: Int64,
    out: Float32,
) -> None:
    """Write into the rows `targets` of `out` rows of a frame without their drift.

    `drift` float32 (nrows, nx) in the order of time; `start`, `slope` as in `read_rows`.
    """
    nx = frame.shape[1]
    for k in range(rows.size):
        for x in range(nx):
            line = start[k] + slope * x
            late = nx - 1 - x if backwards else x
            out[targets[k], x] = frame[rows[k], x] - (line + drift[k, late])
