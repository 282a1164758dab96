"""Rectified spectra: drizzled on a grid of wavelength and place along the slit (resample_spec).

Each spectrum is drizzled (Fruchter & Hook 2002, PASP 114, 144) on the grid that
`rectified_grid` describes. Light falls steeply beside a star: were neighbouring pixels of one
exposure to weigh differently, or were some missing, the mean would shift along the profile by per
cents of the flux. So all pixels of an exposure weigh the same, and lost ones are estimated first.
The official step weighs pixels by their own read noise and leaves lost ones out.

Within one exposure standard deviations are averaged like the signal, so that sums over an aperture
keep the right error although neighbours are correlated; between exposures variances add with
squared weights. Flux densities per pixel (MJy) are scaled with the size of the pixels.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from calwebb_core.framework.errors import InputError
from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.models import Image, Slit
from calwebb_core.science.drizzling import drizzle_planes
from calwebb_core.science.drop_shapes import Drop
from calwebb_core.science.spectral.extraction import VERTICAL
from calwebb_core.science.spectral.lost_pixels import without_lost
from calwebb_core.science.spectral.rectified_grid import (
    SLIT_FRAME,
    Footprint,
    RectifiedGrid,
    footprints,
    rectified_grid,
)
from calwebb_core.science.spectral.spectrum_table import POINTLIKE
from calwebb_core.science.weights import input_weight

Float64 = NDArray[np.float64]
Float32 = NDArray[np.float32]

SLIT_MODEL: Final = "SlitModel"
TYPICAL: Final = "typical"
VARIANCES: Final = ("var_poisson", "var_rnoise", "var_flat")


@dataclass(frozen=True)
class Rectification:
    """How spectra are rectified.

    Attributes
    ----------
    pixfrac : float
        Side of the shrunken pixel.
    kernel : str
        "square" or "point".
    weight_type : str
        "typical": all good pixels of an exposure weigh the inverse of its median read-noise
        variance; "ivm": each its own inverse; "exptime": the exposure time.
    fill : bool
        Whether lost pixels are estimated from the spatial profile first.
    pixel_scale_ratio : float
        Size of a pixel of the spectrum over that of the grid, across the dispersion.
    pixel_scale : float or None
        Of the grid, arcsec.
    fillval : float
        Where nothing falls.
    """

    pixfrac: float = 1.0
    kernel: str = "square"
    weight_type: str = TYPICAL
    fill: bool = True
    pixel_scale_ratio: float = 1.0
    pixel_scale: float | None = None
    fillval: float = float("nan")


def rectify(
    parts: Sequence[Image], keywords: Metadata, axis: int, how: Rectification | None = None
) -> Slit:
    """Return spectra of one slit or source as one rectified spectrum.

    Parameters
    ----------
    parts : sequence of Image or Slit
        With two axes and a WCS of three coordinates; they are not changed.
    keywords : Metadata
        All that hold for the first.
    axis : 1 or 2
        Of the dispersion.
    how : Rectification, optional

    Returns
    -------
    Slit
        With WHT and CON instead of DQ, and the WCS of the grid; metadata of the first part.

    Raises
    ------
    InputError
        If a spectrum has several integrations, no WCS, or no pixel with a wavelength.
    """
    how = how or Rectification()
    for part in parts:
        check(part, keywords)
    shapes = [part.data.shape for part in parts]
    prints, crval, middle = footprints([p.wcs for p in parts], shapes, axis, keywords.source)
    grid = rectified_grid(
        prints, crval, middle, axis, pixel_scale_ratio=how.pixel_scale_ratio,
        pixel_scale=how.pixel_scale,
    )  # fmt: skip
    if SLIT_FRAME in parts[0].wcs.available_frames:
        grid = replace(grid, places=slit_places(parts[0].wcs, prints[0], grid, middle))
    if how.fill:
        parts = [without_lost(p, f.wavelength, axis) for p, f in zip(parts, prints, strict=True)]
    planes = averaged(parts, prints, grid, how)
    flux = str(keywords.get("BUNIT", "")).strip() == POINTLIKE
    native = np.hypot(*native_step(prints[0], middle))
    return finished(planes, parts[0], grid, how, grid.step / native if flux else 1.0)


def check(part: Image, keywords: Metadata) -> None:
    """Refuse what cannot be rectified."""
    if part.data.ndim != 2:
        msg = f"{keywords.source}: has {part.data.ndim} axes; spectra of one integration have 2"
        raise InputError(msg)
    if part.wcs is None:
        msg = f"{keywords.source}: has no WCS; run assign_wcs before resample_spec"
        raise InputError(msg)


def native_step(footprint: Footprint, middle: int) -> tuple[float, float]:
    """Return the step between pixels across the dispersion, degrees east and north."""
    inside = np.flatnonzero(np.isfinite(footprint.wavelength[middle]))
    east, north = (
        float(np.polyfit(inside, values[middle, inside], 1)[0])
        for values in (footprint.east, footprint.north)
    )
    return east, north


def slit_places(wcs: Any, footprint: Footprint, grid: RectifiedGrid, middle: int) -> Float64:
    """Return the place along the slit of each pixel across of the grid."""
    inside = np.flatnonzero(np.isfinite(footprint.wavelength[middle]))
    along = np.full(len(inside), float(middle))
    pixels = (inside, along) if grid.axis == VERTICAL else (along, inside)
    place = np.asarray(wcs.get_transform("detector", SLIT_FRAME)(*map(np.float64, pixels))[1])
    across = grid.positions(footprint)[1][middle, inside]
    fit = np.polyfit(across, place, 2 if len(inside) > 2 else 1)
    places: Float64 = np.polyval(fit, np.arange(grid.nacross, dtype=np.float64)).astype(np.float64)
    return places


def averaged(
    parts: Sequence[Image], prints: Sequence[Footprint], grid: RectifiedGrid, how: Rectification
) -> dict[str, Any]:
    """Return the weighted mean of the spectra on the grid, its variances, weight and context."""
    shape = grid.shape
    sums, variances = np.zeros((2, *shape)), np.zeros((3, *shape))
    weights = np.zeros((3, *shape))
    context = np.zeros((-(-len(parts) // 32), *shape), np.uint32)
    for number, (part, footprint) in enumerate(zip(parts, prints, strict=True)):
        pixmap = pixel_map(footprint, grid)
        weight = weight_of(with_flags(part), how.weight_type)
        lit = np.isfinite(footprint.wavelength)
        weight[~(lit if grid.axis == VERTICAL else lit.T)] = 0.0
        found, own = drizzle_planes(
            planes_of(part), weight, pixmap, shape, Drop(how.kernel, how.pixfrac)
        )
        sums[0] += found[0]
        sums[1] += own[0]
        for v in range(3):
            variances[v] += np.square(found[1 + v])
            weights[v] += own[1 + v]
        context[number // 32][own[0] > 0.0] |= np.uint32(1 << number % 32)
    mean = ratio(sums[0], sums[1])
    return {
        "data": mean,
        "weight": sums[1],
        "context": context,
        **{name: ratio(variances[v], np.square(weights[v])) for v, name in enumerate(VARIANCES)},
    }


def weight_of(part: Image, weight_type: str) -> Float32:
    """Return the weight of each pixel of a spectrum."""
    if weight_type != TYPICAL:
        return input_weight(part, weight_type)
    weight = input_weight(part, "ivm")
    used = weight > 0.0
    typical = np.float32(np.median(weight[used])) if used.any() else np.float32(0.0)
    return np.where(used, typical, np.float32(0.0))


def with_flags(part: Image) -> Image:
    """Return a spectrum that has flags."""
    if part.dq is not None:
        return part
    return replace(part, dq=np.zeros(part.data.shape, np.uint32))


def planes_of(part: Image) -> Float32:
    """Return the signal and the standard deviations of a spectrum, float32 (4, ny, nx)."""
    variances = [getattr(part, name) for name in VARIANCES]
    if variances[0] is None and variances[1] is None:
        variances[1] = np.square(part.err)
    planes = np.zeros((4, *part.data.shape), np.float32)
    planes[0] = part.data
    for place, variance in enumerate(variances, 1):
        if variance is not None:
            planes[place] = np.sqrt(np.where(variance >= 0.0, variance, np.nan))
    return planes


def pixel_map(footprint: Footprint, grid: RectifiedGrid) -> Float64:
    """Return x and y on the grid of every pixel, float64 (ny, nx, 2).

    Pixels without a place, beside the slit, follow their neighbours: they have no weight, but
    corners of pixels are found with their help.
    """
    along, across = (continued(values) for values in grid.positions(footprint))
    if grid.axis == VERTICAL:
        return np.ascontiguousarray(np.stack([across, along], axis=-1))
    return np.ascontiguousarray(np.stack([along.T, across.T], axis=-1))


def continued(values: Float64) -> Float64:
    """Return values with straight lines beyond those that are known, row by row, then by column."""
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


def finished(
    planes: dict[str, Any], first: Image, grid: RectifiedGrid, how: Rectification, scale: float
) -> Slit:
    """Return the rectified spectrum; values are multiplied by `scale`."""
    data = planes["data"] * scale
    known = np.isfinite(data)
    variances = {name: planes[name] * scale**2 for name in VARIANCES}
    total = sum(np.nan_to_num(values) for values in variances.values())
    err = np.where(known, np.sqrt(total), np.nan)
    data = np.where(known, data, how.fillval)
    metadata = first.metadata.copy()
    metadata["DATAMODL"] = SLIT_MODEL
    metadata["DISPAXIS"] = grid.axis
    metadata.homes["DISPAXIS"] = "SCI"
    return Slit(
        metadata,
        data.astype(np.float32),
        err.astype(np.float32),
        None,
        **{name: values.astype(np.float32) for name, values in variances.items()},
        weight=planes["weight"].astype(np.float32),
        context=planes["context"],
        wcs=grid.world(),
        extended=getattr(first, "extended", None),
    )
