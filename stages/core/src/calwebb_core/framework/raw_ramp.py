"""Raw exposures read by blocks of rows, so that a file of any size fits into little memory."""

import logging
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

import numpy as np

from calwebb_core.framework.errors import InputError
from calwebb_core.framework.fits_headers import metadata_from
from calwebb_core.framework.fits_layout import Hdu, find, require, scan
from calwebb_core.framework.fits_read import read_array, read_bytes, read_into, read_tables, storage
from calwebb_core.framework.fits_tables import read_plain
from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.models import Float32, Table, UInt8

logger = logging.getLogger(__name__)

RAMP_ARRAYS = ("SCI", "ZEROFRAME", "REFOUT", "PIXELDQ", "GROUPDQ", "AVDRKCUR")


class RawRamp:
    """An open raw exposure; use it in a `with` block.

    Attributes
    ----------
    path : Path
    metadata : Metadata
    hdus : list of Hdu
        What the file holds.
    shape : (nints, ngroups, ny, nx)
    may_hold_nan : bool
        Whether the values are stored as floats, as some simulators do.
    """

    def __init__(self, path: Path) -> None:
        self.path = Path(path)
        self.hdus = scan(self.path)
        self._science = require(self.path, self.hdus, "SCI")
        self.metadata = metadata_from(
            self.path, {hdu.name: hdu.header for hdu in reversed(self.hdus)}
        )
        self.shape = ramp_shape(self.path, self._science)
        check_sizes(self.metadata, self.shape)
        self._stored = storage(self.path, self._science)
        self.may_hold_nan = self._stored.dtype.kind == "f"
        self._zeroframe = self._companion("ZEROFRAME", (self.shape[0], *self.shape[2:]))
        self._refout = self._companion("REFOUT", None)
        self._stream: BinaryIO | None = None

    def __enter__(self) -> Self:
        self._stream = self.path.open("rb")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._stream is not None:
            self._stream.close()
            self._stream = None

    def _companion(self, name: str, shape: tuple[int, ...] | None) -> Hdu | None:
        hdu = find(self.hdus, name)
        if hdu is None or not hdu.shape:
            return None
        wanted = (*self.shape[:3], hdu.shape[-1]) if shape is None else shape
        check_shape(self.path, hdu, wanted)
        return hdu

    def _read(self, hdu: Hdu, first: int, shape: tuple[int, ...]) -> Float32:
        """Read `shape` values from value number `first` on."""
        if self._stream is None:
            msg = f"{self.path} is not open; use it in a with block"
            raise ValueError(msg)
        stored = storage(self.path, hdu)
        raw = read_into(
            self._stream, hdu.offset + first * stored.dtype.itemsize, shape, stored.dtype
        )
        return stored.convert(raw, np.float32)

    def read_rows(self, integration: int, y0: int, y1: int) -> Float32:
        """Return some rows of all groups of an integration.

        Parameters
        ----------
        integration : int
            0-based.
        y0, y1 : int
            First row, and the row behind the last.

        Returns
        -------
        float32 (ngroups, y1 - y0, nx)
            DN; NaN as stored where `may_hold_nan`, see `clear_nan`.
        """
        _, ngroups, ny, nx = self.shape
        block = np.empty((ngroups, y1 - y0, nx), np.float32)
        for group in range(ngroups):
            first = ((integration * ngroups + group) * ny + y0) * nx
            block[group] = self._read(self._science, first, block.shape[1:])
        return block

    def zeroframe(self, integration: int) -> Float32 | None:
        """Return frame zero of an integration, float32 (ny, nx) in DN, or None without one."""
        if self._zeroframe is None:
            return None
        _, _, ny, nx = self.shape
        return self._read(self._zeroframe, integration * ny * nx, (ny, nx))

    def refout(self, integration: int) -> Float32 | None:
        """Return the reference output, float32 (ngroups, ny, nx // 4) in DN, or None."""
        if self._refout is None:
            return None
        shape = self._refout.shape[1:]
        return self._read(self._refout, integration * int(np.prod(shape)), shape)

    def tables(self) -> dict[str, Table]:
        """Return the tables and unknown arrays that the product carries along."""
        return carried(self.path, self.hdus, RAMP_ARRAYS)


def open_raw(path: Path) -> RawRamp:
    """Open a raw exposure for reading by rows.

    Raises
    ------
    InputError
        If it is no FITS file, truncated, has no SCI with 4 dimensions, or NINTS, NGROUPS,
        SUBSIZE1 or SUBSIZE2 disagree with the array.
    """
    return RawRamp(Path(path))


def ramp_shape(path: Path, hdu: Hdu) -> tuple[int, int, int, int]:
    """Return the shape of a 4-D array or say what it is instead."""
    shape = hdu.shape
    if len(shape) != 4 or 0 in shape:
        msg = (
            f"{path}: SCI has shape {shape}; expected 4 dimensions (integrations, groups, rows, "
            "columns), such as an _uncal file has"
        )
        raise InputError(msg)
    return shape


def check_shape(path: Path, hdu: Hdu, shape: tuple[int, ...]) -> None:
    """Refuse an array that does not fit to SCI.

    Raises
    ------
    InputError
        Naming both shapes.
    """
    if hdu.shape != shape:
        msg = f"{path}: {hdu.name} has shape {hdu.shape}; expected {shape} as SCI requires"
        raise InputError(msg)


def check_sizes(metadata: Metadata, shape: tuple[int, int, int, int]) -> None:
    """Compare the sizes that the header gives with the array.

    A segment holds integrations INTSTART to INTEND of the NINTS of its exposure. NIRSpec's IRS2
    readout has reference pixels between the rows that SUBSIZE2 does not count.

    Raises
    ------
    InputError
        Naming the keyword and both values.
    """
    sizes = dict(zip(("NINTS", "NGROUPS", "SUBSIZE2", "SUBSIZE1"), shape, strict=True))
    if "INTSTART" in metadata and "INTEND" in metadata:
        first, last = metadata.require("INTSTART", int), metadata.require("INTEND", int)
        if last - first + 1 == shape[0]:
            del sizes["NINTS"]
        elif is_segment(metadata):
            msg = (
                f"{metadata.source}: INTSTART and INTEND are {first} and {last} but SCI has "
                f"{shape[0]} integrations; correct the header or use another file"
            )
            raise InputError(msg)
    if "IRS2" in str(metadata.get("READPATT")):
        del sizes["SUBSIZE1"], sizes["SUBSIZE2"]
    for keyword, found in sizes.items():
        if keyword in metadata and metadata.require(keyword, int) != found:
            msg = (
                f"{metadata.source}: {keyword} is {metadata[keyword]} but SCI has {found} "
                f"({axis_of(keyword)}); correct the header or use another file"
            )
            raise InputError(msg)


def is_segment(metadata: Metadata) -> bool:
    """Tell whether a file holds some integrations of a longer exposure."""
    return "EXSEGTOT" in metadata and metadata.require("EXSEGTOT", int) > 1


def axis_of(keyword: str) -> str:
    """Say what a size keyword counts."""
    words = {"NINTS": "integrations", "NGROUPS": "groups", "SUBSIZE1": "columns"}
    return words.get(keyword, "rows")


def carried(path: Path, hdus: list[Hdu], known: tuple[str, ...]) -> dict[str, Table]:
    """Read every HDU that a container has no array for, in the order of the file."""
    rest = [hdu for hdu in hdus[1:] if hdu.name and hdu.name not in (*known, "ASDF")]
    tables = {}
    for hdu in rest:
        plain = None if hdu.is_image else read_plain(read_bytes(path, hdu), hdu)
        if plain is not None:
            tables[hdu.name] = plain
    others = [hdu.name for hdu in rest if not hdu.is_image and hdu.name not in tables]
    tables |= read_tables(path, others)
    result = {}
    for hdu in rest:
        if hdu.name in tables:
            result[hdu.name] = tables[hdu.name]
        elif hdu.is_image and hdu.shape:
            result[hdu.name] = Table(read_array(path, hdu))
    return result


def clear_nan(data: Float32, groupdq: UInt8, flag: int = 1) -> int:
    """Replace NaN and infinity by zero and flag them, in place.

    Parameters
    ----------
    data : float32, any shape
        Changed in place.
    groupdq : uint8, shape of `data`
        Changed in place.
    flag : int
        Bit to set, DO_NOT_USE.

    Returns
    -------
    int
        How many values were not finite.
    """
    bad: Any = ~np.isfinite(data)
    count = int(np.count_nonzero(bad))
    if count:
        data[bad] = 0.0
        groupdq[bad] |= np.uint8(flag)
    return count
