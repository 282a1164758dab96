"""Pools in files: reading what people and the archive's programs write, and writing it.

The format is that of the documents: `|` between values, lines with `#` are comments, the first
other line names the columns, one line an exposure. Blanks around values, blank lines, quotes,
upper case, and a `|` at either end of the lines do not matter.
"""

import csv
import logging
import os
import re
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from calwebb_associate.columns import NAME_COLUMNS, NEEDED_COLUMNS, NULL
from calwebb_associate.exposure_types import check_exp_type
from calwebb_associate.pool_rows import (
    Pool,
    Row,
    RowMaker,
    are_candidates,
    candidates,
    is_exposure,
    is_exposure_file,
    root_of,
    value,
)
from calwebb_core.framework import plain_files
from calwebb_core.framework.errors import InputError
from calwebb_core.framework.names import CANDIDATE_PATTERN

DELIMITER: Final = "|"
LARGEST: Final = 500 * plain_files.MEGABYTE  # an exposure has some 400 bytes
OTHER_DELIMITERS: Final = (",", "\t", ";")

_ID: Final = re.compile(CANDIDATE_PATTERN, re.ASCII)
_OBSERVATION: Final = re.compile(r"o\d+", re.ASCII)
_NAME_PART: Final = re.compile(r"(?:[a-z0-9]+(?:[-+._][a-z0-9]+)*)?", re.ASCII)

log = logging.getLogger(__name__)


def read_pool(path: str | os.PathLike[str], delimiter: str | None = None) -> Pool:
    """Read a pool file and check it.

    Parameters
    ----------
    path : path
        The file.
    delimiter : str, optional
        What stands between values; `|`, or what the line of the columns' names has instead.

    Raises
    ------
    InputError
        If it cannot be read, lacks a column, has a line of another length, a file name that
        is not that of an exposure, a program that is no number, an unknown EXP_TYPE,
        malformed candidates, a value that cannot be part of a product's name where it would
        be, or an exposure twice with different values.
    """
    path = Path(path)
    pool = parse_pool(path, read_text(path), delimiter)
    for row in pool.rows:
        problem = row_problem(row) if is_exposure(row) else ""
        if problem:
            msg = f"{path}: exposure {row['filename']} {problem}"
            raise InputError(msg)
    return _without_copies(path, pool)


def parse_pool(path: Path, text: str, delimiter: str | None = None) -> Pool:
    """Return the pool that a text holds, as it is; exposures are not checked."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    comments = tuple(line for line in lines if line.lstrip().startswith("#"))
    table = [
        (number, line.strip())
        for number, line in enumerate(lines, 1)
        if line.strip() and not line.lstrip().startswith("#")
    ]
    if not table:
        msg = f"{path}: is empty; expected a line with the columns' names, with | between them"
        raise InputError(msg)
    between = delimiter or delimiter_of(table[0][1])
    names = [name.lower() for name in _values(table[0][1], between)]
    first, last = names[0] == "", len(names) > 1 and names[-1] == ""
    columns = tuple(names[first : len(names) - last])
    _check_columns(path, columns)
    maker = RowMaker(columns if "obs_num" in columns else (*columns, "obs_num"))
    rows = tuple(
        _row(maker, _inner(path, number, _values(line, between), len(columns), first=first))
        for number, line in table[1:]
    )
    return Pool(maker.columns, rows, path.name, comments)


def write_pool(pool: Pool, path: str | os.PathLike[str], delimiter: str = DELIMITER) -> None:
    """Write a pool file."""
    from calwebb_core.framework.atomic import write_text

    write_text(Path(path), pool.text(delimiter))


def delimiter_of(line: str) -> str:
    """Return what stands between the columns' names."""
    if DELIMITER not in line:
        for delimiter in OTHER_DELIMITERS:
            if delimiter in line:
                return delimiter
    return DELIMITER


def row_problem(row: Row) -> str:
    """Return what no association could be made of in a row, "" if there is nothing."""
    if not is_exposure_file(row["filename"]):
        return "is not the name of a raw exposure; expected one such as x_uncal.fits"
    program = value(row, "program")
    if not (program.isdecimal() and program.isascii() and len(program) <= 5):
        return f"has program {row['program']!r}; expected a number of up to 5 digits"
    try:
        check_exp_type(row["exp_type"], "has an")
    except InputError as error:
        return str(error).replace("has an: ", "has an ", 1)
    found = row["asn_candidate"]
    ids = [name for name, _ in candidates(row)]
    if not are_candidates(value(row, "asn_candidate")) or not all(map(_ID.fullmatch, ids)):
        return f"has asn_candidate {found!r}; expected such as [('o001', 'observation')]"
    for column in NAME_COLUMNS:
        if not _NAME_PART.fullmatch(value(row, column)):
            return f"has {column} {row[column]!r}, which cannot be part of a file's name"
    return ""


def read_text(path: Path) -> str:
    """Return the text of a file."""
    try:
        return plain_files.read_text(path, "utf-8-sig", LARGEST)
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        msg = f"{path}: cannot be read as a pool: {reason}"
        raise InputError(msg) from error


def _values(line: str, delimiter: str) -> list[str]:
    """Return the values of a line; quotes may enclose one that has a delimiter in it."""
    if '"' not in line:
        return [text.strip() for text in line.split(delimiter)]
    try:
        parts = next(csv.reader([line], delimiter=delimiter, skipinitialspace=True))
    except csv.Error as error:
        msg = f"a pool's line cannot be read ({error}): {line[:40]}..."
        raise InputError(msg) from error
    return [text.strip() for text in parts]


def _inner(
    path: Path, number: int, values: Sequence[str], expected: int, *, first: bool
) -> Sequence[str]:
    """Return a line's values without what is outside a delimiter at its ends."""
    inner = values[1:] if first and not values[0] else values
    if len(inner) == expected + 1 and not inner[-1]:
        inner = inner[:-1]
    if len(inner) != expected:
        msg = f"{path}: line {number} has {len(inner)} values; expected {expected}"
        raise InputError(msg)
    return inner


def _row(maker: RowMaker, values: Sequence[str]) -> Row:
    """Make a row.

    Its file may have been named with a folder, and the number of the observation may be known
    from the candidates only.
    """
    texts = [*values, *[NULL] * (len(maker.columns) - len(values))]
    place = maker.columns.index("filename")
    texts[place] = texts[place].rpartition("/")[2]
    row = maker.make(texts)
    if value(row, "obs_num"):
        return row
    observation = next((name for name, _ in candidates(row) if _OBSERVATION.fullmatch(name)), "")
    if not observation:
        return row
    texts[maker.columns.index("obs_num")] = str(int(observation[1:]))
    return maker.make(texts)


def _check_columns(path: Path, columns: Sequence[str]) -> None:
    missing = [name for name in NEEDED_COLUMNS if name not in columns]
    if missing:
        msg = f"{path}: has no column {', '.join(missing)}; expected {', '.join(NEEDED_COLUMNS)}"
        raise InputError(msg)
    twice = sorted({name for name in columns if columns.count(name) > 1})
    if twice:
        msg = f"{path}: column {', '.join(twice)} is there twice; expected once"
        raise InputError(msg)


def copies_of(pool: Pool) -> dict[str, list[Row]]:
    """Return the rows of those exposures that have more than one, by root."""
    found: dict[str, list[Row]] = defaultdict(list)
    for row in pool.exposures():
        found[root_of(row)].append(row)
    return {root: rows for root, rows in found.items() if len(rows) > 1}


def differing(rows: Sequence[Row]) -> list[str]:
    """Return the columns in which rows of one exposure differ, the file's name apart."""
    return [
        column
        for column in rows[0]
        if column != "filename" and len({value(row, column) for row in rows}) > 1
    ]


def _without_copies(path: Path, pool: Pool) -> Pool:
    """Count an exposure once that is there twice; refuse one whose rows differ.

    Test pools have files of one name in several observations. They are taken as what the rows
    say they are: different exposures.
    """
    extra: set[int] = set()
    for root, rows in copies_of(pool).items():
        columns = differing(rows)
        if "obs_num" in columns:
            log.warning("%s: exposure %s is in several observations", path, root)
        elif columns:
            msg = (
                f"{path}: exposure {root} is there twice, with different {', '.join(columns)}; "
                "expected once"
            )
            raise InputError(msg)
        else:
            log.warning("%s: exposure %s is there twice; it is counted once", path, root)
            extra.update(map(id, rows[1:]))
    if not extra:
        return pool
    kept = tuple(row for row in pool.rows if id(row) not in extra)
    return Pool(pool.columns, kept, pool.name, pool.comments)
