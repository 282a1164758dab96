"""Connected pixels above a threshold, band by band."""

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def find(parent, label):
    """Return the root of a label, shortening the way to it."""
    while parent[label] != label:
        parent[label] = parent[parent[label]]
        label = parent[label]
    return label


@njit(cache=True, nogil=True)
def join(parent, first, second):
    """Make two labels one, under the smaller root; return it."""
    first, second = find(parent, first), find(parent, second)
    if first == second:
        return first
    low, high = min(first, second), max(first, second)
    parent[high] = low
    return low


@njit(cache=True, nogil=True)
def at_outer_edge(y, x, shape, columns, rows):
    """Say whether a usable pixel touches what lies outside of the mosaic's data."""
    ny, nx = shape
    if y == 0 or x == 0 or y == ny - 1 or x == nx - 1:
        return True
    for v in range(y - 1, y + 2):
        for u in range(x - 1, x + 2):
            if v < columns[0, u] or v > columns[1, u] or u < rows[0, v] or u > rows[1, v]:
                return True
    return False


@njit(cache=True, nogil=True, error_model="numpy")
def gather(snr, noise_rows, columns_of_mesh, threshold, top, shape, reach_columns, reach_rows, out):
    """Collect the pixels above the threshold of a band, in the order of rows.

    Parameters
    ----------
    snr : float32, (n, nx)
        Signal to noise before it is scaled to the scatter of the image.
    noise_rows : float64, (n, m); columns_of_mesh : float64, (m, nx)
        Scatter of `snr` as `prepare` takes the background.
    threshold : float
    top : int
        Row of the mosaic that the band begins with.
    shape : (int, int)
        Of the mosaic.
    reach_columns : int64, (2, nx); reach_rows : int64, (2, ny)
        As `smoothing.reach_of_data` notes them, of the whole mosaic.
    out : int64, (k,)
        Flat indices in the mosaic.

    Returns
    -------
    int
        How many there are; only the first k are stored.
    """
    n, nx = snr.shape
    level = np.empty(nx)
    count = 0
    for y in range(n):
        level[:] = 0.0
        for node in range(len(columns_of_mesh)):
            value, share = noise_rows[y, node], columns_of_mesh[node]
            for x in range(nx):
                level[x] += value * share[x]
        for x in range(nx):
            if snr[y, x] > threshold * level[x] and not at_outer_edge(
                top + y, x, shape, reach_columns, reach_rows
            ):
                if count < len(out):
                    out[count] = (top + y) * nx + x
                count += 1
    return count


@njit(cache=True, nogil=True)
def connect(places, index, nx, corners):
    """Return the segment of each pixel: connected pixels have the same number.

    Parameters
    ----------
    places : int64, (n,)
        Flat indices, ascending.
    index : int32, (ny, nx)
        Position + 1 in `places` of each pixel, 0 of the others.
    nx : int
    corners : bool
        Whether pixels that touch at a corner are connected.

    Returns
    -------
    int32, (n,)
        Position of the segment's first pixel.
    """
    parent = np.arange(len(places)).astype(np.int32)
    for i in range(len(places)):
        y, x = places[i] // nx, places[i] % nx
        if x > 0 and index[y, x - 1] > 0:
            join(parent, i, index[y, x - 1] - 1)
        if y == 0:
            continue
        if index[y - 1, x] > 0:
            join(parent, i, index[y - 1, x] - 1)
        if corners and x > 0 and index[y - 1, x - 1] > 0:
            join(parent, i, index[y - 1, x - 1] - 1)
        if corners and x + 1 < nx and index[y - 1, x + 1] > 0:
            join(parent, i, index[y - 1, x + 1] - 1)
    for i in range(len(places)):
        parent[i] = find(parent, i)
    return parent
