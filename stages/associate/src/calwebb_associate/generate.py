"""Associations from a pool, by the rules.

Each group of exposures that `grouping` finds gets a product's name, a file's name and its
content. The order of the pool's rows does not matter.

The number in an association's file name follows from its product's name: it does not change
when other exposures come or go, so that nothing else is processed again.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final
from zlib import crc32

from calwebb_associate import __version__
from calwebb_associate.exposure_types import INTEGRATIONS, KIND_OF
from calwebb_associate.grouping import WHOLE_PROGRAM, Exposure, Group, level2, level3
from calwebb_associate.pool import Pool, Row, program_of, root_of, value
from calwebb_associate.rules import (
    ALONE,
    IMPRINT,
    LATER,
    TARGET_ACQUISITION,
    Facts,
    facts,
)
from calwebb_core.framework.errors import InputError
from calwebb_core.framework.names import LEVEL3_PATTERN, AssociationName

ELEMENTS: Final = ("filter", "pupil", "grating")
NUMBERS: Final = 99_999


@dataclass(frozen=True)
class MadeAssociation:
    """An association: its file's name and content, and what one asks of it most.

    Attributes
    ----------
    file_name, program, candidate, rule, asn_type : str
    level : int
    product : str
        Name of its product.
    members : tuple of str
        Files of its science, PSF and background members, in this order.
    content : dict
        What the JSON file holds.
    """

    file_name: str
    program: str
    candidate: str
    rule: str
    asn_type: str
    level: int
    product: str
    members: tuple[str, ...]
    content: dict[str, Any]

    @property
    def exptypes(self) -> frozenset[str]:
        """The parts that its members play."""
        return frozenset(member["exptype"] for member in self.content["products"][0]["members"])


def make_associations(
    pool: Pool, *, discover: bool = False, version_id: str | None = None
) -> list[MadeAssociation]:
    """Make the level-2 and level-3 associations of a pool.

    Parameters
    ----------
    pool : Pool
    discover : bool
        Whether to combine exposures of the same target over a whole program, too.
    version_id : str, optional
        Stamp in the file names and the content, as YYYYMMDDThhmmss in lower case.

    Returns
    -------
    list of MadeAssociation
        By program, level and product; the same for any order of the pool's rows.

    Raises
    ------
    InputError
        If a value of the pool cannot be part of a product's name.
    """
    programs: dict[str, list[Exposure]] = defaultdict(list)
    for row in pool.exposures():
        programs[program_of(row)].append(Exposure(row, root_of(row), facts(row)))
    made: list[MadeAssociation] = []
    for program in sorted(programs):
        groups = [*level2(programs[program]), *level3(programs[program], discover=discover)]
        made += _finish(program, groups, pool.name, version_id)
    return made


def left_out(pool: Pool, made: Iterable[MadeAssociation]) -> list[str]:
    """Say in sentences which exposures have no association because their rules don't exist yet.

    An exposure that has one of level 2 only is named if the documents have a rule of level 3
    for it.
    """
    by_level: dict[int, set[str]] = {2: set(), 3: set()}
    for association in made:
        for member in association.content["products"][0]["members"]:
            by_level[association.level].add(member["expname"].rpartition("_")[0])
    counts: Counter[tuple[str, str]] = Counter()
    for row in pool.exposures():
        root, kind = root_of(row), _kind(facts(row))
        if kind in ALONE:
            continue
        if root not in by_level[2]:
            counts["association", kind] += 1
        elif root not in by_level[3] and kind in LATER:
            counts["level-3 association", kind] += 1
    return [
        f"{number} exposure{'s' * (number > 1)} of {kind} without {what}: "
        f"not available yet ({LATER.get(kind, 'no rule')})"
        for (what, kind), number in sorted(counts.items())
    ]


def _kind(exposure: Facts) -> str:
    """Return the kind of an exposure in the words of `LATER`."""
    if exposure.role == TARGET_ACQUISITION:
        return "target acquisition"
    if exposure.role == IMPRINT:
        return "imprint"
    if exposure.wavefront_sensing:
        return "wavefront sensing"
    return "time series" if exposure.time_series else KIND_OF[exposure.exp_type]


def _finish(
    program: str, groups: list[Group], pool: str, version_id: str | None
) -> list[MadeAssociation]:
    """Name the products and files of a program's groups and write out their content."""
    named = [(_product_name(program, group), group) for group in groups]
    named.sort(key=lambda pair: (pair[1].rule.level, pair[0], pair[1].candidate))
    taken: set[tuple[str, str, int]] = set()
    made = []
    for product, group in named:
        key = (group.candidate[0], group.rule.asn_type)
        number = _number(product, key, taken)
        name = AssociationName(program, key[0], key[1], f"{number:05d}", version_id)
        content = _content(program, product, group, pool, version_id)
        members = content["products"][0]["members"]
        made.append(
            MadeAssociation(
                file_name=name.file_name,
                program=program,
                candidate=group.candidate[0],
                rule=group.rule.name,
                asn_type=group.rule.asn_type,
                level=group.rule.level,
                product=product,
                members=tuple(m["expname"] for m in members if m["exptype"] != TARGET_ACQUISITION),
                content=content,
            )
        )
    return made


def _number(product: str, key: tuple[str, str], taken: set[tuple[str, str, int]]) -> int:
    """Return a free number of five digits that depends on the product's name."""
    number = crc32(product.encode()) % NUMBERS + 1
    while (*key, number) in taken:
        number = number % NUMBERS + 1
    taken.add((*key, number))
    return number


def _product_name(program: str, group: Group) -> str:
    """Return the name of a group's product, as the documents compose it."""
    if group.rule.level == 2:
        return group.members[0][0].root
    row = group.first
    elements = sorted({value(row, column) for column in ELEMENTS} - {""}) or ["clear"]
    subarray = value(row, "subarray")
    elements += [subarray] if subarray not in ("", "full") else []
    target = _target(group)
    name = (
        f"jw{program}-{group.candidate[0]}_{target}_{value(row, 'instrume')}_{'-'.join(elements)}"
    )
    if not re.fullmatch(LEVEL3_PATTERN, name, re.ASCII):
        msg = (
            f"{row['filename']}: its values give the product name {name!r}, which is not one; "
            "check program, targetid, instrume, filter, pupil, grating and subarray in the pool"
        )
        raise InputError(msg)
    return name


def _target(group: Group) -> str:
    """Return the target in a level-3 product's name: "t001", or "t000" for a mosaic."""
    number = value(group.first, "targetid") if group.rule.by_target else "0"
    return f"t{number.zfill(3)}"


def _content(
    program: str, product: str, group: Group, pool: str, version_id: str | None
) -> dict[str, Any]:
    """Return what an association's file holds."""
    errors = [_exposure_error(exposure.row) for exposure, _ in group.members]
    bad = sum(error not in (None, "null") for error in errors)
    level2 = group.rule.level == 2
    way = "discover" if group.candidate == WHOLE_PROGRAM else "candidate"
    return {
        "asn_type": group.rule.asn_type,
        "asn_rule": f"{way}_{group.rule.name}",
        "version_id": version_id,
        "code_version": __version__,
        "degraded_status": f"{bad} of {len(errors)} members have an exposure error.",
        "program": program,
        "constraints": _constraints(group),
        "asn_id": group.candidate[0],
        "asn_pool": pool,
        "target": value(group.first, "targetid") if level2 else _target(group),
        "products": [
            {
                "name": product,
                "members": [
                    _member(exposure, part, group, error)
                    for (exposure, part), error in zip(group.members, errors, strict=True)
                ],
            }
        ],
    }


def _member(exposure: Exposure, part: str, group: Group, error: str | None) -> dict[str, Any]:
    """Return a member: a slope image for level 2, a calibrated exposure for level 3."""
    if group.rule.level == 3:
        member: dict[str, Any] = {"expname": f"{exposure.root}_cal.fits", "exptype": part}
        return member | {"exposerr": error, "asn_candidate": str([group.candidate])}
    integrations = group.rule.time_series or exposure.facts.exp_type in INTEGRATIONS
    suffix = "rateints" if integrations else "rate"
    return {"expname": f"{exposure.root}_{suffix}.fits", "exptype": part, "exposerr": error}


def _exposure_error(row: Row) -> str | None:
    """Return a row's exposure error as the pool has it, None if it has no such column."""
    return row.get("exposerr")


def _constraints(group: Group) -> str:
    """Say why the members belong together."""
    columns = group.rule.group_by or ("exp_type", "detector")
    values = (f"{column}={value(group.first, column) or 'null'}" for column in columns)
    return f"{group.rule.sentence} Candidate {group.candidate[0]}: {', '.join(values)}."
