"""Parts of an array as they lie in a file, read when they are asked for.

Files are read, not mapped into memory: one that becomes shorter meanwhile is told in a sentence,
where touching a page that is gone would end the process.
"""

import os
import weakref
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calwebb_core.framework.fits_read import fill_from

AT_ONCE = 8 << 20  # bytes that are read beside those that are asked for


class OpenFile:
    """A file that stays the same, and open, while its name may come to mean another.

    Parameters
    ----------
    path : Path
    """

    def __init__(self, path: Path) -> None:
        self.name = str(path)
        self._file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        weakref.finalize(self, os.close, self._file)

    def fileno(self) -> int:
        """Return the descriptor."""
        return self._file


def read_frames(
    file: OpenFile, offset: int, shape: tuple[int, ...], dtype: Any, index: tuple[range, ...]
) -> NDArray[Any]:
    """Return a part of an array of frames as it is stored.

    Parameters
    ----------
    file : OpenFile
    offset : int
        Byte at which the array begins.
    shape : (..., ny, nx)
        Of the whole array.
    dtype : dtype
    index : range for each axis
        With step 1.

    Returns
    -------
    array of the ranges' lengths
        C-contiguous; read-only.

    Raises
    ------
    ProcessingError
        If the file ends before, because somebody changes it meanwhile.
    """
    *leading, rows, columns = index
    stored = np.dtype(dtype)
    result: NDArray[Any] = np.empty([len(part) for part in index], stored)
    frames = result.reshape(-1, len(rows), len(columns))
    starts = np.zeros(1, np.int64)
    for part, length in zip(leading, shape, strict=False):
        starts = (starts[:, None] * length + np.arange(part.start, part.stop)).reshape(-1)
    size = shape[-2] * shape[-1] * stored.itemsize
    whole = (len(rows), len(columns)) == shape[-2:]
    if result.size and whole and starts[-1] - starts[0] == len(starts) - 1:
        fill_from(file, offset + int(starts[0]) * size, result)
    elif result.size:
        for frame, start in zip(frames, starts.tolist(), strict=True):
            _read_frame(file, offset + start * size, shape[-1], frame, (rows, columns))
    result.flags.writeable = False
    return result


def _read_frame(
    file: OpenFile, place: int, width: int, frame: NDArray[Any], window: tuple[range, range]
) -> None:
    """Read rows of one frame, or some columns of them, into an array."""
    rows, columns = window
    size = frame.dtype.itemsize
    whole = len(columns) == width
    step = len(rows) if whole else max(1, AT_ONCE // (width * size))
    for first in range(0, len(rows), step):
        some = rows[first : first + step]
        at = place + some.start * width * size
        if whole:
            fill_from(file, at, frame[first : first + step])
        else:
            wide: NDArray[Any] = np.empty((len(some), width), frame.dtype)
            fill_from(file, at, wide)
            frame[first : first + step] = wide[:, columns.start : columns.stop]
