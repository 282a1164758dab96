"""Some rows of an image onto some rows of a grid: weighted sums of several planes.

The square kernel is done here for all planes at once; the others by the `drizzle` library,
plane by plane. An exposure whose columns run along the rows of the grid is transposed first, a
part at a time, so that neighbours of a line are neighbours in the output. What is added up is
``sums``: for each pixel of the grid the sum of weights, and for each plane the sum of weight
times value.

One layer of a stack, band after band, from exposures that are read as they are needed:

>>> pixmaps = [PixelMap.of(e.wcs, grid, e.shape) for e in exposures]        # doctest: +SKIP
>>> for rows in bands(grid_shape):                                          # doctest: +SKIP
...     layer, weight = drizzle_layer(exposures, pixmaps, [0.0, 0.0], rows)
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calwebb_core.framework.models import Float32, UInt32
from calwebb_core.science.drop_shapes import SQUARE, Drop, by_library, library_flags
from calwebb_core.science.grid_window import Window
from calwebb_core.science.kernels.drizzle import drizzle_square, spread_flags
from calwebb_core.science.kernels.mosaic import fold_mean
from calwebb_core.science.pixelmap import PixelMap
from calwebb_core.science.weights import GOOD_BITS, chunks, weighed

Float64 = NDArray[np.float64]
NONE = np.empty((0, 0, 0))
# Bytes of the sums of a band of the output; what is done to a band takes a few times this.
BAND_BYTES = 1 << 26
# Of a pixel of a mosaic: sums of an image, sums over images, the planes that are made of them.
BAND_PIXEL_BYTES = 128
# So many times the rows of an image are read at once if few of its columns reach a band.
TURNED_TIMES = 4


def bands(grid_shape: tuple[int, int], pixel_bytes: int = BAND_PIXEL_BYTES) -> list[slice]:
    """Divide the rows of a grid into bands that take a bounded amount of memory.

    Parameters
    ----------
    grid_shape : (ny, nx)
    pixel_bytes : int
        What is held for each pixel of a band.
    """
    ny, nx = grid_shape
    most = max(16, BAND_BYTES // (pixel_bytes * nx))
    number = -(-ny // most)
    step = -(-ny // number)
    return [slice(start, min(ny, start + step)) for start in range(0, ny, step)]


def add_planes(
    planes: Float32,
    weight: Float32,
    first: int,
    pixmap: PixelMap,
    drop: Drop,
    corner: tuple[int, int],
    sums: Float64,
    own: Float64 = NONE,
    column: int = 0,
) -> None:
    """Drizzle some pixels of an image.

    Parameters
    ----------
    planes : float32, (nplanes, n, m)
        Finite, unless `own` is used.
    weight : float32, (n, m)
    first : int
        The row of the image that `planes` begin with.
    pixmap : PixelMap
        Its box holds these rows.
    drop : Drop
    corner : (int, int)
        Row and column of the grid that `sums` begin with.
    sums : float64, (1 + nplanes, my, mx)
        Added to.
    own : float64, (nplanes, my, mx), optional
        Added to: the weights of each plane where it is finite.
    column : int
        The column of the image that `planes` begin with.
    """
    if not drop.is_square:
        by_library(planes, weight, first, pixmap, drop, corner, sums, own, column)
        return
    if pixmap.lie.turned:
        planes, weight = transposed(planes), transposed(weight)
        pixmap, first, column = pixmap.transposed, column, first
    # transposed, it is the rows that may go beyond the box
    box = pixmap.box
    low, high = max(first, box.y0), min(first + weight.shape[0], box.y1)
    left, right = max(column, box.x0), min(column + weight.shape[1], box.x1)
    if low >= high or left >= right:
        return
    placed = pixmap.placed(slice(low, high), slice(left, right))
    planes = np.ascontiguousarray(planes[:, low - first : high - first])
    weight, begin = weight[low - first : high - first], (low, left - column)
    drizzle_square(planes, weight, begin, placed, drop.pixfrac, corner, sums, own)


def transposed(array: Float32) -> Float32:
    """Return an array with its last two axes exchanged."""
    return np.ascontiguousarray(array.swapaxes(-1, -2))


def add_flags(
    flags: UInt32,
    weight: Float32,
    first: int,
    pixmap: PixelMap,
    drop: Drop,
    corner: tuple[int, int],
    out: UInt32,
    column: int = 0,
) -> None:
    """Combine the flags of the pixels that have weight in an output pixel, by OR.

    Parameters
    ----------
    flags : uint32, (n, m)
    out : uint32, (my, mx)
        Changed.
    weight, first, pixmap, drop, corner, column
        As in `add_planes`.
    """
    if not drop.is_square:
        library_flags(flags, weight, first, pixmap, drop, corner, out, column)
        return
    box = pixmap.box
    left, right = max(column, box.x0), min(column + weight.shape[1], box.x1)
    if left >= right:
        return
    placed = pixmap.placed(slice(first, first + len(weight)), slice(left, right))
    spread_flags(flags, weight, (first, left - column), placed, drop.pixfrac, corner, out)


@dataclass(frozen=True)
class Part:
    """The part of a band of the grid that an image reaches, and the image's pixels for it.

    Attributes
    ----------
    window : Window
        Of the grid.
    pieces : list of (slice, slice)
        Rows and columns of the image that are to be read, one piece after the other.
    """

    window: Window
    pieces: list[tuple[slice, slice]]

    @classmethod
    def of(cls, pixmap: PixelMap, rows: slice, drop: Drop) -> "Part | None":
        """Return the part for a band of rows, or None if nothing of the image falls there."""
        whole = pixmap.reach()
        if whole is None:
            return None
        margin, (my, mx) = drop.reach, pixmap.grid_shape
        first, last = rows.start - margin, rows.stop - 1 + margin
        wanted = pixmap.rows_reaching(first, last)
        y0, y1 = max(rows.start, whole.y0 - margin), min(rows.stop, my, whole.y1 + margin)
        if wanted.start >= wanted.stop or y0 >= y1:
            return None
        pieces = [
            (some, pixmap.columns_reaching(some, first, last))
            for some in chunks(wanted, pixmap.shape[1], TURNED_TIMES if pixmap.lie.turned else 1)
        ]
        window = Window(y0, y1, max(0, whole.x0 - margin), min(mx, whole.x1 + margin))
        return cls(window, [(y, x) for y, x in pieces if x.start < x.stop])


def drizzle_layer(
    exposures: Sequence[Any],
    pixmaps: Sequence[PixelMap],
    levels: Sequence[float],
    rows: slice,
    drop: Drop = SQUARE,
    *,
    weight_type: str | None = "ivm",
    good_bits: int | str = GOOD_BITS,
) -> tuple[Float32, Float32]:
    """Drizzle exposures into one layer, in a band of rows of the grid.

    Parameters
    ----------
    exposures : sequence of Exposure
        Those that don't reach the band are not read.
    pixmaps : sequence of PixelMap
        To the same grid.
    levels : sequence of float
        Sky level to subtract from each.
    rows : slice
        Rows of the grid.
    drop : Drop
    weight_type, good_bits
        As in `calwebb_core.science.weights.input_weight`.

    Returns
    -------
    layer : float32, (n, mx)
        Weighted mean; NaN where nothing falls.
    weight : float32, (n, mx)
    """
    shape = (rows.stop - rows.start, pixmaps[0].grid_shape[1])
    sums = np.zeros((2, *shape))
    for exposure, pixmap, level in zip(exposures, pixmaps, levels, strict=True):
        part = Part.of(pixmap, rows, drop)
        for some, columns in part.pieces if part else ():
            values, weight = weighed(exposure, some, columns, weight_type, good_bits, level)
            corner = rows.start, 0
            add_planes(
                values[None], weight, some.start, pixmap, drop, corner, sums, column=columns.start
            )
    layer, total = np.empty(shape, np.float32), np.empty(shape, np.float32)
    fold_mean(sums, layer, total)
    return layer, total


def drizzle_planes(
    planes: Float32,
    weight: Float32,
    pixmap: Float64 | PixelMap,
    shape: tuple[int, int],
    drop: Drop = SQUARE,
) -> tuple[Float64, Float64]:
    """Drizzle planes of one image that is in memory.

    Parameters
    ----------
    planes : float32, (nplanes, ny, nx)
        A plane that is NaN somewhere has no weight there.
    weight : float32, (ny, nx)
    pixmap : PixelMap, or float64 (ny, nx, 2)
    shape : (my, mx)
        Shape of the output.
    drop : Drop

    Returns
    -------
    float64, (nplanes, my, mx), twice
        Sums of weight times value, and sums of weight.
    """
    if not isinstance(pixmap, PixelMap):
        pixmap = PixelMap.from_array(pixmap, shape)
    sums, own = np.zeros((1 + len(planes), *shape)), np.zeros((len(planes), *shape))
    box = pixmap.box
    add_planes(
        np.ascontiguousarray(planes[:, box.y0 : box.y1]),
        np.ascontiguousarray(weight[box.y0 : box.y1]),
        box.y0, pixmap, drop, (0, 0), sums, own,
    )  # fmt: skip
    return sums[1:], own
