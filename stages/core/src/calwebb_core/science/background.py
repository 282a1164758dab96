"""The smooth background of an image: one level, or a map of boxes.

A map is the 3-sigma clipped median of every box, without boxes of which a tenth is masked or
clipped (or, if no other is left, half). Those get the mean of their ten nearest neighbours,
weighted by inverse distance. A median over 5 x 5 boxes and cubic splines through the centres
follow, within the range of the boxes. This is the method of SExtractor (Bertin and Arnouts 1996
A&AS 117 393) in the form that photutils gave it.
"""

import logging
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from calwebb_core.framework.models import Float32
from calwebb_core.science.clipping import (
    CLIP,
    ROUNDS,
    background_limits,
    restrict,
    sorted_values,
    within,
)
from calwebb_core.science.kernels.order_statistics import box_medians, middle

logger = logging.getLogger(__name__)

Mask = NDArray[np.bool_]
Boxes = TypeVar("Boxes", NDArray[np.float32], NDArray[np.float64])
LARGEST_BOX = 32
KEPT_FRACTIONS = (0.9, 0.5)
NEIGHBOURS = 10
SMOOTHING = 5


def default_box(shape: tuple[int, int]) -> tuple[int, int]:
    """Return the largest box up to 32 x 32 pixels that divides an image evenly."""
    ny, nx = (
        max(size for size in range(1, LARGEST_BOX + 1) if length % size == 0) for length in shape
    )
    return ny, nx


def background_level(image: Float32, mask: Mask) -> np.float32:
    """Return the median of the background, after clipping by the lower half of the values.

    Parameters
    ----------
    image : float32, (ny, nx)
    mask : bool, (ny, nx), which pixels are background, none of them NaN; clipped in place
    """
    values = sorted_values(image, mask)
    limits = background_limits(values, CLIP, CLIP, lower_half=True)
    restrict(mask, image, limits)
    return level_of(within(values, limits))


def level_of(values: Float32) -> np.float32:
    """Return the median of sorted values, 0 if there is none."""
    return np.float32(middle(values, 0, len(values)) if len(values) else 0.0)


def background_map(image: Float32, mask: Mask, box: tuple[int, int] | None = None) -> Float32:
    """Return a smooth map of the background; its level everywhere where no box can be used.

    Parameters
    ----------
    image : float32, (ny, nx)
    mask : bool, (ny, nx), which pixels are background, none of them NaN; clipped in place
    box : rows and columns of a box; by default up to 32 that divide the image evenly
    """
    level = background_level(image, mask)
    return smooth_map(image, mask, level, box)


def smooth_map(
    image: Float32, mask: Mask, level: np.float32, box: tuple[int, int] | None = None
) -> Float32:
    """Return a smooth map of the pixels in a mask; `level` where no box can be used."""
    rows, columns = box or default_box((image.shape[0], image.shape[1]))
    for fraction in KEPT_FRACTIONS:
        least = fraction * rows * columns
        boxes = box_medians(image, mask, (rows, columns), CLIP, ROUNDS, least)
        if np.isfinite(boxes).any():
            return enlarge(smooth(fill(boxes)), (rows, columns), image.shape)
    logger.debug("no box of %d x %d pixels has enough background", rows, columns)
    return np.full(image.shape, level, np.float32)


def fill(boxes: Boxes) -> Boxes:
    """Return boxes with NaN replaced by their nearest neighbours' weighted mean."""
    good = np.isfinite(boxes)
    known, wanted = np.argwhere(good), np.argwhere(~good)
    values, filled = boxes[good].astype(np.float64), boxes.copy()
    for y, x in wanted:
        squares = (known[:, 0] - y) ** 2 + (known[:, 1] - x) ** 2
        nearest = np.argsort(squares, kind="stable")[:NEIGHBOURS]
        weights = 1.0 / np.sqrt(squares[nearest])
        filled[y, x] = np.sum(weights * values[nearest]) / np.sum(weights)
    return filled


def smooth(boxes: Float32) -> Float32:
    """Return the median of the 5 x 5 boxes around each, fewer at the border."""
    half = SMOOTHING // 2
    padded = np.pad(boxes, half, constant_values=np.nan)
    around = np.lib.stride_tricks.sliding_window_view(padded, (SMOOTHING, SMOOTHING))
    medians: Float32 = np.nanmedian(around, axis=(-2, -1)).astype(np.float32)
    return medians


def enlarge(boxes: Float32, box: tuple[int, int], shape: tuple[int, ...]) -> Float32:
    """Return values at the centres of boxes spread to all pixels by cubic splines."""
    from scipy.ndimage import zoom

    low, high = boxes.min(), boxes.max()
    if low == high:
        return np.full(shape, low, np.float32)
    image = zoom(boxes, box, order=3, mode="reflect", grid_mode=True)
    clipped: Float32 = np.clip(image[: shape[0], : shape[1]], low, high).astype(np.float32)
    return np.ascontiguousarray(clipped)
