"""The table of a source catalog, column by column."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from astropy import units
from astropy.coordinates import SkyCoord
from astropy.table import QTable
from numpy.typing import NDArray
from photutils.segmentation import SourceCatalog
from scipy.spatial import KDTree

from calwebb_core.science.footprint import sky
from calwebb_level3.imaging.aperture_reference import Apertures
from calwebb_level3.imaging.detection import Found
from calwebb_level3.imaging.photometry import Fluxes, ab_magnitude, concentration, measure
from calwebb_level3.imaging.shapes import sharpness_roundness

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]
Bools = NDArray[np.bool_]


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


def make_catalog(
    found: Found,
    err: Float32,
    mask: Bools,
    wcs: Any,
    *,
    apertures: Apertures,
    calibration: Calibration,
    fwhm: float,
    localbkg_width: int = 0,
) -> QTable:
    """Return the catalog of the sources found.

    Parameters
    ----------
    found : Found
    err : float32, (ny, nx)
    mask : bool, (ny, nx)
    wcs : gwcs.WCS
    apertures : Apertures
    calibration : Calibration
    fwhm : float
        Of a star, pixels.
    localbkg_width : int
        Of the annulus around segments, pixels; none if 0.

    Returns
    -------
    astropy.table.QTable
        One row for each source, by label; fluxes in Jy.
    """
    sources = SourceCatalog(
        found.clean,
        found.segments,
        convolved_data=found.filtered,
        error=np.where(np.isfinite(err), err, np.float32(0)),
        mask=mask,
        local_bkg_width=localbkg_width,
    )
    places = centroids(sources)
    fluxes = measure(found.clean, err, mask, places, apertures)
    table = QTable()
    table["label"] = np.asarray(sources.labels, np.int64)
    table["xcentroid"], table["ycentroid"] = places.T
    table["sky_centroid"] = sky_positions(wcs, *places.T)
    add_apertures(table, fluxes, apertures, calibration)
    add_shapes(table, found, places, fluxes, apertures, calibration, fwhm)
    add_neighbours(table, places)
    add_isophotal(table, sources, wcs, calibration)
    add_boxes(table, sources, wcs)
    return table


def centroids(sources: SourceCatalog) -> Float64:
    """Return positions (n, 2): windowed centroids, isophotal ones where these fail or run off.

    The window's weights make the position of a faint star as good as a PSF fit's, while the
    isophotal centroid is that of the few pixels above the threshold.
    """
    isophotal = np.atleast_2d(np.asarray(sources.centroid, float))
    windowed = np.atleast_2d(np.asarray(sources.centroid_win, float))
    near = np.hypot(*(windowed - isophotal).T) < 1.5
    return np.where(near[:, np.newaxis], windowed, isophotal)


def sky_positions(wcs: Any, x: Any, y: Any) -> SkyCoord:
    """Return ICRS positions of pixels."""
    ra, dec = sky(wcs, np.asarray(x, float), np.asarray(y, float))
    return SkyCoord(ra * units.deg, dec * units.deg, frame="icrs")


def add_fluxes(
    table: QTable, name: str, flux: Float64, error: Float64, calibration: Calibration
) -> None:
    """Add flux, AB and Vega magnitude and their errors under a name."""
    flux, error = flux * calibration.jansky, error * calibration.jansky
    magnitude, magnitude_error = ab_magnitude(flux, error)
    table[f"{name}_flux"] = flux * units.Jy
    table[f"{name}_flux_err"] = error * units.Jy
    table[f"{name}_abmag"] = magnitude
    table[f"{name}_abmag_err"] = magnitude_error
    table[f"{name}_vegamag"] = magnitude - calibration.vega_offset
    table[f"{name}_vegamag_err"] = magnitude_error + 0.0 * calibration.vega_offset


def add_apertures(
    table: QTable, fluxes: Fluxes, apertures: Apertures, calibration: Calibration
) -> None:
    """Add the local background and the flux in each aperture and in all."""
    table["aper_bkg_flux"] = fluxes.sky * calibration.jansky * units.Jy
    table["aper_bkg_flux_err"] = fluxes.sky_err * calibration.jansky * units.Jy
    measured = zip(apertures.energies, fluxes.aperture, fluxes.aperture_err, strict=True)
    for energy, flux, error in measured:
        add_fluxes(table, f"aper{energy}", flux, error, calibration)
    add_fluxes(table, "aper_total", fluxes.total, fluxes.total_err, calibration)


def add_shapes(
    table: QTable,
    found: Found,
    places: Float64,
    fluxes: Fluxes,
    apertures: Apertures,
    calibration: Calibration,
    fwhm: float,
) -> None:
    """Add concentrations, whether it is extended, sharpness and roundness."""
    first, second, third = apertures.energies
    inner, outer, whole = concentration(fluxes.aperture)
    table[f"CI_{second}_{first}"] = inner
    table[f"CI_{third}_{second}"] = outer
    table[f"CI_{third}_{first}"] = whole
    table["is_extended"] = (inner > calibration.star_limits[0]) & (
        outer > calibration.star_limits[1]
    )
    table["sharpness"], table["roundness"] = sharpness_roundness(found.clean, places, fwhm)


def add_neighbours(table: QTable, places: Float64) -> None:
    """Add label and distance of the nearest other source; -1 and NaN for a lonely one."""
    table["nn_label"] = np.full(len(table), -1, np.int64)
    table["nn_dist"] = np.full(len(table), np.nan) * units.pix
    if len(table) > 1:
        distance, index = KDTree(places).query(places, k=2)
        own = index[:, 0] == np.arange(len(table))
        # Of two sources at one place the tree may name the other one first.
        table["nn_label"] = table["label"][np.where(own, index[:, 1], index[:, 0])]
        table["nn_dist"] = distance[:, 1] * units.pix


def add_isophotal(
    table: QTable, sources: SourceCatalog, wcs: Any, calibration: Calibration
) -> None:
    """Add flux and shape of the segments."""
    flux, error = (
        np.atleast_1d(np.asarray(values, float))
        for values in (sources.segment_flux, sources.segment_flux_err)
    )
    add_fluxes(table, "isophotal", flux, error, calibration)
    table["isophotal_area"] = np.atleast_1d(sources.area.value) * units.pix**2
    table["semimajor_sigma"] = np.atleast_1d(sources.semimajor_axis.value) * units.pix
    table["semiminor_sigma"] = np.atleast_1d(sources.semiminor_axis.value) * units.pix
    table["ellipticity"] = np.atleast_1d(np.asarray(sources.ellipticity, float))
    angle = np.atleast_1d(sources.orientation.to_value(units.deg))
    table["orientation"] = angle * units.deg
    x, y = table["xcentroid"], table["ycentroid"]
    table["sky_orientation"] = position_angle(wcs, x, y, angle) * units.deg


def position_angle(wcs: Any, x: Float64, y: Float64, angle: Float64) -> Float64:
    """Return the angle east of north, 0 to 180 degrees, of a direction in pixels.

    Parameters
    ----------
    wcs : gwcs.WCS
    x, y : float64, (n,)
    angle : float64, (n,)
        From +x towards +y, degrees.
    """
    turned = np.deg2rad(angle)
    start = sky_positions(wcs, x, y)
    end = sky_positions(wcs, x + np.cos(turned), y + np.sin(turned))
    return np.asarray(start.position_angle(end).to_value(units.deg)) % 180.0


def add_boxes(table: QTable, sources: SourceCatalog, wcs: Any) -> None:
    """Add the corners of the segments' boxes on the sky: outer corners of the corner pixels."""
    edges = {
        name: np.atleast_1d(np.asarray(getattr(sources, f"bbox_{name}"), float))
        for name in ("xmin", "xmax", "ymin", "ymax")
    }
    left, right = edges["xmin"] - 0.5, edges["xmax"] + 0.5
    low, high = edges["ymin"] - 0.5, edges["ymax"] + 0.5
    for name, x, y in (
        ("ll", left, low),
        ("ul", left, high),
        ("lr", right, low),
        ("ur", right, high),
    ):
        table[f"sky_bbox_{name}"] = sky_positions(wcs, x, y)
