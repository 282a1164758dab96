"""Convolution of the light-sensitive pixels with an inter-pixel capacitance kernel."""

import numpy as np
from numba import njit

from calwebb_detector1.kernels.types import Float32, Scalar


@njit(cache=True, nogil=True, error_model="numpy")
def convolve_pixel(
    image: Float32,
    kernel: Float32,
    y: int,
    x: int,
    bounds: tuple[int, int, int, int],
    ky: int,
    kx: int,
) -> Scalar:
    """Return one pixel convolved with the kernel at (`ky`, `kx`); nothing comes from outside.

    `kernel` is (kh, kw, my, mx), where my = mx = 1 for a kernel that is the same everywhere.
    """
    y0, y1, x0, x1 = bounds
    kh, kw = kernel.shape[0], kernel.shape[1]
    total = 0.0
    for j in range(kh):
        row = y + kh // 2 - j
        if row < y0 or row >= y1:
            continue
        for i in range(kw):
            column = x + kw // 2 - i
            if column >= x0 and column < x1:
                total += np.float64(kernel[j, i, ky, kx]) * image[row, column]
    return total


@njit(cache=True, nogil=True, error_model="numpy")
def convolve(
    image: Float32, kernel: Float32, bounds: tuple[int, int, int, int], out: Float32
) -> None:
    """Write into `out` the convolution of `image` (ny, nx) within `bounds` (y0, y1, x0, x1).

    Pixels outside of the bounds (reference pixels) are copied.
    """
    ny, nx = image.shape
    y0, y1, x0, x1 = bounds
    varies = kernel.shape[2] > 1
    for y in range(ny):
        for x in range(nx):
            if y < y0 or y >= y1 or x < x0 or x >= x1:
                out[y, x] = image[y, x]
            elif varies:
                out[y, x] = convolve_pixel(image, kernel, y, x, bounds, y, x)
            else:
                out[y, x] = convolve_pixel(image, kernel, y, x, bounds, 0, 0)
