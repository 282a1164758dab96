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

from calwebb_associate.exposure_types import ACQUISITION
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
    found: dict[tuple[str, ...], _Backgrounds] = defaultdict(_Backgrounds)
    for row, place in zip(rows, positions, strict=True):
        if _is_background(row):
            found[_setup(row)].add(row, place)
    named = [""] * len(rows)
    used: set[tuple[tuple[str, ...], str]] = set()
    for index, row in enumerate(rows):
        setup = _setup(row)
        if not _is_background(row) and setup in found:
            named[index] = found[setup].nearest(row, positions[index])
            used.add((setup, named[index]))
    for index, row in enumerate(rows):
        if _is_background(row) and (_setup(row), _name(row)) in used:
            named[index] = _name(row)
    return named


def with_acquisitions(rows: Sequence[Row], named: Sequence[str]) -> list[list[str]]:
    """Return the candidates of each exposure; acquisitions share those of their observation.

    Candidates are made of observations: without the acquisitions a product of this candidate
    would differ from that of another one with the same exposures.
    """
    found: dict[tuple[str, str], set[str]] = defaultdict(set)
    for row, name in zip(rows, named, strict=True):
        if name:
            found[row["program"], row["obs_num"]].add(name)
    return [
        sorted(found[row["program"], row["obs_num"]])
        if row["exp_type"] in ACQUISITION
        else [name] * bool(name)
        for row, name in zip(rows, named, strict=True)
    ]


class _Backgrounds:
    """The background exposures of one optical path: their targets and observations."""

    def __init__(self) -> None:
        self._targets: dict[tuple[str, Position], None] = {}
        self._observations: set[str] = set()

    def add(self, row: Row, place: Position) -> None:
        self._targets.setdefault((_name(row), place))
        self._observations.add(row["obs_num"])

    def nearest(self, row: Row, place: Position) -> str:
        """Return the candidate of the nearest target, "" if the own observation has one."""
        if row["obs_num"] in self._observations:
            return ""
        return min(self._targets, key=lambda target: _apart(place, target[1]))[0]


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
