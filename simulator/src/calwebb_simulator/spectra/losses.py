"""Light that does not come through a slit, by the place of the star in it and wavelength.

Places are in units of the slit: 0 is its middle, -0.5 and 0.5 are its edges; x across the slit
(along the dispersion), y along it.
"""

import math
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import erf

from calwebb_simulator.spectra.profile import ARCSEC, CORE, MIRROR, SHARES, WIDTHS

Float64 = NDArray[np.float64]
# width and length in arcsec
SLITS: Final = {
    "S200A1": (0.2, 3.3),
    "S200A2": (0.2, 3.3),
    "S400A1": (0.4, 3.8),
    "S1600A1": (1.6, 1.6),
    "S200B1": (0.2, 3.3),
    "MIR_LRS-FIXEDSLIT": (0.51, 4.7),
}
BLUR: Final = 0.02  # arcsec, jitter of the telescope
VIGNETTING: Final = 0.03  # lost at the ends of a slit beyond what falls outside
SPREAD: Final = 0.985  # of uniform light that the gratings let pass at the longest wavelengths


def point_throughput(
    slit: str, wavelength: ArrayLike, x: ArrayLike = 0.0, y: ArrayLike = 0.0
) -> Float64:
    """Return the part of a star's light that passes a slit.

    What a slit cuts off along its length is not counted: those pixels are not there.

    Parameters
    ----------
    slit : str
        A fixed slit of NIRSpec, or MIR_LRS-FIXEDSLIT.
    wavelength : array_like
        In um.
    x, y : array_like
        Place of the star in units of the slit.
    """
    wide = SLITS[slit][0]
    wave = np.asarray(wavelength, dtype=float)
    core = np.hypot(CORE * wave / MIRROR * ARCSEC, BLUR) * math.sqrt(2)
    across = np.asarray(x, dtype=float)
    total = np.zeros(np.broadcast_shapes(np.shape(wave), np.shape(x), np.shape(y)))
    for part, factor in zip(SHARES, WIDTHS, strict=True):
        edges = [(edge - across) * wide / (core * factor) for edge in (-0.5, 0.5)]
        total = total + part / 2 * (erf(edges[1]) - erf(edges[0]))
    return np.asarray(total * (1 - VIGNETTING * (2 * np.asarray(y, dtype=float)) ** 2))


def uniform_throughput(wavelength: ArrayLike) -> Float64:
    """Return the part of uniform light that passes behind the slit: gratings are not endless."""
    wave = np.asarray(wavelength, dtype=float)
    return np.asarray(1 - (1 - SPREAD) * wave / 5.3)
