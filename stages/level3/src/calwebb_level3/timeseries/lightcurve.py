"""The table of a star's brightness along time, from the segments one after the other.

Only the pixels around the star are kept: windows of all integrations of a segment.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from calwebb_level3.timeseries.centroids import (
    Box,
    box_around,
    centre_of_light,
    width_and_flux,
)
from calwebb_level3.timeseries.photometry import Aperture, Frames, fill_frames, sums
from calwebb_level3.timeseries.series import Segment, TimeSeries

if TYPE_CHECKING:
    from astropy.table import QTable

Float64 = NDArray[np.float64]
PLACES = ("centroid_x", "centroid_y")
SHAPES = ("psf_width_x", "psf_width_y", "psf_flux")
DO_NOT_USE = np.uint32(1)


@dataclass(frozen=True)
class Settings:
    """What to measure where; see the options of tso_photometry.

    Attributes
    ----------
    planned : (x, y)
        Place where the star should be, from 0.
    aperture : Aperture
    to_jy : float
        Jy per MJy/sr and pixel.
    centre : bool
        Look for the star around its planned place.
    search, fit : int
        Widths of the windows.
    moving : bool
    fill : bool
    """

    planned: tuple[float, float]
    aperture: Aperture
    to_jy: float
    centre: bool = True
    search: int = 41
    fit: int = 11
    moving: bool = False
    fill: bool = True


def window_of(settings: Settings, shape: tuple[int, int]) -> Box:
    """Return the pixels that are looked at: of the search, and rings around what it may find."""
    reach = settings.search if settings.centre else 1
    width = reach + 2 * int(np.ceil(max(settings.aperture.outer, settings.fit / 2))) + 3
    return box_around(*settings.planned, width, shape)


def windows(segment: Segment, box: Box, settings: Settings) -> Frames:
    """Return the window of all integrations of a segment, unusable pixels estimated if wanted."""
    rows, columns = slice(box.bottom, box.top), slice(box.left, box.right)
    data = np.empty((segment.nints, box.top - box.bottom, box.right - box.left))
    err = np.empty_like(data)
    for t in range(segment.nints):
        data[t] = segment.frames("data", t, t + 1)[0, rows, columns]
        err[t] = segment.frames("err", t, t + 1)[0, rows, columns]
        bad = (segment.frames("dq", t, t + 1)[0, rows, columns] & DO_NOT_USE) != 0
        data[t][bad] = np.nan
    if segment.outliers is not None:
        data[outliers_in(segment, box)] = np.nan
    y, x = np.mgrid[box.bottom : box.top, box.left : box.right]
    star = np.hypot(x - settings.planned[0], y - settings.planned[1]) <= settings.aperture.inner
    if settings.fill:
        found = fill_frames(data, err, star)
        return Frames(found.data, found.err, found.filled, box.left, box.bottom)
    return Frames(data, err, np.zeros(data.shape, bool), box.left, box.bottom)


def outliers_in(segment: Segment, box: Box) -> tuple[NDArray[Any], ...]:
    """Return the outliers of a segment that are in a window, as indices of the window."""
    assert segment.outliers is not None  # noqa: S101 - asked by the caller
    t, y, x = np.unravel_index(segment.outliers, segment.shape)
    inside = (box.left <= x) & (x < box.right) & (box.bottom <= y) & (y < box.top)
    return t[inside], y[inside] - box.bottom, x[inside] - box.left


def look_for_star(frames: Frames, settings: Settings) -> dict[str, Float64]:
    """Return place, widths and flux of the star in each integration, in the window's pixels."""
    rows = []
    x, y = settings.planned[0] - frames.left, settings.planned[1] - frames.bottom
    radius = settings.aperture.inner
    for image in frames.data:
        place = centre_of_light(image, (x, y), settings.search, radius)
        place = centre_of_light(image, place, settings.fit, radius)
        shape = width_and_flux(image, place, settings.fit, radius)
        rows.append((place[0] + frames.left, place[1] + frames.bottom, *shape))
    table = np.array(rows, np.float64).reshape(-1, 5).T
    return dict(zip((*PLACES, *SHAPES), table, strict=True))


def measure(series: TimeSeries, settings: Settings) -> "tuple[QTable, int]":
    """Make the table of a series.

    Returns
    -------
    table : QTable
        One row an integration, in the order of time; columns as in `_phot` products.
    filled : int
        Unusable pixels in circles that were estimated.
    """
    _, ny, nx = series.segments[0].shape
    box = window_of(settings, (ny, nx))
    places = [look_for_star(windows(s, box, settings), settings) for s in series.segments]
    found = {name: np.concatenate([p[name] for p in places]) for name in (*PLACES, *SHAPES)}
    x, y = centres(found, settings)
    pieces, filled = [], 0
    for segment in series.segments:
        rows = slice(segment.start, segment.start + segment.nints)
        frames = windows(segment, box, settings)
        pieces.append(sums(frames, x[rows], y[rows], settings.aperture))
        filled += inside_circle(frames, x[rows], y[rows], settings.aperture.radius)
    measured = {name: np.concatenate([p[name] for p in pieces]) for name in pieces[0]}
    return as_table(series, settings, measured, (x, y), found), filled


def centres(found: dict[str, Float64], settings: Settings) -> tuple[Float64, Float64]:
    """Return the centre of the apertures in each integration."""
    usual = []
    for name, planned in zip(PLACES, settings.planned, strict=True):
        known = found[name][np.isfinite(found[name])]
        usual.append(float(np.median(known)) if settings.centre and known.size else planned)
    result = []
    for name, place in zip(PLACES, usual, strict=True):
        same = np.full(len(found[name]), place)
        moving = settings.centre and settings.moving
        own = np.isfinite(found[PLACES[0]] + found[PLACES[1]])
        result.append(np.where(own, found[name], same) if moving else same)
    return result[0], result[1]


def inside_circle(frames: Frames, x: Float64, y: Float64, radius: float) -> int:
    """Return how many pixels in the circles were estimated."""
    t, rows, columns = np.nonzero(frames.filled)
    away = np.hypot(columns + frames.left - x[t], rows + frames.bottom - y[t])
    return int(np.count_nonzero(away <= radius))


def as_table(
    series: TimeSeries,
    settings: Settings,
    measured: dict[str, Float64],
    centre: tuple[Float64, Float64],
    found: dict[str, Float64],
) -> "QTable":
    """Return the columns of a `_phot` product with their units."""
    import astropy.units as u
    from astropy.table import QTable

    table = QTable()
    table["MJD"] = times_of(series, "int_mid_MJD_UTC")
    table["BJD_TDB"] = times_of(series, "int_mid_BJD_TDB")
    for name, values in measured.items():
        table[name] = values * settings.to_jy * u.Jy
    table["aperture_x"], table["aperture_y"] = centre[0] * u.pix, centre[1] * u.pix
    for name, angle in zip(("ra", "dec"), positions(series, *centre), strict=True):
        table[f"aperture_{name}_icrs"] = angle * u.deg
    if settings.centre:
        for name, values in found.items():
            flux = name == "psf_flux"
            table[name] = values * settings.to_jy * u.Jy if flux else values * u.pix
    return table


def times_of(series: TimeSeries, column: str) -> Float64:
    """Return a column of INT_TIMES for the integrations of all segments."""
    pieces = []
    for segment in series.segments:
        assert segment.times is not None  # noqa: S101 - refused when it was read
        table = segment.times.data
        first = segment.metadata.optional("INTSTART", int) or 1
        rows = {number: row for row, number in enumerate(table["integration_number"].tolist())}
        places = [rows[first + t] for t in range(segment.nints)]
        pieces.append(np.asarray(table[column][places], np.float64))
    return np.concatenate(pieces)


def positions(series: TimeSeries, x: Float64, y: Float64) -> tuple[Float64, Float64]:
    """Return right ascension and declination of places, NaN without WCS."""
    from calwebb_core.framework.product_reading import read_asdf

    segment = series.segments[0]
    wcs, _ = read_asdf(segment.path, segment.hdus)
    if wcs is None:
        return np.full(len(x), np.nan), np.full(len(x), np.nan)
    ra, dec = wcs(x, y)[:2]
    return np.asarray(ra, np.float64), np.asarray(dec, np.float64)
