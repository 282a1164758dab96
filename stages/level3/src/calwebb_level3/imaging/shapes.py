"""Sharpness and roundness of sources as DAOFIND defines them (Stetson 1987, PASP 99, 191)."""

import numpy as np
from numpy.typing import NDArray

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]

SIGMA_PER_FWHM = 1.0 / (2.0 * np.sqrt(2.0 * np.log(2.0)))


def cutouts(data: Float32, positions: Float64, half: int) -> Float64:
    """Return squares around the nearest pixels; NaN beyond the edges.

    Parameters
    ----------
    data : float32, (ny, nx)
    positions : float64, (n, 2)
        x, y; NaN gives NaN.
    half : int
        The side is ``2 half + 1``.

    Returns
    -------
    float64, (n, side, side)
    """
    padded = np.pad(data.astype(np.float64), half, constant_values=np.nan)
    known = np.asarray(np.isfinite(positions).all(axis=1))
    centre = np.rint(np.where(known[:, np.newaxis], positions, 0.0)).astype(int)
    inside = known & (centre >= 0).all(axis=1) & (centre < data.shape[::-1]).all(axis=1)
    centre[~inside] = 0
    steps = np.arange(2 * half + 1)
    rows = centre[:, 1, np.newaxis, np.newaxis] + steps[:, np.newaxis]
    columns = centre[:, 0, np.newaxis, np.newaxis] + steps
    result = padded[rows, columns]
    result[~inside] = np.nan
    return np.asarray(result)


def sharpness_roundness(data: Float32, positions: Float64, fwhm: float) -> tuple[Float64, Float64]:
    """Return sharpness and roundness of sources.

    Sharpness is the excess of the central pixel over the mean of its neighbours in units of
    the height of the Gaussian that fits best; roundness is the difference of the heights of
    the Gaussians that fit the sums along y and along x, over their mean.

    Parameters
    ----------
    data : float32, (ny, nx)
        Without background.
    positions : float64, (n, 2)
        x, y.
    fwhm : float
        Pixels.

    Returns
    -------
    float64, (n,), twice
        NaN near the edges and for sources whose fitted height isn't positive.
    """
    sigma = fwhm * SIGMA_PER_FWHM
    half = max(2, int(1.5 * sigma + 0.5))
    squares = cutouts(data, positions, half)
    offset = np.arange(-half, half + 1)
    gauss = np.exp(-0.5 * (offset / sigma) ** 2)
    plane = np.outer(gauss, gauss)
    height = fitted_height(squares.reshape(len(squares), -1), plane.ravel())
    height = np.where(height > 0, height, np.nan)
    centre = squares[:, half, half]
    others = (squares.sum(axis=(1, 2)) - centre) / (plane.size - 1)
    weights = half + 1.0 - np.abs(offset)
    hx = fitted_height(np.einsum("nyx,y->nx", squares, weights), gauss)
    hy = fitted_height(np.einsum("nyx,x->ny", squares, weights), gauss)
    mean = np.where((hx > 0) & (hy > 0), 0.5 * (hx + hy), np.nan)
    return (centre - others) / height, (hx - hy) / mean


def fitted_height(values: Float64, profile: Float64) -> Float64:
    """Return the height of a profile on a constant that fits best, by least squares.

    Parameters
    ----------
    values : float64, (n, m)
    profile : float64, (m,)
    """
    shape = profile - profile.mean()
    return np.asarray(values @ shape / (shape @ shape))
