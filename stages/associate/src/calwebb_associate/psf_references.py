"""Which PSF references belong to which target, where only headers are known.

The proposal says which observations of reference stars go with an observation of a target;
headers say only that an exposure is a reference. A target of coronagraphy or of aperture
masking gets the references of its program that were taken through the same optical path. The
observations of both become members of a candidate named after the target's number, so that
the two rolls of a target are reduced with the same references.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Final

from calwebb_associate.exposure_types import CORONAGRAPHY, INTERFEROMETRY

SAME: Final = ("program", "instrume", "exp_type", "filter", "pupil", "subarray")
FIRST_CANDIDATE: Final = 1500
TYPES: Final = {
    **dict.fromkeys(CORONAGRAPHY, "coronagraphy"),
    **dict.fromkeys(INTERFEROMETRY, "group"),
}

Row = Mapping[str, str]
Observation = tuple[str, str]


def psf_candidates(rows: Sequence[Row]) -> list[list[tuple[str, str]]]:
    """Return id and type of the candidates of each exposure.

    Parameters
    ----------
    rows : sequence of Row
        Exposures of a pool made from headers.
    """
    references: dict[tuple[str, ...], set[Observation]] = defaultdict(set)
    for row in rows:
        if row["exp_type"] in TYPES and row["is_psf"] == "t":
            references[_setup(row)].add(_observation(row))
    members: dict[Observation, set[tuple[str, str]]] = defaultdict(set)
    for row in rows:
        if row["exp_type"] in TYPES and row["is_psf"] != "t" and row["bkgdtarg"] != "t":
            own = _observation(row)
            others = references.get(_setup(row), set()) - {own}
            candidate = f"c{FIRST_CANDIDATE + int(row['targetid'])}", TYPES[row["exp_type"]]
            for observation in (own, *others) if others else ():
                members[observation].add(candidate)
    return [sorted(members.get(_observation(row), ())) for row in rows]


def _setup(row: Row) -> tuple[str, ...]:
    """Return what a reference must have in common with its target."""
    return tuple(row[column] for column in SAME)


def _observation(row: Row) -> Observation:
    return row["program"], row["obs_num"]
