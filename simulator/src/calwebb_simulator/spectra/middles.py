"""Where apertures of series are: the star's row or column in the image that is extracted."""

from pathlib import Path
from typing import Final

import numpy as np

from calwebb_core.framework.metadata import Metadata
from calwebb_core.science.spectral.lrs import trace_of
from calwebb_simulator.plan import Planned
from calwebb_simulator.spectra.modes import SpectralMode
from calwebb_simulator.spectra.optics_files import geometry_references

DEGREE: Final = 3  # of the polynomial that the lean of a trace is


def star_trace(
    mode: SpectralMode, entry: Planned, real_cache: Path | None = None
) -> tuple[float, ...] | None:
    """Return the star's row or column (from 0) in a slitless series; None where it is found.

    In the middle of a slit, and in cut-outs whose size depends on the slit, the aperture follows
    the position of the source instead.

    Returns
    -------
    tuple of float or None
        Coefficients of a polynomial of the pixel along the dispersion, constant term first.
    """
    if not mode.series or mode.instrument == "NIRSPEC":
        return None
    aperture = entry.frame.aperture
    middle = float(aperture["XSciRef"] if mode.axis == 2 else aperture["YSciRef"]) - 1
    if mode.instrument != "MIRI":
        return (middle,)
    return lrs_trace(mode, entry, middle, real_cache)


def lrs_trace(
    mode: SpectralMode, entry: Planned, middle: float, real_cache: Path | None
) -> tuple[float, ...]:
    """Return the columns of MIRI's trace, which leans by more than a pixel over the range."""
    frame = entry.frame
    keywords = Metadata(
        {
            "EXP_TYPE": mode.exp_type,
            "SUBSTRT1": frame.x_start,
            "SUBSTRT2": frame.y_start,
        }
    )
    trace = trace_of(keywords, geometry_references(mode, real_cache)["specwcs"])
    seen = (trace.wavelength >= mode.low) & (trace.wavelength <= mode.high)
    rows, columns = trace.y[seen], middle + trace.shift[seen]
    fit = np.polynomial.Polynomial.fit(rows, columns, DEGREE)
    return tuple(float(value) for value in fit.convert().coef)
