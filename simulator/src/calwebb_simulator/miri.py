"""The readout of MIRI: settling after resets, waves, the last frame, the reference output."""

import numpy as np
from numpy.typing import NDArray

from calwebb_simulator.anomalies import (
    last_share,
    memory_level,
    reset_level,
    reset_pattern,
    waves_of,
)
from calwebb_simulator.clocks import frame_clocks, pixel_clocks
from calwebb_simulator.special import Float32, Float64, SpecialReadout

FIRST_DARK = 1.3  # dark current of the first integration over that of later ones
REFERENCE_DRIFT = 4.0  # DN


class MiriReadout(SpecialReadout):
    """What MIRI's electronics add to the signal."""

    memory: Float32 | None = None

    def dark_factor(self, integration: int) -> float:
        """Return by what the dark current of an integration is multiplied."""
        return first_dark(integration)

    def begin(self, integration: int, rate: Float64) -> None:
        """Remember the signal that the integration before is expected to have ended with."""
        self.memory = None
        if "rscd" in self.effects and integration > 0:
            charge = np.minimum(rate * self.timing.integration_time, self.properties.well)
            self.memory = (charge / self.properties.gain).astype(np.float32)

    def disturb(self, integration: int, read: int, signal: Float32) -> None:
        """Add the anomalies of a frame."""
        timing, frame = self.timing, self.frame
        if "last_frame" in self.effects and read == timing.frames:
            signal += signal * last_share(frame.ny)
        if "reset" in self.effects:
            names = self.instrument.name, frame.detector.name, frame.subarray
            pattern = reset_pattern(*names, self.realisation)
            signal += pattern * np.float32(reset_level(integration, read))
        if self.memory is not None:
            signal += self.memory * np.float32(memory_level(read))
        if "emi" in self.effects:
            signal += self.waves(integration, read, pixel_clocks(frame))

    def waves(self, integration: int, read: int, clocks: NDArray[np.int64]) -> Float32:
        """Return the waves in DN at some samples of a frame."""
        length = frame_clocks(self.instrument, self.frame)
        # a reset takes as long as a frame, between the integrations
        frames = integration * (self.timing.frames + 1) + read - 1
        total = np.zeros(clocks.shape)
        for wave in waves_of(self.frame.subarray):
            start = self.stream(f"emi_{wave.name}").random()
            period = wave.period(self.instrument.sample_time)
            total += wave.shape((start + (frames * length + clocks) / period) % 1)
        return total.astype(np.float32)

    def reference_output(self, integration: int, reads: list[int]) -> Float32:
        """Return the reference output: noise, a level of its own, and the waves: (ny, nx // 4)."""
        outputs = self.frame.outputs
        shape = self.frame.ny, self.frame.nx // outputs
        total = np.zeros(shape, dtype=np.float32)
        clocks = pixel_clocks(self.frame)[:, ::outputs]
        for read in reads:
            total += np.float32(self.frame.detector.bias)
            rng = self.stream("reference_output", integration, read)
            noise = rng.standard_normal(shape, dtype=np.float32)
            if "drift" in self.effects:
                total += np.float32(rng.normal(0, REFERENCE_DRIFT))
            if "read_noise" in self.effects:
                detector = self.frame.detector
                total += noise * np.float32(detector.cds_noise / np.sqrt(2) / detector.gain)
            if "emi" in self.effects:
                total += self.waves(integration, read, clocks)
        return total / np.float32(len(reads))


def first_dark(integration: int) -> float:
    """Return by what MIRI's dark current in an integration (from 0) is multiplied."""
    return FIRST_DARK if integration == 0 else 1.0
