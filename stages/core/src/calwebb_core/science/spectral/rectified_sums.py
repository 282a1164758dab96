"""The light of spectra on a rectified grid, and its variance.

The mean on the grid is ``m_ij = sum_k a_ijk d_k``: a is the weight of pixel k times its part on
pixel i of element j, over the sum of these. One pixel falls on several, so that neighbours on the
grid share noise. A sum along the slit, as that of an aperture, has the variance
``sum_k f_jk^2 s_k^2`` with ``f_jk = sum_i a_ijk``, the light of pixel k in element j. Each pixel
is given its part of that, ``v_ij = sum_k a_ijk f_jk s_k^2``: they add up to it. Elements beside one
another share noise still, which their errors cannot say.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from calwebb_core.framework.models import Image
from calwebb_core.science.drizzling import drizzle_planes
from calwebb_core.science.drop_shapes import Drop
from calwebb_core.science.spectral.extraction import VERTICAL
from calwebb_core.science.spectral.rectified_grid import RectifiedGrid
from calwebb_core.science.spectral.slit_footprints import Footprint
from calwebb_core.science.weights import input_weight

Float64 = NDArray[np.float64]
Float32 = NDArray[np.float32]

TYPICAL: Final = "typical"
SAME: Final = "none"
VARIANCES: Final = ("var_poisson", "var_rnoise", "var_flat")
# A pixel falls on no more elements than these; each is summed on its own.
ELEMENTS: Final = 3


class Pixels:
    """The pixels of one spectrum that have a wavelength: where they fall, and their weight.

    Attributes
    ----------
    along, across : float64 (ny, nx)
        Place on the grid.
    weight : float32 (ny, nx)
    """

    def __init__(
        self, part: Image, footprint: Footprint, grid: RectifiedGrid, weight_type: str
    ) -> None:
        """Cut out what has a wavelength, with a margin for the corners of pixels."""
        known = np.isfinite(footprint.wavelength)
        lit = known if grid.axis == VERTICAL else known.T
        self.box = tuple(inside_of(np.any(lit, axis=axis)) for axis in (1, 0))
        self.part = part
        weight = weight_of(with_flags(part), weight_type)
        weight[~lit] = 0.0
        self.weight = np.ascontiguousarray(weight[self.box])
        cut = self.box if grid.axis == VERTICAL else self.box[::-1]
        places = (continued(values[cut]) for values in grid.positions(footprint))
        self.along, self.across = (p if grid.axis == VERTICAL else p.T for p in places)
        self.grid = grid

    @property
    def pixmap(self) -> Float64:
        """Return x and y on the grid of every pixel, float64 (ny, nx, 2)."""
        order = (self.across, self.along)
        return np.ascontiguousarray(
            np.stack(order if self.grid.axis == VERTICAL else order[::-1], axis=-1)
        )

    def drizzled(self, planes: Float32, drop: Drop) -> tuple[Float64, Float64]:
        """Return sums of weight times value, and of weight, for planes of these pixels."""
        return drizzle_planes(planes, self.weight, self.pixmap, self.grid.shape, drop)

    def variances(self) -> Float32:
        """Return the variances, float32 (3, ny, nx); NaN where they are not known."""
        values = [getattr(self.part, name) for name in VARIANCES]
        if values[0] is None and values[1] is None:
            values[1] = np.square(self.part.err)
        planes = np.zeros((len(VARIANCES), *self.weight.shape), np.float32)
        for place, variance in enumerate(values):
            if variance is not None:
                found = variance[self.box]
                planes[place] = np.where(found >= 0.0, found, np.nan)
        return planes

    def light(self, weights: Float64, drop: Drop, first: int) -> Float32:
        """Return the light of every pixel in one of the elements that it falls on.

        Parameters
        ----------
        weights : float64
            Sums of weights on the grid.
        drop : Drop
        first : int
            The elements are this one and every third behind it.
        """
        element = np.round((self.along - first) / ELEMENTS) * ELEMENTS + first
        size = np.abs(np.gradient(self.along, axis=0 if self.grid.axis == VERTICAL else 1))
        half = 0.5 * size * (drop.pixfrac if drop.is_square else 0.0)
        low = np.maximum(self.along - half, element - 0.5)
        high = np.minimum(self.along + half, element + 0.5)
        with np.errstate(invalid="ignore", divide="ignore"):
            part = np.where(half > 0.0, np.clip(high - low, 0.0, None) / (2.0 * half), high >= low)
        oriented = weights if self.grid.axis == VERTICAL else weights.T
        across = self.across if drop.is_square else np.round(self.across)
        found: Float32 = (self.weight * part * inverse_at(oriented, element, across)).astype("f4")
        return found


def averaged(
    parts: Sequence[Image],
    prints: Sequence[Footprint],
    grid: RectifiedGrid,
    weight_type: str,
    drop: Drop,
) -> dict[str, Any]:
    """Return the weighted mean of spectra on a grid, its variances, weight and context.

    Parameters
    ----------
    parts : sequence of Image
    prints : sequence of Footprint
        Of the parts.
    grid : RectifiedGrid
    weight_type : str
        See `weight_of`.
    drop : Drop
    """
    pixels = [
        Pixels(part, footprint, grid, weight_type)
        for part, footprint in zip(parts, prints, strict=True)
    ]
    sums = np.zeros((2, *grid.shape))
    context = np.zeros((-(-len(parts) // 32), *grid.shape), np.uint32)
    for number, one in enumerate(pixels):
        data = np.ascontiguousarray(one.part.data[one.box], np.float32)[None]
        (found,), (own,) = one.drizzled(data, drop)
        sums += found, own
        context[number // 32][own > 0.0] |= np.uint32(1 << number % 32)
    return {
        "data": ratio(sums[0], sums[1]),
        "weight": sums[1],
        "context": context,
        **dict(zip(VARIANCES, variances_of(pixels, sums[1], grid, drop), strict=True)),
    }


def variances_of(
    pixels: Sequence[Pixels], weights: Float64, grid: RectifiedGrid, drop: Drop
) -> Float64:
    """Return the variances of the mean, float64 (3, ny, nx); see the module.

    Pixels whose variance is not known have the mean of the others'.
    """
    count = len(VARIANCES)
    total, own = np.zeros((2, count, *grid.shape))
    for one in pixels:
        variances = one.variances()
        planes = [variances * one.light(weights, drop, first) for first in range(ELEMENTS)]
        found, weight = one.drizzled(np.concatenate(planes), drop)
        for first in range(ELEMENTS):
            every = slice(first, None, ELEMENTS)
            where = (slice(None), every) if grid.axis == VERTICAL else (..., every)
            some = slice(first * count, (first + 1) * count)
            total[where] += found[some][where]
            own[where] += weight[some][where]
    return ratio(total, own)


def inverse_at(weights: Float64, element: Float64, across: Float64) -> Float64:
    """Return the inverse of the weights (nalong, nacross) at elements and between pixels across.

    0 where there is no weight.
    """
    inverse = np.divide(1.0, weights, out=np.zeros_like(weights), where=weights > 0.0)
    nalong, nacross = weights.shape
    j = np.clip(element, 0, nalong - 1).astype(np.intp)
    place = np.clip(across, 0.0, nacross - 1.0)
    low = np.minimum(place.astype(np.intp), max(nacross - 2, 0))
    high = np.minimum(low + 1, nacross - 1)
    part = place - low
    found: Float64 = inverse[j, low] * (1.0 - part) + inverse[j, high] * part
    return found


def inside_of(lit: Any) -> slice:
    """Return the range that is lit, with one element more on either side."""
    known = np.flatnonzero(lit)
    return slice(max(int(known[0]) - 1, 0), int(known[-1]) + 2)


def weight_of(part: Image, weight_type: str) -> Float32:
    """Return the weight of each pixel of a spectrum."""
    if weight_type != TYPICAL:
        return input_weight(part, None if weight_type == SAME else weight_type)
    weight = input_weight(part, "ivm")
    used = weight > 0.0
    typical = np.float32(np.median(weight[used])) if used.any() else np.float32(0.0)
    return np.where(used, typical, np.float32(0.0))


def with_flags(part: Image) -> Image:
    """Return a spectrum that has flags."""
    if part.dq is not None:
        return part
    return replace(part, dq=np.zeros(part.data.shape, np.uint32))


def continued(values: Float64) -> Float64:
    """Return values with straight lines beyond those that are known, row by row, then by column.

    Pixels beside the slit have no weight, but corners of pixels are found with their help.
    """
    result = values.copy()
    for lines in (result, result.T):
        for line in lines:
            known = np.flatnonzero(np.isfinite(line))
            if 2 <= len(known) < len(line):
                line[:] = line_through(line, known)
    return result


def line_through(line: Float64, known: NDArray[np.intp]) -> Float64:
    """Return a line of values continued on both sides and in gaps."""
    place = np.arange(len(line), dtype=np.float64)
    result = np.interp(place, known, line[known])
    first, last = known[0], known[-1]
    before = line[known[1]] - line[first]
    behind = line[last] - line[known[-2]]
    result[:first] = line[first] + before / (known[1] - first) * (place[:first] - first)
    result[last + 1 :] = line[last] + behind / (last - known[-2]) * (place[last + 1 :] - last)
    return result


def ratio(value: Float64, weight: Float64) -> Float64:
    """Return a quotient, NaN where the divisor is 0."""
    result: Float64 = np.full(value.shape, np.nan)
    np.divide(value, weight, out=result, where=weight > 0.0)
    return result
