"""Spectra in two dimensions as a picture shows them: read from a product, dispersion along x."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from calwebb_core.framework.asdf_extension import slits_from_asdf
from calwebb_core.framework.fits_layout import Hdu, find
from calwebb_core.framework.fits_read import read_array, read_bytes
from calwebb_core.framework.product_reading import read_asdf
from calwebb_core.framework.quicklook_image import binned, mean_plane
from calwebb_core.framework.slit_products import is_of_slits

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]

APERTURE: Final = ("EXTRXSTR", "EXTRXSTP", "EXTRYSTR", "EXTRYSTP")
VERTICAL: Final = 2
Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Trace:
    """A spectrum in two dimensions as it is shown: dispersion along x.

    Attributes
    ----------
    name : str
        Slit and source.
    unit : str
    image : float32 (ny, nx)
        NaN where there is nothing to show.
    wavelength : float64 (ny, nx)
        Micrometres; NaN where there is none.
    start : (int, int)
        Pixel of the product, along and across the dispersion, that comes first.
    axes : (str, str)
        What pixels along and across the dispersion are called.
    apertures : tuple of (float, float, float, float)
        Borders of what was extracted along and across the dispersion, pixels of the product.
    """

    name: str
    unit: str
    image: Float32
    wavelength: Float64
    start: tuple[int, int]
    axes: tuple[str, str]
    apertures: tuple[Box, ...] = ()


def shows_spectra(hdus: Sequence[Hdu]) -> bool:
    """Say whether a product holds spectra in two dimensions: DISPAXIS, or several slits."""
    science = [hdu for hdu in hdus if hdu.name == "SCI" and hdu.is_image]
    dispersed = any(hdu.header.get("DISPAXIS") in (1, VERTICAL) for hdu in science)
    return bool(science) and (dispersed or is_of_slits(list(hdus)))


def wavelengths_of(product: Path, hdus: list[Hdu], science: Sequence[Hdu]) -> list[Float64]:
    """Return the wavelengths of each spectrum: of its plane WAVELENGTH, or else of its WCS."""
    planes = {hdu.version: hdu for hdu in hdus if hdu.name == "WAVELENGTH" and hdu.is_image}
    found = []
    worlds: list[Any] | None = None
    for place, hdu in enumerate(science):
        plane = planes.get(hdu.version) if len(science) > 1 else find(hdus, "WAVELENGTH")
        if plane is not None and plane.shape[-2:] == hdu.shape[-2:]:
            array = read_array(product, plane, np.float32).astype(np.float64)
            found.append(array if array.ndim == 2 else array[0])
            continue
        if worlds is None:
            worlds = worlds_of(product, hdus, len(science))
        found.append(of_world(worlds[place], hdu.shape[-2:]))
    # 0 stands for no wavelength in planes of other origin
    return [np.where(array > 0, array, np.nan) for array in found]


def worlds_of(product: Path, hdus: list[Hdu], count: int) -> list[Any]:
    """Return the WCS of each spectrum, None where there is none."""
    if not is_of_slits(hdus):
        return [read_asdf(product, hdus)[0]]
    extension = find(hdus, "ASDF")
    if extension is None:
        return [None] * count
    content = read_bytes(product, extension)
    return [wcs for wcs, _ in slits_from_asdf(content, str(product), count)]


def of_world(wcs: Any, shape: tuple[int, ...]) -> Float64:
    """Return the wavelengths that a WCS gives; NaN without one, or with that of an image."""
    y, x = np.mgrid[: shape[0], : shape[1]].astype(np.float64)
    found: tuple[Any, ...] = () if wcs is None else wcs(x, y)
    if len(found) < 3:
        return np.full(shape, np.nan)
    return np.array(np.broadcast_to(np.asarray(found[2], np.float64), shape))


def apertures_of(spectra: Path, science: Sequence[Hdu]) -> list[tuple[Box, ...]]:
    """Return what was extracted of each spectrum, in pixels counted from 0, x before y.

    Raises
    ------
    InputError
        If the file holds no spectra.
    """
    from calwebb_core.framework.spectra_products import read_spectra

    found: list[tuple[Any, Box]] = []
    for spectrum in read_spectra(Path(spectra)).spectra:
        values = [spectrum.metadata.get(key) for key in APERTURE]
        limits = [float(value) - 1 for value in values if isinstance(value, (int, float))]
        if len(limits) == len(APERTURE):
            box = (limits[0] - 0.5, limits[1] + 0.5, limits[2] - 0.5, limits[3] + 0.5)
            found.append((spectrum.metadata.get("SLTNAME"), box))
    alone = len(science) == 1
    return [
        tuple(box for name, box in found if alone or name == hdu.header.get("SLTNAME"))
        for hdu in science
    ]


def trace_of(
    product: Path, hdus: list[Hdu], science: Hdu, wavelength: Float64, apertures: tuple[Box, ...]
) -> Trace:
    """Return a spectrum as it is shown: turned where it runs along y, cut to where light falls."""
    found = (hdu for hdu in hdus if hdu.name in ("DQ", "WHT") and same(hdu, science))
    quality = next(found, None)
    if len(science.shape) == 2:
        image = binned(product, science, quality, 0, 1)
    else:
        image = mean_plane(product, science, quality, 1)
    axes = ("column (0-based pixel)", "row (0-based pixel)")
    if science.header.get("DISPAXIS") == VERTICAL:
        image, wavelength, axes = image.T, wavelength.T, axes[::-1]
        apertures = tuple((*box[2:], *box[:2]) for box in apertures)
    rows, columns = lit(wavelength)
    return Trace(
        name_of(science), str(science.header.get("BUNIT") or "no unit given"),
        image[rows, columns], wavelength[rows, columns], (columns.start, rows.start), axes,
        apertures,
    )  # fmt: skip


def same(hdu: Hdu, science: Hdu) -> bool:
    """Say whether an array belongs to a spectrum."""
    return hdu.version == science.version and hdu.shape == science.shape


def lit(wavelength: Float64) -> tuple[slice, slice]:
    """Return the rows and columns that have wavelengths; all, where none has."""
    known = np.isfinite(wavelength)
    slices = []
    for axis in (1, 0):
        found = np.flatnonzero(known.any(axis=axis))
        slices.append(
            slice(int(found[0]), int(found[-1]) + 1)
            if found.size
            else slice(0, wavelength.shape[1 - axis])
        )
    return slices[0], slices[1]


def name_of(science: Hdu) -> str:
    """Return slit, source and its kind as far as the header says."""
    header = science.header
    parts = [
        str(header.get("SLTNAME") or ""),
        f"source {header['SOURCEID']}" if header.get("SOURCEID") is not None else "",
        str(header.get("SRCTYPE") or ""),
        f"order {header['SPORDER']}" if header.get("SPORDER") is not None else "",
    ]
    return "   ".join(part for part in parts if part)
