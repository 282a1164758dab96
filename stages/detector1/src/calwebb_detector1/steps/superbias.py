"""superbias: subtract the bias image of the detector.

``S' = S - B`` for every group and for the zero frame (whose zeros mean bad and stay). The flags
of the SUPERBIAS reference are added to PIXELDQ. Where the bias is NaN nothing is subtracted:
such pixels get UNRELIABLE_BIAS | DO_NOT_USE, and a warning gives their number. Does not run
where the reference is N/A.
"""

import logging

import numpy as np

from calwebb_core.framework.models import Float32, Ramp, UInt32
from calwebb_core.framework.parameters import NoParameters
from calwebb_core.framework.references import References
from calwebb_core.framework.step import COMPLETE, Status, Step, skipped
from calwebb_core.science.dq import PixelDQ
from calwebb_detector1.arrays import check_array, image_shape, label, reference_array, reference_dq
from calwebb_detector1.kernels import offset

logger = logging.getLogger(__name__)

NO_BIAS = PixelDQ.UNRELIABLE_BIAS | PixelDQ.DO_NOT_USE


def subtract_superbias(
    data: Float32, pixeldq: UInt32, zeroframe: Float32 | None, *, bias: Float32
) -> int:
    """Subtract `bias` (ny, nx), DN, from `data` and `zeroframe` in place.

    Returns
    -------
    int
        How many pixels have no bias; they are flagged in `pixeldq`.
    """
    check_array("data", data, np.float32, (*data.shape[:2], *bias.shape))
    check_array("pixeldq", pixeldq, np.uint32, bias.shape)
    missing = ~np.isfinite(bias)
    bad = int(np.count_nonzero(missing))
    if bad:
        pixeldq[missing] |= np.uint32(NO_BIAS)
        bias = np.where(missing, np.float32(0), bias)
    offset.subtract_image(data, bias)
    if zeroframe is not None:
        offset.subtract_image_from_zeroframe(zeroframe, bias)
    return bad


def run(ramp: Ramp, references: References, _: NoParameters) -> tuple[Ramp, Status]:
    """Subtract the bias of an exposure in place."""
    reference = references.load("superbias", ramp.metadata)
    if reference is None:
        return ramp, skipped("the superbias reference is N/A")
    shape = image_shape(ramp)
    bias = reference_array(reference, "SCI", shape)
    ramp.pixeldq |= reference_dq(reference, shape)
    bad = subtract_superbias(ramp.data, ramp.pixeldq, ramp.zeroframe, bias=bias)
    if bad:
        logger.warning(
            "%s: the bias of %d of %d pixels is NaN; they are flagged %s",
            label(reference),
            bad,
            bias.size,
            NO_BIAS.name,
        )
    return ramp, COMPLETE


STEP = Step(
    name="superbias",
    keyword="S_SUPERB",
    meaning="Subtract the bias image.",
    parameters=NoParameters,
    run=run,
    references=("superbias",),
)
