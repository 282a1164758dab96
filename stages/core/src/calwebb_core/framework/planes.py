"""Arrays that outlive a step: in memory while they are small, in a file when they are large."""

import os
import tempfile
import weakref
from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from calwebb_core.framework.errors import ProcessingError
from calwebb_core.framework.fits_write import write_at

ALL = slice(None)
MEMORY = 256 << 20  # bytes that a store keeps in memory


class Plane(ABC):
    """An array of rows that can be read and written in parts, by several threads.

    Attributes
    ----------
    shape : (ny, nx)
    dtype : numpy.dtype
    """

    shape: tuple[int, int]
    dtype: np.dtype[Any]

    @abstractmethod
    def read(self, rows: slice = ALL) -> NDArray[Any]:
        """Return some rows, C-contiguous; not to be changed."""

    @abstractmethod
    def write(self, rows: slice, values: NDArray[Any]) -> None:
        """Write some rows."""


class MemoryPlane(Plane):
    """A plane in memory.

    Parameters
    ----------
    array : ndarray, (ny, nx)
        Used as it is, without a copy.
    """

    def __init__(self, array: NDArray[Any]) -> None:
        self.array = array
        self.shape, self.dtype = array.shape, array.dtype

    def read(self, rows: slice = ALL) -> NDArray[Any]:
        """Return a view of some rows."""
        return self.array[rows]

    def write(self, rows: slice, values: NDArray[Any]) -> None:
        """Write some rows."""
        self.array[rows] = values


class FilePlane(Plane):
    """A plane in a file of its own, which is closed with it.

    Parameters
    ----------
    file : int
        Descriptor of a file of the plane's size.
    shape : (ny, nx)
    dtype : dtype
    """

    def __init__(self, file: int, shape: tuple[int, int], dtype: DTypeLike) -> None:
        self.file = file
        self.shape, self.dtype = shape, np.dtype(dtype)
        weakref.finalize(self, os.close, file)

    def _place(self, rows: slice) -> tuple[int, int]:
        start, stop, _ = rows.indices(self.shape[0])
        return start * self.shape[1] * self.dtype.itemsize, max(stop - start, 0)

    def read(self, rows: slice = ALL) -> NDArray[Any]:
        """Return a copy of some rows."""
        offset, count = self._place(rows)
        values = np.empty((count, self.shape[1]), self.dtype)
        if os.preadv(self.file, [values.view(np.uint8).data], offset) != values.nbytes:
            msg = "a temporary file cannot be read back; was it cut short?"
            raise ProcessingError(msg)
        return values

    def write(self, rows: slice, values: NDArray[Any]) -> None:
        """Write some rows."""
        offset, count = self._place(rows)
        stored = np.ascontiguousarray(np.broadcast_to(values, (count, self.shape[1])), self.dtype)
        try:
            write_at(self.file, stored.reshape(-1).view(np.uint8).data, offset)
        except OSError as error:
            msg = f"a temporary file cannot be written: {error.strerror}"
            raise ProcessingError(msg) from error


@dataclass
class Store:
    """Where planes are kept.

    Attributes
    ----------
    folder : Path or None
        Folder for large planes; the system's temporary folder if None.
    memory : int
        Bytes that are kept in memory before planes go to a file.
    """

    folder: Path | None = None
    memory: int = MEMORY
    used: int = 0

    def plane(self, shape: tuple[int, int], dtype: DTypeLike = np.float32) -> Plane:
        """Return a new plane of zeros."""
        size = int(np.prod(shape, dtype=np.int64)) * np.dtype(dtype).itemsize
        self.used += size
        if self.used <= self.memory:
            return MemoryPlane(np.zeros(shape, dtype))
        file, name = tempfile.mkstemp(dir=self.folder)
        # without a name the file goes with the process, however that ends
        os.unlink(name)  # noqa: PTH108
        os.ftruncate(file, size)
        return FilePlane(file, shape, dtype)
