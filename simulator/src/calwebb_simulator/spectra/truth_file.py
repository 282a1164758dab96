"""The truth of a spectrum as its file has it, and the spectra of products."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from astropy.io import fits
from numpy.typing import NDArray

Float64 = NDArray[np.float64]
AWAY: Final = 5.0  # widths of a line from which the spectrum counts as clean
EDGE: Final = 0.01  # of the range at either end that does not count
SAMPLES: Final = (-0.4, -0.2, 0.0, 0.2, 0.4)  # of a pixel


@dataclass(frozen=True)
class TrueSpectrum:
    """The truth of an exposure or of all its segments.

    Attributes
    ----------
    wavelength, flux, depth : float64, (n,)
        um, Jy, part of the light that a transit takes.
    lines : structured array
        wavelength, width (um) and strength.
    curve : structured array
        Of the integrations: integration, mjd_utc, shape of the transit.
    """

    wavelength: Float64
    flux: Float64
    depth: Float64
    lines: NDArray[Any]
    curve: NDArray[Any]

    def at(self, wave: Float64, shape: float = 0.0) -> Float64:
        """Return the flux in pixels at wavelengths, so deep in a transit."""
        step = np.gradient(wave)
        whole = self.flux * (1 - shape * self.depth)
        parts = [np.interp(wave + part * step, self.wavelength, whole) for part in SAMPLES]
        return np.asarray(np.mean(parts, axis=0))

    def clean(self, wave: Float64) -> NDArray[np.bool_]:
        """Tell wavelengths that are inside of the range and away from lines."""
        low, high = self.wavelength[0], self.wavelength[-1]
        margin = EDGE * (high - low)
        good = (wave > low + margin) & (wave < high - margin)
        for line in self.lines:
            good &= np.abs(wave - line["wavelength"]) > AWAY * line["width"]
        return np.asarray(good)


def read_truth(path: Path) -> TrueSpectrum:
    """Read the truth of an exposure."""
    with fits.open(path) as hdus:
        rows = hdus["SPECTRUM"].data
        wave, flux, depth = (
            np.array(rows[name], dtype=float) for name in ("wavelength", "flux", "depth")
        )
        lines, curve = (np.array(hdus[name].data) for name in ("LINES", "LIGHT_CURVE"))
    return TrueSpectrum(wave, flux, depth, lines, curve)


def read_rows(path: Path) -> tuple[Float64, Float64, Float64]:
    """Return wavelengths (n,), fluxes and errors (nints, n) of the star's spectrum of a product.

    Of several slits it is the one with the point source, otherwise the first.
    Errors are those of photons and reading, where the product tells: the simulated flat fields are
    exactly those of the references, whose uncertainty is no noise here.
    """
    with fits.open(path) as hdus:
        tables = [hdu for hdu in hdus[1:] if hdu.header.get("XTENSION") == "BINTABLE"]
        stars = [hdu for hdu in tables if hdu.header.get("SRCTYPE") == "POINT"]
        rows = (stars or tables)[0].data
        columns = [np.atleast_2d(np.array(rows[name], float)) for name in ("WAVELENGTH", "FLUX")]
        noise = noise_of(rows)
    return columns[0][0], columns[1], noise


def noise_of(rows: Any) -> Float64:
    """Return errors of a table of spectra without those of the flat field, (nints, n)."""
    error = "FLUX_ERROR" if "FLUX_ERROR" in rows.names else "ERROR"
    variance = np.square(np.atleast_2d(np.array(rows[error], float)))
    if "FLUX_VAR_FLAT" in rows.names:
        flat = np.atleast_2d(np.array(rows["FLUX_VAR_FLAT"], float))
        variance = variance - np.where(flat < variance, flat, 0.0)
    noise: Float64 = np.sqrt(variance)
    return noise
