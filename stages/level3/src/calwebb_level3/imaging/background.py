"""Smooth background of an image: clipped medians of boxes, joined by splines.

The method is SExtractor's (Bertin & Arnouts 1996, A&AS 117, 393): the values of each box are
clipped at 3 sigma about the median, boxes without enough pixels take the distance-weighted mean
of their neighbours, the mesh is smoothed by a median over 3 x 3 boxes and interpolated.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from calwebb_core.framework.threads import in_threads
from calwebb_core.science.background import fill
from calwebb_core.science.kernels.order_statistics import clip_sorted, middle, moments

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]
Bools = NDArray[np.bool_]

CLIP, ROUNDS = 3.0, 10
# A box in which more than this part is masked takes its level from its neighbours.
MOST_MASKED = 0.9
SMOOTHING = 3
# Small images are divided into so many boxes along their shorter side, but not into tiny ones.
FEWEST_BOXES, LEAST_BOX = 4, 30


@dataclass(frozen=True)
class Mesh:
    """Values of the boxes of an image.

    Attributes
    ----------
    values : float64, (my, mx)
    box : (int, int)
        Rows and columns of a box; the first one starts at pixel 0.
    shape : (ny, nx)
        Of the image.
    """

    values: Float64
    box: tuple[int, int]
    shape: tuple[int, int]

    def rows(self, first: int, last: int) -> Float64:
        """Return the values between the boxes' columns of rows [first, last): (n, mx)."""
        along = interpolation(len(self.values), self.box[0], first, last)
        return np.ascontiguousarray(along @ self.values)

    def columns(self) -> Float64:
        """Return the weight of each box along x in each column: (mx, nx)."""
        number = self.values.shape[1]
        along = interpolation(number, self.box[1], 0, self.shape[1])
        return np.ascontiguousarray(along.T)

    def image(self) -> Float32:
        """Return the values at every pixel, float32 (ny, nx)."""
        return np.asarray(self.rows(0, self.shape[0]) @ self.columns(), np.float32)


def measure_background(data: Float32, mask: Bools, boxsize: int) -> tuple[Float32, float]:
    """Return the background of an image, and the typical noise of a pixel.

    Parameters
    ----------
    data : float32, (ny, nx)
    mask : bool, (ny, nx)
        True where not to be used; not everywhere.
    boxsize : int
        Side of the boxes in pixels.

    Returns
    -------
    float32, (ny, nx)
    float
        Median of the boxes' standard deviations.
    """
    shape = (data.shape[0], data.shape[1])

    def values(first: int, last: int) -> Float32:
        return np.where(mask[first:last], np.float32(np.nan), data[first:last])

    level, noise = measure_mesh(values, shape, boxsize)
    return level.image(), noise


def box_of(shape: tuple[int, int], boxsize: int) -> tuple[int, int]:
    """Return rows and columns of a square box: several of them fit in an image that isn't tiny."""
    shortest = min(shape)
    side = max(1, min(boxsize, shortest, max(LEAST_BOX, shortest // FEWEST_BOXES)))
    return side, side


def measure_mesh(
    values: Callable[[int, int], Float32], shape: tuple[int, int], boxsize: int
) -> tuple[Mesh, float]:
    """Return the boxes' levels of an image that is given by bands of rows, and their noise.

    Parameters
    ----------
    values : callable
        Returns rows [first, last) of the image, float32 (n, nx), not finite where there are no
        data. It is called from several threads.
    shape : (ny, nx)
    boxsize : int
        Side of the boxes in pixels.

    Returns
    -------
    Mesh
    float
        Median of the boxes' standard deviations.
    """
    box = box_of(shape, boxsize)

    def one_row(first: int) -> Float64:
        return box_row(values(first, min(first + box[0], shape[0])), box)

    rows = np.array(in_threads(one_row, range(0, shape[0], box[0])))
    level, noise = (complete(np.ascontiguousarray(rows[..., k])) for k in (0, 1))
    return Mesh(level, box, shape), float(np.median(noise))


def box_row(band: Float32, box: tuple[int, int]) -> Float64:
    """Return clipped median and deviation of each box in a row of boxes, (mx, 2)."""
    result = np.full((-(-band.shape[1] // box[1]), 2), np.nan)
    least = (1.0 - MOST_MASKED) * box[0] * box[1]
    for number in range(len(result)):
        part = band[:, number * box[1] : (number + 1) * box[1]]
        values = np.sort(part[np.isfinite(part)])
        if not len(values):
            continue
        start, stop = clip_sorted(values, len(values), CLIP, ROUNDS)
        if stop - start >= max(1.0, least):
            centre = float(middle(values, start, stop))
            shift, square = moments(values, start, stop, centre)
            result[number] = centre, np.sqrt(max(square - shift * shift, 0.0))
    return result


def complete(mesh: Float64) -> Float64:
    """Return a mesh without holes and smoothed; zeros if there is nothing in it."""
    if not np.isfinite(mesh).any():
        return np.zeros_like(mesh)
    filled = mesh if np.isfinite(mesh).all() else fill(mesh)
    half = SMOOTHING // 2
    padded = np.pad(filled, half, constant_values=np.nan)
    around = np.lib.stride_tricks.sliding_window_view(padded, (SMOOTHING, SMOOTHING))
    return np.asarray(np.nanmedian(around, axis=(-2, -1)), np.float64)


def spread(mesh: Float64, box: tuple[int, ...], shape: tuple[int, ...]) -> Float32:
    """Return the values of boxes as a smooth image, constant beyond the outer centres.

    Parameters
    ----------
    mesh : float64, (my, mx)
    box : (int, int)
        Rows and columns of a box; the first one starts at pixel 0.
    shape : (ny, nx)
    """
    return Mesh(np.asarray(mesh, float), (box[0], box[1]), (shape[0], shape[1])).image()


def interpolation(nodes: int, side: int, first: int, last: int) -> Float64:
    """Return the weights of the nodes at pixels [first, last): a cubic spline through them.

    Parameters
    ----------
    nodes : int
        The centres of boxes of `side` pixels, the first of which starts at pixel 0.
    side : int
        Of a box, pixels.

    Returns
    -------
    float64, (last - first, nodes)
        Constant beyond the outer centres. The spline has no knot next to its ends, and lower
        degree where there are fewer than four nodes.
    """
    if nodes == 1:
        return np.ones((last - first, 1))
    place = np.clip((np.arange(first, last) + 0.5) / side - 0.5, 0.0, nodes - 1.0)
    left = np.minimum(place.astype(np.int64), nodes - 2)
    t = (place - left)[:, np.newaxis]
    curve = curvature(nodes)
    rows = np.eye(nodes)
    weights = (1 - t) * rows[left] + t * rows[left + 1]
    weights += ((1 - t) ** 3 - (1 - t)) / 6 * curve[left] + (t**3 - t) / 6 * curve[left + 1]
    return np.asarray(weights)


@cache
def curvature(nodes: int) -> Float64:
    """Return the matrix from values at unit steps to the spline's second derivatives there."""
    second = np.zeros((nodes, nodes))
    inner = np.arange(1, nodes - 1)
    for shift, weight in ((-1, 6.0), (0, -12.0), (1, 6.0)):
        second[inner, inner + shift] = weight
    if nodes == 2:
        return second
    if nodes == 3:
        return np.repeat(second[1:2] / 6.0, 3, axis=0)
    system = 4.0 * np.eye(nodes)
    system[inner, inner - 1] = system[inner, inner + 1] = 1.0
    for row, step in ((0, 1), (nodes - 1, -1)):
        system[row] = 0.0
        system[row, [row, row + step, row + 2 * step]] = 1.0, -2.0, 1.0
    return np.asarray(np.linalg.solve(system, second), np.float64)
