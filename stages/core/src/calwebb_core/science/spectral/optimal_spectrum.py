"""One spectrum by optimal extraction: its traces, profiles and sums from a calibrated exposure."""

import logging
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from calwebb_core.framework.errors import InputError
from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.reference_data import Reference
from calwebb_core.science.spectral.aperture import Weights, mean_wavelength
from calwebb_core.science.spectral.extract_1d_options import (
    POLY,
    UNIFORM,
    WHOLE,
    Extract1dParameters,
)
from calwebb_core.science.spectral.extraction import Background, Pixels
from calwebb_core.science.spectral.optimal import Fit, Traces, placed
from calwebb_core.science.spectral.psf_profile import psf_of
from calwebb_core.science.spectral.source_position import Position

logger = logging.getLogger(__name__)

Float64 = NDArray[np.float64]

# Patterns whose other exposure has the star elsewhere in the slit: a negative one in this.
PAIRS: Final = ("ALONG-SLIT-NOD", "2-POINT-NOD")


@dataclass(frozen=True)
class Fitted:
    """A spectrum that was fitted, or summed up.

    Attributes
    ----------
    sums : float64 (nints, nalong, NCOLUMNS)
    weights : Weights
        With the profile of the source as weights if it was fitted.
    scene : float64 (nints, nalong, nacross) or (0, 0, 0)
        The fitted model, where it is wanted.
    """

    sums: Float64
    weights: Weights
    scene: Float64


def fitted(
    pixels: Pixels,
    waves: Float64,
    keywords: Metadata,
    reference: Reference | None,
    position: Position | None,
    background: Background,
    parameters: Extract1dParameters,
) -> Fitted:
    """Fit the profile of a star to every element of its spectrum.

    Parameters
    ----------
    pixels : Pixels
    waves : float64 (nalong, nacross)
        Micrometres.
    keywords : Metadata
    reference : Reference or None
        PSF.
    position : Position or None
        Of the source; in the middle of the slit without one.
    background : Background
        Its order counts where the user wants a background subtracted.
    parameters : Extract1dParameters

    Raises
    ------
    InputError
        If there is no PSF reference.
    ReferenceFileError
        If it has nothing for the spectrum.
    """
    names = tuple(str(keywords[name]) for name in ("SLTNAME", "EXP_TYPE") if keywords.get(name))
    if reference is None:
        msg = (
            f"{keywords.source}: there is no PSF reference for {keywords.get('EXP_TYPE')}, which "
            "extraction_type=optimal needs; use extraction_type=box or --override psf=FILE"
        )
        raise InputError(msg)
    order = background.order if background.fit == POLY else 0
    fit = Fit(
        psf_of(reference, names, pixels.axis),
        order if parameters.subtract_background else -1,
        uniform=parameters.pixel_weights == UNIFORM,
        whole=parameters.profile_sum == WHOLE,
    )
    middle = middle_of(waves)
    trace = middle if position is None else position.trace
    nod = None
    if parameters.model_nod_pair and position is not None and is_pair(keywords):
        nod = 2.0 * middle - trace
    traces = Traces(trace, nod).moved((parameters.position_offset, 0.0))
    if parameters.optimize_psf_location:
        traces = placed(fit, pixels, waves, traces)
    profiles = fit.profiles(waves, traces)
    sums, model = fit.sums(pixels, waves, profiles, scene=parameters.scene)
    return Fitted(sums, weights_of_profile(profiles[0], waves), model)


def is_pair(keywords: Metadata) -> bool:
    """Say whether the other one of two nods was subtracted."""
    pattern = str(keywords.get("NOD_TYPE") or keywords.get("PATTTYPE") or "")
    return keywords.get("S_BKDSUB") == "COMPLETE" and pattern.startswith(PAIRS)


def middle_of(waves: Float64) -> Float64:
    """Return the middle of the pixels with a wavelength, NaN where there are none."""
    lit = np.isfinite(waves)
    count = lit.sum(axis=1)
    middle: Float64 = np.full(len(waves), np.nan)
    np.divide((lit * np.arange(waves.shape[1])).sum(axis=1), count, out=middle, where=count > 0)
    return middle


def weights_of_profile(profile: Float64, waves: Float64) -> Weights:
    """Return a profile as weights, so that it has a wavelength and limits."""
    nothing = np.zeros(profile.shape, bool)
    wavelength = mean_wavelength(profile, waves)
    lit = np.flatnonzero(np.any(np.isfinite(waves), axis=0))
    limits = (float(lit[0]), float(lit[-1])) if lit.size else (0.0, profile.shape[1] - 1.0)
    return Weights(profile, nothing, nothing, wavelength, limits)
