"""Pools as the mission writes them: with what is in the proposal and in no header.

The groups of observations (association candidates), the tiles of a mosaic, the numbers of
targets, of exposure specifications and of pointings are known to the mission's data base only.
"""

from collections.abc import Sequence
from typing import Any, Final

from calwebb_simulator.programs.headers import primary
from calwebb_simulator.programs.model import Program
from calwebb_simulator.programs.schedule import Raw

NULL: Final = "null"
FIRST_GROUP: Final = 1000
ACQUISITIONS: Final = ("TACQ", "TACONFIRM", "MSATA", "WATA", "TASLIT", "CONFIRM")
NUMBERS: Final = {
    "obs_num": "OBSERVTN",
    "visit": "VISIT",
    "visitgrp": "VISITGRP",
    "exposure": "EXPOSURE",
}
BEFORE: Final = [
    "obs_id",
    "program",
    "visit_id",
    "visitype",
    "seq_id",
    "act_id",
    "exp_type",
    "nexposur",
    "expcount",
    "instrume",
    "detector",
    "channel",
    "targprop",
    "targname",
    "targtype",
    "template",
    "module",
    "filter",
    "pupil",
    "patttype",
    "numdthpt",
    "subpxpts",
    "patt_num",
    "apername",
    "subarray",
    "grating",
    "fxd_slit",
    "band",
    "gwa_xtil",
    "gwa_ytil",
    "msastate",
    "msametfl",
    "opmode",
    "lamp",
    "nints",
    "exsegtot",
    "is_psf",
    "is_imprt",
    "bkgdtarg",
    "tsovisit",
]
FROM_PROPOSAL: Final = (
    "filename",
    "targetid",
    "pntgtype",
    "expspcin",
    "dithptin",
    "mostilno",
    "dms_note",
    "exposerr",
    "asn_candidate",
)
COLUMNS: Final = (*FROM_PROPOSAL[:1], *BEFORE, *NUMBERS, *FROM_PROPOSAL[1:])


def pool_text(files: Sequence[Raw]) -> str:
    """Return the pool of the files of one program."""
    lines = ["|".join(COLUMNS)]
    for raw in files:
        row = pool_row(raw)
        lines.append("|".join(row[column] for column in COLUMNS))
    return "\n".join(lines) + "\n"


def pool_row(raw: Raw) -> dict[str, str]:
    """Return the row of a file: column to lower-case text."""
    header = primary(raw)
    row = {column: text(header.get(column.upper())) for column in BEFORE}
    row |= {column: text(int(header[keyword])) for column, keyword in NUMBERS.items()}
    acquiring = any(word in raw.setup.exp_type for word in ACQUISITIONS)
    return row | {
        "filename": header["FILENAME"],
        "is_imprt": text(raw.doing.imprint),
        "targetid": str(target_number(raw)),
        "pntgtype": "target_acquisition" if acquiring else "science",
        "expspcin": str(raw.specification),
        "dithptin": str(raw.position),
        "mostilno": str(raw.tile),
        "dms_note": NULL,
        "exposerr": NULL,
        "asn_candidate": candidates(raw.program, raw.observation.number),
    }


def target_number(raw: Raw) -> int:
    """Return the number of a target in its program, in the order of observations."""
    names = [observation.target.name for observation in raw.program.observations]
    return list(dict.fromkeys(names)).index(raw.observation.target.name) + 1


def candidates(program: Program, observation: int) -> str:
    """Return the association candidates of an observation."""
    found = [(f"o{observation:03d}", "observation")]
    for number, group in enumerate(program.groups, FIRST_GROUP):
        if observation in group.observations:
            found.append((f"c{number}", group.kind))
    return str(found)


def text(value: Any) -> str:
    """Return a keyword's value as a pool has it."""
    if value is None or value == "":
        return NULL
    if isinstance(value, bool):
        return "t" if value else "f"
    return str(value).lower()
