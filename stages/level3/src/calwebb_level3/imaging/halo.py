"""Peaks of bright stars' diffraction patterns among the sources, and their removal.

Spikes and lumps of a bright star's halo are real light in an image, far above the noise, but no
sources. What a star looks like far from its core is learnt from the brightest ones of the image
itself: a weighted median of their surroundings, each once as it is and once turned by half a
turn (a telescope's diffraction pattern is symmetric about its centre, neighbours aren't). A
source is kept if it stands out above the light that brighter stars put at its place, by the
threshold in units of noise and the pattern's own uncertainty.
"""

import numpy as np
from numpy.typing import NDArray

from calwebb_level3.imaging.cores import Windows, damaged
from calwebb_level3.imaging.detection import Detection, Found, Peaks, relabelled
from calwebb_level3.imaging.filtering import gaussian, smoothed
from calwebb_level3.imaging.pixels import Pixels
from calwebb_level3.kernels.halo import halo_light, turned_quantile

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]
Int64 = NDArray[np.int64]

# Stars from which the pattern is learnt, and their least height in units of the noise.
TEACHERS = 16
BRIGHT = 100.0
# Reach of the pattern, and where its height is measured, in units of a star's width.
REACH = 80.0
# Beyond this, few places in a small field are known from several stars; in the same units.
NEAR = 45.0
RING = (2.5, 6.0)
RING_PIXELS = 40
# Damaged stars whose heights are found from their rings.
MOST_HURT = 64
# Part of the stars, by weight, that are fainter than what is taken at a place.
QUANTILE = 0.45
# Least significance of the pattern.
SIGNIFICANT = 3.0
# Relative uncertainty of the pattern at a place.
UNCERTAINTY = 0.3


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
    pattern, heights = learn_pattern(Windows.of(pixels, found.background), peaks, stars, how)
    light, giver = np.empty(found.count), np.empty(found.count, np.int64)
    arguments = (peaks.x, peaks.y, peaks.height, peaks.noise, stars, heights, pattern)
    halo_light(*arguments, light, giver)
    limit = how.snr_threshold * np.hypot(peaks.noise, UNCERTAINTY * light)
    return merged(found, np.flatnonzero((giver >= 0) & (peaks.height - light < limit)), giver)


def learn_pattern(
    windows: Windows, peaks: Peaks, stars: Int64, how: Detection
) -> tuple[Float32, Float64]:
    """Return what a star of height 1 puts around it, and the heights of stars.

    Those whose cores are damaged are far brighter than their peaks: they tell the outer parts
    of the pattern best, once their heights are known from the ring around the core.
    """
    noise = float(np.percentile(peaks.noise, 25))
    heights = peaks.height[stars].astype(float)
    hurt = np.flatnonzero(damaged(windows, peaks.x[stars], peaks.y[stars], how.fwhm))
    whole = np.setdiff1d(np.arange(len(stars)), hurt)[:TEACHERS]
    reach = round(REACH * how.fwhm)
    squares = surroundings(windows, peaks, stars[whole], how, reach)
    near = round(NEAR * how.fwhm)
    pattern = common_pattern(squares, heights[whole], noise, near)
    if not len(hurt):
        return pattern, heights
    hurt = hurt[:MOST_HURT]
    ring = min(reach, round(RING[1] * how.fwhm) + 1)
    rings = surroundings(windows, peaks, stars[hurt], how, ring)
    inner = pattern[reach - ring : reach + ring + 1, reach - ring : reach + ring + 1]
    heights[hurt] = amplitudes(rings, inner, heights[hurt], how.fwhm)
    brightest = hurt[np.argsort(-heights[hurt], kind="stable")][:TEACHERS]
    others = surroundings(windows, peaks, stars[brightest], how, reach)
    squares = np.concatenate([others, squares])[:TEACHERS]
    known = np.concatenate([brightest, whole])[:TEACHERS]
    outer = common_pattern(squares, heights[known], noise, near)
    half = len(pattern) // 2
    offset = np.arange(-half, half + 1)
    far = np.hypot(offset, offset[:, np.newaxis]) > RING[0] * how.fwhm
    return np.where(far, outer, pattern), heights


def surroundings(
    windows: Windows, peaks: Peaks, stars: Int64, how: Detection, reach: int
) -> Float32:
    """Return the smoothed image around stars, (n, side, side); NaN where there are no data.

    They reach `reach` pixels to each side.
    """
    kernel = gaussian(how.sigma)
    extra = len(kernel) // 2
    squares = np.empty((len(stars), 2 * reach + 1, 2 * reach + 1), np.float32)
    for square, star in zip(squares, stars, strict=True):
        clean = windows.clean(int(peaks.x[star]), int(peaks.y[star]), reach + extra)
        known = np.isfinite(clean)
        light = smoothed(np.where(known, clean, np.float32(0)), kernel, 0, len(clean))
        light[~known] = np.nan
        square[:] = light[extra:-extra, extra:-extra]
    return squares


def common_pattern(squares: Float32, heights: Float64, noise: float, near: int) -> Float32:
    """Return what a star of height 1 puts around it, float32 (side, side), not negative.

    Parameters
    ----------
    squares : float32, (n, side, side)
        Surroundings of stars.
    heights : float64, (n,)
        Of their peaks.
    noise : float
        Of the smoothed image.
    near : int
        Pixels along an axis up to which a single star will do.
    """
    pattern = np.zeros(squares.shape[1:], np.float32)
    if not len(squares):
        return pattern
    turned_quantile(squares, heights, QUANTILE, near, pattern)
    # What may be noise of the pattern is none of it; a median is noisier than a mean.
    error = 1.25 * noise * np.sqrt(2 * len(heights)) / (2 * heights.sum())
    pattern[pattern < SIGNIFICANT * error] = 0
    return pattern


def amplitudes(squares: Float32, pattern: Float32, heights: Float64, fwhm: float) -> Float64:
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
        return heights
    ring &= pattern > np.median(pattern[ring])
    ratios = squares[:, ring] / pattern[ring]
    result = heights.copy()
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
    return relabelled(found, target)
