"""One image onto the part of a grid that it reaches: weighted means of several planes.

The square kernel is done here for all planes at once; the others by the `drizzle` library,
plane by plane.
"""

import math
import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calwebb_core.framework.models import Float32

Float64 = NDArray[np.float64]


@dataclass(frozen=True)
class Window:
    """The part of the output that one input reaches: rows and columns."""

    y0: int
    y1: int
    x0: int
    x1: int

    @classmethod
    def around(cls, pixmap: Float64, shape: tuple[int, int], margin: int = 4) -> "Window | None":
        """Return the window a pixel map reaches, or None if it misses the output."""
        bounds = []
        for axis, size in ((1, shape[0]), (0, shape[1])):
            values = pixmap[..., axis]
            if not np.any(np.isfinite(values)):
                return None
            low = max(0, math.floor(np.nanmin(values)) - margin)
            high = min(size, math.ceil(np.nanmax(values)) + margin + 1)
            if high <= low:
                return None
            bounds += [low, high]
        return cls(*bounds)

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.y1 - self.y0, self.x1 - self.x0

    @property
    def slices(self) -> tuple[slice, slice]:
        """Index of the window in the output arrays."""
        return slice(self.y0, self.y1), slice(self.x0, self.x1)

    def local(self, pixmap: Float64) -> Float64:
        """Return a pixel map counted from the window's first pixel."""
        local: Float64 = pixmap - np.array([float(self.x0), float(self.y0)])
        return local


def drizzle_planes(
    planes: Float32,
    weight: Float32,
    pixmap: Float64,
    shape: tuple[int, int],
    *,
    kernel: str = "square",
    pixfrac: float = 1.0,
    pixel_scale_ratio: float = 1.0,
) -> tuple[Float64, Float64]:
    """Drizzle planes of one image.

    Parameters
    ----------
    planes : float32, (nplanes, ny, nx)
        A plane that is NaN somewhere has no weight there.
    weight : float32, (ny, nx)
    pixmap : float64, (ny, nx, 2)
    shape : (my, mx)
        Shape of the output.
    kernel : str
        square, gaussian, point, turbo, lanczos2 or lanczos3; gaussian and lanczos don't keep
        the flux.
    pixfrac : float
        Side of the shrunken pixel.
    pixel_scale_ratio : float
        Output over input pixel scale; sets the size of gaussian, turbo and lanczos.

    Returns
    -------
    float64, (nplanes, my, mx), twice
        Sums of weight times value, and sums of weight.
    """
    if kernel == "square" and pixfrac > 0:
        return square(planes, weight, pixmap, shape, pixfrac)
    options = {"kernel": kernel, "pixfrac": pixfrac, "pixel_scale_ratio": pixel_scale_ratio}
    found = [by_library(plane, weight, pixmap, shape, options) for plane in planes]
    return np.stack([sums for sums, _ in found]), np.stack([totals for _, totals in found])


def square(
    planes: Float32, weight: Float32, pixmap: Float64, shape: tuple[int, int], pixfrac: float
) -> tuple[Float64, Float64]:
    """Drizzle with the square kernel."""
    from calwebb_core.science.kernels.drizzle import drizzle_square, row_extents, shared_corners

    sums, totals = np.zeros((len(planes), *shape)), np.zeros((len(planes), *shape))
    extents = np.empty((weight.shape[0], 3))
    corners = np.empty((weight.shape[0] + 1, weight.shape[1] + 1, 2))
    shared_corners(pixmap, corners)
    row_extents(pixmap, corners, weight, 0.5 * pixfrac, extents)
    drizzle_square(planes, weight, pixmap, corners, 0.5 * pixfrac, extents, sums, totals)
    return sums, totals


def by_library(
    plane: Float32,
    weight: Float32,
    pixmap: Float64,
    shape: tuple[int, int],
    options: dict[str, object],
) -> tuple[Float64, Float64]:
    """Drizzle one plane with the `drizzle` library."""
    from drizzle.resample import Drizzle

    known = np.isfinite(plane)
    drizzle = Drizzle(kernel=options["kernel"], fillval="0", out_shape=shape, disable_ctx=True)
    with warnings.catch_warnings():
        # which kernels keep the flux is said where they are chosen
        warnings.filterwarnings("ignore", message=".*not a flux-conserving kernel")
        drizzle.add_image(
            np.where(known, plane, np.float32(0)),
            exptime=1.0,
            pixmap=pixmap,
            weight_map=np.where(known, weight, np.float32(0)),
            pixfrac=options["pixfrac"],
            pixel_scale_ratio=options["pixel_scale_ratio"],
            in_units="cps",
        )
    totals = drizzle.out_wht.astype(np.float64)
    return drizzle.out_img * totals, totals
