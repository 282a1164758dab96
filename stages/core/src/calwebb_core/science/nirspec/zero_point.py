"""The wavelengths of a star that is not in the middle of its slit.

The WCS of a slit takes light to come from the slit's middle line. That of a star beside it falls a
little further along the dispersion, by a fraction of the slit's width that the diffraction at the
slit makes smaller. The wavecorr reference has the shift in pixels for each slit as a function of
wavelength (metres) and of the star's place across the slit (-0.5 to 0.5); between its points, and
beyond its ends in wavelength, it goes along straight lines. The correction is the mean over rows,
as a table from the uncorrected to the corrected wavelength, in a frame of its own.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from calwebb_core.framework.errors import InputError, ReferenceFileError
from calwebb_core.framework.models import Slit
from calwebb_core.framework.plain_asdf import Tagged
from calwebb_core.framework.reference_data import Reference
from calwebb_core.science.nirspec.cutting import MICROMETRES
from calwebb_core.science.spectral.wavelengths import PLANE
from calwebb_core.science.transforms.elementary import Identity
from calwebb_core.science.transforms.tables import Tabular
from calwebb_core.science.world import World

Float64 = NDArray[np.float64]

UNCORRECTED: Final = "slit_frame"
CORRECTED: Final = "wavecorr_frame"
HALF_WIDTH: Final = 0.5


@dataclass(frozen=True)
class ZeroPoint:
    """Shifts in pixels of one slit.

    Attributes
    ----------
    wavelengths : float64, (nwave,), metres, rising
    places : float64, (nplaces,), rising
    shifts : float64, (nwave, nplaces), pixels
    """

    wavelengths: Float64
    places: Float64
    shifts: Float64

    def at(self, wavelengths: Float64, place: float) -> Float64:
        """Return the shifts at wavelengths for one place across the slit."""
        column = np.array([np.interp(place, self.places, row) for row in self.shifts])
        return np.asarray(Tabular(self.wavelengths, column, None)(wavelengths))


def zero_point(reference: Reference, slit: str) -> ZeroPoint | None:
    """Return the shifts of a slit; None if the reference doesn't have it.

    Raises
    ------
    ReferenceFileError
        If the reference is no list of apertures, or the slit's table is not one of numbers for
        wavelengths and places.
    """
    apertures = (reference.tree or {}).get("apertures")
    if not isinstance(apertures, list) or not all(isinstance(a, dict) for a in apertures):
        msg = f"{reference.name}: the wavecorr reference has no list of `apertures`"
        raise ReferenceFileError(msg)
    for aperture in apertures:
        if aperture.get("aperture_name") == slit:
            return table_of(aperture.get("zero_point_offset"), slit, reference.name)
    return None


def table_of(node: Any, slit: str, source: str) -> ZeroPoint:
    """Return the shifts of a table node.

    Raises
    ------
    ReferenceFileError
        If it isn't one.
    """
    is_table = isinstance(node, Tagged) and node.kind == "transform/tabular"
    cause: Exception | None = None
    try:
        wavelengths, places = (np.asarray(part, np.float64) for part in node["points"])
        shifts = np.asarray(node["lookup_table"], np.float64)
    except (KeyError, TypeError, ValueError) as error:
        is_table, cause = False, error
    else:
        is_table &= shifts.shape == (wavelengths.size, places.size) and wavelengths.size > 1
        is_table &= all(np.all(np.diff(points) > 0) for points in (wavelengths, places))
    if not is_table or not np.all(np.isfinite(shifts)):
        msg = (
            f"{source}: `zero_point_offset` of {slit} in the wavecorr reference is no table of "
            f"numbers for rising wavelengths and places"
        )
        raise ReferenceFileError(msg) from cause
    return ZeroPoint(wavelengths, places, shifts)


def correct(slit: Slit, table: ZeroPoint, place: float) -> None:
    """Correct the wavelengths of a slit and its WCS, in place.

    Parameters
    ----------
    slit : Slit
        With a WCS that has the frame ``slit_frame``.
    table : ZeroPoint
    place : float
        Of the star across the slit, -0.5 to 0.5.

    Raises
    ------
    InputError
        If the star is outside of the slit, or the WCS isn't that of a slit.
    """
    name, source = slit.metadata.get("SLTNAME"), slit.metadata.source
    if not abs(place) <= HALF_WIDTH:
        msg = (
            f"{source}: the source is at {place:.2f} widths of slit {name} from its middle "
            f"(SRCXPOS), outside of the slit; check the pointing keywords, or skip wavecorr"
        )
        raise InputError(msg)
    if slit.wcs is None or UNCORRECTED not in slit.wcs.available_frames:
        msg = f"{source}: slit {name} has no WCS of NIRSpec; run assign_wcs and extract_2d first"
        raise InputError(msg)
    world = World.of(slit.wcs)
    uncorrected, curve = correction(world, slit.data.shape[-2:], table, place)
    slit.planes[PLANE] = np.asarray(curve(uncorrected) * MICROMETRES, np.float32)
    slit.wcs = world.inserted(UNCORRECTED, CORRECTED, Identity(2) & curve)
    slit.metadata["WAVECOR"] = True
    slit.metadata.homes["WAVECOR"] = "SCI"


def correction(
    world: World, shape: tuple[int, ...], table: ZeroPoint, place: float
) -> tuple[Float64, Tabular]:
    """Return uncorrected wavelengths, float64 (ny, nx), and the curve from them to corrected ones.

    Both in metres.
    """
    to_slit = world.get_transform("detector", UNCORRECTED)
    y, x = np.mgrid[: shape[-2], : shape[-1]].astype(np.float64)
    before, here, after = (to_slit(x + step, y)[2] for step in (-0.5, 0.0, 0.5))
    mean, pixel = column_means(here), column_means(after - before)
    lit = np.isfinite(mean) & np.isfinite(pixel)
    mean, pixel = mean[lit], pixel[lit]
    shifted = mean + table.at(mean, place) * pixel
    return here, Tabular(mean, shifted, None, "wave2wavecorr")


def column_means(values: Float64) -> Float64:
    """Return the means over rows, float64 (nx,), leaving NaN out; NaN where there is nothing."""
    known = np.isfinite(values)
    count = known.sum(axis=0)
    total = np.where(known, values, 0.0).sum(axis=0)
    return np.asarray(np.where(count > 0, total / np.maximum(count, 1), np.nan))
