"""A smooth map kept as its values at a few nodes, with a tested error between them.

Cubic Lagrange polynomials interpolate between equidistant nodes. They are refined until the
interpolation agrees with the map inside every cell, where the error of a cubic is greatest, to
half the tolerance.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calwebb_core.framework.errors import ProcessingError
from calwebb_core.science.grid_window import Window
from calwebb_core.science.kernels.pixelmap import MapArrays

Float64 = NDArray[np.float64]
Transform = Callable[[Float64, Float64], Float64]

COARSEST_STEP = 64
FINEST_STEP = 4


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

    @property
    def transposed(self) -> "Nodes":
        """Those of the image with rows and columns exchanged."""
        return Nodes(np.ascontiguousarray(self.values.swapaxes(0, 1)), self.x, self.y)


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


def node_arrays(nodes: Nodes, box: Window) -> MapArrays:
    """Return what kernels need to interpolate any row of a box."""
    y = np.arange(float(box.y0), float(box.y1))
    x = np.arange(float(box.x0), float(box.x1))
    y_first, y_weights = stencil(nodes.y, y)
    cell, place = cells_of(nodes.x, x)
    bounds = np.searchsorted(cell, np.arange(len(nodes.x)))
    first = np.clip(np.arange(len(nodes.x) - 1) - 1, 0, len(nodes.x) - 4)
    return MapArrays(
        np.ascontiguousarray(np.moveaxis(nodes.values, -1, 0)),
        box.y0, box.x0, len(x), y_first, y_weights,
        bounds.astype(np.int64), first, place - first[cell],
    )  # fmt: skip


def some_columns(arrays: MapArrays, first: int, last: int) -> MapArrays:
    """Return the arrays for columns `first` to `last` - 1 of an image, with the same numbers."""
    start, size = first - arrays.first_column, last - first
    if (start, size) == (0, arrays.columns):
        return arrays
    arrays = arrays._replace(first_column=first, columns=size)
    if not len(arrays.cells):
        values = np.ascontiguousarray(arrays.values[:, :, start : start + size])
        return arrays._replace(values=values)
    cells = np.clip(arrays.cells - start, 0, size)
    used = np.flatnonzero(cells[1:] > cells[:-1])
    low, high = int(used[0]), int(used[-1]) + 1
    return arrays._replace(
        cells=cells[low : high + 1],
        x_first=arrays.x_first[low:high],
        places=arrays.places[start : start + size],
    )
