"""The table of a source catalog, column by column."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from astropy import units
from astropy.coordinates import SkyCoord
from astropy.table import QTable
from numpy.typing import NDArray

from calwebb_core.science.footprint import sky
from calwebb_level3.imaging.aperture_reference import Apertures
from calwebb_level3.imaging.measuring import Measured
from calwebb_level3.imaging.photometry import Fluxes, ab_magnitude, concentration
from calwebb_level3.imaging.shapes import Isophotes, neighbours

Float64 = NDArray[np.float64]


@dataclass(frozen=True)
class Calibration:
    """From pixels to fluxes.

    Attributes
    ----------
    jansky : float
        Jy per unit of a pixel: 1e6 times PIXAR_SR for MJy/sr.
    vega_offset : float
        AB minus Vega magnitude; NaN if unknown.
    star_limits : (float, float)
        Concentrations (second over first aperture, third over second) up to which a source
        may be a star.
    """

    jansky: float
    vega_offset: float
    star_limits: tuple[float, float]


@dataclass(frozen=True)
class SkyPlaces:
    """Where sources lie on the sky, degrees.

    Attributes
    ----------
    centroid : (ra, dec), float64, (n,) each
    along : (ra, dec)
        Of the point one pixel along the major axis.
    corners : dict
        (ra, dec) of the outer corners of the corner pixels of the segments' boxes.
    """

    centroid: tuple[Float64, Float64]
    along: tuple[Float64, Float64]
    corners: dict[str, tuple[Float64, Float64]]


def make_catalog(
    measured: Measured,
    wcs: Any,
    *,
    apertures: Apertures,
    calibration: Calibration,
) -> QTable:
    """Return the catalog of sources that have been measured.

    Parameters
    ----------
    measured : Measured
    wcs : gwcs.WCS
    apertures : Apertures
    calibration : Calibration

    Returns
    -------
    astropy.table.QTable
        One row for each source, by label; fluxes in Jy.
    """
    shapes, places, fluxes = measured.shapes, measured.places, measured.fluxes
    on_sky = sky_places(wcs, places, shapes)
    table = QTable()
    table["label"] = np.arange(1, len(places) + 1)
    table["xcentroid"], table["ycentroid"] = places.T
    table["sky_centroid"] = coordinates(on_sky.centroid)
    add_apertures(table, fluxes, apertures, calibration)
    add_concentrations(table, fluxes, apertures, calibration)
    table["sharpness"], table["roundness"] = measured.sharpness, measured.roundness
    add_neighbours(table, places)
    add_isophotal(table, shapes, on_sky, calibration)
    for name, corner in on_sky.corners.items():
        table[f"sky_bbox_{name}"] = coordinates(corner)
    return table


def sky_places(wcs: Any, places: Float64, shapes: Isophotes) -> SkyPlaces:
    """Return all positions that the catalog gives, from one evaluation of the WCS."""
    x, y = places.T
    left, right, low, high = shapes.box
    points = [
        (x, y),
        (x + np.cos(shapes.angle), y + np.sin(shapes.angle)),
        (left - 0.5, low - 0.5),
        (left - 0.5, high + 0.5),
        (right + 0.5, low - 0.5),
        (right + 0.5, high + 0.5),
    ]
    ra, dec = sky(wcs, *np.array(points).transpose(1, 0, 2).reshape(2, -1))
    ra, dec = ra.reshape(6, -1) % 360.0, dec.reshape(6, -1)
    corners = {name: (ra[k + 2], dec[k + 2]) for k, name in enumerate(("ll", "ul", "lr", "ur"))}
    return SkyPlaces((ra[0], dec[0]), (ra[1], dec[1]), corners)


def coordinates(place: tuple[Float64, Float64]) -> SkyCoord:
    """Return ICRS coordinates of (ra, dec) in degrees."""
    return SkyCoord(place[0] * units.deg, place[1] * units.deg, frame="icrs")


def add_fluxes(
    table: QTable, fluxes: dict[str, tuple[Float64, Float64]], calibration: Calibration
) -> None:
    """Add fluxes, AB and Vega magnitudes and their errors under names, in the official order.

    Parameters
    ----------
    table : astropy.table.QTable
    fluxes : dict of (float64, float64)
        Flux and error, in the unit of the image, by name.
    calibration : Calibration
    """
    jansky = {
        name: tuple(value * calibration.jansky for value in pair) for name, pair in fluxes.items()
    }
    for name, (flux, error) in jansky.items():
        table[f"{name}_flux"] = flux * units.Jy
        table[f"{name}_flux_err"] = error * units.Jy
    for system, offset in (("ab", 0.0), ("vega", calibration.vega_offset)):
        for name, (flux, error) in jansky.items():
            magnitude, magnitude_error = ab_magnitude(flux, error)
            table[f"{name}_{system}mag"] = magnitude - offset
            table[f"{name}_{system}mag_err"] = magnitude_error + 0.0 * offset


def add_apertures(
    table: QTable, fluxes: Fluxes, apertures: Apertures, calibration: Calibration
) -> None:
    """Add the local background and the flux in each aperture and in all."""
    table["aper_bkg_flux"] = fluxes.sky * calibration.jansky * units.Jy
    table["aper_bkg_flux_err"] = fluxes.sky_err * calibration.jansky * units.Jy
    measured = zip(apertures.energies, fluxes.aperture, fluxes.aperture_err, strict=True)
    named = {f"aper{energy}": (flux, error) for energy, flux, error in measured}
    named["aper_total"] = (fluxes.total, fluxes.total_err)
    add_fluxes(table, named, calibration)


def add_concentrations(
    table: QTable, fluxes: Fluxes, apertures: Apertures, calibration: Calibration
) -> None:
    """Add concentrations, and whether the source is extended."""
    first, second, third = apertures.energies
    inner, outer, whole = concentration(fluxes.aperture)
    table[f"CI_{second}_{first}"] = inner
    table[f"CI_{third}_{second}"] = outer
    table[f"CI_{third}_{first}"] = whole
    table["is_extended"] = (inner > calibration.star_limits[0]) & (
        outer > calibration.star_limits[1]
    )


def add_neighbours(table: QTable, places: Float64) -> None:
    """Add label and distance of the nearest other source; -1 and NaN for a lonely one."""
    index, distance = neighbours(places)
    table["nn_label"] = np.where(index >= 0, index + 1, -1)
    table["nn_dist"] = distance * units.pix


def add_isophotal(
    table: QTable, shapes: Isophotes, on_sky: SkyPlaces, calibration: Calibration
) -> None:
    """Add flux and shape of the segments."""
    add_fluxes(table, {"isophotal": (shapes.flux, shapes.flux_err)}, calibration)
    table["isophotal_area"] = shapes.area * units.pix**2
    table["semimajor_sigma"] = shapes.major * units.pix
    table["semiminor_sigma"] = shapes.minor * units.pix
    table["ellipticity"] = shapes.ellipticity
    table["orientation"] = np.degrees(shapes.angle) * units.deg
    table["sky_orientation"] = position_angle(on_sky.centroid, on_sky.along) * units.deg


def position_angle(start: tuple[Float64, Float64], end: tuple[Float64, Float64]) -> Float64:
    """Return the angle east of north, 0 to 180 degrees, of the line between two positions.

    Parameters
    ----------
    start, end : (ra, dec)
        Degrees.
    """
    dec0, dec1 = np.deg2rad(start[1]), np.deg2rad(end[1])
    turn = np.deg2rad(end[0] - start[0])
    east = np.sin(turn) * np.cos(dec1)
    # sin(dec1 - dec0) without the loss of digits of the usual form at small distances.
    north = np.sin(dec1 - dec0) + 2 * np.sin(dec0) * np.cos(dec1) * np.sin(turn / 2) ** 2
    return np.asarray(np.degrees(np.arctan2(east, north)) % 180.0)
