"""Fit of ramps without any flag, many side by side: nearly all ramps of most exposures.

The formulas are those of `segments`, term by term, over a few hundred columns at once, so that
the processor works on as many as fit into its registers.
"""

import numpy as np
from numba import njit

from calwebb_core.science import dq
from calwebb_detector1.kernels.flags import DO_NOT_USE
from calwebb_detector1.kernels.network import sort_columns
from calwebb_detector1.kernels.order import HALF
from calwebb_detector1.kernels.segments import (
    EXPONENTS,
    exponent_index,
    inverse,
    poisson_variance,
    read_variance,
)
from calwebb_detector1.kernels.types import Bool, Float32, Float64, Int64, Product, UInt8, UInt32

PIXEL_UNUSABLE = np.uint32(dq.DO_NOT_USE | dq.SATURATED)
CLEAN_WORK = 6  # rows of scratch that `fit_clean` needs
Place = tuple[int, int, int]
Networks = tuple[Int64, Int64]
Pixel = tuple[UInt32, Float32, Float32, Float32]


@njit(cache=True, nogil=True, error_model="numpy")
def find_clean(
    data: Float32,
    groupdq: UInt8,
    pixel: Pixel,
    place: Place,
    bounds: tuple[int, int],
    spans: Int64,
    clean: Bool,
) -> None:
    """Write into `clean` (nints, columns) which ramps of part of a row are clean.

    Of row `place[0]`, columns place[1]:place[2]: of usable pixels with read noise and gain,
    without flags or NaN in the groups of the integration's span (`spans`, int64 (nints, 2):
    first group and end), and just DO_NOT_USE in the others. Without a span none is.
    """
    y, start, stop = place
    flags, gain, sigma = pixel[0][y, start:stop], pixel[1][y, start:stop], pixel[2][y, start:stop]
    for i in range(data.shape[0]):
        own = clean[i]
        for x in range(stop - start):
            usable = (flags[x] & PIXEL_UNUSABLE == 0) & (spans[i, 1] > 0)
            own[x] = usable & (gain[x] > 0) & (sigma[x] > 0) & (sigma[x] < np.inf)
        for g in range(bounds[0], bounds[1]):
            values, groups = data[i, g, y, start:stop], groupdq[i, g, y, start:stop]
            if g < spans[i, 0] or g >= spans[i, 1]:
                for x in range(stop - start):
                    own[x] &= groups[x] == DO_NOT_USE
                continue
            for x in range(stop - start):
                own[x] &= (groups[x] == 0) & (values[x] == values[x])


@njit(cache=True, nogil=True, error_model="numpy")
def add_median_rates(
    data: Float32,
    place: Place,
    i: int,
    spans: Int64,
    networks: Networks,
    time: float,
    clean: Bool,
    work: Float64,
    rates: Float64,
) -> None:
    """Add to `rates` the median rates of an integration's clean ramps, DN/s.

    `networks` sort the differences of each span (`network.networks`), `work` float64
    (>= ngroups - 1, columns) is scratch. What NaN makes of a column does not matter.
    """
    y, start, stop = place
    first = spans[i, 0]
    n = spans[i, 1] - first - 1
    pairs, ranges = networks
    for g in range(n):
        low, high = data[i, first + g, y, start:stop], data[i, first + g + 1, y, start:stop]
        steps = work[g]
        for x in range(stop - start):
            steps[x] = np.float64(high[x]) - np.float64(low[x])
    sort_columns(work[:n], pairs[ranges[i, 0] : ranges[i, 1]])
    upper, lower, own = work[n // 2], work[max(n // 2 - 1, 0)], clean[i]
    for x in range(stop - start):
        median = upper[x] if n % 2 else (lower[x] + upper[x]) * HALF
        rates[x] += median / time if own[x] else 0.0


@njit(cache=True, nogil=True, error_model="numpy")
def clean_slopes(
    data: Float32,
    pixel: Pixel,
    place: Place,
    i: int,
    spans: Int64,
    table: Float64,
    work: Float64,
) -> None:
    """Write into work[0] the slopes of an integration, DN a group; rows 1 and 2 are scratch."""
    y, start, stop = place
    first, end = spans[i, 0], spans[i, 1]
    n = end - first
    slopes, powers, own = work[0], work[1], work[2]
    low, high = data[i, first, y, start:stop], data[i, end - 1, y, start:stop]
    gain, sigma = pixel[1][y, start:stop], pixel[2][y, start:stop]
    for x in range(stop - start):
        slopes[x] = np.float64(high[x]) - np.float64(low[x])
        powers[x] = exponent_index(slopes[x], np.float64(gain[x]), np.float64(sigma[x]))
    if n == 2:
        return
    offset = n * (n - 1) // 2
    for power in range(len(EXPONENTS)):
        if not np.any(powers[: stop - start] == power):
            continue
        own[:] = 0.0
        for k in range(n):
            coefficient, values = table[power, offset + k], data[i, first + k, y, start:stop]
            for x in range(stop - start):
                own[x] += coefficient * np.float64(values[x])
        for x in range(stop - start):
            slopes[x] = own[x] if powers[x] == power else slopes[x]


@njit(cache=True, nogil=True, error_model="numpy")
def fit_clean(
    data: Float32,
    pixel: Pixel,
    place: Place,
    i: int,
    spans: Int64,
    table: Float64,
    time: float,
    rates: Float64,
    clean: Bool,
    work: Float64,
    rateints: Product,
) -> None:
    """Fit an integration of part of a row as if all ramps were clean, and write the products.

    Arguments as those of `ramp_rows.fit_ramps` and of the functions above; `work` float64
    (CLEAN_WORK, columns): rows 3 to 5 sum slope / VAR_R, 1 / VAR_R and 1 / VAR_P of the clean
    ones, the others are scratch.
    """
    y, start, stop = place
    clean_slopes(data, pixel, place, i, spans, table, work)
    integration = (
        rateints[0][i, y, start:stop],
        rateints[1][i, y, start:stop],
        rateints[2][i, y, start:stop],
        rateints[3][i, y, start:stop],
        rateints[4][i, y, start:stop],
    )
    n = spans[i, 1] - spans[i, 0]
    write_integration(pixel, place, n, time, rates, clean[i], work, integration)


@njit(cache=True, nogil=True, error_model="numpy")
def write_integration(
    pixel: Pixel,
    place: Place,
    n: int,
    time: float,
    rates: Float64,
    clean: Bool,
    work: Float64,
    integration: Product,
) -> None:
    """Write an integration's products from the slopes in work[0]; add clean ones to rows 3-5."""
    y, start, stop = place
    gain, sigma = pixel[1][y, start:stop], pixel[2][y, start:stop]
    dark = pixel[3][y, start:stop]
    slope, err, dq_out, var_p, var_r = integration
    slopes, total, in_r, in_p = work[0], work[3], work[4], work[5]
    for x in range(stop - start):
        own_gain = np.float64(gain[x])
        read = read_variance(n, np.float64(sigma[x]), own_gain, time)
        photons = poisson_variance(n, rates[x], np.float64(dark[x]), own_gain, time)
        weight_r = 1.0 / read
        weight_p = 1.0 / photons if photons > 0 else 0.0
        weighted = slopes[x] / (time * read)
        own_r = inverse(weight_r)
        slope[x] = weighted * own_r
        err[x] = np.sqrt(inverse(1.0 / (photons + read)))
        var_p[x], var_r[x] = inverse(weight_p), own_r
        total[x] += weighted if clean[x] else 0.0
        in_r[x] += weight_r if clean[x] else 0.0
        in_p[x] += weight_p if clean[x] else 0.0
    dq_out[:] = pixel[0][y, start:stop]
