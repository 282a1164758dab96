"""Fluxes of sources in circular apertures, magnitudes and concentration."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calwebb_level3.imaging.aperture_reference import Apertures
from calwebb_level3.imaging.background import CLIP, ROUNDS
from calwebb_level3.kernels.apertures import annulus_levels, circle_sums

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]

AB_ZERO_JY = 3631.0
# Rounding of the sum of the pixels' shares.
LOST_AREA = 1e-6


@dataclass(frozen=True)
class Fluxes:
    """Fluxes of n sources, in the unit of the image.

    Attributes
    ----------
    sky, sky_err : float64, (n,)
        Level of the annulus per pixel.
    aperture, aperture_err : float64, (3, n)
        Within each aperture, without that level.
    total, total_err : float64, (n,)
        Largest aperture times its correction; NaN without a correction.
    """

    sky: Float64
    sky_err: Float64
    aperture: Float64
    aperture_err: Float64
    total: Float64
    total_err: Float64


def measure(
    clean: Float32, err: Float32, top: int, positions: Float64, apertures: Apertures
) -> Fluxes:
    """Measure sources in circular apertures with a local background.

    Parameters
    ----------
    clean, err : float32, (n, nx)
        Rows of the image from `top` on, without background; `clean` is NaN where there are no
        data: an aperture with such a pixel gets NaN rather than a flux that is too small.
    top : int
    positions : float64, (m, 2)
        x, y; not NaN.
    apertures : Apertures

    Returns
    -------
    Fluxes
    """
    positions = np.ascontiguousarray(positions, float)
    level = local_sky(clean, top, positions, apertures)
    radii = np.array(apertures.radii, float)
    sums = np.empty((len(positions), len(radii), 3))
    circle_sums(clean, err, top, positions, radii, sums)
    area = np.pi * radii**2
    whole = sums[..., 2] <= LOST_AREA * area
    flux = np.where(whole, sums[..., 0] - level[:, :1] * area, np.nan).T
    error = np.where(whole, np.sqrt(sums[..., 1] + (level[:, 1:] * area) ** 2), np.nan).T
    correction = apertures.corrections[-1]
    return Fluxes(
        level[:, 0], level[:, 1], flux, error, flux[-1] * correction, error[-1] * correction
    )


def local_sky(clean: Float32, top: int, positions: Float64, apertures: Apertures) -> Float64:
    """Return the clipped median of the annulus around positions and its error, (m, 2)."""
    level = np.empty((len(positions), 2))
    places = np.ascontiguousarray(positions, float)
    annulus_levels(clean, top, places, *apertures.sky, CLIP, ROUNDS, level)
    return level


def joined(parts: list[Fluxes], order: NDArray[np.int64]) -> Fluxes:
    """Return the fluxes of several groups of sources as one, put in an order."""
    arrays = {
        name: np.concatenate([getattr(part, name) for part in parts], axis=-1)[..., order]
        for name in ("sky", "sky_err", "aperture", "aperture_err", "total", "total_err")
    }
    return Fluxes(**arrays)


def ab_magnitude(flux: Float64, error: Float64) -> tuple[Float64, Float64]:
    """Return AB magnitudes and errors of fluxes in Jy; NaN where the flux isn't positive."""
    positive = np.where(flux > 0, flux, np.nan)
    return -2.5 * np.log10(positive / AB_ZERO_JY), 2.5 / np.log(10.0) * error / positive


def concentration(aperture: Float64) -> tuple[Float64, Float64, Float64]:
    """Return flux ratios of the second to the first, third to second, third to first aperture."""
    small, middle, large = (np.where(values > 0, values, np.nan) for values in aperture)
    return middle / small, large / middle, large / small
