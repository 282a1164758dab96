"""HDUs as bytes: headers with checksums, pixels converted to big-endian piece by piece.

The data are streamed: a large array must not be copied whole.
"""

import io
import math
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from calwebb_core.framework.atomic import atomic_path
from calwebb_core.framework.errors import InputError
from calwebb_core.framework.fits_cards import CARD, COMMENTARY, Card, Header
from calwebb_core.framework.fits_checksums import add_words, encode, fold
from calwebb_core.framework.fits_headers import card
from calwebb_core.framework.fits_layout import BLOCK
from calwebb_core.framework.fits_tables import plain_bytes
from calwebb_core.framework.models import Table
from calwebb_core.framework.threads import in_threads

BITPIX = {"u1": 8, "i2": 16, "u2": 16, "i4": 32, "u4": 32, "i8": 64, "f4": -32, "f8": -64}
PIECE = 1 << 18  # values that a thread converts at a time: 1 MB of float32
LAYER = 1 << 22  # values of lazy pixels in memory at a time
WORD = 4  # bytes of the words that checksums add
ZERO_CHECKSUM = "0" * 16


@dataclass
class Streamed:
    """Pixels that are written to a file piece by piece: what its header says of them.

    Attributes
    ----------
    shape : tuple of int
    dtype : numpy.dtype
        Native type.
    datasum : int
        Checksum of what is written so far.
    """

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    datasum: int = 0

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.shape)

    @property
    def nbytes(self) -> int:
        """Bytes in the file, without padding."""
        return int(np.prod(self.shape, dtype=np.int64)) * self.dtype.itemsize


@dataclass(frozen=True)
class Lazy:
    """Pixels that are read when they are written, some rows at a time.

    Attributes
    ----------
    shape : (..., ny, nx)
    dtype : numpy.dtype
        Native type.
    read : callable
        ``read(layer, rows) -> ndarray``: rows (a slice) of one of the 2-D layers.
    """

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    read: Callable[[int, slice], NDArray[Any]]

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.shape)

    def pieces(self) -> Iterator[NDArray[Any]]:
        """Yield the pixels in order, some rows at a time."""
        step = max(1, LAYER // max(1, self.shape[-1]))
        for layer in range(math.prod(self.shape[:-2])):
            for start in range(0, self.shape[-2], step):
                yield self.read(layer, slice(start, min(start + step, self.shape[-2])))


@dataclass(frozen=True)
class Rows:
    """Rows of a table that are made when they are written, some at a time.

    Attributes
    ----------
    count : int
    width : int
        Bytes of a row.
    read : callable
        ``read(first, last) -> bytes`` of the rows [first, last) as they are stored.
    """

    count: int
    width: int
    read: Callable[[int, int], bytes]

    def pieces(self) -> Iterator[bytes]:
        """Yield the rows in order, always whole words but for the last."""
        step = max(1, LAYER // (WORD * max(1, self.width))) * WORD
        for first in range(0, self.count, step):
            yield self.read(first, min(first + step, self.count))


@dataclass
class Block:
    """One HDU to write.

    Attributes
    ----------
    name : str
        EXTNAME; PRIMARY for the first.
    array : ndarray or bytes or Streamed or Lazy or Rows or None
        Pixels in native byte order, or the bytes of a table as they are stored, or pixels that
        are in the file already, or pixels or rows of a table that are read when they are written.
    cards : list of Card
        Keywords behind those of the structure.
    structure : list of Card
        Structure of a table; that of an image follows from its array.
    version : int
        EXTVER of an image: which of several HDUs of one name it is.
    """

    name: str
    array: "NDArray[Any] | bytes | Streamed | Lazy | Rows | None" = None
    cards: list[Any] = field(default_factory=list)
    structure: list[Any] = field(default_factory=list)
    version: int = 1


def write_blocks(path: Path, blocks: list[Block]) -> None:
    """Write a FITS file, whole or not at all.

    Raises
    ------
    InputError, ProcessingError
        As `atomic_path`.
    """
    with atomic_path(path) as temporary, temporary.open("r+b") as stream:
        for block in blocks:
            try:
                write_block(stream, block)
            except InputError as error:
                msg = f"{path}: {error}"
                raise InputError(msg) from error


def write_block(stream: BinaryIO, block: Block) -> None:
    """Write one HDU: its header with room for the checksums, the data, then the checksums."""
    header = header_of(block)
    start = stream.tell()
    stream.write(header_bytes(header))
    if isinstance(block.array, Streamed):
        datasum = block.array.datasum
        stream.seek(stream.tell() + padded(block.array.nbytes))
    else:
        datasum = write_data(stream, block.array)
    end = stream.tell()
    header["DATASUM"] = str(datasum)
    total = add_words(datasum, header_bytes(header))
    header["CHECKSUM"] = encode(~total & 0xFFFFFFFF)
    stream.seek(start)
    stream.write(header_bytes(header))
    stream.seek(end)


def header_bytes(header: Header) -> bytes:
    """Return a header as its file holds it.

    Raises
    ------
    InputError
        If it holds other characters than ASCII, as the names of a table that was read may.
    """
    text = header.tostring()
    try:
        return text.encode("ascii")
    except UnicodeEncodeError as error:
        place = error.start - error.start % CARD
        msg = (
            f"header card {text[place : place + CARD].strip()!a} holds {text[error.start]!a}, "
            "which FITS does not know; give names of tables, columns and units in plain ASCII"
        )
        raise InputError(msg) from error


def header_of(block: Block) -> Header:
    """Return the header of an HDU with room for its checksums."""
    cards = [*(block.structure or structure(block)), *block.cards]
    place = len(cards)
    while place and cards[place - 1].keyword in COMMENTARY:  # these stay at the end
        place -= 1
    cards[place:place] = header_cards(
        ("CHECKSUM", ZERO_CHECKSUM, "HDU checksum"), ("DATASUM", "0", "data unit checksum")
    )
    return Header(cards)


def padded(size: int) -> int:
    """Return how many bytes data take with their padding."""
    return -(-size // BLOCK) * BLOCK


def structure(block: Block) -> list[Any]:
    """Return the cards that describe an array, BZERO for unsigned ones included."""
    array = block.array
    if not isinstance(array, np.ndarray | Streamed | Lazy):
        return header_cards(
            ("SIMPLE", True, "conforms to FITS standard"),
            ("BITPIX", 8, "array data type"),
            ("NAXIS", 0, "number of array dimensions"),
            ("EXTEND", True, ""),
        )
    bits = BITPIX[array.dtype.str[1:]]
    axes = [(f"NAXIS{number}", size, "") for number, size in enumerate(array.shape[::-1], 1)]
    unsigned = array.dtype.kind == "u" and bits > 8
    return header_cards(
        ("XTENSION", "IMAGE", "Image extension"),
        ("BITPIX", bits, "array data type"),
        ("NAXIS", array.ndim, "number of array dimensions"),
        *axes,
        ("PCOUNT", 0, "number of parameters"),
        ("GCOUNT", 1, "number of groups"),
        *((("BSCALE", 1, ""), ("BZERO", 1 << (bits - 1), "")) if unsigned else ()),
        ("EXTNAME", block.name, "extension name"),
        ("EXTVER", block.version, "extension value"),
    )


def header_cards(*entries: tuple[str, Any, str]) -> list[Any]:
    """Return cards from keyword, value and comment."""
    return [Card(*entry) for entry in entries]


def write_data(stream: BinaryIO, array: NDArray[Any] | bytes | Lazy | Rows | None) -> int:
    """Write the data of an HDU with their padding and return their checksum."""
    if array is None:
        return 0
    if isinstance(array, bytes | Rows):
        total = written = 0
        for piece in [array] if isinstance(array, bytes) else array.pieces():
            total = add_words(total, piece)
            written += stream.write(piece)
    else:
        parts = [array] if not isinstance(array, Lazy) else array.pieces()
        total = written = 0
        for part in parts:
            total = fold(total + write_array(stream, part))
            written += part.nbytes
    stream.write(b"\0" * (-written % BLOCK))
    return total


def write_array(stream: BinaryIO, array: NDArray[Any]) -> int:
    """Write an array, several pieces of it side by side, and return the sum of its words."""
    flat = np.ascontiguousarray(array).reshape(-1)
    stream.flush()
    file, start, size = stream.fileno(), stream.tell(), flat.dtype.itemsize

    def put(first: int) -> int:
        piece, total = stored(flat[first : first + PIECE])
        write_at(file, piece, start + first * size)
        return total

    total = sum(in_threads(put, range(0, flat.size, PIECE)))
    stream.seek(start + flat.nbytes)
    return fold(total)


def stored(values: NDArray[Any]) -> tuple[bytes | memoryview, int]:
    """Return values as they are in the file, and the sum of their 32-bit words."""
    size = values.dtype.itemsize
    if values.dtype.kind == "u" and size > 1:
        values = (values ^ values.dtype.type(1 << (8 * size - 1))).view(f"i{size}")
    piece = values.astype(values.dtype.newbyteorder(">"))
    if size < WORD:
        data = piece.tobytes()
        return data, add_words(0, data)
    # the value of a word is the same before its bytes are swapped
    return piece.view(np.uint8).data, int(values.view(np.uint32).sum(dtype=np.uint64))


def write_at(file: int, data: bytes | memoryview, offset: int) -> None:
    """Write bytes to a place of a file, all of them."""
    left = memoryview(data)
    while left:
        done = os.pwrite(file, left, offset)
        left, offset = left[done:], offset + done


def table_block(name: str, table: Table) -> Block:
    """Return the HDU of a table, or of an array, that is carried along."""
    keywords = [card(key, value, "") for key, value in table.keywords.items()]
    if table.data.dtype.names is None:
        return Block(name, np.ascontiguousarray(table.data), keywords)
    plain = plain_bytes(table)
    if plain is not None:
        named = header_cards(("EXTNAME", name, "extension name"), ("EXTVER", 1, "extension value"))
        return Block(name, plain[0], keywords, [*plain[1], *named])
    from astropy.io import fits

    hdu = fits.BinTableHDU(table.data, name=name, ver=1)
    for column in hdu.columns:
        column.unit = table.units.get(column.name)
    buffer = io.BytesIO()
    fits.HDUList([fits.PrimaryHDU(), hdu]).writeto(buffer)
    buffer.seek(BLOCK)
    header = fits.Header.fromfile(buffer)
    size = header["NAXIS1"] * header["NAXIS2"] + header["PCOUNT"]
    return Block(name, buffer.read(size), keywords, list(header.cards))


def asdf_block(content: bytes) -> Block:
    """Return the HDU that holds an ASDF file as the only cell of a table."""
    structure = header_cards(
        ("XTENSION", "BINTABLE", "binary table extension"),
        ("BITPIX", 8, "array data type"),
        ("NAXIS", 2, "number of array dimensions"),
        ("NAXIS1", len(content), "length of dimension 1"),
        ("NAXIS2", 1, "length of dimension 2"),
        ("PCOUNT", 0, "number of group parameters"),
        ("GCOUNT", 1, "number of groups"),
        ("TFIELDS", 1, "number of table fields"),
        ("TTYPE1", "ASDF_METADATA", ""),
        ("TFORM1", f"{len(content)}B", ""),
        ("EXTNAME", "ASDF", "extension name"),
        ("EXTVER", 1, "extension value"),
    )
    return Block("ASDF", content, structure=structure)
