"""Where the pixels of one image fall in another, by interpolation with a tested error.

The transform through the sky is smooth over a detector, so it is computed on a coarse grid and
interpolated with cubic Lagrange polynomials. The grid is refined until the interpolation
agrees with the transform inside every cell, where the error of a cubic is greatest, to half the
tolerance. Only the nodes are kept: a row of the map takes microseconds to evaluate, so nothing
needs the map of all pixels.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calwebb_core.framework.errors import ProcessingError
from calwebb_core.science.footprint import pixel_box
from calwebb_core.science.kernels.pixelmap import MapArrays, map_extents, map_rows

Float64 = NDArray[np.float64]
Transform = Callable[[Float64, Float64], Float64]

COARSEST_STEP = 64
FINEST_STEP = 4
# Rows of a map that is not interpolated are evaluated so many pixels at a time.
PIXELS_AT_ONCE = 1 << 18
# Columns whose positions are looked at for the extent of a row.
EXTENT_STEP = 4


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


@dataclass(frozen=True)
class Nodes:
    """Values of a map at equidistant nodes.

    Attributes
    ----------
    values : float64, (nky, nkx, 2)
    y, x : float64, (nky,) and (nkx,)
        Pixel rows and columns of the nodes.
    """

    values: Float64
    y: Float64
    x: Float64


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
        y = np.arange(float(self.box.y0), float(self.box.y1))
        x = np.arange(float(self.box.x0), float(self.box.x1))
        y_first, y_weights = stencil(self.nodes.y, y)
        cell, place = cells_of(self.nodes.x, x)
        bounds = np.searchsorted(cell, np.arange(len(self.nodes.x)))
        first = np.clip(np.arange(len(self.nodes.x) - 1) - 1, 0, len(self.nodes.x) - 4)
        return MapArrays(
            np.ascontiguousarray(np.moveaxis(self.nodes.values, -1, 0)),
            self.box.y0, self.box.x0, len(x), y_first, y_weights,
            bounds.astype(np.int64), first, place - first[cell],
        )  # fmt: skip

    @cached_property
    def extents(self) -> Float64:
        """Bounds of each row's pixels in the grid, float64 (rows of the box, 4).

        Least x, greatest x, least y, greatest y, corners of the pixels included.
        """
        out = np.empty((self.box.shape[0], 4))
        if not self.box.shape[1]:
            return out
        step = max(1, PIXELS_AT_ONCE // self.box.shape[1]) if self.nodes is None else len(out)
        steepest = 1.0
        for start in range(0, len(out), step):
            part = out[start : start + step]
            first = self.box.y0 + start
            arrays = self.arrays(first, first + len(part))
            map_extents(arrays, first, EXTENT_STEP, part)
            steepest = max(steepest, self._steepest(arrays))
        # Columns left out lie at most half the step from one that was looked at, corners half a
        # pixel beyond in both directions; the slope between nodes is not much that at the nodes.
        margin = 1.5 * (0.5 * EXTENT_STEP + 1.0) * steepest
        out[:, 0::2] -= margin
        out[:, 1::2] += margin
        return out

    def prepare(self) -> "PixelMap":
        """Compute now what would be computed on first use, before threads share the map."""
        if self.extents.size and self.nodes is not None:
            assert self._node_arrays  # noqa: S101
        return self

    def _steepest(self, arrays: MapArrays) -> float:
        """Return the greatest step between neighbouring pixels."""
        sides = (1.0, 1.0)
        if self.nodes is not None:
            sides = self.nodes.y[1] - self.nodes.y[0], self.nodes.x[1] - self.nodes.x[0]
        steps = [
            np.abs(np.diff(arrays.values, axis=axis + 1)).max(initial=0.0) / sides[axis]
            for axis in (0, 1)
        ]
        return float(max(steps))

    def reach(self, rows: slice = slice(None)) -> Window | None:
        """Return the part of the grid that (some rows of) the image reach, or None.

        Parameters
        ----------
        rows : slice
            Rows of the image, with step 1.
        """
        first, last, _ = rows.indices(self.shape[0])
        part = self.extents[max(0, first - self.box.y0) : max(0, last - self.box.y0)]
        if not part.size:
            return None
        my, mx = self.grid_shape
        x0, x1 = clipped(part[:, 0].min(), part[:, 1].max(), mx)
        y0, y1 = clipped(part[:, 2].min(), part[:, 3].max(), my)
        return Window(y0, y1, x0, x1) if y1 > y0 and x1 > x0 else None

    def rows_reaching(self, first: int, last: int) -> slice:
        """Return the rows of the image that fall into grid rows `first` to `last`.

        The last one is included; the slice is empty if there is none. All columns of the grid
        count, and those on both sides of it don't.
        """
        if not self.extents.size:
            return slice(0, 0)
        x_low, x_high, y_low, y_high = self.extents.T
        hit = (y_high > first - 0.5) & (y_low < last + 0.5)
        hit &= (x_high > -0.5) & (x_low < self.grid_shape[1] - 0.5)
        found = np.flatnonzero(hit)
        if not len(found):
            return slice(0, 0)
        return slice(self.box.y0 + int(found[0]), self.box.y0 + int(found[-1]) + 1)


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


def refine(transform: Transform, box: Window, tolerance: float) -> Nodes | None:
    """Return nodes between which the interpolation's error is small enough, or None."""
    ny, nx = box.shape
    step = COARSEST_STEP
    while step >= FINEST_STEP and min(ny, nx) >= 8:
        y_nodes, x_nodes = nodes(box.y0, ny, step), nodes(box.x0, nx, step)
        y_test, x_test = between_nodes(y_nodes), between_nodes(x_nodes)
        values, exact = evaluate_grids(transform, ((y_nodes, x_nodes), (y_test, x_test)))
        error = np.abs(interpolate(values, y_nodes, x_nodes, y_test, x_test) - exact).max()
        if error <= 0.5 * tolerance:
            return Nodes(values, y_nodes, x_nodes)
        step //= 2
    return None


def nodes(first: int, size: int, step: int) -> Float64:
    """Return at least four equidistant nodes from the first to the last pixel centre."""
    return np.linspace(first, first + size - 1.0, max(4, (size - 2) // step + 2))


def between_nodes(grid_nodes: Float64) -> Float64:
    """Return two places in each cell, where cubics err most in the middle and at the edges.

    The maxima of the error terms are at 1/2 of inner cells and 0.382 of the first and last.
    """
    low, high = grid_nodes[:-1], grid_nodes[1:]
    return np.sort(np.concatenate([low + part * (high - low) for part in (0.382, 0.5)]))


def evaluate_grids(
    transform: Transform, grids: tuple[tuple[Float64, Float64], ...]
) -> list[Float64]:
    """Evaluate a transform once on several grids of y and x: a call costs as much as its points.

    Raises
    ------
    ProcessingError
        If a value is not finite.
    """
    positions = [np.meshgrid(x, y) for y, x in grids]
    x_all, y_all = (np.concatenate([p[axis].ravel() for p in positions]) for axis in (0, 1))
    values = np.ascontiguousarray(transform(x_all, y_all))
    if not np.all(np.isfinite(values)):
        msg = "the WCS of the image gives no position for some pixels in the output image"
        raise ProcessingError(msg)
    bounds = np.cumsum([p[0].size for p in positions])[:-1]
    parts = np.split(values, bounds)
    return [part.reshape(*p[0].shape, 2) for part, p in zip(parts, positions, strict=True)]


def evaluate(transform: Transform, y: Float64, x: Float64) -> Float64:
    """Evaluate a transform on the grid of y and x.

    Raises
    ------
    ProcessingError
        If a value is not finite.
    """
    return evaluate_grids(transform, ((y, x),))[0]


def interpolate(
    values: Float64, y_nodes: Float64, x_nodes: Float64, y: Float64, x: Float64
) -> Float64:
    """Interpolate node values, float64 (nky, nkx, 2), to all combinations of y and x."""
    (y_first, y_weights), (x_first, x_weights) = stencil(y_nodes, y), stencil(x_nodes, x)
    four = np.arange(4)
    rows = np.einsum("ya,yakc->ykc", y_weights, values[y_first[:, None] + four])
    found: Float64 = np.einsum("xb,yxbc->yxc", x_weights, rows[:, x_first[:, None] + four])
    return found


def cells_of(grid_nodes: Float64, positions: Float64) -> tuple[NDArray[np.int64], Float64]:
    """Return the cell that each position is in, and the position in units of the cells."""
    place = (positions - grid_nodes[0]) / (grid_nodes[1] - grid_nodes[0])
    cell = np.clip(np.floor(place).astype(np.int64), 0, len(grid_nodes) - 2)
    return cell, place


def stencil(grid_nodes: Float64, positions: Float64) -> tuple[NDArray[np.int64], Float64]:
    """Return the first of four nodes and the Lagrange weights for each position.

    Parameters
    ----------
    grid_nodes : float64, (nk,), equidistant
    positions : float64, (n,)

    Returns
    -------
    int64, (n,) and float64, (n, 4)
    """
    cell, place = cells_of(grid_nodes, positions)
    first = np.clip(cell - 1, 0, len(grid_nodes) - 4)
    t = place - first
    weights = np.stack(
        [
            -(t - 1.0) * (t - 2.0) * (t - 3.0) / 6.0,
            t * (t - 2.0) * (t - 3.0) / 2.0,
            -t * (t - 1.0) * (t - 3.0) / 2.0,
            t * (t - 1.0) * (t - 2.0) / 6.0,
        ],
        axis=1,
    )
    return first, weights
