"""Fluxes of sources in circular apertures, magnitudes and concentration."""

import warnings
from dataclasses import dataclass

import numpy as np
from astropy.stats import SigmaClip
from numpy.typing import NDArray
from photutils.aperture import ApertureStats, CircularAnnulus, CircularAperture

from calwebb_level3.imaging.aperture_reference import Apertures

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]
Bools = NDArray[np.bool_]

AB_ZERO_JY = 3631.0


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
    data: Float32, err: Float32, mask: Bools, positions: Float64, apertures: Apertures
) -> Fluxes:
    """Measure sources in circular apertures with a local background.

    Parameters
    ----------
    data, err : float32, (ny, nx)
    mask : bool, (ny, nx)
        Pixels that are left out; an aperture with one of them in it gets NaN rather than a
        flux that is too small.
    positions : float64, (n, 2)
        x, y; NaN gives NaN.
    apertures : Apertures

    Returns
    -------
    Fluxes
    """
    known = np.asarray(np.isfinite(positions).all(axis=1))
    places = np.where(known[:, np.newaxis], positions, 0.0)
    clean = np.where(mask, np.float32(0), data)
    sigma = np.where(mask | ~np.isfinite(err), np.float32(0), err)
    sky, sky_err = local_sky(clean, mask, places, apertures.sky)
    sums, errors = [], []
    for radius in apertures.radii:
        flux, flux_err = one_aperture(clean, sigma, mask, places, radius)
        area = np.pi * radius**2
        sums.append(np.where(known, flux - sky * area, np.nan))
        errors.append(np.where(known, np.hypot(flux_err, sky_err * area), np.nan))
    correction = apertures.corrections[-1]
    return Fluxes(
        sky, sky_err, np.array(sums), np.array(errors), sums[-1] * correction,
        errors[-1] * correction,
    )  # fmt: skip


def local_sky(
    data: Float32, mask: Bools, places: Float64, radii: tuple[float, float]
) -> tuple[Float64, Float64]:
    """Return the clipped median of each annulus and its error; 0 where nothing is left."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        stats = ApertureStats(
            data, CircularAnnulus(places, *radii), mask=mask, sigma_clip=SigmaClip(3.0)
        )
        level = np.atleast_1d(stats.median).astype(float)
        count = np.atleast_1d(stats.center_aper_area.value).astype(float)
        # The median of normal deviates scatters by sqrt(pi / 2) more than their mean.
        error = np.sqrt(np.pi / 2.0) * np.atleast_1d(stats.std) / np.sqrt(count)
    known = np.isfinite(level)
    return np.where(known, level, 0.0), np.where(known & np.isfinite(error), error, 0.0)


def one_aperture(
    data: Float32, err: Float32, mask: Bools, places: Float64, radius: float
) -> tuple[Float64, Float64]:
    """Return sums and their errors; NaN where the aperture is cut by a bad pixel or the edge."""
    aperture = CircularAperture(places, radius)
    total, error = aperture.do_photometry(data, error=err, method="exact")
    covered, _ = aperture.do_photometry((~mask).astype(np.float32), method="exact")
    whole = np.asarray(covered) > 0.999 * np.pi * radius**2
    return (
        np.where(whole, np.asarray(total, float), np.nan),
        np.where(whole, np.asarray(error, float), np.nan),
    )


def ab_magnitude(flux: Float64, error: Float64) -> tuple[Float64, Float64]:
    """Return AB magnitudes and errors of fluxes in Jy; NaN where the flux isn't positive."""
    positive = np.where(flux > 0, flux, np.nan)
    return -2.5 * np.log10(positive / AB_ZERO_JY), 2.5 / np.log(10.0) * error / positive


def concentration(aperture: Float64) -> tuple[Float64, Float64, Float64]:
    """Return flux ratios of the second to the first, third to second, third to first aperture."""
    small, middle, large = (np.where(values > 0, values, np.nan) for values in aperture)
    return middle / small, large / middle, large / small
