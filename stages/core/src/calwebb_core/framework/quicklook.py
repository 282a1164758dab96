"""A picture of a product to look at: stretched image, colour bar, sky axes, title.

Mosaics of any size are read by rows and averaged down first. The same product gives the same
PNG bytes.
"""

import io
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calwebb_core.framework.atomic import atomic_path
from calwebb_core.framework.errors import InputError
from calwebb_core.framework.fits_headers import metadata_from
from calwebb_core.framework.fits_layout import Hdu, find, require, scan
from calwebb_core.framework.fits_read import natural_dtype, read_into, storage
from calwebb_core.framework.quicklook_figure import DPI, draw

Float32 = NDArray[np.float32]

LARGEST = 1400  # pixels along an axis of the picture's data
DO_NOT_USE, NON_SCIENCE = 1, 512


def write_quicklook(product: Path, png: Path) -> None:
    """Draw a product as a PNG file.

    Images and mosaics are shown as they are, cubes as the mean of their integrations, ramps
    as the last group minus the first of the first integration, segmentation maps by label.

    Parameters
    ----------
    product : Path
        FITS product with a SCI extension.
    png : Path
        File to write, whole or not at all.

    Raises
    ------
    InputError
        If the product cannot be read or has no picture to show.
    """
    product = Path(product)
    hdus = scan(product)
    science = require(product, hdus, "SCI")
    metadata = metadata_from(product, {hdu.name: hdu.header for hdu in hdus})
    labels = metadata.get("DATAMODL") == "SegmentationMapModel"
    image, factor = picture(product, hdus, science, labels=labels)
    figure = draw(image, factor, science, metadata, labels=labels)
    buffer = io.BytesIO()
    # without the software's name and version the bytes depend on the picture only
    figure.savefig(buffer, format="png", dpi=DPI, metadata={"Software": None})
    with atomic_path(Path(png)) as temporary:
        temporary.write_bytes(buffer.getvalue())


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
    factor = -(-max(shape[-2:]) // LARGEST)
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
    rows: list[Float32] = []
    for y0 in range(0, ny, factor):
        y1 = min(y0 + factor, ny)
        block = read_rows(product, science, plane, y0, y1).astype(np.float32)
        if pick:
            rows.append(block[0, ::factor])
            continue
        if quality is not None:
            block[unusable(read_rows(product, quality, plane, y0, y1), quality.name)] = np.nan
        rows.append(average_columns(block, factor))
    return np.stack(rows)


def unusable(values: NDArray[Any], name: str) -> NDArray[np.bool_]:
    """Return where DQ has flags that forbid use, or where WHT is zero."""
    if name == "WHT":
        return np.asarray(values == 0)
    return np.asarray(values.astype(np.uint32) & np.uint32(DO_NOT_USE | NON_SCIENCE) != 0)


def average_columns(block: Float32, factor: int) -> Float32:
    """Return the mean of a block of rows over `factor` columns at a time, float32 (columns,)."""
    if factor == 1:
        return block.reshape(-1)
    width = -(-block.shape[1] // factor)
    padded = np.full((block.shape[0], width * factor), np.nan, np.float32)
    padded[:, : block.shape[1]] = block
    return mean(padded.reshape(block.shape[0], width, factor), (0, 2))


def mean(values: Float32, axis: int | tuple[int, ...]) -> Float32:
    """Return the mean without NaN; NaN where nothing is left."""
    good = np.isfinite(values)
    count = good.sum(axis=axis)
    return divide(np.where(good, values, 0).sum(axis=axis, dtype=np.float64), count)


def divide(total: NDArray[np.float64], count: NDArray[np.int64]) -> Float32:
    """Return sums over counts as float32, NaN where the count is 0."""
    result = np.full(total.shape, np.nan, np.float64)
    np.divide(total, count, out=result, where=count > 0)
    return result.astype(np.float32)


def read_rows(product: Path, hdu: Hdu, plane: int, y0: int, y1: int) -> NDArray[Any]:
    """Read some rows of a plane of an array HDU."""
    ny, nx = hdu.shape[-2:]
    stored = storage(product, hdu)
    offset = hdu.offset + (plane * ny + y0) * nx * stored.dtype.itemsize
    with product.open("rb") as stream:
        raw = read_into(stream, offset, (y1 - y0, nx), stored.dtype)
    return stored.convert(raw, natural_dtype(stored))
