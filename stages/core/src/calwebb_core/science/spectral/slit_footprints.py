"""Where on the sky the pixels of a slit's spectra are, and the line that the slit has there."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calwebb_core.framework.errors import InputError
from calwebb_core.science.spectral.extraction import oriented
from calwebb_core.science.spectral.wavelengths import world_of_pixels
from calwebb_core.science.transforms.sphere import SkyToPlane

Float64 = NDArray[np.float64]
Place = tuple[float, float]


@dataclass(frozen=True)
class Footprint:
    """Where the pixels of one spectrum are; axes are (along, across the dispersion).

    Attributes
    ----------
    ra, dec : float64 (nalong, nacross)
        Degrees, right ascensions without a jump at 0; NaN for pixels without wavelength.
    wavelength : float64 (nalong, nacross)
        Micrometres.
    """

    ra: Float64
    dec: Float64
    wavelength: Float64

    def on_plane(self, crval: Place) -> tuple[Float64, Float64]:
        """Return offsets to the east and north on the tangent plane at a place, degrees."""
        east, north = SkyToPlane(crval)(self.ra, self.dec)
        return np.asarray(east), np.asarray(north)


@dataclass(frozen=True)
class Line:
    """The straight line along a slit, fitted to one element of a spectrum.

    Attributes
    ----------
    middle : int
        The element along the dispersion.
    crval : (float, float)
        Mean right ascension and declination of its pixels, degrees.
    direction : (float, float)
        East and north, a unit vector.
    step : float
        From pixel to pixel, degrees.
    """

    middle: int
    crval: Place
    direction: Place
    step: float

    @classmethod
    def of(cls, footprint: Footprint, source: str) -> "Line":
        """Return the line in the middle of a spectrum.

        Raises
        ------
        InputError
            If the slit has less than two pixels there.
        """
        known = np.isfinite(footprint.wavelength)
        lit = np.flatnonzero(known.any(axis=1))
        middle = int(lit[len(lit) // 2])
        inside = np.flatnonzero(known[middle])
        if len(inside) < 2:
            msg = (
                f"{source}: the slit has 1 pixel across the dispersion in the middle of its "
                "spectrum; expected at least 2: leave it out"
            )
            raise InputError(msg)
        crval = tuple(float(part[middle, inside].mean()) for part in (footprint.ra, footprint.dec))
        east, north = (
            float(np.polyfit(inside, part[middle, inside], 1)[0])
            for part in footprint.on_plane((crval[0], crval[1]))
        )
        step = float(np.hypot(east, north))
        return cls(middle, (crval[0], crval[1]), (east / step, north / step), step)


def footprints(
    wcses: Sequence[Any], shapes: Sequence[tuple[int, ...]], axis: int, source: str
) -> list[Footprint]:
    """Return where the pixels of spectra are.

    Raises
    ------
    InputError
        If a spectrum has no pixel with a wavelength.
    """
    found: list[Footprint] = []
    for wcs, shape in zip(wcses, shapes, strict=True):
        sky = [np.ascontiguousarray(oriented(part, axis)) for part in world_of_pixels(wcs, shape)]
        known = np.isfinite(sky[2])
        if not known.any():
            msg = f"{source}: no pixel has a wavelength; the spectrum is off the detector"
            raise InputError(msg)
        zero = np.nanmin(found[0].ra) if found else sky[0][known][0]
        ra = zero + np.mod(sky[0] - zero + 180.0, 360.0) - 180.0
        found.append(
            Footprint(np.where(known, ra, np.nan), np.where(known, sky[1], np.nan), sky[2])
        )
    return found


def limits_centre(parts: Sequence[Footprint]) -> Place:
    """Return the middle between the limits of all spectra, degrees."""
    ra, dec = (
        0.5 * (min(map(np.nanmin, values)) + max(map(np.nanmax, values)))
        for values in ([part.ra for part in parts], [part.dec for part in parts])
    )
    return float(ra), float(dec)
