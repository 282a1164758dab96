"""The shape of a pixel as it falls on a grid, and the shapes that the `drizzle` library does.

The library drizzles plane by plane. The square, which nearly everybody uses, is done by our own
kernels instead, see `calwebb_core.science.drizzling`.
"""

import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calwebb_core.framework.models import Float32, UInt32
from calwebb_core.science.pixelmap import PixelMap

Float64 = NDArray[np.float64]
NO_FLAGS = np.empty((0, 0), np.uint32)
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


SQUARE = Drop()


def local_map(
    pixmap: PixelMap, first: int, column: int, shape: tuple[int, ...], corner: tuple[int, int]
) -> Float64:
    """Return where some pixels of an image fall in a part of the grid that begins at `corner`."""
    places = pixmap.rows(first, first + shape[0])[:, column : column + shape[1]]
    local: Float64 = places - np.array(corner[::-1], float)
    return local


def by_library(
    planes: Float32,
    weight: Float32,
    first: int,
    pixmap: PixelMap,
    drop: Drop,
    corner: tuple[int, int],
    sums: Float64,
    own: Float64,
    column: int = 0,
) -> None:
    """Drizzle with the library; parameters as in `calwebb_core.science.drizzling.add_planes`."""
    local = local_map(pixmap, first, column, weight.shape, corner)
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


def library_flags(
    flags: UInt32,
    weight: Float32,
    first: int,
    pixmap: PixelMap,
    drop: Drop,
    corner: tuple[int, int],
    out: UInt32,
    column: int = 0,
) -> None:
    """Combine flags with the library; parameters as in `drizzling.add_flags`."""
    zeros = np.zeros_like(weight)
    local = local_map(pixmap, first, column, weight.shape, corner)
    _, _, found = with_library(zeros, weight, local, out.shape, drop, flags)
    out |= found
