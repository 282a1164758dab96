"""Sources in an image: matched filter, threshold in units of the measured noise, deblending.

The image is filtered with a Gaussian of the width of a star, weighted by the inverse variance
(for a star this is the filter of the highest signal to noise; Turin 1960, IRE Trans. Inf.
Theory 6, 311). Drizzled noise is correlated, so that the filter lowers it less than the errors
of independent pixels say: the filtered image is divided by its own scatter. A threshold of 3
on the result means 3 sigma of a star's flux, not of a pixel's.
"""

import warnings
from dataclasses import dataclass

import numpy as np
from astropy.stats import mad_std
from numpy.typing import NDArray
from photutils.segmentation import SegmentationImage, detect_sources
from scipy.ndimage import binary_dilation, gaussian_filter, label

from calwebb_level3.imaging.background import measure_background
from calwebb_level3.kernels.deblend import flood

Float32 = NDArray[np.float32]
Bools = NDArray[np.bool_]

SIGMA_PER_FWHM = 1.0 / (2.0 * np.sqrt(2.0 * np.log(2.0)))
TRUNCATE = 4.0


@dataclass(frozen=True)
class Detection:
    """How sources are found.

    Attributes
    ----------
    fwhm : float
        Width of the filter, pixels.
    snr_threshold : float
        In units of the noise of the filtered image.
    npixels, connectivity
        Least pixels of a source, and neighbours of a pixel (4 or 8).
    contrast : float
        Least share of a blend's flux that a peak has above its saddle.
    deblend : bool
    bkg_boxsize : int
    """

    fwhm: float
    snr_threshold: float = 3.0
    npixels: int = 5
    connectivity: int = 8
    contrast: float = 0.001
    deblend: bool = True
    bkg_boxsize: int = 200


@dataclass(frozen=True)
class Found:
    """What was found.

    Attributes
    ----------
    segments : photutils.segmentation.SegmentationImage
    clean : float32, (ny, nx)
        Image without background, 0 where masked.
    filtered : float32, (ny, nx)
        `clean`, smoothed to the width of a star.
    """

    segments: SegmentationImage
    clean: Float32
    filtered: Float32


def smooth(image: Float32, sigma: float) -> Float32:
    """Return the convolution with a Gaussian of unit sum; 0 beyond the edges."""
    return np.asarray(
        gaussian_filter(image, sigma, mode="constant", cval=0.0, truncate=TRUNCATE), np.float32
    )


def significance(clean: Float32, err: Float32, mask: Bools, fwhm: float) -> Float32:
    """Return the signal to noise of a star centred on each pixel.

    ``sum(k d / s^2) / sqrt(sum(k^2 / s^2))`` with the Gaussian k, divided by its scatter in
    the image.

    Parameters
    ----------
    clean : float32, (ny, nx)
        Image without background.
    err : float32, (ny, nx)
    mask : bool, (ny, nx)
    fwhm : float
        Pixels.

    Returns
    -------
    float32, (ny, nx)
        0 where masked.
    """
    sigma = fwhm * SIGMA_PER_FWHM
    usable = ~mask & np.isfinite(err) & (err > 0)
    if not usable.any():
        return np.zeros_like(clean)
    # In units of the typical variance, which keeps float32 in range for any unit of the image.
    unit = np.float32(np.median(err[usable]))
    weight = np.zeros_like(clean)
    np.divide(unit, err, out=weight, where=usable)
    weight **= 2
    signal = smooth(clean / unit * weight, sigma)
    # The square of a Gaussian is a narrower Gaussian.
    power = smooth(weight, sigma / np.sqrt(2.0)) / np.float32(4.0 * np.pi * sigma**2)
    result = np.zeros_like(clean)
    np.divide(signal, np.sqrt(np.clip(power, 0, None)), out=result, where=usable & (power > 0))
    scatter = float(mad_std(result[usable]))
    return result / np.float32(scatter) if scatter > 0 else result


def outer_edge(mask: Bools) -> Bools:
    """Return the outermost usable pixels of an image.

    They cover their input pixels in part only; several may hold the same noise, which passes
    for a source.

    Parameters
    ----------
    mask : bool, (ny, nx)
        True where there are no data.
    """
    parts, count = label(mask)
    border = np.concatenate([parts[0], parts[-1], parts[:, 0], parts[:, -1]])
    outside = np.zeros(count + 1, bool)
    outside[border] = True
    outside[0] = False
    edge = binary_dilation(outside[parts], np.ones((3, 3), bool), border_value=1)
    return np.asarray(edge & ~mask)


def find_sources(data: Float32, err: Float32, mask: Bools, how: Detection) -> Found | None:
    """Return the sources of an image, or None if there are none.

    Parameters
    ----------
    data, err : float32, (ny, nx)
    mask : bool, (ny, nx)
        True where not to be used.
    how : Detection
    """
    if mask.all():
        return None
    clean = np.where(mask, np.float32(0), data - measure_background(data, mask, how.bkg_boxsize)[0])
    clean = clean.astype(np.float32)
    filtered = smooth(clean, how.fwhm * SIGMA_PER_FWHM)
    snr = significance(clean, err, mask, how.fwhm)
    snr[outer_edge(mask)] = 0
    with warnings.catch_warnings():
        # "No sources were found" is answered by None.
        warnings.simplefilter("ignore")
        segments = detect_sources(
            snr, how.snr_threshold, how.npixels, connectivity=how.connectivity, mask=mask
        )
    if segments is None:
        return None
    if how.deblend:
        noise = filtered_noise(filtered, err, mask, how.fwhm)
        limits = (how.npixels, how.contrast, how.snr_threshold)
        segments = SegmentationImage(deblend(filtered, noise, segments.data, limits))
    return Found(segments, clean, filtered)


def filtered_noise(filtered: Float32, err: Float32, mask: Bools, fwhm: float) -> Float32:
    """Return the noise of the filtered image, scaled to its scatter as in `significance`."""
    sigma = fwhm * SIGMA_PER_FWHM
    usable = ~mask & np.isfinite(err) & (err > 0)
    unit = np.float32(np.median(err[usable]))
    variance = np.where(usable, err / unit, np.float32(0)) ** 2
    noise = unit * np.sqrt(np.clip(smooth(variance, sigma / np.sqrt(2.0)), 0, None))
    noise /= np.float32(np.sqrt(4.0 * np.pi) * sigma)
    known = usable & (noise > 0)
    scatter = float(mad_std(filtered[known] / noise[known]))
    return np.asarray(noise * np.float32(scatter if scatter > 0 else 1.0), np.float32)


def deblend(
    image: Float32, noise: Float32, segments: NDArray[np.int32], limits: tuple[int, float, float]
) -> NDArray[np.int32]:
    """Separate the sources that share a segment.

    Pixels are labelled from the brightest down; where two peaks meet, they stay apart if both
    have enough pixels, flux and significance above the pixel between them, otherwise they are
    one. This is the limit of infinitely many levels of multi-thresholding (Bertin & Arnouts
    1996, A&AS 117, 393).

    Parameters
    ----------
    image : float32, (ny, nx)
        Smoothed to the width of a star.
    noise : float32, (ny, nx)
        Of `image`.
    segments : int32, (ny, nx)
    limits : (int, float, float)
        Least pixels, least share of the segment's flux, least height above the saddle in units
        of the noise.

    Returns
    -------
    int32, (ny, nx)
        Labels from 1 on, in the order in which the sources begin from the first row on.
    """
    image, noise = (np.ascontiguousarray(array, np.float32) for array in (image, noise))
    segments = np.ascontiguousarray(segments, np.int32)
    inside = np.flatnonzero(segments)
    # Stable, so that equal pixels keep the order of rows and columns.
    order = inside[np.argsort(-image.ravel()[inside], kind="stable")]
    totals = np.bincount(segments.ravel(), weights=np.clip(image, 0, None).ravel())
    labels = np.zeros(image.shape, np.int32)
    parent = flood(image, noise, segments, order, totals, np.array(limits, np.float64), labels)
    while np.any(parent[parent] != parent):
        parent = parent[parent]
    return in_order(parent[labels])


def in_order(labels: NDArray[np.int32]) -> NDArray[np.int32]:
    """Renumber labels 1, 2, ... by first appearance along the rows; 0 stays."""
    names, first = np.unique(labels, return_index=True)
    rank = np.zeros(int(names[-1]) + 1, np.int32)
    present = names > 0
    rank[names[present][np.argsort(first[present])]] = np.arange(1, present.sum() + 1)
    return rank[labels]
