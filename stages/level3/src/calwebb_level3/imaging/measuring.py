"""What the pixels of a mosaic say of its sources, band by band."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calwebb_core.framework.threads import in_threads
from calwebb_level3.imaging.aperture_reference import Apertures
from calwebb_level3.imaging.background import Mesh
from calwebb_level3.imaging.detection import Found
from calwebb_level3.imaging.photometry import Fluxes, joined, measure
from calwebb_level3.imaging.pixels import Pixels
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
    """

    shapes: Isophotes
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
    ny, nx = pixels.shape
    shapes = isophotes(
        found.places, found.labels, found.count, nx, found.filtered, at_places(pixels, found)
    )
    columns = found.background.columns()
    margin = int(np.ceil(max(apertures.sky[1], *apertures.radii, 4 * fwhm) + WINDOW_REACH)) + 2
    row = np.clip(np.rint(shapes.places[:, 1]), 0, ny - 1).astype(int)

    def one_band(band: tuple[int, int]) -> tuple[Int64, Float64, Fluxes, Float64, Float64]:
        chosen = np.flatnonzero((row >= band[0]) & (row < band[1]))
        top, bottom = max(0, band[0] - margin), min(ny, band[1] + margin)
        clean, err = clean_rows(pixels, found.background, columns, top, bottom)
        places = centroids(clean, top, shapes, chosen, fwhm)
        fluxes = measure(clean, err, top, places, apertures)
        dao = sharpness_roundness(clean, places - [0.0, top], fwhm)
        return chosen, places, fluxes, *dao

    parts = list(zip(*in_threads(one_band, pixels.bands()), strict=True))
    order = np.argsort(np.concatenate(parts[0]))
    places, sharpness, roundness = (np.concatenate(parts[k])[order] for k in (1, 3, 4))
    return Measured(shapes, places, joined(list(parts[2]), order), sharpness, roundness)
