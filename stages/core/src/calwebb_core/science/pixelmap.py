"""Where the pixels of one image fall in another, by interpolation with a tested error.

The transform through the sky is smooth over a detector, so it is computed on a coarse grid and
interpolated with cubic Lagrange polynomials. The grid is refined until the interpolation
agrees with the transform inside every cell, where the error of a cubic is greatest, to half the
tolerance. Only the nodes are kept: a row of the map takes microseconds to evaluate, so nothing
needs the map of all pixels.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calwebb_core.framework.errors import ProcessingError
from calwebb_core.science.footprint import pixel_box
from calwebb_core.science.grid_window import EMPTY, Lie, Window, usable_box
from calwebb_core.science.kernels.drizzle_corners import Placed
from calwebb_core.science.kernels.pixelmap import MapArrays, map_rows
from calwebb_core.science.map_nodes import (
    Nodes,
    Transform,
    evaluate,
    node_arrays,
    refine,
    some_columns,
)
from calwebb_core.science.map_reach import Reach, Survey

Float64 = NDArray[np.float64]

# Rows of a map that is not interpolated are evaluated so many pixels at a time.
PIXELS_AT_ONCE = 1 << 18


@dataclass(frozen=True)
class PixelMap:
    """Where the pixels of an image fall in another, known for all rows but held for none.

    >>> pixmap = PixelMap.of(exposure.wcs, grid, exposure.shape)  # doctest: +SKIP
    >>> pixmap.rows(0, 16).shape  # doctest: +SKIP
    (16, 2048, 2)
    >>> pixmap.rows_reaching(512, 767)  # what to read for a band of the mosaic # doctest: +SKIP
    slice(498, 758, None)

    Attributes
    ----------
    shape : (ny, nx)
        Of the image.
    grid_shape : (my, mx)
        Of the other image.
    box : Window
        Pixels of the image that have a position: those in the WCS's bounding box.
    transform : function of x, y to positions (..., 2)
        The exact one.
    nodes : Nodes or None
        None where the transform is not smooth enough to be interpolated.
    """

    shape: tuple[int, int]
    grid_shape: tuple[int, int]
    box: Window
    transform: Transform
    nodes: Nodes | None

    @classmethod
    def of(
        cls,
        input_wcs: Any,
        grid_wcs: Any,
        shape: tuple[int, ...],
        *,
        tolerance: float = 1e-4,
        grid_shape: tuple[int, int] | None = None,
    ) -> "PixelMap":
        """Return the map from an image's pixels to a grid's.

        Parameters
        ----------
        input_wcs, grid_wcs : gwcs.WCS
            Pixels to the same celestial frame; the grid's needs an inverse.
        shape : (..., ny, nx)
            Shape of the image.
        tolerance : float
            Greatest error allowed, in pixels of the grid.
        grid_shape : (my, mx), optional
            The WCS's ``pixel_shape`` otherwise.

        Raises
        ------
        ProcessingError
            If the transform gives no number somewhere in the image.
        """
        if grid_shape is None:
            nx, ny = grid_wcs.pixel_shape or (0, 0)
            grid_shape = int(ny), int(nx)
        box = usable_box(pixel_box(input_wcs, shape), shape)
        transform = between(input_wcs, grid_wcs)
        return cls(
            (shape[-2], shape[-1]), grid_shape, box, transform, refine(transform, box, tolerance)
        )

    @classmethod
    def from_array(cls, pixmap: Float64, grid_shape: tuple[int, int]) -> "PixelMap":
        """Return a map given for every pixel, float64 (ny, nx, 2), NaN around a rectangle.

        Raises
        ------
        ProcessingError
            If a position inside of the rectangle is NaN.
        """
        known = np.asarray(np.isfinite(pixmap[..., 0]) & np.isfinite(pixmap[..., 1]))
        y, x = np.flatnonzero(known.any(axis=1)), np.flatnonzero(known.any(axis=0))
        box = Window(int(y[0]), int(y[-1]) + 1, int(x[0]), int(x[-1]) + 1) if len(y) else EMPTY
        if not known[box.slices].all():
            msg = "the pixel map has no position for some pixels among those that have one"
            raise ProcessingError(msg)

        def transform(x: Float64, y: Float64) -> Float64:
            found: Float64 = pixmap[y.astype(int), x.astype(int)]
            return found

        return cls((pixmap.shape[0], pixmap.shape[1]), grid_shape, box, transform, None)

    def rows(self, first: int, last: int) -> Float64:
        """Return positions of the pixels of rows `first` to `last` - 1.

        Returns
        -------
        float64, (n, nx, 2)
            0-based x and y in the grid; NaN outside of the box.
        """
        out = np.full((last - first, self.shape[1], 2), np.nan)
        low, high = max(first, self.box.y0), min(last, self.box.y1)
        if high > low and self.box.shape[1]:
            part = np.empty((high - low, self.box.shape[1], 2))
            map_rows(self.arrays(low, high), low, part)
            out[low - first : high - first, self.box.x0 : self.box.x1] = part
        return out

    def arrays(self, first: int, last: int) -> MapArrays:
        """Return what kernels need for rows of the box from `first` to `last` - 1.

        One more row on each side can be asked for where the box has it, as kernels need them for
        the corners of pixels.
        """
        if self.nodes is not None:
            return self._node_arrays
        first, last = max(first, self.box.y0), min(last, self.box.y1)
        values = np.ascontiguousarray(np.moveaxis(self._exact(first, last), -1, 0))
        none = np.empty(0, np.int64)
        return MapArrays(
            values, first, self.box.x0, self.box.shape[1], none, np.empty((0, 4)), none, none,
            np.empty(0),
        )  # fmt: skip

    def _exact(self, first: int, last: int) -> Float64:
        x = np.arange(float(self.box.x0), float(self.box.x1))
        out = np.empty((last - first, len(x), 2))
        step = max(1, PIXELS_AT_ONCE // max(1, len(x)))
        for start in range(first, last, step):
            y = np.arange(float(start), float(min(last, start + step)))
            out[start - first : start - first + len(y)] = evaluate(self.transform, y, x)
        return out

    @cached_property
    def _node_arrays(self) -> MapArrays:
        assert self.nodes is not None  # noqa: S101 - asked by the callers
        return node_arrays(self.nodes, self.box)

    @cached_property
    def _reach(self) -> Reach:
        sides = (1.0, 1.0)
        if self.nodes is not None:
            sides = self.nodes.y[1] - self.nodes.y[0], self.nodes.x[1] - self.nodes.x[0]
        survey = Survey(self.box, sides)
        rows, columns = self.box.shape
        step = rows if self.nodes is not None else PIXELS_AT_ONCE // max(1, columns)
        for start in range(0, rows if columns else 0, max(1, step)):
            stop = min(rows, start + max(1, step))
            arrays = self.arrays(self.box.y0 + start, self.box.y0 + stop)
            survey.look(arrays, start, stop)
        return survey.reach(self.grid_shape)

    @cached_property
    def lie(self) -> Lie:
        """How the pixels lie in the grid, in the middle of the image."""
        if min(self.box.shape) < 2:
            return Lie(False, 0, 1, 1)
        y = (self.box.y0 + self.box.y1) // 2
        x = (self.box.x0 + self.box.x1) // 2
        (here, along), (up, _) = self.rows(y - 1, y + 1)[:, x - 1 : x + 1]
        return Lie.of(along - here, up - here)

    @cached_property
    def transposed(self) -> "PixelMap":
        """The map of the image with rows and columns exchanged."""
        box, transform = self.box, self.transform
        return PixelMap(
            self.shape[::-1],
            self.grid_shape,
            Window(box.x0, box.x1, box.y0, box.y1),
            lambda x, y: transform(y, x),
            None if self.nodes is None else self.nodes.transposed,
        )

    def placed(self, rows: slice, columns: slice) -> Placed:
        """Return what kernels need to drizzle some pixels of the box."""
        box, lie = self.box, self.lie
        first, last = max(box.x0, columns.start - 1), min(box.x1, columns.stop + 1)
        arrays = some_columns(self.arrays(rows.start - 1, rows.stop + 1), first, last)
        ends = int(first == columns.start), int(last == columns.stop)
        return Placed(arrays, (box.y0, box.y1), ends, lie.quarter, lie.turn, lie.order)

    def prepare(self) -> "PixelMap":
        """Compute now what would be computed on first use, before threads share the map."""
        if self._reach.extents.size and self.lie.turned and self.nodes is not None:
            assert self.transposed.lie  # noqa: S101
        return self

    def reach(self, rows: slice = slice(None)) -> Window | None:
        """Return the part of the grid that (some rows of) the image reach, or None.

        Parameters
        ----------
        rows : slice
            Rows of the image, with step 1.
        """
        first, last, _ = rows.indices(self.shape[0])
        return self._reach.window(slice(first, last))

    def rows_reaching(self, first: int, last: int) -> slice:
        """Return the rows of the image that fall into grid rows `first` to `last`.

        The last one is included; the slice is empty if there is none. All columns of the grid
        count, and those on both sides of it don't.
        """
        return self._reach.rows(first, last)

    def columns_reaching(self, rows: slice, first: int, last: int) -> slice:
        """Return between which columns rows of the box fall into grid rows `first` to `last`."""
        return self._reach.columns(rows, first, last)


def pixel_map(
    input_wcs: Any, output_wcs: Any, shape: tuple[int, ...], *, tolerance: float = 1e-4
) -> Float64:
    """Return where each pixel centre of an image falls in another image.

    Parameters
    ----------
    input_wcs, output_wcs : gwcs.WCS
        Pixels to the same celestial frame; the output's needs an inverse.
    shape : (..., ny, nx)
        Shape of the input image.
    tolerance : float
        Greatest error allowed, in output pixels.

    Returns
    -------
    float64, (ny, nx, 2)
        0-based x and y in the output; NaN outside the input's bounding box.

    Raises
    ------
    ProcessingError
        If the transform gives no number somewhere in the image.
    """
    return PixelMap.of(input_wcs, output_wcs, shape, tolerance=tolerance).rows(0, shape[-2])


def between(input_wcs: Any, output_wcs: Any) -> Transform:
    """Return the exact transform from pixels of one WCS to those of the other."""
    forward, backward = input_wcs.forward_transform, output_wcs.backward_transform

    def transform(x: Float64, y: Float64) -> Float64:
        ra, dec = forward(x, y, with_bounding_box=False)
        return np.stack(backward(ra, dec, with_bounding_box=False), axis=-1)

    return transform
