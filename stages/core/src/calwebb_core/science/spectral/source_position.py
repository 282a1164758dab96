"""Where the source is in a spectrum: the pixel across the dispersion, for every wavelength."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from calwebb_core.framework.errors import InputError
from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.models import Image
from calwebb_core.science.spectral.extraction import VERTICAL, oriented

Float64 = NDArray[np.float64]

POINT: Final = "POINT"
SLIT_FRAME: Final = "slit_frame"
# Modes whose source may be anywhere along the slit.
MOVED: Final = ("MIR_LRS-FIXEDSLIT", "NRS_FIXEDSLIT", "NRS_BRIGHTOBJ", "NRS_MSASPEC")
MICROMETRES: Final = 1e6
PROBES: Final = 33  # points along each axis of the box where a wavelength is looked for
FAR_INFRARED: Final = 1e-3  # a wavelength below is none in micrometres, but in metres


@dataclass(frozen=True)
class Position:
    """Where the source is.

    Attributes
    ----------
    middle : int
        Element along the dispersion that counts for the whole spectrum.
    place : float
        Pixel across the dispersion there.
    trace : float64 (nalong,)
        Pixel across the dispersion at every element.
    """

    middle: int
    place: float
    trace: Float64


def is_used(keywords: Metadata, wish: bool | None, stated: bool | None) -> bool:
    """Say whether the aperture is moved to the source: for points that need not be in the middle.

    Parameters
    ----------
    keywords : Metadata
        With EXP_TYPE and SRCTYPE.
    wish, stated : bool or None
        What the user says, and the reference for point sources.
    """
    if wish is not None:
        return wish
    usual = keywords.get("EXP_TYPE") in MOVED
    return keywords.get("SRCTYPE") == POINT and (usual if stated is None else stated)


def position_of(part: Image, keywords: Metadata, wavelengths: Float64, axis: int) -> Position:
    """Return where the source is.

    NIRSpec: SRCXPOS, SRCYPOS in the slit. MIRI LRS in the slit: DITH_RA, DITH_DEC. Others: TARG_RA,
    TARG_DEC.

    Parameters
    ----------
    part : Image or Slit
        With a WCS.
    keywords : Metadata
    wavelengths : float64 (nalong, nacross)
        Micrometres.
    axis : 1 or 2
        Of the dispersion.

    Raises
    ------
    InputError
        If there is no WCS, a keyword is missing, or the source is outside of the array.
    """
    if part.wcs is None:
        msg = f"{keywords.source}: has no WCS to place the source with; run assign_wcs first"
        raise InputError(msg)
    nalong, nacross = wavelengths.shape
    lit = np.flatnonzero(np.any(np.isfinite(wavelengths), axis=1))
    if not lit.size:
        msg = f"{keywords.source}: no pixel has a wavelength; the spectrum is off the detector"
        raise InputError(msg)
    middle = int(lit[len(lit) // 2])
    waves = row_medians(wavelengths, lit)
    x, y = pixels_of(part.wcs, keywords, waves)
    across = np.full(nalong, np.nan)
    across[lit] = x if axis == VERTICAL else y
    place = float(across[middle])
    if not -0.5 <= place <= nacross - 0.5:
        name = keywords.get("SLTNAME") or keywords.get("EXP_TYPE")
        msg = (
            f"{keywords.source}: the source of {name} is at pixel {place:.1f} across the "
            f"dispersion, outside of the {nacross} pixels of its spectrum; correct its position, "
            "or set use_source_posn=false"
        )
        raise InputError(msg)
    return Position(middle, place, across)


def row_medians(wavelengths: Float64, rows: NDArray[np.intp]) -> Float64:
    """Return the median wavelength of some rows that have one."""
    medians: Float64 = np.nanmedian(wavelengths[rows], axis=1)
    return medians


def pixels_of(wcs: Any, keywords: Metadata, waves: Float64) -> tuple[Float64, Float64]:
    """Return the pixels (x, y) of the source at some wavelengths, NaN where there are none."""
    if SLIT_FRAME in wcs.available_frames:
        return pixels_in_slit(wcs, keywords, waves)
    names = ("DITH_RA", "DITH_DEC")
    if keywords.get("EXP_TYPE") != "MIR_LRS-FIXEDSLIT" or names[0] not in keywords:
        names = ("TARG_RA", "TARG_DEC")
    ra, dec = (np.full(len(waves), keywords.require(name, float)) for name in names)
    x, y = wcs.invert(ra, dec, waves, with_bounding_box=False)
    return np.asarray(x, np.float64), np.asarray(y, np.float64)


def pixels_in_slit(wcs: Any, keywords: Metadata, waves: Float64) -> tuple[Float64, Float64]:
    """Return the pixels of a source in one of NIRSpec's slits."""
    places = [np.full(len(waves), number_of(keywords, name)) for name in ("SRCXPOS", "SRCYPOS")]
    scale = MICROMETRES if in_metres(wcs) else 1.0
    x, y = wcs.get_transform(SLIT_FRAME, "detector")(*places, waves / scale)[:2]
    return np.asarray(x, np.float64), np.asarray(y, np.float64)


def in_metres(wcs: Any) -> bool:
    """Say whether wavelengths in the slit frame are in metres, rather than in micrometres.

    Spectra lean and end before the detector does: not every pixel of the box sees the slit.
    """
    (x0, x1), (y0, y1) = wcs.bounding_box
    x, y = np.meshgrid(np.linspace(x0, x1, PROBES), np.linspace(y0, y1, PROBES))
    wave = np.asarray(wcs.get_transform("detector", SLIT_FRAME)(x, y)[2])
    known = wave[np.isfinite(wave)]
    return bool(known.size) and abs(float(np.median(known))) < FAR_INFRARED


def number_of(keywords: Metadata, name: str) -> float:
    """Return a number of the keywords, 0 where it is not there: the middle of the slit."""
    return keywords.require(name, float) if keywords.get(name) is not None else 0.0


def oriented_wavelengths(wavelengths: Float64, axis: int) -> Float64:
    """Return wavelengths (ny, nx) as (nalong, nacross)."""
    return np.ascontiguousarray(oriented(wavelengths, axis))
