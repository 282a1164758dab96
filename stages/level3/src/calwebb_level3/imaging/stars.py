"""Stars of one exposure for its alignment: found by a matched filter, centred by a fitted PSF.

The finders are those of the field: IRAF's starfind, DAOFIND (Stetson 1987, PASP 99, 191), and
segments of connected pixels. Their moment centroids of stars that the detector undersamples are
pulled to pixel centres. The position is therefore fitted: a Gaussian integrated over pixels
whose width the bright stars of the exposure tell, starting from the telescope's diffraction.
"""

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calwebb_level3.imaging.finders import METHODS, Finder
from calwebb_level3.imaging.psf_fit import LARGEST_MISFIT, fit_stars, typical_width
from calwebb_level3.kernels import stars as kernels

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]
Bools = NDArray[np.bool_]

# Residual systematic error of a fitted position in pixels, so that no bright star rules the fit.
POSITION_FLOOR = 0.01
# So many pixels tell the level of a box: their median is good to 2 % of the noise.
SAMPLES = 6_000
LEAST_GOOD = 0.1
# So many times the stars that are kept are fitted: there may be cosmic rays among them.
CANDIDATES = 5


@dataclass(frozen=True)
class Stars:
    """Stars of an image, brightest first; every attribute is float64, (n,).

    Attributes
    ----------
    x, y : pixels, 0-based
    flux : unit of the image, summed over pixels
    weight : inverse variance of the position, 1/pixel**2
    """

    x: Float64
    y: Float64
    flux: Float64
    weight: Float64

    def __len__(self) -> int:
        return len(self.x)

    def __getitem__(self, rows: Any) -> "Stars":
        return Stars(*(getattr(self, column.name)[rows] for column in fields(self)))

    @classmethod
    def none(cls) -> "Stars":
        """Return no stars."""
        return cls(*(np.empty(0) for _ in fields(cls)))


def find_stars(data: Float32, err: Float32 | None, good: Bools, finder: Finder) -> Stars:
    """Return the stars of an image.

    Parameters
    ----------
    data : float32, (ny, nx)
    err : float32, (ny, nx), or None
        The noise of the background is taken for all pixels if there is none.
    good : bool, (ny, nx)
        Pixels to use.
    finder : Finder

    Returns
    -------
    Stars
    """
    bad = ~(good & np.isfinite(data))
    clean = np.array(data, np.float32, order="C")
    noise = flatten(clean, bad, finder.bkg_boxsize)
    if not noise > 0:
        return Stars.none()
    found = METHODS[finder.method](clean, noise, bad, finder)
    found = candidates(found, bad, finder)
    if not len(found):
        return Stars.none()
    if err is None:
        err = np.full(clean.shape, noise, np.float32)
    return centre(clean, np.ascontiguousarray(err, np.float32), bad, found, finder)


def flatten(data: Float32, bad: Bools, boxsize: int) -> float:
    """Subtract the smooth background in place, put 0 in bad pixels; return the noise of a pixel.

    The background is a spline through the clipped medians of boxes; the noise the median of
    their standard deviations, NaN if no box has enough good pixels.

    Parameters
    ----------
    data : float32, (ny, nx)
        Changed.
    bad : bool, (ny, nx)
    boxsize : int
    """
    side = max(1, min(boxsize, *data.shape))
    stride = max(1, side // int(np.sqrt(SAMPLES)))
    mesh = tuple(-(-size // side) for size in data.shape)
    levels, noises = np.empty(mesh), np.empty(mesh)
    kernels.box_levels(data, bad, side, stride, LEAST_GOOD, levels, noises)
    known = np.isfinite(levels)
    if not known.any():
        return float("nan")
    levels = filled(levels, known)
    rows = spline_weights(mesh[0], side, data.shape[0]) @ levels
    columns = spline_weights(mesh[1], side, data.shape[1]).T
    kernels.subtract_rows(
        data, bad, rows.astype(np.float32), np.ascontiguousarray(columns, np.float32)
    )
    return float(np.median(noises[known]))


def filled(levels: Float64, known: Bools) -> Float64:
    """Return the levels of boxes, unknown ones from the nearest known boxes."""
    result = levels.copy()
    there = np.argwhere(known)
    for place in np.argwhere(~known):
        distance = np.sum((there - place) ** 2, axis=1)
        nearest = there[distance == distance.min()]
        result[tuple(place)] = np.mean(levels[nearest[:, 0], nearest[:, 1]])
    return result


def spline_weights(nodes: int, side: int, size: int) -> Float64:
    """Return what each node weighs in the natural cubic spline at each pixel.

    Beyond the centres of the outer boxes the spline is constant.

    Parameters
    ----------
    nodes : int
        Boxes along an axis.
    side : int
        Pixels of a box.
    size : int
        Pixels along the axis.

    Returns
    -------
    float64, (size, nodes)
    """
    if nodes == 1:
        return np.ones((size, 1))
    system, right = np.eye(nodes), np.zeros((nodes, nodes))
    for k in range(1, nodes - 1):
        system[k, k - 1 : k + 2] = 1.0, 4.0, 1.0
        right[k, k - 1 : k + 2] = 6.0, -12.0, 6.0
    curvature = np.linalg.solve(system, right)
    place = np.clip((np.arange(size) + 0.5) / side - 0.5, 0.0, nodes - 1.0)
    first = np.minimum(place.astype(int), nodes - 2)
    b = (place - first)[:, np.newaxis]
    a, unit = 1.0 - b, np.eye(nodes)
    bend = (a**3 - a) * curvature[first] + (b**3 - b) * curvature[first + 1]
    return np.asarray(a * unit[first] + b * unit[first + 1] + bend / 6.0)


def candidates(found: Float64, bad: Bools, finder: Finder) -> Float64:
    """Return the brightest detections whose central 3 x 3 pixels are all usable."""
    ny, nx = bad.shape
    x, y = found[:, 0], found[:, 1]
    inside = np.isfinite(found).all(axis=1)
    inside &= (x > 1) & (y > 1) & (x < nx - 2) & (y < ny - 2)
    found = found[inside]
    column, row = (np.rint(found[:, axis]).astype(int) for axis in (0, 1))
    clean = np.ones(len(found), bool)
    for dy in (-1, 0, 1):
        for dx in (-1, 0, 1):
            clean &= ~bad[row + dy, column + dx]
    found = found[clean]
    # Ties are broken by position: the order doesn't depend on the finder's.
    order = np.lexsort((found[:, 0], found[:, 1], -found[:, 2]))
    return found[order if finder.brightest is None else order[: CANDIDATES * finder.brightest]]


def centre(data: Float32, err: Float32, bad: Bools, found: Float64, finder: Finder) -> Stars:
    """Return the brightest stars with fitted positions.

    Detections whose fit fails, runs away or leaves too much are no stars.
    """
    start = np.ascontiguousarray(found[:, :2])
    fwhm = finder.psf_fwhm or finder.fwhm
    fwhm = typical_width(data, err, bad, start, fwhm)
    fits = fit_stars(data, err, bad, start, fwhm)
    moved = np.hypot(*(fits.positions - start).T)
    variance = fits.variance + 2 * POSITION_FLOOR**2
    keep = (moved < max(1.0, fwhm)) & (fits.flux > 0) & np.isfinite(variance)
    keep &= fits.misfit < LARGEST_MISFIT
    rows = np.flatnonzero(keep)[: finder.brightest]
    x, y = fits.positions[rows].T
    return Stars(x, y, fits.flux[rows], 1.0 / variance[rows])
