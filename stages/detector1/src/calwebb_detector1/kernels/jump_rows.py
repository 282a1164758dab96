"""First look for jumps, many pixels side by side: nearly all have none and need no second.

The differences of pixels without any flag are sorted in columns; the most significant decides,
exactly as the search of `jump` would, whether there is anything to find.
"""

import numpy as np
from numba import njit

from calwebb_detector1.kernels.flags import DO_NOT_USE
from calwebb_detector1.kernels.network import sort_columns
from calwebb_detector1.kernels.order import HALF
from calwebb_detector1.kernels.types import Bool, Float32, Int64, Scalar, UInt8

NAN = np.float32(np.nan)
NO_FLAG = np.uint8(0)
Place = tuple[int, int, int]


@njit(cache=True, nogil=True, error_model="numpy")
def find_flagged(groupdq: UInt8, typical: Bool, place: Place, flagged: Bool) -> None:
    """Write into `flagged` which pixels have other flags than all have.

    Of row `place[0]`, columns place[1]:place[2]. Groups that most cannot use (`typical`,
    (nints, ngroups)) are DO_NOT_USE, the others without flags.
    """
    y, start, stop = place
    flagged[:] = False
    for i in range(groupdq.shape[0]):
        for g in range(groupdq.shape[1]):
            flags = groupdq[i, g, y, start:stop]
            expected = DO_NOT_USE if typical[i, g] else NO_FLAG
            for x in range(stop - start):
                flagged[x] |= flags[x] != expected


@njit(cache=True, nogil=True, error_model="numpy")
def sorted_differences(
    data: Float32,
    gain: Float32,
    typical: Bool,
    place: Place,
    pairs: Int64,
    sizes: bool,
    work: Float32,
    flagged: Bool,
) -> None:
    """Write into `work` the sorted differences of usable groups of part of a row, electrons.

    `sizes`: their absolute values; `pairs` is the network for them (`network.comparisons`);
    `work` float32 (ndifferences, columns). Columns that are not finite are `flagged`.
    """
    y, start, stop = place
    own = gain[y, start:stop]
    k = 0
    for i in range(data.shape[0]):
        for g in range(1, data.shape[1]):
            if typical[i, g] or typical[i, g - 1]:
                continue
            low, high, steps = data[i, g - 1, y, start:stop], data[i, g, y, start:stop], work[k]
            for x in range(stop - start):
                steps[x] = high[x] * own[x] - low[x] * own[x]
                flagged[x] |= not abs(steps[x]) < np.inf
            if sizes:
                for x in range(stop - start):
                    steps[x] = abs(steps[x])
            k += 1
    sort_columns(work, pairs)


@njit(cache=True, nogil=True, error_model="numpy")
def middle_of(work: Float32, n: int, x: int) -> Scalar:
    """Return the median of the first `n` > 0 values of a sorted column."""
    half = n // 2
    return work[half, x] if n % 2 else (work[half - 1, x] + work[half, x]) * HALF


@njit(cache=True, nogil=True, error_model="numpy")
def reference_of(work: Float32, x: int) -> Scalar:
    """Return what a sorted column says of its steady rate, as `jump.reference_difference` does."""
    n = work.shape[0]
    if n >= 4:
        stop = n - 1
        while stop > 0 and work[stop - 1, x] == work[n - 1, x]:
            stop -= 1
        return middle_of(work, stop, x) if stop > 0 else NAN
    if n == 3:
        return work[1, x]
    return work[0, x] if n == 2 else NAN


@njit(cache=True, nogil=True, error_model="numpy")
def find_suspects(
    work: Float32,
    variance: Float32,
    threshold: float,
    at_once: bool,
    levels: Float32,
    suspects: Bool,
) -> None:
    """Write into `suspects` which sorted columns hold a difference above the threshold.

    `at_once`: all are compared with their median, else their absolute values with that of
    all but the largest. `variance` (columns), electron^2; `levels` float32 (columns) scratch.
    """
    n = work.shape[0]
    for x in range(suspects.size):
        levels[x] = middle_of(work, n, x) if at_once else reference_of(work, x)
    first, last = work[0], work[n - 1]
    for x in range(suspects.size):
        level = levels[x]
        sigma = np.sqrt(np.float64(abs(level)) + np.float64(variance[x]))
        high, low = abs(last[x] - level), abs(first[x] - level)
        suspects[x] = max(high, low) / sigma > threshold
