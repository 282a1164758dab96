"""The flat field of NIRSpec as its three parts: fore optics, spectrograph, detector.

The detector's pixels (`detector.Properties.flat`) are the middle plane of the third; all else
varies slowly or, in the fast variations, quickly with wavelength.
"""

from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from calwebb_simulator.spectra.modes import FIXED_SLITS, SpectralMode

Float64 = NDArray[np.float64]
PLANES: Final = (0.6, 2.0, 3.5, 5.3)  # um of the detector's planes
MIDDLE: Final = 3.0  # um at which the detector's planes are its flat
ERROR: Final = 0.002
RED: Final = 0.01  # change of the detector's flat at its corners, per um


def fore_fast(slit: str, wavelength: ArrayLike) -> Float64:
    """Return the flat of the fore optics for a slit: throughput of telescope and filter."""
    wave = np.asarray(wavelength, dtype=float)
    number = FIXED_SLITS.index(slit)
    return np.asarray((0.95 - 0.01 * number) * (1 + 0.02 * np.sin(2.1 * wave + number)))


def spectrograph_fast(slit: str, wavelength: ArrayLike) -> Float64:
    """Return the fast variation of the spectrograph for a slit."""
    wave = np.asarray(wavelength, dtype=float)
    number = FIXED_SLITS.index(slit)
    return np.asarray(1 + 0.015 * np.cos(4.7 * wave - 0.5 * number))


def spectrograph_image(shape: tuple[int, int], x_start: int = 1, y_start: int = 1) -> Float64:
    """Return the spectrograph's image, which varies slowly over the whole detector of 2048."""
    y = (np.arange(shape[0]) + y_start - 1)[:, None] / 2048
    x = (np.arange(shape[1]) + x_start - 1)[None, :] / 2048
    return np.asarray(1 + 0.03 * np.sin(3 * x + 1) * np.cos(2 * y))


def detector_fast(wavelength: ArrayLike) -> Float64:
    """Return the fast variation of the detector: its quantum efficiency."""
    wave = np.asarray(wavelength, dtype=float)
    return np.asarray(0.97 + 0.01 * np.sin(1.3 * wave))


def detector_plane(
    flat: NDArray[np.floating], wavelength: ArrayLike, x_start: int = 1, y_start: int = 1
) -> Float64:
    """Return the detector's flat at a wavelength (a number, or one for each pixel).

    It changes linearly between the planes of the reference file, as interpolation has it.
    """
    ny, nx = flat.shape
    y = (np.arange(ny) + y_start - 1)[:, None] / 1024 - 1
    x = (np.arange(nx) + x_start - 1)[None, :] / 1024 - 1
    bent = np.interp(np.asarray(wavelength, dtype=float), PLANES, [p - MIDDLE for p in PLANES])
    return np.asarray(flat * (1 + RED * bent * x * y))


def whole_flat(
    mode: SpectralMode,
    slit: str,
    wavelength: Float64,
    flat: NDArray[np.floating],
    start: tuple[int, int],
) -> Float64:
    """Return F x S x D of each pixel: (ny, nx).

    Parameters
    ----------
    mode : SpectralMode
    slit : str
    wavelength : float64, (ny, nx)
        In um; NaN gives NaN.
    flat : (ny, nx)
        The detector's own.
    start : (int, int)
        First column and row of the pixels on the detector, from 1.
    """
    if mode.instrument != "NIRSPEC":
        return np.asarray(flat, dtype=float)
    fast = fore_fast(slit, wavelength) * spectrograph_fast(slit, wavelength)
    image = spectrograph_image(flat.shape, *start)
    return fast * image * detector_fast(wavelength) * detector_plane(flat, wavelength, *start)
