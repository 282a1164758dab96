"""Maps of a whole detector's properties, drawn from the detector's own random streams."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from calwebb_simulator.geometry import Frame
from calwebb_simulator.instruments import Detector, Instrument
from calwebb_simulator.outputs import as_seen, output_of_columns
from calwebb_simulator.random import stream

Float32 = NDArray[np.float32]
NONLINEARITY = (0.055, 0.025)  # of the signal at full well: square and cube


class Maps:
    """Draws the maps of a whole detector, float32 (rows, columns) each.

    Parameters
    ----------
    instrument : Instrument
    detector : Detector
    realisation : int
        Number of the detector's realisation.
    frame : Frame
        The whole detector.
    """

    def __init__(
        self, instrument: Instrument, detector: Detector, realisation: int, frame: Frame
    ) -> None:
        self.detector = detector
        self.shape = instrument.shape
        self.borders = instrument.borders
        self.frame = frame
        self.realisation = realisation

    def rng(self, name: str) -> np.random.Generator:
        """Return the random stream of one map."""
        return stream(self.realisation, "detector", self.detector.name, name)

    def drawings(self) -> dict[str, Callable[[], Float32]]:
        """Return how each map is drawn, by name."""
        return {
            "sensitivity": self.sensitivity,
            "gain": self.gain,
            "bias": self.bias,
            "read_noise": self.read_noise,
            "dark": self.dark,
            "well": self.well,
            "c2": self.c2,
            "c3": self.c3,
        }

    def white(self, name: str, scatter: float) -> Float32:
        """Return a map of 1 with Gaussian scatter from pixel to pixel, cut at 4 sigma."""
        draw = self.rng(name).standard_normal(self.shape, dtype=np.float32)
        np.clip(draw, -4, 4, out=draw)
        draw *= np.float32(scatter)
        draw += np.float32(1)
        return draw

    def smooth(self, name: str, scatter: float, cells: int = 8) -> Float32:
        """Return a map of 1 with a slow variation of a given rms."""
        knots = self.rng(name).standard_normal((cells + 3, cells + 3))
        positions = [np.linspace(1, cells + 1, size) for size in self.shape]
        rough = ndimage.spline_filter1d(knots, axis=0)
        across = _spline_lines(ndimage.spline_filter1d(rough, axis=1), *positions)
        across -= across.mean()
        return np.asarray(1 + across * (scatter / across.std()), dtype=np.float32)

    def outputs_factor(self, name: str, scatter: float) -> Float32:
        """Return one number for each output, repeated over its columns.

        The shape is one row or one column, as the outputs lie.
        """
        values = 1 + scatter * self.rng(name).standard_normal(self.frame.outputs)
        return as_seen(self.frame, values[output_of_columns(self.frame)][None, :])

    def science(self) -> NDArray[np.bool_]:
        """Return where pixels see light: not along the edges."""
        inside = np.zeros(self.shape, dtype=bool)
        left, right, below, above = self.borders
        inside[below : self.shape[0] - above, left : self.shape[1] - right] = True
        return inside

    def sensitivity(self) -> Float32:
        """Return the response to light, about 1."""
        return self.white("sensitivity", 0.012) * self.smooth("illumination", 0.02)

    def gain(self) -> Float32:
        """Return electrons per DN."""
        level = self.white("gain", 0.006) * self.smooth("gain_slow", 0.01)
        return level * self.outputs_factor("gain_outputs", 0.012) * np.float32(self.detector.gain)

    def bias(self) -> Float32:
        """Return the bias in DN: pixels, columns, outputs and a slow pattern."""
        base = np.float32(self.detector.bias)
        pattern = (self.white("bias", 1.0) - 1) * 60 + (self.smooth("bias_slow", 1.0) - 1) * 90
        size = self.frame.read_shape[1]
        columns = self.rng("bias_columns").normal(0, 25, size)
        outputs = (self.outputs_factor("bias_outputs", 1.0) - 1) * 150
        columns += np.where(np.arange(size) % 2, 40, -40)
        return base + pattern + as_seen(self.frame, columns[None, :]) + outputs

    def read_noise(self) -> Float32:
        """Return the noise of a single read in DN."""
        single = self.detector.cds_noise / np.sqrt(2) / self.detector.gain
        scatter = np.maximum(self.white("read_noise", 0.08), np.float32(0.5))
        return scatter * np.float32(single)

    def dark(self) -> Float32:
        """Return the dark current in electrons per second."""
        level = np.maximum(self.white("dark", 0.2), np.float32(0.05))
        return level * self.smooth("dark_slow", 0.15) * np.float32(self.detector.dark)

    def well(self) -> Float32:
        """Return the full well in electrons."""
        return self.white("well", 0.02) * np.float32(self.detector.well)

    def c2(self) -> Float32:
        """Return the coefficient of the square in the linearity correction, 1/DN."""
        at = NONLINEARITY[0] / (self.detector.well / self.detector.gain)
        return self.white("c2", 0.08) * np.float32(at)

    def c3(self) -> Float32:
        """Return the coefficient of the cube, 1/DN^2."""
        at = NONLINEARITY[1] / (self.detector.well / self.detector.gain) ** 2
        return self.white("c3", 0.1) * np.float32(at)

    def bad_pixels(self) -> tuple[Float32, Float32]:
        """Return two uniform draws: which pixels are bad, and how bad."""
        rng = self.rng("bad_pixels")
        first = rng.random(self.shape, dtype=np.float32)
        return first, rng.random(self.shape, dtype=np.float32)


def _spline_lines(knots: NDArray[Any], rows: NDArray[Any], columns: NDArray[Any]) -> NDArray[Any]:
    """Evaluate a bicubic spline on a product grid."""
    across, along = _spline_matrix(len(knots), rows), _spline_matrix(len(knots), columns)
    return np.asarray(across @ knots @ along.T)


def _spline_matrix(count: int, position: NDArray[Any]) -> NDArray[Any]:
    base = np.floor(position).astype(int)
    base = np.minimum(base, count - 3)
    t = position - base
    rest = 1 - t
    weights = np.stack(
        [
            rest**3 / 6,
            2 / 3 - t**2 * (2 - t) / 2,
            2 / 3 - rest**2 * (2 - rest) / 2,
            t**3 / 6,
        ],
        axis=1,
    )
    matrix = np.zeros((len(position), count))
    for offset in range(4):
        matrix[np.arange(len(position)), base - 1 + offset] = weights[:, offset]
    return matrix
