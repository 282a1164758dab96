"""Columns of the pool that headers do not carry, worked out from what they do carry.

The proposal knows the number of an exposure's specification, of its dither point and of its
tile, and what an exposure is for; headers of exposures say it in other words or not at all. A
header that has a column under its own name is believed.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Final

from calwebb_associate.exposure_types import ACQUISITION
from calwebb_associate.headers import Header

SCIENCE: Final = "science"
TARGET_ACQUISITION: Final = "target_acquisition"
UNSUCCESSFUL: Final = "unsuccessful"
# A verification image looks through the shutters that are open for the science.
ACQUIRES: Final = frozenset(ACQUISITION) - {"nrs_verify"}
# One dither point, one tile: as if there were no pattern and no mosaic.
ONLY_ONE: Final = "1"
# The rules ask which tile it is where nods and imprints belong to one.
TILED: Final = "NIRSPEC"
SETUP: Final = ("EXP_TYPE", "DETECTOR", "FILTER", "GRATING", "FXD_SLIT", "IS_IMPRT")
# Acquisitions come before the first specification.
BEFORE_ALL: Final = "0"
# Activities are numbered in these, from the widest; exposures of an activity share their
# specification: its dither points, its detectors, its segments.
ACTIVITY: Final = ("VISIT", "VISITGRP", "SEQ_ID", "ACT_ID")

Observation = tuple[str, str]
Activity = tuple[str, ...]


def derived(header: Header) -> dict[str, str]:
    """Return the columns that one header allows to work out."""
    failed = str(header.get("VISITSTA", "")).lower() == UNSUCCESSFUL
    columns = {
        "pntgtype": TARGET_ACQUISITION if _acquires(header) else SCIENCE,
        "dithptin": str(header.get("PATT_NUM", ONLY_ONE)),
        # Other instruments than NIRSpec never say it, as they have no shutters that leak.
        "is_imprt": "f",
    }
    if failed:
        columns["exposerr"] = UNSUCCESSFUL
    return columns


def specifications(headers: Sequence[Header]) -> list[str]:
    """Return the number of each exposure's specification within its observation.

    Activities are counted in the order in which they were carried out; one of imprints alone
    belongs to the specification before it. Rules ask whether two exposures have the same
    number, and which of two is nearer.
    """
    found: dict[Observation, dict[Activity, bool]] = defaultdict(dict)
    for header in headers:
        if not _acquires(header):
            activities, activity = found[_observation(header)], _activity(header)
            counts = header.get("IS_IMPRT") is not True
            activities[activity] = activities.get(activity, False) or counts
    numbers = {observation: _numbered(activities) for observation, activities in found.items()}
    return [
        BEFORE_ALL if _acquires(header) else numbers[_observation(header)][_activity(header)]
        for header in headers
    ]


def _numbered(activities: Mapping[Activity, bool]) -> dict[Activity, str]:
    """Count the activities that count."""
    numbers = {}
    number = 0
    for activity in sorted(activities):
        number += activities[activity]
        numbers[activity] = str(max(number, 1))
    return numbers


def tiles(headers: Sequence[Header]) -> list[str]:
    """Return the number of each exposure's tile of a mosaic within its observation.

    The visits of a tile share the points of one pattern; a visit that takes a point again
    through the same optical path is of another tile.
    """
    found: dict[Observation, dict[str, set[tuple[str, ...]]]] = defaultdict(dict)
    for header in headers:
        if header.get("INSTRUME") == TILED and "PATT_NUM" in header and not _acquires(header):
            visit = str(header.get("VISIT", "")).zfill(3)
            found[_observation(header)].setdefault(visit, set()).add(_point(header))
    numbers = {observation: _tiles(visits) for observation, visits in found.items()}
    return [
        numbers.get(_observation(header), {}).get(str(header.get("VISIT", "")).zfill(3), ONLY_ONE)
        for header in headers
    ]


def _tiles(visits: Mapping[str, set[tuple[str, ...]]]) -> dict[str, str]:
    """Return the tile of each visit: the first that lacks all of its points."""
    taken: list[set[tuple[str, ...]]] = []
    numbers = {}
    for visit, points in sorted(visits.items()):
        place = next((n for n, tile in enumerate(taken) if not tile & points), len(taken))
        if place == len(taken):
            taken.append(set())
        taken[place] |= points
        numbers[visit] = str(place + 1)
    return numbers


def _point(header: Header) -> tuple[str, ...]:
    """Return what is not done twice in a tile."""
    return tuple(str(header.get(keyword, "")) for keyword in (*SETUP, "PATT_NUM"))


def target_numbers(headers: Sequence[Header]) -> list[str]:
    """Return the number of each exposure's target in its program.

    Headers do not carry the proposal's target number: targets are numbered by the first
    observation they appear in and then by name, so that a later observation of a new target
    leaves the earlier ones' numbers as they are.
    """
    first: dict[str, dict[str, str]] = {}
    for header in headers:
        program, observation = _observation(header)
        seen = first.setdefault(program, {})
        target = _target(header)
        seen[target] = min(seen.get(target, observation), observation)
    numbers = {
        (program, target): str(number)
        for program, seen in first.items()
        for number, target in enumerate(sorted(seen, key=lambda t: (seen[t], t)), 1)
    }
    return [numbers[str(header.get("PROGRAM", "")), _target(header)] for header in headers]


def _acquires(header: Mapping[str, object]) -> bool:
    return str(header.get("EXP_TYPE", "")).lower() in ACQUIRES


def _observation(header: Mapping[str, object]) -> Observation:
    return str(header.get("PROGRAM", "")), str(header.get("OBSERVTN", ""))


def _activity(header: Mapping[str, object]) -> Activity:
    return tuple(str(header.get(keyword, "")).zfill(3) for keyword in ACTIVITY)


def _target(header: Mapping[str, object]) -> str:
    """Return what tells targets apart."""
    return str(header.get("TARGPROP") or header.get("TARGNAME") or "").lower()
