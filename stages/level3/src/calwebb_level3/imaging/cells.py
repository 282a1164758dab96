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
from calwebb_core.science.footprint import pixel_box, sky, unit_vectors
from calwebb_core.science.weights import good_mask
from calwebb_level3.imaging.sky import Differences, Statistic
from calwebb_level3.kernels import cells as kernels

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]
Int32 = NDArray[np.int32]

KINDS = {
    "mean": kernels.MEAN,
    "median": kernels.MEDIAN,
    "midpt": kernels.MIDPT,
    "mode": kernels.MODE,
}
SIDE = 16  # pixels along the side of a cell
SIDE_OF_MODE = 64  # a histogram needs more pixels
STEP = 128  # pixels between the places where the WCS is evaluated; linear in between
# A cell counts if so many of its pixels do.
LEAST_SHARE = 0.25
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
    counts : int32, (ncv, ncu)
        Pixels that a level stands for.
    variance : float
        Of a pixel in the sky.
    """

    corner: tuple[int, int]
    levels: Float32
    counts: Int32
    variance: float


def directions(exposure: Exposure) -> Float64:
    """Return unit vectors, float64 (nky, nkx, 3), of every `STEP`-th pixel and one beyond."""
    y, x = (np.arange(0, size + STEP, STEP, dtype=float) for size in exposure.shape)
    return unit_vectors(*sky(exposure.wcs, *np.meshgrid(x, y)))


def common_frame(vectors: Sequence[Float64], side: int) -> Frame:
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
    values = np.empty((ncv, ncu, pixels_of_cell(nodes)), np.float32)
    counts = np.zeros((ncv, ncu), np.int32)
    collect(exposure, nodes, pixel_limits(statistic), excluded_bits(dqbits), values, counts)
    levels, scatter = (np.empty((ncv, ncu), np.float32) for _ in range(2))
    clip = np.array([statistic.lsigma, statistic.usigma])
    least = max(4, int(LEAST_SHARE * values.shape[2] / 1.2))
    kind = KINDS[statistic.kind]
    kernels.reduce_cells(
        values, counts, least, kind, statistic.nclip, clip, statistic.binwidth, levels, scatter
    )
    known = scatter[counts > 0]
    variance = float(np.median(known)) ** 2 if known.size else 1.0
    return Cells((int(corner[1]), int(corner[0])), levels, counts, max(variance, 1e-30))


def pixels_of_cell(nodes: Float64) -> int:
    """Return how many pixels may fall in a cell."""
    du, dv = nodes[:, :-1, 1:] - nodes[:, :-1, :-1], nodes[:, 1:, :-1] - nodes[:, :-1, :-1]
    density = STEP**2 / np.abs(du[0] * dv[1] - du[1] * dv[0])
    pixels = float(np.max(density))
    return int(pixels + 3 * math.sqrt(pixels)) + 8


def collect(
    exposure: Exposure,
    nodes: Float64,
    limits: Float32,
    bits: np.uint32,
    values: Float32,
    counts: Int32,
) -> None:
    """Sort the good pixels of an exposure into cells."""
    data, dq = exposure.plane("data"), exposure.plane("dq")
    if dq is None:
        dq = np.empty((0, 0), np.uint32)
    (x0, x1), (y0, y1) = pixel_box(exposure.wcs, exposure.shape)
    ny, nx = exposure.shape
    rows = max(0, math.ceil(y0)), min(ny, math.floor(y1) + 1)
    columns = max(0, math.ceil(x0)), min(nx, math.floor(x1) + 1)
    box = np.array([*rows, *columns], np.int64)
    kernels.collect(data, dq, bits, limits, nodes, STEP, box, values, counts)


def differences(cells: Sequence[Cells], group_of: Sequence[int]) -> Differences:
    """Return the level differences of all groups of exposures that share cells.

    Parameters
    ----------
    cells : sequence of Cells
    group_of : sequence of int
        The group that each belongs to.
    """
    found = Differences({})
    most = max((c.levels.size for c in cells), default=0)
    scratch = np.empty(most, np.float32), np.empty(most, np.float32)
    sample = np.empty(kernels.SAMPLE, np.float32)
    for i, first in enumerate(cells):
        for j in range(i + 1, len(cells)):
            if group_of[i] == group_of[j]:
                continue
            shared = in_common(first, cells[j])
            if shared is None:
                continue
            value, weight = kernels.compare(*shared, *scratch, sample)
            if weight * (first.variance + cells[j].variance) < FEWEST:
                continue
            one, other = group_of[i], group_of[j]
            if one > other:
                one, other, value = other, one, -value
            found.add(one, other, value, weight)
    return found


def in_common(first: Cells, second: Cells) -> tuple[Any, Any] | None:
    """Return levels, counts and variance of both exposures where both may have cells."""
    parts: list[list[slice]] = [[], []]
    for axis in (0, 1):
        starts = first.corner[axis], second.corner[axis]
        low = max(starts)
        high = min(
            start + c.levels.shape[axis]
            for start, c in zip(starts, (first, second), strict=True)
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
