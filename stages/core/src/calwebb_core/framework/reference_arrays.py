"""Arrays of a reference file that stay on disk until they are asked for, whole or in part."""

import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calwebb_core.framework.errors import ReferenceFileError
from calwebb_core.framework.fits_layout import Hdu
from calwebb_core.framework.fits_read import natural_dtype, storage
from calwebb_core.framework.memory import check_room
from calwebb_core.framework.stored_parts import OpenFile, read_frames

ALL = slice(None)


class FileArrays(Mapping[str, NDArray[Any]]):
    """The image HDUs of an uncompressed FITS file by name, cut out to an exposure's subarray.

    Parameters
    ----------
    path : Path
        The file.
    hdus : dict of Hdu
        Image HDUs by name.
    cut : (rows, columns) as slices
        Subarray, for the HDUs whose last axes are `size`.
    size : (ny, nx)
        Size of the part of the detector that the file covers.
    """

    def __init__(
        self, path: Path, hdus: dict[str, Hdu], cut: tuple[slice, slice], size: tuple[int, int]
    ) -> None:
        self._path = path
        self._hdus = hdus
        self._cut = cut
        self._size = size
        self._file: OpenFile | None = None

    def __iter__(self) -> Iterator[str]:
        return iter(self._hdus)

    def __len__(self) -> int:
        return len(self._hdus)

    def __contains__(self, name: object) -> bool:
        return name in self._hdus

    def __getitem__(self, name: str) -> NDArray[Any]:
        return self.part(name)

    def shape(self, name: str) -> tuple[int, ...]:
        """Return the shape of an array after it is cut out."""
        return tuple(map(len, self._ranges(name)))

    def part(
        self, name: str, planes: slice = ALL, rows: slice = ALL, columns: slice = ALL
    ) -> NDArray[Any]:
        """Return a part of an array in native byte order, C-contiguous.

        Parameters
        ----------
        name : str
            EXTNAME.
        planes : slice
            Of the axis before the rows, where there is one.
        rows, columns : slice
            Of the cut-out array.

        Raises
        ------
        ReferenceFileError
            If there is no memory for it.
        """
        hdu, ranges = self._hdus[name], self._ranges(name)
        stored, wanted = storage(self._path, hdu), (planes, rows, columns)[-len(ranges) :]
        ranges = (*ranges[:-3], *(part[cut] for part, cut in zip(ranges[-3:], wanted, strict=True)))
        frame = (1, *hdu.shape) if len(ranges) == 1 else hdu.shape
        index = (range(1), *ranges) if len(ranges) == 1 else ranges
        needed = math.prod(map(len, ranges)) * natural_dtype(stored).itemsize
        check_room(self._path, name, needed, ReferenceFileError)
        raw = read_frames(self._opened(), hdu.offset, frame, stored.dtype, index)
        shape = tuple(map(len, ranges))
        return np.ascontiguousarray(stored.convert(raw.reshape(shape), natural_dtype(stored)))

    def _ranges(self, name: str) -> tuple[range, ...]:
        """Return the part of each axis of an array that is left when it is cut out."""
        shape = self._hdus[name].shape
        axes = tuple(map(range, shape))
        if shape[-2:] != self._size:
            return axes
        return (*axes[:-2], *(axis[part] for axis, part in zip(axes[-2:], self._cut, strict=True)))

    def _opened(self) -> OpenFile:
        if self._file is None:
            self._file = OpenFile(self._path)
        return self._file


def part_of(
    arrays: Mapping[str, NDArray[Any]],
    name: str,
    planes: slice = ALL,
    rows: slice = ALL,
    columns: slice = ALL,
) -> NDArray[Any]:
    """Return a part of an array (..., planes, rows, columns) in memory or in a file."""
    if isinstance(arrays, FileArrays):
        return arrays.part(name, planes, rows, columns)
    array = arrays[name]
    index = (planes, rows, columns) if array.ndim > 2 else (rows, columns)
    return np.ascontiguousarray(array[(..., *index)])


def shape_of(arrays: Mapping[str, NDArray[Any]], name: str) -> tuple[int, ...]:
    """Return the shape of an array without reading it."""
    return arrays.shape(name) if isinstance(arrays, FileArrays) else arrays[name].shape
