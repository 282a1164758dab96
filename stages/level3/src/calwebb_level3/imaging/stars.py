"""Stars of one exposure for its alignment: found by photutils, centred by a fitted PSF.

Moment centroids of stars that the detector undersamples are pulled to pixel centres. The
position is therefore fitted: a Gaussian integrated over pixels, of the width of the
telescope's diffraction, with the errors of the pixels (`calwebb_level3.imaging.psf_fit`).
"""

import warnings
from dataclasses import dataclass

import numpy as np
from astropy.table import Table
from numpy.typing import NDArray
from photutils.detection import DAOStarFinder, IRAFStarFinder

from calwebb_level3.imaging.background import measure_background
from calwebb_level3.imaging.psf_fit import fit_stars

Float32 = NDArray[np.float32]
Bools = NDArray[np.bool_]

# Residual systematic error of a fitted position in pixels, so that no bright star rules the fit.
POSITION_FLOOR = 0.01


@dataclass(frozen=True)
class Finder:
    """How stars are found; widths and distances in pixels.

    Attributes
    ----------
    method : {"iraf", "dao", "segmentation"}
    fwhm : float
    snr_threshold : float
        Peak over background noise.
    sharpness, roundness : (float, float)
        Range that is kept; meaning as in the method.
    sigma_radius : float
        Truncation of the kernel in units of its sigma.
    separation : float
        Least distance of two stars.
    brightest : int or None
        Keep so many.
    peakmax : float or None
        Leave out stars with a brighter pixel.
    bkg_boxsize : int
    npixels, connectivity, contrast
        Of the segmentation; see `calwebb_level3.imaging.detection.Detection`.
    """

    method: str
    fwhm: float
    snr_threshold: float = 10.0
    sharpness: tuple[float, float] | None = None
    roundness: tuple[float, float] | None = None
    sigma_radius: float = 1.5
    separation: float = 0.0
    brightest: int | None = 200
    peakmax: float | None = None
    bkg_boxsize: int = 400
    npixels: int = 10
    connectivity: int = 8
    contrast: float = 0.001


def find_stars(data: Float32, err: Float32, good: Bools, finder: Finder) -> Table:
    """Return the stars of an image.

    Parameters
    ----------
    data, err : float32, (ny, nx)
    good : bool, (ny, nx)
        Pixels to use.
    finder : Finder

    Returns
    -------
    astropy.table.Table
        x, y (pixels, 0-based), flux (unit of `data`), weight (inverse variance of the
        position, 1/pixel**2); brightest first; no row if there is no star.
    """
    mask = ~(good & np.isfinite(data))
    if mask.all():
        return no_stars()
    with warnings.catch_warnings():
        # "No sources were found" and fits that end at a bound are dealt with below.
        warnings.simplefilter("ignore")
        background, noise = measure_background(data, mask, finder.bkg_boxsize)
        if not noise > 0:
            return no_stars()
        clean = np.where(mask, np.float32(0), data - background)
        found = METHODS[finder.method](clean, noise, mask, finder)
        if found is None or len(found) == 0:
            return no_stars()
        return centre(clean, err, mask, brightest(found, mask, finder), finder.fwhm)


def no_stars() -> Table:
    """Return an empty table of stars."""
    return Table({name: np.empty(0) for name in ("x", "y", "flux", "weight")})


def find_iraf(data: Float32, noise: float, mask: Bools, finder: Finder) -> Table | None:
    """Find stars as IRAF's starfind does: x, y, flux."""
    stars = IRAFStarFinder(
        finder.snr_threshold * noise,
        finder.fwhm,
        sigma_radius=finder.sigma_radius,
        n_brightest=None,
        peak_max=finder.peakmax,
        min_separation=finder.separation,
        sharpness_range=finder.sharpness,
        roundness_range=finder.roundness,
    ).find_stars(data, mask=mask)
    return positions(stars)


def find_dao(data: Float32, noise: float, mask: Bools, finder: Finder) -> Table | None:
    """Find stars as DAOFIND does (Stetson 1987, PASP 99, 191): x, y, flux."""
    stars = DAOStarFinder(
        finder.snr_threshold * noise,
        finder.fwhm,
        sigma_radius=finder.sigma_radius,
        peak_max=finder.peakmax,
        min_separation=finder.separation,
        sharpness_range=finder.sharpness,
        roundness_range=finder.roundness,
    ).find_stars(data, mask=mask)
    return positions(stars)


def find_segments(data: Float32, noise: float, mask: Bools, finder: Finder) -> Table | None:
    """Find connected pixels above the threshold by a matched filter: x, y, flux."""
    from photutils.segmentation import SourceCatalog

    from calwebb_level3.imaging.detection import Detection, find_sources

    how = Detection(
        finder.fwhm,
        finder.snr_threshold,
        finder.npixels,
        finder.connectivity,
        finder.contrast,
        bkg_boxsize=finder.bkg_boxsize,
    )
    found = find_sources(data, np.full(data.shape, noise, np.float32), mask, how)
    if found is None:
        return None
    sources = SourceCatalog(found.clean, found.segments, mask=mask)
    table = Table({"x": sources.x_centroid, "y": sources.y_centroid, "flux": sources.segment_flux})
    return table if finder.peakmax is None else table[sources.max_value < finder.peakmax]


METHODS = {"iraf": find_iraf, "dao": find_dao, "segmentation": find_segments}


def positions(stars: Table | None) -> Table | None:
    """Return x, y and flux of a table of a photutils star finder."""
    if stars is None:
        return None
    return Table({"x": stars["x_centroid"], "y": stars["y_centroid"], "flux": stars["flux"]})


def brightest(found: Table, mask: Bools, finder: Finder) -> Table:
    """Return the brightest stars whose central 3 x 3 pixels are all usable."""
    x, y = (np.asarray(found[name], float) for name in ("x", "y"))
    ny, nx = mask.shape
    inside = np.isfinite(x) & np.isfinite(y) & np.isfinite(found["flux"])
    inside &= (x > 1) & (y > 1) & (x < nx - 2) & (y < ny - 2)
    found = found[inside]
    column, row = (np.rint(np.asarray(found[name], float)).astype(int) for name in ("x", "y"))
    clean = np.ones(len(found), bool)
    for dy in (-1, 0, 1):
        for dx in (-1, 0, 1):
            clean &= ~mask[row + dy, column + dx]
    found = found[clean]
    # Ties are broken by position: the order doesn't depend on the finder's.
    order = np.lexsort((found["x"], found["y"], -np.asarray(found["flux"], float)))
    return found[order[: finder.brightest]]


def centre(data: Float32, err: Float32, mask: Bools, found: Table, fwhm: float) -> Table:
    """Return the stars with fitted positions; fits that fail or run away are left out."""
    start = np.stack([np.asarray(found[name], float) for name in ("x", "y")], axis=1)
    places, flux, variance = fit_stars(data, err, mask, start, fwhm)
    moved = np.hypot(*(places - start).T)
    variance = variance + 2 * POSITION_FLOOR**2
    keep = (moved < max(1.0, fwhm)) & (flux > 0) & np.isfinite(variance)
    x, y = places[keep].T
    return Table({"x": x, "y": y, "flux": flux[keep], "weight": 1.0 / variance[keep]})
