"""Arrays of a reference file that stay on disk until they are asked for, whole or in part."""

import mmap
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calwebb_core.framework.fits_layout import Hdu
from calwebb_core.framework.fits_read import Storage, natural_dtype, storage

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
        self._bytes: mmap.mmap | None = None
        self._views: dict[str, tuple[NDArray[Any], Storage]] = {}

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
        return self._stored(name)[0].shape

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
        """
        view, stored = self._stored(name)
        index = (planes, rows, columns) if view.ndim > 2 else (rows, columns)
        raw = view[(..., *index)] if view.ndim > 1 else view
        if stored.unsigned or (stored.zero, stored.scale) != (0.0, 1.0):
            raw = np.ascontiguousarray(raw)
        result = np.ascontiguousarray(stored.convert(raw, natural_dtype(stored)))
        self._forget(result.nbytes)
        return result

    def _stored(self, name: str) -> tuple[NDArray[Any], Storage]:
        """Return an array as it lies in the file, cut out, without reading it, and its type."""
        if name not in self._views:
            hdu = self._hdus[name]
            stored, shape = storage(self._path, hdu), hdu.shape
            array: NDArray[Any] = np.ndarray(shape, stored.dtype, self._map(), hdu.offset)
            cut = array[(..., *self._cut)] if shape[-2:] == self._size else array
            self._views[name] = cut, stored
        return self._views[name]

    def _map(self) -> mmap.mmap:
        if self._bytes is None:
            with self._path.open("rb") as stream:
                self._bytes = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
        return self._bytes

    def _forget(self, size: int) -> None:
        """Give pages back that would count as this process's memory; the cache keeps them."""
        if self._bytes is not None and size > 1 << 16:
            self._bytes.madvise(mmap.MADV_DONTNEED)


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
