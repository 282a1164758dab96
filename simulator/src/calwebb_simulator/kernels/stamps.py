"""Add point sources to an image."""

import numpy as np
from numba import njit
from numpy.typing import NDArray


@njit(cache=True, nogil=True)
def spline_weights(phase: float, weights: NDArray[np.float64]) -> None:
    """Fill in the four weights of a cubic B-spline for a phase in [0, 1)."""
    rest = 1.0 - phase
    weights[0] = rest * rest * rest / 6.0
    weights[1] = 2.0 / 3.0 - phase * phase * (2.0 - phase) / 2.0
    weights[2] = 2.0 / 3.0 - rest * rest * (2.0 - rest) / 2.0
    weights[3] = phase * phase * phase / 6.0


@njit(cache=True, nogil=True)
def add_stars(
    image: NDArray[np.float64],
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    flux: NDArray[np.float64],
    radius: NDArray[np.int64],
    coefficients: NDArray[np.float32],
    oversample: int,
) -> None:
    """Add stars to an image in place.

    All pixels of a star lie at one phase of the PSF's grid, a whole number of samples apart,
    so that the spline weights are computed once a star.

    Parameters
    ----------
    image : float64, (ny, nx)
        Added to.
    x, y : float64, (n,)
        0-based positions in pixels.
    flux : float64, (n,)
        What the PSF is multiplied by.
    radius : int64, (n,)
        Pixels from the star to the edge of what is drawn.
    coefficients : float32, (m, m)
        Spline coefficients of the PSF, m odd, its centre in the middle.
    oversample : int
        Samples a pixel.
    """
    ny, nx = image.shape
    middle = coefficients.shape[0] // 2
    weight_x = np.empty(4)
    weight_y = np.empty(4)
    for star in range(len(x)):
        column, row = int(np.floor(x[star] + 0.5)), int(np.floor(y[star] + 0.5))
        at_x = middle + (column - x[star]) * oversample
        at_y = middle + (row - y[star]) * oversample
        start_x, start_y = int(np.floor(at_x)), int(np.floor(at_y))
        spline_weights(at_x - start_x, weight_x)
        spline_weights(at_y - start_y, weight_y)
        reach = radius[star]
        for j in range(max(row - reach, 0), min(row + reach + 1, ny)):
            v = start_y + (j - row) * oversample - 1
            for i in range(max(column - reach, 0), min(column + reach + 1, nx)):
                u = start_x + (i - column) * oversample - 1
                total = 0.0
                for b in range(4):
                    line = 0.0
                    for a in range(4):
                        line += weight_x[a] * coefficients[v + b, u + a]
                    total += weight_y[b] * line
                image[j, i] += flux[star] * total
