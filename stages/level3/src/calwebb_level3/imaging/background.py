"""Smooth background of an image: clipped medians of boxes (photutils), joined by a spline."""

import warnings

import numpy as np
from astropy.stats import SigmaClip
from numpy.typing import NDArray
from photutils.background import Background2D, MedianBackground
from scipy.interpolate import RectBivariateSpline

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]
Bools = NDArray[np.bool_]

# A box in which more than this percentage is masked takes its level from its neighbours.
MOST_MASKED = 90.0


def measure_background(data: Float32, mask: Bools, boxsize: int) -> tuple[Float32, float]:
    """Return the background of an image, and the typical noise of a pixel.

    Parameters
    ----------
    data : float32, (ny, nx)
    mask : bool, (ny, nx)
        True where not to be used; not everywhere.
    boxsize : int
        Side of the boxes in pixels.

    Returns
    -------
    float32, (ny, nx)
    float
        Median of the boxes' standard deviations.
    """
    with warnings.catch_warnings():
        # Boxes without a usable pixel are interpolated over.
        warnings.simplefilter("ignore")
        boxes = Background2D(
            np.where(mask, np.float32(0), data),
            max(1, min(boxsize, *data.shape)),
            mask=mask,
            exclude_percentile=MOST_MASKED,
            sigma_clip=SigmaClip(sigma=3.0, maxiters=10),
            bkg_estimator=MedianBackground(),
        )
        mesh, noise = np.asarray(boxes.background_mesh, float), float(boxes.background_rms_median)
    return spread(mesh, tuple(boxes.box_size), data.shape), noise


def spread(mesh: Float64, box: tuple[int, ...], shape: tuple[int, ...]) -> Float32:
    """Return the values of boxes as a smooth image, constant beyond the outer centres.

    Parameters
    ----------
    mesh : float64, (my, mx)
    box : (int, int)
        Rows and columns of a box; the first one starts at pixel 0.
    shape : (ny, nx)
    """
    centres = [(np.arange(n) + 0.5) * side - 0.5 for n, side in zip(mesh.shape, box, strict=True)]
    # A spline needs two nodes along each axis.
    for axis in (0, 1):
        if mesh.shape[axis] == 1:
            mesh = np.repeat(mesh, 2, axis=axis)
            centres[axis] = np.array([0.0, max(1.0, shape[axis] - 1.0)])
    degrees = [min(3, n - 1) for n in mesh.shape]
    spline = RectBivariateSpline(centres[0], centres[1], mesh, kx=degrees[0], ky=degrees[1])
    inside = [
        np.clip(np.arange(size), nodes[0], nodes[-1])
        for size, nodes in zip(shape, centres, strict=True)
    ]
    return np.asarray(spline(inside[0], inside[1]), np.float32)
