"""The spectroscopic mode of an exposure of a scenario."""

from dataclasses import replace
from typing import Final

from calwebb_simulator.plan import Planned
from calwebb_simulator.references.spectra import GRISM_FILTERS
from calwebb_simulator.spectra.modes import MODES, SpectralMode, with_grating

BY_TYPE: Final = {mode.exp_type: mode for mode in MODES.values()}


def mode_of(entry: Planned) -> SpectralMode | None:
    """Return an exposure's mode, or None where no spectrum of a star is asked for."""
    base = BY_TYPE.get(entry.group.exp_type)
    if base is None:
        return None
    frame, optics = entry.frame, entry.optics
    mode = replace(base, detector=frame.detector.name, subarray=frame.subarray)
    if optics.grating:
        mode = with_grating(mode, optics.grating)
        return replace(mode, slit=entry.group.slit or base.slit)
    if mode.instrument == "NIRCAM":
        low, high = GRISM_FILTERS[optics.keyword]
        return replace(mode, filter=optics.keyword, low=low, high=high)
    return mode


def is_spectrum(entry: Planned) -> bool:
    """Say whether a spectrum of a star is asked for."""
    return entry.group.exp_type in BY_TYPE
