"""From light to electrons: the photometric calibration that exposures and references share."""

import numpy as np

from calwebb_simulator.geometry import Distortion
from calwebb_simulator.instruments import Detector, Filter

MIRROR_AREA = 25.4  # m2
PLANCK = 6.62607015e-34  # J s
WATT_PER_MJY = 1e-20  # W m-2 Hz-1
STERADIAN_PER_ARCSEC2 = (np.pi / 180 / 3600) ** 2
MJY_PER_UJY = 1e-12


def electrons_per_mjy(optics: Filter) -> float:
    """Return electrons per second from a source of 1 MJy with a flat spectrum in frequency.

    Photons per second are the integral of F_nu A eta / (h nu) over frequency, which for a flat
    F_nu and efficiency is F_nu A eta ln(longest / shortest wavelength) / h.
    """
    longest, shortest = optics.pivot + optics.width / 2, optics.pivot - optics.width / 2
    power = WATT_PER_MJY * MIRROR_AREA * optics.throughput
    return power * float(np.log(longest / shortest)) / PLANCK


def pixel_steradian(distortion: Distortion) -> float:
    """Return the nominal pixel area in steradian (PIXAR_SR)."""
    return distortion.pixel_area * STERADIAN_PER_ARCSEC2


def photmjsr(optics: Filter, detector: Detector, distortion: Distortion) -> float:
    """Return the surface brightness in MJy/sr that gives 1 DN/s in a nominal pixel."""
    return detector.gain / (electrons_per_mjy(optics) * pixel_steradian(distortion))


def vega_offset(optics: Filter) -> float:
    """Return m_AB - m_Vega of a filter.

    Vega is taken as a black body of 9600 K scaled to 667 Jy at 2.16 um (Cohen et al. 2003, AJ
    126, 1090), which is within 0.05 mag of its spectrum beyond 0.7 um.
    """
    vega = 667.0 * _black_body(optics.pivot) / _black_body(2.159)
    return -2.5 * float(np.log10(vega / 3631.0))


def _black_body(wavelength: float, temperature: float = 9600.0) -> float:
    return float(wavelength**-3 / np.expm1(14_387.77 / (wavelength * temperature)))
