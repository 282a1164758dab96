"""Noise of the readout electronics: white noise, 1/f noise, drifts of the amplifiers."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calwebb_simulator.geometry import Frame
from calwebb_simulator.outputs import as_seen, output_of_columns
from calwebb_simulator.random import stream

Float32 = NDArray[np.float32]
ONE_OVER_F_DN = 1.6  # rms of the row-to-row part of a frame, DN
SHARED = 0.7  # share of the 1/f noise that all outputs have in common
DRIFT_DN = 4.0  # rms step of an output's level between frames
ODD_EVEN_DN = 1.2
CALM = 0.1  # of these steps in MIRI, whose subarrays have nothing to correct them with
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
        """Return the levels of the outputs, odd and even columns apart (MIRI: rows)."""
        frame = self.frame
        calm = CALM if frame.interleaved else 1.0
        level = rng.normal(0, DRIFT_DN * calm, frame.outputs)
        parity = rng.normal(0, ODD_EVEN_DN * calm, frame.outputs)
        rows, columns = frame.read_shape
        output = output_of_columns(frame)
        if frame.interleaved:
            sign = _alternating(rows, frame.y_start)[:, None]
        else:
            sign = _alternating(columns, frame.x_start)[None, :]
        return as_seen(frame, level[output] + parity[output] * sign)

    def _stripes(self, rng: np.random.Generator) -> Float32:
        """Return the 1/f noise of all outputs in the order of the readout: (ny, nx)."""
        frame = self.frame
        rows, columns = frame.read_shape
        output = output_of_columns(frame)
        shared = _pink(rng, rows * SAMPLES_PER_ROW)
        image = np.empty((rows, columns), dtype=np.float32)
        for number in range(frame.outputs):
            own = _pink(rng, rows * SAMPLES_PER_ROW)
            series = np.sqrt(SHARED) * shared + np.sqrt(1 - SHARED) * own
            lines = series.reshape(rows, SAMPLES_PER_ROW) * ONE_OVER_F_DN
            mine = output == number
            # neighbouring outputs are read towards each other, unless they take columns in turns
            back = number % 2 and not frame.interleaved
            image[:, mine] = _stretch(lines, int(mine.sum()))[:, :: -1 if back else 1]
        return as_seen(frame, image)


def _alternating(count: int, first: int) -> NDArray[np.float64]:
    """Return -1 and 1 in turns, -1 where pixels have odd numbers counted from 1."""
    return np.where((np.arange(count) + first - 1) % 2, 1.0, -1.0)


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
