"""dq_init: start the exposure's quality flags from the bad-pixel mask.

ORs the flags of the MASK reference (bits translated by name) into PIXELDQ: DO_NOT_USE, DEAD,
HOT, REFERENCE_PIXEL and so on. Does not run where the reference is N/A.
"""

import logging

import numpy as np

from calwebb_core.framework.models import UInt32
from calwebb_core.framework.parameters import NoParameters
from calwebb_core.framework.references import References
from calwebb_core.framework.step import Status, Step, skipped
from calwebb_core.science.dq import DO_NOT_USE, REFERENCE_PIXEL
from calwebb_detector1.arrays import check_array, reference_dq
from calwebb_detector1.blocks import Correction, Exposure, no_samples
from calwebb_detector1.together import alone

logger = logging.getLogger(__name__)


def add_mask(pixeldq: UInt32, mask: UInt32) -> None:
    """OR the flags of `mask` (uint32, ny, nx) into `pixeldq` in place."""
    check_array("pixeldq", pixeldq, np.uint32, mask.shape)
    pixeldq |= mask


def prepare(exposure: Exposure, references: References, _: NoParameters) -> Correction | Status:
    """Flag the pixels of an exposure; nothing is left to do to its samples."""
    reference = references.load("mask", exposure.metadata)
    if reference is None:
        return skipped("the mask reference is N/A")
    add_mask(exposure.pixeldq, reference_dq(reference, exposure.image_shape))
    bad = int(np.count_nonzero(exposure.pixeldq & DO_NOT_USE))
    edge = int(np.count_nonzero(exposure.pixeldq & REFERENCE_PIXEL))
    logger.info("%d pixels are not to be used, %d are reference pixels", bad, edge)
    return Correction(no_samples, changes_data=False)


run = alone(prepare)

STEP = Step(
    name="dq_init",
    keyword="S_DQINIT",
    meaning="Start the quality flags from the bad-pixel mask.",
    parameters=NoParameters,
    run=run,
    prepare=prepare,
    references=("mask",),
)
