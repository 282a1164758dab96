"""The product definition's keywords: where each lives in a FITS file and in the ASDF tree.

`keywords.txt` lists them in the order of the headers, in sections ``[HDU] title``; a line is
keyword, type (s text, i whole number, n number, b boolean), place below `meta`, and comment.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

KINDS: dict[str, type | tuple[type, ...]] = {
    "s": str,
    "i": int,
    "n": (int, float),
    "b": bool,
}
SIP = re.compile(r"(?:A|B|AP|BP)_\d_\d")
# Keywords that describe the file rather than the exposure; the writer makes its own.
STRUCTURE = re.compile(
    r"|SIMPLE|XTENSION|BITPIX|NAXIS\d*|PCOUNT|GCOUNT|EXTEND|GROUPS|BSCALE|BZERO|BLANK|NEXTEND"
    r"|EXTNAME|EXTVER|EXTLEVEL|INHERIT|CHECKSUM|DATASUM|DATAMIN|DATAMAX|COMMENT|HISTORY|CONTINUE|END"
    r"|TFIELDS|THEAP|T(?:TYPE|FORM|UNIT|DIM|NULL|SCAL|ZERO|DISP|BCOL)\d+"
)


@dataclass(frozen=True)
class Keyword:
    """One keyword of the product definition.

    Attributes
    ----------
    name : str
        FITS keyword.
    hdu : str
        PRIMARY or SCI.
    kind : str
        s, i, n or b, see `KINDS`.
    path : str
        Its place in the ASDF tree below `meta`, with dots.
    comment : str
        Comment of its card.
    section : str
        Heading in the header; empty for the first ones.
    """

    name: str
    hdu: str
    kind: str
    path: str
    comment: str
    section: str

    def fits(self, value: Any) -> bool:
        """Tell whether a value has the type that the product definition asks for."""
        if isinstance(value, bool):
            return self.kind == "b"
        return isinstance(value, KINDS[self.kind])


def parse(text: str) -> Iterator[Keyword]:
    """Read the lines of `keywords.txt`."""
    hdu = section = ""
    for line in text.splitlines():
        if line.startswith("["):
            hdu, _, section = line[1:].partition("]")
            section = section.strip()
            continue
        name, kind, path, comment = (*line.split(" ", 3), "")[:4]
        yield Keyword(name, hdu, kind, path, comment, section)


@cache
def product_keywords() -> tuple[Keyword, ...]:
    """Return all keywords in the order of the headers: PRIMARY first, then SCI."""
    source = files("calwebb_core.framework").joinpath("keywords.txt")
    return tuple(parse(source.read_text(encoding="utf-8")))


@cache
def _by_name() -> dict[str, tuple[Keyword, ...]]:
    table: dict[str, tuple[Keyword, ...]] = {}
    for keyword in product_keywords():
        table[keyword.name] = (*table.get(keyword.name, ()), keyword)
    return table


def sip_keyword(name: str) -> Keyword:
    """Return the entry of a SIP coefficient such as A_1_2; they are too many to list."""
    comment = f"SIP coefficient, {'inverse' if 'P_' in name else 'forward'} transform"
    return Keyword(name, "SCI", "n", f"wcsinfo.{name.lower()}", comment, "WCS parameters")


def find_keyword(name: str, home: str = "") -> Keyword | None:
    """Return a keyword's entry, or None for one that the product definition does not know.

    A few (V2_REF, ROLL_REF, ...) exist in PRIMARY for the guider and in SCI for the science
    aperture; `home` picks one, and SCI is meant otherwise.
    """
    if SIP.fullmatch(name):
        return sip_keyword(name)
    entries = _by_name().get(name, ())
    for entry in entries:
        if entry.hdu == home:
            return entry
    return entries[-1] if entries else None


def is_structural(name: str) -> bool:
    """Tell whether a keyword belongs to the file's structure and not to the metadata."""
    return STRUCTURE.fullmatch(name) is not None
