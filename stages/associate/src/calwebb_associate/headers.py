"""Keywords of an exposure's primary header, read without touching the pixels.

A pool of 10,000 exposures reads 10,000 headers: this reads the header's blocks of 2880 bytes
and nothing else, and looks only at the cards that are asked for.
"""

import os
import re
from collections.abc import Iterable
from functools import lru_cache
from math import isfinite
from typing import Final

from calwebb_associate.columns import HEADER_COLUMNS
from calwebb_core.framework.crds_client import RULE_NAMES
from calwebb_core.framework.errors import InputError
from calwebb_core.framework.fits_cards import LARGEST_HEADER
from calwebb_core.framework.plain_files import open_regular

BLOCK: Final = 2880
CARD: Final = 80
FIRST_READ: Final = 10 * BLOCK
END: Final = "END".ljust(CARD)
GZIP: Final = "\x1f\x8b"

STRIPES: Final = ("MSTR_RD1", "SSTR_NST")
TIMES: Final = ("EXPSTART", "EXPEND", "EXSEGNUM", "EXSEGTOT")
POSITION: Final = ("TARG_RA", "TARG_DEC")
STATUS: Final = ("VISITSTA",)
KEYWORDS: Final = frozenset(
    (*HEADER_COLUMNS.values(), *RULE_NAMES, *STRIPES, *TIMES, *POSITION, *STATUS)
)
_STRING: Final = re.compile(r"\s*'((?:[^']|'')*)'")

Value = str | int | float | bool
Header = dict[str, Value]


def read_primary(path: str | os.PathLike[str], keywords: Iterable[str] = KEYWORDS) -> Header:
    """Read some keywords of a FITS file's primary header.

    Parameters
    ----------
    path : path
        FITS file, not compressed.
    keywords : iterable of str
        Upper-case names; those the header lacks, or has without a value, are left out.

    Raises
    ------
    InputError
        If the file cannot be read, is not FITS, or ends within its header.
    """
    wanted = _starts(keywords if isinstance(keywords, frozenset) else frozenset(keywords))
    text = _primary(path)
    header: Header = {}
    for at in range(0, len(text), CARD):
        keyword = wanted.get(text[at : at + 10])
        if keyword is not None:
            value = _value(text[at + 10 : at + CARD])
            if isinstance(value, str) and value.endswith("&"):
                value = _continued(value, text, at + CARD)
            if value is not None:
                header[keyword] = value
    return header


@lru_cache(maxsize=8)
def _starts(keywords: frozenset[str]) -> dict[str, str]:
    """Return how cards with a value begin, with their keywords."""
    return {f"{keyword:<8}= ": keyword for keyword in keywords}


def _primary(path: str | os.PathLike[str]) -> str:
    """Return the primary header up to END."""
    try:
        with open_regular(path, buffering=0) as file:
            text = file.read(FIRST_READ).decode("latin-1")
            if not text.startswith("SIMPLE  ="):
                packed = text.startswith(GZIP)
                found = "is compressed; unpack it" if packed else "is not a FITS file"
                msg = f"{path}: {found}: expected it to start with SIMPLE"
                raise InputError(msg)
            searched = 0
            while True:
                end = _end(text, searched)
                if end >= 0:
                    return text[:end]
                searched = len(text) // CARD * CARD
                more = file.read(FIRST_READ).decode("latin-1")
                if not more or len(text) > LARGEST_HEADER:
                    found = f"ends within its primary header ({len(text)} bytes)"
                    msg = f"{path}: {found}; it is truncated, fetch it again"
                    raise InputError(msg)
                text += more
    except OSError as error:
        msg = f"{path}: cannot be read: {error.strerror}"
        raise InputError(msg) from error


def _end(text: str, start: int) -> int:
    """Return where the card END is from a card on, -1 if it is not there."""
    end = text.find(END, start)
    while end >= 0 and end % CARD:
        end = text.find(END, end + 1)
    return end


def _value(text: str) -> Value | None:
    """Read the value of a card, behind its equals sign."""
    if text.startswith(" '"):
        end = text.find("'", 2)
        if end > 0 and not text.startswith("'", end + 1):
            return _plain(text[2:end])
    match = _STRING.match(text)
    if match:
        return _plain(match[1].replace("''", "'"))
    word = text.split("/", 1)[0].strip()
    if word in ("T", "F"):
        return word == "T"
    for kind in (int, float):
        try:
            number = kind(word.replace("D", "E"))
        except ValueError:
            continue
        return number if isfinite(number) else None
    return None


def _plain(text: str) -> str:
    """Return a text without blanks at its end, control characters replaced."""
    if text.isprintable():
        return text.rstrip()
    return "".join(letter if letter.isprintable() else "?" for letter in text).rstrip()


def _continued(value: str, text: str, at: int) -> str:
    """Add the CONTINUE cards of a long string."""
    while text.startswith("CONTINUE", at) and value.endswith("&"):
        match = _STRING.match(text[at + 8 : at + CARD])
        if not match:
            break
        value = value[:-1] + _plain(match[1].replace("''", "'"))
        at += CARD
    return value
