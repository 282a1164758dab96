"""Arrays and tables of a FITS file as native numpy arrays."""

import logging
import math
import os
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from calwebb_core.framework.errors import InputError, ProcessingError
from calwebb_core.framework.fits_layout import Hdu
from calwebb_core.framework.fits_tables import keywords_of
from calwebb_core.framework.memory import check_room
from calwebb_core.framework.models import Table
from calwebb_core.framework.threads import in_threads

logger = logging.getLogger(__name__)

PIECE = 1 << 18  # values that are read at a time: 1 MB of float32
STORED = {8: "u1", 16: ">i2", 32: ">i4", 64: ">i8", -32: ">f4", -64: ">f8"}
UNSIGNED = {16: 2**15, 32: 2**31, 64: 2**63}


@dataclass(frozen=True)
class Storage:
    """How the pixels of an array HDU are stored.

    Attributes
    ----------
    dtype : numpy.dtype
        Big-endian type on disk.
    unsigned : bool
        Whether the values are unsigned, stored as signed with BZERO 2**(bits - 1).
    zero, scale : float
        BZERO and BSCALE that are left to apply.
    """

    dtype: np.dtype[Any]
    unsigned: bool
    zero: float
    scale: float

    def convert(self, raw: NDArray[Any], dtype: DTypeLike) -> NDArray[Any]:
        """Return stored values as a native array of another type."""
        if self.unsigned:
            top_bit = 1 << (8 * raw.dtype.itemsize - 1)
            raw = raw.view(raw.dtype.str.replace("i", "u")) ^ top_bit
        # a file may hold values that the type has not, such as NaN in an array of flags
        with np.errstate(invalid="ignore", over="ignore"):
            if self.zero == 0 and self.scale == 1:
                return raw.astype(dtype)
            return (raw * np.float64(self.scale) + np.float64(self.zero)).astype(dtype)

    def put(self, raw: NDArray[Any], result: NDArray[Any]) -> None:
        """Convert stored values to a native array of the same length."""
        plain = (self.zero, self.scale) == (0, 1)
        same = self.dtype.itemsize == result.dtype.itemsize
        if plain and self.unsigned and same and result.dtype.kind == "u":
            np.copyto(result, raw.view(raw.dtype.str.replace("i", "u")))
            result ^= result.dtype.type(1 << (8 * raw.dtype.itemsize - 1))
        elif plain and not self.unsigned:
            with np.errstate(invalid="ignore", over="ignore"):
                np.copyto(result, raw, casting="unsafe")
        else:
            result[...] = self.convert(raw, result.dtype)


def storage(path: Path, hdu: Hdu) -> Storage:
    """Read BITPIX, BZERO and BSCALE of an array HDU.

    Raises
    ------
    InputError
        If BITPIX is none of the standard's, or BZERO or BSCALE no number.
    """
    bits = hdu.header["BITPIX"]
    if bits not in STORED:
        msg = f"{path}: BITPIX of {hdu.name} is {bits!r}; expected one of {sorted(STORED)}"
        raise InputError(msg)
    try:
        zero, scale = float(hdu.header.get("BZERO", 0)), float(hdu.header.get("BSCALE", 1))
    except (ValueError, TypeError, OverflowError) as error:
        msg = f"{path}: BZERO or BSCALE of {hdu.name} is no number ({error}); make the file again"
        raise InputError(msg) from error
    unsigned = scale == 1 and zero == UNSIGNED.get(bits)
    return Storage(np.dtype(STORED[bits]), unsigned, 0.0 if unsigned else zero, scale)


def read_into(stream: Any, offset: int, shape: tuple[int, ...], dtype: Any) -> NDArray[Any]:
    """Read an array as it is stored from a place of an open file, for any thread.

    Raises
    ------
    ProcessingError
        If the file ends before, because somebody changes it meanwhile.
    """
    raw: NDArray[Any] = np.empty(shape, dtype)
    fill_from(stream, offset, raw)
    return raw


def fill_from(stream: Any, offset: int, raw: NDArray[Any]) -> None:
    """Read a C-contiguous array as it is stored from a place of an open file, for any thread.

    Raises
    ------
    ProcessingError
        As `read_into`.
    """
    left, place = raw.reshape(-1).view(np.uint8).data, offset
    while left:
        done = os.preadv(stream.fileno(), [left], place)
        if not done:
            msg = (
                f"{stream.name}: became shorter while it was read; start again once it is complete"
            )
            raise ProcessingError(msg)
        left, place = left[done:], place + done


def read_array(path: Path, hdu: Hdu, dtype: DTypeLike | None = None) -> NDArray[Any]:
    """Read the array of an HDU in native byte order.

    Parameters
    ----------
    path : Path
    hdu : Hdu
        From `fits_layout.scan`, which has checked the file's length.
    dtype : dtype, optional
        Type to return; the stored one (unsigned where BZERO says so) otherwise.

    Raises
    ------
    InputError
        If there is no memory for it.
    """
    stored = storage(path, hdu)
    wanted = np.dtype(natural_dtype(stored) if dtype is None else dtype)
    check_room(path, hdu.name, math.prod(hdu.shape) * wanted.itemsize)
    result: NDArray[Any] = np.empty(hdu.shape, wanted)
    flat, size = result.reshape(-1), stored.dtype.itemsize
    with path.open("rb", buffering=0) as stream:

        def read(first: int) -> None:
            part = flat[first : first + PIECE]
            raw = read_into(stream, hdu.offset + first * size, part.shape, stored.dtype)
            stored.put(raw, part)

        in_threads(read, range(0, flat.size, PIECE))
    return result


def read_rows(
    path: Path, hdu: Hdu, start: int, stop: int, dtype: DTypeLike, columns: slice = slice(None)
) -> NDArray[Any]:
    """Read rows `start` to `stop` of a 2-D array HDU, or some columns of them, in native order."""
    stored, width = storage(path, hdu), hdu.shape[-1]
    left, right, _ = columns.indices(width)
    result: NDArray[Any] = np.empty((stop - start, max(0, right - left)), dtype)
    step = max(1, PIECE // width)
    with path.open("rb", buffering=0) as stream:
        for first in range(0, stop - start, step):
            part = result[first : first + step]
            place = hdu.offset + (start + first) * width * stored.dtype.itemsize
            raw = read_into(stream, place, (len(part), width), stored.dtype)
            stored.put(raw[:, left:right], part)
    return result


def read_bytes(path: Path, hdu: Hdu) -> bytes:
    """Return the data of an HDU as they are stored.

    Raises
    ------
    InputError
        If there is no memory for them.
    """
    check_room(path, hdu.name, hdu.size)
    with path.open("rb") as stream:
        stream.seek(hdu.offset)
        return stream.read(hdu.size)


def natural_dtype(stored: Storage) -> np.dtype[Any]:
    """Return the native type that holds the stored values."""
    if stored.unsigned:
        return np.dtype(f"u{stored.dtype.itemsize}")
    if stored.zero != 0 or stored.scale != 1:
        return np.dtype(np.float64)
    return stored.dtype.newbyteorder("=")


def read_tables(path: Path, names: list[str]) -> dict[str, Table]:
    """Read binary tables by EXTNAME, with units and the keywords of their headers.

    Raises
    ------
    InputError
        If a table is damaged.
    """
    if not names:
        return {}
    from astropy.io import fits

    with warnings.catch_warnings():
        # others' headers break the standard in ways that do not matter here
        warnings.simplefilter("ignore")
        try:
            with fits.open(path, memmap=False, disable_image_compression=True) as hdulist:
                tables = {name: read_table(path, hdulist[name]) for name in names}
        except MemoryError:
            raise
        except Exception as error:  # astropy raises many kinds; all mean a damaged table
            reason = f"{type(error).__name__}: {error}"
            some = ", ".join(names)
            msg = f"{path}: table {some} cannot be read ({reason:.120}); make the file again"
            raise InputError(msg) from error
    return {name: table for name, table in tables.items() if table is not None}


def read_table(path: Path, hdu: Any) -> Table | None:
    """Return a table HDU of astropy, None where its rows vary in length."""
    if any(form[:1] in ("P", "Q") for form in variable_formats(hdu)):
        logger.warning("%s: table %s has rows of varying length; left out", path, hdu.name)
        return None
    return convert_table(hdu)


def variable_formats(hdu: Any) -> list[str]:
    """Return the formats of a table's columns without repeat counts."""
    return [str(form).lstrip("0123456789") for form in hdu.columns.formats]


def convert_table(hdu: Any) -> Table:
    """Return an astropy table HDU as a native structured array."""
    columns = {name: native_column(hdu, name) for name in hdu.columns.names}
    dtype = [(name, column.dtype, column.shape[1:]) for name, column in columns.items()]
    data = np.empty(len(hdu.data), dtype)
    for name, column in columns.items():
        data[name] = column
    units = {column.name: column.unit for column in hdu.columns if column.unit}
    return Table(data, units, keywords_of(hdu.header))


def native_column(hdu: Any, name: str) -> NDArray[Any]:
    """Return one column in native byte order; texts stay bytes of the column's width."""
    raw = np.asarray(hdu.data)[name]
    if raw.dtype.kind == "S":
        return raw
    values = np.asarray(hdu.data[name])
    return values.astype(values.dtype.newbyteorder("="))
