"""Levels of odd and even columns of IRS2 frames, found as in frames without interleaved samples.

In every section the clipped means of the first and the last four lines are subtracted. Samples
of reference pixels count as odd in the first pair of a visit, as even in the second.
"""

import numpy as np
from numpy.typing import NDArray

from calwebb_core.framework.models import Float32, UInt32
from calwebb_core.framework.threads import in_threads
from calwebb_core.science.dq import DO_NOT_USE, PixelDQ
from calwebb_detector1.irs2.layout import (
    ROWS,
    SECTION,
    SECTIONS,
    Indices,
    Layout,
    Mask,
    interleaved_rows,
)
from calwebb_detector1.irs2.lines import RIM
from calwebb_detector1.kernels.refpix import column_levels

UNUSABLE = np.uint32(DO_NOT_USE | PixelDQ.BAD_REF_PIXEL)


def alternating() -> Indices:
    """Return the places along the fast axis, reordered so that odd and even ones alternate."""
    places = np.arange(ROWS)
    second = np.where(interleaved_rows(), places % 4 > 1, places % 2 == 1)
    order = np.empty(ROWS, np.int64)
    for first in range(0, ROWS, SECTION):
        section = slice(first, first + SECTION)
        order[first : first + SECTION : 2] = places[section][~second[section]]
        order[first + 1 : first + SECTION : 2] = places[section][second[section]]
    return order


def subtract_levels(
    data: Float32, pixeldq: UInt32, bad: Mask, *, layout: Layout, limit: float, odd_even: bool
) -> None:
    """Subtract the levels of the columns from frames in place.

    Parameters
    ----------
    data : float32, (nints, ngroups, 3200, 2048), DN
    pixeldq : uint32, (3200, 2048)
    bad : bool, (3200,): rows of reference samples not to use
    layout : Layout
    limit : clipping, sigma
    odd_even : whether odd and even columns are treated apart
    """
    rows, columns = layout.rows(alternating()), layout.columns(RIM)
    usable = (pixeldq[rows][:, columns] & UNUSABLE == 0) & ~bad[rows][:, np.newaxis]
    good = np.ascontiguousarray(usable.T.reshape(2, 4, ROWS))
    edges = SECTION * np.arange(SECTIONS + 1)

    def correct(frame: Float32) -> None:
        strips = np.ascontiguousarray(frame[rows][:, columns].T.reshape(2, 4, ROWS))
        levels: NDArray[np.float64] = np.empty(ROWS)
        column_levels(strips, good, edges, 2 if odd_even else 1, limit, levels)
        frame[rows] -= levels[:, np.newaxis].astype(np.float32)

    in_threads(correct, list(data.reshape(-1, *data.shape[2:])))
