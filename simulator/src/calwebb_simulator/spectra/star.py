"""The spectrum of the star, and the depth of its transit, as functions of wavelength."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from calwebb_simulator.references.spectra_wcs import lrs_wavelengths
from calwebb_simulator.spectra.modes import SpectralMode
from calwebb_simulator.spectra.response import GRISM_STEP
from calwebb_simulator.transit import TargetStar

Float64 = NDArray[np.float64]
AB_ZERO: Final = 3631.0  # Jy
LINES: Final = 7
LINE_WIDTH: Final = 1.7  # pixels, Gaussian sigma: a resolution element of four pixels
BUMP: Final = 0.5  # of the transit's variation: a broad band in the middle; the rest is a slope
BAND: Final = 0.15  # width of that band, in parts of the range
# um per pixel: of NIRSpec's gratings, and of its prism at some wavelengths
STEPS: Final = {
    "G140M": 0.00064,
    "G140H": 0.000235,
    "G235M": 0.00107,
    "G235H": 0.000396,
    "G395M": 0.00179,
    "G395H": 0.000665,
}
PRISM: Final = (
    (0.6, 1.0, 1.5, 2.5, 3.5, 4.5, 5.3),
    (0.004, 0.012, 0.02, 0.016, 0.01, 0.0075, 0.006),
)


def pixel_step(mode: SpectralMode, wavelength: ArrayLike) -> Float64:
    """Return about how many um there are to a pixel at wavelengths in um."""
    wave = np.asarray(wavelength, dtype=float)
    if mode.instrument == "MIRI":
        rows = np.arange(-293.0, 95.0)
        known = lrs_wavelengths(rows)[::-1]
        return np.asarray(np.interp(wave, known, np.gradient(known)))
    if mode.instrument == "NIRCAM":
        return np.full(wave.shape, GRISM_STEP)
    if mode.grating == "PRISM":
        return np.asarray(np.interp(wave, *PRISM))
    return np.full(wave.shape, STEPS[mode.grating])


@dataclass(frozen=True)
class Star:
    """A star as a mode sees it.

    Attributes
    ----------
    mode : SpectralMode
    target : TargetStar
    """

    mode: SpectralMode
    target: TargetStar

    @property
    def lines(self) -> Float64:
        """Middles of its lines in um."""
        places = (np.arange(LINES) + 0.7) / (LINES + 0.4)
        return np.asarray(self.mode.low + (self.mode.high - self.mode.low) * places)

    @property
    def widths(self) -> Float64:
        """Widths of its lines in um, Gaussian sigma."""
        return np.asarray(LINE_WIDTH * pixel_step(self.mode, self.lines))

    @property
    def strengths(self) -> Float64:
        """Depths of its lines as parts of the continuum; negative in emission."""
        signs = np.where(np.arange(LINES) % 3 == 2, -1.0, 1.0)
        return np.asarray(self.target.lines * signs, dtype=np.float64)

    def place(self, wavelength: ArrayLike) -> Float64:
        """Return wavelengths as parts of the mode's range: -1 to 1."""
        middle = (self.mode.low + self.mode.high) / 2
        half = (self.mode.high - self.mode.low) / 2
        return np.asarray((np.asarray(wavelength, dtype=float) - middle) / half)

    def continuum(self, wavelength: ArrayLike) -> Float64:
        """Return the flux without lines in Jy; the magnitude is that of the range's middle."""
        middle = (self.mode.low + self.mode.high) / 2
        level = AB_ZERO * 10 ** (-0.4 * self.target.magnitude)
        return np.asarray(
            level * (np.asarray(wavelength, dtype=float) / middle) ** self.target.slope
        )

    def flux(self, wavelength: ArrayLike) -> Float64:
        """Return the flux in Jy outside of a transit."""
        wave = np.asarray(wavelength, dtype=float)
        flux = self.continuum(wave)
        for line, width, strength in zip(self.lines, self.widths, self.strengths, strict=True):
            flux = flux * (1 - strength * np.exp(-(((wave - line) / width) ** 2) / 2))
        return np.asarray(flux)

    def depth(self, wavelength: ArrayLike) -> Float64:
        """Return the part of the light that is missing at the bottom of the transit."""
        place = self.place(wavelength)
        change = (1 - BUMP) * place + BUMP * np.exp(-((place / (2 * BAND)) ** 2) / 2)
        return np.asarray(self.target.depth * (1 + self.target.colour * change))
