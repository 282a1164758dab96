"""The PSF of a mosaic, learnt from its own stars.

The values of many stars' pixels over their fluxes, at their distances from the centres, are
samples of one smooth function: the effective PSF, which holds diffraction, pixels, drizzling
and jitter (Anderson & King 2000, PASP 112, 1360). It is kept on a grid of half a pixel. It
gives positions without the errors that undersampling puts in moments, and what is hidden in the
cores of saturated stars.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calwebb_level3.kernels.effective_psf import evaluate_all, fit_places

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]
Int64 = NDArray[np.int64]
Bools = NDArray[np.bool_]

STEP = 0.5  # pixels
# Reach of the grid in units of a star's width.
REACH = 5.0
FEWEST, MOST = 8, 150
# Each node of the grid has a quarter as many samples as there are stars. With eight stars fitted
# places are off by 0.06 pixel, one in twenty by 0.3; with 24 by 0.01 and 0.03.
FEWEST_TO_PLACE = 24
LEAST_SNR = 50.0
# A neighbour closer than this many widths makes a star unfit to learn from.
ALONE = 6.0
PASSES = 4
# Relative error of the PSF at a pixel.
FLOOR = 0.03
NEAR = 1.5  # radius, in widths, within which places are fitted


@dataclass(frozen=True)
class EffectivePSF:
    """Pixel values of a star of flux 1.

    Attributes
    ----------
    grid : float64, (side, side)
        By offset, every half a pixel, the star at the middle.
    fwhm : float
        Of a star, pixels.
    stars : int
        How many it was learnt from.
    """

    grid: Float64
    fwhm: float
    stars: int = 0

    @property
    def reach(self) -> float:
        """Half the side of the grid in pixels."""
        return STEP * (len(self.grid) // 2)

    def amplitude(self, clean: Float32, top: int, place: Float64, level: float) -> float:
        """Return the flux of a star by the median over its pixels' ratios to the PSF; or NaN.

        Parameters
        ----------
        clean : float32, (n, nx)
            Rows of the image from `top` on; NaN where not to be used.
        top : int
        place : float64, (2,)
            x, y.
        level : float
            Local sky.
        """
        half = int(self.reach) - 1
        x, y = round(float(place[0])), round(float(place[1])) - top
        low, left = max(0, y - half), max(0, x - half)
        part = clean[low : max(0, y + half + 1), left : max(0, x + half + 1)] - level
        v, u = np.indices(part.shape)
        model = np.empty(part.size)
        dx, dy = (u + left - place[0]).ravel(), (v + low + top - place[1]).ravel()
        evaluate_all(self.grid, STEP, dx, dy, model)
        known = np.isfinite(part.ravel()) & (model > 0.02 * self.grid.max())
        return float(np.median(part.ravel()[known] / model[known])) if known.any() else np.nan

    def fit(
        self, clean: Float32, err: Float32, top: int, starts: Float64, levels: Float64,
        radii: Float64,
    ) -> Float64:  # fmt: skip
        """Return flux, x, y and the flux's error of stars, (m, 4); NaN where the fit fails.

        Parameters
        ----------
        clean, err : float32, (n, nx)
            Rows of the image from `top` on; `clean` NaN where not to be used.
        top : int
        starts : float64, (m, 3)
            Flux, x, y.
        levels, radii : float64, (m,)
            Local sky, and how far pixels count.
        """
        fits = np.concatenate([starts, np.full((len(starts), 1), np.nan)], axis=1)
        fit_places(clean, err, top, self.grid, STEP, levels, radii, FLOOR, 20, fits)
        return fits


def teachers(snr: Float64, distance: Float64, likely: Bools, fwhm: float) -> Int64:
    """Return the brightest stars that are fit to learn from.

    Parameters
    ----------
    snr, distance : float64, (n,)
        Signal to noise, and distance of the nearest other source in pixels.
    likely : bool, (n,)
        Point-like, not saturated, and measured.
    fwhm : float
    """
    fit = likely & (snr > LEAST_SNR) & ~(distance < ALONE * fwhm)
    chosen = np.flatnonzero(fit)
    return chosen[np.argsort(-snr[chosen], kind="stable")[:MOST]]


def learn(windows: Float32, places: Float64, fluxes: Float64, fwhm: float) -> EffectivePSF | None:
    """Return the PSF of stars, or None if they are too few.

    Parameters
    ----------
    windows : float32, (n, side, side)
        Pixels around the stars without sky; NaN where there are no data.
    places : float64, (n, 2)
        x, y of the stars in the windows.
    fluxes : float64, (n,)
    fwhm : float
    """
    if len(windows) < FEWEST:
        return None
    offset = np.arange(windows.shape[1])
    values = windows / fluxes[:, np.newaxis, np.newaxis]
    nodes = 2 * round(REACH * fwhm / STEP) + 1
    psf = EffectivePSF(np.zeros((nodes, nodes)), fwhm, len(windows))
    now = places
    for _ in range(PASSES):
        for _ in range(2):
            dx = np.broadcast_to(offset - now[:, :1, np.newaxis], values.shape)
            dy = np.broadcast_to(offset[:, np.newaxis] - now[:, 1:, np.newaxis], values.shape)
            refine(psf.grid, values.ravel(), dx.ravel(), dy.ravel())
        now = refitted(psf, windows, now, fluxes)
        # The stars' first places say where the PSF's centre is.
        now -= np.mean(now - places, axis=0)
    return psf


def refine(grid: Float64, values: Float64, dx: Float64, dy: Float64) -> None:
    """Add to each node the median of what the PSF leaves of the samples around it.

    Parameters
    ----------
    grid : float64, (side, side)
        Changed.
    values, dx, dy : float64, (n,)
        Samples (NaN where there are none) and their offsets from the star in pixels.
    """
    half = len(grid) // 2
    column = np.rint(dx / STEP).astype(np.int64) + half
    row = np.rint(dy / STEP).astype(np.int64) + half
    inside = np.isfinite(values) & (column >= 0) & (column < len(grid))
    inside &= (row >= 0) & (row < len(grid))
    model = np.empty(np.count_nonzero(inside))
    evaluate_all(grid, STEP, dx[inside], dy[inside], model)
    rest = values[inside] - model
    node = row[inside] * len(grid) + column[inside]
    order = np.lexsort((rest, node))
    rest, node = rest[order], node[order]
    names, first, count = np.unique(node, return_index=True, return_counts=True)
    middle = 0.5 * (rest[first + (count - 1) // 2] + rest[first + count // 2])
    grid.reshape(-1)[names] += middle


def refitted(psf: EffectivePSF, windows: Float32, places: Float64, fluxes: Float64) -> Float64:
    """Return the places of stars in their windows, fitted; as they were where the fit fails."""
    result = places.copy()
    error = np.ones(windows.shape[1:], np.float32)
    zero, radius = np.zeros(1), np.array([NEAR * psf.fwhm])
    for k, window in enumerate(windows):
        fit = psf.fit(window, error, 0, np.array([[fluxes[k], *places[k]]]), zero, radius)[0]
        if np.isfinite(fit[0]):
            result[k] = fit[1:3]
    return result
