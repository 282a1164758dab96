"""superbias: subtract the bias image of the detector.

``S' = S - B`` for every group and for the zero frame (whose zeros mean bad and stay). The flags
of the SUPERBIAS reference are added to PIXELDQ. Where the bias is NaN nothing is subtracted:
such pixels get UNRELIABLE_BIAS | DO_NOT_USE, and a warning gives their number. Does not run
where the reference is N/A.
"""

import logging

import numpy as np

from calwebb_core.framework.models import Float32, UInt32
from calwebb_core.framework.parameters import NoParameters
from calwebb_core.framework.reference_data import Reference
from calwebb_core.framework.references import References
from calwebb_core.framework.step import Status, Step, skipped
from calwebb_core.science.dq import PixelDQ
from calwebb_detector1.arrays import check_array, label, reference_array, reference_dq
from calwebb_detector1.blocks import Block, Correction, Exposure
from calwebb_detector1.kernels import offset
from calwebb_detector1.together import alone

logger = logging.getLogger(__name__)

NO_BIAS = PixelDQ.UNRELIABLE_BIAS | PixelDQ.DO_NOT_USE


def subtract_superbias(data: Float32, zeroframe: Float32 | None, *, bias: Float32) -> None:
    """Subtract `bias` (ny, nx), DN, finite, from `data` and `zeroframe` in place."""
    check_array("data", data, np.float32, (*data.shape[:2], *bias.shape))
    offset.subtract_image(data, bias)
    if zeroframe is not None:
        offset.subtract_image_from_zeroframe(zeroframe, bias)


def usable_bias(reference: Reference, pixeldq: UInt32) -> Float32:
    """Return the bias, zero where there is none, after flagging those pixels in `pixeldq`."""
    bias = reference_array(reference, "SCI", pixeldq.shape)
    missing = ~np.isfinite(bias)
    bad = int(np.count_nonzero(missing))
    if bad == 0:
        return bias
    pixeldq[missing] |= np.uint32(NO_BIAS)
    logger.warning(
        "%s: the bias of %d of %d pixels is NaN; they are flagged %s",
        label(reference),
        bad,
        bias.size,
        NO_BIAS.name,
    )
    return np.where(missing, np.float32(0), bias)


def prepare(exposure: Exposure, references: References, _: NoParameters) -> Correction | Status:
    """Read the bias of an exposure."""
    reference = references.load("superbias", exposure.metadata)
    if reference is None:
        return skipped("the superbias reference is N/A")
    exposure.pixeldq |= reference_dq(reference, exposure.image_shape)
    bias = usable_bias(reference, exposure.pixeldq)

    def apply(block: Block) -> int:
        subtract_superbias(block.data, block.zeroframe, bias=block.window.cut(bias))
        return 0

    return Correction(apply)


run = alone(prepare)

STEP = Step(
    name="superbias",
    keyword="S_SUPERB",
    meaning="Subtract the bias image.",
    parameters=NoParameters,
    run=run,
    prepare=prepare,
    references=("superbias",),
)
