"""The pool: a table with one row for each raw exposure, from which associations are made."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from calwebb_associate.backgrounds import background_candidates, position
from calwebb_associate.columns import (
    COLUMNS,
    FIXED,
    FROM_HEADER,
    NEEDED_KEYWORDS,
    NULL,
    WITHOUT_ZEROS,
)
from calwebb_associate.exposure_types import check_exp_type
from calwebb_associate.headers import Header, Value
from calwebb_associate.pool_file import read_pool, write_pool
from calwebb_associate.pool_rows import (
    Pool,
    Row,
    RowMaker,
    candidates,
    flag,
    program_of,
    root_of,
    value,
)
from calwebb_core.framework.errors import InputError
from calwebb_core.framework.names import ExposureName

__all__ = [
    "Pool",
    "Row",
    "candidates",
    "flag",
    "make_pool",
    "program_of",
    "read_pool",
    "root_of",
    "value",
    "write_pool",
]


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
    maker = RowMaker(COLUMNS)
    complete = (_with_candidate(*pair) for pair in zip(rows, named, strict=True))
    return Pool(COLUMNS, tuple(maker.make(row[name] for name in COLUMNS) for row in complete), name)


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
