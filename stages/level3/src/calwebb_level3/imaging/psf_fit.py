"""Positions of stars from a fitted point spread function.

The model is a Gaussian integrated over pixels; position, flux and a constant are found by
Gauss-Newton steps on the pixels around the star, weighted by their errors. Its width is measured
on bright stars: a wrong one shifts undersampled stars by a few hundredths of a pixel, depending
on where in a pixel they fall.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calwebb_level3.kernels.psf import fit_all

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]
Bools = NDArray[np.bool_]

SIGMA_PER_FWHM = 1.0 / (2.0 * np.sqrt(2.0 * np.log(2.0)))
# The width is measured on so many of the brightest stars, of at least this signal over noise.
WIDTH_STARS = 200
LEAST_WIDTH_STARS = 5
WIDTH_SNR = 12.0
# What is narrower in units of the width expected is a hot pixel, what is wider a galaxy.
NARROWEST, WIDEST = 0.55, 2.0
# Hot pixels and cosmic rays leave larger residuals in units of the fitted light.
LARGEST_MISFIT = 0.4


@dataclass(frozen=True)
class Fits:
    """Fitted stars; NaN where a fit failed.

    Attributes
    ----------
    positions : float64, (n, 2)
    flux : float64, (n,)
    variance : float64, (n,)
        Sum of the variances of x and y, pixel**2.
    fwhm : float64, (n,)
    misfit : float64, (n,)
        Absolute residuals beyond the pixels' errors over the light of the model.
    """

    positions: Float64
    flux: Float64
    variance: Float64
    fwhm: Float64
    misfit: Float64


def fit_stars(
    data: Float32,
    err: Float32,
    bad: Bools,
    positions: Float64,
    fwhm: float,
    *,
    free: bool = False,
) -> Fits:
    """Fit stars.

    Parameters
    ----------
    data, err : float32, (ny, nx)
    bad : bool, (ny, nx)
        Pixels not to be used.
    positions : float64, (n, 2)
        First guesses of x, y.
    fwhm : float
        Full width at half maximum before the integration over pixels.
    free : bool
        Whether each star's width is fitted, starting with this one.
    """
    half = max(2, round(fwhm))
    out = np.empty((len(positions), 7))
    start = np.ascontiguousarray(positions, float)
    fit_all(data, err, bad, start, fwhm * SIGMA_PER_FWHM, half, free, out)
    variance = out[:, 3] + out[:, 4]
    return Fits(out[:, :2], out[:, 2], variance, out[:, 5] / SIGMA_PER_FWHM, out[:, 6])


def typical_width(
    data: Float32, err: Float32, bad: Bools, positions: Float64, fwhm: float
) -> float:
    """Return the median width of the brightest stars, or the given one if they are too few.

    Parameters
    ----------
    data, err, bad, positions, fwhm
        As for `fit_stars`; positions of the brightest stars first.
    """
    fits = fit_stars(data, err, bad, positions[:WIDTH_STARS], fwhm, free=True)
    # The centre of a star is known to its width over its signal to noise.
    snr = fits.fwhm / np.sqrt(fits.variance)
    good = (snr > WIDTH_SNR) & (fits.fwhm > NARROWEST * fwhm) & (fits.fwhm < WIDEST * fwhm)
    good &= (fits.flux > 0) & (fits.misfit < LARGEST_MISFIT)
    if np.count_nonzero(good) < LEAST_WIDTH_STARS:
        return fwhm
    return float(np.median(fits.fwhm[good]))
