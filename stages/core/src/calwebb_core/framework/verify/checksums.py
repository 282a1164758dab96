"""Whether a FITS product is as it was written, by the CHECKSUM in each of its HDUs."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np

from calwebb_core.framework.fits_layout import BLOCK, Hdu, scan

PIECE: Final = 1000 * BLOCK
WORDS: Final = 0xFFFFFFFF


def changed_hdus(path: Path) -> list[str]:
    """Return the names of the HDUs whose bytes do not fit their CHECKSUM.

    The words of 4 bytes of an HDU, CHECKSUM among them, add up to nothing in ones' complement
    (FITS standard 4.0, appendix J).
    """
    return [
        hdu.name
        for hdu, first, last in extents(scan(path))
        if "CHECKSUM" in hdu.header and words_of(path, first, last) % WORDS
    ]


def extents(hdus: list[Hdu]) -> Iterator[tuple[Hdu, int, int]]:
    """Yield each HDU with the bytes at which it begins and ends."""
    first = 0
    for hdu in hdus:
        last = hdu.offset + -(-hdu.size // BLOCK) * BLOCK
        yield hdu, first, last
        first = last


def words_of(path: Path, first: int, last: int) -> int:
    """Return the sum of the words of 4 bytes in a part of a file."""
    total = 0
    with path.open("rb") as stream:
        stream.seek(first)
        while first < last and (piece := stream.read(min(PIECE, last - first))):
            whole = piece.ljust(-(-len(piece) // 4) * 4, b"\0")
            total += int(np.frombuffer(whole, ">u4").sum(dtype=np.uint64))
            first += len(piece)
    return total
