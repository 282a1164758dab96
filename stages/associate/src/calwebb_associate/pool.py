"""The pool: a table with one row for each raw exposure, from which associations are made.

The file's format is that of the documents: `|` between values, lines with `#` are comments,
the first other line names the columns, and everything is lower-case text with `null` where
there is no value.
"""

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from calwebb_associate.backgrounds import background_candidates, position
from calwebb_associate.columns import (
    COLUMNS,
    FIXED,
    FROM_HEADER,
    NEEDED_COLUMNS,
    NEEDED_KEYWORDS,
    NULL,
    WITHOUT_ZEROS,
)
from calwebb_associate.exposure_types import check_exp_type
from calwebb_associate.headers import Header, Value
from calwebb_core.framework.errors import InputError
from calwebb_core.framework.names import ExposureName, split_suffix

Row = Mapping[str, str]

EMPTY: Final = frozenset({"", "null", "none", "n/a", "--", "nan"})
YES: Final = frozenset({"t", "true", "y", "yes", "1"})

_CANDIDATES: Final = re.compile(r"\[\s*(?:\(\s*'[oca]\d+'\s*,\s*'[a-z_]+'\s*\)\s*,?\s*)+\]")
_CANDIDATE: Final = re.compile(r"'([oca]\d+)'\s*,\s*'([a-z_]+)'")


@dataclass(frozen=True)
class Pool:
    """Columns and rows of a pool, and the comments of its file.

    Rows that repeat the columns' names instead of values are placeholders of the pools' maker;
    they are kept in the file and belong to no exposure.
    """

    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    name: str = "pool.csv"
    comments: tuple[str, ...] = field(default=(), compare=False)

    def exposures(self) -> Iterator[Row]:
        """Yield the rows of exposures, in the order of their file names."""
        rows = [row for row in self.rows if row["exp_type"] != "exp_type"]
        return iter(sorted(rows, key=lambda row: row["filename"]))

    def of_program(self, program: str) -> "Pool":
        """Return the part of a pool that belongs to one program (5 digits)."""
        rows = tuple(row for row in self.rows if program_of(row) == program)
        return Pool(self.columns, rows, self.name, self.comments)

    def text(self) -> str:
        """Return the file's text."""
        lines = [*self.comments, "|".join(self.columns)]
        lines += ["|".join(row[column] for column in self.columns) for row in self.rows]
        return "\n".join(lines) + "\n"


def value(row: Row, column: str) -> str:
    """Return a row's value in lower case, "" where it has none."""
    text = row.get(column, "").lower()
    return "" if text in EMPTY else text


def flag(row: Row, column: str) -> bool:
    """Tell whether a yes-or-no column says yes."""
    return row.get(column, "").lower() in YES


def program_of(row: Row) -> str:
    """Return a row's program as five digits."""
    return row["program"].zfill(5)


def root_of(row: Row) -> str:
    """Return the exposure's root name."""
    return split_suffix(row["filename"])[0]


def candidates(row: Row) -> list[tuple[str, str]]:
    """Return the candidates of an exposure: ("o001", "observation"), ("c1000", "mosaic"), ..."""
    return _CANDIDATE.findall(row["asn_candidate"])


def read_pool(path: str | os.PathLike[str]) -> Pool:
    """Read a pool file and check it.

    Raises
    ------
    InputError
        If it cannot be read, lacks a column, has a line of another length, a file name that
        is not that of a raw exposure, an unknown EXP_TYPE, malformed candidates, or an
        exposure twice.
    """
    path = Path(path)
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        msg = f"{path}: cannot be read as a pool: {reason}"
        raise InputError(msg) from error
    comments = tuple(line for line in lines if line.startswith("#"))
    table = [(n, line) for n, line in enumerate(lines, 1) if line.strip() and line[0] != "#"]
    if not table:
        msg = f"{path}: is empty; expected a line with the columns' names, with | between them"
        raise InputError(msg)
    columns = tuple(name.strip().lower() for name in table[0][1].split("|"))
    _check_columns(path, columns)
    rows = tuple(_row(path, number, line, columns) for number, line in table[1:])
    pool = Pool(columns, rows, path.name, comments)
    _check_rows(path, pool)
    return pool


def write_pool(pool: Pool, path: str | os.PathLike[str]) -> None:
    """Write a pool file."""
    from calwebb_core.framework.atomic import write_text

    write_text(Path(path), pool.text())


def make_pool(headers: Mapping[Path, Header], name: str = "pool.csv") -> Pool:
    """Make a pool from headers; the order of the files does not matter.

    Parameters
    ----------
    headers : mapping of path to header
        Raw exposures and what `headers.read_primary` read of them.
    name : str
        File name of the pool, for the associations' `asn_pool`.

    Raises
    ------
    InputError
        If a file's name does not fit, a keyword is missing, an EXP_TYPE unknown, or an
        exposure there twice.
    """
    files: dict[str, Path] = {}
    for path in sorted(headers):
        root = raw_exposure(path).root
        if root in files:
            msg = f"{path}: exposure {root} is there twice, also as {files[root]}; give it once"
            raise InputError(msg)
        files[root] = path
    targets = target_numbers(headers.values())
    rows = [_row_of(files[root], headers[files[root]], targets) for root in sorted(files)]
    positions = [position(headers[files[root]]) for root in sorted(files)]
    named = background_candidates(rows, positions)
    return Pool(
        COLUMNS, tuple(_with_candidate(*pair) for pair in zip(rows, named, strict=True)), name
    )


def raw_exposure(path: Path) -> ExposureName:
    """Return the parsed name of a raw exposure's file.

    Raises
    ------
    InputError
        If it is not named as a raw exposure.
    """
    name = ExposureName.parse(path)
    if name.suffix != "uncal":
        found = f"is a _{name.suffix}" if name.suffix else "has no suffix"
        msg = f"{path}: {found}; expected a raw exposure (_uncal.fits)"
        raise InputError(msg)
    return name


def target_numbers(headers: Iterable[Header]) -> dict[tuple[str, str], str]:
    """Return the number of each program's targets, by (program, target).

    Headers do not carry the proposal's target number: targets are numbered by the first
    observation they appear in and then by name, so that a later observation of a new target
    leaves the earlier ones' numbers as they are.
    """
    first: dict[str, dict[str, str]] = {}
    for header in headers:
        program, observation = str(header.get("PROGRAM", "")), str(header.get("OBSERVTN", ""))
        seen = first.setdefault(program, {})
        target = _target(header)
        seen[target] = min(seen.get(target, observation), observation)
    return {
        (program, target): str(number)
        for program, seen in first.items()
        for number, target in enumerate(sorted(seen, key=lambda t: (seen[t], t)), 1)
    }


def _target(header: Header) -> str:
    """Return what tells targets apart."""
    return str(header.get("TARGPROP") or header.get("TARGNAME") or "").lower()


def _row_of(path: Path, header: Header, targets: Mapping[tuple[str, str], str]) -> Row:
    """Make the row of an exposure."""
    for keyword in NEEDED_KEYWORDS:
        if header.get(keyword) in (None, ""):
            msg = f"{path}: keyword {keyword} is missing in the primary header"
            raise InputError(msg)
    check_exp_type(str(header["EXP_TYPE"]), str(path))
    row = {"filename": path.name.removesuffix(".gz")}
    for column, keyword in FROM_HEADER.items():
        row[column] = _text(header.get(keyword), without_zeros=column in WITHOUT_ZEROS)
    row["targetid"] = targets[str(header["PROGRAM"]), _target(header)]
    observation = str(header["OBSERVTN"]).zfill(3)
    row["asn_candidate"] = f"[('o{observation}', 'observation')]"
    return row | FIXED


def _with_candidate(row: Row, candidate: str) -> Row:
    """Add a candidate to those of a row, unless it is none."""
    if not candidate:
        return row
    known = row["asn_candidate"].removesuffix("]")
    return {**row, "asn_candidate": f"{known}, ('{candidate}', 'background')]"}


def _text(item: Value | None, *, without_zeros: bool) -> str:
    """Return a header's value as the pool writes it."""
    if item is None or item == "":
        return NULL
    if isinstance(item, bool):
        return "t" if item else "f"
    text = str(item).strip().lower().replace("|", "/")
    return (text.lstrip("0") or "0") if without_zeros else text


def _check_columns(path: Path, columns: Sequence[str]) -> None:
    missing = [name for name in NEEDED_COLUMNS if name not in columns]
    if missing:
        msg = f"{path}: has no column {', '.join(missing)}; expected {', '.join(NEEDED_COLUMNS)}"
        raise InputError(msg)
    twice = sorted({name for name in columns if columns.count(name) > 1})
    if twice:
        msg = f"{path}: column {', '.join(twice)} is there twice; expected once"
        raise InputError(msg)


def _row(path: Path, number: int, line: str, columns: Sequence[str]) -> Row:
    values = [text.strip() for text in line.split("|")]
    if len(values) != len(columns):
        msg = f"{path}: line {number} has {len(values)} values; expected {len(columns)}"
        raise InputError(msg)
    return dict(zip(columns, values, strict=True))


def _check_rows(path: Path, pool: Pool) -> None:
    """Refuse rows that no association could be made of."""
    seen: set[str] = set()
    for row in pool.exposures():
        file = row["filename"]
        source = f"{path}: exposure {file}"
        if file in seen:
            msg = f"{source} is there twice; expected once"
            raise InputError(msg)
        seen.add(file)
        if not file.endswith(".fits") or split_suffix(file)[1] != "uncal":
            msg = f"{source} is not the name of a raw exposure; expected one such as x_uncal.fits"
            raise InputError(msg)
        check_exp_type(row["exp_type"], source)
        if not _CANDIDATES.fullmatch(row["asn_candidate"]):
            msg = (
                f"{source} has asn_candidate {row['asn_candidate']!r}; "
                "expected such as [('o001', 'observation')]"
            )
            raise InputError(msg)
