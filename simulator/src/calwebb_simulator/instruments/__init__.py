"""What the simulator knows about each instrument: detectors, optical elements, readout."""

from calwebb_core.framework.errors import InputError
from calwebb_simulator.instruments.base import Detector, Filter, Instrument, Pattern
from calwebb_simulator.instruments.fgs import FGS
from calwebb_simulator.instruments.miri import MIRI
from calwebb_simulator.instruments.nircam import NIRCAM
from calwebb_simulator.instruments.niriss import NIRISS
from calwebb_simulator.instruments.nirspec import NIRSPEC

__all__ = ["INSTRUMENTS", "Detector", "Filter", "Instrument", "Pattern", "instrument_named"]

INSTRUMENTS = {item.name: item for item in (NIRCAM, MIRI, NIRISS, NIRSPEC, FGS)}


def instrument_named(name: str) -> Instrument:
    """Return an instrument by its name.

    Raises
    ------
    InputError
        If the simulator does not know it.
    """
    try:
        return INSTRUMENTS[name.upper()]
    except KeyError:
        known = ", ".join(sorted(INSTRUMENTS))
        msg = f"unknown instrument {name!r}; the simulator knows {known}"
        raise InputError(msg) from None
