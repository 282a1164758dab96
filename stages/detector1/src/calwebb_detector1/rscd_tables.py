"""The tables of the RSCD reference: how many groups to skip, and how the decay goes."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from calwebb_core.framework.errors import ReferenceFileError
from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.reference_data import Reference
from calwebb_detector1.arrays import label
from calwebb_detector1.kernels import rscd as kernels

GROUPS = "RSCD_GROUP_SKIP"
DECAY = "RSCD"
FIRST_OF_OLD_FILES = 1
OLD_NAMES = {"SUBPRISM": "SLITLESSPRISM"}
PARITIES = ("EVEN", "ODD")
DECAY_COLUMNS = (
    "TAU", "ASCALE", "POW", "ILLUM_ZP", "ILLUM_SLOPE", "ILLUM2", "PARAM3", "CROSSOPT", "SAT_ZP",
    "SAT_SLOPE", "SAT_2", "SAT_MZP", "SAT_ROWTERM", "SAT_SCALE",
)  # fmt: skip
# The documents call this column so; the files, and the official software, the other way.
OTHER_NAMES = {"SAT_2": "SAT2"}


class Skip(NamedTuple):
    """Groups to skip in the first integration and in later ones."""

    first: int
    later: int


def subarray_of(metadata: Mapping[str, Any]) -> str:
    """Return the subarray's name as the tables have it."""
    name = str(metadata.get("SUBARRAY", "")).upper()
    return OLD_NAMES.get(name, name)


def groups_to_skip(reference: Reference, metadata: Metadata) -> Skip | None:
    """Return how many groups to skip for an exposure's subarray and pattern; None if not listed.

    Raises
    ------
    ReferenceFileError
        If the reference has no such table or column.
    """
    table = columns(reference, GROUPS, ("SUBARRAY", "READPATT", "GROUP_SKIP"))
    rows = matching(table, metadata)
    if not rows.any():
        return None
    row = int(np.argmax(rows))
    first = table["GROUP_SKIP1"][row] if "GROUP_SKIP1" in table else -1
    # files of before 2.0.0 know later integrations only
    first = FIRST_OF_OLD_FILES if first < 0 else first
    return Skip(int(first), int(table["GROUP_SKIP"][row]))


def decay_table(
    reference: Reference, metadata: Metadata, ngroups: int
) -> NDArray[np.float64] | None:
    """Return the coefficients of the decay, (8, 2) for even and odd rows; None if not listed.

    What the documents write as polynomials in the number of groups is worked out.

    Raises
    ------
    ReferenceFileError
        If the reference has no such table or column.
    """
    table = columns(reference, DECAY, ("SUBARRAY", "READPATT", "ROWS", *DECAY_COLUMNS))
    found = np.empty((8, 2))
    for parity, name in enumerate(PARITIES):
        rows = matching(table, metadata) & (np.char.upper(table["ROWS"]) == name)
        if not rows.any():
            return None
        row = int(np.argmax(rows))
        found[:, parity] = coefficients({key: table[key][row] for key in DECAY_COLUMNS}, ngroups)
    return found


def coefficients(row: Mapping[str, float], ngroups: int) -> NDArray[np.float64]:
    """Return one row of the decay table in the order of the kernel, for `ngroups` groups."""
    illumination = row["ILLUM_ZP"] + row["ILLUM_SLOPE"] * ngroups + row["ILLUM2"] * ngroups**2
    slope = row["SAT_ZP"] + row["SAT_SLOPE"] * ngroups + row["SAT_2"] * ngroups**2
    found = np.empty(8)
    found[kernels.TAU] = row["TAU"]
    found[kernels.B1] = row["ASCALE"] * illumination
    found[kernels.POWER] = row["POW"]
    found[kernels.PARAM3] = row["PARAM3"]
    found[kernels.CROSSOVER] = row["CROSSOPT"]
    found[kernels.SATURATED_SLOPE] = slope + row["SAT_ROWTERM"]
    found[kernels.SATURATED_OFFSET] = row["SAT_MZP"]
    found[kernels.SATURATED_SCALE] = row["SAT_SCALE"]
    return found


def matching(table: Mapping[str, NDArray[Any]], metadata: Metadata) -> NDArray[np.bool_]:
    """Return which rows of a table are for an exposure's subarray and read pattern."""
    pattern = metadata.require("READPATT", str).upper()
    same: NDArray[np.bool_] = (np.char.upper(table["SUBARRAY"]) == subarray_of(metadata)) & (
        np.char.upper(table["READPATT"]) == pattern
    )
    return same


def columns(reference: Reference, name: str, needed: tuple[str, ...]) -> dict[str, NDArray[Any]]:
    """Return the columns of a table by their names in upper case.

    Raises
    ------
    ReferenceFileError
        If the table or a needed column is missing.
    """
    table = reference.tables.get(name)
    if table is None:
        known = ", ".join((*reference.tables, *reference.arrays)) or "none"
        msg = f"{label(reference)} has no table {name}; its extensions are {known}"
        raise ReferenceFileError(msg)
    found = {str(key).upper(): table.data[key] for key in table.data.dtype.names or ()}
    for key, other in OTHER_NAMES.items():
        if key not in found and other in found:
            found[key] = found[other]
    missing = [key for key in needed if key not in found]
    if missing:
        msg = f"{label(reference)}: table {name} has no column {', '.join(missing)}"
        raise ReferenceFileError(msg)
    return found
