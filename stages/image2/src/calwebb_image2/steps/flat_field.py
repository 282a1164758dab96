"""flat_field: divide by the flat field.

``S' = S / F`` with VAR_POISSON and VAR_RNOISE divided by ``F^2`` and
``VAR_FLAT = S'^2 (sigma_F / F)^2`` (see `calwebb_core.science.flat`). Pixels whose flat is NaN,
zero or NO_FLAT_FIELD get DO_NOT_USE | NO_FLAT_FIELD; a warning says how many were usable until
then. Pixels flagged DO_NOT_USE become NaN. Does not run where the reference is N/A.
"""

import logging
from typing import Any

import numpy as np

from calwebb_core.framework.errors import ReferenceFileError
from calwebb_core.framework.models import Image
from calwebb_core.framework.parameters import NoParameters
from calwebb_core.framework.reference_data import Reference
from calwebb_core.framework.references import References
from calwebb_core.framework.step import COMPLETE, Status, Step, skipped

logger = logging.getLogger(__name__)


def flat_of(reference: Reference) -> Any:
    """Return the arrays of a FLAT reference as a `calwebb_core.science.flat.Flat`.

    Raises
    ------
    ReferenceFileError
        If it has no SCI array.
    """
    from calwebb_core.science.flat import Flat

    data = reference.arrays.get("SCI")
    if data is None:
        msg = f"{reference.name}: the flat reference has no SCI array"
        raise ReferenceFileError(msg)
    err = reference.arrays.get("ERR")
    return Flat(
        data=np.asarray(data, np.float32),
        err=np.zeros(data.shape, np.float32) if err is None else np.asarray(err, np.float32),
        dq=np.zeros(data.shape, np.uint32) if reference.dq is None else reference.dq,
        name=reference.name,
    )


def run(image: Image, references: References, _: NoParameters) -> tuple[Image, Status]:
    """Divide an image or cube by its flat, in place."""
    from calwebb_core.science.flat import apply_flat

    reference = references.load("flat", image.metadata)
    if reference is None:
        return image, skipped("the flat reference is N/A")
    lost = apply_flat(image, flat_of(reference))
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
    parameters=NoParameters,
    run=run,
    references=("flat",),
)
