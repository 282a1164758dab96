"""Sources in an image: matched filter, threshold in units of the measured noise, deblending.

The image is filtered with a Gaussian of the width of a star and divided by its own scatter
(`calwebb_level3.imaging.filtering`). A threshold of 3 on the result means 3 sigma of a star's
flux, not of a pixel's. Where the scatter is several times what the errors make expect, a nebula
fills the image, and only what is as small as a star is looked for.

Everything is done in bands of rows; what is kept of the whole image is one plane of integers
and the pixels above the threshold.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calwebb_core.framework.threads import in_threads
from calwebb_level3.imaging.background import Mesh
from calwebb_level3.imaging.filtering import Filter, matched_filter, scatter_of
from calwebb_level3.imaging.pixels import Pixels
from calwebb_level3.kernels.components import connect, gather
from calwebb_level3.kernels.deblend import flood, renumber
from calwebb_level3.kernels.halo import brightest_pixels
from calwebb_level3.kernels.smoothing import reach_of_data

Float32 = NDArray[np.float32]
Int32 = NDArray[np.int32]
Int64 = NDArray[np.int64]
Bools = NDArray[np.bool_]

SIGMA_PER_FWHM = 1.0 / (2.0 * np.sqrt(2.0 * np.log(2.0)))
# From this scatter on, in units of what the errors make expect, it isn't noise but structure of
# the sky, such as a nebula's: the mean of the surroundings is then subtracted from each pixel.
STRUCTURED = 3.0


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
    localbkg_width : int
        Of the frame around segments whose level is taken from their fluxes; none if 0.
    """

    fwhm: float
    snr_threshold: float = 3.0
    npixels: int = 5
    connectivity: int = 8
    contrast: float = 0.001
    deblend: bool = True
    bkg_boxsize: int = 200
    localbkg_width: int = 0

    @property
    def sigma(self) -> float:
        """Width of the filter as a standard deviation, pixels."""
        return float(self.fwhm * SIGMA_PER_FWHM)


@dataclass
class Found:
    """What was found: the pixels of sources, in the order of rows.

    Attributes
    ----------
    segments : int32, (ny, nx)
        Label of the source, from 1 on in the order in which they begin; 0 elsewhere.
    count : int
        Number of sources.
    places : int64, (n,)
        Flat indices of the sources' pixels, ascending.
    labels : int32, (n,)
    filtered, noise : float32, (n,)
        Image smoothed to the width of a star, without background, and its noise.
    background : Mesh
    groups : int32, (n,)
        Number of the connected segment, before it was separated into sources.
    """

    segments: Int32
    count: int
    places: Int64
    labels: Int32
    filtered: Float32
    noise: Float32
    background: Mesh
    groups: Int32

    def segment_of_label(self) -> Int32:
        """Return the connected segment of each source, int32 (count,)."""
        result = np.zeros(self.count + 1, np.int32)
        result[self.labels] = self.groups
        return result[1:]


@dataclass(frozen=True)
class Peaks:
    """The brightest pixels of n sources in the smoothed image.

    Attributes
    ----------
    x, y : int64, (n,)
    height, noise : float32, (n,)
    """

    x: Int64
    y: Int64
    height: Float32
    noise: Float32

    @classmethod
    def of(cls, found: Found) -> "Peaks":
        """Return the peaks of the sources found."""
        which = np.empty(found.count, np.int64)
        brightest_pixels(found.labels, found.filtered, which)
        y, x = np.divmod(found.places[which], found.segments.shape[1])
        return cls(x, y, found.filtered[which], found.noise[which])


def reach(pixels: Pixels) -> tuple[Int64, Int64]:
    """Return the first and last usable row of each column, and column of each row."""
    ny, nx = pixels.shape
    columns = np.empty((2, nx), np.int64)
    columns[0], columns[1] = ny, -1
    rows = np.empty((2, ny), np.int64)
    for first, last in pixels.bands():
        data, err = pixels.rows(first, last)
        part = np.empty((2, last - first), np.int64)
        reach_of_data(data, err, first, columns, part)
        rows[:, first:last] = part
    return columns, rows


def significant(matched: Filter, scatter: Mesh, how: Detection) -> tuple[Int64, Float32, Float32]:
    """Return the pixels above the threshold: flat indices, smoothed image and its noise."""
    shape = matched.pixels.shape
    edges = reach(matched.pixels)
    columns = scatter.columns()

    def one_band(band: tuple[int, int]) -> tuple[Int64, Float32, Float32]:
        snr, filtered, noise = matched.rows(*band)
        levels = scatter.rows(*band)
        places = np.empty(max(1024, snr.size // 16), np.int64)
        for _ in range(2):
            arguments = (snr, levels, columns, how.snr_threshold, band[0], shape, *edges)
            count = gather(*arguments, places)
            if count <= len(places):
                break
            places = np.empty(count, np.int64)
        places = places[:count].copy()
        inside = places - band[0] * shape[1]
        row, column = np.divmod(inside, shape[1])
        level = np.einsum("nm,mn->n", levels[row], columns[:, column]).astype(np.float32)
        return places, filtered.ravel()[inside], noise.ravel()[inside] * level

    parts = in_threads(one_band, matched.pixels.bands())
    return tuple(np.concatenate(values) for values in zip(*parts, strict=True))  # type: ignore[return-value]


def find_sources(data: Float32, err: Float32, mask: Bools, how: Detection) -> Found | None:
    """Return the sources of an image, or None if there are none.

    Parameters
    ----------
    data, err : float32, (ny, nx)
    mask : bool, (ny, nx)
        True where not to be used.
    how : Detection
    """
    return find_in(Pixels.of(data, err, mask), how)


def find_in(pixels: Pixels, how: Detection, segments: Any = None) -> Found | None:
    """Return the sources of an image that is given by bands, or None if there are none.

    Parameters
    ----------
    pixels : Pixels
    how : Detection
    segments : int32, (ny, nx), optional
        Zeros to be filled, such as an array in a file.
    """
    matched = matched_filter(pixels, how.sigma, how.bkg_boxsize)
    if matched is None:
        return None
    scatter = scatter_of(matched, how.bkg_boxsize)
    if np.median(scatter.values) > STRUCTURED:
        matched = replace(matched, structured=True)
        scatter = scatter_of(matched, how.bkg_boxsize)
    places, filtered, noise = significant(matched, scatter, how)
    index = np.zeros(pixels.shape, np.int32) if segments is None else segments
    put(index, places, np.arange(1, len(places) + 1, dtype=np.int32))
    labels = connect(places, index, pixels.shape[1], how.connectivity == 8)
    large = np.bincount(labels, minlength=len(places)) >= how.npixels
    keep = large[labels] if len(labels) else np.zeros(0, bool)
    put(index, places, np.int32(0))
    if not keep.any():
        return None
    found = Found(
        index, 0, places[keep], labels[keep] + np.int32(1), filtered[keep], noise[keep],
        matched.background, labels[keep],
    )  # fmt: skip
    found.count = renumber(found.labels, len(places))
    if how.deblend:
        separate(found, how)
    put(found.segments, found.places, found.labels)
    return found


def put(image: Any, places: Int64, values: Any) -> None:
    """Set the pixels of an image at flat indices."""
    image.reshape(-1)[places] = values


def separate(found: Found, how: Detection) -> None:
    """Separate the sources that share a segment; labels are renumbered by first appearance."""
    index = found.segments
    put(index, found.places, np.arange(1, len(found.places) + 1, dtype=np.int32))
    limits = (how.npixels, how.contrast, how.snr_threshold)
    found.labels, found.count = deblend(
        found.filtered, found.noise, found.labels, found.places, index, limits
    )


def relabelled(found: Found, target: Int32) -> Found:
    """Return the sources with other labels; those that become 0 are left out.

    Parameters
    ----------
    found : Found
        Its map of segments is changed.
    target : int32, (count + 1,)
        New label of each; labels are renumbered by first appearance.
    """
    labels = target[found.labels]
    keep = labels > 0
    put(found.segments, found.places[~keep], np.int32(0))
    labels = labels[keep]
    count = renumber(labels, found.count)
    put(found.segments, found.places[keep], labels)
    return replace(
        found, count=count, places=found.places[keep], labels=labels,
        filtered=found.filtered[keep], noise=found.noise[keep], groups=found.groups[keep],
    )  # fmt: skip


def deblend(
    filtered: Float32,
    noise: Float32,
    segments: Int32,
    places: Int64,
    index: Int32,
    limits: tuple[int, float, float],
) -> tuple[Int32, int]:
    """Separate the sources that share a segment.

    Pixels are labelled from the brightest down; where two peaks meet, they stay apart if both
    have enough pixels, flux and significance above the pixel between them, otherwise they are
    one. This is the limit of infinitely many levels of multi-thresholding (Bertin & Arnouts
    1996, A&AS 117, 393).

    Parameters
    ----------
    filtered, noise : float32, (n,)
        Image smoothed to the width of a star, and its noise, at the segments' pixels.
    segments : int32, (n,)
        Number of the segment, from 1 on.
    places : int64, (n,)
        Flat indices, ascending.
    index : int32, (ny, nx)
        Position + 1 in `places` of each pixel, 0 of the others.
    limits : (int, float, float)
        Least pixels, least share of the segment's flux, least height above the saddle in units
        of the noise.

    Returns
    -------
    int32, (n,)
        Labels from 1 on, in the order in which the sources begin from the first row on.
    int
        How many.
    """
    # Stable, so that equal pixels keep the order of rows and columns.
    order = np.argsort(-filtered, kind="stable")
    totals = np.bincount(segments, weights=np.clip(filtered, 0, None))
    labels = np.zeros(len(places), np.int32)
    parent = flood(
        filtered, noise, segments, places, index, order, totals, np.array(limits, float), labels
    )
    while np.any(parent[parent] != parent):
        parent = parent[parent]
    labels = parent[labels]
    return labels, renumber(labels, len(parent))
