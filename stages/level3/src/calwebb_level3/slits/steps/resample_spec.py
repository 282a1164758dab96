"""resample_spec: all exposures of a source on one straight grid of wavelength and place.

Drizzles the spectra, see `calwebb_core.science.spectral.rectify`. The product is `_s2d`. Pixels
flagged DO_NOT_USE (what the outlier detection flagged is among them) are estimated from the light
beside them, or have no weight with ``lost_pixels = drop``. Weights that differ between neighbours,
as those of the official step do (``weight_type = ivm``), would cost a star per cents of its light.
"""

import math
from dataclasses import dataclass
from typing import Any

from calwebb_core.framework.parameters import option
from calwebb_core.framework.step import COMPLETE, Status, Step
from calwebb_level3.slits.sources import Source, SourceSet


@dataclass(frozen=True)
class ResampleSpecParameters:
    """Options of resample_spec; names as in the official step."""

    pixfrac: float = option(
        1.0, "Side of the shrunken input pixel.", minimum=0.0, maximum=1.0, unit="pixel"
    )
    kernel: str = option(
        "square", "Shape of the shrunken input pixel.", choices=("square", "point")
    )
    fillval: float | None = option(
        None, "Value of output pixels that no input pixel reaches; NaN by default."
    )
    weight_type: str = option(
        "typical",
        "Weight: the exposure's typical inverse read-noise variance (ours), that of each pixel, or "
        "time.",
        choices=("typical", "ivm", "exptime"),
    )
    lost_pixels: str = option(
        "profile",
        "Pixels without value: estimate their light from the spatial profile, or drop them as the "
        "official step does. Ours.",
        choices=("profile", "drop"),
    )
    pixel_scale_ratio: float = option(
        1.0, "Input over output pixel scale across the dispersion.", minimum=0.01
    )
    pixel_scale: float | None = option(
        None, "Output pixel scale; overrides pixel_scale_ratio.", minimum=1e-4, unit="arcsec"
    )


def run(
    sources: SourceSet,
    references: Any,  # noqa: ARG001
    parameters: ResampleSpecParameters,
) -> tuple[SourceSet, Status]:
    """Rectify the spectra of each source; they are put in it.

    Raises
    ------
    InputError
        If a spectrum has no pixel with a wavelength.
    """
    for source in sources.sources:
        rectify_source(source, parameters)
    return sources, COMPLETE


def rectify_source(source: Source, parameters: ResampleSpecParameters) -> None:
    """Rectify the spectra of one source; the product has the keywords of its first exposure."""
    from calwebb_core.science.spectral.rectify import Rectification, rectify
    from calwebb_core.science.spectral.wavelengths import dispersion_axis

    keywords = source.keywords[0]
    how = Rectification(
        pixfrac=parameters.pixfrac,
        kernel=parameters.kernel,
        weight_type=parameters.weight_type,
        fill=parameters.lost_pixels == "profile",
        pixel_scale_ratio=parameters.pixel_scale_ratio,
        pixel_scale=parameters.pixel_scale,
        fillval=math.nan if parameters.fillval is None else parameters.fillval,
    )
    found = rectify(source.spectra, keywords, dispersion_axis(keywords), how)
    own = found.metadata
    found.metadata = keywords.copy()
    found.metadata.update(own)
    found.metadata.homes.update(own.homes)
    source.resampled = found


STEP = Step(
    name="resample_spec",
    keyword="S_RESAMP",
    meaning="Put all exposures of a source on one straight grid.",
    parameters=ResampleSpecParameters,
    run=run,
)
