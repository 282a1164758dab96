"""From flux to count rate: the conversion that photom undoes, and pixel areas.

A pixel's DN per second times `conversion` at its wavelength is its light in MJy (point sources of
NIRSpec) or in MJy/sr (MIRI and NIRCam). The curves are smooth inventions of the size of the real
ones, with ripples so that interpolating them matters.
"""

from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from calwebb_simulator.photometry import STERADIAN_PER_ARCSEC2
from calwebb_simulator.spectra.modes import SpectralMode

Float64 = NDArray[np.float64]
# MJy/sr per DN/s of MIRI; of NIRCam, per DN/s and um: photom divides by the dispersion
PHOTMJSR: Final = {"MIRI": 35.0, "NIRCAM": 0.8}
# MJy per DN/s of NIRSpec
PHOTMJ: Final = {
    "PRISM": 4.0e-13,
    "G140M": 1.6e-12,
    "G140H": 4.2e-12,
    "G235M": 1.8e-12,
    "G235H": 4.8e-12,
    "G395M": 2.4e-12,
    "G395H": 6.4e-12,
}
GRISM_STEP: Final = 0.001  # um per pixel of the first order
SLIT_FACTOR: Final = {
    "S200A1": 1.0,
    "S200A2": 1.02,
    "S400A1": 0.99,
    "S1600A1": 0.97,
    "S200B1": 1.05,
}
# arcsec2 of a pixel: width of the slit times height of the pixel
SLIT_AREA: Final = {
    "S200A1": 0.0220,
    "S200A2": 0.0219,
    "S400A1": 0.0431,
    "S1600A1": 0.1702,
    "S200B1": 0.0214,
}
PIXEL_AREA: Final = {"MIRI": 0.01206, "NIRCAM": 0.003960}  # arcsec2
UNCERTAINTY: Final = 0.01  # of conversions, relative
EDGE: Final = 0.03  # um over which a filter of NIRCam opens
MOST: Final = 1e3  # relative response beyond a filter's edges


def relative_response(mode: SpectralMode, wavelength: ArrayLike) -> Float64:
    """Return by how much more light a DN per second stands for than at the mode's best."""
    wave = np.asarray(wavelength, dtype=float)
    middle, half = (mode.low + mode.high) / 2, (mode.high - mode.low) / 2
    place = (wave - middle) / half
    curve = np.exp(0.25 * place + 0.55 * place**2) * (1 + 0.03 * np.sin(9 * place))
    if mode.instrument == "NIRCAM":
        closed = np.exp((mode.low - wave) / EDGE) + np.exp((wave - mode.high) / EDGE)
        curve = np.minimum(curve * (1 + closed), MOST)
    return np.asarray(curve)


def scale_of(mode: SpectralMode, slit: str = "") -> float:
    """Return PHOTMJSR, or PHOTMJ of a slit of NIRSpec."""
    if mode.instrument == "NIRSPEC":
        return PHOTMJ[mode.grating] * SLIT_FACTOR[slit or mode.slit]
    return PHOTMJSR[mode.instrument]


def conversion(mode: SpectralMode, wavelength: ArrayLike, slit: str = "") -> Float64:
    """Return MJy (NIRSpec) or MJy/sr per DN per second at wavelengths in um."""
    per_pixel = GRISM_STEP if mode.instrument == "NIRCAM" else 1.0
    return scale_of(mode, slit) * relative_response(mode, wavelength) / per_pixel


def pixel_arcsec2(mode: SpectralMode, slit: str = "") -> float:
    """Return the area of a pixel on the sky in arcsec2."""
    if mode.instrument == "NIRSPEC":
        return SLIT_AREA[slit or mode.slit]
    return PIXEL_AREA[mode.instrument]


def pixel_steradian(mode: SpectralMode, slit: str = "") -> float:
    """Return the area of a pixel on the sky in steradian."""
    return pixel_arcsec2(mode, slit) * STERADIAN_PER_ARCSEC2


def point_rate(
    mode: SpectralMode, wavelength: ArrayLike, flux: ArrayLike, slit: str = ""
) -> Float64:
    """Return DN per second, summed across the spectrum, of a point source's flux in Jy."""
    factor = 1.0 if mode.instrument == "NIRSPEC" else pixel_steradian(mode)
    whole = np.asarray(flux, dtype=float) * 1e-6
    return np.asarray(whole / factor / conversion(mode, wavelength, slit))


def diffuse_rate(
    mode: SpectralMode, wavelength: ArrayLike, brightness: ArrayLike, slit: str = ""
) -> Float64:
    """Return DN per second and pixel of a surface brightness in MJy/sr."""
    factor = pixel_steradian(mode, slit) if mode.instrument == "NIRSPEC" else 1.0
    bright = np.asarray(brightness, dtype=float)
    return np.asarray(bright * factor / conversion(mode, wavelength, slit))
