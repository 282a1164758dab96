"""Lost pixels of a spectrum, estimated from the light of its source across the dispersion.

A lost pixel (NaN, or DO_NOT_USE) gets the value of the spatial profile there (that of the columns
beside it), scaled to the good pixels of its own column; its variance is the scatter of the profile.
"""

from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from calwebb_core.framework.models import Image
from calwebb_core.science.dq import PixelDQ
from calwebb_core.science.kernels.box_extraction import LEAST_LIGHT
from calwebb_core.science.spectral.aperture import Aperture, weights_of
from calwebb_core.science.spectral.extraction import (
    Background,
    Pixels,
    oriented,
    spatial_profile,
    usable,
)

Float64 = NDArray[np.float64]

ESTIMATED: Final = np.uint32(PixelDQ.FLUX_ESTIMATED)
UNUSABLE: Final = np.uint32(PixelDQ.DO_NOT_USE)


def without_lost(part: Image, wavelengths: Float64, axis: int) -> Image:
    """Return a spectrum whose lost pixels are estimated as far as can be; the given one stays.

    Parameters
    ----------
    part : Image or Slit
        With two axes.
    wavelengths : float64 (nalong, nacross)
        Pixels without one stay lost.
    axis : 1 or 2
        Of the dispersion.
    """
    pixels = Pixels.of(part, axis)
    weights = weights_of(Aperture(), wavelengths)
    values = usable(pixels)[0]
    lost = np.isnan(values) & np.isfinite(wavelengths)
    if not lost.any():
        return part
    profile, spread = spatial_profile(pixels, weights, Background())
    light = np.nan_to_num(profile)
    good = np.where(np.isnan(values), 0.0, light)
    norm, total = np.square(good).sum(axis=1), np.square(light).sum(axis=1)
    enough = (norm > LEAST_LIGHT * total) & (norm > 0.0)
    amplitude = np.divide(
        (good * np.nan_to_num(values)).sum(axis=1), norm, out=np.zeros(len(norm)), where=enough
    )
    known = lost & np.isfinite(profile) & np.isfinite(spread) & enough[:, None]
    estimate = amplitude[:, None] * profile
    doubt = np.square(spread) * np.maximum(1.0, np.square(amplitude))[:, None]
    return with_estimates(part, *(oriented(plane, axis) for plane in (known, estimate, doubt)))


def with_estimates(
    part: Image, known: NDArray[np.bool_], estimate: Float64, doubt: Float64
) -> Image:
    """Return a spectrum with estimates in some pixels; their variance counts as read noise."""
    flags = np.zeros(part.data.shape, np.uint32) if part.dq is None else part.dq
    dq = np.where(known, (flags & ~UNUSABLE) | ESTIMATED, flags)
    poisson, flat = (
        None if plane is None else np.where(known, np.float32(0.0), plane)
        for plane in (part.var_poisson, part.var_flat)
    )
    rnoise = np.square(part.err) if part.var_rnoise is None else part.var_rnoise
    return replace(
        part,
        data=np.where(known, estimate, part.data).astype(np.float32),
        err=np.where(known, np.sqrt(doubt), part.err).astype(np.float32),
        dq=dq.astype(np.uint32),
        var_rnoise=np.where(known, doubt, rnoise).astype(np.float32),
        var_poisson=poisson,
        var_flat=flat,
    )
