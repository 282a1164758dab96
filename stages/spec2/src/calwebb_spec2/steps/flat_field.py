"""flat_field: divide by the flat field, of every instrument but NIRSpec.

``S' = S / F`` with VAR_POISSON and VAR_RNOISE divided by ``F^2`` and
``VAR_FLAT = S'^2 (sigma_F / F)^2`` (see `calwebb_core.science.flat`). Pixels whose flat is NaN,
zero or NO_FLAT_FIELD get DO_NOT_USE | NO_FLAT_FIELD; a warning says how many were usable until
then. Pixels flagged DO_NOT_USE become NaN. Does not run where the reference is N/A. NIRSpec's three
flats, which depend on wavelength, are not there yet.
"""

import logging
from dataclasses import dataclass

from calwebb_core.framework.models import Image
from calwebb_core.framework.parameters import option
from calwebb_core.framework.references import References
from calwebb_core.framework.step import COMPLETE, Status, Step, skipped

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class FlatFieldParameters:
    """Options of flat_field."""

    inverse: bool = option(False, "Multiply by the flat field instead.")


def run(
    image: Image, references: References, parameters: FlatFieldParameters
) -> tuple[Image, Status]:
    """Divide an exposure by its flat, in place.

    Raises
    ------
    ReferenceFileError
        If the flat is of another shape or no value of it can be divided by.
    """
    from calwebb_core.science.flat import apply_flat, flat_of

    reference = references.load("flat", image.metadata)
    if reference is None:
        return image, skipped("the flat reference is N/A")
    lost = apply_flat(image, flat_of(reference), inverse=parameters.inverse)
    if lost:
        logger.warning(
            "%s: %d pixels have no flat value in %s and are flagged DO_NOT_USE, NO_FLAT_FIELD",
            image.metadata.source,
            lost,
            reference.name,
        )
    return image, COMPLETE


STEP = Step(
    name="flat_field",
    keyword="S_FLAT",
    meaning="Divide by the flat field.",
    parameters=FlatFieldParameters,
    run=run,
    references=("flat",),
)
