"""Medians and quartiles along time of a window that moves with it.

The window's values are kept in order, a whole row of pixels at a time: to take one value out and
another in needs one pass of comparisons over them, which the processor does for several pixels
at once.
"""

import numpy as np
from numba import njit

# Fewer values tell no scatter.
LEAST = 8
# Quartile range of a normal distribution, in standard deviations.
QUARTILES = np.float32(1 / 1.349)


@njit(cache=True, nogil=True, error_model="numpy")
def exchange(window, out, into, before):
    """Take a value of each pixel out of the sorted window and put another in its place.

    Parameters
    ----------
    window : float32, (width, nx)
        Sorted along its first axis; changed.
    out, into : float32, (nx,)
        Infinite where a value is unknown.
    before : float32, (nx,)
        Overwritten.
    """
    width, nx = window.shape
    infinite = np.float32(np.inf)
    before[:] = -infinite
    for k in range(width - 1):
        here, after = window[k], window[k + 1]
        for x in range(nx):
            rest = here[x] if here[x] < out[x] else after[x]
            low = max(before[x], into[x])
            before[x] = rest
            here[x] = min(rest, low)
    here = window[width - 1]
    for x in range(nx):
        rest = here[x] if here[x] < out[x] else infinite
        here[x] = min(rest, max(before[x], into[x]))


@njit(cache=True, nogil=True, error_model="numpy")
def read_window(window, counts, median, spread):
    """Write median and scatter of the known values of each pixel.

    Parameters
    ----------
    window : float32, (width, nx)
    counts : int32, (nx,)
        Known values.
    median : float32, (nx,)
        NaN if there is none.
    spread : float32, (nx,)
        From the quartiles, in standard deviations of a normal distribution; NaN with fewer than
        `LEAST` values.
    """
    for x in range(counts.shape[0]):
        n = counts[x]
        if n == 0:
            median[x] = np.float32(np.nan)
        else:
            median[x] = np.float32(0.5) * (window[(n - 1) // 2, x] + window[n // 2, x])
        if n < LEAST:
            spread[x] = np.float32(np.nan)
        else:
            spread[x] = QUARTILES * (window[n - 1 - n // 4, x] - window[n // 4, x])


@njit(cache=True, nogil=True, error_model="numpy")
def take_row(cube, y, values):
    """Copy a row of all images; what is unknown becomes infinite, to come after all others."""
    infinite = np.float32(np.inf)
    for t in range(cube.shape[0]):
        row, line = cube[t, y], values[t]
        for x in range(row.shape[0]):
            line[x] = infinite if np.isnan(row[x]) else row[x]


@njit(cache=True, nogil=True, error_model="numpy")
def count(line, counts, step):
    """Add a step to the counts of pixels whose value is known."""
    infinite, much, nothing = np.float32(np.inf), np.int32(step), np.int32(0)
    for x in range(line.shape[0]):
        counts[x] += much if line[x] < infinite else nothing


@njit(cache=True, nogil=True, error_model="numpy")
def roll_row(cube, y, starts, width, median, spread):
    """Do what `rolling` does for one row of pixels."""
    n, _, nx = cube.shape
    values = np.empty((n, nx), np.float32)
    take_row(cube, y, values)
    window = np.full((width, nx), np.float32(np.inf), np.float32)
    unknown = np.full(nx, np.float32(np.inf), np.float32)
    counts, before = np.zeros(nx, np.int32), np.empty(nx, np.float32)
    first, last = starts[0], starts[0]
    for t in range(starts.shape[0]):
        while last < starts[t] + width:
            stale = unknown
            if last - first == width:
                stale = values[first]
                count(stale, counts, -1)
                first += 1
            count(values[last], counts, 1)
            exchange(window, stale, values[last], before)
            last += 1
        read_window(window, counts, median[t, y], spread[t, y])


@njit(cache=True, nogil=True, error_model="numpy")
def rolling(cube, starts, width, first, stop, median, spread):
    """Take the median and the scatter along time in a moving window, ignoring NaN.

    Parameters
    ----------
    cube : float32, (n, ny, nx)
    starts : int64, (m,)
        First image of each window, never decreasing; ``starts[-1] + width <= n``.
    width : int
    first, stop : int
        Rows of the images that are done.
    median, spread : float32, (m, ny, nx)
        Written; see `read_window`.
    """
    for y in range(first, stop):
        roll_row(cube, y, starts, width, median, spread)
