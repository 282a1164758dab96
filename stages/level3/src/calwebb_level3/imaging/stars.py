"""Stars of one exposure for its alignment: found by a matched filter, centred by a fitted PSF.

The finders are those of the field: IRAF's starfind, DAOFIND (Stetson 1987, PASP 99, 191), and
segments of connected pixels. Their moment centroids of stars that the detector undersamples are
pulled to pixel centres. The position is therefore fitted: a Gaussian integrated over pixels
whose width the bright stars of the exposure tell, starting from the telescope's diffraction.
"""

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calwebb_level3.imaging.psf_fit import Fits, fit_stars, typical_width
from calwebb_level3.kernels import stars as kernels

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]
Int64 = NDArray[np.int64]
Bools = NDArray[np.bool_]

SIGMA_PER_FWHM = 1.0 / (2.0 * np.sqrt(2.0 * np.log(2.0)))
# Residual systematic error of a fitted position in pixels, so that no bright star rules the fit.
POSITION_FLOOR = 0.01
# So many pixels tell the level of a box: their median is good to 1 % of the noise.
SAMPLES = 16_000
LEAST_GOOD = 0.1
# Residuals of a fit over the star's light: hot pixels and cosmic rays leave more.
LARGEST_MISFIT = 0.5


@dataclass(frozen=True)
class Finder:
    """How stars are found; widths and distances in pixels.

    Attributes
    ----------
    method : {"iraf", "dao", "segmentation"}
    fwhm : float
        Of the matched filter.
    snr_threshold : float
        Peak over background noise.
    sharpness, roundness : (float, float) or None
        Range that is kept, all if None; meaning as in the method.
    sigma_radius : float
        Truncation of the kernel in units of its sigma.
    separation : float
        Least distance of two stars.
    brightest : int or None
        Keep so many.
    peakmax : float or None
        Leave out stars with a brighter pixel.
    bkg_boxsize : int
    npixels, connectivity, contrast
        Of the segmentation; see `calwebb_level3.imaging.detection.Detection`.
    psf_fwhm : float or None
        First guess of a star's width before the integration over pixels; `fwhm` if None.
    """

    method: str
    fwhm: float
    snr_threshold: float = 10.0
    sharpness: tuple[float, float] | None = None
    roundness: tuple[float, float] | None = None
    sigma_radius: float = 1.5
    separation: float = 0.0
    brightest: int | None = 200
    peakmax: float | None = None
    bkg_boxsize: int = 400
    npixels: int = 10
    connectivity: int = 8
    contrast: float = 0.001
    psf_fwhm: float | None = None


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
    found = brightest(found, bad, finder)
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


@dataclass(frozen=True)
class MatchedFilter:
    """A Gaussian kernel that adds up to zero, as DAOFIND's.

    Attributes
    ----------
    kernel : float32, (side, side)
        Its correlation with a star of this width gives the star's height.
    inner : bool, (side, side)
        Pixels in the truncation radius.
    gauss : float64, (side, side)
        Height 1 in the middle, not truncated.
    error : float
        Noise of the correlation in units of a pixel's.
    """

    kernel: Float32
    inner: Bools
    gauss: Float64
    error: float

    @classmethod
    def of(cls, fwhm: float, sigma_radius: float) -> "MatchedFilter":
        """Make the kernel of a width in pixels and a truncation in units of its sigma."""
        sigma = fwhm * SIGMA_PER_FWHM
        half = int(max(2.0, sigma_radius * sigma))
        axis = np.arange(-half, half + 1)
        radius2 = (axis[:, np.newaxis] ** 2 + axis**2).astype(float)
        inner = (radius2 <= (sigma_radius * sigma) ** 2) | (radius2 <= 4.0)
        gauss = np.exp(-0.5 * radius2 / sigma**2)
        values = gauss[inner]
        norm = np.sum(values**2) - np.sum(values) ** 2 / values.size
        kernel = np.where(inner, (gauss - values.mean()) / norm, 0.0)
        return cls(kernel.astype(np.float32), inner, gauss, float(1.0 / np.sqrt(norm)))


def peaks_of(data: Float32, bad: Bools, filtered: MatchedFilter, limit: float, apart: float) -> Any:
    """Correlate an image with a kernel and find the maxima above a limit.

    Parameters
    ----------
    data : float32, (ny, nx)
    bad : bool, (ny, nx)
    filtered : MatchedFilter
    limit : float
    apart : float
        Least distance of two maxima; that of the kernel's pixels if 0.

    Returns
    -------
    peaks : int64, (n, 2)
        x, y.
    correlation : float32, (ny, nx)
    """
    correlation = np.empty_like(data)
    kernels.correlate(data, filtered.kernel, correlation)
    around = filtered.inner
    if apart > 0:
        axis = np.arange(-int(apart), int(apart) + 1)
        around = axis[:, np.newaxis] ** 2 + axis**2 <= apart**2
    reach = np.argwhere(around) - np.array(around.shape) // 2
    room = 10_000
    while True:
        peaks = np.empty((room, 2), np.int64)
        count = kernels.local_maxima(correlation, bad, np.float32(limit), reach, peaks)
        if count <= room:
            return peaks[:count], correlation
        room = count


def find_iraf(data: Float32, noise: float, bad: Bools, finder: Finder) -> Float64:
    """Find stars as IRAF's starfind does: float64 (n, 3), x, y, flux."""
    matched = MatchedFilter.of(finder.fwhm, finder.sigma_radius)
    limit = finder.snr_threshold * noise
    peaks, _ = peaks_of(data, bad, matched, limit, finder.separation)
    shapes = np.empty((len(peaks), 6))
    kernels.moment_shapes(data, peaks, matched.inner, finder.fwhm, shapes)
    keep = within(shapes[:, 4], finder.sharpness) & within(shapes[:, 5], finder.roundness)
    if finder.peakmax is not None:
        keep &= shapes[:, 3] <= finder.peakmax
    return shapes[keep, :3]


def find_dao(data: Float32, noise: float, bad: Bools, finder: Finder) -> Float64:
    """Find stars as DAOFIND does: float64 (n, 3), x, y, flux."""
    matched = MatchedFilter.of(finder.fwhm, finder.sigma_radius)
    limit = finder.snr_threshold * noise * matched.error
    peaks, correlation = peaks_of(data, bad, matched, limit, finder.separation)
    shapes = np.empty((len(peaks), 7))
    kernels.filter_shapes(data, correlation, peaks, matched.inner, matched.gauss, shapes)
    keep = within(shapes[:, 4], finder.sharpness)
    keep &= within(shapes[:, 5], finder.roundness) & within(shapes[:, 6], finder.roundness)
    if finder.peakmax is not None:
        keep &= shapes[:, 3] <= finder.peakmax
    return shapes[keep, :3]


def within(values: Float64, limits: tuple[float, float] | None) -> Bools:
    """Return which values lie in a range; NaN doesn't."""
    if limits is None:
        return np.isfinite(values)
    return np.asarray((values >= limits[0]) & (values <= limits[1]))


def find_segments(data: Float32, noise: float, bad: Bools, finder: Finder) -> Float64:
    """Find connected pixels above the threshold by a matched filter: x, y, flux."""
    from calwebb_level3.imaging.detection import Detection, find_sources

    how = Detection(
        finder.fwhm,
        finder.snr_threshold,
        finder.npixels,
        finder.connectivity,
        finder.contrast,
        bkg_boxsize=finder.bkg_boxsize,
    )
    found = find_sources(data, np.full(data.shape, noise, np.float32), bad, how)
    if found is None:
        return np.empty((0, 3))
    values = data.reshape(-1)[found.places].astype(float)
    row, column = np.divmod(found.places, data.shape[1])
    # Negative pixels would drive centroids of faint sources away.
    light = np.clip(values, 0.0, None)
    sums = [
        np.bincount(found.labels, weights=part, minlength=found.count + 1)[1:]
        for part in (light, light * column, light * row, values)
    ]
    with np.errstate(invalid="ignore", divide="ignore"):
        table = np.stack([sums[1] / sums[0], sums[2] / sums[0], sums[3]], axis=1)
    if finder.peakmax is None:
        return table
    highest = np.full(found.count + 1, -np.inf)
    np.maximum.at(highest, found.labels, values)
    return np.asarray(table[highest[1:] < finder.peakmax])


METHODS: dict[str, Callable[[Float32, float, Bools, Finder], Float64]] = {
    "iraf": find_iraf,
    "dao": find_dao,
    "segmentation": find_segments,
}


def brightest(found: Float64, bad: Bools, finder: Finder) -> Float64:
    """Return the brightest stars whose central 3 x 3 pixels are all usable."""
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
    return found[order[: finder.brightest]]


def centre(data: Float32, err: Float32, bad: Bools, found: Float64, finder: Finder) -> Stars:
    """Return the stars with fitted positions; fits that fail or run away are left out."""
    start = np.ascontiguousarray(found[:, :2])
    fwhm = finder.psf_fwhm or finder.fwhm
    fwhm = typical_width(data, err, bad, start, fwhm)
    fits: Fits = fit_stars(data, err, bad, start, fwhm)
    moved = np.hypot(*(fits.positions - start).T)
    variance = fits.variance + 2 * POSITION_FLOOR**2
    keep = (moved < max(1.0, fwhm)) & (fits.flux > 0) & np.isfinite(variance)
    keep &= fits.misfit < LARGEST_MISFIT
    x, y = fits.positions[keep].T
    return Stars(x, y, fits.flux[keep], 1.0 / variance[keep])
