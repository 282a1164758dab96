"""Fourier transforms of what an output reads in a frame, in the order of time.

A frame is n = 2048 x 712 samples: 2048 lines of 712 times. With the sample of time b in line a
at t = 712 a + b and the frequency k = k1 + 2048 k2, the transform falls apart into one along the
lines, a phase, and one along the times:

    X[k] = sum_b exp(-2 pi i k2 b / 712) exp(-2 pi i k1 b / n) Y[b, k1]
    Y[b, k1] = sum_a exp(-2 pi i k1 a / 2048) x[a, b]

so that arrays (time, line), which is how the images lie in memory, become spectra (k2, k1), and
none is ever transposed. The samples are real, hence k1 = 0 ... 1024 says everything.
"""

from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from calwebb_core.framework.models import Float32
from calwebb_detector1.irs2.layout import LINES, PERIOD, TIMES, Indices, Mask

Complex64 = NDArray[np.complex64]
SAMPLES = TIMES * LINES
HALF = LINES // 2 + 1
ITERATIONS = 3
# The reference output is sampled 22 times a step; slower than that, interpolation is allowed.
STEP = PERIOD + 2
TAPER = 110_000 // STEP
PASSED = TIMES // STEP * LINES // 2 - TAPER // 2
WINDOW = 31


@cache
def phases() -> Complex64:
    """Return exp(-2 pi i k1 b / n), complex64 (time b, k1)."""
    turns = np.outer(np.arange(TIMES), np.arange(HALF)) / SAMPLES
    phase: Complex64 = np.exp(-2j * np.pi * turns).astype(np.complex64)
    return phase


def spectrum(stream: Float32) -> Complex64:
    """Return the spectrum (k2, k1), complex64 (712, 1025), of a stream (712, 2048)."""
    lines: Complex64 = fft.rfft(stream, axis=1)
    lines *= phases()
    return fft.fft(lines, axis=0, overwrite_x=True)  # type: ignore[no-any-return]


def spectrum_of_rows(rows: Float32, copies: list[tuple[Indices, Indices]]) -> Complex64:
    """Return the spectrum of a stream that is zero but for copies of a few rows.

    Parameters
    ----------
    rows : float32, (nrows, 2048)
    copies : pairs of (times, rows): what is read at these times
    """
    short: Complex64 = fft.rfft(rows, axis=1)
    lines = np.zeros((TIMES, HALF), np.complex64)
    for times, sources in copies:
        lines[times] = short[sources] * phases()[times]
    return fft.fft(lines, axis=0, overwrite_x=True)  # type: ignore[no-any-return]


def stream_of(spectral: Complex64, times: Indices) -> Float32:
    """Return a spectrum's stream at some times, (ntimes, 2048); `spectral` is overwritten."""
    lines = fft.ifft(spectral, axis=0, overwrite_x=True)[times]
    lines *= phases()[times].conj()
    return fft.irfft(lines, n=LINES, axis=1, overwrite_x=True)  # type: ignore[no-any-return]


def in_layout(full: NDArray[np.complex64]) -> Complex64:
    """Return the Hermitian part of weights by frequency, (n,), as (k2, k1).

    Only this part acts on real samples once the imaginary part of the result is dropped.
    """
    mirrored = np.roll(full[::-1], 1).conj()
    hermitian = (full + mirrored) * np.float32(0.5)
    return np.ascontiguousarray(hermitian.reshape(TIMES, LINES)[:, :HALF])


@cache
def slow_response() -> Float32:
    """Return the response, (k2, k1), of the filter that interpolates the reference output.

    One below a frequency (and as close to that of every other sample, for odd and even differ),
    falling to zero with the shape of a cosine, float32.
    """
    k = np.arange(SAMPLES // 2)
    distance = np.minimum(k, k[::-1])
    ramp = np.clip((distance - PASSED) / TAPER, 0.0, 1.0)
    upward = (np.cos(np.pi * ramp) + 1) / 2
    both = np.concatenate([upward, upward[:1], upward[:0:-1]])
    return np.ascontiguousarray(both.reshape(TIMES, LINES)[:, :HALF], dtype=np.float32)


def interpolate_gaps(stream: Float32, known: Mask) -> None:
    """Fill the times of a stream that are not known from their neighbours in place.

    Weighted means of the known samples up to 15 times away, the weights falling like a cosine;
    the end of a line goes on in the next one, that of the frame in its beginning.

    Parameters
    ----------
    stream : float32, (712, 2048)
    known : bool, (712,)
    """
    reach = WINDOW // 2
    weights = np.sin(np.pi * np.arange(1, WINDOW + 1) / (WINDOW + 1))
    source = stream.copy()
    for time in np.flatnonzero(~known).tolist():
        total = np.zeros(LINES)
        weight = 0.0
        for offset in range(-reach, reach + 1):
            line, near = divmod(time + offset, TIMES)
            if known[near]:
                total += weights[offset + reach] * np.roll(source[near], -line)
                weight += weights[offset + reach]
        stream[time] = total / weight if weight else 0.0


def fill_slowly(stream: Float32, known: Mask) -> None:
    """Replace what is not known of a stream by its slow part, iterated, in place."""
    gaps = np.flatnonzero(~known)
    for _ in range(ITERATIONS):
        spectral = spectrum(stream)
        spectral *= slow_response()
        stream[gaps] = stream_of(spectral, gaps)
