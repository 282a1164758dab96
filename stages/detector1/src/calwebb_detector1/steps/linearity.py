"""linearity: make the signal proportional to the collected charge.

``F_c = sum_k c_k F^k`` with the polynomial COEFFS of each pixel (LINEARITY reference), for every
group that is not SATURATED and for the zero frame. Pixels with NO_LIN_CORR, a NaN coefficient or
a linear coefficient of zero are left as they are and get NO_LIN_CORR.

Where a group averages several reads and the reference has INV_COEFFS, the average of a curved
response is not the response to the average: the reads are modelled as a straight line, bent back
with the inverse polynomial, shifted to the observed average, corrected one by one and averaged.
Does not run where the reference is N/A.
"""

import logging

import numpy as np
from numpy.typing import NDArray

from calwebb_core.framework.errors import ReferenceFileError
from calwebb_core.framework.models import Float32, UInt8, UInt32
from calwebb_core.framework.parameters import NoParameters
from calwebb_core.framework.reference_arrays import part_of
from calwebb_core.framework.reference_data import Reference
from calwebb_core.framework.references import References
from calwebb_core.framework.step import Status, Step, skipped
from calwebb_core.science.dq import NO_LIN_CORR
from calwebb_detector1.arrays import (
    check_array,
    check_ramps,
    label,
    one_row,
    reference_dq,
    stored_shape,
)
from calwebb_detector1.blocks import Block, Correction, Exposure, Window
from calwebb_detector1.kernels import linearity as kernels
from calwebb_detector1.together import alone

logger = logging.getLogger(__name__)

SHORT = 512


def correctable(coefficients: Float32, dq: UInt32) -> NDArray[np.bool_]:
    """Return which pixels (ny, nx) have a polynomial to correct with."""
    usable: NDArray[np.bool_] = (dq & NO_LIN_CORR == 0) & (coefficients[1] != 0)
    for plane in coefficients:
        usable &= np.isfinite(plane)
    return usable


def correct_linearity(
    data: Float32,
    groupdq: UInt8,
    zeroframe: Float32 | None,
    *,
    coefficients: Float32,
    inverse: Float32 | None = None,
    usable: NDArray[np.bool_],
    nframes: int = 1,
    groupgap: int = 0,
) -> None:
    """Correct `data` and `zeroframe` in place.

    Parameters
    ----------
    data : float32, (nints, ngroups, ny, nx), DN
    groupdq : uint8, shape of `data`
    zeroframe : float32, (nints, ny, nx), DN, or None
    coefficients : float32, (ncoefficients, ny, nx)
    inverse : float32, (ncoefficients, ny, nx), or None: correct groups as if they were reads
    usable : bool, (ny, nx), as `correctable` returns
    nframes : reads that a group averages
    groupgap : reads that are dropped between groups
    """
    check_ramps(data, groupdq)
    check_array("usable", usable, np.bool_, data.shape[2:])
    check_array("coefficients", coefficients, np.float32, coefficients.shape[:1] + data.shape[2:])
    if inverse is None or nframes == 1 or data.shape[1] < 2:
        arrays = data, groupdq, coefficients, usable
        # long rows would not stay in the nearest cache
        short = data.shape[3] < SHORT
        kernels.correct_ramps(*(one_row(array) if short else array for array in arrays))
    else:
        kernels.correct_averaged_ramps(
            data, groupdq, coefficients, inverse, usable, nframes, nframes + groupgap
        )
    if zeroframe is not None:
        kernels.correct_zeroframe(zeroframe, coefficients, usable)


def check_polynomials(reference: Reference, name: str, shape: tuple[int, int]) -> None:
    """Check the shape of the coefficients of a LINEARITY reference.

    Raises
    ------
    ReferenceFileError
        If they are absent, of another size, or fewer than two.
    """
    found = stored_shape(reference, name, shape)
    if len(found) != 3 or found[0] < 2:
        msg = (
            f"{label(reference)}: {name} has shape {found}; expected two "
            f"coefficients a pixel or more, (ncoefficients, {shape[0]}, {shape[1]})"
        )
        raise ReferenceFileError(msg)


def coefficients_of(reference: Reference, name: str, part: Window) -> Float32:
    """Return the coefficients for some pixels; they are not read before."""
    array = part_of(reference.arrays, name, rows=part.rows, columns=part.columns)
    return np.ascontiguousarray(array, np.float32)


def prepare(exposure: Exposure, references: References, _: NoParameters) -> Correction | Status:
    """Check the polynomials of an exposure; each block reads its own."""
    reference = references.load("linearity", exposure.metadata)
    if reference is None:
        return skipped("the linearity reference is N/A")
    nframes = exposure.metadata.require("NFRAMES", int)
    groupgap = exposure.metadata.require("GROUPGAP", int)
    averaged = nframes > 1 and "INV_COEFFS" in reference.arrays
    for name in ("COEFFS", *(("INV_COEFFS",) if averaged else ())):
        check_polynomials(reference, name, exposure.image_shape)
    dq = reference_dq(reference, exposure.image_shape)
    exposure.pixeldq |= dq

    def apply(block: Block) -> int:
        part = block.window
        coefficients = coefficients_of(reference, "COEFFS", part)
        inverse = coefficients_of(reference, "INV_COEFFS", part) if averaged else None
        usable = correctable(coefficients, part.cut(dq))
        if inverse is not None:
            usable &= correctable(inverse, part.cut(dq))
        correct_linearity(
            block.data,
            block.groupdq,
            block.zeroframe,
            coefficients=coefficients,
            inverse=inverse,
            usable=usable,
            nframes=nframes,
            groupgap=groupgap,
        )
        block.pixeldq[~usable] |= np.uint32(NO_LIN_CORR)
        return int(np.count_nonzero(~block.inner(usable)))

    def finish(pixels: int) -> None:
        logger.info("%d of %d pixels have no correction", pixels, dq.size)

    return Correction(apply, finish=finish)


run = alone(prepare)

STEP = Step(
    name="linearity",
    keyword="S_LINEAR",
    meaning="Correct the nonlinear response of the pixels.",
    parameters=NoParameters,
    run=run,
    prepare=prepare,
    references=("linearity",),
)
