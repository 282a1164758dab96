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
STEPS: Final = 20  # of a pixel, where places in it are averaged


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


def summed_share(
    mode: SpectralMode, wavelength: ArrayLike, size: ArrayLike, *, rectified: bool
) -> Float64:
    """Return which part of a star's light a sum over an aperture finds, in the mean of all places.

    Pixels that the edge of an aperture cuts count by their part, though their light is brighter
    on the star's side: the sum sees an aperture with soft edges. A rectified spectrum has spread
    its light over two pixels before.

    Parameters
    ----------
    mode : SpectralMode
    wavelength : array_like
        In um.
    size : array_like
        Full widths of the apertures in pixels, broadcast with `wavelength`.
    rectified : bool
        Whether the spectrum was put on another grid before.
    """
    pixel = np.full(STEPS, 1 / STEPS)
    weights = np.convolve(pixel, pixel)
    if rectified:
        weights = np.convolve(weights, weights)
    offsets = (np.arange(len(weights)) - (len(weights) - 1) / 2) / STEPS
    half = np.asarray(size, dtype=float) / 2
    parts = [
        weight * share_between(mode, wavelength, offset - half, offset + half)
        for weight, offset in zip(weights, offsets, strict=True)
    ]
    return np.asarray(np.sum(parts, axis=0))
