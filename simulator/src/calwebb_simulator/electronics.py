"""Noise of the readout electronics: white noise, 1/f noise, drifts of the amplifiers."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calwebb_simulator.geometry import Frame
from calwebb_simulator.random import stream

Float32 = NDArray[np.float32]
ONE_OVER_F_DN = 1.6  # rms of the row-to-row part of a frame, DN
SHARED = 0.7  # share of the 1/f noise that all outputs have in common
DRIFT_DN = 4.0  # rms step of an output's level between frames
ODD_EVEN_DN = 1.2
SAMPLES_PER_ROW = 8


@dataclass(frozen=True)
class Electronics:
    """The readout of one integration.

    Attributes
    ----------
    frame : Frame
    effects : frozenset of str
        Which of "read_noise", "one_over_f", "drift" are on.
    read_noise : float32, (ny, nx)
        Noise of a single read in DN.
    seed : tuple
        Names of the exposure's random streams.
    """

    frame: Frame
    effects: frozenset[str]
    read_noise: Float32
    seed: tuple[int, str]

    def noise(self, integration: int, read: int) -> Float32:
        """Return the noise of one read in DN: float32 (ny, nx)."""
        total = np.zeros(self.frame.shape, dtype=np.float32)
        if "read_noise" in self.effects:
            rng = self._stream("read_noise", integration, read)
            total += rng.standard_normal(total.shape, dtype=np.float32)
            total *= self.read_noise
        if "one_over_f" in self.effects:
            total += self._stripes(self._stream("one_over_f", integration, read))
        if "drift" in self.effects:
            total += self._drift(self._stream("drift", integration, read))
        return total

    def _stream(self, name: str, integration: int, read: int) -> np.random.Generator:
        return stream(*self.seed, name, integration, read)

    def _drift(self, rng: np.random.Generator) -> Float32:
        """Return the levels of the outputs, odd and even columns apart: (nx,)."""
        outputs = self.frame.outputs
        level = rng.normal(0, DRIFT_DN, outputs)
        parity = rng.normal(0, ODD_EVEN_DN, outputs)
        columns = np.arange(self.frame.nx)
        output = columns * outputs // self.frame.nx
        sign = np.where((columns + self.frame.x_start - 1) % 2, 1.0, -1.0)
        return (level[output] + parity[output] * sign).astype(np.float32)

    def _stripes(self, rng: np.random.Generator) -> Float32:
        """Return the 1/f noise of all outputs in the order of the readout: (ny, nx)."""
        ny, nx = self.frame.shape
        outputs = self.frame.outputs
        shared = _pink(rng, ny * SAMPLES_PER_ROW)
        parts = []
        for output in range(outputs):
            own = _pink(rng, ny * SAMPLES_PER_ROW)
            series = np.sqrt(SHARED) * shared + np.sqrt(1 - SHARED) * own
            rows = series.reshape(ny, SAMPLES_PER_ROW) * ONE_OVER_F_DN
            # neighbouring outputs are read towards each other
            parts.append(_stretch(rows, nx // outputs)[:, :: -1 if output % 2 else 1])
        image = np.concatenate(parts, axis=1)
        image = image[:, ::-1] if self.frame.fast < 0 else image
        return np.ascontiguousarray(image[::-1] if self.frame.slow < 0 else image)


def _stretch(rows: Float32, width: int) -> Float32:
    index = np.arange(width) * rows.shape[1] // width
    return np.asarray(rows[:, index], dtype=np.float32)


def _pink(rng: np.random.Generator, count: int) -> NDArray[np.float64]:
    """Return a series with a power spectrum of 1/f, mean 0, about unit variance."""
    frequency = np.fft.rfftfreq(count)
    amplitude = np.zeros(len(frequency))
    amplitude[1:] = frequency[1:] ** -0.5
    draws = rng.standard_normal((2, len(frequency)))
    spectrum = amplitude * (draws[0] + 1j * draws[1])
    series = np.fft.irfft(spectrum, count)
    expected = np.sqrt(4 * np.sum(amplitude**2)) / count
    return np.asarray(series / expected)
