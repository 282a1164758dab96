"""Which part of a grid some rows of an image reach, and which pixels reach a part of the grid.

The answers may hold a little more than is true, never less: positions are looked at on a
lattice, and the greatest step between neighbours says how far those left out can be.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calwebb_core.science.grid_window import Window, clipped
from calwebb_core.science.kernels.pixelmap import MapArrays, map_extents, map_lattice

Float64 = NDArray[np.float64]
Int64 = NDArray[np.int64]

# Columns whose positions are looked at for the extent of a row.
EXTENT_STEP = 4
# Rows and columns whose positions are kept.
LATTICE_STEP = 16
# The slope between nodes is not much more than that at the nodes.
SAFETY = 1.5


def lattice_lines(size: int) -> Int64:
    """Return every `LATTICE_STEP`-th row or column, and the last."""
    return np.append(np.arange(0, size - 1, LATTICE_STEP), size - 1)


@dataclass(frozen=True)
class Reach:
    """Where the pixels of an image lie on a grid, roughly.

    Attributes
    ----------
    box : Window
        Pixels of the image that have a position.
    grid_shape : (my, mx)
    extents : float64, (rows of the box, 4)
        Bounds of each row's pixels in the grid, corners included: least x, greatest x, least y,
        greatest y.
    heights : float32, (n, m)
        y in the grid on a lattice of rows and columns.
    margin : float
        How far in y a pixel's corners can be from those of the lattice around it.
    """

    box: Window
    grid_shape: tuple[int, int]
    extents: Float64
    heights: NDArray[np.float32]
    margin: float

    def window(self, rows: slice) -> Window | None:
        """Return the part of the grid that rows of the image reach, or None."""
        part = self.extents[max(0, rows.start - self.box.y0) : max(0, rows.stop - self.box.y0)]
        if not part.size:
            return None
        my, mx = self.grid_shape
        x0, x1 = clipped(part[:, 0].min(), part[:, 1].max(), mx)
        y0, y1 = clipped(part[:, 2].min(), part[:, 3].max(), my)
        return Window(y0, y1, x0, x1) if y1 > y0 and x1 > x0 else None

    def rows(self, first: int, last: int) -> slice:
        """Return the rows of the image that fall into grid rows `first` to `last`, included."""
        if not self.extents.size:
            return slice(0, 0)
        x_low, x_high, y_low, y_high = self.extents.T
        hit = (y_high > first - 0.5) & (y_low < last + 0.5)
        hit &= (x_high > -0.5) & (x_low < self.grid_shape[1] - 0.5)
        found = np.flatnonzero(hit)
        if not len(found):
            return slice(0, 0)
        return slice(self.box.y0 + int(found[0]), self.box.y0 + int(found[-1]) + 1)

    def columns(self, rows: slice, first: int, last: int) -> slice:
        """Return between which columns rows of the box fall into grid rows `first` to `last`."""
        low = (rows.start - self.box.y0) // LATTICE_STEP
        high = -(-(rows.stop - 1 - self.box.y0) // LATTICE_STEP) + 1
        some = self.heights[low:high]
        hit = (some > first - 0.5 - self.margin) & (some < last + 0.5 + self.margin)
        found = np.flatnonzero(hit.any(axis=0))
        if not len(found):
            return slice(self.box.x0, self.box.x0)
        left = self.box.x0 + (int(found[0]) - 1) * LATTICE_STEP + 1
        right = self.box.x0 + (int(found[-1]) + 1) * LATTICE_STEP
        return slice(max(self.box.x0, left), min(self.box.x1, right))


@dataclass
class Survey:
    """What `Reach` needs of a map, gathered from some rows after the other.

    Parameters
    ----------
    box : Window
    sides : (float, float)
        Distance of the map's values in rows and columns of the image.
    """

    box: Window
    sides: tuple[float, float]

    def __post_init__(self) -> None:
        # of rows and columns, in x and y
        self.steepest = np.zeros((2, 2))
        self.extents = np.empty((self.box.shape[0], 4))
        self.lines = lattice_lines(self.box.shape[0]), lattice_lines(self.box.shape[1])
        self.heights = np.empty((len(self.lines[0]), len(self.lines[1])), np.float32)

    def look(self, arrays: MapArrays, start: int, stop: int) -> None:
        """Look at rows `start` to `stop` - 1 of the box."""
        map_extents(arrays, self.box.y0 + start, EXTENT_STEP, self.extents[start:stop])
        rows, columns = self.lines
        low, high = np.searchsorted(rows, (start, stop))
        part = np.empty((high - low, len(columns), 2))
        map_lattice(arrays, self.box.y0 + rows[low:high], columns, part)
        self.heights[low:high] = part[..., 1]
        for axis, side in enumerate(self.sides):
            steps = np.abs(np.diff(arrays.values, axis=axis + 1)).max(axis=(1, 2), initial=0.0)
            self.steepest[axis] = np.maximum(self.steepest[axis], steps / side)

    def reach(self, grid_shape: tuple[int, int]) -> Reach:
        """Return what was found."""
        # Columns left out lie at most half the step from one that was looked at, corners half a
        # pixel beyond in both directions.
        steepest = max(1.0, float(self.steepest.max()))
        extents, margin = self.extents.copy(), SAFETY * (0.5 * EXTENT_STEP + 1.0) * steepest
        extents[:, 0::2] -= margin
        extents[:, 1::2] += margin
        margin = SAFETY * (0.5 * LATTICE_STEP + 1.0) * float(self.steepest[:, 1].sum())
        return Reach(self.box, grid_shape, extents, self.heights, margin)
