"""Positions of stars from a fitted point spread function, all stars at once.

The model is a Gaussian integrated over pixels; position, flux and a constant are found by
Gauss-Newton steps on the pixels around the star, weighted by their errors.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.special import erf

from calwebb_level3.imaging.shapes import cutouts

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]
Bools = NDArray[np.bool_]

SIGMA_PER_FWHM = 1.0 / (2.0 * np.sqrt(2.0 * np.log(2.0)))
ITERATIONS = 20
# A step of a Gauss-Newton iteration is at most this long, in pixels.
LONGEST_STEP = 0.5


def fit_stars(
    data: Float32, err: Float32, mask: Bools, positions: Float64, fwhm: float
) -> tuple[Float64, Float64, Float64]:
    """Fit stars of known width.

    Parameters
    ----------
    data, err : float32, (ny, nx)
    mask : bool, (ny, nx)
        True where not to be used.
    positions : float64, (n, 2)
        First guesses of x, y.
    fwhm : float
        Full width at half maximum before the integration over pixels.

    Returns
    -------
    positions : float64, (n, 2)
        NaN where the fit fails.
    flux : float64, (n,)
    variance : float64, (n,)
        Sum of the variances of x and y, pixel**2.
    """
    half = max(2, round(fwhm))
    sigma = fwhm * SIGMA_PER_FWHM
    usable = ~mask & np.isfinite(err) & (err > 0) & np.isfinite(data)
    values = cutouts(np.where(usable, data, np.float32(0)), positions, half)
    inverse = np.zeros(data.shape, np.float32)
    np.divide(1.0, err, out=inverse, where=usable)
    weights = cutouts(inverse, positions, half) ** 2
    weights[~np.isfinite(values) | ~np.isfinite(weights)] = 0.0
    values[~np.isfinite(values)] = 0.0
    origin = np.rint(positions)
    place: Float64 = positions - origin
    n = len(positions)
    flux: Float64 = np.zeros(n)
    covariance: Float64 = np.full((n, 4, 4), np.nan)
    for _ in range(ITERATIONS):
        step, flux, covariance = newton_step(values, weights, place, sigma, half)
        place = place + step
        if np.all(np.abs(step) < 1e-6):
            break
    inside = np.abs(place).max(axis=1, initial=0.0) < half
    known = (inside & np.isfinite(flux))[:, np.newaxis]
    variance = covariance[:, 0, 0] + covariance[:, 1, 1]
    return np.where(known, origin + place, np.nan), flux, variance


def profile(place: Float64, sigma: float, half: int) -> tuple[Float64, Float64]:
    """Return a unit Gaussian integrated over pixels along one axis, and its derivative.

    Parameters
    ----------
    place : float64, (n,)
        Centre relative to the middle pixel.
    sigma : float
    half : int
        Pixels from ``-half`` to ``half``.

    Returns
    -------
    float64, (n, 2 half + 1), twice
        Fraction of the light in each pixel, and its change with the centre.
    """
    edges = np.arange(-half, half + 2) - 0.5 - place[:, np.newaxis]
    cumulative = 0.5 * erf(edges / (np.sqrt(2.0) * sigma))
    density = np.exp(-0.5 * (edges / sigma) ** 2) / (np.sqrt(2.0 * np.pi) * sigma)
    return np.diff(cumulative, axis=1), -np.diff(density, axis=1)


def newton_step(
    values: Float64, weights: Float64, place: Float64, sigma: float, half: int
) -> tuple[Float64, Float64, Float64]:
    """Return the step of the positions, the fluxes and the covariances of x, y, flux, constant.

    Flux and constant are linear and solved for with the position held, which is then improved
    with all four.
    """
    (px, dx), (py, dy) = (profile(place[:, axis], sigma, half) for axis in (0, 1))
    star = (py[:, :, np.newaxis] * px[:, np.newaxis, :]).reshape(len(place), (2 * half + 1) ** 2)
    along_x = (py[:, :, np.newaxis] * dx[:, np.newaxis, :]).reshape(star.shape)
    along_y = (dy[:, :, np.newaxis] * px[:, np.newaxis, :]).reshape(star.shape)
    data, weight = values.reshape(star.shape), weights.reshape(star.shape)
    constant = np.ones_like(star)
    linear, _ = solve(np.stack([star, constant], axis=1), data, weight)
    flux = linear[:, 0]
    scale = flux[:, np.newaxis]
    design = np.stack([scale * along_x, scale * along_y, star, constant], axis=1)
    residual = data - linear[:, :1] * star - linear[:, 1:]
    change, covariance = solve(design, residual, weight)
    return np.clip(change[:, :2], -LONGEST_STEP, LONGEST_STEP), flux, covariance


def solve(design: Float64, values: Float64, weight: Float64) -> tuple[Float64, Float64]:
    """Solve weighted linear least squares for many stars; NaN where it is singular.

    Parameters
    ----------
    design : float64, (n, k, m)
    values, weight : float64, (n, m)

    Returns
    -------
    float64, (n, k) and float64, (n, k, k)
    """
    weighted = design * weight[:, np.newaxis, :]
    normal = np.einsum("nim,njm->nij", weighted, design)
    right = np.einsum("nim,nm->ni", weighted, values)
    size = np.sqrt(np.einsum("nii->ni", normal))
    size = np.where(size > 0, size, np.nan)
    scaled = normal / size[:, :, np.newaxis] / size[:, np.newaxis, :]
    good = np.isfinite(scaled).all(axis=(1, 2))
    good[good] &= np.linalg.cond(scaled[good]) < 1e10
    inverse = np.full_like(scaled, np.nan)
    inverse[good] = np.linalg.inv(scaled[good])
    covariance = inverse / size[:, :, np.newaxis] / size[:, np.newaxis, :]
    return np.einsum("nij,nj->ni", covariance, right), covariance
