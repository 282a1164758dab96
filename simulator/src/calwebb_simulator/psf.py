"""Point spread functions: diffraction by the pupil over a filter's band, seen by pixels.

Monochromatic images are matrix Fourier transforms of the pupil (Soummer et al. 2007, Opt.
Express 15, 15935), sampled directly on a fraction of the detector's pixels; the band is a sum
over wavelengths with equal photon rates. Parseval's theorem gives the flux over the whole plane,
so that what lies outside the sampled square is known and not lost in the normalisation.
Integration over the square pixel is done in Fourier space.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy import fft, ndimage

from calwebb_simulator.instruments import Filter
from calwebb_simulator.pupil import Pupil, draw_pupil

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]
OVERSAMPLE = 4
RADIUS = 128  # detector pixels from the centre to the edge
PUPIL_SAMPLES = 384
WAVELENGTHS = 7
CORE = 6  # pixels around the centre that its position is measured from
WEIGHT_SIGMA = 1.0  # pixels
JITTER = 0.007  # arcsec rms per axis: pointing jitter and charge diffusion
ARCSEC = np.pi / 180 / 3600
MICRON = 1e-6


@dataclass(frozen=True)
class Psf:
    """A pixel-integrated PSF on a grid finer than the pixels.

    Attributes
    ----------
    data : float32, (n, n)
        Fraction of the flux that a pixel centred there collects; n is odd, the centre in the
        middle, OVERSAMPLE samples a pixel. All pixels of the plane add up to 1.
    coefficients : float32, (n, n)
        Cubic B-spline coefficients of `data`.
    scale : float
        Pixel size in arcsec.
    """

    data: Float32
    coefficients: Float32
    scale: float

    @property
    def radius(self) -> int:
        """Distance from the centre to the last whole pixel."""
        return (len(self.data) // 2) // OVERSAMPLE - 1

    @property
    def effective_area(self) -> float:
        """Noise-equivalent area in pixels, 1 / sum p^2, of a star in the middle of a pixel."""
        middle = len(self.data) // 2
        start = middle % OVERSAMPLE
        at_pixels = self.data[start::OVERSAMPLE, start::OVERSAMPLE].astype(float)
        return float(1 / np.sum(at_pixels**2))

    def widened(self, boxes: int) -> Float64:
        """Return the PSF convolved with further pixel-sized boxes, same grid and norm.

        Drizzling with droplets of one pixel onto pixels of the same size is one box each, and
        photometry that shares pixels with the aperture's edge is another.
        """
        return convolve(self.data.astype(float), box_transfer(self.data.shape, boxes))


def box_transfer(shape: tuple[int, int], boxes: int) -> Float64:
    """Return the transfer function of pixel-sized boxes for `rfft2` of a PSF's grid."""
    sizes = [fft.next_fast_len(side, real=True) for side in shape]
    along_y = np.sinc(fft.fftfreq(sizes[0]) * OVERSAMPLE) ** boxes
    along_x = np.sinc(fft.rfftfreq(sizes[1]) * OVERSAMPLE) ** boxes
    return np.asarray(along_y[:, None] * along_x[None, :])


def convolve(image: Float64, transfer: Float64) -> Float64:
    """Return an image convolved with a kernel given by its transfer function."""
    ny, nx = image.shape
    shape = (transfer.shape[0], 2 * (transfer.shape[1] - 1))
    shape = (shape[0], fft.next_fast_len(nx, real=True))
    spectrum = fft.rfft2(image, s=shape) * transfer
    return np.asarray(fft.irfft2(spectrum, s=shape)[:ny, :nx])


@cache
def filter_psf(optics: Filter, scale: float, radius: int = RADIUS) -> Psf:
    """Compute the PSF of a filter.

    Parameters
    ----------
    optics : Filter
    scale : float
        Pixel size in arcsec.
    radius : int
        Half the side of the sampled square in pixels.
    """
    step = scale * ARCSEC / OVERSAMPLE
    centre = core_centre(polychromatic(optics, CORE * OVERSAMPLE, step))
    optical = polychromatic(optics, (radius + 1) * OVERSAMPLE, step, centre)
    transfer = box_transfer(optical.shape, 1) * gaussian_transfer(optical.shape, scale)
    data = convolve(optical, transfer).astype(np.float32)
    coefficients = ndimage.spline_filter(data.astype(float), order=3, mode="mirror")
    return Psf(data, np.ascontiguousarray(coefficients, dtype=np.float32), scale)


def polychromatic(
    optics: Filter, half: int, step: float, centre: tuple[float, float] = (0.0, 0.0)
) -> Float64:
    """Return the image of a point in a filter, see `monochromatic`, as flux per pixel."""
    total = np.zeros((2 * half + 1, 2 * half + 1))
    for wavelength in band(optics):
        total += monochromatic(wavelength, half, step, centre)
    return total * (OVERSAMPLE**2 / WAVELENGTHS)


def core_centre(image: Float64) -> tuple[float, float]:
    """Return where the core of a PSF is, x and y in samples from the middle.

    Aberrations move the image; the distortion, as the observatory measures it from stars, takes
    that out. The centroid has a Gaussian weight of the size of the core and follows it.
    """
    half = len(image) // 2
    axis = np.arange(-half, half + 1, dtype=float)
    sigma = WEIGHT_SIGMA * OVERSAMPLE
    x = y = 0.0
    for _ in range(30):
        weight = np.exp(-((axis[None, :] - x) ** 2 + (axis[:, None] - y) ** 2) / (2 * sigma**2))
        part = image * weight
        total = part.sum()
        # twice the step: for a core of the weight's size the centroid moves by half of it
        x += 2 * float(np.sum(part * (axis[None, :] - x)) / total)
        y += 2 * float(np.sum(part * (axis[:, None] - y)) / total)
    return x, y


def band(optics: Filter) -> Float64:
    """Return wavelengths in um that divide a filter's band evenly in photons."""
    edges = optics.pivot - optics.width / 2, optics.pivot + optics.width / 2
    return np.linspace(*edges, 2 * WAVELENGTHS + 1)[1::2]


def monochromatic(
    wavelength: float, half: int, step: float, centre: tuple[float, float]
) -> Float64:
    """Return the image of a point at one wavelength as flux per sample.

    Parameters
    ----------
    wavelength : float
        In um.
    half : int
        Samples from the centre to the edge.
    step : float
        Distance of the samples in radians.
    centre : (float, float)
        What the middle sample looks at: x and y in samples.
    """
    pupil = draw_pupil_once()
    phase = np.exp(2j * np.pi * pupil.path / wavelength)
    field = (pupil.amplitude * phase).astype(np.complex64)
    n = len(field)
    position = (np.arange(n) + 0.5 - n / 2) * pupil.sampling
    waves = -2j * np.pi / (wavelength * MICRON) * position
    kernels = [
        np.exp(np.outer((np.arange(-half, half + 1) + middle) * step, waves)).astype(np.complex64)
        for middle in centre
    ]
    image = np.abs(kernels[1] @ field @ kernels[0].T) ** 2
    # Parseval: the whole plane holds sum |field|^2 (lambda / dx)^2 / step^2 of these units
    total = np.sum(pupil.amplitude**2) * (wavelength * MICRON / pupil.sampling / step) ** 2
    return np.asarray(image, dtype=float) / total


@cache
def draw_pupil_once() -> Pupil:
    """Return the pupil that all filters share."""
    return draw_pupil(PUPIL_SAMPLES)


def gaussian_transfer(shape: tuple[int, int], scale: float) -> Float64:
    """Return the transfer function of jitter and charge diffusion."""
    sizes = [fft.next_fast_len(side, real=True) for side in shape]
    sigma = JITTER / scale * OVERSAMPLE
    along_y, along_x = fft.fftfreq(sizes[0]), fft.rfftfreq(sizes[1])
    radius2 = along_y[:, None] ** 2 + along_x[None, :] ** 2
    return np.asarray(np.exp(-2 * np.pi**2 * sigma**2 * radius2))


def encircled(image: Float64, radii: Float64) -> Float64:
    """Return the flux within circles about the centre of a PSF's grid.

    Parameters
    ----------
    image : float64, (n, n)
        As `Psf.data` or `Psf.widened`.
    radii : float64, (m,)
        In detector pixels.
    """
    middle = len(image) // 2
    axis = (np.arange(len(image)) - middle) / OVERSAMPLE
    radius = np.hypot(axis[:, None], axis[None, :]).ravel()
    order = np.argsort(radius, kind="stable")
    growth = np.cumsum(image.ravel()[order]) / OVERSAMPLE**2
    edges, first = np.unique(np.round(radius[order], 9), return_index=True)
    last = np.append(first[1:], len(order)) - 1
    # samples of one distance enter half before and half behind their circle
    before = np.append(0.0, growth[last][:-1])
    middle_growth = (before + growth[last]) / 2
    return np.asarray(np.interp(radii, edges, middle_growth))
