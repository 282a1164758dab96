"""Rectified spectra: drizzled on a grid of wavelength and place along the slit (resample_spec).

Each spectrum is drizzled (Fruchter & Hook 2002, PASP 114, 144) on the grid that
`rectified_grid` describes. Light falls steeply beside a star: were neighbouring pixels of one
exposure to weigh differently, or were some missing, the mean would shift along the profile by per
cents of the flux. So all pixels of an exposure weigh the same, and lost ones are estimated first.
The official step weighs pixels by their own read noise and leaves lost ones out.

Flux densities per pixel (MJy) are scaled with the size of the pixels, and so is the area of a pixel
(PIXAR_SR). Errors are such that the sum over an aperture has the right one: see `rectified_sums`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from calwebb_core.framework.errors import InputError
from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.models import Image, Slit
from calwebb_core.science.drop_shapes import Drop
from calwebb_core.science.spectral.extraction import VERTICAL
from calwebb_core.science.spectral.holes import holes
from calwebb_core.science.spectral.lost_pixels import without_lost
from calwebb_core.science.spectral.rectified_custom import custom_grid, resized
from calwebb_core.science.spectral.rectified_grid import (
    ARCSEC,
    SLIT_FRAME,
    RectifiedGrid,
    rectified_grid,
)
from calwebb_core.science.spectral.rectified_sums import TYPICAL, VARIANCES, averaged
from calwebb_core.science.spectral.slit_footprints import Footprint, Line, footprints
from calwebb_core.science.spectral.spectrum_table import POINTLIKE

Float64 = NDArray[np.float64]

SLIT_MODEL: Final = "SlitModel"
AREAS: Final = ("PIXAR_SR", "PIXAR_A2")
OFFICIAL_WEIGHTS: Final = ("exptime", "ivm")


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
    output_shape : (nx, ny), optional
        Columns and rows of the grid.
    custom : (mapping, str), optional
        The tree of a file with a grid of the user's own, and its name; goes before the scales.
    fillval : float
        Where nothing falls.
    """

    pixfrac: float = 1.0
    kernel: str = "square"
    weight_type: str = TYPICAL
    fill: bool = True
    pixel_scale_ratio: float = 1.0
    pixel_scale: float | None = None
    output_shape: tuple[int, int] | None = None
    custom: tuple[Mapping[str, Any], str] | None = None
    fillval: float = float("nan")

    def keywords(self, count: int) -> dict[str, float | int | str]:
        """Return what the header says of it, for a number of exposures.

        A way to weigh that the product definition does not know is left out.
        """
        found = {"NDRIZ": count, "PIXFRAC": self.pixfrac, "PXSCLRT": self.pixel_scale_ratio}
        return found | (
            {"RESWHT": self.weight_type} if self.weight_type in OFFICIAL_WEIGHTS else {}
        )


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
    prints = footprints([p.wcs for p in parts], shapes, axis, keywords.source)
    line = Line.of(prints[0], keywords.source)
    grid = grid_of(parts[0], prints, line, axis, how, keywords.source)
    drop = Drop(how.kernel, how.pixfrac)
    if how.fill:
        parts = [without_lost(p, f.wavelength, axis) for p, f in zip(parts, prints, strict=True)]
    planes = averaged(parts, prints, grid, how.weight_type, drop)
    if how.fill:
        planes["data"][holes(parts, prints, grid, drop)] = np.nan
    return finished(planes, parts[0], grid, how, line, keywords)


def grid_of(
    first: Image,
    prints: Sequence[Footprint],
    line: Line,
    axis: int,
    how: Rectification,
    source: str,
) -> RectifiedGrid:
    """Return the grid that spectra are put on."""
    in_slit = SLIT_FRAME in first.wcs.available_frames
    scale = how.pixel_scale
    step = line.step / how.pixel_scale_ratio if scale is None else scale / ARCSEC
    shape = None if how.output_shape is None else how.output_shape[::-1]
    if how.custom is not None:
        grid = custom_grid(*how.custom, axis, shape)
    else:
        grid = rectified_grid(prints, line, axis, in_slit=in_slit, step=step, source=source)
        grid = grid if shape is None else resized(grid, shape)
    if in_slit:
        grid = replace(grid, places=slit_places(first.wcs, prints[0], grid, line.middle))
    return grid


def check(part: Image, keywords: Metadata) -> None:
    """Refuse what cannot be rectified."""
    if part.data.ndim != 2:
        msg = f"{keywords.source}: has {part.data.ndim} axes; spectra of one integration have 2"
        raise InputError(msg)
    if part.wcs is None:
        msg = f"{keywords.source}: has no WCS; run assign_wcs before resample_spec"
        raise InputError(msg)


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


def finished(
    planes: dict[str, Any],
    first: Image,
    grid: RectifiedGrid,
    how: Rectification,
    line: Line,
    keywords: Metadata,
) -> Slit:
    """Return the rectified spectrum; flux in a pixel, and its area, have the size of the pixel."""
    size = grid.step / line.step
    scale = size if str(keywords.get("BUNIT", "")).strip() == POINTLIKE else 1.0
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
    for name in AREAS:
        if keywords.get(name) is not None:
            metadata[name] = keywords.require(name, float) * size
            metadata.homes[name] = "SCI"
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
