"""Sources in an image: matched filter, threshold in units of the measured noise, deblending.

The image is filtered with a Gaussian of the width of a star, weighted by the inverse variance
(for a star this is the filter of the highest signal to noise; Turin 1960, IRE Trans. Inf.
Theory 6, 311). Drizzled noise is correlated, and noise that detectors add along their rows is
in no error plane: the filtered image is therefore divided by its own scatter, measured box by
box from the values below the median, which sources don't reach. A threshold of 3 on the result
means 3 sigma of a star's flux, not of a pixel's. Where the scatter is several times what the
errors make expect, a nebula fills the image, and only what is as small as a star is looked for.

Everything is done in bands of rows; what is kept of the whole image is one plane of integers
and the pixels above the threshold.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calwebb_core.framework.threads import in_threads
from calwebb_core.science.kernels.order_statistics import middle, mirrored_sigma
from calwebb_level3.imaging.background import CLIP, ROUNDS, Mesh, box_of, complete, measure_mesh
from calwebb_level3.imaging.pixels import Pixels
from calwebb_level3.kernels.components import connect, gather
from calwebb_level3.kernels.deblend import flood, renumber
from calwebb_level3.kernels.halo import brightest_pixels
from calwebb_level3.kernels.smoothing import (
    divide_by_root,
    prepare,
    reach_of_data,
    smooth_rows,
)

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]
Int32 = NDArray[np.int32]
Int64 = NDArray[np.int64]
Bools = NDArray[np.bool_]

SIGMA_PER_FWHM = 1.0 / (2.0 * np.sqrt(2.0 * np.log(2.0)))
TRUNCATE = 4.0
# Every so many pixels and rows of the filtered image count for its scatter: it is smooth.
STRIDE = 2
# From this scatter on, in units of what the errors make expect, it isn't noise but structure of
# the sky, such as a nebula's: the mean of the surroundings is then subtracted from each pixel.
STRUCTURED = 3.0
# Width of the surroundings in units of the filter's.
AROUND = 2.5
LEAST_SHARE = 0.9


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


@dataclass(frozen=True)
class Filter:
    """The matched filter of an image that is given by bands.

    Attributes
    ----------
    pixels : Pixels
    background : Mesh
    columns : float64, (mx, nx)
        Weights of the background's boxes.
    sigma : float
        Pixels.
    unit : float
        Typical error, which keeps float32 in range for any unit of the image.
    structured : bool
        Whether the mean of a pixel's surroundings is subtracted, too.
    """

    pixels: Pixels
    background: Mesh
    columns: Float64
    sigma: float
    unit: float
    structured: bool = False

    def rows(
        self, first: int, last: int, *, only_snr: bool = False
    ) -> tuple[Float32, Float32, Float32]:
        """Return signal to noise, smoothed image and its noise of rows [first, last).

        The noise is that of independent pixels: ``sum(k d / s^2) / sqrt(sum(k^2 / s^2))`` with
        the Gaussian k is not yet divided by its scatter. With `only_snr` the other two are not
        made.
        """
        wide, narrow = gaussian(self.sigma), gaussian(self.sigma / np.sqrt(2.0))
        around = gaussian(AROUND * self.sigma) if self.structured else None
        margin = len(wide) // 2 + (0 if around is None else len(around) // 2)
        low, high = max(0, first - margin), min(self.pixels.shape[0], last + margin)
        data, err = self.pixels.rows(low, high)
        inputs = np.empty((4, *data.shape), np.float32)
        prepare(data, err, self.background.rows(low, high), self.columns, self.unit, inputs)
        if around is not None:
            subtract_surroundings(inputs, around)
        number, begin = last - first, first - low
        signal = smoothed(inputs[1], wide, begin, number)
        power = smoothed(inputs[2], narrow, begin, number)
        # The square of a Gaussian is a narrower Gaussian.
        factor = np.float32(1.0 / (4.0 * np.pi * self.sigma**2))
        square = np.float32(self.unit**2) * factor
        divide_by_root(signal, power, inputs[2, begin : begin + number], square)
        if only_snr:
            return signal, power, power
        clean = smoothed(inputs[0], wide, begin, number)
        noise = np.sqrt(smoothed(inputs[3], narrow, begin, number) * square)
        return signal, clean, noise


def subtract_surroundings(inputs: Float32, kernel: Float32) -> None:
    """Subtract the mean of what surrounds each pixel from an image with data, in place.

    Parameters
    ----------
    inputs : float32, (4, n, nx)
        As `smoothing.prepare` gives them.
    kernel : float32, (m,)
        Weights of the surroundings along each axis.
    """
    clean, signal, weight, _ = inputs
    known = weight > 0
    rows = len(clean)
    level = smoothed(clean, kernel, 0, rows)
    share = smoothed(known.astype(np.float32), kernel, 0, rows)
    level[known] /= share[known]
    clean[known] -= level[known]
    # Near the edge of the data the surroundings lie on one side.
    weight[share < LEAST_SHARE] = 0
    np.multiply(clean, weight, out=signal)


def gaussian(sigma: float) -> Float32:
    """Return a Gaussian of unit sum on whole pixels."""
    half = int(TRUNCATE * sigma + 0.5)
    values = np.exp(-0.5 * (np.arange(-half, half + 1) / sigma) ** 2)
    return np.asarray(values / values.sum(), np.float32)


def smoothed(image: Float32, kernel: Float32, first: int, number: int) -> Float32:
    """Return so many rows of an image from `first` on, convolved; 0 beyond the edges."""
    out = np.empty((number, image.shape[1]), np.float32)
    smooth_rows(image, kernel, first, out)
    return out


def matched_filter(pixels: Pixels, how: Detection) -> Filter | None:
    """Return the filter of an image, or None if no pixel is usable."""
    background, _ = measure_mesh(pixels.usable, pixels.shape, how.bkg_boxsize)
    unit = typical_error(pixels)
    if not unit > 0:
        return None
    return Filter(pixels, background, background.columns(), how.sigma, unit)


def typical_error(pixels: Pixels) -> float:
    """Return the median error of the usable pixels in every 16th row; NaN if there is none."""
    samples = []
    for row in range(pixels.shape[0] % 16 // 2, pixels.shape[0], 16):
        data, err = pixels.rows(row, row + 1)
        samples.append(err[np.isfinite(data) & np.isfinite(err) & (err > 0)])
    values = np.concatenate(samples) if samples else np.empty(0)
    if not len(values):
        data, err = pixels.rows(0, pixels.shape[0])
        values = err[np.isfinite(data) & np.isfinite(err) & (err > 0)]
    return float(np.median(values)) if len(values) else float("nan")


def scatter_of(matched: Filter, boxsize: int) -> Mesh:
    """Return the scatter of the signal to noise in boxes."""
    shape = matched.pixels.shape
    box = box_of(shape, boxsize)

    def one_row(first: int) -> Float64:
        snr, _, _ = matched.rows(first, min(first + box[0], shape[0]), only_snr=True)
        return box_scatter(snr, box)

    rows = np.array(in_threads(one_row, range(0, shape[0], box[0])))
    mesh = complete(rows)
    return Mesh(np.where(mesh > 0, mesh, 1.0), box, shape)


def box_scatter(snr: Float32, box: tuple[int, int]) -> Float64:
    """Return the scatter of the values below the median in each box of a row; NaN if empty."""
    result = np.full(-(-snr.shape[1] // box[1]), np.nan)
    for number in range(len(result)):
        part = snr[::STRIDE, number * box[1] : (number + 1) * box[1] : STRIDE]
        values = np.sort(part[part != 0])
        if len(values) < max(2, 0.1 * part.size):
            continue
        centre = float(middle(values, 0, len(values)))
        below = int(np.searchsorted(values, centre))
        scatter = mirrored_sigma(values, below, centre, CLIP, ROUNDS) if below else 0.0
        if scatter > 0:
            # Clipping at 3 sigma cuts the wings of normal deviates.
            result[number] = scatter / 0.9866
    return result


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
    matched = matched_filter(pixels, how)
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
