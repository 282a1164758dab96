"""What the pixels of a mosaic say of its sources, band by band.

A first pass takes places from windows and fluxes from apertures. If the image has enough stars
to learn its PSF from, a second one fits the places of point-like sources, and puts what
saturation has taken from the cores of stars in from the fit to what is left of them.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calwebb_core.framework.threads import in_threads
from calwebb_core.science.kernels.order_statistics import clip_sorted, middle
from calwebb_level3.imaging.aperture_reference import Apertures
from calwebb_level3.imaging.background import CLIP, ROUNDS, Mesh
from calwebb_level3.imaging.cores import Windows
from calwebb_level3.imaging.detection import Detection, Found, Peaks, find_in, relabelled
from calwebb_level3.imaging.halo import without_halos
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


# Area from which on a source needs no peak, in units of a star's.
WIDE = 4.0


@dataclass(frozen=True)
class Measured:
    """Measurements of n sources.

    Attributes
    ----------
    found : Found
        The sources that are left.
    shapes : Isophotes
    places : float64, (n, 2)
        x, y.
    fluxes : Fluxes
    sharpness, roundness : float64, (n,)
    saturated : bool, (n,)
        Cores were filled from the PSF, or should have been: then fluxes are NaN.
    """

    found: Found
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

    def of(self, chosen: Int64) -> "Band":
        """Return the measurements of some sources, counted from 0 on."""
        return Band(
            np.arange(len(chosen)), self.places[chosen], joined([self.fluxes], chosen),
            self.sharpness[chosen], self.roundness[chosen],
        )  # fmt: skip


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


def catalogued(
    pixels: Pixels, how: Detection, apertures: Apertures, segments: Any = None
) -> Measured | None:
    """Find and measure the sources of a mosaic, or return None if there are none.

    Parameters
    ----------
    pixels : Pixels
    how : Detection
    apertures : Apertures
    segments : int32, (ny, nx), optional
        Zeros to be filled, such as an array in a file.
    """
    found = find_in(pixels, how, segments)
    if found is None:
        return None
    return measure_sources(pixels, without_halos(pixels, found, how), apertures, how)


def measure_sources(
    pixels: Pixels, found: Found, apertures: Apertures, how: Detection
) -> Measured | None:
    """Measure the sources of a mosaic, or return None if none of them stands out.

    Parameters
    ----------
    pixels : Pixels
    found : Found
    apertures : Apertures
    how : Detection
    """
    windows = Windows.of(pixels, found.background)
    peaks = Peaks.of(found)
    starts = np.column_stack([peaks.x, peaks.y]).astype(float)
    first = measure_bands(windows, starts, apertures, how.fwhm, None)
    keep = standing_out(found, first, how)
    target = np.where(keep, np.arange(1, found.count + 1), 0).astype(np.int32)
    found = relabelled(found, np.concatenate([np.zeros(1, np.int32), target]))
    if not found.count:
        return None
    first = first.of(np.flatnonzero(keep))
    points = point_sources(windows, first.places, first.fluxes, how.fwhm)
    last = measure_bands(windows, first.places, apertures, how.fwhm, points)
    shapes = isophotes(
        found.places,
        found.labels,
        found.count,
        pixels.shape[1],
        found.filtered,
        at_places(pixels, found),
    )
    if how.localbkg_width:
        shapes = without_levels(windows, found, shapes, how.localbkg_width)
    return Measured(
        found, shapes, last.places, last.fluxes, last.sharpness, last.roundness, points.damaged
    )


def without_levels(windows: Windows, found: Found, shapes: Isophotes, width: int) -> Isophotes:
    """Return the segments' fluxes without the level of a frame around each.

    The frame begins at one and a half times the segment's box; the level is the clipped median
    of its pixels that belong to no source.
    """
    left, right, low, high = shapes.box.astype(int)
    levels = np.zeros(found.count)
    for k in range(found.count):
        x, y = (left[k] + right[k]) // 2, (low[k] + high[k]) // 2
        inner = np.array([0.75 * (high[k] - low[k] + 1), 0.75 * (right[k] - left[k] + 1)])
        half = int(np.ceil(inner.max())) + width
        values = windows.clean(int(x), int(y), half)
        v, u = np.indices(values.shape) - half
        ny, nx = windows.pixels.shape
        inside = (v + y >= 0) & (v + y < ny) & (u + x >= 0) & (u + x < nx)
        free = inside & np.isfinite(values)
        free[inside] &= found.segments[(v + y)[inside], (u + x)[inside]] == 0
        free &= (abs(v) > inner[0]) | (abs(u) > inner[1])
        free &= (abs(v) <= inner[0] + width) & (abs(u) <= inner[1] + width)
        chosen = np.sort(values[free])
        if len(chosen):
            levels[k] = middle(chosen, *clip_sorted(chosen, len(chosen), CLIP, ROUNDS))
    return replace(shapes, flux=shapes.flux - levels * shapes.area)


def standing_out(found: Found, first: Band, how: Detection) -> Bools:
    """Return which sources stand out of their surroundings, bool (count,).

    The outskirts of a galaxy or a nebula lie above the background everywhere: noise on them
    passes the threshold, but not that of an aperture with a local sky. What is wide is kept.
    """
    flux, error = first.fluxes.aperture[1:], first.fluxes.aperture_err[1:]
    with np.errstate(invalid="ignore", divide="ignore"):
        faint = (flux < how.snr_threshold * error).all(axis=0)
    area = np.bincount(found.labels, minlength=found.count + 1)[1:]
    return np.asarray(~faint | (area > WIDE * np.pi * how.fwhm**2))


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
        None on the first pass, which finds the places of all sources by windows and leaves
        sharpness and roundness out.
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
            sky = local_sky(clean, top, starts[chosen], apertures)[:, 0]
            places = centroids(clean, top, starts[chosen], sky, fwhm)
            places = np.where(np.isfinite(places), places, starts[chosen])
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
        dao = (np.zeros(len(places)),) * 2
        if points is not None:
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
