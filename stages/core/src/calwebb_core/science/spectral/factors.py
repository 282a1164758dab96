"""Multiply a spectrum by a factor for each pixel: flux calibration, losses at the slit."""

import numpy as np
from numpy.typing import NDArray

from calwebb_core.framework.models import Image, UInt32
from calwebb_core.framework.threads import in_threads
from calwebb_core.science.flat import as_cube, row_bands
from calwebb_core.science.kernels.factors import multiply_by_map

Float64 = NDArray[np.float64]


def apply_factors(image: Image, factors: Float64, flags: UInt32 | None = None) -> None:
    """Multiply an image or a cube of integrations by a map of factors, in place.

    Variances are multiplied by its square. Afterwards NaN and DO_NOT_USE mean the same: a pixel
    with the flag is NaN in all arrays, and one that is NaN in any array has the flag.

    Parameters
    ----------
    image : Image
        2-D or 3-D; its data, err, dq and variances are changed.
    factors : float64, (ny, nx)
        NaN where there is none.
    flags : uint32, (ny, nx), optional
        Added to the flags of the image.

    Raises
    ------
    ValueError
        If the map has another shape than the image.
    """
    if factors.shape != image.data.shape[-2:]:
        msg = f"factors has shape {factors.shape}; the image has {image.data.shape[-2:]}"
        raise ValueError(msg)
    if image.dq is None:
        image.dq = np.zeros(image.data.shape, np.uint32)
    added = np.zeros(factors.shape, np.uint32) if flags is None else flags
    variances = (image.var_poisson, image.var_rnoise, image.var_flat)
    linear = tuple(as_cube(array) for array in (image.data, image.err))
    # a product without variances still needs arrays of their type for the kernel
    squared = tuple(as_cube(array) for array in variances if array is not None)
    squared = squared or (np.zeros_like(linear[0]),)
    dq = as_cube(image.dq)

    def multiply(rows: slice) -> None:
        multiply_by_map(linear, squared, dq, rows.start, factors[rows], added[rows])

    in_threads(multiply, row_bands(factors.shape[0]))
