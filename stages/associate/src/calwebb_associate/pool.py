"""The pool: a table with one row for each raw exposure, from which associations are made."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from calwebb_associate.backgrounds import background_candidates, position, with_acquisitions
from calwebb_associate.columns import (
    COLUMNS,
    HEADER_COLUMNS,
    NEEDED_KEYWORDS,
    NULL,
    WITHOUT_ZEROS,
)
from calwebb_associate.derived import derived, specifications, target_numbers, tiles
from calwebb_associate.exposure_types import check_exp_type
from calwebb_associate.headers import Header, Value
from calwebb_associate.pool_file import read_pool, write_pool
from calwebb_associate.pool_rows import (
    EXPOSURE_SUFFIXES,
    Pool,
    Row,
    RowMaker,
    candidates,
    flag,
    program_of,
    root_of,
    value,
)
from calwebb_associate.psf_references import psf_candidates
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

RAW: Final = "uncal"
# Of several products of an exposure, the first of these speaks for it.
BEST_FIRST: Final = {suffix: place for place, suffix in enumerate(EXPOSURE_SUFFIXES)}


def make_pool(headers: Mapping[Path, Header], name: str = "pool.csv") -> Pool:
    """Make a pool from headers; the order of the files does not matter.

    Rules name what they make after the raw exposure: a row of a slope image or a calibrated
    exposure carries the name of its `_uncal` file, and several of these are one row.

    Parameters
    ----------
    headers : mapping of path to header
        Exposures, raw or further on, and what `headers.read_primary` read of them.
    name : str
        File name of the pool, for the associations' `asn_pool`.

    Raises
    ------
    InputError
        If a file's name does not fit, a keyword is missing, an EXP_TYPE unknown, or a file
        of an exposure there twice.
    """
    files = one_file_each(headers)
    found = [headers[path] for path in files.values()]
    rows = [_row_of(root, path, headers[path]) for root, path in files.items()]
    for row, header, specification, tile, target in zip(
        rows, found, specifications(found), tiles(found), target_numbers(found), strict=True
    ):
        row["targetid"] = target
        if "EXPSPCIN" not in header:
            row["expspcin"] = specification
        if "MOSTILNO" not in header:
            row["mostilno"] = tile
    nearest = background_candidates(rows, [position(header) for header in found])
    backgrounds = with_acquisitions(rows, nearest)
    for row, names, references in zip(rows, backgrounds, psf_candidates(rows), strict=True):
        _add_candidates(row, [*((name, "background") for name in names), *references])
    maker = RowMaker(COLUMNS)
    return Pool(COLUMNS, tuple(maker.make(row[column] for column in COLUMNS) for row in rows), name)


def one_file_each(paths: Mapping[Path, Header]) -> dict[str, Path]:
    """Return the file that speaks for each exposure, by root in their order.

    Raises
    ------
    InputError
        If a name is not that of an exposure, or two files are the same product of one.
    """
    found: dict[str, dict[str, Path]] = {}
    for path in sorted(paths):
        exposure = exposure_file(path)
        products = found.setdefault(exposure.root, {})
        other = products.setdefault(str(exposure.suffix), path)
        if other is not path and not _same_file(other, path):
            msg = f"{path}: exposure {exposure.root} is there twice, also as {other}; give it once"
            raise InputError(msg)
    return {
        root: products[min(products, key=BEST_FIRST.__getitem__)]
        for root, products in sorted(found.items())
    }


def exposure_file(path: Path) -> ExposureName:
    """Return the parsed name of a file of an exposure that a pool is made from.

    Raises
    ------
    InputError
        If it is named otherwise.
    """
    return _named(path, EXPOSURE_SUFFIXES, "a raw exposure (_uncal.fits) or its _rate or _cal")


def raw_exposure(path: Path) -> ExposureName:
    """Return the parsed name of a raw exposure's file.

    Raises
    ------
    InputError
        If it is not named as a raw exposure.
    """
    return _named(path, (RAW,), "a raw exposure (_uncal.fits)")


def _named(path: Path, suffixes: tuple[str, ...], expected: str) -> ExposureName:
    name = ExposureName.parse(path)
    if name.suffix not in suffixes or name.candidate:
        found = f"is a _{name.suffix}" if name.suffix else "has no suffix"
        msg = f"{path}: {found}; expected {expected}"
        raise InputError(msg)
    return name


def _same_file(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except OSError:
        return False


def _row_of(root: str, path: Path, header: Header) -> dict[str, str]:
    """Make the row of an exposure."""
    for keyword in NEEDED_KEYWORDS:
        if header.get(keyword) in (None, ""):
            msg = f"{path}: keyword {keyword} is missing in the primary header"
            raise InputError(msg)
    check_exp_type(str(header["EXP_TYPE"]), str(path))
    row = dict.fromkeys(COLUMNS, NULL) | derived(header)
    for column, keyword in HEADER_COLUMNS.items():
        if header.get(keyword) not in (None, ""):
            row[column] = _text(header[keyword], without_zeros=column in WITHOUT_ZEROS)
    observation = str(header["OBSERVTN"]).zfill(3).lower()
    row["filename"] = f"{root}_{RAW}.fits"
    row["asn_candidate"] = f"[('o{observation}', 'observation')]"
    return row


def _add_candidates(row: dict[str, str], more: Sequence[tuple[str, str]]) -> None:
    """Add candidates to those of a row."""
    known = row["asn_candidate"].removesuffix("]")
    row["asn_candidate"] = known + "".join(f", ('{name}', '{kind}')" for name, kind in more) + "]"


def _text(item: Value, *, without_zeros: bool) -> str:
    """Return a header's value as the pool writes it."""
    if isinstance(item, bool):
        return "t" if item else "f"
    text = str(item).strip().lower().replace("|", "/")
    return (text.lstrip("0") or "0") if without_zeros else text
