"""Multiplication of images by a factor, with variances and flags, in one pass over some rows."""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from calwebb_core.science.dq import DO_NOT_USE

Float32 = NDArray[np.float32]
UInt32 = NDArray[np.uint32]
BAD = np.uint32(DO_NOT_USE)
NAN = np.float32(np.nan)


@njit(cache=True, nogil=True, error_model="numpy")
def scale_rows(
    linear: tuple[Float32, ...], squared: tuple[Float32, ...], dq: UInt32, factor: float
) -> None:
    """Multiply arrays by a factor and others by its square, in place.

    A pixel flagged DO_NOT_USE becomes NaN in all arrays, and one that is NaN in any of them is
    flagged.

    Parameters
    ----------
    linear, squared : float32, (rows, nx) each
        At least one of each.
    dq : uint32, (rows, nx)
    factor : float
    """
    square = factor * factor
    for y in range(dq.shape[0]):
        flags = dq[y]
        for array in linear:
            mark_nan(array[y], flags)
        for array in squared:
            mark_nan(array[y], flags)
        for array in linear:
            multiply(array[y], flags, factor)
        for array in squared:
            multiply(array[y], flags, square)


@njit(cache=True, nogil=True, inline="always")
def mark_nan(values, flags):
    """Flag the pixels of a row that are NaN."""
    for x in range(len(values)):
        flags[x] |= BAD if np.isnan(values[x]) else np.uint32(0)


@njit(cache=True, nogil=True, inline="always")
def multiply(values, flags, factor):
    """Multiply a row; NaN where it is flagged."""
    for x in range(len(values)):
        product = np.float32(values[x] * factor)
        values[x] = NAN if (flags[x] & BAD) != 0 else product
