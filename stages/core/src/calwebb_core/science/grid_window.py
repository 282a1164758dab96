"""Parts of a grid, the part of an image that has positions, and how one lies in the other."""

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Float64 = NDArray[np.float64]
# Where rows of an image are so much steeper in the grid than its columns (68 degrees), columns
# have more neighbours that are neighbours in a row of the grid.
STEEP = 2.5


@dataclass(frozen=True)
class Window:
    """A part of a grid: rows y0 to y1 and columns x0 to x1, the last ones excluded."""

    y0: int
    y1: int
    x0: int
    x1: int

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.y1 - self.y0, self.x1 - self.x0

    @property
    def slices(self) -> tuple[slice, slice]:
        """Index of the window in the output arrays."""
        return slice(self.y0, self.y1), slice(self.x0, self.x1)

    def within(self, first: int) -> "Window":
        """Return the same part, with rows counted from row `first` of the grid."""
        return Window(self.y0 - first, self.y1 - first, self.x0, self.x1)


EMPTY = Window(0, 0, 0, 0)


def clipped(low: float, high: float, size: int) -> tuple[int, int]:
    """Return the pixels of an axis that an interval of positions touches."""
    return max(0, math.floor(low + 0.5)), min(size, math.floor(high + 0.5) + 1)


def usable_box(
    box: tuple[tuple[float, float], tuple[float, float]], shape: tuple[int, ...]
) -> Window:
    """Return the pixels whose centres are inside of a bounding box."""
    limits = []
    for (low, high), size in zip(box[::-1], shape[-2:], strict=True):
        limits += [max(0, math.ceil(low)), min(size, math.floor(high) + 1)]
    y0, y1, x0, x1 = limits
    return Window(y0, y1, x0, x1) if y1 > y0 and x1 > x0 else EMPTY


class Lie(NamedTuple):
    """How the pixels of an image lie in a grid.

    Attributes
    ----------
    turned : bool
        Whether columns run along the rows of the grid, rather than rows.
    quarter : int
        Which corner of a pixel is at the lower left, counted as left and right of the lower
        side, right and left of the upper.
    turn : int
        1 if the next corners run counter-clockwise, -1 if clockwise.
    order : int
        -1 if neighbours in a row follow from right to left, else 1.
    """

    turned: bool
    quarter: int
    turn: int
    order: int

    @classmethod
    def of(cls, along: Float64, up: Float64) -> "Lie":
        """Return it from the steps in the grid to the next column and to the next row."""
        (along_x, along_y), (up_x, up_y) = along, up
        turned = bool(abs(up_x) > STEEP * abs(along_x))
        order = -1 if along_x < -abs(along_y) else 1
        turn = 1
        if along_x * up_y < along_y * up_x:
            along_x, along_y, turn = up_x, up_y, -1
        if abs(along_x) >= abs(along_y):
            quarter = 0 if along_x > 0.0 else 2
        else:
            quarter = 3 if along_y > 0.0 else 1
        return cls(turned, turn * quarter % 4, turn, order)
