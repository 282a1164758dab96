"""Keywords of a raw exposure's primary header, read without touching the pixels.

A plan of 10,000 exposures reads 10,000 headers: this reads the header's blocks of 2880 bytes
and nothing else, and may keep what it found by path, size and time of change.
"""

import json
import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from calwebb_associate.columns import FROM_HEADER
from calwebb_core.framework.crds_client import RULE_NAMES
from calwebb_core.framework.errors import InputError

BLOCK: Final = 2880
CARD: Final = 80
FIRST_READ: Final = 10 * BLOCK
LARGEST_HEADER: Final = 4000 * BLOCK
CACHE_FORMAT: Final = 1
END: Final = "END".ljust(CARD)
GZIP: Final = "\x1f\x8b"

STRIPES: Final = ("MSTR_RD1", "SSTR_NST")
TIMES: Final = ("EXPSTART", "EXPEND", "EXSEGNUM", "EXSEGTOT")
POSITION: Final = ("TARG_RA", "TARG_DEC")
KEYWORDS: Final = frozenset((*FROM_HEADER.values(), *RULE_NAMES, *STRIPES, *TIMES, *POSITION))
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
    wanted = frozenset(keywords)
    header: Header = {}
    cards = _cards(path)
    for index, card in enumerate(cards):
        keyword = card[:8].rstrip()
        if keyword in wanted and card[8:10] == "= ":
            value = _value(card[10:])
            if isinstance(value, str) and value.endswith("&"):
                value = _continued(value, cards[index + 1 :])
            if value is not None:
                header[keyword] = value
    return header


class HeaderCache:
    """Headers kept in a JSON file by path, size and time of change of the FITS file.

    Parameters
    ----------
    path : Path or None
        The JSON file; nothing is kept without one. One that cannot be used is made anew.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._kept: dict[str, list[Any]] = {} if path is None else _load_cache(path)
        self._changed = False

    def read(self, path: Path, status: os.stat_result) -> Header:
        """Return a file's header, from what was kept if the file has not changed since."""
        if self._path is None:
            return read_primary(path)
        identity = [status.st_size, status.st_mtime_ns]
        key = str(path.absolute())
        entry = self._kept.get(key)
        if entry is None or entry[:2] != identity:
            entry = self._kept[key] = [*identity, read_primary(path)]
            self._changed = True
        return dict(entry[2])

    def save(self) -> None:
        """Write what was read since, if a file was named."""
        if self._path is not None and self._changed:
            from calwebb_core.framework.atomic import write_text

            content = {"format": CACHE_FORMAT, "keywords": sorted(KEYWORDS), "headers": self._kept}
            write_text(self._path, json.dumps(content, separators=(",", ":")))


def _load_cache(path: Path) -> dict[str, list[Any]]:
    """Read what was kept; another format or damage means starting anew."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    ours = isinstance(content, Mapping) and content.get("format") == CACHE_FORMAT
    if not ours or content.get("keywords") != sorted(KEYWORDS):
        return {}
    return dict(content["headers"])


def _cards(path: str | os.PathLike[str]) -> list[str]:
    """Return the cards of the primary header up to END."""
    try:
        with Path(path).open("rb") as file:
            text = file.read(FIRST_READ).decode("latin-1")
            if not text.startswith("SIMPLE  ="):
                packed = text.startswith(GZIP)
                found = "is compressed; unpack it" if packed else "is not a FITS file"
                msg = f"{path}: {found}: expected it to start with SIMPLE"
                raise InputError(msg)
            while True:
                cards = [text[at : at + CARD] for at in range(0, len(text), CARD)]
                if END in cards:
                    return cards[: cards.index(END)]
                more = file.read(FIRST_READ).decode("latin-1")
                if not more or len(text) > LARGEST_HEADER:
                    found = f"ends within its primary header ({len(text)} bytes)"
                    msg = f"{path}: {found}; it is truncated, fetch it again"
                    raise InputError(msg)
                text += more
    except OSError as error:
        msg = f"{path}: cannot be read: {error.strerror}"
        raise InputError(msg) from error


def _value(text: str) -> Value | None:
    """Read the value of a card, behind its equals sign."""
    match = _STRING.match(text)
    if match:
        return match[1].replace("''", "'").rstrip()
    word = text.split("/", 1)[0].strip()
    if word in ("T", "F"):
        return word == "T"
    for kind in (int, float):
        try:
            return kind(word.replace("D", "E"))
        except ValueError:
            continue
    return None


def _continued(value: str, cards: list[str]) -> str:
    """Add the CONTINUE cards of a long string."""
    for card in cards:
        match = _STRING.match(card[8:])
        if not card.startswith("CONTINUE") or not match or not value.endswith("&"):
            break
        value = value[:-1] + match[1].replace("''", "'").rstrip()
    return value
