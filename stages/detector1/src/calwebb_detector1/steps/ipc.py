"""ipc: undo the capacitive coupling between neighbouring pixels.

Every group is convolved with the deconvolution kernel of the IPC reference, one for the whole
detector (ky, kx) or one a pixel (ky, kx, ny, nx). Reference pixels neither give nor take. Sets
no flags. Off unless asked for, as in operations; does not run where the reference is N/A.
"""

import numpy as np

from calwebb_core.framework.errors import ReferenceFileError
from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.models import Float32, Ramp
from calwebb_core.framework.parameters import NoParameters
from calwebb_core.framework.reference_data import Reference
from calwebb_core.framework.references import References
from calwebb_core.framework.step import COMPLETE, Status, Step, skipped
from calwebb_detector1.arrays import check_size, image_shape, label
from calwebb_detector1.kernels import ipc as kernels

Bounds = tuple[int, int, int, int]
EDGE = 4


def light_sensitive(metadata: Metadata, shape: tuple[int, int]) -> Bounds:
    """Return first row, end row, first column, end column of the light-sensitive pixels."""
    ny, nx = shape
    miri = metadata.get("INSTRUME") == "MIRI"
    x0 = int(metadata.get("SUBSTRT1", 1)) - 1
    y0 = int(metadata.get("SUBSTRT2", 1)) - 1
    right = (1032 if miri else 2048) - EDGE
    columns = max(0, EDGE - x0), min(nx, right - x0)
    rows = (0, ny) if miri else (max(0, EDGE - y0), min(ny, 2048 - EDGE - y0))
    return rows[0], rows[1], columns[0], columns[1]


def kernel_of(reference: Reference, shape: tuple[int, int]) -> Float32:
    """Return the kernel as (ky, kx, ny, nx), with ny = nx = 1 if it is the same everywhere.

    Raises
    ------
    ReferenceFileError
        If it is neither, or of another size than the exposure.
    """
    kernel = np.ascontiguousarray(reference.arrays["SCI"], dtype=np.float32)
    if kernel.ndim == 4:
        check_size(reference, "SCI", kernel.shape, shape)
        return kernel
    if kernel.ndim != 2:
        msg = f"{label(reference)}: SCI has shape {kernel.shape}; expected 2 or 4 axes"
        raise ReferenceFileError(msg)
    return kernel[:, :, np.newaxis, np.newaxis]


def correct_ipc(data: Float32, *, kernel: Float32, bounds: Bounds) -> None:
    """Convolve every group of `data` (nints, ngroups, ny, nx) in place."""
    group = np.empty(data.shape[2:], np.float32)
    for plane in data.reshape(-1, *data.shape[2:]):
        kernels.convolve(plane, kernel, bounds, group)
        plane[...] = group


def run(ramp: Ramp, references: References, _: NoParameters) -> tuple[Ramp, Status]:
    """Correct the groups of an exposure in place."""
    reference = references.load("ipc", ramp.metadata)
    if reference is None:
        return ramp, skipped("the ipc reference is N/A")
    shape = image_shape(ramp)
    kernel = kernel_of(reference, shape)
    correct_ipc(ramp.data, kernel=kernel, bounds=light_sensitive(ramp.metadata, shape))
    return ramp, COMPLETE


STEP = Step(
    name="ipc",
    keyword="S_IPC",
    meaning="Undo the coupling between neighbouring pixels.",
    parameters=NoParameters,
    run=run,
    references=("ipc",),
    skip=True,
)
