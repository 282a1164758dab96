"""The median of aligned exposures on a common grid, and what differs from it in an exposure."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calwebb_core.framework.exposures import Exposure
from calwebb_core.framework.planes import Plane, Store
from calwebb_core.framework.threads import in_threads, number_of_threads
from calwebb_core.science.blot import blot, rows_to_blot
from calwebb_core.science.drizzling import bands, drizzle_layer
from calwebb_core.science.drop_shapes import Drop
from calwebb_core.science.pixelmap import PixelMap
from calwebb_core.science.weights import typical_weight, weighed_rows
from calwebb_level3.kernels.outliers import exceed, median_stack, near_hits, take_layer, usual_slope

Float32 = NDArray[np.float32]
UInt8 = NDArray[np.uint8]

# Two values differ by more than noise explains beyond this many standard deviations. With more
# exposures two cosmic rays have to meet, and stars of different phase differ as much.
PAIR_LIMIT = 2.5
PATIENCE = 1.6
# Multiple of the Laplacian that is taken off: twice what makes up for the mean blur of drizzling
# (a variance of 1/6 square pixel on each axis) and a little more, since stars that fall on the
# middle of a pixel are sharper than the mean.
SHARPNESS = 1.0 / 3.0
# The noise of the model is taken off its slope, at most so many standard deviations of the data.
MOST_NOISE = 1.0
STRIDE = 13  # of the pixels that the usual slope is measured from
# What a pixel of a band takes beside the stack: sums of drizzling, weight, variance, count.
BAND_PIXEL_BYTES = 40
# More threads than these share the memory of as many bands.
MOST_BANDS = 4


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
class Layer:
    """The exposures of a group, which make one layer of the stack.

    Attributes
    ----------
    exposures : list of Exposure
    pixmaps : list of PixelMap
    levels : list of float
        Sky level to subtract from each.
    least : float
        Least weight of a pixel of the layer.
    """

    exposures: list[Exposure]
    pixmaps: list[PixelMap]
    levels: list[float]
    least: float

    @classmethod
    def of(
        cls,
        exposures: list[Exposure],
        pixmaps: list[PixelMap],
        levels: list[float],
        how: Drizzling,
    ) -> "Layer":
        """Return a layer; the weights of its exposures are read once."""
        # The mean weight is the exposures', not the band's: a band must not shift the limit.
        mean = typical_weight(exposures, pixmaps, how.weight_type, how.good_bits)
        return cls(exposures, pixmaps, levels, how.maskpt * mean)


def median_plane(layers: Sequence[Layer], how: Drizzling, store: Store) -> Plane:
    """Return the median over layers on a grid, made in bands of rows.

    Parameters
    ----------
    layers : sequence of Layer
    how : Drizzling
    store : Store

    Returns
    -------
    Plane of float32, (ny, nx)
        NaN where no layer has enough weight.
    """
    shape = layers[0].pixmaps[0].grid_shape
    plane = store.plane(shape, np.float32)

    def fill(rows: slice) -> None:
        plane.write(rows, median_band(layers, rows, how))

    in_threads(fill, bands_of(shape, len(layers)))
    return plane


def bands_of(shape: tuple[int, int], depth: int) -> list[slice]:
    """Return bands of rows such that the stacks of all threads take a bounded memory."""
    crowd = max(1.0, number_of_threads() / MOST_BANDS)
    return bands(shape, int(crowd * (4 * depth + BAND_PIXEL_BYTES)))


def median_band(layers: Sequence[Layer], rows: slice, how: Drizzling) -> Float32:
    """Return the median over layers in a band of rows of the grid, float32 (n, nx)."""
    shape = rows.stop - rows.start, layers[0].pixmaps[0].grid_shape[1]
    stack = np.empty((len(layers), *shape), np.float32)
    variance, count = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
    drop = Drop(how.kernel, how.pixfrac)
    for number, layer in enumerate(layers):
        stack[number], weight = drizzle_layer(
            layer.exposures, layer.pixmaps, layer.levels, rows, drop,
            weight_type=how.weight_type, good_bits=how.good_bits,
        )  # fmt: skip
        take_layer(stack[number], weight, layer.least, variance, count)
    return median_of_stack(stack, variance, count, how)


def median_of_stack(stack: Float32, variance: Float32, count: Float32, how: Drizzling) -> Float32:
    """Return the median of a stack, float32 (ny, nx), whose variances were added up."""
    if how.weight_type == "ivm":
        np.divide(variance, count, out=variance, where=count > 0)
        np.sqrt(np.float32(2.0 * PAIR_LIMIT**2) * variance, out=variance)
    else:
        variance[:] = np.inf
    median_stack(stack, variance, PATIENCE, count)
    return count


def pixel_median(
    exposures: Sequence[Exposure], levels: Sequence[float], how: Drizzling, store: Store
) -> Plane:
    """Return the median of the same detector pixels of exposures of one shape.

    Parameters
    ----------
    exposures : sequence of Exposure
    levels : sequence of float
        Sky level to subtract from each.
    how : Drizzling
        Only its weights count.
    store : Store
    """
    shape = exposures[0].shape
    plane = store.plane(shape, np.float32)
    columns = (0, shape[1])
    least = [how.maskpt * mean_weight(exposure, how) for exposure in exposures]

    def fill(rows: slice) -> None:
        part = rows.stop - rows.start, shape[1]
        stack = np.empty((len(exposures), *part), np.float32)
        for number, (exposure, level) in enumerate(zip(exposures, levels, strict=True)):
            stack[number], weight = weighed_rows(
                exposure, rows, columns, how.weight_type, how.good_bits, level
            )
            stack[number][weight <= least[number]] = np.nan
        out = np.empty(part, np.float32)
        median_stack(stack, np.full(part, np.inf, np.float32), PATIENCE, out)
        plane.write(rows, out)

    in_threads(fill, bands_of(shape, len(exposures)))
    return plane


def mean_weight(exposure: Exposure, how: Drizzling, step: int = 256) -> float:
    """Return the mean weight of the usable pixels of an exposure; infinite if there are none."""
    total, count = 0.0, 0
    for start in range(0, exposure.shape[0], step):
        rows = slice(start, min(start + step, exposure.shape[0]))
        columns = (0, exposure.shape[1])
        weight = weighed_rows(exposure, rows, columns, how.weight_type, how.good_bits)[1]
        total += float(weight.sum(dtype=np.float64))
        count += int(np.count_nonzero(weight))
    return total / count if count else np.inf


def seen_by(exposure_map: PixelMap, median: Plane) -> Float32:
    """Return the median as an exposure sees it, float32 (ny, nx)."""
    needed = rows_to_blot(exposure_map)
    return blot(median.read(needed), exposure_map, origin=(needed.start, 0))


def find_outliers(
    data: Float32,
    model: Float32,
    err: Float32,
    *,
    snr: tuple[float, float],
    scale: tuple[float, float],
    sharpness: float = SHARPNESS,
) -> tuple[UInt8, int]:
    """Return 1 where an image differs from the model by more than noise and slope explain.

    First pass: ``difference > scale[0] * slope + snr[0] * err``, with the slope the largest
    difference of the model's pixel to its four neighbours, less what noise makes of it, and the
    difference counted from the range between the model and the sharpened model. Second pass: the
    same with the second, tighter pair, in the 3 x 3 pixels around a hit of the first.

    Parameters
    ----------
    data, model, err : float32, (ny, nx)
        NaN pixels are not flagged.
    snr, scale : (float, float)
    sharpness : float
        Multiple of the model's Laplacian that the sharpened one has less.

    Returns
    -------
    uint8, (ny, nx)
    int
        How many pixels could be tested.

    Raises
    ------
    ValueError
        If the shapes differ.
    """
    if not data.shape == model.shape == err.shape:
        msg = f"data, model and err have shapes {data.shape}, {model.shape}, {err.shape}"
        raise ValueError(msg)
    first, second, hits = (np.empty(data.shape, np.uint8) for _ in range(3))
    data, model, err = (np.ascontiguousarray(a, np.float32) for a in (data, model, err))
    noise = min(MOST_NOISE, float(usual_slope(model, err, STRIDE)))
    limits = np.array([snr[0], scale[0], snr[1], scale[1], sharpness, noise], np.float32)
    tested = exceed(data, model, err, limits, first, second)
    near_hits(first, second, hits)
    return hits, tested


def beyond_noise(data: Float32, model: Float32, err: Float32, snr: float) -> tuple[UInt8, int]:
    """Return 1 where an image differs from a model by more than noise explains.

    Parameters
    ----------
    data, model, err : float32, (ny, nx)
        NaN pixels are not flagged.
    snr : float

    Returns
    -------
    uint8, (ny, nx)
    int
        How many pixels could be tested.
    """
    difference = np.abs(data - model)
    hits = (difference > np.float32(snr) * err).astype(np.uint8)
    return hits, int(np.count_nonzero(np.isfinite(difference)))
