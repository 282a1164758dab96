"""Order statistics of a few values in a scratch array, without allocation."""

import numpy as np
from numba import njit

from calwebb_detector1.kernels.types import Float32, Float64, Scalar

SHORT = 32
HALF = np.float32(0.5)


@njit(cache=True, nogil=True, error_model="numpy")
def sort(values: Float32 | Float64, n: int) -> None:
    """Sort the first `n` values (no NaN) in place, ascending."""
    if n > SHORT:
        values[:n].sort()
        return
    for i in range(1, n):
        # The value sinks through all sorted ones without a branch to mispredict.
        value = values[i]
        for j in range(i):
            other = values[j]
            below = other < value
            values[j] = other if below else value
            value = value if below else other
        values[i] = value


@njit(cache=True, nogil=True, error_model="numpy")
def middle(values: Float32 | Float64, start: int, stop: int) -> Scalar:
    """Return the median of the sorted values [start, stop), which is not empty."""
    n = stop - start
    half = start + n // 2
    if n % 2:
        return values[half]
    return (values[half - 1] + values[half]) * HALF


@njit(cache=True, nogil=True, error_model="numpy")
def median(values: Float32 | Float64, n: int) -> Scalar:
    """Return the median of the first `n` > 0 values (no NaN), which end up sorted."""
    sort(values, n)
    return middle(values, 0, n)
