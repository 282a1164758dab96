"""What a FITS file's headers say, and what a product recorded about how it was made."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from calwebb_associate.summary.text import clean
from calwebb_core.framework.errors import InputError
from calwebb_core.framework.fits_cards import Header
from calwebb_core.framework.fits_layout import Hdu, scan

PROVENANCE: Final = "calwebb_flow"
MOST_RECORD: Final = 50_000_000  # bytes of an ASDF extension that are looked into


@dataclass(frozen=True)
class Headers:
    """Keywords of a file: those of its primary header, and of SCI where there is one.

    Attributes
    ----------
    primary, science : Header
    problem : str
        Why the file cannot be read, or nothing.
    otherwise : Headers or None
        Headers that are asked for keywords that these lack.
    """

    primary: Header = field(default_factory=lambda: Header([]))
    science: Header = field(default_factory=lambda: Header([]))
    problem: str = ""
    otherwise: "Headers | None" = None

    def value(self, *keywords: str) -> Any:
        """Return the value of the first keyword that has one, or None."""
        for keyword in keywords:
            for header in (self.primary, self.science):
                value = _value(header, keyword)
                if value is not None and value != "":
                    return value
        return None if self.otherwise is None else self.otherwise.value(*keywords)

    def text(self, *keywords: str) -> str:
        """Return a value as text for the page, or ""."""
        value = self.value(*keywords)
        return "" if value is None else clean(value)

    def number(self, *keywords: str) -> float | None:
        """Return a finite number, or None."""
        value = self.value(*keywords)
        if isinstance(value, bool) or not isinstance(value, int | float):
            return None
        return float(value) if math.isfinite(value) else None

    def starting(self, prefix: str) -> dict[str, str]:
        """Return the primary header's keywords that start so, with their values as text."""
        names = [card.keyword for card in self.primary.cards if card.keyword.startswith(prefix)]
        return {name: clean(_value(self.primary, name)) for name in names}


def _value(header: Header, keyword: str) -> Any:
    """Return a keyword's value; None where it is absent or follows no form of the standard."""
    try:
        return header.get(keyword)
    except (ValueError, OverflowError):
        return None


def read_headers(path: Path, *, whole: bool = True) -> Headers:
    """Read the headers of a file; what is wrong with it is told, not raised.

    Parameters
    ----------
    path : Path
    whole : bool
        Whether all extensions have to be there; the first ones otherwise.
    """
    try:
        hdus = scan(path, "" if whole else "SCI")
    except InputError as error:
        return Headers(problem=clean(str(error).replace(f"{path}: ", "")))
    except (ValueError, KeyError, TypeError, OverflowError) as error:
        return Headers(problem=f"damaged header ({clean(error)})")
    if not hdus:
        return Headers(problem="an empty file")
    science = next((hdu.header for hdu in hdus if hdu.name == "SCI"), Header([]))
    return Headers(hdus[0].header, science)


def read_runs(path: Path) -> list[Mapping[str, Any]]:
    """Return what the programs recorded that made a product: one entry a program, or none."""
    try:
        hdu = next((hdu for hdu in scan(path) if hdu.name == "ASDF"), None)
        tree = {} if hdu is None else _tree(path, hdu)
    except (InputError, OSError, ValueError, KeyError, TypeError):
        return []
    record = tree.get(PROVENANCE)
    runs = record.get("runs") if isinstance(record, Mapping) else None
    return [run for run in runs if isinstance(run, Mapping)] if isinstance(runs, list) else []


def _tree(path: Path, hdu: Hdu) -> dict[str, Any]:
    """Return the ASDF tree of an extension, {} where it holds what only its library knows."""
    from yaml import YAMLError

    from calwebb_core.framework.plain_asdf import DamagedError, UnknownContentError, read_tree

    if hdu.size > MOST_RECORD:
        return {}
    with path.open("rb") as stream:
        stream.seek(hdu.offset)
        content = stream.read(hdu.size)
    try:
        return read_tree(content)
    except (DamagedError, UnknownContentError, YAMLError):
        return {}
