"""The pixels of a picture: images read by rows and averaged down, cubes averaged."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calwebb_core.framework.errors import InputError
from calwebb_core.framework.fits_layout import Hdu, find
from calwebb_core.framework.fits_read import natural_dtype, read_rows, storage
from calwebb_core.framework.quicklook_page import LONGEST

Float32 = NDArray[np.float32]

BAND = 256  # rows in memory at a time
DO_NOT_USE, NON_SCIENCE = 1, 512


def picture(product: Path, hdus: list[Hdu], science: Hdu, *, labels: bool) -> tuple[Float32, int]:
    """Return the image to show and how many pixels were averaged along each axis.

    Returns
    -------
    image : float32 (ny, nx)
        NaN where there is nothing to show.
    factor : int
    """
    shape = science.shape
    if len(shape) not in (2, 3, 4) or 0 in shape:
        msg = f"{product}: SCI has shape {shape}; expected an image, a cube or ramps to show"
        raise InputError(msg)
    factor = -(-max(shape[-2:]) // LONGEST)
    quality = find(hdus, "DQ") or find(hdus, "WHT")
    if quality is not None and quality.shape != shape:
        quality = None
    if len(shape) == 4:
        last = shape[1] - 1
        planes = [binned(product, science, None, plane, factor) for plane in (0, last)]
        return planes[1] - planes[0] if last else planes[0], factor
    if len(shape) == 3:
        return mean_plane(product, science, quality, factor), factor
    return binned(product, science, quality, 0, factor, pick=labels), factor


def mean_plane(product: Path, science: Hdu, quality: Hdu | None, factor: int) -> Float32:
    """Return the mean of the planes of a cube, one in memory at a time."""
    total = np.zeros(())
    count = np.zeros((), np.int64)
    for plane in range(science.shape[0]):
        image = binned(product, science, quality, plane, factor)
        good = np.isfinite(image)
        total = total + np.where(good, image, 0)
        count = count + good
    return divide(total, count)


def binned(
    product: Path, science: Hdu, quality: Hdu | None, plane: int, factor: int, *, pick: bool = False
) -> Float32:
    """Read one plane by rows and average blocks of `factor` x `factor` usable pixels.

    With `pick`, one pixel of each block is taken, as labels cannot be averaged.
    """
    ny = science.shape[-2]
    step = factor * max(1, BAND // factor)
    rows: list[Float32] = []
    for y0 in range(0, ny, step):
        y1 = min(y0 + step, ny)
        block = rows_of(product, science, plane, y0, y1).astype(np.float32, copy=False)
        if pick:
            rows.append(block[::factor, ::factor])
            continue
        if quality is not None:
            block[unusable(rows_of(product, quality, plane, y0, y1), quality.name)] = np.nan
        rows.append(block_means(block, factor))
    return np.concatenate(rows)


def unusable(values: NDArray[Any], name: str) -> NDArray[np.bool_]:
    """Return where DQ has flags that forbid use, or where WHT is zero."""
    if name == "WHT":
        return np.asarray(values == 0)
    return np.asarray(values.astype(np.uint32) & np.uint32(DO_NOT_USE | NON_SCIENCE) != 0)


def block_means(values: Float32, factor: int) -> Float32:
    """Return the means of blocks of `factor` x `factor` pixels without NaN; NaN for an empty one.

    Blocks at the upper and right border may be smaller.
    """
    if factor == 1:
        return values
    good = np.isfinite(values)
    filled = np.where(good, values, np.float32(0))
    return divide(block_sums(filled, factor), block_sums(good.astype(np.float32), factor))


def block_sums(values: Float32, factor: int) -> Float32:
    """Return the sums of blocks of `factor` x `factor` pixels."""
    ny, nx = (-(-count // factor) * factor for count in values.shape)
    if (ny, nx) != values.shape:
        values = np.pad(values, ((0, ny - values.shape[0]), (0, nx - values.shape[1])))
    rows = values.reshape(ny // factor, factor, nx).sum(axis=1)
    return np.asarray(sum(rows[:, first::factor] for first in range(factor)), np.float32)


def divide(total: NDArray[Any], count: NDArray[Any]) -> Float32:
    """Return sums over counts as float32, NaN where the count is 0."""
    result = np.full(total.shape, np.nan, np.float64)
    np.divide(total, count, out=result, where=count > 0)
    return result.astype(np.float32)


def rows_of(product: Path, hdu: Hdu, plane: int, y0: int, y1: int) -> NDArray[Any]:
    """Read some rows of a plane of an array HDU."""
    first = plane * hdu.shape[-2]
    return read_rows(product, hdu, first + y0, first + y1, natural_dtype(storage(product, hdu)))
