"""Peaks of bright stars' diffraction patterns among the sources, and their removal.

Spikes and lumps of a bright star's halo are real light in an image, far above the noise, but no
sources. What a star looks like far from its core is learnt from the brightest ones of the image
itself: a weighted median of their surroundings, each once as it is and once turned by half a
turn (a telescope's diffraction pattern is symmetric about its centre, neighbours aren't). A
source is kept if it stands out above the light that brighter stars put at its place, by the
threshold in units of noise and the pattern's own uncertainty.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calwebb_level3.imaging.detection import (
    Detection,
    Found,
    gaussian,
    put,
    smoothed,
)
from calwebb_level3.imaging.measuring import clean_rows
from calwebb_level3.imaging.pixels import Pixels
from calwebb_level3.kernels.deblend import renumber
from calwebb_level3.kernels.halo import brightest_pixels, halo_light

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]
Int64 = NDArray[np.int64]

# Stars from which the pattern is learnt, and their least height in units of the noise.
TEACHERS = 16
BRIGHT = 100.0
# Reach of the pattern, and where its height is measured, in units of a star's width.
REACH = 45.0
RING = (2.5, 6.0)
RING_PIXELS = 40
# Part of the stars, by weight, that are fainter than what is taken at a place.
QUANTILE = 0.45
# Least significance of the pattern.
SIGNIFICANT = 3.0
# Relative uncertainty of the pattern at a place.
UNCERTAINTY = 0.3


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


def without_halos(pixels: Pixels, found: Found, how: Detection) -> Found:
    """Return the sources without the peaks of bright stars' diffraction patterns.

    Parameters
    ----------
    pixels : Pixels
    found : Found
        Its arrays are changed.
    how : Detection
    """
    peaks = Peaks.of(found)
    order = np.argsort(-peaks.height, kind="stable")
    stars = order[peaks.height[order] > BRIGHT * peaks.noise[order]]
    if not len(stars):
        return found
    squares = surroundings(pixels, found, peaks, stars[:TEACHERS], how)
    known = stars[: len(squares)]
    noise = float(np.percentile(peaks.noise, 25))
    pattern = common_pattern(squares, peaks.height[known], noise, how.fwhm)
    light, giver = np.empty(found.count), np.empty(found.count, np.int64)
    heights = peaks.height[stars].astype(float)
    heights[: len(squares)] = amplitudes(squares, pattern, heights[: len(squares)], how.fwhm)
    arguments = (peaks.x, peaks.y, peaks.height, peaks.noise, stars, heights, pattern)
    halo_light(*arguments, light, giver)
    limit = how.snr_threshold * np.hypot(peaks.noise, UNCERTAINTY * light)
    return merged(found, np.flatnonzero((giver >= 0) & (peaks.height - light < limit)), giver)


def surroundings(
    pixels: Pixels, found: Found, peaks: Peaks, stars: Int64, how: Detection
) -> Float32:
    """Return the smoothed image around stars, (n, side, side); NaN where there are no data."""
    kernel = gaussian(how.sigma)
    reach, extra = round(REACH * how.fwhm), len(kernel) // 2
    half = reach + extra
    ny, nx = pixels.shape
    columns = found.background.columns()
    squares = np.full((len(stars), 2 * reach + 1, 2 * reach + 1), np.nan, np.float32)
    for square, star in zip(squares, stars, strict=True):
        x, y = int(peaks.x[star]), int(peaks.y[star])
        top, bottom = max(0, y - half), min(ny, y + half + 1)
        left, right = max(0, x - half), min(nx, x + half + 1)
        clean, _ = clean_rows(pixels, found.background, columns, top, bottom, (left, right))
        padded = np.full((2 * half + 1, 2 * half + 1), np.nan, np.float32)
        padded[top - y + half : bottom - y + half, left - x + half : right - x + half] = clean
        known = np.isfinite(padded)
        light = smoothed(np.where(known, padded, np.float32(0)), kernel, 0, 2 * half + 1)
        light[~known] = np.nan
        square[:] = light[extra:-extra, extra:-extra]
    return squares


def common_pattern(squares: Float32, heights: Float32, noise: float, fwhm: float) -> Float32:
    """Return what a star of height 1 puts around it, float32 (side, side), not negative.

    Parameters
    ----------
    squares : float32, (n, side, side)
        Surroundings of stars, brightest first.
    heights : float32, (n,)
        Of their peaks.
    noise : float
        Of the smoothed image.
    fwhm : float
        Of a star, pixels.
    """
    weights = heights.astype(float)
    pattern = np.zeros(squares.shape[1:], np.float32)
    # Heights of saturated stars are put right by what the first pattern makes of the others.
    for _ in range(2):
        shares = (squares / weights[:, np.newaxis, np.newaxis]).astype(np.float32)
        both = np.concatenate([shares, shares[:, ::-1, ::-1]])
        pattern = weighted_quantile(both, np.concatenate([weights, weights]))
        # What may be noise of the pattern is none of it; a median is noisier than a mean.
        error = 1.25 * noise * np.sqrt(2 * len(weights)) / (2 * weights.sum())
        pattern[pattern < SIGNIFICANT * error] = 0
        weights = amplitudes(squares, pattern, heights, fwhm)
    return pattern


def weighted_quantile(values: Float32, weights: Float64) -> Float32:
    """Return the lower weighted quantile along the first axis; 0 where nothing is known."""
    order = np.argsort(values, axis=0)  # NaN last
    ranked = np.take_along_axis(values, order, axis=0)
    shares = np.where(np.isfinite(ranked), weights[order], 0.0)
    below = np.cumsum(shares, axis=0)
    first = np.argmax(below >= QUANTILE * below[-1], axis=0)
    chosen = np.take_along_axis(ranked, first[np.newaxis], axis=0)[0]
    return np.asarray(np.maximum(np.nan_to_num(chosen), 0), np.float32)


def amplitudes(squares: Float32, pattern: Float32, heights: Any, fwhm: float) -> Float64:
    """Return the heights of stars as told by the ring around their cores.

    Cores may be saturated, which makes them lower; the ring's median ratio to the pattern isn't
    moved by neighbours.
    """
    half = pattern.shape[0] // 2
    y, x = np.ogrid[-half : half + 1, -half : half + 1]
    radius = np.hypot(x, y) / fwhm
    ring = (radius > RING[0]) & (radius < RING[1])
    ring &= pattern > 0
    if np.count_nonzero(ring) < RING_PIXELS:
        return heights.astype(float)
    ring &= pattern > np.median(pattern[ring])
    ratios = squares[:, ring] / pattern[ring]
    result = heights.astype(float)
    known = np.count_nonzero(np.isfinite(ratios), axis=1) > RING_PIXELS / 4
    result[known] = np.nanmedian(ratios[known], axis=1)
    return np.maximum(result, heights)


def merged(found: Found, dropped: Int64, giver: Int64) -> Found:
    """Return the sources without some: joined to the star in their segment, or left out."""
    target = np.arange(found.count + 1, dtype=np.int32)
    together = found.segment_of_label()
    for label in dropped:
        own = together[label] == together[giver[label]]
        target[label + 1] = giver[label] + 1 if own else 0
    while np.any(target[target] != target):
        target = target[target]
    labels = target[found.labels]
    put(found.segments, found.places[labels == 0], np.int32(0))
    keep = labels > 0
    labels = labels[keep]
    count = renumber(labels, found.count)
    put(found.segments, found.places[keep], labels)
    return replace(
        found, count=count, places=found.places[keep], labels=labels,
        filtered=found.filtered[keep], noise=found.noise[keep], groups=found.groups[keep],
    )  # fmt: skip
