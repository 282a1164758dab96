"""Reference samples between the pixels that are not to be trusted, and what takes their place.

Each reference pixel is read twice in a row. A pair of reads is bad when its scatter over all
lines and groups of an integration stands out among the 64 pairs of its section: by the mean
difference of its reads, their mean or their standard deviation, more than `limit` standard
deviations above the clipped mean. Bad are also rows that the mask flags BAD_REF_PIXEL and those
that the REFPIX reference lists.
"""

import numpy as np
from numpy.typing import NDArray

from calwebb_core.framework.models import Float32, Table, UInt32
from calwebb_core.science.dq import PixelDQ
from calwebb_detector1.irs2.layout import (
    BACKWARDS,
    NORMAL,
    PERIOD,
    ROWS,
    SECTION,
    SECTIONS,
    STEPS,
    Indices,
    Layout,
    Mask,
    interleaved_rows,
)
from calwebb_detector1.kernels import irs2 as kernels

PAIR = 2
CLIPPINGS = 5


def pair_rows() -> Indices:
    """Return the first row of every pair, (5 sections, 64 pairs): the same for both detectors."""
    steps = NORMAL // 2 + PERIOD * np.arange(STEPS)
    pairs = (steps[:, np.newaxis] + np.array([0, PAIR])).ravel()
    rows: Indices = SECTION * np.arange(SECTIONS)[:, np.newaxis] + pairs
    return rows


def clipped_statistics(values: NDArray[np.float64], limit: float) -> tuple[float, float]:
    """Return mean and standard deviation of what lies within `limit` sigma of the median."""
    for _ in range(CLIPPINGS):
        kept = values[np.abs(values - np.median(values)) <= limit * values.std()]
        if kept.size in (0, values.size):
            break
        values = kept
    return float(values.mean()), float(values.std())


def outstanding(values: NDArray[np.float64], limit: float) -> Mask:
    """Return which values lie more than `limit` sigma above the others, or are not finite."""
    finite = np.isfinite(values)
    if not finite.any():
        return ~finite
    mean, deviation = clipped_statistics(values[finite], limit)
    high: Mask = ~finite
    high[finite] = values[finite] - mean > limit * deviation
    return high


def noisy_rows(frames: Float32, known_bad: Mask, limit: float) -> Mask:
    """Return which rows hold reference samples that scatter too much in one integration.

    Parameters
    ----------
    frames : float32, (ngroups, 3200, 2048), DN
    known_bad : bool, (3200,): rows that are bad anyway; their pairs are left out
    limit : sigma

    Returns
    -------
    bool, (3200,)
    """
    found = np.zeros(ROWS, np.bool_)
    for rows in pair_rows():
        tested = rows[~(known_bad[rows] | known_bad[rows + 1])]
        statistics = np.empty((3, tested.size))
        kernels.pair_statistics(frames, tested, statistics)
        for values in statistics:
            bad = tested[outstanding(values, limit)]
            found[bad] = found[bad + 1] = True
    return found


def flagged_rows(pixeldq: UInt32) -> Mask:
    """Return which rows of reference samples have BAD_REF_PIXEL anywhere."""
    bad: Mask = (pixeldq & np.uint32(PixelDQ.BAD_REF_PIXEL) != 0).any(axis=1)
    # The rim of the detector has such flags too, in rows of pixels that see light.
    return bad & interleaved_rows()


def listed_rows(table: Table | None, layout: Layout) -> Mask:
    """Return which rows the DQ table of the REFPIX reference lists, bool (3200,).

    Its rows name an output (1-4), the odd (1) or the even (2) reference pixels, and in the bits
    of MASK which of the 32 visits to them, counted along the fast axis, are bad.
    """
    bad = np.zeros(ROWS, np.bool_)
    if table is None:
        return bad
    names = {name.upper(): name for name in table.data.dtype.names or ()}
    columns = [table.data[names[name]].tolist() for name in ("OUTPUT", "ODD_EVEN", "MASK")]
    for output, parity, mask in zip(*columns, strict=True):
        second = (parity == 2) != (output in BACKWARDS)
        for step in range(STEPS):
            if mask >> step & 1:
                place = output * SECTION + NORMAL // 2 + step * PERIOD + (PAIR if second else 0)
                bad[layout.rows(np.array([place, place + 1]))] = True
    return bad


def substitutes(bad: Mask) -> dict[int, tuple[int, ...]]:
    """Return for each bad row the good ones whose mean takes its place: none if there are none.

    The same read of the visits before and after, in the same output; else the same read of the
    other reference pixel of the visit.
    """
    reference = interleaved_rows()

    def good(row: int, section: int) -> bool:
        inside = 0 <= row < ROWS and row // SECTION == section
        return bool(inside and reference[row] and not bad[row])

    chosen = {}
    for row in np.flatnonzero(bad).tolist():
        section = row // SECTION
        near = [other for other in (row - PERIOD, row + PERIOD) if good(other, section)]
        beside = [other for other in (row - PAIR, row + PAIR) if good(other, section)]
        chosen[row] = tuple(near or beside[:1])
    return chosen


def replace_bad(data: Float32, bad: Mask) -> Mask:
    """Replace bad rows of reference samples in place; return which cannot be, bool (3200,).

    Parameters
    ----------
    data : float32, (nints, ngroups, 3200, 2048), DN
    bad : bool, (3200,)
    """
    lost = np.zeros(ROWS, np.bool_)
    for row, sources in substitutes(bad).items():
        if len(sources) == 2:
            data[:, :, row] = (data[:, :, sources[0]] + data[:, :, sources[1]]) * np.float32(0.5)
        elif sources:
            data[:, :, row] = data[:, :, sources[0]]
        else:
            data[:, :, row] = 0
            lost[row] = True
    return lost
