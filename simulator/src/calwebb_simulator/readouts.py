"""Choose the readout of an exposure."""

from calwebb_simulator.detector import Properties
from calwebb_simulator.geometry import Frame
from calwebb_simulator.instruments import Instrument
from calwebb_simulator.irs2 import Irs2Readout
from calwebb_simulator.miri import MiriReadout
from calwebb_simulator.nirspec import NirspecReadout
from calwebb_simulator.readout import Timing
from calwebb_simulator.special import SpecialReadout


def special_readout(
    instrument: Instrument,
    frame: Frame,
    properties: Properties,
    timing: Timing,
    effects: frozenset[str],
    realisation: int,
    seed: tuple[int, str],
) -> SpecialReadout | None:
    """Return the peculiarities of an instrument's readout, if it has any."""
    parts = (instrument, frame, properties, timing, effects, realisation, seed)
    if instrument.interleaved:
        return MiriReadout(*parts)
    if timing.pattern.irs2:
        return Irs2Readout(*parts)
    return NirspecReadout(*parts) if instrument.spectral else None
