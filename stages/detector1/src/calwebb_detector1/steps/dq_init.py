"""dq_init: start the exposure's quality flags from the bad-pixel mask.

ORs the flags of the MASK reference (bits translated by name) into PIXELDQ: DO_NOT_USE, DEAD,
HOT, REFERENCE_PIXEL and so on. Pixels with DO_NOT_USE get it in all groups of GROUPDQ, too: what
reads the ramps alone, ours or not, then knows them. Does not run where the reference is N/A.
"""

import logging

import numpy as np

from calwebb_core.framework.models import UInt8, UInt32
from calwebb_core.framework.parameters import NoParameters
from calwebb_core.framework.references import References
from calwebb_core.framework.step import Status, Step, skipped
from calwebb_core.science.dq import DO_NOT_USE, REFERENCE_PIXEL
from calwebb_detector1.arrays import check_array, reference_dq
from calwebb_detector1.blocks import Block, Correction, Exposure
from calwebb_detector1.together import alone

logger = logging.getLogger(__name__)


def add_mask(pixeldq: UInt32, mask: UInt32) -> None:
    """OR the flags of `mask` (uint32, ny, nx) into `pixeldq` in place."""
    check_array("pixeldq", pixeldq, np.uint32, mask.shape)
    pixeldq |= mask


def flag_groups(groupdq: UInt8, unusable: UInt8) -> None:
    """OR the flags of pixels (uint8, ny, nx) into all groups (uint8, ..., ny, nx) in place."""
    check_array("groupdq", groupdq, np.uint8, (*groupdq.shape[:-2], *unusable.shape))
    if unusable.any():
        groupdq |= unusable


def prepare(exposure: Exposure, references: References, _: NoParameters) -> Correction | Status:
    """Flag the pixels of an exposure; the groups follow."""
    reference = references.load("mask", exposure.metadata)
    if reference is None:
        return skipped("the mask reference is N/A")
    mask = reference_dq(reference, exposure.image_shape)
    add_mask(exposure.pixeldq, mask)
    unusable = (mask & DO_NOT_USE).astype(np.uint8)
    bad = int(np.count_nonzero(exposure.pixeldq & DO_NOT_USE))
    edge = int(np.count_nonzero(exposure.pixeldq & REFERENCE_PIXEL))
    logger.info("%d pixels are not to be used, %d are reference pixels", bad, edge)

    def apply(block: Block) -> int:
        flag_groups(block.groupdq, block.window.cut(unusable))
        return 0

    return Correction(apply, changes_data=False)


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
