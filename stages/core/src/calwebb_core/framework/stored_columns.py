"""Columns of a table whose rows wait in a file without a name until the product is written.

Spectra of a long time series are extracted segment by segment; only what somebody asks for is in
memory.
"""

import os
import tempfile
import weakref
from collections.abc import Iterator, Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from calwebb_core.framework.errors import ProcessingError
from calwebb_core.framework.fits_read import fill_from

AT_ONCE: Final = 4 << 20  # bytes of rows in memory beside a column that is read


class StoredColumns(Mapping[str, NDArray[Any]]):
    """Columns by name, each read from the file when it is asked for.

    Parameters
    ----------
    dtype : numpy.dtype
        Of the rows: one field a column, in native byte order.

    Attributes
    ----------
    count : int
        Rows so far.
    """

    def __init__(self, dtype: np.dtype[Any]) -> None:
        self.dtype = dtype
        self.count = 0
        self._file, name = tempfile.mkstemp()
        # without a name the file goes with the process, however that ends
        os.unlink(name)  # noqa: PTH108
        weakref.finalize(self, os.close, self._file)

    def append(self, rows: NDArray[Any]) -> None:
        """Add rows behind the others.

        Raises
        ------
        ProcessingError
            If the disk is full.
        """
        from calwebb_core.framework.fits_write import write_at

        data = np.ascontiguousarray(rows, self.dtype).view(np.uint8).data
        try:
            write_at(self._file, data, self.count * self.dtype.itemsize)
        except OSError as error:
            msg = f"a temporary file cannot be written: {error.strerror}"
            raise ProcessingError(msg) from error
        self.count += len(rows)

    def rows(self, first: int, last: int) -> NDArray[Any]:
        """Return rows [first, last)."""
        result: NDArray[Any] = np.empty(last - first, self.dtype)
        fill_from(self, first * self.dtype.itemsize, result)
        return result

    def fileno(self) -> int:
        """Return the descriptor."""
        return self._file

    @property
    def name(self) -> str:
        """What messages call the file."""
        return "a temporary file"

    def __getitem__(self, name: str) -> NDArray[Any]:
        """Return a column, (rows, ...)."""
        kind = self.dtype[name]
        result = np.empty((self.count, *kind.shape), kind.base)
        step = max(1, AT_ONCE // self.dtype.itemsize)
        for first in range(0, self.count, step):
            last = min(first + step, self.count)
            result[first:last] = self.rows(first, last)[name]
        return result

    def __iter__(self) -> Iterator[str]:
        """Go through the names of the columns."""
        return iter(self.dtype.names or ())

    def __len__(self) -> int:
        """Return the number of columns."""
        return len(self.dtype.names or ())
