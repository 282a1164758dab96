"""Likelihood fit of all pixels in one read of the data, with a search for jumps if wanted."""

import numpy as np
from numba import njit

from calwebb_core.science import dq
from calwebb_detector1.kernels.flags import DO_NOT_USE, JUMP_DET, PERSISTENCE, SATURATED
from calwebb_detector1.kernels.likelihood import (
    WORK_ROWS,
    fit_first,
    photon_and_read_variance,
    solve,
    write_covariance,
)
from calwebb_detector1.kernels.likelihood_jumps import (
    mark_jumps,
    median_in_use,
    write_differences,
    zero_of,
)
from calwebb_detector1.kernels.order import median
from calwebb_detector1.kernels.ramp_fit import (
    PIXEL_UNUSABLE,
    count_flags,
    integration_dq,
    read_integration,
)
from calwebb_detector1.kernels.types import (
    Float32,
    Float64,
    Product,
    Scalar,
    Scalar4,
    UInt8,
    UInt32,
)

DOUBTFUL = np.uint32(int(dq.PixelDQ.UNRELIABLE_SLOPE))
# columns of what is kept of each integration
SLOPE, PHOTON_VARIANCE, READ_VARIANCE, CHISQ, FREEDOM, PHOTON_UNIT = 0, 1, 2, 3, 4, 5
KEPT = 6


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def fit_integration(
    tables: Float64,
    v: int,
    differences: Float64,
    use: UInt8,
    wanted: UInt8,
    n: int,
    pixel: tuple[Scalar, Scalar, Scalar],
    limits: tuple[float, float, bool],
    work: Float64,
    scratch: Float64,
    found: Float64,
    i: int,
) -> bool:
    """Fit an integration and write in `found` what is kept of it; return whether there is a fit.

    `pixel` is (gain, variance of one read, dark current in DN/s). The noise is that of the first
    fit's rate: that of the data themselves would favour low values.
    """
    count, guess = median_in_use(differences, use, n, scratch)
    if count == 0:
        return False
    for k in range(n):
        wanted[k] = use[k]
    rate = fit_first(tables, v, differences, use, n, guess, (pixel[0], pixel[1]), limits, work)
    photons = (max(rate, 0.0) + pixel[2]) / pixel[0]
    write_covariance(tables, v, photons, pixel[1], use, n, work)
    slope, weight, chisq = solve(differences, use, n, work)
    photon, read = photon_and_read_variance(tables, v, n, weight, work)
    found[i, SLOPE], found[i, PHOTON_VARIANCE] = slope, photons * photon
    found[i, READ_VARIANCE], found[i, CHISQ] = read * pixel[1], chisq
    # per DN/s, for weights that do not depend on this integration's own noise
    found[i, PHOTON_UNIT] = photon / pixel[0]
    found[i, FREEDOM] = -1.0
    for k in range(n):
        found[i, FREEDOM] += use[k]
    return True


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def combine(found: Float64, good: UInt8, dark: float, scratch: Float64) -> Scalar4:
    """Return slope, err, var_poisson, var_rnoise over the good integrations.

    Weights are the inverse variances at the common rate, which is found in two rounds.
    """
    count, last = 0, 0
    for i in range(good.size):
        if good[i]:
            scratch[count] = found[i, SLOPE]
            count, last = count + 1, i
    if count == 1:
        var_p, var_r = found[last, PHOTON_VARIANCE], found[last, READ_VARIANCE]
        return found[last, SLOPE], np.sqrt(var_p + var_r), var_p, var_r
    rate, var_p, var_r = median(scratch, count), 0.0, 0.0
    for _ in range(2):
        weights, slopes, in_p, in_r = 0.0, 0.0, 0.0, 0.0
        for i in range(good.size):
            if good[i]:
                photon = (max(rate, 0.0) + dark) * found[i, PHOTON_UNIT]
                weight = 1.0 / (photon + found[i, READ_VARIANCE])
                weights += weight
                slopes += weight * found[i, SLOPE]
                in_p += weight * weight * photon
                in_r += weight * weight * found[i, READ_VARIANCE]
        rate, var_p, var_r = slopes / weights, in_p / weights**2, in_r / weights**2
    return rate, np.sqrt(var_p + var_r), var_p, var_r


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def is_doubtful(chisq: float, freedom: float, limits: Float64) -> bool:
    """Say whether chi-square is above the limit for its degrees of freedom."""
    return limits.size > 0 and freedom > 0 and chisq > limits[int(freedom)]


@njit(cache=True, nogil=True, error_model="numpy")
def fit_ramps(
    data: Float32,
    groupdq: UInt8,
    pixel: tuple[UInt32, Float32, Float32, Float32],
    zeroframe: Float32,
    tables: Float64,
    bounds: tuple[int, int],
    nframes: int,
    limits: tuple[float, float, bool],
    chisq_limits: Float64,
    rateints: Product,
    rate: Product,
    chisq: Float32,
) -> None:
    """Fit every pixel and write the products; flag the jumps found in `groupdq`.

    Parameters
    ----------
    data : float32, (nints, ngroups, ny, nx), DN
    groupdq : uint8, shape of `data`; JUMP_DET is added
    pixel : (dq uint32, gain electron/DN, noise of one read in DN, dark current in electron/s),
        each (ny, nx), float32 but the first
    zeroframe : float32, (nints, ny, nx), DN, or of shape (0, 0, 0)
    tables : float64, (2, TABLE_ROWS, ngroups): of the groups, and with a zero frame before
    bounds : (int, int), first group used and the one after the last
    nframes : reads that a group averages
    limits : gain in chi-square that leaving out one or two differences must bring (infinity:
        no search), and whether only rises count
    chisq_limits : float64, by degrees of freedom, above which UNRELIABLE_SLOPE is set; or empty
    rateints, rate : written: (slope, err, dq, var_poisson, var_rnoise), float32 but dq uint32,
        each (nints, ny, nx) and (ny, nx); DN/s
    chisq : float32, (ny, nx), written: over all integrations, NaN without a fit
    """
    nints, ny, nx = data.shape[0], data.shape[2], data.shape[3]
    ngroups = bounds[1] - bounds[0]
    zeros = zeroframe.shape[0] > 0 and bounds[0] == 0 and nframes > 1
    ramps, flags = np.empty((nints, ngroups)), np.empty((nints, ngroups), np.uint8)
    differences, scratch = np.empty(ngroups), np.empty(max(ngroups, nints))
    use, wanted = np.empty(ngroups, np.uint8), np.empty(ngroups, np.uint8)
    work, found = np.empty((WORK_ROWS, ngroups)), np.empty((nints, KEPT))
    good = np.empty(nints, np.uint8)
    for y in range(ny):
        for x in range(nx):
            own_dq, gain = pixel[0][y, x], np.float64(pixel[1][y, x])
            own = (gain, np.float64(pixel[2][y, x]) ** 2, np.float64(pixel[3][y, x]) / gain)
            exposure, everywhere, partly = own_dq, PIXEL_UNUSABLE, np.uint32(0)
            total, freedom = 0.0, 0.0
            for i in range(nints):
                read_integration(data, groupdq, i, y, x, bounds, ramps, flags)
                zero = zero_of(zeroframe, flags, i, y, x, zeros)
                v = 1 if zero != 0 else 0
                n = write_differences(ramps, flags, i, zero, nframes, tables, v, differences, use)
                fitted = own_dq & PIXEL_UNUSABLE == 0 and fit_integration(
                    tables, v, differences, use, wanted, n, own, limits, work, scratch, found, i
                )
                if fitted:
                    mark_jumps(use, wanted, n, flags, i, groupdq, bounds[0], y, x)
                counts = count_flags(flags, i)
                bits = integration_dq(own_dq, counts, flags, i)
                bits |= np.uint32(0) if fitted else np.uint32(DO_NOT_USE)
                good[i] = bits & PIXEL_UNUSABLE == 0
                if good[i]:
                    total, freedom = total + found[i, CHISQ], freedom + found[i, FREEDOM]
                    if is_doubtful(found[i, CHISQ], found[i, FREEDOM], chisq_limits):
                        bits |= DOUBTFUL
                write_integration(rateints, i, y, x, found, good[i], bits, counts[2])
                exposure |= bits & np.uint32(JUMP_DET | PERSISTENCE)
                everywhere &= bits
                partly |= rateints[2][i, y, x] & np.uint32(SATURATED)
            exposure |= everywhere
            result = (np.nan, 0.0, 0.0, 0.0)
            if good.any():
                result = combine(found, good, own[2], scratch)
                if is_doubtful(total, freedom, chisq_limits):
                    exposure |= DOUBTFUL
            rate[0][y, x], rate[1][y, x], rate[3][y, x], rate[4][y, x] = result
            rate[2][y, x] = exposure | partly
            chisq[y, x] = total if good.any() else np.nan


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def write_integration(
    product: Product,
    i: int,
    y: int,
    x: int,
    found: Float64,
    good: bool,
    bits: Scalar,
    saturated: int,
) -> None:
    """Write the products of an integration."""
    slope, err, dq_out, var_p, var_r = product
    slope[i, y, x] = found[i, SLOPE] if good else np.nan
    var_p[i, y, x] = found[i, PHOTON_VARIANCE] if good else 0.0
    var_r[i, y, x] = found[i, READ_VARIANCE] if good else 0.0
    err[i, y, x] = np.sqrt(found[i, PHOTON_VARIANCE] + found[i, READ_VARIANCE]) if good else 0.0
    dq_out[i, y, x] = bits | (np.uint32(SATURATED) if saturated > 0 else np.uint32(0))
