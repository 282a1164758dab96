"""What is wrong, and what is odd, in a pool that people have edited.

Wrong is what no association could be made of, or would be made of in a way nobody wants. Odd
is what may be meant: associations are made of it.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Final

from calwebb_associate.columns import COLUMNS, EARLIER_COLUMNS, FLAGS, NULL, RULE_COLUMNS
from calwebb_associate.pool_file import copies_of, differing, parse_pool, read_text, row_problem
from calwebb_associate.pool_rows import (
    Pool,
    Row,
    candidates,
    is_exposure,
    program_of,
    root_of,
    value,
)
from calwebb_core.framework.errors import InputError
from calwebb_core.framework.names import ExposureName

KNOWN: Final = frozenset((*COLUMNS, *EARLIER_COLUMNS))
YES: Final = frozenset(("t", "true", "y", "yes", "1", "no", "0"))
# Beginnings of EXP_TYPEs, by instrument.
BEGINNINGS: Final = {
    "miri": "mir_",
    "nircam": "nrc_",
    "niriss": "nis_",
    "nirspec": "nrs_",
    "fgs": "fgs_",
}
_OBSERVATION: Final = re.compile(r"\d{1,3}", re.ASCII)


def check_pool(path: Path, delimiter: str | None = None) -> tuple[list[str], list[str]]:
    """Return what is wrong in a pool's file, and what is odd.

    Raises
    ------
    InputError
        If it cannot be read as a table with the columns that are needed.
    """
    pool = parse_pool(path, read_text(path), delimiter)
    exposures = [row for row in pool.rows if is_exposure(row)]
    problems = ((row, row_problem(row)) for row in exposures)
    wrong = [f"exposure {row['filename']} {problem}" for row, problem in problems if problem]
    odd = list(_odd_columns(pool))
    if not exposures:
        wrong.append("it has no exposure; expected one a line")
    if len(exposures) < len(pool.rows):
        odd.append(f"{len(pool.rows) - len(exposures)} of its lines are of no exposure")
    if wrong:
        return wrong, odd
    twice, several = _copies(pool)
    return twice, [*odd, *several, *_odd_rows(exposures)]


def _copies(pool: Pool) -> tuple[list[str], list[str]]:
    """Return what is wrong and what is odd about exposures that are there twice."""
    wrong, odd = [], []
    for root, rows in copies_of(pool).items():
        columns = differing(rows)
        if "obs_num" in columns:
            odd.append(f"exposure {root} is in several observations")
        else:
            how = f", with different {', '.join(columns)}" if columns else ""
            wrong.append(f"exposure {root} is there twice{how}; expected once")
    return wrong, odd


def _odd_columns(pool: Pool) -> Iterator[str]:
    """Yield what is odd about the columns."""
    for column in pool.columns:
        close = get_close_matches(column, sorted(KNOWN), n=1, cutoff=0.8)
        if column not in KNOWN and close and close[0] not in pool.columns:
            yield f"column {column} is unknown; did you mean {close[0]}?"
    missing = [column for column in RULE_COLUMNS if column not in pool.columns]
    if missing:
        yield f"there is no column {', '.join(missing)}; they count as {NULL}"


def _odd_rows(rows: Sequence[Row]) -> Iterator[str]:
    """Yield what is odd about exposures: one example of each kind, with how many share it."""
    found: dict[str, list[str]] = defaultdict(list)
    for row in rows:
        for kind, what in _oddities(row):
            found[kind].append(f"exposure {row['filename']} {what}")
    for sentences in found.values():
        more = f" (and {len(sentences) - 1} more of this kind)" if len(sentences) > 1 else ""
        yield f"{sentences[0]}{more}"


def _oddities(row: Row) -> Iterator[tuple[str, str]]:
    """Yield what is odd about one exposure, with what tells kinds apart."""
    observations = [name[1:] for name, _ in candidates(row) if name.startswith("o")]
    number = value(row, "obs_num")
    if not candidates(row):
        yield "none", "has no candidate; only --discover takes it"
    elif not observations:
        yield "observation", "has no candidate of an observation"
    elif _OBSERVATION.fullmatch(number) and int(number) != int(observations[0]):
        yield "obs_num", f"has obs_num {number} and the candidate o{observations[0]}"
    for flag in FLAGS:
        if value(row, flag) and value(row, flag) not in YES:
            yield flag, f"has {flag} {row[flag]!r}, which counts as yes; expected t or f"
    instrument, exp_type = value(row, "instrume"), value(row, "exp_type")
    if instrument not in BEGINNINGS:
        yield "instrume", f"has instrume {instrument!r}; expected {', '.join(BEGINNINGS)}"
    elif not exp_type.startswith(BEGINNINGS[instrument]):
        yield "exp_type", f"has instrume {instrument} and exp_type {exp_type}"
    yield from _differing_from_name(row)


def _differing_from_name(row: Row) -> Iterator[tuple[str, str]]:
    """Yield where an exposure's values and its name differ."""
    try:
        name = ExposureName.parse(root_of(row))
    except InputError:
        yield "name", "is not named as the observatory names exposures"
        return
    if name.program != program_of(row):
        yield "program in name", f"has program {program_of(row)}, which its name has not"
    if value(row, "detector") not in ("", name.detector):
        yield "detector in name", f"has detector {value(row, 'detector')}, which its name has not"
    number = value(row, "obs_num")
    if _OBSERVATION.fullmatch(number) and int(number) != int(name.observation):
        yield "obs_num in name", f"has obs_num {number}, which its name has not"
