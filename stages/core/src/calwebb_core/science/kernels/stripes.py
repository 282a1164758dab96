"""Levels of lines of an image, and lines whose outliers are replaced."""

import numpy as np
from numba import njit

from calwebb_core.science.kernels.order_statistics import Bool, Float32, median_of

ZERO = np.float32(0.0)
SIGMA_OF_MAD = np.float32(1.4826)


@njit(cache=True, nogil=True, error_model="numpy")
def line_medians(image: Float32, mask: Bool, parts: int) -> Float32:
    """Return the median of every line and part of it; zero where no pixel counts.

    Parameters
    ----------
    image : float32, (nlines, n)
    mask : bool, (nlines, n), which pixels count; none of them NaN
    parts : into how many equal parts a line is cut

    Returns
    -------
    float32, (nlines, parts)
    """
    nlines, length = image.shape
    size = length // parts
    medians = np.zeros((nlines, parts), np.float32)
    values = np.empty(length, np.float32)
    for line in range(nlines):
        for part in range(parts):
            n = 0
            for x in range(part * size, (part + 1) * size):
                if mask[line, x]:
                    values[n] = image[line, x]
                    n += 1
            if n > 0:
                medians[line, part] = median_of(values, n)
    return medians


@njit(cache=True, nogil=True, error_model="numpy")
def without_outliers(image: Float32, mask: Bool, limit: float) -> Float32:
    """Return lines in which outliers are the line's median, and pixels outside the mask zero.

    An outlier is more than `limit` deviations from the median of its line; the deviation is
    1.4826 times the median absolute one.
    """
    nlines, length = image.shape
    filled = np.zeros((nlines, length), np.float32)
    values = np.empty(length, np.float32)
    for line in range(nlines):
        n = 0
        for x in range(length):
            if mask[line, x]:
                values[n] = image[line, x]
                n += 1
        if n == 0:
            continue
        center = median_of(values, n)
        for i in range(n):
            values[i] = abs(values[i] - center)
        reach = np.float32(limit) * SIGMA_OF_MAD * median_of(values, n)
        for x in range(length):
            if mask[line, x]:
                value = image[line, x]
                good = center - reach <= value <= center + reach
                filled[line, x] = value if good else center
    return filled
