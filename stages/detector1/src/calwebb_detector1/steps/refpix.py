"""refpix: remove drifts of the readout electronics with the reference pixels.

Near-infrared detectors, in the order they are read. With four outputs: for each group and output
the 3-sigma clipped means of the odd and the even columns in the first and the last four rows,
averaged over both ends, are subtracted from the columns; then from every row the running median
(11 rows, mirrored at the ends) of the first and the last four columns, averaged, times
`side_gain`. With one output (subarrays): the clipped means of the odd and the even columns of all
reference pixels. NIRSpec SUB512, SUB512S and SUB32 have none: their outermost columns serve.
The zero frame is treated likewise (its zeros mean bad and stay). With `refpix_algorithm` sirs, the
rows of full frames get levels for each output from filtered columns: `calwebb_detector1.sirs`.

NIRSpec's IRS2 readout has reference samples between the pixels: see `calwebb_detector1.irs2`.
Its frames are trimmed to 2048 x 2048 pixels here.

Reference pixels with DO_NOT_USE or BAD_REF_PIXEL are not used; the log says how many are. Sets no
flags. Does not run, and says so, where there are none or all are flagged.
"""

import logging
from dataclasses import dataclass

import numpy as np

from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.parameters import option
from calwebb_core.framework.references import References
from calwebb_core.framework.step import Status, Step, skipped
from calwebb_detector1.blocks import Block, Correction, Exposure
from calwebb_detector1.orientation import Orientation, orientation_of
from calwebb_detector1.reference_levels import (
    UNUSABLE,
    Levels,
    Mask,
    has_no_edges,
    reference_pixels,
)
from calwebb_detector1.sirs import SirsLevels, load_kernels
from calwebb_detector1.together import alone

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class RefpixParameters:
    """Options of the step refpix."""

    odd_even_columns: bool = option(True, "treat odd and even columns apart")
    odd_even_rows: bool = option(True, "MIRI: treat odd and even rows apart")
    use_side_ref_pixels: bool = option(True, "subtract a level from every row")
    side_smoothing_length: int = option(
        11, "rows of the running median; an even number gets one more", minimum=1, unit="row"
    )
    side_gain: float = option(1.0, "factor on the levels of the rows")
    siglimit: float = option(3.0, "clipping of reference pixels", minimum=0.5, unit="sigma")
    refpix_algorithm: str = option(
        "median",
        "levels of rows in full frames: running median, or sirs, filtered by frequency",
        choices=("median", "sirs"),
    )
    sigreject: float = option(4.0, "sirs: clipping of reference pixels", minimum=0.5, unit="sigma")
    gaussmooth: float = option(
        1.0, "sirs: width of the kernels' smoothing", minimum=0.1, unit="row"
    )
    halfwidth: int = option(30, "sirs: rows of the kernels to each side", minimum=1, unit="row")
    ovr_corr_mitigation_ftr: float = option(
        3.0, "IRS2: scatter above which a reference pixel is bad", minimum=0.5, unit="sigma"
    )
    preserve_irs2_refpix: bool = option(
        False, "IRS2: keep the reference samples (to make reference files; run no later step)"
    )
    irs2_mean_subtraction: bool = option(
        False, "IRS2: first subtract levels of odd and even columns"
    )


def joins(metadata: Metadata, _: RefpixParameters) -> bool:
    """Say whether the levels are found group by group and subtracted from any rows."""
    near_infrared = metadata.get("INSTRUME") != "MIRI"
    return near_infrared and "IRS2" not in str(metadata.get("READPATT"))


def levels_for(
    exposure: Exposure,
    references: References,
    parameters: RefpixParameters,
    good: Mask,
    where: Orientation,
) -> Levels | SirsLevels:
    """Return what finds the levels of an exposure: running medians, or SIRS."""
    metadata, (nints, ngroups) = exposure.metadata, exposure.shape[:2]
    if parameters.refpix_algorithm == "sirs":
        kernels = load_kernels(metadata, references, parameters, full=where.full)
        if kernels is not None:
            return SirsLevels(nints, ngroups, good, where, kernels, parameters)
    noutputs = 4 if where.full or metadata.get("NOUTPUTS") == 4 else 1
    return Levels(nints, ngroups, good, where, noutputs, parameters)


def prepare(
    exposure: Exposure, references: References, parameters: RefpixParameters
) -> Correction | Status:
    """Find the levels of all groups of an exposure."""
    ngroups, source = exposure.shape[1], exposure.metadata.source
    where = orientation_of(exposure.metadata, exposure.image_shape)
    outermost = has_no_edges(exposure.metadata)
    pixels = reference_pixels(exposure.pixeldq, where, outermost=outermost)
    good = np.ascontiguousarray(pixels & (where.turn(exposure.pixeldq) & UNUSABLE == 0))
    used, found = int(np.count_nonzero(good)), int(np.count_nonzero(pixels))
    logger.info("%d of %d reference pixels are used", used, found)
    if found == 0:
        return skipped("the subarray has no reference pixels")
    if used == 0:
        reason = f"all {found} reference pixels are flagged DO_NOT_USE or BAD_REF_PIXEL"
        logger.warning("%s: %s; drifts are not removed", source, reason)
        return skipped(reason)
    levels = levels_for(exposure, references, parameters, good, where)
    exposure.planes(levels.add)

    def apply(block: Block) -> int:
        levels.subtract(block.data, slice(0, ngroups), block.window)
        if block.zeroframe is not None:
            bad = block.zeroframe == 0
            levels.subtract(block.zeroframe[:, np.newaxis], slice(ngroups, None), block.window)
            block.zeroframe[bad] = 0
        return 0

    return Correction(apply)


run = alone(prepare)


def types_needed(parameters: RefpixParameters) -> tuple[str, ...]:
    """Return the CRDS types that these options need; IRS2 exposures need refpix instead."""
    return ("sirskernel",) if parameters.refpix_algorithm == "sirs" else ()


STEP = Step(
    name="refpix",
    keyword="S_REFPIX",
    meaning="Remove drifts of the readout electronics with the reference pixels.",
    parameters=RefpixParameters,
    run=run,
    references=("refpix", "sirskernel"),
    references_for=types_needed,
    prepare=prepare,
    joins=joins,
)
