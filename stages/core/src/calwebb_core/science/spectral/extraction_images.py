"""What an extraction made of the pixels: profile, scene and residuals, for who wants to see them.

The profile of a box is the part of each pixel in the aperture; its scene is the mean light of the
aperture in these parts, on the background that was subtracted. That of a fitted profile is the
fit. Residuals are the exposure less the scene. Names and meaning are those of the official step.
"""

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.models import Image
from calwebb_core.framework.spectra import SpectralImage
from calwebb_core.science.kernels.column_background import FLUX, NPIXELS
from calwebb_core.science.spectral.aperture import Weights
from calwebb_core.science.spectral.extract_1d_options import Extract1dParameters
from calwebb_core.science.spectral.extraction import Background, Pixels, oriented, usable

Float64 = NDArray[np.float64]


def images_of(
    part: Image,
    keywords: Metadata,
    profile: Float64,
    scene: Float64,
    axis: int,
    parameters: Extract1dParameters,
) -> list[SpectralImage]:
    """Return what the user wants to see of an extraction.

    Parameters
    ----------
    part : Image or Slit
    keywords : Metadata
        All that hold for it.
    profile : float64 (nalong, nacross)
    scene : float64 (nints, nalong, nacross)
        Not used unless a model of the pixels is wanted.
    axis : 1 or 2
        Of the dispersion.
    parameters : Extract1dParameters
    """
    unit = str(keywords.get("BUNIT") or "")
    found = []
    if parameters.save_profile:
        found.append(("profile", oriented(profile, axis), ""))
    if parameters.scene:
        model = oriented(scene, axis).reshape(part.data.shape)
        if parameters.save_scene_model:
            found.append(("scene_model", model, unit))
        if parameters.save_residual_image:
            found.append(("residual", part.data - model, unit))
    return [
        SpectralImage(suffix, keywords.copy(), array.astype(np.float32), own)
        for suffix, array, own in found
    ]


def of_slit(images: Iterable[SpectralImage], name: str) -> list[SpectralImage]:
    """Return images with the name of their slit, where there are several of an exposure."""
    return [replace(image, suffix=f"{name.lower()}_{image.suffix}") for image in images]


def box_scene(pixels: Pixels, weights: Weights, background: Background, sums: Float64) -> Float64:
    """Return what a sum over an aperture stands for in each pixel.

    Parameters
    ----------
    pixels : Pixels
    weights : Weights
    background : Background
    sums : float64 (nints, nalong, NCOLUMNS)
        As `extraction.extract_box` returns them.

    Returns
    -------
    float64 (nints, nalong, nacross)
        0 where nothing is known.
    """
    mean = np.divide(
        sums[..., FLUX], sums[..., NPIXELS], out=np.zeros(sums.shape[:2]),
        where=sums[..., NPIXELS] > 0.0,
    )  # fmt: skip
    scene: Float64 = np.nan_to_num(mean)[..., None] * weights.source
    inside = weights.whole if background.degree < 0 else weights.background
    values = smoothed(np.where(inside, usable(pixels), np.nan), background.smoothing)
    return scene + levels(values, background.degree) * weights.extracted[:, None]


def smoothed(values: Float64, length: int) -> Float64:
    """Return the mean of each pixel and its neighbours along the dispersion that have a value.

    The last pixels repeat beyond the ends; pixels without a value stay without.
    """
    if length <= 1:
        return values
    half = length // 2
    padded = np.pad(values, ((0, 0), (half, half), (0, 0)), mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * half + 1, axis=1)
    known = np.isfinite(windows)
    total = np.where(known, windows, 0.0).sum(axis=-1)
    mean = np.divide(total, known.sum(axis=-1), out=np.full(values.shape, np.nan),
                     where=np.isfinite(values))  # fmt: skip
    return np.asarray(mean)


def levels(values: Float64, order: int) -> Float64:
    """Return a polynomial across the dispersion through the pixels that have a value.

    Parameters
    ----------
    values : float64 (nints, nalong, nacross)
        NaN where no background is.
    order : int
        -1 for the median; lower where pixels are too few. No pixel makes 0.
    """
    result = np.zeros(values.shape)
    known = np.isfinite(values)
    count = known.sum(axis=-1)
    if order < 0:
        lit = count > 0
        result[lit] = np.nanmedian(values[lit], axis=-1)[:, None]
        return result
    place = np.linspace(-1.0, 1.0, values.shape[-1])
    for degree in range(order + 1):
        chosen = count == degree + 1 if degree < order else count > order
        if not chosen.any():
            continue
        powers = place[:, None] ** np.arange(degree + 1)
        some = known[chosen].astype(np.float64)
        matrix = np.einsum("ni,ia,ib->nab", some, powers, powers)
        right = np.einsum("ni,ia->na", np.nan_to_num(values[chosen]), powers)
        result[chosen] = np.linalg.solve(matrix, right[..., None])[..., 0] @ powers.T
    return result
