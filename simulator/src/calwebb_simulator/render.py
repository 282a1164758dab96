"""Draw the sky as a detector's pixels see it, free of noise.

Stars are PSFs at their exact position; galaxies are Sersic profiles (Graham & Driver 2005,
PASA 22, 118) drawn on the PSF's fine grid and convolved with it. Flux is in units of the
catalog's total, area by area: a pixel's share of a source does not depend on the pixel's area.
"""

from typing import Any

import numpy as np
from astropy.table import Table
from numpy.typing import NDArray
from scipy import fft
from scipy.special import gamma

from calwebb_simulator.geometry import Placement
from calwebb_simulator.kernels.stamps import add_stars
from calwebb_simulator.psf import OVERSAMPLE, Psf
from calwebb_simulator.scene import offset

Float64 = NDArray[np.float64]
SMALL_RADIUS = 40  # pixels drawn of a faint star: beyond, less than BRIGHT * 1e-6 a pixel
BRIGHT = 200.0  # electrons per second
GALAXY_PSF_RADIUS = 24
GALAXY_EXTENT = 6.0  # half-light radii
GALAXY_LIMIT = 160  # pixels


def draw_sources(table: Table, flux: Float64, placement: Placement, psf: Psf) -> Float64:
    """Draw all sources of a catalog.

    Parameters
    ----------
    table : Table
        Catalog, see `scene`.
    flux : float64, (n,)
        Total of each source, in electrons per second.
    placement : Placement
    psf : Psf

    Returns
    -------
    float64, (ny, nx)
        Electrons per second in every pixel.
    """
    image = np.zeros(placement.frame.shape)
    x, y = placement.pixel(np.asarray(table["ra"]), np.asarray(table["dec"]))
    near = _near(x, y, image.shape, psf.radius)
    stars = near & (np.asarray(table["type"]) == "star")
    draw_stars(image, x[stars], y[stars], flux[stars], psf)
    galaxies = np.flatnonzero(near & ~stars)
    if len(galaxies):
        transfer = Optics(psf)
        for index in galaxies:
            draw_galaxy(image, table[int(index)], flux[index], placement, transfer)
    return image


def _near(x: Float64, y: Float64, shape: tuple[int, int], margin: int) -> NDArray[np.bool_]:
    ny, nx = shape
    inside = (x > -margin) & (x < nx + margin) & (y > -margin) & (y < ny + margin)
    return np.asarray(inside & np.isfinite(x) & np.isfinite(y))


def draw_stars(image: Float64, x: Float64, y: Float64, flux: Float64, psf: Psf) -> None:
    """Add stars to an image in place; faint ones are drawn without their far wings."""
    radius = np.where(flux > BRIGHT, psf.radius, min(SMALL_RADIUS, psf.radius))
    add_stars(
        image,
        np.ascontiguousarray(x),
        np.ascontiguousarray(y),
        np.ascontiguousarray(flux, dtype=float),
        radius.astype(np.int64),
        psf.coefficients,
        OVERSAMPLE,
    )


class Optics:
    """The PSF's core, ready to be convolved with galaxies of any size."""

    def __init__(self, psf: Psf) -> None:
        half = min(GALAXY_PSF_RADIUS, psf.radius) * OVERSAMPLE
        middle = len(psf.data) // 2
        cut = slice(middle - half, middle + half + 1)
        core = psf.data[cut, cut].astype(np.float64)
        self.core = (core / core.sum()).astype(np.float32)
        self.reach = half
        self.spectra: dict[tuple[int, int], NDArray[np.complex64]] = {}

    def convolve(self, image: Float64) -> Float64:
        """Return an image on the fine grid convolved with the PSF's core, same shape."""
        rows, columns = (self._size(side) for side in image.shape)
        if (rows, columns) not in self.spectra:
            self.spectra[rows, columns] = fft.rfft2(self.core, s=(rows, columns))
        spectrum = fft.rfft2(image.astype(np.float32), s=(rows, columns))
        full = fft.irfft2(spectrum * self.spectra[rows, columns], s=(rows, columns))
        ny, nx = image.shape
        seen = full[self.reach : self.reach + ny, self.reach : self.reach + nx]
        return np.asarray(seen, dtype=np.float64)

    def _size(self, side: int) -> int:
        """Return a size to pad to; steps keep the number of different ones small."""
        return int(fft.next_fast_len(-(-(side + 2 * self.reach) // 64) * 64, real=True))


def sersic_b(index: float) -> float:
    """Return b_n of a Sersic profile (Ciotti & Bertin 1999, A&A 352, 447, four terms)."""
    n = index
    return 2 * n - 1 / 3 + 4 / (405 * n) + 46 / (25515 * n**2) + 131 / (1148175 * n**3)


def draw_galaxy(
    image: Float64, source: Any, flux: float, placement: Placement, optics: Optics
) -> None:
    """Add a galaxy to an image in place."""
    matrix, extent = ellipse(source, placement)
    x, y = (float(value) for value in placement.pixel(source["ra"], source["dec"]))
    column, row = round(x), round(y)
    half = min(int(np.ceil(GALAXY_EXTENT * extent)), GALAXY_LIMIT) + GALAXY_PSF_RADIUS
    profile = _profile(source["n"], matrix, (x - column, y - row), half)
    # every fine sample is what a pixel centred there sees, as in the PSF itself
    seen = optics.convolve(profile * (flux / profile.sum()))
    # sum over fine samples is 1; a pixel takes OVERSAMPLE^2 of them
    stamp = seen[::OVERSAMPLE, ::OVERSAMPLE] * OVERSAMPLE**2
    _paste(image, stamp, column - half, row - half)


def ellipse(source: Any, placement: Placement) -> tuple[Float64, float]:
    """Return the matrix from pixel offsets to elliptical radii in units of re, and re in pixels."""
    ra, dec = float(source["ra"]), float(source["dec"])
    at = np.array(placement.pixel(ra, dec))
    axes = []
    for angle, size in ((source["pa"], 1.0), (source["pa"] + 90.0, float(source["q"]))):
        east, north = np.sin(np.radians(angle)), np.cos(np.radians(angle))
        there = offset(ra, dec, np.array([east]) * 0.1, np.array([north]) * 0.1)
        step = (np.array(placement.pixel(there[0][0], there[1][0])) - at) * 10
        axes.append(step * float(source["re"]) * size)
    return np.asarray(np.linalg.inv(np.array(axes).T), dtype=np.float64), float(np.hypot(*axes[0]))


def _profile(index: float, matrix: Float64, centre: tuple[float, float], half: int) -> Float64:
    """Return a Sersic profile on the fine grid; the sample that holds the centre is averaged."""
    axis = np.arange(-half * OVERSAMPLE, half * OVERSAMPLE + 1) / OVERSAMPLE
    dx, dy = axis[None, :] - centre[0], axis[:, None] - centre[1]
    profile = _sersic(dx, dy, matrix, index)
    near = np.abs(dx) + np.abs(dy) < 1.5 / OVERSAMPLE
    rows, columns = np.nonzero(near)
    fine = (np.arange(10) + 0.5) / 10 / OVERSAMPLE - 0.5 / OVERSAMPLE
    for row, column in zip(rows, columns, strict=True):
        sub = _sersic(dx[0, column] + fine[None, :], dy[row, 0] + fine[:, None], matrix, index)
        profile[row, column] = sub.mean()
    return profile


def _sersic(dx: Float64, dy: Float64, matrix: Float64, index: float) -> Float64:
    major = matrix[0, 0] * dx + matrix[0, 1] * dy
    minor = matrix[1, 0] * dx + matrix[1, 1] * dy
    radius = np.hypot(major, minor)
    b = sersic_b(index)
    norm = 2 * np.pi * index * b ** (-2 * index) * gamma(2 * index)
    value = np.exp(-b * radius ** (1 / index)) / norm
    return np.where(radius > GALAXY_EXTENT, 0.0, value)


def _paste(image: Float64, stamp: Float64, x: int, y: int) -> None:
    ny, nx = image.shape
    rows, columns = stamp.shape
    left, bottom = max(x, 0), max(y, 0)
    right, top = min(x + columns, nx), min(y + rows, ny)
    if left < right and bottom < top:
        image[bottom:top, left:right] += stamp[bottom - y : top - y, left - x : right - x]
