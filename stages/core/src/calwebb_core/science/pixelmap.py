"""Where the pixels of one image fall in another, by interpolation with a tested error.

The transform through the sky is smooth over a detector, so it is computed on a coarse grid and
interpolated with cubic Lagrange polynomials. The grid is refined until the interpolation
agrees with the transform inside every cell, where the error of a cubic is greatest, to half the
tolerance.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calwebb_core.framework.errors import ProcessingError
from calwebb_core.science.footprint import pixel_box
from calwebb_core.science.kernels.pixelmap import interpolate_map

Float64 = NDArray[np.float64]
Transform = Callable[[Float64, Float64], Float64]

COARSEST_STEP = 256
FINEST_STEP = 4


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
    transform = between(input_wcs, output_wcs)
    ny, nx = shape[-2:]
    result = refine(transform, ny, nx, tolerance)
    blank_outside(result, pixel_box(input_wcs, shape))
    return result


def between(input_wcs: Any, output_wcs: Any) -> Transform:
    """Return the exact transform from pixels of one WCS to those of the other."""
    forward, backward = input_wcs.forward_transform, output_wcs.backward_transform

    def transform(x: Float64, y: Float64) -> Float64:
        ra, dec = forward(x, y, with_bounding_box=False)
        return np.stack(backward(ra, dec, with_bounding_box=False), axis=-1)

    return transform


def refine(transform: Transform, ny: int, nx: int, tolerance: float) -> Float64:
    """Interpolate on finer and finer grids until the error is small enough."""
    step = COARSEST_STEP
    while step >= FINEST_STEP and min(ny, nx) >= 8:
        y_nodes, x_nodes = nodes(ny, step), nodes(nx, step)
        values = evaluate(transform, y_nodes, x_nodes)
        y_test, x_test = between_nodes(y_nodes), between_nodes(x_nodes)
        guess = interpolate(values, y_nodes, x_nodes, y_test, x_test)
        error = np.abs(guess - evaluate(transform, y_test, x_test)).max()
        if error <= 0.5 * tolerance:
            return interpolate(values, y_nodes, x_nodes, np.arange(float(ny)), np.arange(float(nx)))
        step //= 2
    return evaluate(transform, np.arange(float(ny)), np.arange(float(nx)))


def nodes(size: int, step: int) -> Float64:
    """Return at least four equidistant nodes from the first to the last pixel centre."""
    return np.linspace(0.0, size - 1.0, max(4, (size - 2) // step + 2))


def between_nodes(grid_nodes: Float64) -> Float64:
    """Return two places in each cell, where cubics err most in the middle and at the edges.

    The maxima of the error terms are at 1/2 of inner cells and 0.382 of the first and last.
    """
    low, high = grid_nodes[:-1], grid_nodes[1:]
    return np.sort(np.concatenate([low + part * (high - low) for part in (0.382, 0.5)]))


def evaluate(transform: Transform, y: Float64, x: Float64) -> Float64:
    """Evaluate a transform on the grid of y and x.

    Raises
    ------
    ProcessingError
        If a value is not finite.
    """
    x_grid, y_grid = np.meshgrid(x, y)
    values = np.ascontiguousarray(transform(x_grid, y_grid))
    if not np.all(np.isfinite(values)):
        msg = "the WCS of the image gives no position for some pixels in the output image"
        raise ProcessingError(msg)
    return values


def interpolate(
    values: Float64, y_nodes: Float64, x_nodes: Float64, y: Float64, x: Float64
) -> Float64:
    """Interpolate node values, float64 (nky, nkx, 2), to all combinations of y and x."""
    out = np.empty((len(y), len(x), 2))
    interpolate_map(values, *stencil(y_nodes, y), *stencil(x_nodes, x), out)
    return out


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
    step = grid_nodes[1] - grid_nodes[0]
    place = (positions - grid_nodes[0]) / step
    first = np.clip(np.floor(place).astype(np.int64) - 1, 0, len(grid_nodes) - 4)
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


def blank_outside(result: Float64, box: tuple[tuple[float, float], tuple[float, float]]) -> None:
    """Set the map to NaN where a pixel centre lies outside the bounding box, in place."""
    ny, nx = result.shape[:2]
    (x0, x1), (y0, y1) = box
    x, y = np.arange(nx), np.arange(ny)
    result[(y < y0) | (y > y1), :, :] = np.nan
    result[:, (x < x0) | (x > x1), :] = np.nan
