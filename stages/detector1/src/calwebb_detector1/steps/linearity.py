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
from calwebb_core.framework.models import Float32, Ramp, UInt8, UInt32
from calwebb_core.framework.parameters import NoParameters
from calwebb_core.framework.reference_data import Reference
from calwebb_core.framework.references import References
from calwebb_core.framework.step import COMPLETE, Status, Step, skipped
from calwebb_core.science.dq import NO_LIN_CORR
from calwebb_detector1.arrays import (
    check_array,
    check_ramps,
    image_shape,
    label,
    reference_array,
    reference_dq,
)
from calwebb_detector1.kernels import linearity as kernels

logger = logging.getLogger(__name__)


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
    """
    check_ramps(data, groupdq)
    check_array("usable", usable, np.bool_, data.shape[2:])
    check_array("coefficients", coefficients, np.float32, coefficients.shape[:1] + data.shape[2:])
    if inverse is None or nframes == 1 or data.shape[1] < 2:
        kernels.correct_ramps(data, groupdq, coefficients, usable)
    else:
        kernels.correct_averaged_ramps(data, groupdq, coefficients, inverse, usable, nframes)
    if zeroframe is not None:
        kernels.correct_zeroframe(zeroframe, coefficients, usable)


def polynomials(
    reference: Reference, name: str, shape: tuple[int, int], *, needed: bool = True
) -> Float32 | None:
    """Return the coefficients of a LINEARITY reference by name.

    Raises
    ------
    ReferenceFileError
        If they are absent though needed, of another size, or fewer than two.
    """
    if not needed and reference.arrays.get(name) is None:
        return None
    coefficients = reference_array(reference, name, shape)
    if coefficients.ndim != 3 or coefficients.shape[0] < 2:
        msg = (
            f"{label(reference)}: {name} has shape {coefficients.shape}; expected two "
            f"coefficients a pixel or more, (ncoefficients, {shape[0]}, {shape[1]})"
        )
        raise ReferenceFileError(msg)
    return coefficients


def run(ramp: Ramp, references: References, _: NoParameters) -> tuple[Ramp, Status]:
    """Correct an exposure in place."""
    reference = references.load("linearity", ramp.metadata)
    if reference is None:
        return ramp, skipped("the linearity reference is N/A")
    shape = image_shape(ramp)
    nframes = ramp.metadata.require("NFRAMES", int)
    coefficients = polynomials(reference, "COEFFS", shape)
    assert coefficients is not None  # noqa: S101 - `needed` guarantees it
    inverse = polynomials(reference, "INV_COEFFS", shape, needed=False) if nframes > 1 else None
    dq = reference_dq(reference, shape)
    usable = correctable(coefficients, dq)
    if inverse is not None:
        usable &= correctable(inverse, dq)
    correct_linearity(
        ramp.data,
        ramp.groupdq,
        ramp.zeroframe,
        coefficients=coefficients,
        inverse=inverse,
        usable=usable,
        nframes=nframes,
    )
    ramp.pixeldq |= dq
    ramp.pixeldq[~usable] |= np.uint32(NO_LIN_CORR)
    logger.info("%d of %d pixels have no correction", usable.size - usable.sum(), usable.size)
    return ramp, COMPLETE


STEP = Step(
    name="linearity",
    keyword="S_LINEAR",
    meaning="Correct the nonlinear response of the pixels.",
    parameters=NoParameters,
    run=run,
    references=("linearity",),
)
