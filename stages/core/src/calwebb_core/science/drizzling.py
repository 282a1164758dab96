"""Some rows of an image onto some rows of a grid: weighted sums of several planes.

The square kernel is done here for all planes at once; the others by the `drizzle` library,
plane by plane. What is added up is ``sums``: for each pixel of the grid the sum of weights,
and for each plane the sum of weight times value.

One layer of a stack, band after band, from exposures that are read as they are needed:

>>> pixmaps = [PixelMap.of(e.wcs, grid, e.shape) for e in exposures]        # doctest: +SKIP
>>> for rows in bands(grid_shape):                                          # doctest: +SKIP
...     layer, weight = drizzle_layer(exposures, pixmaps, [0.0, 0.0], rows)
"""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calwebb_core.framework.models import Float32, UInt32
from calwebb_core.science.kernels.drizzle import drizzle_square, spread_flags
from calwebb_core.science.kernels.mosaic import fold_mean
from calwebb_core.science.pixelmap import PixelMap, Window
from calwebb_core.science.weights import GOOD_BITS, chunks, weighed_rows

Float64 = NDArray[np.float64]
NONE = np.empty((0, 0, 0))
NO_FLAGS = np.empty((0, 0), np.uint32)
# Bytes of the sums of a band of the output; what is done to a band takes a few times this.
BAND_BYTES = 1 << 26
# Of a pixel of a mosaic: sums of an image, sums over images, the planes that are made of them.
BAND_PIXEL_BYTES = 128
# Output pixels that a pixel may reach beyond its corners with kernels other than the square.
LIBRARY_REACH = 8


@dataclass(frozen=True)
class Drop:
    """The shape of a pixel as it falls on the grid.

    Attributes
    ----------
    kernel : str
        square, gaussian, point, turbo, lanczos2 or lanczos3; gaussian and lanczos don't keep
        the flux.
    pixfrac : float
        Side of the shrunken pixel.
    pixel_scale_ratio : float
        Output over input pixel scale; sets the size of gaussian, turbo and lanczos.
    """

    kernel: str = "square"
    pixfrac: float = 1.0
    pixel_scale_ratio: float = 1.0

    @property
    def is_square(self) -> bool:
        """Whether it is done here; a square without size is a point."""
        return self.kernel == "square" and self.pixfrac > 0

    @property
    def reach(self) -> int:
        """Rows of the grid beyond which a pixel has no effect, beside its corners."""
        return 0 if self.is_square else LIBRARY_REACH


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
) -> None:
    """Drizzle some rows of an image.

    Parameters
    ----------
    planes : float32, (nplanes, n, nx)
        Finite, unless `own` is used.
    weight : float32, (n, nx)
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
    """
    if not drop.is_square:
        by_library(planes, weight, first, pixmap, drop, corner, sums, own)
        return
    arrays = pixmap.arrays(first - 1, first + len(weight) + 1)
    box = (pixmap.box.y0, pixmap.box.y1)
    drizzle_square(planes, weight, first, arrays, box, drop.pixfrac, corner, sums, own)


def add_flags(
    flags: UInt32,
    weight: Float32,
    first: int,
    pixmap: PixelMap,
    drop: Drop,
    corner: tuple[int, int],
    out: UInt32,
) -> None:
    """Combine the flags of the pixels that have weight in an output pixel, by OR.

    Parameters
    ----------
    flags : uint32, (n, nx)
    out : uint32, (my, mx)
        Changed.
    weight, first, pixmap, drop, corner
        As in `add_planes`.
    """
    if not drop.is_square:
        zeros = np.zeros_like(weight)
        local = pixmap.rows(first, first + len(weight)) - np.array(corner[::-1], float)
        _, _, found = with_library(zeros, weight, local, out.shape, drop, flags)
        out |= found
        return
    arrays = pixmap.arrays(first - 1, first + len(weight) + 1)
    box = (pixmap.box.y0, pixmap.box.y1)
    spread_flags(flags, weight, first, arrays, box, drop.pixfrac, corner, out)


def by_library(
    planes: Float32,
    weight: Float32,
    first: int,
    pixmap: PixelMap,
    drop: Drop,
    corner: tuple[int, int],
    sums: Float64,
    own: Float64,
) -> None:
    """Drizzle with the `drizzle` library; parameters as in `add_planes`."""
    local = pixmap.rows(first, first + len(weight)) - np.array(corner[::-1], float)
    shape = sums.shape[1:]
    for number, plane in enumerate(planes):
        found, totals, _ = with_library(plane, weight, local, shape, drop)
        sums[1 + number] += found
        if number == 0:
            sums[0] += totals
        if own.size:
            own[number] += totals


def with_library(
    plane: Float32,
    weight: Float32,
    local: Float64,
    shape: tuple[int, ...],
    drop: Drop,
    flags: UInt32 | None = None,
) -> tuple[Float64, Float64, UInt32]:
    """Drizzle one plane with the `drizzle` library: sums, weights, and combined flags."""
    from drizzle.resample import Drizzle

    known = np.isfinite(plane)
    # the library loses pixels at the edges of its output: those are cut off
    ny, nx = shape
    drizzle = Drizzle(
        kernel=drop.kernel,
        fillval="0",
        out_shape=(ny + 2 * LIBRARY_REACH, nx + 2 * LIBRARY_REACH),
        disable_ctx=True,
    )
    with warnings.catch_warnings():
        # which kernels keep the flux is said where they are chosen
        warnings.filterwarnings("ignore", message=".*not a flux-conserving kernel")
        drizzle.add_image(
            np.where(known, plane, np.float32(0)),
            exptime=1.0,
            pixmap=local + float(LIBRARY_REACH),
            weight_map=np.where(known, weight, np.float32(0)),
            pixfrac=drop.pixfrac,
            pixel_scale_ratio=drop.pixel_scale_ratio,
            in_units="cps",
            dq=flags,
        )
    inner = (slice(LIBRARY_REACH, -LIBRARY_REACH),) * 2
    totals = drizzle.out_wht[inner].astype(np.float64)
    found = NO_FLAGS if flags is None else np.asarray(drizzle.out_dq[inner], np.uint32)
    return drizzle.out_img[inner] * totals, totals, found


def part_of(pixmap: PixelMap, rows: slice, drop: Drop) -> tuple[Window, slice] | None:
    """Return the part of a band of the grid that an image reaches, and the image's rows for it.

    Parameters
    ----------
    pixmap : PixelMap
    rows : slice
        The band.
    drop : Drop
    """
    whole = pixmap.reach()
    if whole is None:
        return None
    margin, (my, mx) = drop.reach, pixmap.grid_shape
    wanted = pixmap.rows_reaching(rows.start - margin, rows.stop - 1 + margin)
    y0, y1 = max(rows.start, whole.y0 - margin), min(rows.stop, my, whole.y1 + margin)
    if wanted.start >= wanted.stop or y0 >= y1:
        return None
    return Window(y0, y1, max(0, whole.x0 - margin), min(mx, whole.x1 + margin)), wanted


def drizzle_layer(
    exposures: Sequence[Any],
    pixmaps: Sequence[PixelMap],
    levels: Sequence[float],
    rows: slice,
    drop: Drop = Drop(),
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
        part = part_of(pixmap, rows, drop)
        if part is None:
            continue
        columns = (pixmap.box.x0, pixmap.box.x1)
        for some in chunks(part[1], exposure.shape[1]):
            values, weight = weighed_rows(exposure, some, columns, weight_type, good_bits, level)
            add_planes(values[None], weight, some.start, pixmap, drop, (rows.start, 0), sums)
    layer, total = np.empty(shape, np.float32), np.empty(shape, np.float32)
    fold_mean(sums, layer, total)
    return layer, total


def drizzle_planes(
    planes: Float32,
    weight: Float32,
    pixmap: Float64 | PixelMap,
    shape: tuple[int, int],
    drop: Drop = Drop(),
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
