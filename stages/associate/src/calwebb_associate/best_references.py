"""Best reference files of many exposures, asking CRDS once for those that it can't tell apart.

The rules of a type look at few keywords, and at the date only through the dates from which
files are used. Exposures with the same values of those keywords, and no such date between
their own, get the same files. Both lists are read off the rules' own text: every keyword and
every date that occurs in it counts, so that too many may be asked, but never too few.
"""

import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from calwebb_core.framework.crds_client import (
    OBSERVATORY,
    RULE_NAMES,
    Selection,
    best_references,
    context_name,
)
from calwebb_core.framework.metadata import Metadata

DATE_KEYWORDS: Final = ("DATE-OBS", "TIME-OBS")
_DATE: Final = re.compile(r"'(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d+)?)'")
_SELECTOR: Final = re.compile(r"^selector\b", re.MULTILINE)


@dataclass(frozen=True)
class Distinctions:
    """What the rules of some types can tell apart.

    Attributes
    ----------
    keywords : tuple of str
        FITS keywords, without those of the date.
    dates : tuple of str
        "YYYY-MM-DD hh:mm:ss", ascending.
    """

    keywords: tuple[str, ...]
    dates: tuple[str, ...]

    def key(self, metadata: Metadata) -> tuple[Any, ...]:
        """Return what is equal for exposures that get the same files."""
        date = " ".join(str(metadata.get(keyword, "")) for keyword in DATE_KEYWORDS)
        values = tuple(metadata.get(keyword) for keyword in self.keywords)
        return (bisect_right(self.dates, date), *values)


class BestReferences:
    """Chooses reference files under one context and remembers what it chose.

    Parameters
    ----------
    context : str, optional
        Such as "jwst_0001.pmap"; CRDS_CONTEXT or the operational one by default.

    Raises
    ------
    InputError, ReferenceFileError
        As `calwebb_core.framework.crds_client.context_name`.
    """

    def __init__(self, context: str | None = None) -> None:
        self.context = context_name(context)
        self.asked = 0
        self._distinctions: dict[tuple[str, tuple[str, ...]], Distinctions] = {}
        self._chosen: dict[tuple[Any, ...], Selection] = {}

    def choose(self, metadata: Metadata, types: Sequence[str]) -> Selection:
        """Return the files of some types for an exposure; types without a match are `problems`.

        Raises
        ------
        InputError, ReferenceFileError
            As `calwebb_core.framework.crds_client.best_references`.
        """
        wanted = tuple(sorted(types))
        instrument = metadata.require("INSTRUME", str).lower()
        group = (instrument, wanted)
        if group not in self._distinctions:
            # The first question also fetches the rules that are not in the cache yet.
            first = self._ask(metadata, wanted)
            self._distinctions[group] = distinctions(self.context, instrument, wanted)
            self._chosen[*group, *self._distinctions[group].key(metadata)] = first
        key = (*group, *self._distinctions[group].key(metadata))
        if key not in self._chosen:
            self._chosen[key] = self._ask(metadata, wanted)
        return self._chosen[key]

    def _ask(self, metadata: Metadata, types: Sequence[str]) -> Selection:
        self.asked += 1
        return best_references(metadata, types, self.context, strict=False)


def distinctions(context: str, instrument: str, types: Sequence[str]) -> Distinctions:
    """Return what the rules of some types of an instrument can tell apart."""
    heads, dates = set(), set()
    for text in _rules(context, instrument, types):
        end = _SELECTOR.search(text)
        heads.add(text[: end.start()] if end else text)
        dates.update(_DATE.findall(text))
    words = set(re.findall(r"[A-Z][A-Z0-9_.\-]*", " ".join(heads)))
    keywords = (
        keyword
        for keyword, name in RULE_NAMES.items()
        if keyword not in DATE_KEYWORDS and ({keyword, name} & words)
    )
    return Distinctions(tuple(sorted(keywords)), tuple(sorted(dates)))


def _rules(context: str, instrument: str, types: Sequence[str]) -> list[str]:
    """Return the text of the rules of the types that the instrument has."""
    from crds.core import config, rmap
    from crds.core.exceptions import CrdsError

    rules = rmap.get_cached_mapping(context).get_imap(instrument)
    texts = []
    for kind in types:
        try:
            name = rules.get_rmap(kind).name
        except (CrdsError, LookupError):  # the context says N/A for this type, or does not know it
            continue
        texts.append(Path(config.locate_file(name, OBSERVATORY)).read_text(encoding="utf-8"))
    return texts
