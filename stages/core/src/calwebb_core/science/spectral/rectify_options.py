"""The options of resample_spec, which stages 2 and 3 share."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from calwebb_core.framework.parameters import option


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
        "Weight: the exposure's typical inverse read-noise variance (ours), that of each pixel, "
        "time, or the same for all.",
        choices=("typical", "ivm", "exptime", "none"),
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
    output_shape: tuple[int, int] | None = option(
        None,
        "Columns and rows of the output, about the same middle of the slit and from the same first "
        "wavelength; what is needed by default. For all slits.",
        unit="pixel",
    )
    output_wcs: str | None = option(
        None, "ASDF file with a straight grid of the user's own (wcs); goes before the scales.",
        file=True,
    )  # fmt: skip


def rectification(parameters: ResampleSpecParameters, tree: Mapping[str, Any] | None = None) -> Any:
    """Return what `calwebb_core.science.spectral.rectify.rectify` is to do.

    Parameters
    ----------
    parameters : ResampleSpecParameters
    tree : mapping, optional
        What is in the file of `output_wcs`.
    """
    from calwebb_core.science.spectral.rectify import Rectification

    return Rectification(
        pixfrac=parameters.pixfrac,
        kernel=parameters.kernel,
        weight_type=parameters.weight_type,
        fill=parameters.lost_pixels == "profile",
        pixel_scale_ratio=parameters.pixel_scale_ratio,
        pixel_scale=parameters.pixel_scale,
        output_shape=parameters.output_shape,
        custom=None if tree is None else (tree, str(parameters.output_wcs)),
        fillval=math.nan if parameters.fillval is None else parameters.fillval,
    )
