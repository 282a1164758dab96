"""Which background exposures belong to which target, where only headers are known.

The proposal says which background target goes with a target; headers do not. An exposure gets
the background target nearest on the sky among those of its program that were observed with the
same detector through the same optical path. Both become members of a candidate named after the
background target's number. Backgrounds in an observation of their own target need no candidate.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from math import cos, hypot, radians
from typing import Final

from calwebb_associate.headers import POSITION, Header

SAME: Final = (
    "program",
    "instrume",
    "exp_type",
    "detector",
    "channel",
    "filter",
    "pupil",
    "grating",
    "fxd_slit",
    "subarray",
)
FIRST_CANDIDATE: Final = 1000

Row = Mapping[str, str]
Position = tuple[float, float] | None


def position(header: Header) -> Position:
    """Return the target's right ascension and declination in degrees, None without."""
    values = [header.get(keyword) for keyword in POSITION]
    if all(isinstance(value, int | float) for value in values):
        return float(values[0]), float(values[1])  # type: ignore[arg-type]
    return None


def background_candidates(rows: Sequence[Row], positions: Sequence[Position]) -> list[str]:
    """Return the candidate of each exposure, "" for none.

    Parameters
    ----------
    rows : sequence of Row
        Exposures of a pool made from headers.
    positions : sequence of (float, float) or None
        Their targets' positions in degrees.
    """
    found: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for index, row in enumerate(rows):
        if _is_background(row):
            found[_setup(row)].append(index)
    named = [""] * len(rows)
    for index, row in enumerate(rows):
        backgrounds = [] if _is_background(row) else found.get(_setup(row), [])
        if not backgrounds or any(rows[i]["obs_num"] == row["obs_num"] for i in backgrounds):
            continue
        best = min(backgrounds, key=lambda i: (_apart(positions[index], positions[i]), i))
        named[index] = _name(rows[best])
        for other in backgrounds:
            if rows[other]["targetid"] == rows[best]["targetid"]:
                named[other] = _name(rows[other])
    return named


def _is_background(row: Row) -> bool:
    return row["bkgdtarg"] == "t"


def _setup(row: Row) -> tuple[str, ...]:
    """Return what a background exposure must have in common with its exposure."""
    return tuple(row[column] for column in SAME)


def _name(background: Row) -> str:
    return f"c{FIRST_CANDIDATE + int(background['targetid'])}"


def _apart(one: Position, other: Position) -> float:
    """Return the distance of two positions in degrees, on a plane; the same for unknown ones."""
    if one is None or other is None:
        return 0.0
    east = (one[0] - other[0] + 180) % 360 - 180
    return hypot(east * cos(radians(one[1])), one[1] - other[1])
