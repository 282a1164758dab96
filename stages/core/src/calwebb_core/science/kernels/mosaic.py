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
    flags, level, plain = np.uint32(counted), np.float32(sky), np.float32(unit)
    zero, one, most = np.float32(0.0), np.float32(1.0), np.float32(np.inf)
    values[:, : columns[0]] = zero
    values[:, columns[1] :] = zero
    weight[:, : columns[0]] = zero
    weight[:, columns[1] :] = zero
    for y in range(data.shape[0]):
        signal, out = data[y, columns[0] : columns[1]], values[y, columns[0] : columns[1]]
        w = weight[y, columns[0] : columns[1]]
        if variance.size:
            noise = variance[y, columns[0] : columns[1]]
            for x in range(w.shape[0]):
                inverse = one / noise[x]
                w[x] = inverse if (noise[x] > zero) & (inverse < most) else zero
        else:
            w[:] = plain
        if dq.size:
            bits = dq[y, columns[0] : columns[1]]
            for x in range(w.shape[0]):
                w[x] = w[x] if (bits[x] & flags) == 0 else zero
        for x in range(w.shape[0]):
            value = signal[x] - level
            use = (abs(value) < most) & (w[x] > zero)
            w[x] = w[x] if use else zero
            out[x] = value if use else zero


@njit(cache=True, nogil=True, error_model="numpy")
def deviations(variance: Float32, weight: Float32, out: Float32) -> int:
    """Write standard deviations; return how many are unknown.

    Parameters
    ----------
    variance, weight : float32, (n, nx)
    out : float32, (n, nx)
        Written: NaN where the variance is negative or not finite, 0 without weight.
    """
    unknown, zero = 0, np.float32(0.0)
    most, nan = np.float32(np.inf), np.float32(np.nan)
    for y in range(variance.shape[0]):
        line, w, part = variance[y], weight[y], out[y]
        count = np.int32(0)
        for x in range(line.shape[0]):
            known = (line[x] >= zero) & (line[x] < most)
            sigma = np.sqrt(line[x]) if known else nan
            counts = w[x] > zero
            part[x] = sigma if counts else zero
            count += np.int32(counts & (not known))
        unknown += int(count)
    return unknown


@njit(cache=True, nogil=True, error_model="numpy")
def image_weights(total, noise, out):
    """Write inverse variances of an image: its mean deviation to the power of -2, or 0."""
    for x in range(out.shape[0]):
        w = total[x] / noise[x]
        w = w * w
        out[x] = w if (total[x] > 0.0) & (w > 0.0) & (w < np.inf) else 0.0


@njit(cache=True, nogil=True, error_model="numpy")
def fold_plane(sums, below, w, weighted, total, counts):
    """Add a row of ``(sigma w)^2``, and `w` to `total` if wanted, where the deviation is known."""
    for x in range(w.shape[0]):
        s = sums[x] / below[x] * w[x]
        s = s * s
        known = (below[x] > 0.0) & (s < np.inf) & (w[x] > 0.0)
        weighted[x] += np.float32(s) if known else np.float32(0.0)
        if counts:
            total[x] += np.float32(w[x]) if known else np.float32(0.0)


@njit(cache=True, nogil=True, error_model="numpy")
def fold_variances(sums, own, y, x0, x1, noise, unit, weighted, total):
    """Add a row of an image's deviations to the sums of variances; see `fold`."""
    plain, w = sums[0, y, x0:x1], np.empty(x1 - x0)
    if noise >= 0:
        image_weights(own[1 + noise, y, x0:x1] if own.size else plain, sums[2 + noise, y, x0:x1], w)
    else:
        for x in range(w.shape[0]):
            w[x] = unit if plain[x] > 0.0 else 0.0
    common = total.shape[0] != weighted.shape[0]
    for plane in range(weighted.shape[0]):
        below = own[1 + plane, y, x0:x1] if own.size else plain
        where = 0 if common else plane
        counts = plane == 0 or not common
        fold_plane(
            sums[2 + plane, y, x0:x1], below, w, weighted[plane, y, x0:x1], total[where, y, x0:x1],
            counts,
        )  # fmt: skip


@njit(cache=True, nogil=True, error_model="numpy")
def fold(
    sums: Float64,
    own: Float64,
    window: tuple[int, int, int, int],
    noise: int,
    unit: float,
    bit: int,
    signal: Float32,
    weight: Float32,
    context: UInt32,
    weighted: Float32,
    total: Float32,
) -> None:
    """Add the sums of an image to those of all images, and set them to 0 for the next.

    Parameters
    ----------
    sums : float64, (2 + nvariances, ny, nx)
        Of weight, weight times value, and weight times standard deviations.
    own : float64, (1 + nvariances, ny, nx), or empty
        Sums of weights of each plane, where planes have gaps of their own.
    window : (y0, y1, x0, x1)
        Where the image has sums.
    noise : int
        Which of the deviations gives the weight of the image, to the power of -2; -1 for none.
    unit : float
        Weight of the image then.
    bit : int
        Bit of the context that is set where the image has weight.
    signal, weight : float32, (ny, nx)
        Added to.
    context : uint32, (ny, nx), or empty
        Changed.
    weighted : float32, (nvariances, ny, nx)
        Added to: ``sigma^2 weight^2`` where it is known.
    total : float32, (nvariances, ny, nx), or (1, ny, nx) as long as no plane has gaps of its own
        Added to: the weight of the image there.
    """
    y0, y1, x0, x1 = window
    flag = np.uint32(1 << bit)
    for y in range(y0, y1):
        below, value = sums[0, y, x0:x1], sums[1, y, x0:x1]
        s, w = signal[y, x0:x1], weight[y, x0:x1]
        for x in range(s.shape[0]):
            s[x] = np.float32(np.float64(s[x]) + value[x])
            w[x] = np.float32(np.float64(w[x]) + below[x])
        if context.size:
            part = context[y, x0:x1]
            for x in range(s.shape[0]):
                part[x] |= flag if below[x] > 0.0 else np.uint32(0)
        if weighted.shape[0]:
            fold_variances(sums, own, y, x0, x1, noise, unit, weighted, total)
        for plane in range(sums.shape[0]):
            sums[plane, y, x0:x1] = 0.0


@njit(cache=True, nogil=True, error_model="numpy")
def fold_mean(sums: Float64, mean: Float32, weight: Float32) -> None:
    """Write the weighted mean of values, NaN without weight, and the weight.

    Parameters
    ----------
    sums : float64, (2, ny, nx)
        Of weight and weight times value.
    mean, weight : float32, (ny, nx)
        Written.
    """
    for y in range(mean.shape[0]):
        below, value, m, w = sums[0, y], sums[1, y], mean[y], weight[y]
        for x in range(m.shape[0]):
            w[x] = np.float32(below[x])
            m[x] = np.float32(value[x] / below[x]) if below[x] > 0.0 else np.float32(np.nan)


@njit(cache=True, nogil=True, error_model="numpy")
def means(signal: Float32, weight: Float32, fill: float) -> None:
    """Turn sums of weight times value into means in place; `fill` where there is no weight."""
    nothing = np.float32(fill)
    for y in range(signal.shape[0]):
        s, w = signal[y], weight[y]
        for x in range(s.shape[0]):
            s[x] = s[x] / w[x] if w[x] != 0 else nothing


@njit(cache=True, nogil=True, error_model="numpy")
def variances_and_error(
    weighted: Float32, total: Float32, scale: float, variances: Float32, error: Float32
) -> None:
    """Write variances of means, and the square root of their sum; NaN where nothing was added.

    Parameters
    ----------
    weighted, total : float32
        From `fold`.
    scale : float
        Factor of the variances.
    variances : float32, (nvariances, ny, nx), or empty
        Written.
    error : float32, (ny, nx)
        Written.
    """
    nan = np.float32(np.nan)
    for y in range(error.shape[0]):
        whole = error[y]
        whole[:] = nan
        for plane in range(weighted.shape[0]):
            sums, below = weighted[plane, y], total[min(plane, total.shape[0] - 1), y]
            out = variances[min(plane, variances.shape[0] - 1), y] if variances.size else whole
            for x in range(whole.shape[0]):
                w = np.float64(below[x])
                value = np.float32(sums[x] / w / w * scale) if w > 0.0 else nan
                if variances.size:
                    out[x] = value
                before = whole[x]
                # what isn't known counts as 0 beside what is
                whole[x] = (
                    before if value != value else (value if before != before else before + value)
                )
        for x in range(whole.shape[0]):
            whole[x] = np.sqrt(whole[x])
