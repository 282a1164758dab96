"""What falls on a spectrograph's detector: traces of known rates on a background."""

import numpy as np
from numpy.typing import NDArray

from calwebb_simulator.geometry import Frame

Float64 = NDArray[np.float64]
WIDTH = 1.3  # pixels across a trace, Gaussian sigma
SPACING = 40  # rows from trace to trace
BRIGHTEST = 400.0  # electrons per second at the middle of the brightest trace
FAINTER = 0.4  # of each trace to the one before
MOST = 8  # traces
EDGE = 12  # pixels without a trace at either end, and over which it rises
LINES = 12  # absorption lines
DEPTH = 0.4
LINE_WIDTH = 2.5  # pixels


def trace_rates(frame: Frame, background: float) -> Float64:
    """Return electrons per second in pixels of nominal response: (ny, nx).

    Parameters
    ----------
    frame : Frame
    background : float
        Electrons per second everywhere.
    """
    ny, nx = frame.shape
    count = int(np.clip(ny // SPACING, 1, MOST))
    x = np.arange(nx) / nx - 0.5
    rows = np.arange(ny)[:, None]
    total = np.full((ny, nx), float(background))
    for number in range(count):
        # bent by some pixels, but not out of a subarray
        middle = (number + 0.5) * ny / count - 0.5 + min(4.0, ny / 10) * (4 * x**2 - 0.5)
        profile = np.exp(-(((rows - middle) / WIDTH) ** 2) / 2)
        total += BRIGHTEST * FAINTER**number * profile * spectrum(x)
    return total


def spectrum(x: Float64) -> Float64:
    """Return a smooth continuum with absorption lines, 1 at most; x runs from -0.5 to 0.5.

    It ends before the edges: subarrays without reference pixels have dark pixels there instead.
    """
    continuum = (1 - 1.2 * x**2) * np.clip((0.5 - np.abs(x)) * len(x) / EDGE - 1, 0, 1)
    width = LINE_WIDTH / len(x)
    for number in range(LINES):
        place = -0.5 + (number + 0.4) / LINES
        continuum = continuum * (1 - DEPTH * np.exp(-(((x - place) / width) ** 2) / 2))
    return np.asarray(continuum)
