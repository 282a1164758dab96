"""Rectangles of an exposure's pixels, and how an exposure is cut into them."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

BYTES_PER_SAMPLE = 5  # a float32 and its flags
BLOCK_BYTES = 8 << 20
MOST_BYTES = 96 << 20
FEWEST_ROWS = 16
FEWEST_SIDE = 8
Shape = tuple[int, int, int, int]


class Window(NamedTuple):
    """Rectangle of an exposure's pixels: rows y0:y1, columns x0:x1."""

    y0: int
    y1: int
    x0: int
    x1: int

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.y1 - self.y0, self.x1 - self.x0

    @property
    def rows(self) -> slice:
        """The rows as a slice."""
        return slice(self.y0, self.y1)

    @property
    def columns(self) -> slice:
        """The columns as a slice."""
        return slice(self.x0, self.x1)

    def cut(self, array: NDArray[Any]) -> Any:
        """Return this part of an array (..., ny, nx), C-contiguous, as a copy if need be."""
        return np.ascontiguousarray(array[..., self.rows, self.columns])

    def put(self, array: NDArray[Any], values: NDArray[Any]) -> None:
        """Write this part of an array (..., ny, nx)."""
        array[..., self.rows, self.columns] = values

    def grown(self, halo: int, ny: int, nx: int) -> "Window":
        """Return it with `halo` more rows and columns around it, as far as the exposure goes."""
        return Window(
            max(0, self.y0 - halo),
            min(ny, self.y1 + halo),
            max(0, self.x0 - halo),
            min(nx, self.x1 + halo),
        )

    def within(self, outer: "Window") -> "Window":
        """Return the same rectangle counted from the corner of another one."""
        y, x = outer.y0, outer.x0
        return Window(self.y0 - y, self.y1 - y, self.x0 - x, self.x1 - x)


def windows_of(shape: Shape, halo: int) -> Iterator[Window]:
    """Cut an exposure into windows.

    Whole rows, so many that a block fits into the cache, but at least some, lest the halo be
    most of it; where even these are too large (a long time series), columns are cut too.
    """
    nints, ngroups, ny, nx = shape
    pixel = nints * ngroups * BYTES_PER_SAMPLE
    rows, columns = max(FEWEST_ROWS if halo else 1, BLOCK_BYTES // (pixel * nx)), nx
    if (rows + 2 * halo) * nx * pixel > MOST_BYTES:
        side = max(FEWEST_SIDE, int(np.sqrt(MOST_BYTES / pixel)) - 2 * halo)
        rows = columns = min(side, nx)
    rows, columns = evenly(ny, rows), evenly(nx, columns)
    for y in range(0, ny, rows):
        for x in range(0, nx, columns):
            yield Window(y, min(y + rows, ny), x, min(x + columns, nx))


def evenly(size: int, piece: int) -> int:
    """Return the length of as many pieces, but of about one size."""
    return -(-size // -(-size // piece))
