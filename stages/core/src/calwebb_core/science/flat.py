"""Flat field: removes the pixel to pixel variation of the response.

``S' = S / F``; ``VAR_POISSON`` and ``VAR_RNOISE`` are divided by ``F^2``;
``VAR_FLAT = S'^2 (sigma_F / F)^2``; ``ERR`` is the square root of their sum. Where the flat is
NaN, zero or flagged NO_FLAT_FIELD the pixel is flagged DO_NOT_USE | NO_FLAT_FIELD. Afterwards
NaN and DO_NOT_USE mean the same: a pixel with the flag is NaN in all arrays, and the other way
round.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from calwebb_core.framework.errors import ReferenceFileError
from calwebb_core.framework.models import Float32, Image, UInt32
from calwebb_core.framework.reference_arrays import part_of, shape_of
from calwebb_core.framework.reference_data import Reference
from calwebb_core.framework.threads import in_threads
from calwebb_core.science.kernels.flat import count_known, count_lost, divide_by_flat

Scalar = TypeVar("Scalar", bound=np.generic)
BAND = 64  # rows that a thread takes at a time


@dataclass(frozen=True)
class Flat:
    """A flat field cut out to the exposure.

    Attributes
    ----------
    arrays : mapping
        SCI, and ERR where it is known, (ny, nx); in memory or in a file.
    dq : uint32, (ny, nx), in bits of PixelDQ, or None
    name : file name for messages
    """

    arrays: Mapping[str, NDArray[Any]]
    dq: UInt32 | None = None
    name: str = "flat"

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Return the shape of each array by the name of its HDU."""
        found = {
            name: shape_of(self.arrays, name) for name in ("SCI", "ERR") if name in self.arrays
        }
        return found if self.dq is None else {**found, "DQ": self.dq.shape}

    def rows(self, rows: slice) -> tuple[Float32, Float32, UInt32]:
        """Return some rows of SCI, ERR (zero where it is not known) and DQ."""
        data = part_of(self.arrays, "SCI", rows=rows).astype(np.float32, copy=False)
        err = np.zeros_like(data)
        if "ERR" in self.arrays:
            err = part_of(self.arrays, "ERR", rows=rows).astype(np.float32, copy=False)
        dq = np.zeros(data.shape, np.uint32) if self.dq is None else self.dq[rows]
        return data, err, np.ascontiguousarray(dq, np.uint32)


def flat_of(reference: Reference) -> Flat:
    """Return the arrays of a FLAT reference.

    Raises
    ------
    ReferenceFileError
        If it has no SCI array.
    """
    if "SCI" not in reference.arrays:
        msg = f"{reference.name}: the flat reference has no SCI array"
        raise ReferenceFileError(msg)
    return Flat(reference.arrays, reference.dq, reference.name)


def check_flat(flat: Flat, shape: tuple[int, ...]) -> None:
    """Refuse a flat whose arrays don't have the image's shape.

    Raises
    ------
    ReferenceFileError
        If so; the message names the array and both shapes.
    """
    for name, found in flat.shapes().items():
        if found != shape[-2:]:
            msg = (
                f"{flat.name}: {name} of the flat has shape {found}; the image has "
                f"{shape[-2:]}: choose a flat of this subarray"
            )
            raise ReferenceFileError(msg)


def apply_flat(image: Image, flat: Flat, *, inverse: bool = False) -> int:
    """Divide an image or a cube of integrations by a flat, in place.

    Parameters
    ----------
    image : Image
        2-D or 3-D. Its data, err, dq and variances are changed; var_flat is made. A variance it
        lacks counts as zero.
    flat : Flat
        Not changed.
    inverse : bool
        Multiply by the flat instead.

    Returns
    -------
    int
        Number of light-sensitive pixels without a usable flat value that were usable before.

    Raises
    ------
    ReferenceFileError
        See `check_flat`; also if no value of the flat can be divided by.
    """
    check_flat(flat, image.data.shape)
    if image.dq is None:
        image.dq = np.zeros(image.data.shape, np.uint32)
    image.var_poisson = or_zeros(image.var_poisson, image.data)
    image.var_rnoise = or_zeros(image.var_rnoise, image.data)
    image.var_flat = np.empty(image.data.shape, np.float32)
    arrays = (image.data, image.err, image.dq, image.var_poisson, image.var_rnoise, image.var_flat)
    cubes = tuple(as_cube(array) for array in arrays)

    def divide(rows: slice) -> tuple[int, int]:
        return divide_rows(cubes, rows.start, flat, rows, inverse=inverse)

    counts = in_threads(divide, row_bands(image.data.shape[-2]))
    return count_losses(flat, counts)


def divide_rows(
    cubes: tuple[NDArray[Any], ...], first: int, flat: Flat, rows: slice, *, inverse: bool
) -> tuple[int, int]:
    """Divide some rows by a flat, in place.

    Parameters
    ----------
    cubes : data, err, dq, var_poisson, var_rnoise, var_flat, (n, ny, nx) each
    first : int
        Row of these arrays where `rows` begin.
    flat : Flat
    rows : slice
        Of the flat.
    inverse : bool

    Returns
    -------
    known, lost : int
        Values that can be divided by; pixels as `apply_flat` returns them.
    """
    values, errors, flags = flat.rows(rows)
    lost = count_lost(cubes[2], first, values, flags)
    divide_by_flat(*cubes, first, values, errors, flags, inverse)
    return count_known(values, flags), lost


def count_losses(flat: Flat, counts: Sequence[tuple[int, int]]) -> int:
    """Return how many pixels are lost, from the counts of `divide_rows`.

    Raises
    ------
    ReferenceFileError
        If no value of the flat can be divided by.
    """
    if not any(known for known, _ in counts):
        msg = f"{flat.name}: no pixel of the flat is a number other than zero; choose another flat"
        raise ReferenceFileError(msg)
    return sum(lost for _, lost in counts)


def row_bands(ny: int, height: int = BAND) -> list[slice]:
    """Cut an image in bands of rows."""
    return [slice(y, min(y + height, ny)) for y in range(0, ny, height)]


def or_zeros(array: Float32 | None, like: Float32) -> Float32:
    """Return an array, or zeros of the shape of another."""
    return np.zeros(like.shape, np.float32) if array is None else array


def as_cube(array: NDArray[Scalar]) -> NDArray[Scalar]:
    """Return a view with the axes (integration, y, x)."""
    return array.reshape(-1, *array.shape[-2:])
