"""Loops of the outlier detection: median of a stack, and the test of an image against it."""

import math

import numpy as np
from numba import njit, prange


@njit(cache=True, nogil=True, parallel=True)
def median_stack(stack, noise, out):
    """Take the median over images, ignoring NaN.

    Of two values that differ by more than the noise explains the lower one counts: their mean
    would carry half of a cosmic ray into both tests.

    Parameters
    ----------
    stack : float32, (n, ny, nx)
    noise : float32, (ny, nx)
        Difference of two values that noise doesn't explain; infinite to take the mean always.
    out : float32, (ny, nx)
        NaN where there is no value.
    """
    n, ny, nx = stack.shape
    for y in prange(ny):
        values = np.empty(n, np.float32)
        for x in range(nx):
            count = 0
            for k in range(n):
                value = stack[k, y, x]
                if not math.isnan(value):
                    # Insertion keeps the few values sorted.
                    place = count
                    while place > 0 and values[place - 1] > value:
                        values[place] = values[place - 1]
                        place -= 1
                    values[place] = value
                    count += 1
            if count == 0:
                out[y, x] = np.nan
            elif count % 2 == 1:
                out[y, x] = values[count // 2]
            elif count == 2 and values[1] - values[0] > noise[y, x]:
                out[y, x] = values[0]
            else:
                half = np.float32(0.5)
                out[y, x] = half * (values[count // 2 - 1] + values[count // 2])


@njit(cache=True, nogil=True)
def steepest(image, y, x):
    """Return the largest absolute difference of a pixel to its eight neighbours; NaN don't count.

    The diagonal ones matter: the peak of an undersampled star differs most along them.
    """
    ny, nx = image.shape
    centre = image[y, x]
    largest = np.float32(0)
    for v in range(max(0, y - 1), min(ny, y + 2)):
        for u in range(max(0, x - 1), min(nx, x + 2)):
            difference = abs(image[v, u] - centre)
            if difference > largest:
                largest = difference
    return largest


@njit(cache=True, nogil=True, parallel=True)
def exceed(data, model, err, limits, first, second):
    """Test every pixel against both limits on its difference to the model.

    Parameters
    ----------
    data, model, err : float32, (ny, nx)
    limits : float32, (4,)
        snr and scale of the first pass, snr and scale of the second.
    first, second : uint8, (ny, nx)
        1 where ``|data - model| > scale * slope + snr * err``; 0 where one of them is NaN.
    """
    ny, nx = data.shape
    for y in prange(ny):
        for x in range(nx):
            difference = abs(data[y, x] - model[y, x])
            slope = steepest(model, y, x)
            sigma = err[y, x]
            first[y, x] = difference > limits[1] * slope + limits[0] * sigma
            second[y, x] = difference > limits[3] * slope + limits[2] * sigma


@njit(cache=True, nogil=True, parallel=True)
def near_hits(first, second, hits):
    """Keep the pixels of the second pass that have one of the first among their 3 x 3.

    Parameters
    ----------
    first, second, hits : uint8, (ny, nx)
    """
    ny, nx = first.shape
    for y in prange(ny):
        for x in range(nx):
            hit = np.uint8(0)
            if second[y, x]:
                for v in range(max(0, y - 1), min(ny, y + 2)):
                    for u in range(max(0, x - 1), min(nx, x + 2)):
                        if first[v, u]:
                            hit = np.uint8(1)
            hits[y, x] = hit
