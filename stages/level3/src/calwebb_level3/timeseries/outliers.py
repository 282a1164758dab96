"""Outliers of a time series: values that leave the level of their own pixel for one integration.

The level is the median of a moving window along time. A star that moves by a thousandth of a
pixel, or is eclipsed, changes thousands of bright pixels by more than their noise, all in the
same way: what shifts of the image and a change of brightness explain is taken off first, and the
noise is never less than the pixel's own scatter along time.

Integrations are read block by block with as many around each as the windows need, wherever the
borders of segments are.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calwebb_core.framework.threads import in_threads, shares
from calwebb_level3.timeseries.series import Part

Float32 = NDArray[np.float32]
# Pixels of a block: at 4 bytes and half a dozen arrays some 100 MB.
BLOCK = 1 << 22


@dataclass(frozen=True)
class Rule:
    """What tells an outlier.

    Attributes
    ----------
    snr : float
        Limit in standard deviations.
    width : int
        Integrations in the moving window.
    drift : bool
        Take off what motion of the star explains.
    scatter : bool
        The noise is at least the pixel's own scatter along time, not ERR alone.
    ignored : int
        Bits of DQ that make a value unusable.
    """

    snr: float = 5.0
    width: int = 25
    drift: bool = True
    scatter: bool = True
    ignored: int = 1


@dataclass(frozen=True)
class Block:
    """Integrations [first, last), and what is needed to judge them.

    Attributes
    ----------
    first, last : int
    levels : (int, int)
        Integrations whose level is needed: those in the windows of [first, last).
    values : (int, int)
        Integrations whose values are needed: those in the windows of `levels`.
    """

    first: int
    last: int
    levels: tuple[int, int]
    values: tuple[int, int]

    @property
    def low(self) -> int:
        """First integration that is read."""
        return self.values[0]


def window_starts(first: int, last: int, width: int, total: int) -> NDArray[np.int64]:
    """Return the first integration of the window of each of [first, last).

    A window is centred on its integration; at the ends of the exposure it stays inside.
    """
    places = np.arange(first, last, dtype=np.int64) - width // 2
    return np.clip(places, 0, max(total - width, 0))


def blocks(total: int, width: int, size: int, *, twice: bool, limit: int = BLOCK) -> list[Block]:
    """Divide an exposure into blocks.

    Parameters
    ----------
    total : int
        Integrations.
    width : int
        Of the window, at most `total`.
    size : int
        Pixels of one image.
    twice : bool
        Windows are moved over what windows gave.
    limit : int
        Pixels of a block, more or less.
    """
    step = max(4 * width, limit // max(size, 1))
    result = []
    for first in range(0, total, step):
        last = min(first + step, total)
        levels = reach(first, last, width, total) if twice else (first, last)
        result.append(Block(first, last, levels, reach(*levels, width, total)))
    return result


def reach(first: int, last: int, width: int, total: int) -> tuple[int, int]:
    """Return the integrations that the windows of [first, last) hold."""
    starts = window_starts(first, last, width, total)
    return min(first, int(starts[0])), max(last, int(starts[-1]) + width)


def roll(
    cube: Float32, low: int, first: int, last: int, width: int, total: int
) -> tuple[Float32, Float32]:
    """Return median and scatter of the windows of [first, last); `cube` begins at `low`."""
    from calwebb_level3.kernels.rolling import rolling

    shape = (last - first, *cube.shape[1:])
    median, spread = np.empty(shape, np.float32), np.empty(shape, np.float32)
    starts = window_starts(first, last, width, total) - low

    def fill(rows: slice) -> None:
        rolling(cube, starts, width, rows.start, rows.stop, median, spread)

    in_threads(fill, shares(cube.shape[1]))
    return median, spread


def find_in_block(
    data: Float32, err: Float32, block: Block, total: int, rule: Rule
) -> NDArray[np.bool_]:
    """Return which values of a block are outliers.

    Parameters
    ----------
    data, err : float32, (n, ny, nx)
        Of the integrations that `block` needs.
        `data` is NaN where it is unusable.
    block : Block
    total : int
        Integrations of the exposure.
    rule : Rule

    Returns
    -------
    bool, (last - first, ny, nx)
    """
    width = min(rule.width, total)
    inner = slice(block.first - block.low, block.last - block.low)
    if not (rule.drift or rule.scatter):
        median, _ = roll(data, block.low, block.first, block.last, width, total)
        return beyond(data[inner] - median, err[inner], rule.snr)
    start, stop = block.levels
    median, spread = roll(data, block.low, start, stop, width, total)
    known = slice(start - block.low, stop - block.low)
    rest = take_level(data[known], err[known], median, spread, rule)
    level, spread = roll(rest, start, block.first, block.last, width, total)
    noise = np.fmax(err[inner], spread) if rule.scatter else err[inner]
    return beyond(rest[block.first - start : block.last - start] - level, noise, rule.snr)


def take_level(
    data: Float32, err: Float32, median: Float32, spread: Float32, rule: Rule
) -> Float32:
    """Return values less their level, and less what motion explains if it is to be allowed for."""
    if not rule.drift:
        return data - median
    from calwebb_level3.kernels.pointing import take_motion

    # A pixel that often moves must not tell how far the star has moved this time.
    noise = np.hypot(err, np.nan_to_num(spread, nan=0.0))
    rest = data.copy()
    found = np.empty((len(rest), 3))

    def take(some: slice) -> None:
        take_motion(rest[some], median[some], noise[some], found[some])

    in_threads(take, shares(len(rest)))
    return rest


def beyond(difference: Float32, noise: Float32, snr: float) -> NDArray[np.bool_]:
    """Return where a difference exceeds the limit; nowhere without difference or noise."""
    return np.asarray(np.abs(difference) > np.float32(snr) * noise)


def read_block(part: Part, block: Block, ignored: int) -> tuple[Float32, Float32]:
    """Return SCI, NaN where it is unusable, and ERR of a block."""
    data = part.frames("data", *block.values)
    data[(part.frames("dq", *block.values) & np.uint32(ignored)) != 0] = np.nan
    return data, part.frames("err", *block.values)


def find_outliers(
    part: Part, rule: Rule, *, limit: int = BLOCK
) -> Iterator[tuple[Block, NDArray[np.bool_], NDArray[np.int64]]]:
    """Yield the outliers of a detector's integrations, block by block.

    Yields
    ------
    block, bool (last - first, ny, nx), usable values of each integration
    """
    total, ny, nx = part.shape
    width = min(rule.width, total)
    again = rule.drift or rule.scatter
    for block in blocks(total, width, ny * nx, twice=again, limit=limit):
        data, err = read_block(part, block, rule.ignored)
        usable = np.isfinite(data[block.first - block.low : block.last - block.low])
        yield block, find_in_block(data, err, block, total, rule), usable.sum(axis=(1, 2))


def mark(part: Part, block: Block, hits: NDArray[np.bool_]) -> None:
    """Hand the outliers of a block to the segments that have its integrations."""
    for segment in part.segments:
        low = max(block.first - segment.start, 0)
        high = min(block.last - segment.start, segment.nints)
        if low >= high:
            continue
        begin = segment.start + low - block.first
        found = np.flatnonzero(hits[begin : begin + high - low])
        found += low * segment.shape[1] * segment.shape[2]
        before = segment.outliers
        segment.outliers = found if before is None else np.union1d(before, found)
