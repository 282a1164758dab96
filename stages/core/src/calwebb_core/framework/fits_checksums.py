"""Checksums of HDUs (FITS standard 4.0, appendix J)."""

import numpy as np


def add_words(total: int, data: bytes) -> int:
    """Add bytes to a 32-bit ones'-complement checksum (FITS standard 4.0, appendix J)."""
    whole = len(data) // 4 * 4
    total += int(np.frombuffer(data[:whole] if whole < len(data) else data, ">u4").sum(dtype="u8"))
    if whole < len(data):
        total += int.from_bytes(data[whole:].ljust(4, b"\0"), "big")
    return fold(total)


def fold(total: int) -> int:
    """Bring a sum of 32-bit words to 32 bits: what is carried over is added at the low end."""
    while total >> 32:
        total = (total & 0xFFFFFFFF) + (total >> 32)
    return total


def encode(value: int) -> str:
    """Return a checksum as 16 letters and digits (FITS standard 4.0, appendix J.2).

    Each byte becomes the sum of four characters; pairs are shifted against each other until
    no character is a punctuation mark. The text is rotated to the right by one, because the
    value of the CHECKSUM card is not aligned to four bytes.
    """
    text = [0] * 16
    for position in range(4):
        byte = value >> (24 - 8 * position) & 0xFF
        parts = [byte // 4 + ord("0")] * 4
        parts[0] += byte % 4
        while any(is_punctuation(part) for part in parts):
            for low, high in ((0, 1), (2, 3)):
                if is_punctuation(parts[low]) or is_punctuation(parts[high]):
                    parts[low] += 1
                    parts[high] -= 1
        for column, part in enumerate(parts):
            text[4 * column + position] = part
    return "".join(chr(code) for code in [text[-1], *text[:-1]])


def is_punctuation(code: int) -> bool:
    """Tell whether a character between 0 and z is neither digit nor letter."""
    return 0x3A <= code <= 0x40 or 0x5B <= code <= 0x60
