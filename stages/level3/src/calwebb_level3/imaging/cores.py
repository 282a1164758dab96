"""Windows around sources, and which of their cores are saturated or hold no data."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calwebb_level3.imaging.background import Mesh
from calwebb_level3.imaging.pixels import Pixels
from calwebb_level3.kernels.apertures import subtract

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]
Int64 = NDArray[np.int64]
Bools = NDArray[np.bool_]

# A pixel with less than this part of the weight around it has lost groups to saturation, or
# exposures: what is left was taken where the star is fainter.
LEAST_WEIGHT = 0.8
# Where the weight around a core is measured, in units of the window's half side.
OUTSIDE = 0.6
# Radius in widths of a star within which its core lies, and half the side of the window.
CORE, AROUND = 1.2, 4.0
# Radius in widths within which weak pixels belong to the core.
RIM = 2.5


@dataclass(frozen=True)
class Windows:
    """Squares of pixels around sources.

    Attributes
    ----------
    pixels : Pixels
    background : Mesh
    columns : float64, (mx, nx)
        Weights of the background's boxes.
    """

    pixels: Pixels
    background: Mesh
    columns: Float64

    @classmethod
    def of(cls, pixels: Pixels, background: Mesh) -> "Windows":
        """Return windows of an image."""
        return cls(pixels, background, background.columns())

    def clean(self, x: int, y: int, half: int) -> Float32:
        """Return data without background around a pixel; NaN where there are none.

        Returns
        -------
        float32, (2 half + 1, 2 half + 1)
        """
        rows, across, out = self._frame(x, y, half)
        data, err = self.pixels.window(rows, across)
        clean = np.empty(data.shape, np.float32)
        columns = np.ascontiguousarray(self.columns[:, slice(*across)])
        subtract(data, err, self.background.rows(*rows), columns, clean)
        self._put(out, clean, x, y, half)
        return out

    def weak(self, x: int, y: int, half: int) -> Bools:
        """Return which pixels around one have no data, or much less weight than the others.

        Pixels beyond the edges aren't among them.
        """
        rows, across, out = self._frame(x, y, half)
        data, err = self.pixels.window(rows, across)
        bad = ~(np.isfinite(data) & np.isfinite(err) & (err > 0))
        if self.pixels.weight is not None:
            weight = self.pixels.weight(*rows)[:, slice(*across)]
            v = np.arange(rows[0], rows[1])[:, np.newaxis] - y
            u = np.arange(across[0], across[1]) - x
            # Where fewer exposures reach, the weight is low over more than a core.
            there = weight[~bad & (u**2 + v**2 > (half * OUTSIDE) ** 2)]
            if there.size:
                bad |= weight < LEAST_WEIGHT * np.sort(there)[there.size // 10]
        self._put(out, bad.astype(np.float32), x, y, half)
        return np.asarray(out == 1)

    def _frame(self, x: int, y: int, half: int) -> tuple[tuple[int, int], tuple[int, int], Float32]:
        ny, nx = self.pixels.shape
        rows = (max(0, y - half), min(ny, y + half + 1))
        across = (max(0, x - half), min(nx, x + half + 1))
        return rows, across, np.full((2 * half + 1, 2 * half + 1), np.nan, np.float32)

    @staticmethod
    def _put(out: Float32, values: Float32, x: int, y: int, half: int) -> None:
        low, left = max(0, half - y), max(0, half - x)
        out[low : low + values.shape[0], left : left + values.shape[1]] = values


def damaged(windows: Windows, x: Int64, y: Int64, fwhm: float) -> Bools:
    """Return which of the stars at some pixels have weak pixels in their cores, bool (n,)."""
    half = int(np.ceil(AROUND * fwhm))
    offset = np.arange(-half, half + 1)
    core = np.hypot(offset, offset[:, np.newaxis]) <= max(1.0, CORE * fwhm)
    return np.array(
        [windows.weak(int(i), int(j), half)[core].any() for i, j in zip(x, y, strict=True)], bool
    )


def core_centres(windows: Windows, places: Float64, fwhm: float) -> Float64:
    """Return where the cores of damaged stars are: the middle of their weak pixels, (n, 2).

    The brightest pixel of a star without a core lies on the ring around it.
    """
    half = int(np.ceil(AROUND * fwhm))
    offset = np.arange(-half, half + 1)
    near = np.hypot(offset, offset[:, np.newaxis]) <= RIM * fwhm
    result = places.copy()
    for place in result:
        x, y = (round(float(value)) for value in place)
        rows, columns = np.nonzero(windows.weak(x, y, half) & near)
        if len(rows):
            place[:] = x + columns.mean() - half, y + rows.mean() - half
    return result
