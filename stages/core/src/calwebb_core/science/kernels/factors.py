"""Multiplication of images by a map of factors, with variances and flags, in one pass."""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from calwebb_core.science.dq import DO_NOT_USE

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]
UInt32 = NDArray[np.uint32]
BAD = np.uint32(DO_NOT_USE)
NAN = np.float32(np.nan)


@njit(cache=True, nogil=True, error_model="numpy")
def multiply_by_map(
    linear: tuple[Float32, ...],
    squared: tuple[Float32, ...],
    dq: UInt32,
    first: int,
    factors: Float64,
    flags: UInt32,
) -> None:
    """Multiply some rows of arrays by a map of factors, others by its square, in place.

    A pixel that is flagged DO_NOT_USE or whose factor is NaN becomes NaN in all arrays, and one
    that is NaN in any of them is flagged.

    Parameters
    ----------
    linear, squared : float32, (n, ny, nx) each
        At least one of each.
    dq : uint32, (n, ny, nx)
    first : int
        Row of these arrays that the first row of the map is for.
    factors : float64, (rows, nx)
        The same for all n images.
    flags : uint32, (rows, nx)
        Added to `dq`.
    """
    for y in range(factors.shape[0]):
        values = factors[y]
        for i in range(dq.shape[0]):
            marks = dq[i, first + y]
            for x in range(len(values)):
                marks[x] |= flags[y, x] | (BAD if np.isnan(values[x]) else np.uint32(0))
            for array in linear:
                mark_nan(array[i, first + y], marks)
            for array in squared:
                mark_nan(array[i, first + y], marks)
            for array in linear:
                multiply(array[i, first + y], marks, values, False)
            for array in squared:
                multiply(array[i, first + y], marks, values, True)


@njit(cache=True, nogil=True, inline="always")
def mark_nan(values, marks):
    """Flag the pixels of a row that are NaN."""
    for x in range(len(values)):
        marks[x] |= BAD if np.isnan(values[x]) else np.uint32(0)


@njit(cache=True, nogil=True, inline="always")
def multiply(values, marks, factors, twice):
    """Multiply a row by factors, or twice by them; NaN where it is flagged."""
    for x in range(len(values)):
        factor = factors[x] * factors[x] if twice else factors[x]
        product = np.float32(values[x] * factor)
        values[x] = NAN if (marks[x] & BAD) != 0 else product
