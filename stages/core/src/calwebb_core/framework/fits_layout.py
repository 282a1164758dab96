"""Where the HDUs of a FITS file are, found from its headers without reading any data.

The size that the headers promise is checked against the file's before anything is allocated.
"""

import math
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from calwebb_core.framework.errors import InputError
from calwebb_core.framework.fits_cards import Header
from calwebb_core.framework.plain_files import check_holes, open_regular

BLOCK = 2880
EXTENSION = b"XTENSION"
BITS = (8, 16, 32, 64, -32, -64)
# What the readers here can hold; the largest products have some thousand HDUs.
MOST_HDUS, MOST_AXES, MOST_COLUMNS = 20_000, 32, 999
LARGEST = 1 << 56
# bits of a value in a table's column
WIDTHS = {"X": 1} | dict.fromkeys("LBA", 8) | dict.fromkeys("I", 16) | dict.fromkeys("JE", 32)
WIDTHS |= dict.fromkeys("KDCP", 64) | dict.fromkeys("MQ", 128)
COLUMN = re.compile(rf" *(\d*)([{''.join(WIDTHS)}])")


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
        return tuple(reversed(axes_of(self.header)))

    @property
    def is_image(self) -> bool:
        """Whether it is a plain, uncompressed array."""
        return str(self.header.get("XTENSION", "IMAGE")).strip() == "IMAGE"


def scan(path: Path, until: str = "") -> list[Hdu]:
    """Find the HDUs of a FITS file, up to the first named `until` or all.

    Raises
    ------
    InputError
        If the file is missing, no regular file, compressed, not FITS, shorter than its headers
        say, or its headers are damaged.
    """
    path = Path(path)
    try:
        with open_regular(path) as stream:
            check_start(path, stream)
            check_holes(stream.fileno(), os.fstat(stream.fileno()).st_size)
            hdus = []
            for hdu in walk(path, stream):
                hdus.append(hdu)
                if hdu.name == until:
                    break
                if len(hdus) > MOST_HDUS:
                    msg = f"{path}: has more than {MOST_HDUS} HDUs; expected a JWST product"
                    raise InputError(msg)
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
    total = stream.seek(0, os.SEEK_END)
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
    """Compute name and size of an HDU.

    Raises
    ------
    InputError
        If its keywords are none of an array or a table.
    """
    try:
        axes = axes_of(header)
        default = "" if "XTENSION" in header else "PRIMARY"
        name = str(header.get("EXTNAME", default)).strip().upper()
        version = int(header.get("EXTVER", 1))
        size = size_of(header, axes) if axes or is_table(header) else 0
        check_packed(header)
    except KeyError as error:
        msg = f"{path}: a header is damaged ({error}); expected BITPIX, NAXIS and NAXISn"
        raise InputError(msg) from error
    except (ValueError, TypeError, OverflowError) as error:
        msg = f"{path}: a header is damaged ({error}); copy or make the file again"
        raise InputError(msg) from error
    return Hdu(name, version, header, offset, size)


def is_table(header: Any) -> bool:
    """Say whether a header is that of a binary table."""
    return str(header.get("XTENSION", "")).strip() == "BINTABLE"


def check_packed(header: Any) -> None:
    """Refuse a compressed image whose axes no array has.

    Raises
    ------
    KeyError, ValueError
        As `axes_of`, for the image that the table holds.
    """
    if "ZIMAGE" in header and prod([max(1, axis) for axis in axes_of(header, "Z")]) > LARGEST:
        msg = "a compressed image has more values than a file can hold"
        raise ValueError(msg)


def axes_of(header: Any, before: str = "") -> list[int]:
    """Return the lengths of an array's axes; `before` stands before their keywords.

    Raises
    ------
    KeyError, ValueError
        If one is absent, or no length.
    """
    count = whole(header, f"{before}NAXIS")
    if count > MOST_AXES:
        msg = f"{before}NAXIS is {count}; expected at most {MOST_AXES}"
        raise ValueError(msg)
    return [whole(header, f"{before}NAXIS{axis + 1}") for axis in range(count)]


def size_of(header: Any, axes: list[int]) -> int:
    """Return how many bytes the data of an HDU have.

    Raises
    ------
    KeyError, ValueError
        If a keyword of its structure is absent or has a value that the standard does not allow.
    """
    bits, kind = header["BITPIX"], str(header.get("XTENSION", "IMAGE")).strip()
    if bits not in BITS:
        msg = f"BITPIX of {header.get('EXTNAME', 'PRIMARY')} is {bits!r}; expected one of {BITS}"
        raise ValueError(msg)
    parameters, groups = whole(header, "PCOUNT", 0), whole(header, "GCOUNT", 1)
    if groups != 1 or (parameters and kind == "IMAGE"):
        msg = f"PCOUNT and GCOUNT are {parameters} and {groups}; expected 0 and 1"
        raise ValueError(msg)
    if kind == "BINTABLE" and (bits, len(axes)) != (8, 2):
        msg = f"a table has BITPIX {bits} and {len(axes)} axes; expected 8 and 2"
        raise ValueError(msg)
    if kind == "BINTABLE":
        check_columns(header, axes[0])
    scaling = [float(header.get(keyword, 1)) for keyword in ("BZERO", "BSCALE")]
    if not all(map(math.isfinite, scaling)):
        msg = f"BZERO and BSCALE are {scaling}; expected finite numbers"
        raise ValueError(msg)
    if prod([max(1, axis) for axis in axes]) > LARGEST:
        msg = f"an array of {' x '.join(map(str, axes))} values is none that a file can hold"
        raise ValueError(msg)
    return (parameters + prod(axes)) * abs(int(bits)) // 8


def check_columns(header: Any, width: int) -> None:
    """Refuse a table whose columns are wider than its rows: its file has no such bytes.

    Raises
    ------
    ValueError
        If there are more columns than the standard allows, too.
    """
    count = whole(header, "TFIELDS", 0)
    if count > MOST_COLUMNS:
        msg = f"TFIELDS is {count}; expected at most {MOST_COLUMNS}"
        raise ValueError(msg)
    needed = 0
    for number in range(1, count + 1):
        found = COLUMN.match(str(header.get(f"TFORM{number}", "")))
        if found is None:
            msg = f"TFORM{number} is {header.get(f'TFORM{number}')!r:.40}; expected such as 1D"
            raise ValueError(msg)
        needed += -(-int(found[1] or 1) * WIDTHS[found[2]] // 8)
    if needed > width:
        msg = f"the columns of a table have {needed} bytes a row, but NAXIS1 is {width}"
        raise ValueError(msg)


def whole(header: Any, keyword: str, default: int | None = None) -> int:
    """Return a count of a header.

    Raises
    ------
    KeyError
        If it is absent and has no default.
    ValueError
        If it is no whole number, or a negative one.
    """
    value: Any = header[keyword] if default is None else header.get(keyword, default)
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        msg = f"{keyword} is {value!r:.40}; expected a whole number from 0 on"
        raise ValueError(msg)
    return int(value)


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
