"""The pool's rows: what an exposure's line says, and what it means.

A value is read as the documents read it: upper and lower case are the same, and words such as
`NULL`, `N/A` or `F` stand for no value. What a row was written as is kept, for writing it again.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Final

from calwebb_core.framework.errors import InputError
from calwebb_core.framework.names import split_suffix

Row = Mapping[str, str]

# "n" and "f" are here as a flag that is not set is the same as none; no other value is one.
EMPTY: Final = frozenset(("", "null", "n/a", "--", "nan", "n", "f", "false"))
# "none" is no value but for these, where it says that there was no pattern, and no lamp on.
NONE: Final = "none"
SAY_NONE: Final = frozenset(("patttype", "lamp"))
NO: Final = frozenset(("no", "0"))

EXPOSURE_SUFFIXES: Final = ("uncal", "rate", "rateints", "cal", "calints")
_FILE_NAME: Final = re.compile(
    rf"([\w.+-]+)_(?:{'|'.join(EXPOSURE_SUFFIXES)})\.fits(?:\.gz)?",
    re.ASCII | re.IGNORECASE,
)
_PAIR: Final = r"\(\s*['\"]?([ocar]\d+)['\"]?\s*,\s*['\"]?([a-z0-9][a-z0-9 _-]*?)['\"]?\s*,?\s*\)"
_CANDIDATE: Final = re.compile(_PAIR)
_CANDIDATES: Final = re.compile(rf"\[?\s*(?:{_PAIR}\s*,?\s*)*\]?")
_TEMPLATE: Final = "@!"


class PoolRow(Mapping[str, str]):
    """A line of a pool: a mapping from column to text in lower case.

    Parameters
    ----------
    columns : dict
        Place of each column; shared by the rows of a pool.
    texts : tuple of str
        Values as written.
    values : dict
        Column -> value in lower case, of those columns that have one.
    """

    __slots__ = ("_columns", "_texts", "values_by_column")

    def __init__(
        self, columns: Mapping[str, int], texts: tuple[str, ...], values: dict[str, str]
    ) -> None:
        self._columns = columns
        self._texts = texts
        self.values_by_column = values

    def __getitem__(self, column: str) -> str:
        return self._texts[self._columns[column]].lower()

    def __iter__(self) -> Iterator[str]:
        return iter(self._columns)

    def __len__(self) -> int:
        return len(self._columns)

    def __repr__(self) -> str:
        return f"PoolRow({dict(self)!r})"

    def written(self, column: str) -> str:
        """Return a value as it was written."""
        return self._texts[self._columns[column]]


class RowMaker:
    """Makes the rows of one pool; equal texts are kept once.

    Parameters
    ----------
    columns : sequence of str
        Names in lower case.
    """

    def __init__(self, columns: Iterable[str]) -> None:
        self.columns: tuple[str, ...] = tuple(columns)
        self._places = {column: place for place, column in enumerate(self.columns)}
        self._known: dict[str, tuple[str, str]] = {}

    def make(self, texts: Iterable[str]) -> PoolRow:
        """Return the row of these values, one a column."""
        pairs = [self._known.get(text) or self._know(text) for text in texts]
        values = {
            column: value
            for column, (_, value) in zip(self.columns, pairs, strict=True)
            if value and (value != NONE or column in SAY_NONE)
        }
        return PoolRow(self._places, tuple([text for text, _ in pairs]), values)

    def _know(self, text: str) -> tuple[str, str]:
        lower = text.lower()
        lower = text if lower == text else lower
        pair = self._known[text] = (text, "" if lower in EMPTY else lower)
        return pair


def value(row: Row, column: str) -> str:
    """Return a row's value in lower case, "" where it has none."""
    if isinstance(row, PoolRow):
        return row.values_by_column.get(column, "")
    text = _meaning(row.get(column, ""))
    return "" if text == NONE and column not in SAY_NONE else text


def flag(row: Row, column: str) -> bool:
    """Tell whether a yes-or-no column says yes."""
    text = value(row, column)
    return bool(text) and text not in NO


@lru_cache(maxsize=4096)
def _meaning(text: str) -> str:
    text = text.lower()
    return "" if text in EMPTY else text


@lru_cache(maxsize=65536)
def program_number(text: str) -> str:
    """Return a program's number as five digits."""
    return text.zfill(5)


def program_of(row: Row) -> str:
    """Return a row's program as five digits."""
    return program_number(value(row, "program"))


def root_of(row: Row) -> str:
    """Return the exposure's root name."""
    return root_of_file(row["filename"])


@lru_cache(maxsize=65536)
def root_of_file(name: str) -> str:
    """Return a file's name without its suffix."""
    match = _FILE_NAME.fullmatch(name)
    return match[1] if match else split_suffix(name)[0]


def is_exposure_file(name: str) -> bool:
    """Tell whether a name is that of a product of one exposure."""
    return _FILE_NAME.fullmatch(name) is not None


def candidates(row: Row) -> list[tuple[str, str]]:
    """Return the candidates of an exposure: ("o001", "observation"), ("c1000", "mosaic"), ..."""
    return list(_candidates(value(row, "asn_candidate")))


@lru_cache(maxsize=65536)
def _candidates(text: str) -> tuple[tuple[str, str], ...]:
    return tuple(_CANDIDATE.findall(text))


def are_candidates(text: str) -> bool:
    """Tell whether a text in lower case is a list of candidates, which may be empty."""
    return not text or _CANDIDATES.fullmatch(text) is not None


def is_exposure(row: Row) -> bool:
    """Tell whether a row is that of an exposure.

    Makers of pools leave two other kinds: rows that repeat the columns' names instead of
    values, and templates, whose values are still to be worked out (`@!...`).
    """
    if value(row, "exp_type") == "exp_type":
        return False
    return not any(_TEMPLATE in row[name] for name in ("filename", "exp_type", "asn_candidate"))


@dataclass(frozen=True)
class Pool:
    """Columns and rows of a pool, and the comments of its file."""

    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    name: str = "pool.csv"
    comments: tuple[str, ...] = field(default=(), compare=False)

    @cached_property
    def _exposures(self) -> tuple[Row, ...]:
        rows = [row for row in self.rows if is_exposure(row)]
        return tuple(sorted(rows, key=lambda row: row["filename"]))

    def exposures(self) -> Iterator[Row]:
        """Yield the rows of exposures, in the order of their file names."""
        return iter(self._exposures)

    def of_program(self, program: str) -> "Pool":
        """Return the part of a pool that belongs to one program (5 digits)."""
        rows = tuple(row for row in self.rows if program_of(row) == program)
        return Pool(self.columns, rows, self.name, self.comments)

    def text(self, delimiter: str = "|") -> str:
        """Return the file's text."""
        lines = [*self.comments, delimiter.join(self.columns)]
        for row in self.rows:
            texts = [quoted(written(row, column), delimiter) for column in self.columns]
            line = delimiter.join(texts)
            # Without the quotes the line would be a comment.
            lines += [f'"{texts[0]}"{line[len(texts[0]) :]}' if line.startswith("#") else line]
        return "\n".join(lines) + "\n"


def written(row: Row, column: str) -> str:
    """Return a value as it was written."""
    return row.written(column) if isinstance(row, PoolRow) else row[column]


def quoted(text: str, delimiter: str) -> str:
    """Return a value as it is written between delimiters.

    Raises
    ------
    InputError
        If it goes over several lines.
    """
    if "\n" in text or "\r" in text:
        msg = f"the value {text!r} goes over several lines; a pool has one line an exposure"
        raise InputError(msg)
    if delimiter in text or text.startswith('"'):
        doubled = text.replace('"', '""')
        return f'"{doubled}"'
    return text
