"""dq_init: start the exposure's quality flags from the bad-pixel mask.

ORs the flags of the MASK reference (bits translated by name) into PIXELDQ: DO_NOT_USE, DEAD,
HOT, REFERENCE_PIXEL and so on. Does not run where the reference is N/A.
"""

import logging

import numpy as np

from calwebb_core.framework.models import Ramp, UInt32
from calwebb_core.framework.parameters import NoParameters
from calwebb_core.framework.references import References
from calwebb_core.framework.step import COMPLETE, Status, Step, skipped
from calwebb_core.science.dq import DO_NOT_USE, REFERENCE_PIXEL
from calwebb_detector1.arrays import check_array, image_shape, reference_dq

logger = logging.getLogger(__name__)


def add_mask(pixeldq: UInt32, mask: UInt32) -> None:
    """OR the flags of `mask` (uint32, ny, nx) into `pixeldq` in place."""
    check_array("pixeldq", pixeldq, np.uint32, mask.shape)
    pixeldq |= mask


def run(ramp: Ramp, references: References, _: NoParameters) -> tuple[Ramp, Status]:
    """Flag the pixels of an exposure in place."""
    reference = references.load("mask", ramp.metadata)
    if reference is None:
        return ramp, skipped("the mask reference is N/A")
    add_mask(ramp.pixeldq, reference_dq(reference, image_shape(ramp)))
    bad = int(np.count_nonzero(ramp.pixeldq & DO_NOT_USE))
    edge = int(np.count_nonzero(ramp.pixeldq & REFERENCE_PIXEL))
    logger.info("%d pixels are not to be used, %d are reference pixels", bad, edge)
    return ramp, COMPLETE


STEP = Step(
    name="dq_init",
    keyword="S_DQINIT",
    meaning="Start the quality flags from the bad-pixel mask.",
    parameters=NoParameters,
    run=run,
    references=("mask",),
)
