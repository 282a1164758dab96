"""How a star's light lies across its spectrum: a core and wings that widen with wavelength."""

import math
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import erf

from calwebb_simulator.spectra.modes import SpectralMode

Float64 = NDArray[np.float64]
MIRROR: Final = 6.5e6  # um
ARCSEC: Final = 180 * 3600 / math.pi
CORE: Final = 0.437  # Gaussian sigma of the core over wavelength by mirror: FWHM 1.03 of it
SHARES: Final = (0.84, 0.16)  # of the light in core and wings
WIDTHS: Final = (1.0, 2.8)  # over the core's
BLUR: Final = 0.35  # pixels, Gaussian sigma of the detector's own blur


def sigma(mode: SpectralMode, wavelength: ArrayLike) -> Float64:
    """Return the width of the core across the spectrum in pixels, Gaussian sigma."""
    angle = CORE * np.asarray(wavelength, dtype=float) / MIRROR * ARCSEC
    return np.asarray(np.hypot(angle / mode.scale, BLUR))


def share_between(
    mode: SpectralMode, wavelength: ArrayLike, low: ArrayLike, high: ArrayLike
) -> Float64:
    """Return which part of a star's light falls between two distances from it.

    Parameters
    ----------
    mode : SpectralMode
    wavelength : array_like
        In um.
    low, high : array_like
        Distances across the spectrum in pixels; the edges of a pixel, or of an aperture.
    """
    width = sigma(mode, wavelength) * math.sqrt(2)
    total = np.zeros(np.broadcast_shapes(np.shape(width), np.shape(low), np.shape(high)))
    for part, factor in zip(SHARES, WIDTHS, strict=True):
        edges = [np.asarray(edge, dtype=float) / (width * factor) for edge in (low, high)]
        total = total + part / 2 * (erf(edges[1]) - erf(edges[0]))
    return np.asarray(total)
