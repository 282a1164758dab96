"""Division of images by a flat field, with errors and flags, in one pass."""

import numpy as np
from numba import njit, prange
from numpy.typing import NDArray

from calwebb_core.science.dq import DO_NOT_USE, NO_FLAT_FIELD

Float32 = NDArray[np.float32]
UInt32 = NDArray[np.uint32]
NO_FLAT = np.uint32(NO_FLAT_FIELD)
UNUSABLE = np.uint32(DO_NOT_USE | NO_FLAT_FIELD)
BAD = np.uint32(DO_NOT_USE)
NAN = np.float32(np.nan)


@njit(cache=True, nogil=True, inline="always")
def flat_is_known(value, flag):
    """Say whether a flat value can be divided by."""
    return np.isfinite(value) and value != np.float32(0.0) and (flag & NO_FLAT) == 0


@njit(cache=True, nogil=True, parallel=True)
def divide_by_flat(
    data: Float32,
    err: Float32,
    dq: UInt32,
    var_poisson: Float32,
    var_rnoise: Float32,
    var_flat: Float32,
    flat: Float32,
    flat_err: Float32,
    flat_dq: UInt32,
) -> None:
    """Apply ``S/F`` with its variances, in place.

    Parameters
    ----------
    data, err, var_poisson, var_rnoise, var_flat : float32, (n, ny, nx)
        `data` and the variances are divided; `err` and `var_flat` are written.
    dq : uint32, (n, ny, nx)
        Flags of the flat are added. A pixel flagged DO_NOT_USE becomes NaN in all arrays, and
        one that is NaN in any of them is flagged.
    flat, flat_err : float32, (ny, nx)
    flat_dq : uint32, (ny, nx)
    """
    n, ny, nx = data.shape
    for y in prange(ny):
        for x in range(nx):
            value, error, flag = flat[y, x], flat_err[y, x], flat_dq[y, x]
            if not flat_is_known(value, flag):
                value, error, flag = np.float32(1.0), np.float32(0.0), flag | UNUSABLE
            if not np.isfinite(error):
                error = np.float32(0.0)
            square = value * value
            relative = (error / value) * (error / value)
            for i in range(n):
                signal = data[i, y, x] / value
                poisson = var_poisson[i, y, x] / square
                rnoise = var_rnoise[i, y, x] / square
                flat_part = signal * signal * relative
                total = np.sqrt(poisson + rnoise + flat_part)
                flags = dq[i, y, x] | flag
                if (flags & BAD) != 0 or np.isnan(signal) or np.isnan(total):
                    flags |= BAD
                    signal = poisson = rnoise = flat_part = total = NAN
                data[i, y, x] = signal
                var_poisson[i, y, x] = poisson
                var_rnoise[i, y, x] = rnoise
                var_flat[i, y, x] = flat_part
                err[i, y, x] = total
                dq[i, y, x] = flags
