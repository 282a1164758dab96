"""Options of pixel_replace, and how it treats one spectrum; for series and for slits."""

import logging
from dataclasses import dataclass

from calwebb_core.framework.errors import InputError
from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.models import Image
from calwebb_core.framework.parameters import option

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class PixelReplaceParameters:
    """Options of pixel_replace; names as in the official step."""

    algorithm: str = option(
        "mingrad",
        "From the neighbours along the axis that changes less, or from the profile of the columns "
        "on either side.",
        choices=("mingrad", "fit_profile", "trace_model"),
    )
    n_adjacent_cols: int = option(
        3, "Columns on either side that make the profile (fit_profile).", minimum=1, unit="pixel"
    )


def check_algorithm(source: str, parameters: PixelReplaceParameters) -> None:
    """Refuse the algorithm that needs a model of the trace.

    Raises
    ------
    InputError
        If so.
    """
    if parameters.algorithm == "trace_model":
        msg = (
            f"{source}: there is no model of the trace for pixel_replace: the step "
            "adaptive_trace_model does not exist yet; choose mingrad or fit_profile"
        )
        raise InputError(msg)


def replaced(image: Image, keywords: Metadata, parameters: PixelReplaceParameters) -> Image:
    """Return a spectrum whose bad pixels are estimated; the given one is not changed."""
    from calwebb_core.science.spectral.replacing import replace_pixels
    from calwebb_core.science.spectral.wavelengths import dispersion_axis

    result, bad, estimated = replace_pixels(
        image,
        algorithm=parameters.algorithm,
        axis=dispersion_axis(keywords),
        reach=parameters.n_adjacent_cols,
    )
    logger.info("%s: %d of %d bad pixels are estimated", keywords.source, estimated, bad)
    return result
