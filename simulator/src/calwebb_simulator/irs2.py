"""The IRS2 readout of NIRSpec: reference pixels between the others, and correlated noise.

An output reads 8 pixels of a row, steps out to 4 reference pixels, reads 16 pixels, and so on;
a fifth output reads no pixels (Moseley et al. 2010, Proc. SPIE 7742, 77421B; Rauscher et al.
2017, PASP 129, 105003). Raw frames hold, along the fast axis, the reference output and then the
four outputs, each with its reference pixels where they were read.

The noise of an output is its own 1/f noise and that of the reference output, filtered. So the
weights that take off as much of it as possible are known: alpha for the reference output, beta
for the reference pixels.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from calwebb_simulator.clocks import IRS2_NORMAL, IRS2_REFERENCE, IRS2_ROW
from calwebb_simulator.electronics import DRIFT_DN
from calwebb_simulator.geometry import Frame
from calwebb_simulator.nirspec import NirspecReadout
from calwebb_simulator.outputs import as_read, as_seen
from calwebb_simulator.random import stream
from calwebb_simulator.special import Float32, Float64

OUTPUTS = 4
STEP = 1  # samples lost when stepping out, and again when stepping in
COMMON_DN = 7.0  # rms of the noise that the reference output has, too
OWN_DN = 3.0  # rms of an output's own
SHARES = (0.95, 1.05, 0.9, 1.1)  # of the common noise in the outputs
REFERENCE_BIAS_DN = (-600.0, 80.0)  # of reference pixels to the others, and its scatter
WILD_DN = 900.0  # noise of bad reference pixels
KNEE = 0.01  # cycles per sample above which the noise falls more steeply than 1/f
BAD = ((2, 7, 0), (3, 20, 1))  # output, number of the visit, first or second pair


def normal_places() -> NDArray[np.int64]:
    """Return where an output's pixels are among the values of a row: (512,)."""
    pixel = np.arange(512)
    return pixel + IRS2_REFERENCE * visits_before(pixel)


def reference_places() -> NDArray[np.int64]:
    """Return where an output's reference pixels are among the values of a row: (128,)."""
    pixel = np.arange(512 // IRS2_NORMAL * IRS2_REFERENCE)
    return pixel + IRS2_NORMAL * (pixel // IRS2_REFERENCE) + IRS2_NORMAL // 2


def visits_before(pixel: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return how often the output visits reference pixels before it reads a pixel."""
    return (pixel + IRS2_NORMAL // 2) // IRS2_NORMAL


def normal_times() -> NDArray[np.int64]:
    """Return when an output's pixels are read: samples since the start of the row: (512,)."""
    pixel = np.arange(512)
    return pixel + (IRS2_REFERENCE + 2 * STEP) * visits_before(pixel)


def reference_times() -> NDArray[np.int64]:
    """Return when an output's reference pixels are read: (128,)."""
    pixel = np.arange(512 // IRS2_NORMAL * IRS2_REFERENCE)
    step = IRS2_NORMAL + 2 * STEP
    return pixel + step * (pixel // IRS2_REFERENCE) + IRS2_NORMAL // 2 + STEP


def backwards(output: int) -> bool:
    """Tell whether an output (0 is the reference output) reads from high to low columns."""
    return output % 2 == 0


class Irs2Readout(NirspecReadout):
    """Frames with reference pixels and the reference output, and the noise of the readout."""

    level: Float32 | None = None

    @property
    def own_noise(self) -> frozenset[str]:
        """The effects whose noise this readout makes by itself."""
        return frozenset({"one_over_f", "drift"})

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the raw counts."""
        rows, columns = self.frame.read_shape
        wide = columns // OUTPUTS * (OUTPUTS + 1)
        wide = wide // IRS2_NORMAL * (IRS2_NORMAL + IRS2_REFERENCE)
        return (rows, wide) if abs(self.frame.fast) == 1 else (wide, rows)

    def raw(self, integration: int, reads: list[int], image: Float32) -> Float32:
        """Return a group as it is stored: (3200, 2048)."""
        besides = self.besides(integration, reads[0])
        for read in reads[1:]:
            besides += self.besides(integration, read)
        stored = embed(self.frame, image, self.bias())
        return np.asarray(stored + besides / np.float32(len(reads)), dtype=np.float32)

    def bias(self) -> Float32:
        """Return the bias of the reference pixels and the reference output as it is stored."""
        if self.level is None:
            self.level = reference_bias(self.frame, self.realisation, self.effects)
        return self.level

    def besides(self, integration: int, read: int) -> Float32:
        """Return noise as it is stored: of all samples, and what only reference samples have."""
        rows = self.frame.read_shape[0]
        noise = self.correlated(integration, read)
        stored = np.empty((rows, OUTPUTS + 1, 640), dtype=np.float32)
        for output in range(OUTPUTS + 1):
            part = np.empty((rows, 640), dtype=np.float32)
            part[:, normal_places()] = noise[output][:, normal_times()]
            part[:, reference_places()] = noise[output][:, reference_times()]
            stored[:, output] = part[:, ::-1] if backwards(output) else part
        stored += self.white(integration, read)
        return as_seen(self.frame, stored.reshape(rows, -1))

    def white(self, integration: int, read: int) -> Float32:
        """Return the noise of reference samples alone: (2048, 5, 640)."""
        rows = self.frame.read_shape[0]
        place = reference_samples()
        total = np.zeros((rows, OUTPUTS + 1, 640), dtype=np.float32)
        if "read_noise" in self.effects:
            rng = self.stream("reference_noise", integration, read)
            detector = self.frame.detector
            sigma = np.float32(detector.cds_noise / np.sqrt(2) / detector.gain)
            draws = rng.standard_normal((rows, int(place.sum())), dtype=np.float32)
            total[:, place] = draws * sigma
        if "bad_reference_pixels" in self.effects:
            rng = self.stream("bad_reference_pixels", integration, read)
            wild = bad_samples()
            draws = rng.standard_normal((rows, int(wild.sum())), dtype=np.float32)
            total[:, wild] += draws * np.float32(WILD_DN)
        return total

    def correlated(self, integration: int, read: int) -> Float32:
        """Return the correlated noise of the five outputs at all samples: (5, 2048, 712)."""
        rows = self.frame.read_shape[0]
        total = np.zeros((OUTPUTS + 1, rows * IRS2_ROW), dtype=np.float32)
        if "one_over_f" in self.effects:
            rng = self.stream("irs2", integration, read)
            common = pink(rng, rows * IRS2_ROW)
            total[0] = COMMON_DN * common
            for output in range(OUTPUTS):
                own = OWN_DN * pink(rng, rows * IRS2_ROW)
                total[output + 1] = SHARES[output] * COMMON_DN * common + own
        if "drift" in self.effects:
            rng = self.stream("drift", integration, read)
            level = rng.normal(0, DRIFT_DN, OUTPUTS + 1)
            total += level.astype(np.float32)[:, None]
        return total.reshape(OUTPUTS + 1, rows, IRS2_ROW)


def pink(rng: np.random.Generator, count: int) -> Float32:
    """Return a series of 1/f noise that falls faster above the knee, mean 0, unit variance."""
    amplitude = np.sqrt(power(count))
    draws = rng.standard_normal((2, len(amplitude)), dtype=np.float32)
    spectrum = (amplitude * np.sqrt(count / 2)).astype(np.float32) * (draws[0] + 1j * draws[1])
    spectrum[0] = 0
    return np.asarray(fft.irfft(spectrum, count), dtype=np.float32)


def power(count: int) -> Float64:
    """Return the variance of a series of unit variance at each frequency, 1 on average."""
    frequency = fft.rfftfreq(count)
    density = np.zeros(len(frequency))
    density[1:] = 1 / (frequency[1:] * (1 + (frequency[1:] / KNEE) ** 2))
    return np.asarray(density * (count / (2 * density.sum())))


def reference_samples() -> NDArray[np.bool_]:
    """Return which values along the fast axis are no pixels: (5, 640)."""
    place = np.zeros((OUTPUTS + 1, 640), dtype=bool)
    place[0] = True
    place[1:, reference_places()] = True
    return place


def bad_samples() -> NDArray[np.bool_]:
    """Return which reference pixels along the fast axis are bad: (5, 640)."""
    place = np.zeros((OUTPUTS + 1, 640), dtype=bool)
    for output, visit, pair in BAD:
        first = IRS2_NORMAL // 2 + visit * (IRS2_NORMAL + IRS2_REFERENCE) + 2 * pair
        place[output, first : first + 2] = True
    return place


def embed(frame: Frame, image: NDArray[Any], reference: NDArray[Any]) -> NDArray[Any]:
    """Return an image with the values of reference samples between: (3200, 2048).

    Parameters
    ----------
    frame : Frame
        Of the pixels.
    image : (2048, 2048)
    reference : (3200, 2048)
        Not changed.
    """
    rows, columns = frame.read_shape
    raw = reference.copy()
    places = np.flatnonzero(~reference_samples().reshape(-1))
    as_read(frame, raw)[:, places] = as_read(frame, image)[:rows, :columns]
    return raw


def reference_bias(frame: Frame, realisation: int, effects: frozenset[str]) -> Float32:
    """Return the bias of reference samples, 0 at pixels: (3200, 2048) as stored."""
    rows = frame.read_shape[0]
    place = reference_samples()
    total = np.zeros((rows, OUTPUTS + 1, 640), dtype=np.float32)
    total[:, place] = frame.detector.bias
    if "bias" in effects:
        rng = stream(realisation, "detector", frame.detector.name, "reference_bias")
        draws = rng.standard_normal((rows, int(place.sum())), dtype=np.float32)
        total[:, place] += REFERENCE_BIAS_DN[0] + REFERENCE_BIAS_DN[1] * draws
    return as_seen(frame, total.reshape(rows, -1))


def weights(rows: int, sigma: float) -> tuple[Float64, Float64]:
    """Return alpha and beta of the four outputs at the frequencies of a real series.

    The estimate of an output's noise N is alpha F + beta G, where F is the transform of the
    reference output and G that of the reference pixels, put at their samples and at those of the
    pixels before and after, 256 of 712 in a row, and 0 elsewhere. The weights are those of
    least squares for the noise that is simulated. `sigma` is the white noise of a read in DN.

    Returns
    -------
    alpha, beta : float64, (4, rows * 712 // 2 + 1)
    """
    count = rows * IRS2_ROW
    density = power(count)
    density[0] = density[1]
    seen = 2 * len(reference_times()) / IRS2_ROW
    white = sigma**2
    # every reference pixel stands twice, two samples apart
    doubled = 1 + np.cos(4 * np.pi * fft.rfftfreq(count))
    found = []
    for share in SHARES:
        common, own = COMMON_DN**2 * density, OWN_DN**2 * density
        total = share**2 * common + own
        first, second = common + white, seen**2 * total + seen * white * doubled
        both = seen * share * common
        sides = share * common, seen * total
        determinant = first * second - both**2
        alpha = (sides[0] * second - sides[1] * both) / determinant
        beta = (sides[1] * first - sides[0] * both) / determinant
        found.append((alpha, beta))
    return np.stack([item[0] for item in found]), np.stack([item[1] for item in found])
