"""Outliers of spectra: what only one of several exposures of a source sees.

Every pixel of an exposure has a place on the sky and a wavelength. What the other exposures show
there is read between their pixels; the median of all is the model of the source, as the exposure
would see it, without a grid between.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from calwebb_core.framework.models import Image
from calwebb_core.science.dq import DO_NOT_USE, OUTLIER
from calwebb_core.science.spectral.wavelengths import world_of_pixels

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]

# Two values that differ by more than so many standard deviations are not of the same source.
TWO_DIFFER = 2.5
MORE_DIFFER = 4.0
# Least part of the four pixels around a place that must be known.
LEAST_KNOWN = 0.5


def usable(spectrum: Image, good_bits: int) -> Float32:
    """Return the values of a spectrum, NaN where they are not to be used."""
    data = spectrum.data.copy()
    if spectrum.dq is not None:
        data[(spectrum.dq & np.uint32(~good_bits & 0xFFFFFFFF)) != 0] = np.nan
    return data


def read_between(data: Float32, x: Float64, y: Float64) -> Float32:
    """Return an image between its pixels, linearly; unknown pixels are left out.

    Parameters
    ----------
    data : float32, (ny, nx)
        NaN where unknown.
    x, y : float64, any shape
        Pixels from 0; may be NaN or outside.

    Returns
    -------
    float32, shape of `x`
        NaN where less than half of the pixels around are known.
    """
    ny, nx = data.shape
    inside = (x > -0.5) & (x < nx - 0.5) & (y > -0.5) & (y < ny - 0.5)
    u = np.clip(np.where(inside, x, 0.0), 0, nx - 1)
    v = np.clip(np.where(inside, y, 0.0), 0, ny - 1)
    left, low = np.floor(u).astype(np.intp), np.floor(v).astype(np.intp)
    right, high = np.minimum(left + 1, nx - 1), np.minimum(low + 1, ny - 1)
    across, along = u - left, v - low
    total, weight = np.zeros(u.shape), np.zeros(u.shape)
    for row, column, part in (
        (low, left, (1 - along) * (1 - across)),
        (low, right, (1 - along) * across),
        (high, left, along * (1 - across)),
        (high, right, along * across),
    ):
        values = data[row, column]
        known = np.isfinite(values)
        total += np.where(known, part * values, 0.0)
        weight += np.where(known, part, 0.0)
    result = np.full(u.shape, np.nan, np.float32)
    enough = inside & (weight >= LEAST_KNOWN)
    result[enough] = (total[enough] / weight[enough]).astype(np.float32)
    return result


def seen_at(spectrum: Image, others: list[tuple[Any, Float32]]) -> list[Float32]:
    """Return what other exposures show at the places and wavelengths of a spectrum's pixels.

    Parameters
    ----------
    spectrum : Image or Slit
        With a WCS.
    others : list of (WCS, float32 (ny, nx))

    Returns
    -------
    list of float32, shape of the spectrum
    """
    ra, dec, wavelength = world_of_pixels(spectrum.wcs, spectrum.data.shape)
    result = []
    for wcs, data in others:
        x, y = (np.full(ra.shape, np.nan) for _ in range(2))
        known = np.isfinite(ra) & np.isfinite(dec) & np.isfinite(wavelength)
        places = wcs.invert(ra[known], dec[known], wavelength[known], with_bounding_box=False)
        x[known], y[known] = places[:2]
        result.append(read_between(data, x, y))
    return result


def model_of(stack: Float32, err: Float32) -> Float32:
    """Return the median of exposures, the lower of two middle values that differ too much.

    Parameters
    ----------
    stack : float32, (n, ny, nx)
        Changed.
    err : float32, (ny, nx)
    """
    from calwebb_level3.kernels.outliers import median_stack

    noise = np.float32(TWO_DIFFER * np.sqrt(2.0)) * np.nan_to_num(err, nan=np.inf)
    model = np.empty(err.shape, np.float32)
    median_stack(stack, np.ascontiguousarray(noise, np.float32), MORE_DIFFER / TWO_DIFFER, model)
    return model


def find_in_exposures(
    spectra: list[Image],
    *,
    snr: tuple[float, float],
    scale: tuple[float, float],
    good_bits: int,
) -> list[tuple[NDArray[np.bool_], int]]:
    """Return the outliers of each exposure of a source, and how many pixels were tested.

    Parameters
    ----------
    spectra : list of Image or Slit
        At least two, with WCS.
    snr, scale : (float, float)
        Limits of both passes, see `imaging.model_sky.find_outliers`.
    good_bits : int
        Flags of pixels to use nevertheless.
    """
    from calwebb_level3.imaging.model_sky import find_outliers

    values = [usable(spectrum, good_bits) for spectrum in spectra]
    result = []
    for i, spectrum in enumerate(spectra):
        others = [(spectra[j].wcs, values[j]) for j in range(len(spectra)) if j != i]
        stack = np.stack([values[i], *seen_at(spectrum, others)])
        model = model_of(stack, spectrum.err)
        hits, tested = find_outliers(values[i], model, spectrum.err, snr=snr, scale=scale)
        result.append((hits > 0, tested))
    return result


def mark(spectrum: Image, hits: NDArray[np.bool_]) -> None:
    """Flag outliers of a spectrum and make them NaN, in place."""
    if spectrum.dq is not None:
        spectrum.dq[hits] |= np.uint32(OUTLIER | DO_NOT_USE)
    for name in ("data", "err", "var_poisson", "var_rnoise", "var_flat"):
        plane = getattr(spectrum, name)
        if plane is not None:
            plane[hits] = np.nan
