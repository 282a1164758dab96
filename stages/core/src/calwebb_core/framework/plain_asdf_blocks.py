"""The binary blocks of an ASDF file, which may be compressed, but not without limit.

Layout: ASDF standard 1.6.0. Each block carries the MD5 sum of its bytes, which is checked here (the
library doesn't by default).
"""

import bz2
import hashlib
import struct
import zlib
from collections.abc import Callable, Iterator
from typing import Any

from calwebb_core.framework.plain_files import most_bytes
from calwebb_core.framework.plain_values import DamagedError, UnknownContentError

BLOCK_MAGIC = b"\xd3BLK"
# after magic and header size: flags, compression, allocated, used and data size, MD5
BLOCK_HEADER = struct.Struct(">I4sQQQ16s")
STREAMED = 1
# the format's name of numpy's bool
BOOL = "bool8"

Block = Callable[[], bytes]


def find_blocks(content: bytes, start: int) -> Iterator[Block]:
    """Yield a function for each binary block that reads and checks its bytes."""
    place = content.find(BLOCK_MAGIC, start)
    while place >= 0 and content[place : place + 4] == BLOCK_MAGIC:
        (size,) = struct.unpack_from(">H", content, place + 4)
        first = place + 6 + size
        if size < BLOCK_HEADER.size or first > len(content):
            msg = "the header of a block is cut short"
            raise DamagedError(msg)
        flags, compression, allocated, used, size, checksum = BLOCK_HEADER.unpack_from(
            content, place + 6
        )
        if flags & STREAMED:
            msg = "a streamed block"
            raise UnknownContentError(msg)
        if used > allocated or first + used > len(content):
            msg = "a block is cut short"
            raise DamagedError(msg)
        if size > most_bytes(used):
            msg = f"a block of {used} bytes is said to hold {size}"
            raise DamagedError(msg)
        yield block_reader(content, first, (used, size), compression, checksum)
        place = first + allocated


def block_reader(
    content: bytes, first: int, sizes: tuple[int, int], compression: bytes, checksum: bytes
) -> Block:
    """Return a function that returns the bytes of a block, stored and held in `sizes`."""
    used, size = sizes

    def read() -> bytes:
        stored = content[first : first + used]
        if any(checksum) and hashlib.md5(stored, usedforsecurity=False).digest() != checksum:
            msg = "the bytes of a block are not those of its checksum"
            raise DamagedError(msg)
        if compression == bytes(4):
            return stored
        if compression == b"zlib":
            return unpacked(zlib.decompressobj(), stored, size)
        if compression == b"bzp2":
            return unpacked(bz2.BZ2Decompressor(), stored, size)
        msg = f"a block compressed with {compression!r}"
        raise UnknownContentError(msg)

    return read


def unpacked(decompressor: Any, stored: bytes, size: int) -> bytes:
    """Return what compressed bytes hold, which is of a known size and never more.

    Raises
    ------
    DamagedError
        If it is another size, or they cannot be decompressed.
    """
    try:
        result: bytes = decompressor.decompress(stored, size + 1)
    except (zlib.error, OSError, ValueError, EOFError) as error:
        msg = f"a block cannot be decompressed ({error})"
        raise DamagedError(msg) from error
    if len(result) != size:
        msg = f"a block does not hold the {size} bytes that it is said to"
        raise DamagedError(msg)
    return result
