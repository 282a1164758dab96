"""flat_field: divide guide-star images by the flat field.

``S' = S / F``, with variances as in `calwebb_core.science.flat`. Pixels whose flat is NaN, zero or
NO_FLAT_FIELD get DO_NOT_USE | NO_FLAT_FIELD; pixels flagged DO_NOT_USE become NaN. Does not run
where the reference is N/A.
"""

import logging

import numpy as np

from calwebb_core.framework.models import Image, Ramp
from calwebb_core.framework.parameters import NoParameters
from calwebb_core.framework.references import References
from calwebb_core.framework.step import COMPLETE, Status, Step, skipped
from calwebb_core.science.flat import apply_flat, flat_of
from calwebb_detector1.guide_rates import GuideRates

logger = logging.getLogger(__name__)


def run(
    rates: GuideRates | Ramp, references: References, _: NoParameters
) -> tuple[GuideRates | Ramp, Status]:
    """Divide all images by the flat, in place."""
    if isinstance(rates, Ramp):
        return rates, skipped("there are no count rates")
    reference = references.load("flat", rates.metadata)
    if reference is None:
        return rates, skipped("the flat reference is N/A")
    flags = np.broadcast_to(rates.dq, rates.data.shape).copy()
    image = Image(rates.metadata, rates.data, rates.err, flags, rates.var_poisson, rates.var_rnoise)
    lost = apply_flat(image, flat_of(reference))
    rates.dq = np.bitwise_or.reduce(flags, axis=0)
    if lost:
        logger.warning(
            "%s: %d pixels have no flat value in %s and are flagged DO_NOT_USE, NO_FLAT_FIELD",
            rates.metadata.source,
            lost,
            reference.name,
        )
    return rates, COMPLETE


STEP = Step(
    name="flat_field",
    keyword="S_FLAT",
    meaning="Divide by the flat field.",
    parameters=NoParameters,
    run=run,
    references=("flat",),
)
