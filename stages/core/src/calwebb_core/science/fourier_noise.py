"""Correlated noise of the readout as a few slow waves, fitted to the background pixels.

Pixels are taken in the order in which they were read: (line, pixel of the line). Full frames are
fitted line by line, with waves of up to eight cycles (the last ones damped), which are smoothed
over neighbouring lines. Subarrays, which one output reads pixel after pixel, are fitted in time:
overlapping groups of lines with about 512 background pixels each, slow waves and, near half the
sampling rate, alternating columns.

The choice of waves is that of Rauscher 2024 PASP 136 015001 (NSClean), arXiv:2306.03250. Their
amplitudes minimise ``sum over background pixels (data - waves)^2 + sum over waves of damping
|amplitude|^2``: the most likely noise of a 1/f spectrum below white noise. Without the second term
waves grow beyond all bounds in gaps between background pixels. How strong 1/f noise is beside white
noise differs from exposure to exposure: in subarrays the damping is the one under which the
background pixels are likeliest. Only sums over pixels of a line enter, and all are values of two
Fourier transforms: of the mask and of the data.
"""

import math
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from calwebb_core.framework.models import Float32
from calwebb_core.science.kernels.hermitian import solve_lines
from calwebb_core.science.kernels.order_statistics import median_of
from calwebb_core.science.kernels.stripes import without_outliers
from calwebb_core.science.section_waves import (
    LINE_PAUSE,
    PIXEL_TIME,
    likeliest_knee,
    section_noise,
    section_of,
)

Mask = NDArray[np.bool_]
Float64 = NDArray[np.float64]
Complex128 = NDArray[np.complex128]

# Full frames: half power at 8 cycles per line of 2048, cut within 2 cycles; a sigma in lines;
# damping relative to the number of pixels and cycles.
LINE_CUT = 1 / 256
LINE_ROLL = LINE_CUT / 4
LINE_DAMPING = 0.003
LINE_OUTLIERS = 3.0
BETWEEN_LINES_SIGMA = 1.5
EDGE = 4
BLOCK = 128

# Subarrays.
OUTLIERS = 4.0
PIXELS_OF_A_FIT = 512
LEAST_FRACTION = 0.05


class Band(NamedTuple):
    """Frequencies in Hz: full gain below the first and above the fourth, none in the middle.

    From the first to the second and from the third to the fourth the gain follows a cosine.
    """

    low: float = 1061.0
    low_end: float = 1211.0
    high_start: float = 49943.0
    high: float = 49957.0

    def gain(self, frequency: float) -> float:
        """Return the gain at a frequency."""
        if frequency < self.low or frequency >= self.high:
            return 1.0
        if frequency < self.low_end:
            part = (frequency - self.low) / (self.low_end - self.low)
            return 0.5 * (1 + math.cos(math.pi * part))
        if frequency < self.high_start:
            return 0.0
        part = (frequency - self.high_start) / (self.high - self.high_start)
        return 0.5 * (1 - math.cos(math.pi * part))


# What both ends of the spectrum of most subarrays are cut to.
FAST_BAND = Band()
# Subarrays whose fixed slits leave little background between them.
SLOW_BAND = Band(150.0, 200.0)


def full_frame_noise(image: Float32, mask: Mask) -> Float32:
    """Return the noise of a full frame.

    Parameters
    ----------
    image : float32, (nlines, n), background subtracted
    mask : bool, (nlines, n), which pixels are background

    Returns
    -------
    float32, (nlines, n)
        Zero in lines without background that have no such neighbours within 6 lines, and in
        the first and last four, which are reference pixels.
    """
    nlines, length = image.shape
    gains = line_gains(length)
    amplitudes = np.zeros((nlines, len(gains)), np.complex128)
    fitted = np.zeros(nlines)
    for start in range(EDGE, nlines - EDGE, BLOCK):
        lines = slice(start, min(start + BLOCK, nlines - EDGE))
        amplitudes[lines] = line_amplitudes(image[lines], mask[lines], len(gains))
        fitted[lines] = mask[lines].any(axis=1)
    smoothed = smooth_lines(amplitudes, fitted) * (gains * length)
    noise = np.zeros((nlines, length), np.float32)
    spectrum = np.zeros((BLOCK, length // 2 + 1), np.complex128)
    for start in range(EDGE, nlines - EDGE, BLOCK):
        lines = slice(start, min(start + BLOCK, nlines - EDGE))
        part = spectrum[: lines.stop - lines.start]
        part[:, : len(gains)] = smoothed[lines]
        noise[lines] = np.fft.irfft(part, length, axis=1)
    return noise


@cache
def line_gains(length: int) -> Float64:
    """Return the gains of 0, 1, 2, ... cycles per line, up to the last above zero."""
    gains = []
    for wave in range(length // 2):
        part = (wave / length - LINE_CUT) / LINE_ROLL + 0.5
        if part >= 1:
            break
        gains.append(0.5 * (1 + math.cos(math.pi * max(part, 0.0))))
    return np.array(gains)


def gaussian(x: float, sigma: float) -> float:
    """Return a Gaussian of area 1 at x."""
    return math.exp(-0.5 * (x / sigma) ** 2) / (sigma * math.sqrt(2 * math.pi))


def line_amplitudes(image: Float32, mask: Mask, nwaves: int) -> Complex128:
    """Return the amplitudes (nlines, nwaves) of 0, 1, 2, ... cycles in each line."""
    image, mask = np.ascontiguousarray(image), np.ascontiguousarray(mask)
    data = without_outliers(image, mask, LINE_OUTLIERS)
    waves = np.arange(1 - nwaves, nwaves)
    damping = LINE_DAMPING * image.shape[1] * np.abs(waves)
    return half_fit(data, mask, waves, damping)


def half_fit(
    data: NDArray[Any], mask: Mask, waves: NDArray[np.int64], damping: Float64
) -> Complex128:
    """Return the amplitudes of the waves that are not negative; the others are their conjugates.

    Parameters
    ----------
    data : (nlines, n), zero outside of `mask`
    mask : bool, (nlines, n)
    waves, damping : see `solve_lines`; ascending, negative ones first
    """
    windows = np.fft.rfft(mask.astype(np.float64), axis=1)
    signals = np.fft.rfft(data.astype(np.float64), axis=1)
    found: Complex128 = solve_lines(windows, signals, waves, damping, data.shape[1])
    return found[:, waves >= 0]


def smooth_lines(amplitudes: Complex128, fitted: Float64) -> Complex128:
    """Return amplitudes averaged over neighbouring lines, by a Gaussian, of those fitted only."""
    reach = math.ceil(4 * BETWEEN_LINES_SIGMA)
    total, norm = np.zeros_like(amplitudes), np.zeros(len(fitted))
    for step in range(-reach, reach + 1):
        weight = gaussian(step, BETWEEN_LINES_SIGMA)
        to = slice(max(step, 0), len(fitted) + min(step, 0))
        of = slice(max(-step, 0), len(fitted) + min(-step, 0))
        total[to] += weight * amplitudes[of] * fitted[of, np.newaxis]
        norm[to] += weight * fitted[of]
    return total / np.where(norm > 0, norm, 1.0)[:, np.newaxis]


def subarray_noise(image: Float32, mask: Mask, band: Band = FAST_BAND) -> Float32:
    """Return the noise of a subarray that one output reads.

    Parameters
    ----------
    image : float32, (nlines, n), background subtracted
    mask : bool, (nlines, n), which pixels are background
    band : Band

    Returns
    -------
    float32, (nlines, n)
        Zero where less than a twentieth of the pixels around are background.
    """
    mask = without_neighbours_of_outliers(image, mask)
    places = [slice(*ends) for ends in sections(np.count_nonzero(mask, axis=1))]
    ticks = image.shape[1] + LINE_PAUSE
    fits = {
        lines.start: section_of(
            image[lines], mask[lines], band_gains((lines.stop - lines.start) * ticks, band)
        )
        for lines in places
        if np.mean(mask[lines]) > LEAST_FRACTION
    }
    knee = likeliest_knee(list(fits.values()))
    total = np.zeros(image.shape)
    norm = np.zeros((len(image), 1))
    for lines in places:
        nlines = lines.stop - lines.start
        taper = 1.001 - np.abs(np.linspace(-1, 1, nlines))[:, np.newaxis]
        norm[lines] += taper
        if lines.start in fits:
            noise = section_noise(fits[lines.start], knee).reshape(nlines, -1)
            total[lines] += taper * noise[:, : image.shape[1]]
    return (total / np.where(norm > 0, norm, 1.0)).astype(np.float32)


def without_neighbours_of_outliers(image: Float32, mask: Mask) -> Mask:
    """Return a mask without outliers and their four neighbours.

    Outliers are far from the median of all and from the medians around them: drifts beyond the
    white noise, which are to be fitted, are none.
    """
    values: Float32 = image[mask]
    if not len(values):
        return mask
    center = median_of(values, len(values))
    sigma = 1.4826 * float(median_of(np.abs(values - center), len(values)))
    reach = np.float32(OUTLIERS * sigma)
    outlier = mask & (np.abs(image - center) > reach)
    if not outlier.any():
        return mask
    outlier &= np.abs(image - slow_level(image, mask)[:, np.newaxis]) > reach
    near = outlier.copy()
    near[1:] |= outlier[:-1]
    near[:-1] |= outlier[1:]
    near[:, 1:] |= outlier[:, :-1]
    near[:, :-1] |= outlier[:, 1:]
    cleaned: Mask = mask & ~near
    return cleaned


def slow_level(image: Float32, mask: Mask) -> Float32:
    """Return a level of each line, (nlines,): between medians of about 512 background pixels."""
    centers, levels = [], []
    for start, stop in sections(np.count_nonzero(mask, axis=1)):
        values: Float32 = image[start:stop][mask[start:stop]]
        if len(values):
            centers.append(0.5 * (start + stop - 1))
            levels.append(float(median_of(values, len(values))))
    return np.interp(np.arange(len(image)), centers, levels).astype(np.float32)


def sections(counts: NDArray[np.intp]) -> list[tuple[int, int]]:
    """Return overlapping ranges of lines, each with more than 512 background pixels if there are.

    Parameters
    ----------
    counts : number of background pixels in each line
    """
    used = np.flatnonzero(counts)
    if not len(used):
        return []
    before = np.concatenate(([0], np.cumsum(counts)))
    start, end = int(used[0]), int(used[-1]) + 1
    found = []
    while start < end:
        stop = int(np.searchsorted(before, before[start] + PIXELS_OF_A_FIT, side="right"))
        if before[end] - before[start] <= 1.5 * PIXELS_OF_A_FIT or stop > end:
            stop = end
        found.append((start, stop))
        if stop == end:
            break
        start += max(round((stop - start) / 2), 1)
    return found


@cache
def band_gains(ticks: int, band: Band) -> Float64:
    """Return the gain of every frequency of so many pixel times."""
    return np.array([band.gain(k / (ticks * PIXEL_TIME)) for k in range(ticks // 2 + 1)])
