"""Loops that describe stars: moments as IRAF's starfind, marginal sums as DAOFIND."""

import math

import numpy as np
from numba import njit


@njit(cache=True, nogil=True, error_model="numpy")
def cut(image, y, x, out):
    """Copy the square around a pixel; zero beyond the edges."""
    ny, nx = image.shape
    ry, rx = out.shape[0] // 2, out.shape[1] // 2
    for j in range(out.shape[0]):
        for i in range(out.shape[1]):
            v, u = y + j - ry, x + i - rx
            inside = 0 <= v < ny and 0 <= u < nx
            out[j, i] = np.float64(image[v, u]) if inside else 0.0


@njit(cache=True, nogil=True, error_model="numpy")
def moment_shapes(image, peaks, inner, fwhm, out):
    """Describe stars by moments of what stands above the local sky, as IRAF's starfind.

    Parameters
    ----------
    image : float32, (ny, nx)
    peaks : int64, (n, 2)
        x, y.
    inner : bool, (side, side)
        Pixels of the star; the others of the square are sky.
    fwhm : float
        Of the kernel, the unit of the sharpness.
    out : float64, (n, 6)
        x, y, flux, peak, sharpness, roundness; NaN where fewer than two pixels are positive.
    """
    side = inner.shape[0]
    half = side // 2
    square = np.empty((side, side))
    for k in range(peaks.shape[0]):
        cut(image, peaks[k, 1], peaks[k, 0], square)
        sky, count = 0.0, 0
        for j in range(side):
            for i in range(side):
                if not inner[j, i]:
                    sky += square[j, i]
                    count += 1
        sky /= count
        flux, sx, sy, peak, positive = 0.0, 0.0, 0.0, 0.0, 0
        for j in range(side):
            for i in range(side):
                value = square[j, i] - sky if inner[j, i] else 0.0
                value = max(value, 0.0)
                square[j, i] = value
                flux += value
                sx += value * i
                sy += value * j
                peak = max(peak, value)
                positive += value > 0
        if positive < 2:
            out[k] = np.nan
            continue
        cx, cy = sx / flux, sy / flux
        xx, yy, xy = 0.0, 0.0, 0.0
        for j in range(side):
            for i in range(side):
                xx += square[j, i] * (i - cx) ** 2
                yy += square[j, i] * (j - cy) ** 2
                xy += square[j, i] * (i - cx) * (j - cy)
        width = 2.0 * math.sqrt(math.log(2.0) * (xx + yy) / flux)
        out[k, 0] = peaks[k, 0] + cx - half
        out[k, 1] = peaks[k, 1] + cy - half
        out[k, 2] = flux
        out[k, 3] = peak
        out[k, 4] = width / fwhm
        out[k, 5] = math.sqrt((xx - yy) ** 2 + 4.0 * xy * xy) / (xx + yy)


@njit(cache=True, nogil=True, error_model="numpy")
def marginal_sums(square, sums):
    """Sum a square over its first axis with weights that fall linearly from the middle."""
    side = square.shape[0]
    half = side // 2
    for i in range(side):
        sums[i] = 0.0
        for j in range(side):
            sums[i] += square[j, i] * (half - abs(j - half) + 1.0)


@njit(cache=True, nogil=True, error_model="numpy")
def marginal_height(sums, profile):
    """Return the height of a profile on a constant that fits a marginal sum, by least squares.

    The weights fall linearly from the middle (Stetson 1987).
    """
    n = sums.shape[0]
    half = n // 2
    w, p, pp, d, dp = 0.0, 0.0, 0.0, 0.0, 0.0
    for i in range(n):
        weight = half - abs(i - half) + 1.0
        w += weight
        p += weight * profile[i]
        pp += weight * profile[i] * profile[i]
        d += weight * sums[i]
        dp += weight * sums[i] * profile[i]
    above, below = dp - d * p / w, pp - p * p / w
    return above / below if above > 0 and below > 0 else np.nan


@njit(cache=True, nogil=True, error_model="numpy")
def symmetry(square):
    """Return how much four quadrants differ from symmetry about the middle, over their sum."""
    half = square.shape[0] // 2
    two, four = 0.0, 0.0
    for j in range(square.shape[0]):
        for i in range(square.shape[1]):
            if j == half and i == half:
                continue
            value = square[j, i]
            four += abs(value)
            if (j <= half and i > half) or (j >= half and i < half):
                two -= value
            else:
                two += value
    return 2.0 * two / four if four > 0 else np.nan


@njit(cache=True, nogil=True, error_model="numpy")
def filter_shapes(image, convolved, peaks, inner, gauss, out):
    """Describe stars as DAOFIND does (Stetson 1987, PASP 99, 191).

    Parameters
    ----------
    image, convolved : float32, (ny, nx)
    peaks : int64, (n, 2)
        x, y.
    inner : bool, (side, side)
        Pixels of the star.
    gauss : float64, (side, side)
        Of height 1 in the middle.
    out : float64, (n, 7)
        x, y (whole pixels), flux, peak, sharpness and both roundnesses; NaN where a marginal
        sum has no peak.
    """
    side = inner.shape[0]
    half = side // 2
    square = np.empty((side, side))
    sums, profile = np.empty(side), np.empty(side)
    marginal_sums(gauss, profile)
    for k in range(peaks.shape[0]):
        x, y = peaks[k, 0], peaks[k, 1]
        cut(convolved, y, x, square)
        out[k, 5] = symmetry(square)
        height = square[half, half]
        cut(image, y, x, square)
        flux, around, count = 0.0, 0.0, 0
        for j in range(side):
            for i in range(side):
                flux += square[j, i]
                if inner[j, i]:
                    around += square[j, i]
                    count += 1
        peak = square[half, half]
        marginal_sums(square, sums)
        hx = marginal_height(sums, profile)
        marginal_sums(square.T, sums)
        hy = marginal_height(sums, profile)
        out[k, 0], out[k, 1], out[k, 2], out[k, 3] = x, y, flux, peak
        out[k, 4] = (peak - (around - peak) / (count - 1)) / height
        out[k, 6] = 2.0 * (hx - hy) / (hx + hy)
