"""How the sensitivity of an instrument declines, as its photometric tables tell it.

MIRI loses the more the longer the wavelength, as an exponential that settles. The figures are of
the size that the observatory reports, with values of our own.
"""

from dataclasses import dataclass

import numpy as np

from calwebb_simulator.instruments import Filter, Instrument

START = 59_700.0  # MJD
TIME_SCALE = 300.0  # days
REFERENCE_WAVELENGTH = 25.0  # um
REFERENCE_LOSS = 0.2


@dataclass(frozen=True)
class Decline:
    """Relative throughput `amplitude * exp(-(t - t0) / tau) + const`, all as float32."""

    t0: float
    amplitude: float
    tau: float
    const: float

    def at(self, mjd: float) -> float:
        """Return the relative throughput at a date."""
        return float(self.amplitude * np.exp(-(mjd - self.t0) / self.tau) + self.const)


def decline_of(instrument: Instrument, optics: Filter) -> Decline | None:
    """Return how a filter's throughput changes; None where it stays."""
    if not instrument.interleaved:
        return None
    loss = np.float32(REFERENCE_LOSS * (optics.pivot / REFERENCE_WAVELENGTH) ** 2)
    return Decline(START, float(loss), TIME_SCALE, float(np.float32(1) - loss))


def throughput(instrument: Instrument, optics: Filter, mjd: float) -> float:
    """Return a filter's throughput at a date over that at the start."""
    decline = decline_of(instrument, optics)
    return 1.0 if decline is None else decline.at(mjd)
