"""What users add to a pool: candidates of their own, and values that headers do not have."""

import re
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from fnmatch import fnmatchcase
from typing import Final

from calwebb_associate.columns import COLUMNS, NULL
from calwebb_associate.exposure_types import check_exp_type
from calwebb_associate.pool_rows import (
    Pool,
    RowMaker,
    candidates,
    is_exposure,
    root_of,
    written,
)
from calwebb_core.framework.errors import InputError

_OPTION: Final = re.compile(r"\s*([^=:,\s]+)\s*=\s*([^=:,\s]+)\s*:(.+)")
_ID: Final = re.compile(r"[car]\d{4}", re.ASCII)
_TYPE: Final = re.compile(r"[a-z][a-z0-9_-]*", re.ASCII)
_OBSERVATION: Final = re.compile(r"o[0-9a-z]{3}", re.ASCII)
_ID_OF_ROW: Final = ("filename", "asn_candidate")

Changes = Mapping[int, Mapping[str, str]]


def with_candidates(pool: Pool, options: Iterable[str]) -> Pool:
    """Add candidates to a pool.

    Parameters
    ----------
    pool : Pool
        The pool.
    options : iterable of str
        Such as "c1000=mosaic:o001,o002": id, type, and what belongs to it, which are
        observations, or patterns of exposures' names such as "jw*_nrs1".

    Raises
    ------
    InputError
        If an option is of another form, what it names is in no exposure, or the pool has
        another candidate of that id.
    """
    for option in options:
        name, kind, members = _candidate(option)
        _check_unused(pool, option, name, kind)
        chosen = {place for member in members for place in _places(pool, option, member)}
        pool = _changed(pool, {place: _with_candidate(pool, place, name, kind) for place in chosen})
    return pool


def with_values(pool: Pool, settings: Iterable[tuple[str, str, str]]) -> Pool:
    """Set values of exposures.

    Parameters
    ----------
    pool : Pool
        The pool.
    settings : iterable of (str, str, str)
        Pattern of exposures' names such as "jw*_nrs1", column, value.

    Raises
    ------
    InputError
        If there is no such column or exposure, or the value cannot be one.
    """
    for pattern, column, text in settings:
        option = f"--set {pattern} {column} {text}"
        key = _column(pool, option, column)
        if key == "exp_type":
            check_exp_type(text, option)
        if key not in pool.columns:
            pool = _with_column(pool, key)
        pool = _changed(
            pool, {place: {key: text.strip()} for place in _places(pool, option, pattern)}
        )
    return pool


def _candidate(option: str) -> tuple[str, str, list[str]]:
    """Return id, type and members that an option names."""
    match = _OPTION.fullmatch(option.lower())
    members = [word.strip() for word in match[3].split(",")] if match else []
    if not (match and _ID.fullmatch(match[1]) and _TYPE.fullmatch(match[2]) and all(members)):
        msg = f"--candidate {option!r}: expected ID=TYPE:MEMBERS such as c1000=mosaic:o001,o002"
        raise InputError(msg)
    return match[1], match[2], members


def _check_unused(pool: Pool, option: str, name: str, kind: str) -> None:
    for row in pool.exposures():
        for other, other_kind in candidates(row):
            if other == name and other_kind != kind:
                msg = (
                    f"--candidate {option!r}: {name} is a candidate of type {other_kind} "
                    "already; choose another number"
                )
                raise InputError(msg)


def _places(pool: Pool, option: str, member: str) -> list[int]:
    """Return the places of the rows of an observation, or of exposures named so."""
    word = member.strip().lower()
    found = [
        place
        for place, row in enumerate(pool.rows)
        if is_exposure(row)
        and (
            (word, "observation") in candidates(row)
            if _OBSERVATION.fullmatch(word)
            else fnmatchcase(root_of(row), word)
        )
    ]
    if not found:
        msg = f"{option}: no exposure of the pool belongs to {member}"
        raise InputError(msg)
    return found


def _with_candidate(pool: Pool, place: int, name: str, kind: str) -> dict[str, str]:
    """Return the candidates of a row with one more."""
    known = candidates(pool.rows[place])
    pairs = [*known, *([] if (name, kind) in known else [(name, kind)])]
    return {"asn_candidate": "[" + ", ".join(f"('{id_}', '{word}')" for id_, word in pairs) + "]"}


def _column(pool: Pool, option: str, column: str) -> str:
    """Return the name of a column that may be set."""
    known = [*dict.fromkeys((*pool.columns, *COLUMNS))]
    key = column.strip().lower()
    if key in known and key not in _ID_OF_ROW:
        return key
    close = get_close_matches(key, [name for name in known if name not in _ID_OF_ROW], n=1)
    advice = f"; did you mean {close[0]}?" if close else ""
    if key == "asn_candidate":
        advice = "; use --candidate"
    msg = f"{option}: {column} is not a column that can be set{advice}"
    raise InputError(msg)


def _with_column(pool: Pool, column: str) -> Pool:
    """Add a column without values."""
    maker = RowMaker((*pool.columns, column))
    rows = (maker.make((*(written(row, name) for name in pool.columns), NULL)) for row in pool.rows)
    return Pool(maker.columns, tuple(rows), pool.name, pool.comments)


def _changed(pool: Pool, changes: Changes) -> Pool:
    """Return a pool with other values in some rows."""
    maker = RowMaker(pool.columns)
    rows = list(pool.rows)
    for place, texts in changes.items():
        row = rows[place]
        rows[place] = maker.make(texts.get(name, written(row, name)) for name in pool.columns)
    return Pool(pool.columns, tuple(rows), pool.name, pool.comments)
