"""Subtract one image from every group: superbias."""

from numba import njit

from calwebb_detector1.kernels.types import Float32, Scalar


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def subtract_value(value: float, offset: float) -> Scalar:
    """Return a sample with an offset taken away."""
    return value - offset


@njit(cache=True, nogil=True, error_model="numpy")
def subtract_image(data: Float32, image: Float32) -> None:
    """Subtract `image` (ny, nx) from every group of `data` (nints, ngroups, ny, nx) in place."""
    nints, ngroups, ny, nx = data.shape
    for y in range(ny):
        for i in range(nints):
            for g in range(ngroups):
                for x in range(nx):
                    data[i, g, y, x] = subtract_value(data[i, g, y, x], image[y, x])


@njit(cache=True, nogil=True, error_model="numpy")
def subtract_image_from_zeroframe(zeroframe: Float32, image: Float32) -> None:
    """Subtract `image` from `zeroframe` (nints, ny, nx) in place; zero, which means bad, stays."""
    nints, ny, nx = zeroframe.shape
    for y in range(ny):
        for i in range(nints):
            for x in range(nx):
                if zeroframe[i, y, x] != 0:
                    zeroframe[i, y, x] = subtract_value(zeroframe[i, y, x], image[y, x])
