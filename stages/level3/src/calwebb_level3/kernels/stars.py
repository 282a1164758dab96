"""Loops of the star finder: levels of boxes, matched filter, local maxima, shapes."""

import math

import numpy as np
from numba import njit

CLIP = 3.0
CLIPPINGS = 10


@njit(cache=True, nogil=True, error_model="numpy")
def select(values, n, k):
    """Return the k-th smallest of the first n values, which change places (Hoare 1961)."""
    low, high = 0, n - 1
    while low < high:
        pivot = values[(low + high) // 2]
        i, j = low, high
        while i <= j:
            while values[i] < pivot:
                i += 1
            while pivot < values[j]:
                j -= 1
            if i <= j:
                values[i], values[j] = values[j], values[i]
                i += 1
                j -= 1
        if k <= j:
            high = j
        elif k >= i:
            low = i
        else:
            break
    return values[k]


@njit(cache=True, nogil=True, error_model="numpy")
def clipped_level(values, n):
    """Return median and standard deviation of the first n values without outliers.

    Values further than three standard deviations from the median are left out, again and again
    until none is.

    Parameters
    ----------
    values : float32, (at least n,)
        Overwritten.
    n : int
        At least 1.
    """
    level, scatter = 0.0, 0.0
    for iteration in range(CLIPPINGS + 1):
        half = n // 2
        level = np.float64(select(values, n, half))
        if n % 2 == 0:
            below = values[0]
            for i in range(1, half):
                below = max(below, values[i])
            level = 0.5 * (level + below)
        total, square = 0.0, 0.0
        for i in range(n):
            difference = values[i] - level
            total += difference
            square += difference * difference
        scatter = math.sqrt(max(0.0, square / n - (total / n) ** 2))
        kept = 0
        for i in range(n):
            if abs(values[i] - level) <= CLIP * scatter:
                values[kept] = values[i]
                kept += 1
        if kept == n or kept == 0 or iteration == CLIPPINGS:
            break
        n = kept
    return level, scatter


@njit(cache=True, nogil=True, error_model="numpy")
def box_levels(data, bad, side, stride, least, levels, noises):
    """Measure level and noise of boxes.

    Parameters
    ----------
    data : float32, (ny, nx)
    bad : bool, (ny, nx)
    side : int
        Of a box; those at the upper edges may be cut.
    stride : int
        Of the pixels that are looked at, along both axes.
    least : float
        Fraction of a whole box's pixels that must be good.
    levels, noises : float64, (my, mx)
        Out; NaN for boxes with too few good pixels.
    """
    ny, nx = data.shape
    steps = (side + stride - 1) // stride
    values = np.empty(steps * steps, np.float32)
    for j in range(levels.shape[0]):
        for i in range(levels.shape[1]):
            n = 0
            for y in range(j * side, min(ny, (j + 1) * side), stride):
                for x in range(i * side, min(nx, (i + 1) * side), stride):
                    if not bad[y, x]:
                        values[n] = data[y, x]
                        n += 1
            if n > least * values.size:
                levels[j, i], noises[j, i] = clipped_level(values, n)
            else:
                levels[j, i] = np.nan
                noises[j, i] = np.nan


@njit(cache=True, nogil=True, error_model="numpy")
def subtract_rows(data, bad, rows, columns):
    """Subtract a separable surface; bad pixels become 0.

    Parameters
    ----------
    data : float32, (ny, nx)
        Changed in place.
    bad : bool, (ny, nx)
    rows : float32, (ny, m)
        The surface at the nodes of x, for each row.
    columns : float32, (m, nx)
        Weights of the nodes.
    """
    ny, nx = data.shape
    level = np.empty(nx, np.float32)
    for y in range(ny):
        level[:] = 0
        for k in range(rows.shape[1]):
            factor = rows[y, k]
            if factor != 0:
                weights = columns[k]
                for x in range(nx):
                    level[x] += factor * weights[x]
        values, out = data[y], bad[y]
        for x in range(nx):
            values[x] = np.float32(0) if out[x] else values[x] - level[x]


@njit(cache=True, nogil=True, error_model="numpy")
def correlate_row(data, y, kernel, line):
    """Correlate one row of an image, zero beyond its edges, with a kernel.

    Parameters
    ----------
    data : float32, (ny, nx)
    y : int
    kernel : float32, (2 ry + 1, 2 rx + 1)
    line : float32, (nx,)
        Out.
    """
    ny, nx = data.shape
    ry, rx = kernel.shape[0] // 2, kernel.shape[1] // 2
    line[:] = 0
    for j in range(kernel.shape[0]):
        v = y + j - ry
        if v < 0 or v >= ny:
            continue
        for i in range(kernel.shape[1]):
            factor = kernel[j, i]
            if factor == 0:
                continue
            shift = i - rx
            first, last = max(0, -shift), min(nx, nx - shift)
            if last > first:
                source, target = data[v, first + shift : last + shift], line[first:last]
                for x in range(last - first):
                    target[x] += factor * source[x]


@njit(cache=True, nogil=True, error_model="numpy")
def correlate(data, kernel, out):
    """Correlate an image, zero beyond its edges, with a kernel: `correlate_row` for all rows."""
    for y in range(data.shape[0]):
        correlate_row(data, y, kernel, out[y])


@njit(cache=True, nogil=True, error_model="numpy")
def local_maxima(image, bad, threshold, reach, peaks):
    """Find good pixels above a threshold that no pixel around exceeds.

    Parameters
    ----------
    image : float32, (ny, nx)
    bad : bool, (ny, nx)
    threshold : float32
    reach : int64, (n, 2)
        Steps in y and x that count as around.
    peaks : int64, (m, 2)
        Out: x, y, as many as there is room for.

    Returns
    -------
    int
        How many there are, also beyond the room.
    """
    ny, nx = image.shape
    count = 0
    for y in range(ny):
        row = image[y]
        for x in range(nx):
            if row[x] > threshold and not bad[y, x] and is_highest(image, y, x, reach):
                if count < peaks.shape[0]:
                    peaks[count, 0] = x
                    peaks[count, 1] = y
                count += 1
    return count


@njit(cache=True, nogil=True, error_model="numpy")
def is_highest(image, y, x, reach):
    """Say whether no pixel around exceeds this one."""
    ny, nx = image.shape
    value = image[y, x]
    for k in range(reach.shape[0]):
        v, u = y + reach[k, 0], x + reach[k, 1]
        if 0 <= v < ny and 0 <= u < nx and image[v, u] > value:
            return False
    return True


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
