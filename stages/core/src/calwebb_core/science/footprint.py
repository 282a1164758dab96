"""Where an image lies on the sky: corners, S_REGION, pixel scale and pixel area."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calwebb_core.framework.errors import ProcessingError

Float64 = NDArray[np.float64]


def pixel_box(wcs: Any, shape: tuple[int, ...]) -> tuple[tuple[float, float], tuple[float, float]]:
    """Return ((x0, x1), (y0, y1)): the WCS's bounding box, or the edges of the array."""
    box = wcs.bounding_box
    if box is None:
        return (-0.5, shape[-1] - 0.5), (-0.5, shape[-2] - 0.5)
    (x0, x1), (y0, y1) = box.bounding_box(order="F")
    return (float(x0), float(x1)), (float(y0), float(y1))


def sky(wcs: Any, x: Any, y: Any) -> tuple[Float64, Float64]:
    """Return right ascension and declination in degrees of pixels, bounding box ignored."""
    ra, dec = wcs(np.asarray(x, float), np.asarray(y, float), with_bounding_box=False)
    return np.asarray(ra), np.asarray(dec)


def footprint(wcs: Any, shape: tuple[int, ...]) -> Float64:
    """Return the outer corners of an image on the sky.

    Parameters
    ----------
    wcs : gwcs.WCS
    shape : (..., ny, nx)
        Used where the WCS has no bounding box.

    Returns
    -------
    float64, (4, 2), degrees
        Right ascension (0 to 360) and declination of the corners: lower left, upper left,
        upper right, lower right in pixels.
    """
    (x0, x1), (y0, y1) = pixel_box(wcs, shape)
    ra, dec = sky(wcs, [x0, x0, x1, x1], [y0, y1, y1, y0])
    return np.stack([np.mod(ra, 360.0), dec], axis=1)


def s_region(wcs: Any, shape: tuple[int, ...]) -> str:
    """Return the S_REGION keyword: the footprint as an STC-S polygon with nine decimals.

    Raises
    ------
    ProcessingError
        If a corner has no sky position.
    """
    corners = footprint(wcs, shape)
    if not np.all(np.isfinite(corners)):
        msg = "a corner of the image has no sky position; S_REGION cannot be made"
        raise ProcessingError(msg)
    return "POLYGON ICRS  " + " ".join(f"{value:.9f}" for value in corners.ravel())


def unit_vectors(ra: Any, dec: Any) -> Float64:
    """Return unit vectors, float64 (..., 3), of positions in degrees."""
    lon, lat = np.deg2rad(ra), np.deg2rad(dec)
    return np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], axis=-1)


def separation(first: Float64, second: Float64) -> Float64:
    """Return angles in degrees between unit vectors; accurate for the smallest ones."""
    cross = np.linalg.norm(np.cross(first, second), axis=-1)
    return np.asarray(np.rad2deg(np.arctan2(cross, np.sum(first * second, axis=-1))))


def pixel_scale(wcs: Any, ra: float, dec: float) -> float:
    """Return the pixel scale in degrees at a position: geometric mean of both axes."""
    x, y = (float(value) for value in wcs.invert(ra, dec, with_bounding_box=False))
    vectors = unit_vectors(*sky(wcs, [x, x + 1.0, x], [y, y, y + 1.0]))
    along_x, along_y = separation(vectors[:1], vectors[1:])
    return math.sqrt(float(along_x) * float(along_y))


def mean_pixel_area(wcs: Any, shape: tuple[int, ...], step: int = 15) -> float:
    """Return the mean solid angle of a pixel in steradian.

    The polygon through pixel positions along the edges, at most `step` pixels apart, is
    measured on the sky and divided by the number of pixels it encloses.

    Parameters
    ----------
    wcs : gwcs.WCS
    shape : (..., ny, nx)
    step : int
        Greatest distance in pixels between points of the outline.
    """
    (x0, x1), (y0, y1) = pixel_box(wcs, shape)
    nx, ny = (max(2, math.ceil((high - low) / step) + 1) for low, high in ((x0, x1), (y0, y1)))
    xs, ys = np.linspace(x0, x1, nx), np.linspace(y0, y1, ny)
    x = np.concatenate([xs[:-1], np.full(ny - 1, x1), xs[:0:-1], np.full(ny - 1, x0)])
    y = np.concatenate([np.full(nx - 1, y0), ys[:-1], np.full(nx - 1, y1), ys[:0:-1]])
    area = polygon_area(unit_vectors(*sky(wcs, x, y)))
    return area / ((x1 - x0) * (y1 - y0))


def polygon_area(vertices: Float64) -> float:
    """Return the solid angle in steradian inside a polygon of great circles.

    The polygon is cut in triangles with its mean direction; each has the solid angle
    tan(E/2) = a.(b x c) / (1 + a.b + b.c + c.a) (van Oosterom & Strackee 1983, IEEE Trans.
    Biomed. Eng. 30, 125).

    Parameters
    ----------
    vertices : float64, (n, 3)
        Unit vectors in order, less than a hemisphere.
    """
    centre = vertices.mean(axis=0)
    centre /= np.linalg.norm(centre)
    following = np.roll(vertices, -1, axis=0)
    # Differences to the centre keep the digits of the triple product for small polygons.
    triple = np.cross(vertices - centre, following - centre) @ centre
    below = 1.0 + vertices @ centre + following @ centre + np.sum(vertices * following, axis=1)
    return abs(float(np.sum(2.0 * np.arctan2(triple, below))))
