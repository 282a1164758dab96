"""What an instrument's readout does besides turning charge into counts.

`SpecialReadout` is that of detectors without peculiarities; MIRI and NIRSpec have their own.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calwebb_simulator.detector import Properties
from calwebb_simulator.geometry import Frame
from calwebb_simulator.instruments import Instrument
from calwebb_simulator.random import stream
from calwebb_simulator.readout import Timing

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]


@dataclass
class SpecialReadout:
    """A readout without peculiarities.

    Attributes
    ----------
    instrument : Instrument
    frame : Frame
    properties : Properties
    timing : Timing
    effects : frozenset of str
    realisation : int
        Number of the detector's realisation.
    seed : (int, str)
        Names of the exposure's random streams.
    """

    instrument: Instrument
    frame: Frame
    properties: Properties
    timing: Timing
    effects: frozenset[str]
    realisation: int
    seed: tuple[int, str]

    @property
    def own_noise(self) -> frozenset[str]:
        """The effects whose noise this readout makes by itself."""
        return frozenset()

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the raw counts."""
        return self.frame.shape

    def stream(self, name: str, *numbers: int) -> np.random.Generator:
        """Return a random stream of the exposure."""
        return stream(*self.seed, name, *numbers)

    def dark_factor(self, integration: int) -> float:  # noqa: ARG002
        """Return by what the dark current of an integration is multiplied."""
        return 1.0

    def begin(self, integration: int, rate: Float64) -> None:
        """Prepare for an integration with these expected electrons per second, (ny, nx)."""

    def disturb(self, integration: int, read: int, signal: Float32) -> None:
        """Add to the signal of a read what the readout adds, in DN, in place.

        Parameters
        ----------
        integration : int
            From 0.
        read : int
            Number of the frame in the integration, from 1.
        signal : float32, (ny, nx)
            DN above the bias.
        """

    def raw(self, integration: int, reads: list[int], image: Float32) -> Float32:  # noqa: ARG002
        """Return the average of some reads as it is stored, with samples of no pixel."""
        return image

    def reference_output(self, integration: int, reads: list[int]) -> Float32 | None:  # noqa: ARG002
        """Return what the reference output reads meanwhile, if it is stored apart."""
        return None
