"""The clocks of the readout: how long a frame takes, and when each pixel is read.

HAWAII-2RG detectors (NIRCam, NIRISS, NIRSpec, FGS) pause for 12 samples after every row. The
IRS2 readout of NIRSpec steps out to reference pixels after every 16 pixels (Rauscher et al. 2017,
PASP 129, 105003). MIRI's detectors read four neighbouring columns at once; subarrays skip the
other columns and rows faster than reading them.
"""

import numpy as np
from numpy.typing import NDArray

from calwebb_simulator.geometry import Frame
from calwebb_simulator.instruments import Instrument, Pattern

ROW_OVERHEAD = 12
IRS2_NORMAL = 16  # pixels read between two visits to reference pixels
IRS2_REFERENCE = 4  # reference pixels read at each visit
IRS2_ROW = 712  # samples
IRS2_END = 714  # samples after the last row
SKIPPED_ROW = 7  # samples that MIRI takes to skip a row
MIRI_ROWS = {
    "FULL": 271,
    "BRIGHTSKY": 162,
    "SUB256": 96,
    "SUB128": 44,
    "SUB64": 28,
    "SLITLESSPRISM": 28,
}


def frame_time(instrument: Instrument, frame: Frame, pattern: Pattern | None = None) -> float:
    """Return the time to read a frame in s."""
    return round(frame_clocks(instrument, frame, pattern) * instrument.sample_time * 1e-6, 9)


def frame_clocks(instrument: Instrument, frame: Frame, pattern: Pattern | None = None) -> int:
    """Return the samples from the start of a frame to that of the next."""
    rows, columns = frame.read_shape
    if instrument.interleaved:
        return rows * row_clocks(frame) + (frame.full[0] - rows) * SKIPPED_ROW
    if pattern is not None and pattern.irs2:
        return rows * IRS2_ROW + IRS2_END
    line = columns // frame.outputs + ROW_OVERHEAD
    if frame.outputs > 1:
        return line * (rows + 1) + 1
    return line * (rows + instrument.extra_rows)


def row_clocks(frame: Frame) -> int:
    """Return the samples from the start of a row to that of the next, for MIRI."""
    return MIRI_ROWS[frame.subarray]


def pixel_clocks(frame: Frame) -> NDArray[np.int64]:
    """Return when each pixel of a MIRI frame is read: samples since the frame's start."""
    rows, columns = frame.read_shape
    along = np.arange(columns) // frame.outputs
    return np.arange(rows)[:, None] * row_clocks(frame) + along[None, :]
