"""Sort many short columns side by side with a network of comparisons (Batcher 1968).

The same comparisons in the same order whatever the values, so that the processor sorts as
many columns at once as fit into its registers.

Source: K. E. Batcher 1968, AFIPS Spring Joint Computer Conference 32, 307 (odd-even merge sort).
"""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numba import njit

from calwebb_detector1.kernels.types import Float32, Float64, Int64

WIDTH = 256  # columns at a time: a few dozen rows of them stay in the nearest cache


@lru_cache(maxsize=8)
def comparisons(n: int) -> Int64:
    """Return the network for `n` values: int64 (ncomparisons, 2), the smaller goes first."""
    pairs = []
    span = 1
    while span < n:
        step = span
        while step:
            for start in range(step % span, n - step, 2 * step):
                for k in range(min(step, n - start - step)):
                    low, high = start + k, start + k + step
                    if low // (2 * span) == high // (2 * span):
                        pairs.append((low, high))
            step //= 2
        span *= 2
    return np.array(pairs, np.int64).reshape(-1, 2)


def networks(sizes: Sequence[int]) -> tuple[Int64, Int64]:
    """Return networks for several lengths in one array, and (first, end) of each length's."""
    parts = {n: comparisons(n) for n in sizes}
    starts, position = {}, 0
    for n, part in parts.items():
        starts[n] = position
        position += len(part)
    ranges = [(starts[n], starts[n] + len(parts[n])) for n in sizes]
    return np.concatenate(list(parts.values())), np.array(ranges, np.int64).reshape(-1, 2)


@njit(cache=True, nogil=True, error_model="numpy")
def sort_columns(values: Float32 | Float64, pairs: Int64) -> None:
    """Sort the columns of `values` (n, ncolumns), without NaN, in place, ascending downwards."""
    for k in range(pairs.shape[0]):
        low, high = values[pairs[k, 0]], values[pairs[k, 1]]
        for x in range(values.shape[1]):
            first, second = low[x], high[x]
            swap = first > second
            low[x] = second if swap else first
            high[x] = first if swap else second
