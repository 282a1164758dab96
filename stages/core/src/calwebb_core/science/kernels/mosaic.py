"""What goes into a mosaic from an image, pixel by pixel, and what comes out of its sums."""

import numpy as np
from numba import njit
from numpy.typing import NDArray

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]
UInt32 = NDArray[np.uint32]


@njit(cache=True, nogil=True, error_model="numpy")
def weigh(
    data: Float32,
    dq: UInt32,
    variance: Float32,
    counted: int,
    unit: float,
    sky: float,
    columns: tuple[int, int],
    values: Float32,
    weight: Float32,
) -> None:
    """Write the weight of pixels, and their values without the sky; both are 0 for unusable ones.

    Parameters
    ----------
    data : float32, (n, nx)
        A pixel that is not finite is not used.
    dq : uint32, (n, nx), or empty
    variance : float32, (n, nx), or empty
        Weights are its inverse; a pixel where it is not a positive number is not used.
    counted : int
        Flags of pixels that are not used.
    unit : float
        Weight of usable pixels where there is no variance.
    sky : float
    columns : (int, int)
        First column to use and the one behind the last.
    values, weight : float32, (n, nx)
        Written.
    """
    flags, level, one = np.uint32(counted), np.float32(sky), np.float32(1.0)
    plain = np.float32(unit)
    for y in range(data.shape[0]):
        values[y, :] = np.float32(0.0)
        weight[y, :] = np.float32(0.0)
        for x in range(columns[0], columns[1]):
            use = np.isfinite(data[y, x])
            if dq.size:
                use &= (dq[y, x] & flags) == 0
            w = plain
            if variance.size:
                v = variance[y, x]
                w = one / v
                use &= (v > 0) & np.isfinite(v) & np.isfinite(w)
            if use:
                values[y, x] = data[y, x] - level
                weight[y, x] = w


@njit(cache=True, nogil=True, error_model="numpy")
def deviations(variance: Float32, weight: Float32, out: Float32) -> int:
    """Write standard deviations, NaN of negative variances; return how many are NaN and weigh.

    Parameters
    ----------
    variance, weight : float32, (n, nx)
    out : float32, (n, nx)
        Written.
    """
    unknown = 0
    for y in range(variance.shape[0]):
        for x in range(variance.shape[1]):
            sigma = np.sqrt(variance[y, x])
            out[y, x] = sigma
            unknown += (weight[y, x] > 0) & ~np.isfinite(sigma)
    return unknown


@njit(cache=True, nogil=True, error_model="numpy")
def fold_signal(
    sums: Float64, window: tuple[int, int, int, int], signal: Float32, weight: Float32
) -> None:
    """Add an image's sums to those of all images.

    Parameters
    ----------
    sums : float64, (ny, nx, 1 + nplanes)
        Of weight and weight times value.
    window : (y0, y1, x0, x1)
        Where the image has sums.
    signal, weight : float32, (ny, nx)
        Added to.
    """
    y0, y1, x0, x1 = window
    for y in range(y0, y1):
        for x in range(x0, x1):
            signal[y, x] = np.float32(np.float64(signal[y, x]) + sums[y, x, 1])
            weight[y, x] = np.float32(np.float64(weight[y, x]) + sums[y, x, 0])


@njit(cache=True, nogil=True, error_model="numpy")
def fold_context(
    sums: Float64, window: tuple[int, int, int, int], bit: int, context: UInt32
) -> None:
    """Set a bit where an image has weight; parameters as in `fold_signal`."""
    y0, y1, x0, x1 = window
    flag = np.uint32(1 << bit)
    for y in range(y0, y1):
        for x in range(x0, x1):
            if sums[y, x, 0] > 0.0:
                context[y, x] |= flag


@njit(cache=True, nogil=True, error_model="numpy")
def fold_variances(
    sums: Float64,
    own: Float64,
    window: tuple[int, int, int, int],
    noise: int,
    unit: float,
    weighted: Float64,
    total: Float64,
) -> None:
    """Add ``sigma^2 weight^2`` and ``weight`` of an image where both are numbers.

    Parameters
    ----------
    sums : float64, (ny, nx, 2 + nvariances)
        Of weight, weight times value, and weight times standard deviations.
    own : float64, (ny, nx, 1 + nvariances), or empty
        Sums of weights of each plane, where planes have gaps of their own.
    window : (y0, y1, x0, x1)
        Where the image has sums.
    noise : int
        Which of the variances' inverse is the weight of the image; -1 for none.
    unit : float
        Weight of the image then.
    weighted, total : float64, (nvariances, ny, nx)
        Added to.
    """
    y0, y1, x0, x1 = window
    for y in range(y0, y1):
        for x in range(x0, x1):
            if sums[y, x, 0] == 0.0:
                continue
            w = unit
            if noise >= 0:
                below = own[y, x, 1 + noise] if own.size else sums[y, x, 0]
                w = below / sums[y, x, 2 + noise]
                w = w * w
            if not (w > 0.0 and w < np.inf):
                continue
            for plane in range(weighted.shape[0]):
                below = own[y, x, 1 + plane] if own.size else sums[y, x, 0]
                s = sums[y, x, 2 + plane] / below * w
                if np.isfinite(s):
                    weighted[plane, y, x] += s * s
                    total[plane, y, x] += w


@njit(cache=True, nogil=True, error_model="numpy")
def fold_mean(sums: Float64, mean: Float32, weight: Float32) -> None:
    """Write the weighted mean of values, NaN without weight, and the weight.

    Parameters
    ----------
    sums : float64, (ny, nx, 2)
        Of weight and weight times value.
    mean, weight : float32, (ny, nx)
        Written.
    """
    for y in range(mean.shape[0]):
        for x in range(mean.shape[1]):
            total = sums[y, x, 0]
            weight[y, x] = np.float32(total)
            mean[y, x] = np.float32(sums[y, x, 1] / total) if total > 0.0 else np.float32(np.nan)


@njit(cache=True, nogil=True, error_model="numpy")
def means(signal: Float32, weight: Float32, fill: float) -> None:
    """Turn sums of weight times value into means in place; `fill` where there is no weight."""
    for y in range(signal.shape[0]):
        for x in range(signal.shape[1]):
            w = weight[y, x]
            signal[y, x] = signal[y, x] / w if w != 0 else np.float32(fill)


@njit(cache=True, nogil=True, error_model="numpy")
def variances_and_error(
    weighted: Float64, total: Float64, scale: float, variances: Float32, error: Float32
) -> None:
    """Write variances of means, and the square root of their sum; NaN where nothing was added.

    Parameters
    ----------
    weighted, total : float64, (nvariances, ny, nx)
        From `fold_variances`.
    scale : float
        Factor of the variances.
    variances : float32, (nvariances, ny, nx), or empty
        Written.
    error : float32, (ny, nx)
        Written.
    """
    for y in range(error.shape[0]):
        for x in range(error.shape[1]):
            whole, known = np.float32(0.0), False
            for plane in range(weighted.shape[0]):
                w = total[plane, y, x]
                value = np.float32(np.nan)
                if w > 0.0:
                    value = np.float32(weighted[plane, y, x] / w / w * scale)
                    if np.isfinite(value):
                        whole += value
                        known = True
                if variances.size:
                    variances[plane, y, x] = value
            error[y, x] = np.sqrt(whole) if known else np.float32(np.nan)
