"""Which output reads which pixels, and how the order of reading lies in the frame."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from calwebb_simulator.geometry import Frame

Float32 = NDArray[np.float32]


def output_of_columns(frame: Frame) -> NDArray[np.int64]:
    """Return the number of the output (from 0) of every pixel along the fast axis."""
    count = frame.read_shape[1]
    columns = np.arange(count)
    if frame.interleaved:
        return columns % frame.outputs
    return columns * frame.outputs // count


def as_seen(frame: Frame, image: NDArray[Any]) -> Float32:
    """Turn an image from the order of reading to the frame's rows and columns.

    Parameters
    ----------
    frame : Frame
    image : (rows or 1, columns or 1)
        Rows along the slow axis, columns along the fast axis, the first read first.
    """
    if frame.fast < 0:
        image = image[:, ::-1]
    if frame.slow < 0:
        image = image[::-1]
    if abs(frame.fast) == 2:
        image = image.T
    return np.ascontiguousarray(image, dtype=np.float32)


def as_read(frame: Frame, image: NDArray[Any]) -> NDArray[Any]:
    """Turn an image from the frame's rows and columns to the order of reading: a view."""
    if abs(frame.fast) == 2:
        image = image.T
    if frame.fast < 0:
        image = image[:, ::-1]
    return image[::-1] if frame.slow < 0 else image
