"""Point-like sources of a mosaic: which they are, where they lie, what saturation took."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calwebb_level3.imaging.cores import AROUND, Windows, core_centres, damaged
from calwebb_level3.imaging.effective_psf import (
    FEWEST_TO_PLACE,
    LEAST_SNR,
    NEAR,
    STEP,
    EffectivePSF,
    learn,
    teachers,
)
from calwebb_level3.imaging.effective_psf import REACH as PSF_REACH
from calwebb_level3.imaging.photometry import Fluxes, concentration
from calwebb_level3.imaging.shapes import neighbours
from calwebb_level3.kernels.effective_psf import fill_star

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]
Int64 = NDArray[np.int64]
Bools = NDArray[np.bool_]

# Places of fainter sources are as good from windows.
FIT_SNR = 10.0
# Concentration (largest over smallest aperture) over that of stars: what is point-like.
POINT_LIKE = (0.75, 1.25)
# A fitted place farther than this from the window's is another source's, pixels.
FARTHEST = 0.7
# Relative error of what is put in a damaged core.
FILL_ERROR = 0.05


@dataclass(frozen=True)
class PointSources:
    """What is known of n sources as stars.

    Attributes
    ----------
    psf : EffectivePSF or None
        None if there are too few stars to learn it from.
    damaged : bool, (n,)
        Bright sources with weak pixels, or none, in their cores.
    likely : bool, (n,)
        Bright enough and point-like.
    fluxes : float64, (n,)
    """

    psf: EffectivePSF | None
    damaged: Bools
    likely: Bools
    fluxes: Float64

    @property
    def margin(self) -> int:
        """Rows beyond a source's own that its fit, or that of a neighbour, may need."""
        return 0 if self.psf is None else 2 * int(np.ceil(self.psf.reach)) + 4


def point_sources(windows: Windows, places: Float64, fluxes: Fluxes, fwhm: float) -> PointSources:
    """Learn the PSF of an image, and which sources it is good for.

    Parameters
    ----------
    windows : Windows
    places : float64, (n, 2)
    fluxes : Fluxes
    fwhm : float
        Of a star, pixels.
    """
    flux, error = fluxes.aperture[-1], fluxes.aperture_err[-1]
    with np.errstate(invalid="ignore", divide="ignore"):
        snr = flux / error
    bright = np.flatnonzero((snr > LEAST_SNR) | ~np.isfinite(flux))
    hurt = np.zeros(len(places), bool)
    x, y = np.rint(places[bright]).astype(np.int64).T
    hurt[bright] = damaged(windows, x, y, fwhm)
    ratio = concentration(fluxes.aperture)[2]
    reference = (snr > LEAST_SNR) & ~hurt & np.isfinite(ratio)
    usual = np.median(ratio[reference]) if reference.any() else np.nan
    alike = (ratio > POINT_LIKE[0] * usual) & (ratio < POINT_LIKE[1] * usual)
    likely = alike & ~hurt & (snr > FIT_SNR)
    chosen = teachers(snr, neighbours(places)[1], likely, fwhm)
    half = int(np.ceil(PSF_REACH * fwhm)) + 1
    centre = np.rint(places[chosen]).astype(np.int64)
    squares = np.array([windows.clean(int(u), int(v), half) for u, v in centre])
    if len(chosen):
        squares = squares - fluxes.sky[chosen][:, np.newaxis, np.newaxis]
    psf = learn(squares, places[chosen] - centre + half, flux[chosen], fwhm)
    return PointSources(psf, hurt, likely, flux)


def fitted(
    clean: Float32,
    err: Float32,
    top: int,
    chosen: Int64,
    starts: Float64,
    points: PointSources,
    sky: Float64,
) -> Float64:
    """Return the places of sources (m, 2), fitted where they are point-like.

    Parameters
    ----------
    clean, err : float32, (n, nx)
        Rows of the image from `top` on.
    top : int
    chosen : int64, (m,)
        Which sources.
    starts : float64, (number of sources, 2)
    points : PointSources
    sky : float64, (m,)
        Local levels.
    """
    places = starts[chosen].copy()
    if points.psf is None or points.psf.stars < FEWEST_TO_PLACE:
        return places
    fit = np.flatnonzero(points.likely[chosen])
    guess = np.column_stack([points.fluxes[chosen[fit]], places[fit]])
    radii = np.full(len(fit), NEAR * points.psf.fwhm)
    result = points.psf.fit(clean, err, top, guess, sky[fit], radii)
    good = np.isfinite(result[:, 0]) & (np.hypot(*(result[:, 1:3] - places[fit]).T) < FARTHEST)
    places[fit[good]] = result[good, 1:3]
    return places


def fill_cores(
    windows: Windows,
    clean: Float32,
    err: Float32,
    top: int,
    stars: tuple[Int64, Float64],
    points: PointSources,
    sky: Float64,
) -> tuple[Float32, Float32, Float64]:
    """Put the PSF in the weak pixels of damaged stars.

    Parameters
    ----------
    windows : Windows
    clean : float32, (n, nx)
        Rows of the image from `top` on; changed.
    err : float32, (n, nx)
    top : int
    stars : int64, (m,) and float64, (m, 2)
        Which sources, and about where.
    points : PointSources
    sky : float64, (m,)
        Local levels.

    Returns
    -------
    clean, err : float32, (n, nx)
    places : float64, (m, 2)
    """
    psf = points.psf
    if psf is None or not len(stars[1]):
        return clean, err, stars[1]
    places = core_centres(windows, stars[1], psf.fwhm)
    half = int(np.ceil(AROUND * psf.fwhm))
    centres = np.rint(places).astype(np.int64)
    weak = [windows.weak(int(x), int(y), half) for x, y in centres]
    good = clean.copy()
    for (x, y), bad in zip(centres, weak, strict=True):
        cut(good, int(x), int(y) - top, bad)
    guess = np.column_stack([
        [psf.amplitude(good, top, place, level) for place, level in zip(places, sky, strict=True)],
        places,
    ])  # fmt: skip
    radii = np.full(len(places), psf.reach - 2.0)
    fits = psf.fit(good, err, top, guess, sky, radii)
    err = err.copy()
    for fit, (x, y), bad, level in zip(fits, centres, weak, sky, strict=True):
        low, left = int(y) - top - half, int(x) - half
        inside = trimmed(bad, low, left, clean.shape)
        fill_star(
            clean, err, inside, max(left, 0), max(low, 0), psf.grid, STEP,
            fit[0], fit[1], fit[2] - top, level, FILL_ERROR,
        )  # fmt: skip
    done = np.isfinite(fits[:, :1])
    return clean, err, np.where(done, fits[:, 1:3], places)


def trimmed(bad: Bools, low: int, left: int, shape: tuple[int, ...]) -> Bools:
    """Return the part of a window that lies in an image of a shape."""
    return np.ascontiguousarray(bad[max(0, -low) : shape[0] - low, max(0, -left) : shape[1] - left])


def cut(image: Float32, x: int, y: int, bad: Bools) -> None:
    """Put NaN in an image's pixels that are marked in a window around (x, y)."""
    half = bad.shape[0] // 2
    inside = trimmed(bad, y - half, x - half, image.shape)
    low, left = max(0, y - half), max(0, x - half)
    part = image[low : low + inside.shape[0], left : left + inside.shape[1]]
    part[inside] = np.nan
