"""Checks of arrays before a step computes: exposures against references, gain, read noise."""

import logging
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calwebb_core.framework.errors import ReferenceFileError
from calwebb_core.framework.models import Float32, Ramp, UInt8, UInt32
from calwebb_core.framework.reference_arrays import shape_of
from calwebb_core.framework.reference_data import Reference
from calwebb_core.science.dq import PixelDQ

logger = logging.getLogger(__name__)

IRS2_FRAME = (3200, 2048)
NO_GAIN = PixelDQ.NO_GAIN_VALUE | PixelDQ.DO_NOT_USE
NO_READ_NOISE = PixelDQ.UNRELIABLE_SLOPE | PixelDQ.DO_NOT_USE


def check_array(name: str, array: NDArray[Any], dtype: type, shape: tuple[int, ...]) -> None:
    """Check type, shape and memory order of an argument.

    Raises
    ------
    ValueError
        Naming the argument, what it is and what was expected.
    """
    if array.dtype != dtype or array.shape != shape or not array.flags.c_contiguous:
        order = "" if array.flags.c_contiguous else ", not C-contiguous"
        msg = (
            f"{name} is {array.dtype} {array.shape}{order}; "
            f"expected C-contiguous {np.dtype(dtype)} {shape}"
        )
        raise ValueError(msg)


def check_ramps(data: Float32, groupdq: UInt8) -> None:
    """Check that `data` is float32 of four axes and `groupdq` uint8 of the same shape.

    Raises
    ------
    ValueError
        If not.
    """
    if data.ndim != 4:
        msg = f"data has shape {data.shape}; expected (nints, ngroups, ny, nx)"
        raise ValueError(msg)
    check_array("data", data, np.float32, data.shape)
    check_array("groupdq", groupdq, np.uint8, data.shape)


def one_row(array: NDArray[Any]) -> NDArray[Any]:
    """Return (..., ny, nx) as (..., 1, ny nx), a view: for kernels that know no neighbours.

    Rows of a block may be short, and kernels are fast along rows.
    """
    return array.reshape(*array.shape[:-2], 1, array.shape[-2] * array.shape[-1])


def image_shape(ramp: Ramp) -> tuple[int, int]:
    """Return (ny, nx) of an exposure."""
    ny, nx = ramp.data.shape[-2:]
    return ny, nx


def stored_shape(reference: Reference, name: str, shape: tuple[int, ...]) -> tuple[int, ...]:
    """Return the shape of an array of a reference, whose last axes are `shape`, unread.

    Raises
    ------
    ReferenceFileError
        If the reference has no such array or it is of another size than the exposure.
    """
    if name not in reference.arrays:
        msg = f"{label(reference)} has no array {name}; it has {', '.join(reference.arrays)}"
        raise ReferenceFileError(msg)
    found = shape_of(reference.arrays, name)
    check_size(reference, name, found, shape)
    return found


def reference_array(reference: Reference, name: str, shape: tuple[int, ...]) -> Float32:
    """Return an array of a reference as C-contiguous float32, whose last axes are `shape`.

    Raises
    ------
    ReferenceFileError
        If the reference has no such array or it is of another size than the exposure.
    """
    stored_shape(reference, name, shape)
    return np.ascontiguousarray(reference.arrays[name], dtype=np.float32)


def reference_dq(reference: Reference, shape: tuple[int, ...]) -> UInt32:
    """Return the quality flags of a reference, over all its planes; zeros if it has none.

    Raises
    ------
    ReferenceFileError
        If they are of another size than the exposure.
    """
    if reference.dq is None:
        return np.zeros(shape, np.uint32)
    check_size(reference, "DQ", reference.dq.shape, shape)
    planes = reference.dq.reshape(-1, *shape)
    together: UInt32 = planes[0] if len(planes) == 1 else np.bitwise_or.reduce(planes, axis=0)
    return together


def check_size(
    reference: Reference, name: str, found: tuple[int, ...], shape: tuple[int, ...]
) -> None:
    """Check that the last axes of a reference array are those of the exposure.

    Raises
    ------
    ReferenceFileError
        Naming both shapes.
    """
    if found[-len(shape) :] != shape:
        advice = "choose a file for its subarray"
        if shape == IRS2_FRAME:
            advice = "choose a file for the IRS2 readout, or run refpix before, which trims frames"
        msg = (
            f"{label(reference)}: {name} has shape {found}, but the exposure has "
            f"{shape[-2]} rows and {shape[-1]} columns; {advice}"
        )
        raise ReferenceFileError(msg)


def label(reference: Reference) -> str:
    """Return how a reference is called in a message."""
    return f"{reference.path or reference.name} ({reference.type} reference)"


def usable_gain(reference: Reference, pixeldq: UInt32) -> Float32:
    """Return the gain with NaN where it is none, after flagging those pixels in `pixeldq`.

    Raises
    ------
    ReferenceFileError
        If no pixel has a gain, or the shapes differ.
    """
    gain = reference_array(reference, "SCI", pixeldq.shape)
    return _positive(reference, gain, pixeldq, NO_GAIN, "electron/DN")


def usable_readnoise(reference: Reference, pixeldq: UInt32) -> Float32:
    """Return the read noise (DN, of a difference) with NaN where it is none; flags those.

    Raises
    ------
    ReferenceFileError
        If no pixel has a read noise, or the shapes differ.
    """
    noise = reference_array(reference, "SCI", pixeldq.shape)
    return _positive(reference, noise, pixeldq, NO_READ_NOISE, "DN")


def _positive(
    reference: Reference, values: Float32, pixeldq: UInt32, flags: PixelDQ, unit: str
) -> Float32:
    good = np.isfinite(values) & (values > 0)
    bad = int(good.size - np.count_nonzero(good))
    if bad == 0:
        return values
    if bad == good.size:
        msg = f"{label(reference)} has no pixel above 0 {unit}; choose another file"
        raise ReferenceFileError(msg)
    logger.warning(
        "%s: %d of %d pixels are NaN, zero or negative and are flagged %s",
        label(reference),
        bad,
        good.size,
        flags.name,
    )
    pixeldq[~good] |= np.uint32(flags)
    return np.where(good, values, np.float32(np.nan))
