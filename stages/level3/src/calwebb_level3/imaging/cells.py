"""Exposures as levels in cells of one grid on the sky.

Two exposures that overlap see the same stars and galaxies in the same cell, so that these drop
out of the difference of their cells however full the field is, and what only one of them sees
(a cosmic ray, a persistent image) is an outlier among the differences. An exposure is read
once; its cells are a few hundred times smaller than its pixels.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calwebb_core.framework.exposures import Exposure
from calwebb_core.framework.threads import in_threads
from calwebb_core.science.footprint import pixel_box, sky, unit_vectors
from calwebb_core.science.weights import good_mask
from calwebb_level3.imaging.sky import Differences, Statistic
from calwebb_level3.kernels import cells as kernels

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]
Int16 = NDArray[np.int16]

KINDS = {
    "mean": kernels.MEAN,
    "median": kernels.MEDIAN,
    "midpt": kernels.MIDPT,
    "mode": kernels.MODE,
}
# Pixels along the side of a cell. In smaller ones more of what an exposure has for itself stands
# out of the noise; in larger ones less light of stars falls beyond the border of a cell.
SIDE = 4
STEP = 128  # pixels between the places where the WCS is evaluated; linear in between
# A cell counts if so many of its pixels do.
LEAST_SHARE = 0.6
# Two levels are compared over no fewer pixels.
FEWEST = 100


@dataclass(frozen=True)
class Frame:
    """A plane on the sky (zenithal equal-area) with square cells.

    Attributes
    ----------
    axes : float64, (3, 3)
        Unit vectors: centre, and the directions of u and v there.
    cell : float
        Side of a cell in radians.
    """

    axes: Float64
    cell: float

    def project(self, vectors: Float64) -> Float64:
        """Return u and v, float64 (2, ...), of unit vectors (..., 3), in cells."""
        along, u, v = np.moveaxis(vectors @ self.axes.T, -1, 0)
        factor = np.sqrt(2.0 / np.maximum(1.0 + along, 1e-9)) / self.cell
        return np.stack([factor * u, factor * v])


@dataclass(frozen=True)
class Cells:
    """What is known of an exposure in the cells that it reaches.

    Attributes
    ----------
    corner : (int, int)
        Row and column of its first cell.
    levels : float32, (ncv, ncu)
        NaN where unknown.
    counts : int16, (ncv, ncu)
        Pixels that a level stands for.
    variance : float
        Of a pixel in the sky.
    """

    corner: tuple[int, int]
    levels: Float32
    counts: Int16
    variance: float


def directions(exposure: Exposure) -> Float64:
    """Return unit vectors, float64 (nky, nkx, 3), of every `STEP`-th pixel and one beyond."""
    y, x = (np.arange(0, size + STEP, STEP, dtype=float) for size in exposure.shape)
    return unit_vectors(*sky(exposure.wcs, *np.meshgrid(x, y)))


def common_frame(vectors: Sequence[Float64], side: int = SIDE) -> Frame:
    """Return a plane about the middle of all exposures, with cells of `side` pixels.

    Parameters
    ----------
    vectors : sequence of float64, (nky, nkx, 3)
        From `directions`; the first ones tell the size of a pixel.
    side : int
    """
    centre = np.sum([v.mean(axis=(0, 1)) for v in vectors], axis=0)
    centre = centre / max(float(np.linalg.norm(centre)), 1e-9)
    pole = np.array([0.0, 0.0, 1.0] if abs(centre[2]) < 0.9 else [1.0, 0.0, 0.0])
    east = np.cross(pole, centre)
    east /= np.linalg.norm(east)
    across = np.cross(vectors[0][0, 1] - vectors[0][0, 0], vectors[0][1, 0] - vectors[0][0, 0])
    pixel = math.sqrt(float(np.linalg.norm(across))) / STEP
    return Frame(np.stack([centre, east, np.cross(centre, east)]), side * pixel)


def excluded_bits(dqbits: str) -> np.uint32:
    """Return the flags that exclude a pixel, of an option such as ``~DO_NOT_USE``."""
    bits = np.uint32(1) << np.arange(32, dtype=np.uint32)
    return np.uint32(bits[~good_mask(bits, dqbits)].sum(dtype=np.uint32))


def pixel_limits(statistic: Statistic) -> Float32:
    """Return least and greatest value of a pixel that counts, float32 (2,)."""
    edge = float(np.finfo(np.float32).max)
    low, high = statistic.lower, statistic.upper
    return np.array([-edge if low is None else low, edge if high is None else high], np.float32)


def measure(
    exposure: Exposure, vectors: Float64, frame: Frame, statistic: Statistic, dqbits: str
) -> Cells:
    """Return the levels of an exposure in the cells of a frame.

    Parameters
    ----------
    exposure : Exposure
        Its SCI and DQ are read.
    vectors : float64, (nky, nkx, 3)
        From `directions`.
    frame : Frame
    statistic : Statistic
    dqbits : str
        Flags to ignore.
    """
    nodes = frame.project(vectors)
    corner = np.floor(nodes.min(axis=(1, 2))).astype(int)
    nodes -= corner[:, np.newaxis, np.newaxis]
    ncu, ncv = (int(n) + 1 for n in nodes.max(axis=(1, 2)))
    levels, counts = np.zeros((ncv, ncu), np.float32), np.zeros((ncv, ncu), np.int16)
    collect(exposure, nodes, pixel_limits(statistic), excluded_bits(dqbits), levels, counts)
    kernels.average(levels, counts, max(1.0, LEAST_SHARE * pixels_of_cell(nodes)))
    variance = max(kernels.roughness(levels, counts), 1e-30)
    return Cells((int(corner[1]), int(corner[0])), levels, counts, variance)


def pixels_of_cell(nodes: Float64) -> float:
    """Return how many pixels fall in a cell."""
    du, dv = nodes[:, :-1, 1:] - nodes[:, :-1, :-1], nodes[:, 1:, :-1] - nodes[:, :-1, :-1]
    return float(np.median(STEP**2 / np.abs(du[0] * dv[1] - du[1] * dv[0])))


def collect(
    exposure: Exposure,
    nodes: Float64,
    limits: Float32,
    bits: np.uint32,
    sums: Float32,
    counts: Int16,
) -> None:
    """Add the good pixels of an exposure to cells."""
    data, dq = exposure.plane("data"), exposure.plane("dq")
    if dq is None:
        dq = np.empty((0, 0), np.uint32)
    (x0, x1), (y0, y1) = pixel_box(exposure.wcs, exposure.shape)
    ny, nx = exposure.shape
    rows = max(0, math.ceil(y0)), min(ny, math.floor(y1) + 1)
    columns = max(0, math.ceil(x0)), min(nx, math.floor(x1) + 1)
    box = np.array([*rows, *columns], np.int64)
    kernels.collect(data, dq, bits, limits, nodes, STEP, box, sums, counts)


def differences(
    cells: Sequence[Cells], group_of: Sequence[int], statistic: Statistic
) -> Differences:
    """Return the level differences of all groups of exposures that share cells.

    The statistic, with its clipping, is that of the differences of two exposures' cells.

    Parameters
    ----------
    cells : sequence of Cells
    group_of : sequence of int
        The group that each belongs to.
    statistic : Statistic
    """
    found = Differences({})
    clip = np.array([statistic.lsigma, statistic.usigma])
    how = KINDS[statistic.kind], statistic.nclip, clip, statistic.binwidth

    def compare(pair: tuple[int, int]) -> tuple[float, float]:
        return difference_of(cells[pair[0]], cells[pair[1]], how)

    pairs = [(i, j) for j in range(len(cells)) for i in range(j) if group_of[i] != group_of[j]]
    for (i, j), (value, weight) in zip(pairs, in_threads(compare, pairs), strict=True):
        if weight > 0:
            one, other = group_of[i], group_of[j]
            if one < other:
                found.add(one, other, value, weight)
            else:
                found.add(other, one, -value, weight)
    return found


def difference_of(first: Cells, second: Cells, how: tuple[Any, ...]) -> tuple[float, float]:
    """Return by how much the second exposure is brighter, and the weight; 0 if unknown."""
    shared = in_common(first, second)
    if shared is None:
        return 0.0, 0.0
    size = shared[0][0].size
    values, weights = np.empty(size, np.float32), np.empty(size, np.float32)
    n = kernels.differences(*shared, values, weights)
    if not n:
        return 0.0, 0.0
    sample, histogram = np.empty(kernels.SAMPLE, np.float32), np.empty(kernels.BINS, np.int64)
    value, weight = kernels.level(values[:n], weights[:n], *how, sample, histogram)
    # as if both had the same pixels
    pixels = weight * (first.variance + second.variance)
    return (value, weight) if pixels >= FEWEST else (0.0, 0.0)


def in_common(first: Cells, second: Cells) -> tuple[Any, Any] | None:
    """Return levels, counts and variance of both exposures where both may have cells."""
    parts: list[list[slice]] = [[], []]
    for axis in (0, 1):
        starts = first.corner[axis], second.corner[axis]
        low = max(starts)
        high = min(
            start + c.levels.shape[axis] for start, c in zip(starts, (first, second), strict=True)
        )
        if high <= low:
            return None
        for part, start in zip(parts, starts, strict=True):
            part.append(slice(low - start, high - start))
    one, other = (
        (c.levels[tuple(part)], c.counts[tuple(part)], c.variance)
        for c, part in zip((first, second), parts, strict=True)
    )
    return one, other
