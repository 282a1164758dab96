"""Straight lines through what an output reads in a frame.

They are fitted to the first and the last four lines of the frame, which are reference pixels,
so that nothing jumps where the end of a frame meets its beginning in the Fourier transform.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calwebb_core.framework.models import Float32
from calwebb_detector1.irs2.layout import LINES, SECTIONS, TIME, TIMES, Layout, Mask, section_rows

Float64 = NDArray[np.float64]
RIM = np.array([0, 1, 2, 3, LINES - 4, LINES - 3, LINES - 2, LINES - 1])
MIDDLE = (TIMES * LINES - 1) / 2


@dataclass(frozen=True)
class StraightLine:
    """Level and rise per sample time of one section of one frame, about its middle."""

    level: float
    rise: float

    def along(self, times: NDArray[np.int64], layout: Layout) -> tuple[Float64, float]:
        """Return its values at column 0 of the image for some times, and its rise by column."""
        first, direction = (LINES - 1, -1) if layout.reverse else (0, 1)
        start = self.level + self.rise * (times + TIMES * first - MIDDLE)
        return np.asarray(start, np.float64), direction * self.rise * TIMES


def fit_lines(frames: Float32, layout: Layout, lost: Mask) -> list[list[StraightLine]]:
    """Fit the frames of an integration, less their mean.

    Parameters
    ----------
    frames : float32, (ngroups, 3200, 2048), DN
    layout : Layout
    lost : bool, (3200,): rows without content

    Returns
    -------
    list of list of StraightLine
        By group and section.
    """
    columns = layout.columns(RIM)
    fits = []
    for section in range(SECTIONS):
        rows = layout.rows(section_rows(section))
        kept = ~lost[rows]
        samples = frames[:, rows[kept]][:, :, columns].astype(np.float64)
        samples -= samples.mean(axis=0)
        times = TIME[kept][:, np.newaxis] + TIMES * RIM - MIDDLE
        fits.append(_fit(samples.reshape(len(frames), -1), times.ravel()))
    return [list(group) for group in zip(*fits, strict=True)]


def _fit(samples: Float64, times: Float64) -> list[StraightLine]:
    """Fit straight lines to rows of samples (ngroups, n) by least squares."""
    centre = times.mean()
    shifted = times - centre
    levels = samples.mean(axis=1)
    # No matrix product: its order of summation depends on the machine.
    rises = (samples * shifted).sum(axis=1) / (shifted * shifted).sum()
    return [
        StraightLine(float(level - rise * centre), float(rise))
        for level, rise in zip(levels, rises, strict=True)
    ]
