"""The median of aligned exposures on a common grid, and its look in each exposure's pixels."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from drizzle.resample import Drizzle, blot_image
from numpy.typing import NDArray
from scipy.ndimage import minimum_filter

from calwebb_core.framework.models import Image
from calwebb_core.science.resample import input_weight, pixel_map
from calwebb_level3.kernels.outliers import exceed, median_stack, near_hits

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]
UInt8 = NDArray[np.uint8]

# Bytes that the stack of resampled exposures may take; larger mosaics are made in bands of rows.
STACK_BYTES = 1 << 30
# Two values differ by more than noise explains beyond this many standard deviations.
PAIR_LIMIT = 4.0


@dataclass(frozen=True)
class Drizzling:
    """How exposures are put on the grid.

    Attributes
    ----------
    pixfrac, kernel, weight_type, good_bits
        As in `calwebb_core.science.resample.Mosaic`.
    maskpt : float
        Least weight of a pixel in units of its exposure's mean weight.
    """

    pixfrac: float = 1.0
    kernel: str = "square"
    weight_type: str = "ivm"
    good_bits: str = "~DO_NOT_USE"
    maskpt: float = 0.7


@dataclass(frozen=True)
class Source:
    """One exposure: image, its place on the grid, and the sky level to take off."""

    image: Image
    pixmap: Float64
    weight: Float32
    level: float

    @classmethod
    def of(cls, image: Image, grid: Any, level: float, how: Drizzling) -> "Source":
        """Prepare an exposure for a grid (a gwcs.WCS with ``pixel_shape``)."""
        pixmap = pixel_map(image.wcs, grid, image.data.shape)
        weight = input_weight(image, how.weight_type, how.good_bits)
        weight[~np.isfinite(pixmap).all(axis=-1)] = 0
        return cls(image, pixmap, weight, level)


def median_image(
    groups: Sequence[Sequence[Image]], levels: Sequence[Sequence[float]], grid: Any, how: Drizzling
) -> Float32:
    """Return the median over groups of exposures on a grid.

    Parameters
    ----------
    groups : sequence of sequence of Image
        The images of a group are drizzled into one layer of the stack.
    levels : sequence of sequence of float
        Sky level to subtract from each image.
    grid : gwcs.WCS
        With ``pixel_shape``.
    how : Drizzling

    Returns
    -------
    float32, (ny, nx)
        NaN where no exposure has enough weight.
    """
    nx, ny = grid.pixel_shape
    result = np.empty((ny, nx), np.float32)
    rows = max(1, STACK_BYTES // (4 * nx * len(groups)))
    for start in range(0, ny, rows):
        band = slice(start, min(ny, start + rows))
        stack, noise = band_stack(groups, levels, grid, band, how)
        median_stack(stack, noise, result[band])
    return result


def band_stack(
    groups: Sequence[Sequence[Image]],
    levels: Sequence[Sequence[float]],
    grid: Any,
    band: slice,
    how: Drizzling,
) -> tuple[Float32, Float32]:
    """Return the groups' layers in a band of rows, float32 (n, rows, nx), and the pair limit."""
    shape = (band.stop - band.start, int(grid.pixel_shape[0]))
    stack = np.empty((len(groups), *shape), np.float32)
    variance, count = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
    for layer, images, group_levels in zip(stack, groups, levels, strict=True):
        sources = [Source.of(i, grid, s, how) for i, s in zip(images, group_levels, strict=True)]
        weight = drizzle_layer(sources, band, layer, how)
        np.divide(1.0, weight, out=weight, where=weight > 0)
        variance += weight
        count += weight > 0
    if how.weight_type != "ivm":
        return stack, np.full(shape, np.inf, np.float32)
    np.divide(variance, count, out=variance, where=count > 0)
    limit = np.float32(PAIR_LIMIT) * np.sqrt(np.float32(2.0) * variance)
    return stack, limit.astype(np.float32)


def drizzle_layer(
    sources: Sequence[Source], band: slice, layer: Float32, how: Drizzling
) -> Float32:
    """Drizzle one group into a band; NaN where its weight is too small. Return the weight."""
    drizzle = Drizzle(kernel=how.kernel, fillval="nan", out_shape=layer.shape, disable_ctx=True)
    for source in sources:
        pixmap = source.pixmap
        reach = np.any((pixmap[..., 1] > band.start - 4) & (pixmap[..., 1] < band.stop + 4), axis=1)
        if not reach.any():
            continue
        first, last = np.flatnonzero(reach)[[0, -1]]
        rows = slice(int(first), int(last) + 1)
        data = np.where(
            source.weight[rows] > 0, source.image.data[rows] - np.float32(source.level), 0
        )
        drizzle.add_image(
            data.astype(np.float32),
            exptime=1.0,
            pixmap=np.ascontiguousarray(pixmap[rows] - np.array([0.0, float(band.start)])),
            weight_map=source.weight[rows],
            pixfrac=how.pixfrac,
            in_units="cps",
        )
    weight = np.asarray(drizzle.out_wht, np.float32)
    # The mean weight is the inputs', not the band's: a band must not shift the limit.
    limit = how.maskpt * typical_weight(sources)
    enough = weight > limit
    layer[...] = np.where(enough, drizzle.out_img, np.float32(np.nan))
    weight[~enough] = 0
    return weight


def typical_weight(sources: Sequence[Source]) -> float:
    """Return the mean weight of the usable pixels of a group."""
    total = sum(float(np.sum(source.weight, dtype=np.float64)) for source in sources)
    count = sum(int(np.count_nonzero(source.weight)) for source in sources)
    return total / count if count else math.inf


def blot(model: Float32, pixmap: Float64) -> Float32:
    """Return an image on a grid as another image's pixels see it.

    A polynomial of fifth order keeps the cores of undersampled stars (with linear
    interpolation their peaks are lost and the stars are taken for outliers); where one of its
    6 x 6 pixels is unknown the nearest four are interpolated linearly.

    Parameters
    ----------
    model : float32, (ny, nx)
        NaN where unknown.
    pixmap : float64, (my, mx, 2)
        Where each pixel of the result lies in `model`.

    Returns
    -------
    float32, (my, mx)
        NaN outside of `model` and next to its unknown pixels.
    """
    known = np.isfinite(model)
    filled = np.where(known, model, np.float32(0))
    inside = np.asarray(np.isfinite(pixmap).all(axis=-1))
    places = np.where(inside[..., np.newaxis], pixmap, -1e3)
    result = np.full(pixmap.shape[:2], np.nan, np.float32)
    for interpolation, reach in (("linear", 1), ("poly5", 3)):
        usable = all_known(known, places, reach)
        values = blot_image(filled, places, fillval=np.nan, interp=interpolation)
        np.copyto(result, values, where=usable)
    return result


def all_known(known: NDArray[np.bool_], places: Float64, reach: int) -> NDArray[np.bool_]:
    """Return whether the ``2 reach`` by ``2 reach`` grid pixels around each place are known.

    Parameters
    ----------
    known : bool, (ny, nx)
    places : float64, (my, mx, 2)
    reach : int
    """
    size = 2 * reach
    # Pixel (y, x) of `block` stands for rows y - reach + 1 to y + reach, columns likewise.
    block = minimum_filter(
        known.view(np.uint8), size=size, origin=(-1, -1), mode="constant", cval=0
    )
    ny, nx = known.shape
    x, y = (np.floor(places[..., axis]).astype(np.int64) for axis in (0, 1))
    inside = (x >= 0) & (y >= 0) & (x < nx) & (y < ny)
    return np.asarray(inside & (block[np.clip(y, 0, ny - 1), np.clip(x, 0, nx - 1)] > 0))


def find_outliers(
    data: Float32,
    model: Float32,
    err: Float32,
    *,
    snr: tuple[float, float],
    scale: tuple[float, float],
) -> UInt8:
    """Return 1 where an image differs from the model by more than noise and slope explain.

    First pass: ``|data - model| > scale[0] * slope + snr[0] * err``, with the slope the largest
    difference of the model's pixel to its eight neighbours. Second pass: the same with the
    second, tighter pair, in the 3 x 3 pixels around a hit of the first.

    Parameters
    ----------
    data, model, err : float32, (ny, nx)
        NaN pixels are not flagged.
    snr, scale : (float, float)

    Returns
    -------
    uint8, (ny, nx)

    Raises
    ------
    ValueError
        If the shapes differ.
    """
    if not data.shape == model.shape == err.shape:
        msg = f"data, model and err have shapes {data.shape}, {model.shape}, {err.shape}"
        raise ValueError(msg)
    first, second, hits = (np.empty(data.shape, np.uint8) for _ in range(3))
    limits = np.array([snr[0], scale[0], snr[1], scale[1]], np.float32)
    exceed(
        *(np.ascontiguousarray(a, np.float32) for a in (data, model, err)), limits, first, second
    )
    near_hits(first, second, hits)
    return hits
