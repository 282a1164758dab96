"""What the pixels of a mosaic say of its sources, band by band.

A first pass takes places from windows and fluxes from apertures. If the image has enough stars
to learn its PSF from, a second one fits the places of point-like sources, and puts what
saturation has taken from the cores of stars in from the fit to what is left of them.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calwebb_core.framework.threads import in_threads
from calwebb_level3.imaging.aperture_reference import Apertures
from calwebb_level3.imaging.background import Mesh
from calwebb_level3.imaging.cores import Windows
from calwebb_level3.imaging.detection import Found
from calwebb_level3.imaging.photometry import Fluxes, joined, local_sky, measure
from calwebb_level3.imaging.pixels import Pixels
from calwebb_level3.imaging.point_sources import PointSources, fill_cores, fitted, point_sources
from calwebb_level3.imaging.shapes import (
    WINDOW_REACH,
    Isophotes,
    centroids,
    isophotes,
    sharpness_roundness,
)
from calwebb_level3.kernels.apertures import subtract

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]
Int64 = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Measured:
    """Measurements of n sources.

    Attributes
    ----------
    shapes : Isophotes
    places : float64, (n, 2)
        x, y.
    fluxes : Fluxes
    sharpness, roundness : float64, (n,)
    saturated : bool, (n,)
        Cores were filled from the PSF, or should have been: then fluxes are NaN.
    """

    shapes: Isophotes
    places: Float64
    fluxes: Fluxes
    sharpness: Float64
    roundness: Float64
    saturated: Bools


@dataclass(frozen=True)
class Band:
    """Some sources' measurements: which sources, places, fluxes, sharpness and roundness."""

    chosen: Int64
    places: Float64
    fluxes: Fluxes
    sharpness: Float64
    roundness: Float64


def clean_rows(
    pixels: Pixels, background: Mesh, columns: Float64, first: int, last: int
) -> tuple[Float32, Float32]:
    """Return data without background (NaN where unusable) and errors of rows [first, last)."""
    data, err = pixels.rows(first, last)
    clean = np.empty(data.shape, np.float32)
    subtract(data, err, background.rows(first, last), columns, clean)
    return clean, err


def at_places(pixels: Pixels, found: Found) -> Float32:
    """Return data without background and errors at the sources' pixels, float32 (2, n)."""
    columns = found.background.columns()
    nx = pixels.shape[1]
    values = np.empty((2, len(found.places)), np.float32)

    def one_band(band: tuple[int, int]) -> None:
        start, stop = np.searchsorted(found.places, [band[0] * nx, band[1] * nx])
        inside = found.places[start:stop] - band[0] * nx
        clean, err = clean_rows(pixels, found.background, columns, *band)
        values[0, start:stop] = clean.ravel()[inside]
        values[1, start:stop] = err.ravel()[inside]

    in_threads(one_band, pixels.bands())
    return values


def measure_sources(pixels: Pixels, found: Found, apertures: Apertures, fwhm: float) -> Measured:
    """Measure the sources of a mosaic.

    Parameters
    ----------
    pixels : Pixels
    found : Found
    apertures : Apertures
    fwhm : float
        Of a star, pixels.
    """
    windows = Windows.of(pixels, found.background)
    nx = pixels.shape[1]
    shapes = isophotes(
        found.places, found.labels, found.count, nx, found.filtered, at_places(pixels, found)
    )
    first = measure_bands(windows, shapes.places, apertures, fwhm, None)
    points = point_sources(windows, first.places, first.fluxes, fwhm)
    last = first
    if points.psf is not None:
        last = measure_bands(windows, first.places, apertures, fwhm, points)
    return Measured(
        shapes, last.places, last.fluxes, last.sharpness, last.roundness, points.damaged
    )


def measure_bands(
    windows: Windows,
    starts: Float64,
    apertures: Apertures,
    fwhm: float,
    points: PointSources | None,
) -> Band:
    """Measure all sources, band by band; in their order.

    Parameters
    ----------
    windows : Windows
    starts : float64, (n, 2)
        About where the sources are.
    apertures : Apertures
    fwhm : float
    points : PointSources or None
        None on the first pass, which finds the places of all sources by windows.
    """
    pixels = windows.pixels
    ny = pixels.shape[0]
    margin = int(np.ceil(max(apertures.sky[1], *apertures.radii, 4 * fwhm) + WINDOW_REACH)) + 2
    if points is not None:
        margin += points.margin
    row = np.clip(np.rint(starts[:, 1]), 0, ny - 1).astype(int)

    def one_band(band: tuple[int, int]) -> Band:
        chosen = np.flatnonzero((row >= band[0]) & (row < band[1]))
        top, bottom = max(0, band[0] - margin), min(ny, band[1] + margin)
        clean, err = clean_rows(pixels, windows.background, windows.columns, top, bottom)
        if points is None:
            places = centroids(clean, top, starts[chosen], fwhm)
        else:
            near = np.flatnonzero(points.damaged & (row >= top) & (row < bottom))
            around = local_sky(clean, top, starts[near], apertures)[:, 0]
            clean, err, filled = fill_cores(
                windows, clean, err, top, (near, starts[near]), points, around
            )
            sky = local_sky(clean, top, starts[chosen], apertures)[:, 0]
            places = fitted(clean, err, top, chosen, starts, points, sky)
            own = np.isin(chosen, near)
            places[own] = filled[np.searchsorted(near, chosen[own])]
        fluxes = measure(clean, err, top, places, apertures)
        dao = sharpness_roundness(clean, places - [0.0, top], fwhm)
        return Band(chosen, places, fluxes, *dao)

    parts = in_threads(one_band, pixels.bands())
    order = np.argsort(np.concatenate([part.chosen for part in parts]))
    places, sharpness, roundness = (
        np.concatenate([getattr(part, name) for part in parts])[order]
        for name in ("places", "sharpness", "roundness")
    )
    fluxes = joined([part.fluxes for part in parts], order)
    return Band(np.sort(order), places, fluxes, sharpness, roundness)
