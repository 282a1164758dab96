"""Division of images by a flat field, with errors and flags, in one pass over some rows."""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from calwebb_core.science.dq import DO_NOT_USE, NO_FLAT_FIELD, REFERENCE_PIXEL

Float32 = NDArray[np.float32]
UInt32 = NDArray[np.uint32]
NO_FLAT = np.uint32(NO_FLAT_FIELD)
UNUSABLE = np.uint32(DO_NOT_USE | NO_FLAT_FIELD)
USELESS = np.uint32(DO_NOT_USE | REFERENCE_PIXEL)
BAD = np.uint32(DO_NOT_USE)
NAN = np.float32(np.nan)
ZERO, ONE = np.float32(0.0), np.float32(1.0)


@njit(cache=True, nogil=True, inline="always")
def flat_is_known(value, flag):
    """Say whether a flat value can be divided by."""
    return np.isfinite(value) and value != ZERO and (flag & NO_FLAT) == 0


@njit(cache=True, nogil=True, error_model="numpy")
def count_known(flat: Float32, flat_dq: UInt32) -> int:
    """Return how many values of some rows of a flat can be divided by."""
    known = 0
    for y in range(flat.shape[0]):
        for x in range(flat.shape[1]):
            if flat_is_known(flat[y, x], flat_dq[y, x]):
                known += 1
    return known


@njit(cache=True, nogil=True, error_model="numpy")
def count_lost(dq: UInt32, first: int, flat: Float32, flat_dq: UInt32) -> int:
    """Return how many pixels of some rows have no flat value but are good in any integration.

    Parameters
    ----------
    dq : uint32, (n, ny, nx)
        Flags before the flat.
    first : int
        Row of `dq` that the first row of the flat is for.
    flat, flat_dq : (rows, nx)
    """
    lost = 0
    for y in range(flat.shape[0]):
        for x in range(flat.shape[1]):
            if not flat_is_known(flat[y, x], flat_dq[y, x]):
                useless = USELESS
                for i in range(dq.shape[0]):
                    if (dq[i, first + y, x] & USELESS) == 0:
                        useless = np.uint32(0)
                if useless == 0:
                    lost += 1
    return lost


@njit(cache=True, nogil=True, error_model="numpy")
def divide_by_flat(
    data: Float32,
    err: Float32,
    dq: UInt32,
    var_poisson: Float32,
    var_rnoise: Float32,
    var_flat: Float32,
    first: int,
    flat: Float32,
    flat_err: Float32,
    flat_dq: UInt32,
    inverse: bool,
) -> None:
    """Apply ``S/F`` (``S*F`` if `inverse`) with its variances to some rows, in place.

    Parameters
    ----------
    data, err, var_poisson, var_rnoise, var_flat : float32, (n, ny, nx)
        `data` and the variances are divided; `err` and `var_flat` are written.
    dq : uint32, (n, ny, nx)
        Flags of the flat are added. A pixel flagged DO_NOT_USE becomes NaN in all arrays, and
        one that is NaN in any of them is flagged.
    first : int
        Row of the image that the first row of the flat is for.
    flat, flat_err : float32, (rows, nx)
    flat_dq : uint32, (rows, nx)
    """
    for y in range(flat.shape[0]):
        for i in range(data.shape[0]):
            signals, errors, flags = data[i, first + y], err[i, first + y], dq[i, first + y]
            poissons, rnoises = var_poisson[i, first + y], var_rnoise[i, first + y]
            flat_parts = var_flat[i, first + y]
            for x in range(flat.shape[1]):
                value, error, flag = flat[y, x], flat_err[y, x], flat_dq[y, x]
                if not flat_is_known(value, flag):
                    value, error, flag = ONE, ZERO, flag | UNUSABLE
                if not np.isfinite(error):
                    error = ZERO
                relative = (error / value) * (error / value)
                if inverse:
                    value = ONE / value
                square = value * value
                signal = signals[x] / value
                poisson = poissons[x] / square
                rnoise = rnoises[x] / square
                flat_part = signal * signal * relative
                total = np.sqrt(poisson + rnoise + flat_part)
                flag |= flags[x]
                if (flag & BAD) != 0 or np.isnan(signal) or np.isnan(total):
                    flag |= BAD
                    signal = poisson = rnoise = flat_part = total = NAN
                signals[x], errors[x], flags[x] = signal, total, flag
                poissons[x], rnoises[x], flat_parts[x] = poisson, rnoise, flat_part
