"""What refpix does with an IRS2 exposure: bad samples, levels, drifts, trimming."""

import logging
from typing import Protocol

import numpy as np

from calwebb_core.framework.errors import InputError
from calwebb_core.framework.models import Ramp
from calwebb_core.framework.reference_data import Reference
from calwebb_core.framework.references import References
from calwebb_core.framework.step import COMPLETE, Status, skipped
from calwebb_core.framework.threads import in_threads
from calwebb_core.science.dq import DO_NOT_USE, PixelDQ
from calwebb_detector1.arrays import image_shape
from calwebb_detector1.irs2.badpixels import flagged_rows, listed_rows, noisy_rows, replace_bad
from calwebb_detector1.irs2.layout import LINES, Layout, Mask, interleaved_rows, layout_of, pack
from calwebb_detector1.irs2.levels import subtract_levels

logger = logging.getLogger(__name__)

BAD = np.uint32(PixelDQ.BAD_REF_PIXEL | DO_NOT_USE)


class Options(Protocol):
    """Options of refpix that IRS2 exposures know; see there."""

    @property
    def ovr_corr_mitigation_ftr(self) -> float:
        """Scatter of bad reference pixels, sigma."""

    @property
    def siglimit(self) -> float:
        """Clipping of the levels of columns, sigma."""

    @property
    def odd_even_columns(self) -> bool:
        """Whether odd and even columns have levels of their own."""

    @property
    def irs2_mean_subtraction(self) -> bool:
        """Whether levels of columns are subtracted first."""

    @property
    def preserve_irs2_refpix(self) -> bool:
        """Whether frames keep the rows that are not pixels."""


def run_irs2(ramp: Ramp, references: References, parameters: Options) -> tuple[Ramp, Status]:
    """Correct an IRS2 exposure and trim it to 2048 x 2048 pixels, in place.

    Without a REFPIX reference drifts stay and the frames are only trimmed.

    Raises
    ------
    InputError
        If the frames are not those of the readout.
    ReferenceFileError
        If the reference lacks a table, a column or rows.
    """
    if image_shape(ramp) == (LINES, LINES):
        msg = (
            f"{ramp.metadata.source}: refpix has trimmed these IRS2 frames already; give the raw "
            f"exposure or an intermediate of an earlier step"
        )
        raise InputError(msg)
    layout = layout_of(ramp.metadata, image_shape(ramp))
    reference = references.load("refpix", ramp.metadata)
    if reference is None:
        reason = "the refpix reference is N/A; frames are trimmed, their drifts stay"
        logger.warning("%s: %s", ramp.metadata.source, reason)
        trim(ramp, layout)
        return ramp, skipped(reason)
    correct(ramp, reference, layout, parameters)
    return ramp, COMPLETE


def correct(ramp: Ramp, reference: Reference, layout: Layout, parameters: Options) -> None:
    """Correct and trim an IRS2 exposure with the weights of a REFPIX reference, in place."""
    # The transforms of scipy take long to load.
    from calwebb_detector1.irs2.drift import subtract_drifts
    from calwebb_detector1.irs2.weights import bad_reference_table, weights_of

    weights = weights_of(reference)
    bad = bad_rows(ramp, parameters.ovr_corr_mitigation_ftr) | listed_rows(
        bad_reference_table(reference), layout
    )
    ramp.pixeldq[bad] |= BAD
    if parameters.irs2_mean_subtraction:
        subtract_levels(
            ramp.data, ramp.pixeldq, bad, layout=layout, limit=parameters.siglimit,
            odd_even=parameters.odd_even_columns,
        )  # fmt: skip
    lost = replace_bad(ramp.data, bad)
    report(ramp, bad, lost)
    ramp.data = subtract_drifts(
        ramp.data,
        layout=layout,
        lost=lost,
        weights=weights,
        preserve=parameters.preserve_irs2_refpix,
    )
    if not parameters.preserve_irs2_refpix:
        trim_flags(ramp, layout)


def bad_rows(ramp: Ramp, limit: float) -> Mask:
    """Return which rows of reference samples are flagged, or scatter too much, (3200,)."""
    bad = flagged_rows(ramp.pixeldq)
    found = in_threads(lambda frames: noisy_rows(frames, bad, limit), list(ramp.data))
    together: Mask = np.logical_or.reduce([bad, *found])
    return together


def report(ramp: Ramp, bad: Mask, lost: Mask) -> None:
    """Say how many rows of reference samples are used, and warn when none is left."""
    total, found, without = (int(np.count_nonzero(m)) for m in (interleaved_rows(), bad, lost))
    logger.info("%d of %d rows of reference samples are bad and replaced", found, total)
    if without:
        logger.warning(
            "%s: %d of %d rows of reference samples are bad and have no good neighbour; they are "
            "left out",
            ramp.metadata.source,
            without,
            total,
        )


def trim(ramp: Ramp, layout: Layout) -> None:
    """Take the rows out of all arrays of an exposure that hold no pixels."""
    for frame in ramp.data.reshape(-1, *image_shape(ramp)):
        frame[:LINES] = frame[layout.science_rows]
    ramp.data = pack(ramp.data, LINES)
    trim_flags(ramp, layout)


def trim_flags(ramp: Ramp, layout: Layout) -> None:
    """Take the rows without pixels out of everything but the data."""
    rows = layout.science_rows
    ramp.pixeldq = ramp.pixeldq[rows]
    ramp.groupdq = ramp.groupdq.take(rows, 2)
    if ramp.zeroframe is not None:
        ramp.zeroframe = ramp.zeroframe.take(rows, 1)
