"""Places and shapes of sources: segments, windows, and DAOFIND's sharpness and roundness."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calwebb_level3.kernels.moments import nearest, segment_moments, windowed

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]
Int32 = NDArray[np.int32]
Int64 = NDArray[np.int64]

SIGMA_PER_FWHM = 1.0 / (2.0 * np.sqrt(2.0 * np.log(2.0)))
# Farthest that a windowed centroid may lie from the brightest pixel, pixels.
WINDOW_REACH = 1.5
# Windows narrower than this, pixels FWHM, see too little of an undersampled star: their centroids
# are pulled to pixel centres by up to 0.12 pixel at a star's width of 1.4, and by 0.01 with it.
LEAST_WINDOW = 2.4
PIXEL_VARIANCE = 1.0 / 12.0


@dataclass(frozen=True)
class Isophotes:
    """Properties of the segments of n sources; pixels and the unit of the image.

    Attributes
    ----------
    places : float64, (n, 2)
        Centroid x, y of the smoothed image.
    flux, flux_err, area : float64, (n,)
        Sum of the pixels with data, its error, and their number.
    major, minor : float64, (n,)
        Standard deviations along the axes.
    angle : float64, (n,)
        Of the major axis, from +x towards +y, radians.
    box : float64, (4, n)
        First and last x, first and last y.
    """

    places: Float64
    flux: Float64
    flux_err: Float64
    area: Float64
    major: Float64
    minor: Float64
    angle: Float64
    box: Float64

    @property
    def ellipticity(self) -> Float64:
        """One minus the ratio of the axes."""
        return np.asarray(1.0 - self.minor / self.major)


def isophotes(
    places: Int64, labels: Int32, count: int, nx: int, filtered: Float32, values: Float32
) -> Isophotes:
    """Return the properties of segments.

    Parameters
    ----------
    places, labels, filtered : (n,)
        As `detection.Found` holds them.
    count, nx : int
        Number of sources, and columns of the image.
    values : float32, (2, n)
        Image without background (NaN where there are no data) and errors at `places`.
    """
    sums = np.zeros((count, 12))
    segment_moments(places, labels, nx, filtered, values[0], values[1], sums)
    xx, xy, yy = widened(*sums[:, 2:5].T)
    mean, half = (xx + yy) / 2, np.hypot((xx - yy) / 2, xy)
    return Isophotes(
        sums[:, :2],
        sums[:, 5],
        np.sqrt(sums[:, 6]),
        sums[:, 7],
        np.sqrt(mean + half),
        np.sqrt(np.maximum(mean - half, 0.0)),
        0.5 * np.arctan2(2 * xy, xx - yy),
        sums[:, 8:].T,
    )


def widened(xx: Float64, xy: Float64, yy: Float64) -> tuple[Float64, Float64, Float64]:
    """Return variances to which the pixel's was added until they aren't those of a line."""
    xx, yy = xx.copy(), yy.copy()
    for _ in range(2):
        thin = xx * yy - xy**2 < PIXEL_VARIANCE**2
        xx[thin] += PIXEL_VARIANCE
        yy[thin] += PIXEL_VARIANCE
    return xx, xy, yy


def centroids(clean: Float32, top: int, starts: Float64, levels: Float64, fwhm: float) -> Float64:
    """Return positions (m, 2): windowed centroids, NaN where these fail or run off.

    The window's weights make the position of a faint star as good as a PSF fit's, while the
    isophotal centroid is that of the few pixels above the threshold.

    Parameters
    ----------
    clean : float32, (n, nx)
        Rows of the image from `top` on, without background; NaN where there are no data.
    top : int
    starts : float64, (m, 2)
        Brightest pixels.
    levels : float64, (m,)
        Local sky.
    fwhm : float
        Of a star, pixels.
    """
    starts = np.ascontiguousarray(starts)
    result = np.empty_like(starts)
    sigma = max(fwhm, LEAST_WINDOW) * SIGMA_PER_FWHM
    windowed(clean, top, starts, levels, sigma, WINDOW_REACH, result)
    return result


def neighbours(places: Float64) -> tuple[Int64, Float64]:
    """Return index and distance of the nearest other source of each; -1 and NaN if lonely."""
    places = np.ascontiguousarray(places, float)
    index, distance = np.empty(len(places), np.int64), np.empty(len(places))
    nearest(places, np.argsort(places[:, 1], kind="stable"), index, distance)
    return index, distance


def cutouts(data: Float32, positions: Float64, half: int) -> Float64:
    """Return squares around the nearest pixels; NaN beyond the edges.

    Parameters
    ----------
    data : float32, (ny, nx)
    positions : float64, (n, 2)
        x, y; NaN gives NaN.
    half : int
        The side is ``2 half + 1``.

    Returns
    -------
    float64, (n, side, side)
    """
    known = np.asarray(np.isfinite(positions).all(axis=1))
    centre = np.rint(np.where(known[:, np.newaxis], positions, 0.0)).astype(int)
    known &= (centre >= 0).all(axis=1) & (centre < data.shape[::-1]).all(axis=1)
    steps = np.arange(-half, half + 1)
    rows = centre[:, 1, np.newaxis, np.newaxis] + steps[:, np.newaxis]
    columns = centre[:, 0, np.newaxis, np.newaxis] + steps
    inside = (rows >= 0) & (rows < data.shape[0]) & (columns >= 0) & (columns < data.shape[1])
    inside &= known[:, np.newaxis, np.newaxis]
    rows, columns = np.broadcast_arrays(rows, columns)
    result = np.full(inside.shape, np.nan)
    result[inside] = data[rows[inside], columns[inside]]
    return result


def sharpness_roundness(data: Float32, positions: Float64, fwhm: float) -> tuple[Float64, Float64]:
    """Return sharpness and roundness of sources as DAOFIND does (Stetson 1987, PASP 99, 191).

    Sharpness is the excess of the central pixel over the mean of its neighbours in units of
    the height of the Gaussian that fits best; roundness is the difference of the heights of
    the Gaussians that fit the sums along y and along x, over their mean.

    Parameters
    ----------
    data : float32, (ny, nx)
        Without background; NaN gives NaN.
    positions : float64, (n, 2)
        x, y.
    fwhm : float
        Pixels.

    Returns
    -------
    float64, (n,), twice
        NaN near the edges and for sources whose fitted height isn't positive.
    """
    sigma = fwhm * SIGMA_PER_FWHM
    half = max(2, int(1.5 * sigma + 0.5))
    squares = cutouts(data, positions, half)
    offset = np.arange(-half, half + 1)
    gauss = np.exp(-0.5 * (offset / sigma) ** 2)
    plane = np.outer(gauss, gauss)
    height = fitted_height(squares.reshape(len(squares), plane.size), plane.ravel())
    height = np.where(height > 0, height, np.nan)
    centre = squares[:, half, half]
    others = (squares.sum(axis=(1, 2)) - centre) / (plane.size - 1)
    weights = half + 1.0 - np.abs(offset)
    hx = fitted_height(np.einsum("nyx,y->nx", squares, weights), gauss)
    hy = fitted_height(np.einsum("nyx,x->ny", squares, weights), gauss)
    mean = np.where((hx > 0) & (hy > 0), 0.5 * (hx + hy), np.nan)
    return (centre - others) / height, (hx - hy) / mean


def fitted_height(values: Float64, profile: Float64) -> Float64:
    """Return the height of a profile on a constant that fits best, by least squares.

    Parameters
    ----------
    values : float64, (n, m)
    profile : float64, (m,)
    """
    shape = profile - profile.mean()
    return np.asarray(values @ shape / (shape @ shape))
