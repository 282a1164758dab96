"""Where a star is in each integration, and how wide it is."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Float64 = NDArray[np.float64]
NOTHING = (np.nan, np.nan)


@dataclass(frozen=True)
class Box:
    """A square window: its first column and row, and the one behind its last."""

    left: int
    bottom: int
    right: int
    top: int


def box_around(x: float, y: float, width: int, shape: tuple[int, int]) -> Box:
    """Return the window of a width around a place, as far as it is in the image."""
    half, column, row = width // 2, round(x), round(y)
    left, bottom = max(column - half, 0), max(row - half, 0)
    right, top = min(column + half + 1, shape[1]), min(row + half + 1, shape[0])
    return Box(left, bottom, max(right, left), max(top, bottom))


def above_background(image: Float64, box: Box, x: float, y: float, radius: float) -> Float64:
    """Return a window less the median of its pixels outside the star; NaN becomes 0."""
    part = image[box.bottom : box.top, box.left : box.right]
    rows, columns = np.mgrid[box.bottom : box.top, box.left : box.right]
    outside = (np.hypot(columns - x, rows - y) > radius) & np.isfinite(part)
    level = np.median(part[outside]) if outside.any() else 0.0
    return np.where(np.isfinite(part), part - level, 0.0)


def centre_of_light(
    image: Float64, place: tuple[float, float], width: int, radius: float
) -> tuple[float, float]:
    """Return the centre of the light in a window around a place; NaN if there is none."""
    x, y = place
    if not np.isfinite(x + y):
        return NOTHING
    box = box_around(x, y, width, (image.shape[0], image.shape[1]))
    part = above_background(image, box, x, y, radius)
    total = part.sum()
    if part.size == 0 or not total > 0:
        return NOTHING
    found_x = float(np.sum(part * np.arange(box.left, box.right)) / total)
    found_y = float(np.sum(part * np.arange(box.bottom, box.top)[:, None]) / total)
    inside = box.left <= found_x < box.right and box.bottom <= found_y < box.top
    return (found_x, found_y) if inside else NOTHING


def width_and_flux(
    image: Float64, place: tuple[float, float], width: int, radius: float
) -> tuple[float, float, float]:
    """Return the widths of the star along x and y and its flux, from Gaussians.

    They are fitted to the light of the window added up along either axis.

    Returns
    -------
    float, float, float
        Standard deviations in pixels, sum of the pixels; NaN where the fit fails.
    """
    from calwebb_core.science.kernels.gaussian_fit import fit_gaussian

    x, y = place
    if not np.isfinite(x + y):
        return (np.nan,) * 3
    box = box_around(x, y, width, (image.shape[0], image.shape[1]))
    part = above_background(image, box, x, y, radius)
    widths, fluxes = [], []
    for axis, first, centre in ((0, box.left, x), (1, box.bottom, y)):
        light = np.ascontiguousarray(part.sum(axis=axis))
        places = np.arange(first, first + len(light), dtype=np.float64)
        amplitude, _, sigma = fit_gaussian(places, light, (float(light.max()), centre, 1.5))
        widths.append(float(sigma))
        fluxes.append(float(amplitude * sigma * np.sqrt(2 * np.pi)))
    return widths[0], widths[1], 0.5 * (fluxes[0] + fluxes[1])
