"""Flat field: removes the pixel to pixel variation of the response.

``S' = S / F``; ``VAR_POISSON`` and ``VAR_RNOISE`` are divided by ``F^2``;
``VAR_FLAT = S'^2 (sigma_F / F)^2``; ``ERR`` is the square root of their sum. Where the flat is
NaN, zero or flagged NO_FLAT_FIELD the pixel is flagged DO_NOT_USE | NO_FLAT_FIELD. Afterwards
NaN and DO_NOT_USE mean the same: a pixel with the flag is NaN in all arrays, and the other way
round.
"""

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from calwebb_core.framework.errors import ReferenceFileError
from calwebb_core.framework.models import Float32, Image, UInt32
from calwebb_core.framework.reference_data import Reference
from calwebb_core.science.dq import DO_NOT_USE, NO_FLAT_FIELD, REFERENCE_PIXEL
from calwebb_core.science.kernels.flat import divide_by_flat

Scalar = TypeVar("Scalar", bound=np.generic)


@dataclass(frozen=True)
class Flat:
    """A flat field cut out to the exposure.

    Attributes
    ----------
    data : float32, (ny, nx)
    err : float32, (ny, nx), zero where unknown
    dq : uint32, (ny, nx), in bits of PixelDQ
    name : file name for messages
    """

    data: Float32
    err: Float32
    dq: UInt32
    name: str = "flat"

    def unusable(self) -> NDArray[np.bool_]:
        """Return where there is no flat value to divide by."""
        flagged = (self.dq & np.uint32(NO_FLAT_FIELD)) != 0
        return np.asarray(~np.isfinite(self.data) | (self.data == 0) | flagged)


def flat_of(reference: Reference) -> Flat:
    """Return the arrays of a FLAT reference.

    Raises
    ------
    ReferenceFileError
        If it has no SCI array.
    """
    data = reference.arrays.get("SCI")
    if data is None:
        msg = f"{reference.name}: the flat reference has no SCI array"
        raise ReferenceFileError(msg)
    err = reference.arrays.get("ERR")
    return Flat(
        data=np.asarray(data, np.float32),
        err=np.zeros(data.shape, np.float32) if err is None else np.asarray(err, np.float32),
        dq=np.zeros(data.shape, np.uint32) if reference.dq is None else reference.dq,
        name=reference.name,
    )


def check_flat(flat: Flat, shape: tuple[int, ...]) -> None:
    """Refuse a flat whose arrays don't have the image's shape, or that has no value at all.

    Raises
    ------
    ReferenceFileError
        If so; the message names the array and both shapes.
    """
    for name, array in (("SCI", flat.data), ("ERR", flat.err), ("DQ", flat.dq)):
        if array.shape != shape[-2:]:
            msg = (
                f"{flat.name}: {name} of the flat has shape {array.shape}; the image has "
                f"{shape[-2:]}: choose a flat of this subarray"
            )
            raise ReferenceFileError(msg)
    if bool(np.all(flat.unusable())):
        msg = f"{flat.name}: no pixel of the flat is a number other than zero; choose another flat"
        raise ReferenceFileError(msg)


def apply_flat(image: Image, flat: Flat) -> int:
    """Divide an image or a cube of integrations by a flat, in place.

    Parameters
    ----------
    image : Image
        2-D or 3-D. Its data, err, dq and variances are changed; var_flat is made. A variance it
        lacks counts as zero.
    flat : Flat
        Not changed.

    Returns
    -------
    int
        Number of light-sensitive pixels without a usable flat value that were usable before.

    Raises
    ------
    ReferenceFileError
        See `check_flat`.
    """
    check_flat(flat, image.data.shape)
    if image.dq is None:
        image.dq = np.zeros(image.data.shape, np.uint32)
    useless = np.uint32(DO_NOT_USE | REFERENCE_PIXEL)
    lost = flat.unusable() & np.any(as_cube(image.dq) & useless == 0, axis=0)
    image.var_poisson = or_zeros(image.var_poisson, image.data)
    image.var_rnoise = or_zeros(image.var_rnoise, image.data)
    image.var_flat = np.zeros(image.data.shape, np.float32)
    divide_by_flat(
        as_cube(image.data),
        as_cube(image.err),
        as_cube(image.dq),
        as_cube(image.var_poisson),
        as_cube(image.var_rnoise),
        as_cube(image.var_flat),
        np.ascontiguousarray(flat.data, np.float32),
        np.ascontiguousarray(flat.err, np.float32),
        np.ascontiguousarray(flat.dq, np.uint32),
    )
    return int(np.count_nonzero(lost))


def or_zeros(array: Float32 | None, like: Float32) -> Float32:
    """Return an array, or zeros of the shape of another."""
    return np.zeros(like.shape, np.float32) if array is None else array


def as_cube(array: NDArray[Scalar]) -> NDArray[Scalar]:
    """Return a view with the axes (integration, y, x)."""
    return array.reshape(-1, *array.shape[-2:])
