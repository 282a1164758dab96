"""How much each pixel of an image counts in a mosaic, and which pixels don't count at all."""

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calwebb_core.framework.errors import InputError
from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.models import Float32, Image, UInt32
from calwebb_core.science.dq import bits_of
from calwebb_core.science.kernels.mosaic import weigh
from calwebb_core.science.pixelmap import PixelMap

GOOD_BITS = "~DO_NOT_USE+NON_SCIENCE"
WEIGHT_TYPES = ("ivm", "exptime")
# Bytes of an image's planes in memory at a time.
CHUNK_BYTES = 1 << 23
# Of a pixel: data, dq, three variances and their standard deviations, values, weight.
PIXEL_BYTES = 40


def counted_flags(good_bits: int | str) -> int:
    """Return the flags of pixels that are not used.

    Raises
    ------
    InputError
        If a name is not a flag.
    """
    try:
        ignored = bits_of(good_bits)
    except ValueError as error:
        msg = f"good_bits is {good_bits!r}; expected flag names of PixelDQ or a number ({error})"
        raise InputError(msg) from None
    return ~ignored & 0xFFFFFFFF


def good_mask(dq: UInt32, good_bits: int | str = GOOD_BITS) -> NDArray[np.bool_]:
    """Return where no flag is set other than those that are ignored.

    Parameters
    ----------
    dq : uint32, any shape
    good_bits : int or str
        Flags to ignore, as a number or by names as in ``"~DO_NOT_USE+NON_SCIENCE"`` (all but
        these).

    Raises
    ------
    InputError
        If a name is not a flag.
    """
    return np.asarray((dq & np.uint32(counted_flags(good_bits))) == 0)


def input_weight(
    image: Image, weight_type: str | None = "ivm", good_bits: int | str = GOOD_BITS
) -> Float32:
    """Return the weight of each pixel of an image in a mosaic.

    Parameters
    ----------
    image : Image
        Needs DQ; ``ivm`` uses VAR_RNOISE (all pixels weigh 1 without it).
    weight_type : {"ivm", "exptime"} or None
        1 / VAR_RNOISE, or the measuring time TMEASURE (XPOSURE where absent) in seconds, or 1.
    good_bits : int or str
        See `good_mask`; other flagged pixels and NaN pixels weigh 0.

    Returns
    -------
    float32, (ny, nx)

    Raises
    ------
    InputError
        If the image is not 2-D or the weight type is unknown.
    """
    from calwebb_core.framework.exposures import Exposure

    if image.data.ndim != 2:
        msg = f"{image.metadata.source}: SCI has {image.data.ndim} axes; resampling needs 2"
        raise InputError(msg)
    columns = (0, image.data.shape[1])
    return weighed_rows(Exposure.of(image), slice(None), columns, weight_type, good_bits)[1]


def weighed_rows(
    exposure: Any,
    rows: slice,
    columns: tuple[int, int],
    weight_type: str | None,
    good_bits: int | str,
    sky: float = 0.0,
) -> tuple[Float32, Float32]:
    """Return values and weights of some rows of an exposure; both are 0 for unusable pixels.

    Parameters
    ----------
    exposure : Exposure
    rows : slice
    columns : (int, int)
        First column to use and the one behind the last; others weigh 0.
    weight_type, good_bits
        As in `input_weight`.
    sky : float
        Level to subtract from the values.

    Returns
    -------
    float32, (n, nx), twice
    """
    values, weight = weighed(exposure, rows, slice(None), weight_type, good_bits, sky)
    for array in (values, weight):
        array[:, : columns[0]] = 0.0
        array[:, columns[1] :] = 0.0
    return values, weight


def weighed(
    exposure: Any,
    rows: slice,
    columns: slice,
    weight_type: str | None,
    good_bits: int | str,
    sky: float = 0.0,
) -> tuple[Float32, Float32]:
    """Return values and weights of some pixels of an exposure; both are 0 for unusable ones.

    Parameters
    ----------
    exposure : Exposure
    rows, columns : slice
        With step 1.
    weight_type, good_bits, sky
        As in `weighed_rows`.

    Returns
    -------
    float32, (n, m), twice
    """
    data = exposure.plane("data", rows, columns)
    dq = exposure.plane("dq", rows, columns)
    variance = exposure.plane("var_rnoise", rows, columns) if weight_type == "ivm" else None
    values, weight = np.empty_like(data), np.empty_like(data)
    weigh(
        data,
        np.empty((0, 0), np.uint32) if dq is None else dq,
        np.empty((0, 0), np.float32) if variance is None else variance,
        counted_flags(good_bits),
        unit_weight(exposure.metadata, weight_type),
        sky,
        (0, data.shape[1]),
        values,
        weight,
    )
    return values, weight


def unit_weight(metadata: Metadata, weight_type: str | None) -> float:
    """Return the weight of a usable pixel where it isn't that of its noise.

    Raises
    ------
    InputError
        If the weight type is unknown.
    """
    if weight_type == "exptime":
        return measuring_time(metadata)
    if weight_type is None or weight_type == "ivm":
        return 1.0
    msg = f"weight_type is {weight_type!r}; expected one of {', '.join(WEIGHT_TYPES)}, or None"
    raise InputError(msg)


def measuring_time(metadata: Metadata) -> float:
    """Return TMEASURE, or XPOSURE where it is absent, in seconds."""
    key = "TMEASURE" if metadata.get("TMEASURE") is not None else "XPOSURE"
    return metadata.require(key, float)


def chunks(rows: slice, columns: int, times: int = 1) -> Iterator[slice]:
    """Yield rows in parts that take no more than `CHUNK_BYTES`, or some times that.

    They end at multiples of their length, so that sums don't depend on where `rows` begin. Short
    ones have few columns that reach a band, where the image is turned.
    """
    step = times * max(16, CHUNK_BYTES // (PIXEL_BYTES * columns))
    start = rows.start
    while start < rows.stop:
        stop = min(rows.stop, (start // step + 1) * step)
        yield slice(start, stop)
        start = stop


def typical_weight(
    exposures: Sequence[Any],
    pixmaps: Sequence[PixelMap],
    weight_type: str | None = "ivm",
    good_bits: int | str = GOOD_BITS,
) -> float:
    """Return the mean weight of all usable pixels of exposures; infinite if there are none.

    Parameters
    ----------
    exposures : sequence of Exposure
    pixmaps : sequence of PixelMap
        Pixels outside of their boxes are not used.
    weight_type, good_bits
        As in `input_weight`.
    """
    total, count = 0.0, 0
    for exposure, pixmap in zip(exposures, pixmaps, strict=True):
        box = pixmap.box
        for rows in chunks(slice(box.y0, box.y1), exposure.shape[1]):
            _, weight = weighed_rows(exposure, rows, (box.x0, box.x1), weight_type, good_bits)
            # rows by rows, so that the sum doesn't depend on the chunks
            total += math.fsum(np.sum(weight, axis=1, dtype=np.float64))
            count += int(np.count_nonzero(weight))
    return total / count if count else math.inf
