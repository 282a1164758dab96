"""Where the HDUs of a FITS file are, found from its headers without reading any data.

The size that the headers promise is checked against the file's before anything is allocated.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from calwebb_core.framework.errors import InputError
from calwebb_core.framework.fits_cards import Header

BLOCK = 2880
EXTENSION = b"XTENSION"


@dataclass(frozen=True)
class Hdu:
    """One HDU of a file: its header and where its data are.

    Attributes
    ----------
    name : str
        EXTNAME, PRIMARY for the first one.
    version : int
        EXTVER.
    header : Header
    offset : int
        Byte at which the data start.
    size : int
        Bytes of data without padding.
    """

    name: str
    version: int
    header: Header
    offset: int
    size: int

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the array in numpy's order; () without data."""
        count = int(self.header.get("NAXIS", 0))
        return tuple(int(self.header[f"NAXIS{axis}"]) for axis in range(count, 0, -1))

    @property
    def is_image(self) -> bool:
        """Whether it is a plain, uncompressed array."""
        return str(self.header.get("XTENSION", "IMAGE")).strip() == "IMAGE"


def scan(path: Path, until: str = "") -> list[Hdu]:
    """Find the HDUs of a FITS file, up to the first named `until` or all.

    Raises
    ------
    InputError
        If the file is missing, compressed, not FITS or shorter than its headers say.
    """
    path = Path(path)
    try:
        with path.open("rb") as stream:
            check_start(path, stream)
            hdus = []
            for hdu in walk(path, stream):
                hdus.append(hdu)
                if hdu.name == until:
                    break
            return hdus
    except OSError as error:
        msg = f"{path}: cannot be read: {error.strerror or error}"
        raise InputError(msg) from error


def check_start(path: Path, stream: BinaryIO) -> None:
    """Refuse what is not an uncompressed FITS file by its first bytes."""
    start = stream.read(9)
    stream.seek(0)
    if start[:2] == b"\x1f\x8b":
        msg = f"{path}: is compressed with gzip; expected FITS, uncompress it first (gunzip)"
        raise InputError(msg)
    if start != b"SIMPLE  =":
        found = "an empty file" if not start else f"a file that starts with {start!r}"
        msg = f"{path}: is not a FITS file: found {found}; expected SIMPLE = T"
        raise InputError(msg)


def walk(path: Path, stream: BinaryIO) -> Iterator[Hdu]:
    """Yield the HDUs one after the other; `stream` is at the start of the file."""
    total = os.fstat(stream.fileno()).st_size
    start = 0
    while start < total:
        stream.seek(start)
        if start and stream.read(len(EXTENSION)) != EXTENSION:
            return  # records that are no HDU may follow the last one
        stream.seek(start)
        header = read_header(path, stream)
        hdu = describe(path, header, stream.tell())
        if hdu.offset + hdu.size > total:
            msg = (
                f"{path}: is truncated: found {total} bytes; expected at least "
                f"{hdu.offset + hdu.size} for HDU {hdu.name}; copy the file again"
            )
            raise InputError(msg)
        yield hdu
        start = hdu.offset + -(-hdu.size // BLOCK) * BLOCK


def read_header(path: Path, stream: BinaryIO) -> Header:
    """Read one header; `stream` is left behind it."""
    try:
        return Header.read(stream)
    except (OSError, EOFError, ValueError) as error:
        msg = f"{path}: is truncated or damaged: a header has no END; copy the file again"
        raise InputError(msg) from error


def describe(path: Path, header: Any, offset: int) -> Hdu:
    """Compute name and size of an HDU."""
    try:
        axes = [int(header[f"NAXIS{axis + 1}"]) for axis in range(int(header["NAXIS"]))]
        bits = abs(int(header["BITPIX"]))
        parameters, groups = int(header.get("PCOUNT", 0)), int(header.get("GCOUNT", 1))
        default = "" if "XTENSION" in header else "PRIMARY"
        name = str(header.get("EXTNAME", default)).strip().upper()
        version = int(header.get("EXTVER", 1))
    except (KeyError, ValueError, TypeError) as error:
        msg = f"{path}: a header is damaged ({error}); expected BITPIX, NAXIS and NAXISn"
        raise InputError(msg) from error
    count = 0 if not axes else groups * (parameters + prod(axes))
    return Hdu(name, version, header, offset, count * bits // 8)


def prod(numbers: list[int]) -> int:
    """Multiply whole numbers without overflow."""
    result = 1
    for number in numbers:
        result *= number
    return result


def find(hdus: list[Hdu], name: str) -> Hdu | None:
    """Return the first HDU of a name, or None."""
    return next((hdu for hdu in hdus if hdu.name == name), None)


def require(path: Path, hdus: list[Hdu], name: str) -> Hdu:
    """Return the array HDU of a name.

    Raises
    ------
    InputError
        If the file has none, or has it compressed.
    """
    hdu = find(hdus, name)
    if hdu is None:
        found = ", ".join(hdu.name or "(no name)" for hdu in hdus)
        msg = f"{path}: has no {name} extension; found {found}; expected a JWST product"
        raise InputError(msg)
    if not hdu.is_image:
        kind = "a compressed image" if "ZIMAGE" in hdu.header else "a table"
        msg = f"{path}: extension {name} is {kind}; expected an uncompressed array"
        raise InputError(msg)
    return hdu
