"""Keywords of a product to and from its PRIMARY and SCI headers."""

import logging
import math
import os
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from calwebb_core.framework.errors import InputError
from calwebb_core.framework.fits_cards import CARD, KEYWORD, Card, number
from calwebb_core.framework.keywords import (
    Keyword,
    find_keyword,
    is_structural,
    product_keywords,
)
from calwebb_core.framework.metadata import Metadata

logger = logging.getLogger(__name__)

VALUE_END = 30
LARGEST_WHOLE = 1 << 63
HOMES = ("PRIMARY", "SCI")


def metadata_from(path: Path, headers: dict[str, Any]) -> Metadata:
    """Collect the keywords of the PRIMARY and SCI headers.

    Parameters
    ----------
    path : Path
        The file, for messages.
    headers : dict of Header
        By HDU name.

    Returns
    -------
    Metadata
        In the order of the headers, with homes and comments. Where a keyword is in both, the
        one in the HDU that the product definition names counts.
    """
    metadata = Metadata(source=str(path))
    for home in HOMES:
        header = headers.get(home)
        if header is not None:
            add_cards(metadata, home, header)
            metadata.history += [ascii_of(str(line)) for line in header.get("HISTORY", ())]
            remarks = [ascii_of(str(line)) for line in header.get("COMMENT", ())]
            metadata.remarks += [line for line in remarks if line]
    return metadata


def add_cards(metadata: Metadata, home: str, header: Any) -> None:
    """Add the cards of one header that say something about the product."""
    for card in header.cards:
        name = card.keyword
        if is_structural(name):
            continue
        try:
            value, comment = card.value, card.comment
        except ValueError:
            value, comment = ..., ""
        if value is None:
            continue
        if value is ... or not is_fit(name, value):
            logger.warning(
                "%s: keyword %s in %s is unreadable; left out", metadata.source, name, home
            )
            continue
        entry = find_keyword(name)
        if name in metadata and entry is not None and entry.hdu != home:
            continue
        metadata[name] = value
        metadata.homes[name] = home
        if comment:
            metadata.comments[name] = ascii_of(comment)


def is_fit(name: str, value: Any) -> bool:
    """Tell whether a keyword and its value can stand in a header: printable, of a usual size."""
    if not (name.isascii() and name.isprintable()):
        return False
    if isinstance(value, str):
        return value.isascii() and value.isprintable()
    return not isinstance(value, int) or -LARGEST_WHOLE <= value < LARGEST_WHOLE


def ascii_of(text: str) -> str:
    """Return a text with question marks in the place of what no header can hold."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(letter if " " <= letter <= "~" else "?" for letter in text)


def plain(value: Any) -> Any:
    """Return a keyword's value as a plain Python value; None if a header cannot hold it."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, bytes):
        value = value.decode("ascii", "replace")
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def checked_values(metadata: Metadata) -> dict[str, Any]:
    """Return keyword values as plain Python values of the type that they are defined with.

    Raises
    ------
    InputError
        If a value has a type that a header has no card for.
    """
    values = {}
    for name, raw in metadata.items():
        value = plain(raw)
        if value is None:
            if raw is not None:
                logger.warning("%s: keyword %s is %s; left out", metadata.source, name, raw)
            continue
        if not isinstance(value, bool | int | float | str):
            msg = f"{metadata.source}: keyword {name} is {value!r}; expected a number or a text"
            raise InputError(msg)
        if isinstance(value, str) and not (value.isascii() and value.isprintable()):
            msg = f"{metadata.source}: keyword {name} is {value!r}; expected printable ASCII"
            raise InputError(msg)
        entry = find_keyword(name)
        values[name] = value if entry is None else in_type(entry, value)
    return values


def in_type(entry: Keyword, value: Any) -> Any:
    """Return a value in the type of its keyword where nothing is lost by that."""
    if entry.kind == "i" and isinstance(value, float) and value.is_integer():
        return int(value)
    if entry.kind == "n" and isinstance(value, int) and not isinstance(value, bool):
        return float(value) if abs(value) < 2**53 else value
    return value


def home_of(metadata: Metadata, name: str) -> str:
    """Return the HDU that a keyword is written to."""
    home = metadata.homes.get(name, "")
    entry = find_keyword(name, home)
    if entry is not None:
        return entry.hdu
    return home or "PRIMARY"


def product_date() -> str:
    """Return DATE: SOURCE_DATE_EPOCH if it is set, otherwise now, in UTC.

    Milliseconds are taken, too, so that a product of any date can be made again.

    Raises
    ------
    InputError
        If SOURCE_DATE_EPOCH is no number of seconds.
    """
    epoch = os.environ.get("SOURCE_DATE_EPOCH")
    if not epoch:
        moment = datetime.now(UTC)
    else:
        try:
            whole, _, part = epoch.partition(".")
            moment = datetime.fromtimestamp(int(whole), UTC)
            moment = moment.replace(microsecond=int(part.ljust(3, "0")) * 1000 if part else 0)
        except (ValueError, OverflowError, OSError):
            msg = f"SOURCE_DATE_EPOCH is {epoch!r}; expected seconds since 1970 as a whole number"
            raise InputError(msg) from None
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}"


def product_metadata(metadata: Metadata, path: Path, model: str) -> Metadata:
    """Return a copy with the keywords of the file itself: DATE, FILENAME, DATAMODL, TELESCOP."""
    result = metadata.copy()
    result["DATE"] = product_date()
    result["FILENAME"] = Path(path).name
    result["DATAMODL"] = model
    result.setdefault("TELESCOP", "JWST")
    return result


def cards(metadata: Metadata, values: dict[str, Any], home: str) -> list[Any]:
    """Return the cards of one HDU: known keywords by section, then the others as they came."""
    own = {name: value for name, value in values.items() if home_of(metadata, name) == home}
    result: list[Any] = []
    section = ""
    for entry in ordered_entries(own, home):
        if entry.section and entry.section != section:
            result += heading(entry.section)
        section = entry.section
        result.append(card(entry.name, own.pop(entry.name), entry.comment))
    for name, value in own.items():
        result.append(card(name, value, metadata.comments.get(name, "")))
    return result


def ordered_entries(own: dict[str, Any], home: str) -> list[Keyword]:
    """Return the known keywords among `own` in the order of the product definition."""
    entries = [entry for entry in product_keywords() if entry.hdu == home and entry.name in own]
    listed = {entry.name for entry in entries}
    coefficients = (find_keyword(name, home) for name in sorted(own) if name not in listed)
    return entries + [entry for entry in coefficients if entry is not None]


def heading(title: str) -> list[Any]:
    """Return the blank cards around the title of a section."""
    return [Card("", text) for text in ("", title, "")]


def card(name: str, value: Any, comment: str) -> Any:
    """Return a card with the full value and as much of its comment as there is room for."""
    if len(name) > KEYWORD or " " in name:
        return hierarch_card(name, value, comment)
    if isinstance(value, float):
        return Card(name, value, comment)
    bare = Card(name, value)
    room = CARD - max(len(bare.image.rstrip()), VALUE_END) - len(" / ")
    if len(bare.image) > CARD:  # a long text on several cards
        room = CARD - len("CONTINUE  '' / ")
    return Card(name, value, comment[:room] if room > 0 else None)


def hierarch_card(name: str, value: Any, comment: str) -> Any:
    """Return the card of a keyword that is longer than the standard's, by astropy."""
    from astropy.io import fits

    if isinstance(value, float):
        image = f"HIERARCH {name} = {number(value):>20}"
        room = CARD - len(image) - len(" / ")
        return fits.Card.fromstring(image + (f" / {comment[:room]}" if comment else ""))
    bare = fits.Card(f"HIERARCH {name}", value)
    room = CARD - max(len(bare.image.rstrip()), VALUE_END) - len(" / ")
    return fits.Card(f"HIERARCH {name}", value, comment[:room] if room > 0 else None)


def closing_cards(metadata: Metadata) -> list[Any]:
    """Return COMMENT and HISTORY, which stand at the end of PRIMARY."""
    pairs: Iterable[tuple[str, str]] = [
        *(("COMMENT", line) for line in metadata.remarks),
        *(("HISTORY", line) for line in metadata.history),
    ]
    width = CARD - 8
    return [
        Card(name, line[start : start + width])
        for name, line in pairs
        for start in range(0, max(len(line), 1), width)
    ]
