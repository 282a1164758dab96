"""Where apertures of series are: the star's row or column in the image that is extracted."""

from calwebb_simulator.plan import Planned
from calwebb_simulator.spectra.modes import SpectralMode


def star_row(mode: SpectralMode, entry: Planned) -> float | None:
    """Return the star's row or column (from 0) in a slitless series; None where it is found.

    In the middle of a slit, and in cut-outs whose size depends on the slit, the aperture follows
    the position of the source instead.
    """
    if not mode.series or mode.instrument == "NIRSPEC":
        return None
    aperture = entry.frame.aperture
    return float(aperture["XSciRef"] if mode.axis == 2 else aperture["YSciRef"]) - 1
