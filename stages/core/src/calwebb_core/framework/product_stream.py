"""Images whose pixels are written piece by piece, before their keywords are final."""

import mmap
import os
import threading
import weakref
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calwebb_core.framework.atomic import atomic_path, disk_errors, reserve
from calwebb_core.framework.errors import ProcessingError
from calwebb_core.framework.fits_write import (
    Block,
    Streamed,
    header_of,
    padded,
    write_at,
    write_block,
)
from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.models import Table
from calwebb_core.framework.product_reading import IMAGE_ARRAYS
from calwebb_core.framework.product_writing import product_blocks

PIECE = 1 << 24
NAMES = ("SCI", "ERR", "DQ", "VAR_POISSON", "VAR_RNOISE")


class ImageStream:
    """A `_rate` or `_rateints` in the making.

    The headers are laid out with the keywords as they are now; `close` writes the final ones
    (and moves the pixels if these take more or fewer records).

    Parameters
    ----------
    path : Path
        The product; it appears there once `close` is done.
    metadata : Metadata
        Keywords, of which the values may still change.
    shape : (ny, nx) or (nints, ny, nx)
    names : sequence of str
        EXTNAME of its arrays, in the order of the file; AREA has two axes always.

    Raises
    ------
    InputError
        If the folder cannot be written.
    """

    def __init__(
        self,
        path: Path,
        metadata: Metadata,
        shape: tuple[int, ...],
        names: Sequence[str] = NAMES,
    ) -> None:
        self.path = Path(path)
        self.metadata = metadata
        self.tables: dict[str, Table] = {}
        self.model = "CubeModel" if len(shape) == 3 else "ImageModel"
        self.wcs: Any = None
        self.arrays = {
            name: Streamed(shape[-2:] if name == "AREA" else shape, np.dtype(IMAGE_ARRAYS[name][1]))
            for name in names
        }
        self._opened = atomic_path(self.path)
        self.temporary = self._opened.__enter__()
        self._finalizer = weakref.finalize(self, self.temporary.unlink, missing_ok=True)
        self._file = os.open(self.temporary, os.O_RDWR)
        self._offsets = offsets_of(self._blocks())
        last = list(self._offsets)[-1]
        self._end = self._offsets[last] + padded(self.arrays[last].nbytes)
        self._memory: mmap.mmap | None = None
        self._lock = threading.Lock()

    def _blocks(self) -> list[Block]:
        return product_blocks(
            self.path, self.metadata, self.model, self.arrays, self.tables, self.wcs
        )

    def begin(self) -> None:
        """Start anew: every part is to be put again."""
        for array in self.arrays.values():
            array.datasum = 0

    def put(self, name: str, rows: slice, columns: slice, values: NDArray[Any]) -> None:
        """Write a part of an array: all integrations, some rows and columns; thread-safe.

        Parameters
        ----------
        name : str
            EXTNAME.
        rows, columns : slice
            Where the part lies.
        values : float32 or uint32, (rows, columns) or (nints, rows, columns)

        Raises
        ------
        ProcessingError
            If the disk is full.
        """
        array, nx = self.arrays[name], self.arrays[name].shape[-1]
        words = np.ascontiguousarray(values, array.dtype).view(np.uint32)
        if array.dtype.kind == "u":
            words = words ^ np.uint32(1 << 31)
        total = int(words.sum(dtype=np.uint64))
        with disk_errors(self.path):
            if columns.start == 0 and columns.stop == nx:
                self._put_rows(name, rows, words)
            else:
                self._put_pieces(name, rows, columns, words)
        with self._lock:
            total += array.datasum
            while total >> 32:
                total = (total & 0xFFFFFFFF) + (total >> 32)
            array.datasum = total

    def _put_rows(self, name: str, rows: slice, words: NDArray[np.uint32]) -> None:
        """Write whole rows of every plane."""
        ny, nx = self.arrays[name].shape[-2:]
        stored = words.astype(">u4").reshape(-1, words.shape[-2] * nx)
        for plane, image in enumerate(stored):
            first = (plane * ny + rows.start) * nx
            write_at(self._file, image.view(np.uint8).data, self._offsets[name] + 4 * first)

    def _put_pieces(
        self, name: str, rows: slice, columns: slice, words: NDArray[np.uint32]
    ) -> None:
        """Write some columns of rows, through memory: so many short pieces would take longer."""
        ny, nx = self.arrays[name].shape[-2:]
        images = self._view(name).reshape(-1, ny, nx)
        pieces = words.reshape(-1, *words.shape[-2:])
        step = max(1, PIECE // (4 * ny * nx))
        for plane in range(0, len(images), step):
            some = slice(plane, plane + step)
            images[some, rows, columns] = pieces[some]
            self._bytes().madvise(mmap.MADV_DONTNEED)

    def get(self, name: str, rows: slice) -> NDArray[Any]:
        """Return some rows of a 2-D array as they were put."""
        array = self.arrays[name]
        nx = array.shape[-1]
        stored: NDArray[Any] = np.empty((rows.stop - rows.start, nx), ">u4")
        place = self._offsets[name] + 4 * rows.start * nx
        left = stored.reshape(-1).view(np.uint8).data
        while left:
            done = os.preadv(self._file, [left], place)
            if not done:
                msg = f"{self.path}: rows of {name} were not written yet"
                raise ProcessingError(msg)
            left, place = left[done:], place + done
        words = stored.astype(np.uint32)
        if array.dtype.kind == "u":
            words ^= np.uint32(1 << 31)
        return words.view(array.dtype)

    def abandon(self) -> None:
        """Give the product up; nothing of it is left."""
        os.close(self._file)
        self._finalizer()

    def _bytes(self) -> mmap.mmap:
        """Return the file as memory that is shared with it."""
        with self._lock:
            if self._memory is None:
                reserve(self._file, self._end)
                self._memory = mmap.mmap(self._file, self._end)
            return self._memory

    def _view(self, name: str) -> NDArray[Any]:
        """Return an array as it lies in the file."""
        return np.ndarray(self.arrays[name].shape, ">u4", self._bytes(), self._offsets[name])

    def close(self) -> None:
        """Write the final headers, tables and tree, and give the product its name.

        Raises
        ------
        ProcessingError
            If the disk is full.
        """
        blocks = self._blocks()
        with disk_errors(self.path), self.temporary.open("r+b") as stream:
            self._move(offsets_of(blocks))
            for block in blocks:
                write_block(stream, block)
            stream.truncate()
        os.close(self._file)
        self._finalizer.detach()
        self._opened.__exit__(None, None, None)

    def _move(self, places: dict[str, int]) -> None:
        """Move the pixels where the final headers want them; the last first if that is up."""
        names = list(places)
        up = any(places[name] > self._offsets[name] for name in names)
        for name in reversed(names) if up else names:
            size = self.arrays[name].nbytes
            move_bytes(self._file, self._offsets[name], places[name], size)
            # what lay between the arrays is no padding of zeros any more
            padding = padded(size) - size
            write_at(self._file, b"\0" * padding, places[name] + size)


def offsets_of(blocks: list[Block]) -> dict[str, int]:
    """Return at which byte of the file the streamed arrays among its HDUs begin."""
    offsets, position = {}, 0
    for block in blocks:
        position += len(header_of(block).tostring())
        if isinstance(block.array, Streamed):
            offsets[block.name] = position
            position += padded(block.array.nbytes)
    return offsets


def move_bytes(file: int, source: int, target: int, size: int) -> None:
    """Move a range of bytes within a file; the two ranges may overlap."""
    if source == target:
        return
    starts = range(0, size, PIECE)
    for start in reversed(starts) if target > source else starts:
        piece = os.pread(file, min(PIECE, size - start), source + start)
        write_at(file, piece, target + start)
