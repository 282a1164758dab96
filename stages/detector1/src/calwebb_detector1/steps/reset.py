"""reset: subtract the reset anomaly of MIRI from the first groups.

After a reset the first groups of an integration deviate from the ramp by an amount that is
the same in every exposure: ``S'[i, g] = S[i, g] - R[i, g]`` for as many groups as the RESET
reference has (15 in those in use). Its planes go by integration; later integrations take the
last plane. In a segment of an exposure the first integration is INTSTART. NaN counts as zero.
The reference's flags are added to PIXELDQ. Does not run where the reference is N/A.
"""

import numpy as np

from calwebb_core.framework.errors import ReferenceFileError
from calwebb_core.framework.models import Float32
from calwebb_core.framework.parameters import NoParameters
from calwebb_core.framework.reference_arrays import part_of
from calwebb_core.framework.reference_data import Reference
from calwebb_core.framework.references import References
from calwebb_core.framework.step import Status, Step, skipped
from calwebb_detector1.arrays import check_array, label, reference_dq, stored_shape
from calwebb_detector1.blocks import Block, Correction, Exposure
from calwebb_detector1.integrations import first_integration, plane_of_integrations
from calwebb_detector1.kernels import reset as kernels
from calwebb_detector1.together import alone


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


def check_planes(reference: Reference, shape: tuple[int, int]) -> None:
    """Check the axes of a RESET reference.

    Raises
    ------
    ReferenceFileError
        If they are others than integrations, groups, rows, columns.
    """
    found = stored_shape(reference, "SCI", shape)
    if len(found) != 4 or 0 in found:
        msg = (
            f"{label(reference)}: SCI has shape {found}; "
            f"expected (integrations, groups, {shape[0]}, {shape[1]})"
        )
        raise ReferenceFileError(msg)


def prepare(exposure: Exposure, references: References, _: NoParameters) -> Correction | Status:
    """Check the planes for an exposure; each block reads its own."""
    reference = references.load("reset", exposure.metadata)
    if reference is None:
        return skipped("the reset reference is N/A")
    check_planes(reference, exposure.image_shape)
    first, groups = first_integration(exposure.metadata), slice(0, exposure.shape[1])
    exposure.pixeldq |= reference_dq(reference, exposure.image_shape)

    def apply(block: Block) -> int:
        part = block.window
        planes = part_of(reference.arrays, "SCI", groups, part.rows, part.columns)
        planes = np.ascontiguousarray(planes, np.float32)
        subtract_reset(block.data, planes=planes, first=first)
        return 0

    return Correction(apply)


run = alone(prepare)

STEP = Step(
    name="reset",
    keyword="S_RESET",
    meaning="Subtract the reset anomaly of MIRI.",
    parameters=NoParameters,
    run=run,
    prepare=prepare,
    references=("reset",),
)
