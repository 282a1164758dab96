"""reset: subtract the reset anomaly of MIRI from the first groups.

After a reset the first groups of an integration deviate from the ramp by an amount that is
the same in every exposure: ``S'[i, g] = S[i, g] - R[i, g]`` for as many groups as the RESET
reference has (15 in those in use). Its planes go by integration; later integrations take the
last plane. In a segment of an exposure the first integration is INTSTART. NaN counts as zero.
The reference's flags are added to PIXELDQ. Does not run where the reference is N/A.
"""

import numpy as np

from calwebb_core.framework.errors import ReferenceFileError
from calwebb_core.framework.models import Float32, Ramp
from calwebb_core.framework.parameters import NoParameters
from calwebb_core.framework.reference_data import Reference
from calwebb_core.framework.references import References
from calwebb_core.framework.step import COMPLETE, Status, Step, skipped
from calwebb_detector1.arrays import check_array, image_shape, label, reference_array, reference_dq
from calwebb_detector1.integrations import first_integration, plane_of_integrations
from calwebb_detector1.kernels import reset as kernels


def subtract_reset(data: Float32, *, planes: Float32, first: int = 1) -> None:
    """Subtract the reset anomaly from `data` in place.

    Parameters
    ----------
    data : float32, (nints, ngroups, ny, nx), DN
    planes : float32, (nplanes, nframes, ny, nx), DN
    first : number of the first integration within the exposure, from 1
    """
    check_array("data", data, np.float32, (*data.shape[:2], *planes.shape[-2:]))
    which = plane_of_integrations(len(planes), len(data), first)
    kernels.subtract_planes(data, planes, which)


def reset_planes(reference: Reference, shape: tuple[int, int]) -> Float32:
    """Return the planes of a RESET reference, (nplanes, nframes, ny, nx).

    Raises
    ------
    ReferenceFileError
        If it has other axes.
    """
    planes = reference_array(reference, "SCI", shape)
    if planes.ndim != 4 or 0 in planes.shape:
        msg = (
            f"{label(reference)}: SCI has shape {planes.shape}; "
            f"expected (integrations, groups, {shape[0]}, {shape[1]})"
        )
        raise ReferenceFileError(msg)
    return planes


def run(ramp: Ramp, references: References, _: NoParameters) -> tuple[Ramp, Status]:
    """Subtract the reset anomaly of an exposure in place."""
    reference = references.load("reset", ramp.metadata)
    if reference is None:
        return ramp, skipped("the reset reference is N/A")
    shape = image_shape(ramp)
    planes = reset_planes(reference, shape)
    first = first_integration(ramp.metadata)
    ramp.pixeldq |= reference_dq(reference, shape)
    subtract_reset(ramp.data, planes=planes, first=first)
    return ramp, COMPLETE


STEP = Step(
    name="reset",
    keyword="S_RESET",
    meaning="Subtract the reset anomaly of MIRI.",
    parameters=NoParameters,
    run=run,
    references=("reset",),
)
