"""Star finders on a flat image: IRAF's starfind, DAOFIND, and segments of connected pixels."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calwebb_level3.kernels import star_shapes
from calwebb_level3.kernels import stars as kernels

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]
Int64 = NDArray[np.int64]
Bools = NDArray[np.bool_]

SIGMA_PER_FWHM = 1.0 / (2.0 * np.sqrt(2.0 * np.log(2.0)))


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
    reach = np.ascontiguousarray(np.argwhere(around) - np.array(around.shape) // 2)
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
    star_shapes.moment_shapes(data, peaks, matched.inner, finder.fwhm, shapes)
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
    star_shapes.filter_shapes(data, correlation, peaks, matched.inner, matched.gauss, shapes)
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
