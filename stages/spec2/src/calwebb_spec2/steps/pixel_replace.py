"""pixel_replace: estimate the values of bad pixels, before spectra are rectified or summed up.

A bad pixel that drops out of the sum over the aperture takes its light with it. See
`calwebb_core.science.spectral.replacing` for how they are estimated. Acts on a copy: the calibrated
product keeps its NaN. Sets FLUX_ESTIMATED and takes DO_NOT_USE away. Off by default.
"""

import logging
from dataclasses import dataclass, replace

from calwebb_core.framework.errors import InputError
from calwebb_core.framework.models import Slit, Slits
from calwebb_core.framework.parameters import option
from calwebb_core.framework.references import References
from calwebb_core.framework.step import COMPLETE, Status, Step
from calwebb_spec2.products import Derived, Product

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class PixelReplaceParameters:
    """Options of pixel_replace."""

    algorithm: str = option(
        "mingrad",
        "From the neighbours along the axis that changes less, or from the profile of the columns "
        "on either side.",
        choices=("mingrad", "fit_profile", "trace_model"),
    )
    n_adjacent_cols: int = option(
        3, "Columns on either side that make the profile (fit_profile).", minimum=1, unit="pixel"
    )


def run(
    model: Product, _: References, parameters: PixelReplaceParameters
) -> tuple[Derived, Status]:
    """Estimate the bad pixels of the spectra of an exposure; it is not changed.

    Raises
    ------
    InputError
        If the algorithm needs a model of the trace, or DISPAXIS is missing.
    """
    from calwebb_core.science.spectral.replacing import replace_pixels
    from calwebb_core.science.spectral.wavelengths import dispersion_axis
    from calwebb_spec2.parts import keywords_of, parts

    derived = Derived.of(model)
    exposure, source = derived.best, derived.metadata.source
    if parameters.algorithm == "trace_model":
        msg = (
            f"{source}: there is no model of the trace for pixel_replace: the step "
            "adaptive_trace_model does not exist yet; choose mingrad or fit_profile"
        )
        raise InputError(msg)
    made = []
    for part in parts(exposure):
        keywords = keywords_of(exposure, part)
        image, bad, replaced = replace_pixels(
            part, algorithm=parameters.algorithm, axis=dispersion_axis(keywords),
            reach=parameters.n_adjacent_cols,
        )  # fmt: skip
        image.metadata = part.metadata.copy()
        made.append(image)
        name = keywords.get("SLTNAME") or "the spectrum"
        logger.info("%s: %s: %d of %d bad pixels are estimated", source, name, replaced, bad)
    if isinstance(exposure, Slits):
        slits = [part for part in made if isinstance(part, Slit)]
        derived.replaced = replace(exposure, metadata=exposure.metadata.copy(), slits=slits)
    else:
        derived.replaced = made[0]
    return derived, COMPLETE


STEP = Step(
    name="pixel_replace",
    keyword="S_PXREPL",
    meaning="Estimate the flux of bad pixels.",
    parameters=PixelReplaceParameters,
    run=run,
    skip=True,
)
