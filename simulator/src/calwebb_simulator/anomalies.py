"""What the detectors of MIRI do besides collecting light, as functions of the frame.

Shapes and sizes are those of Wright et al. (2023, PASP 135, 048003) and Morrison et al. (2023,
PASP 135, 075004), with values of our own: after a reset the level settles over some frames, more
so in the first integration; later integrations remember the one before (reset switch charge
decay); the last frame is read while its neighbours are reset; the electronics pick up waves
whose phase is locked to the clock.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from calwebb_simulator.geometry import Frame
from calwebb_simulator.instruments import instrument_named
from calwebb_simulator.maps import Maps

Float32 = NDArray[np.float32]
RESET_FRAMES = 15  # frames that the anomaly lasts
RESET_DN = (-90.0, -35.0)  # in the first frame of the first and of later integrations
RESET_DECAY = 3.0  # frames
MEMORY_SHARE = -0.012  # of the signal before the reset
MEMORY_DECAY = 1.6  # frames
LAST_SHARE = (-0.05, -0.015)  # of the signal, even and odd rows
WAVE_BINS = 500


@dataclass(frozen=True)
class Wave:
    """A wave that the electronics pick up.

    Attributes
    ----------
    name : str
        In the reference file.
    frequency : float
        Hz.
    amplitude : float
        DN.
    """

    name: str
    frequency: float
    amplitude: float

    def shape(self, phase: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the wave in DN at phases in periods."""
        turn = 2 * np.pi * phase
        form = np.sin(turn) + 0.3 * np.sin(2 * turn + 0.7) + 0.1 * np.cos(3 * turn)
        return self.amplitude * form

    def table(self) -> NDArray[np.float64]:
        """Return the wave at the middles of equal bins of phase."""
        return self.shape((np.arange(WAVE_BINS) + 0.5) / WAVE_BINS)

    def period(self, sample_time: float) -> float:
        """Return the period in samples of `sample_time` us."""
        return 1e6 / (self.frequency * sample_time)


WAVES = {
    "Hz390": Wave("Hz390", 390.625, 5.0),
    "Hz218": Wave("Hz218", 218.52055, 2.5),
    "Hz10": Wave("Hz10", 10.039216, 3.0),
}


def waves_of(subarray: str) -> tuple[Wave, ...]:
    """Return the waves that are in the data of a frame."""
    names = ("Hz10",) if subarray == "FULL" else ("Hz390", "Hz218")
    return tuple(WAVES[name] for name in names)


@lru_cache(maxsize=2)
def reset_pattern(instrument: str, detector: str, subarray: str, realisation: int) -> Float32:
    """Return the pixels' share of the reset anomaly, about 1: (ny, nx)."""
    known = instrument_named(instrument)
    whole, frame = (Frame.of(known, known.detector(detector), name) for name in ("FULL", subarray))
    make = Maps(known, frame.detector, realisation, whole)
    share = make.white("reset", 0.25) * make.smooth("reset_slow", 0.2)
    pattern = np.where(make.science(), share, 0)
    return np.ascontiguousarray(pattern[frame.window], dtype=np.float32)


def reset_level(integration: int, read: int) -> float:
    """Return the reset anomaly of a pixel of share 1 in DN; integrations count from 0."""
    if read > RESET_FRAMES:
        return 0.0
    start = RESET_DN[min(integration, 1)]
    return float(start * np.exp(-(read - 1) / RESET_DECAY))


def memory_level(read: int) -> float:
    """Return what is left of the integration before, as a share of its last signal."""
    return float(MEMORY_SHARE * np.exp(-(read - 1) / MEMORY_DECAY))


def last_share(rows: int) -> Float32:
    """Return the change of the last frame as a share of the signal: (rows, 1)."""
    share = np.where(np.arange(rows) % 2, LAST_SHARE[1], LAST_SHARE[0])
    return np.asarray(share[:, None], dtype=np.float32)
