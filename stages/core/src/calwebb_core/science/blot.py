"""The look of an image on a grid in the pixels of an exposure, the reverse of drizzling.

A polynomial of fifth order in both directions keeps the cores of undersampled stars (with
linear interpolation their peaks are lost, and the stars are taken for outliers).
"""

import numpy as np

from calwebb_core.framework.models import Float32
from calwebb_core.science.kernels.blot import blot_rows
from calwebb_core.science.pixelmap import PixelMap

# Pixels around a place that are looked at.
REACH = 3


def blot(
    model: Float32,
    pixmap: PixelMap,
    rows: slice = slice(None),
    origin: tuple[int, int] = (0, 0),
) -> Float32:
    """Return an image on a grid as some rows of an exposure see it.

    Where one of the six by six pixels around a place is unknown, the nearest four are
    interpolated linearly.

    Parameters
    ----------
    model : float32, (my, mx)
        The image or a window of it, NaN where unknown.
    pixmap : PixelMap
        From the exposure to the grid.
    rows : slice
        Rows of the exposure, with step 1.
    origin : (int, int)
        Row and column of the grid that `model` begins with. What is not in `model` is unknown:
        `rows_to_blot` says which rows are needed.

    Returns
    -------
    float32, (n, nx)
        NaN outside of `model`, next to its unknown pixels, and outside of the exposure's box.

    >>> needed = rows_to_blot(pixmap, slice(0, 512))  # doctest: +SKIP
    >>> seen = blot(median.read(needed), pixmap, slice(0, 512), (needed.start, 0))  # doctest: +SKIP
    """
    start, stop, _ = rows.indices(pixmap.shape[0])
    out = np.full((max(0, stop - start), pixmap.shape[1]), np.nan, np.float32)
    box = pixmap.box
    first, last = max(start, box.y0), min(stop, box.y1)
    if first >= last or not model.size:
        return out
    seen = np.empty((last - first, box.shape[1]), np.float32)
    model = np.ascontiguousarray(model, np.float32)
    blot_rows(model, origin, pixmap.arrays(first, last), first, seen)
    out[first - start : last - start, box.x0 : box.x1] = seen
    return out


def rows_to_blot(pixmap: PixelMap, rows: slice = slice(None)) -> slice:
    """Return the rows of the grid that `blot` looks at for some rows of an exposure."""
    window = pixmap.reach(rows)
    if window is None:
        return slice(0, 0)
    return slice(max(0, window.y0 - REACH), min(pixmap.grid_shape[0], window.y1 + REACH))
