"""Waves in sections of a subarray's lines, fitted in time, damped as the data ask for.

1/f noise is expected below white noise; the frequency at which both are equal is the one of highest
marginal likelihood, over many sections, with the amplitudes of the waves integrated out
(MacKay 1992 Neural Computation 4 415, who calls it evidence).
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from calwebb_core.framework.models import Float32
from calwebb_core.science.kernels.hermitian import solve_lines, weigh_dampings

Mask = NDArray[np.bool_]
Float64 = NDArray[np.float64]
Complex128 = NDArray[np.complex128]

# The time of a pixel and of the pause after a line, in s and pixels.
PIXEL_TIME = 1e-5
LINE_PAUSE = 12
# Frequencies in Hz at which 1/f noise and white noise may be equal. Above the last one fits are
# hardly damped any more, and waves grow in gaps.
KNEES = 62.5 * 2.0 ** np.arange(9)
# As many sections, spread evenly, tell them apart; more take time only.
ENOUGH_SECTIONS = 100


class Section(NamedTuple):
    """Some lines in time, pauses included, and the waves to fit.

    `window` and `signal` are half the Fourier transforms of mask and data, (1, ticks // 2 + 1);
    `waves` ascend, negative ones first; `steps` are their distances from both ends of the spectrum.
    """

    window: Complex128
    signal: Complex128
    waves: NDArray[np.int64]
    steps: NDArray[np.int64]
    gains: Float64
    ticks: int
    pixels: int
    power: float


def section_of(image: Float32, mask: Mask, gains: Float64) -> Section:
    """Return what is fitted to some lines.

    Parameters
    ----------
    image : float32, (nlines, n), background subtracted
    mask : bool, (nlines, n), which pixels are background
    gains : of 0, 1, 2, ... cycles in the time of these lines; zero where nothing is fitted
    """
    nlines, length = image.shape
    ticks = nlines * (length + LINE_PAUSE)
    waves = np.flatnonzero(gains)
    # Half the sampling rate is its own conjugate: it must not enter twice.
    twins = waves[(waves > 0) & (2 * waves < ticks)]
    both = np.concatenate((-twins[::-1], waves))
    steps = np.minimum(np.abs(both), ticks // 2 - np.abs(both))
    padding = ((0, 0), (0, LINE_PAUSE))
    valid = np.pad(mask, padding).reshape(1, -1)
    data = np.pad(np.where(mask, image, np.float32(0.0)), padding).reshape(1, -1)
    data = data.astype(np.float64)
    window = np.fft.rfft(valid.astype(np.float64), axis=1)
    signal = np.fft.rfft(data, axis=1)
    pixels, power = int(np.count_nonzero(mask)), float(np.sum(data**2))
    return Section(window, signal, both, steps, gains, ticks, pixels, power)


def likeliest_knee(found: list[Section]) -> float:
    """Return the frequency in Hz of equal 1/f and white noise that makes the data likeliest.

    The strength of the white noise is not known: what maximises the likelihood is taken.
    """
    found = found[:: math.ceil(len(found) / ENOUGH_SECTIONS) or 1]
    power = math.fsum(part.power for part in found)
    pixels = sum(part.pixels for part in found)
    determinants, left = np.zeros(len(KNEES)), np.full(len(KNEES), power)
    for part in found:
        dampings = part.steps / (PIXEL_TIME * KNEES[:, np.newaxis])
        said = weigh_dampings(part.window[0], part.signal[0], part.waves, dampings, part.ticks)
        determinants += said[:, 0]
        left -= said[:, 1]
    # Data that waves describe to rounding leave nothing, and nothing at all if they are zero.
    left = np.maximum(left, max(1e-12 * power, np.finfo(np.float64).tiny))
    return float(KNEES[np.argmin(determinants + pixels * np.log(left))])


def section_noise(part: Section, knee: float) -> Float64:
    """Return the noise of a section in time, (ticks,)."""
    damping = part.steps / (PIXEL_TIME * knee)
    fitted = solve_lines(part.window, part.signal, part.waves, damping, part.ticks)
    half = part.waves >= 0
    waves = part.waves[half]
    spectrum = np.zeros(part.ticks // 2 + 1, np.complex128)
    spectrum[waves] = fitted[0, half] * part.gains[waves] * part.ticks
    noise: Float64 = np.fft.irfft(spectrum, part.ticks)
    return noise
