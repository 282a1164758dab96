"""Associations from a pool, by the rules.

For each program, and in it for each candidate (its observations first): the exposures that
fit a level-2 rule make a product each; those that fit a level-3 rule are grouped as the rule
says. A group that was already made for another candidate is not made again. The order of the
pool's rows does not matter.

The number in an association's file name follows from its product's name: it does not change
when other exposures come or go, so that nothing else is processed again.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final
from zlib import crc32

from calwebb_associate import __version__
from calwebb_associate.exposure_types import INTEGRATIONS, KIND_OF
from calwebb_associate.pool import Pool, Row, candidates, program_of, root_of, value
from calwebb_associate.rules import (
    BACKGROUND,
    IMPRINT,
    LATER,
    LEVEL2,
    LEVEL3,
    OPTICAL_PATH,
    PSF,
    SCIENCE,
    TARGET_ACQUISITION,
    Facts,
    Rule,
    facts,
)
from calwebb_core.framework.errors import InputError
from calwebb_core.framework.names import LEVEL3_PATTERN, AssociationName

ELEMENTS: Final = ("filter", "pupil", "grating")
SAME_DETECTOR: Final = (*OPTICAL_PATH, "exp_type", "detector", "channel")
ROLE_ORDER: Final = (SCIENCE, PSF, BACKGROUND, TARGET_ACQUISITION)
NUMBERS: Final = 99_999
OBSERVATION: Final = "observation"
WHOLE_PROGRAM: Final = ("a3001", "program")


@dataclass(frozen=True)
class Exposure:
    """A row of the pool with what the rules ask of it."""

    row: Row
    root: str
    facts: Facts

    @cached_property
    def candidates(self) -> tuple[tuple[str, str], ...]:
        """The candidates it belongs to, by id."""
        return tuple(sorted(candidates(self.row), key=_candidate_order))


@dataclass(frozen=True)
class Group:
    """The members of one product: exposures with the part each plays."""

    rule: Rule
    candidate: tuple[str, str]
    members: tuple[tuple[Exposure, str], ...]

    @property
    def first(self) -> Row:
        """The row that stands for the group where its members agree."""
        return self.members[0][0].row

    @cached_property
    def identity(self) -> frozenset[tuple[str, str]]:
        """Root and part of each member."""
        return frozenset((exposure.root, part) for exposure, part in self.members)


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
        groups = [*_level2(programs[program]), *_level3(programs[program], discover=discover)]
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
        if root not in by_level[2]:
            counts["association", kind] += 1
        elif root not in by_level[3] and kind in LATER:
            counts["level-3 association", kind] += 1
    return [
        f"{number} exposure{'s' * (number > 1)} of {kind} without {what}: "
        f"{LATER.get(kind, 'its rule')} is not available yet"
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


def _candidate_order(candidate: tuple[str, str]) -> tuple[bool, str]:
    """Sort observations before the others."""
    return (not candidate[0].startswith("o"), candidate[0])


def _by_candidate(exposures: Sequence[Exposure]) -> dict[tuple[str, str], list[Exposure]]:
    """Return the exposures of each candidate, observations first."""
    result: dict[tuple[str, str], list[Exposure]] = defaultdict(list)
    for exposure in exposures:
        for candidate in exposure.candidates:
            result[candidate].append(exposure)
    return dict(sorted(result.items(), key=lambda item: _candidate_order(item[0])))


def _level2(exposures: Sequence[Exposure]) -> list[Group]:
    """Make a product of each exposure; one with backgrounds replaces the one without."""
    alone: dict[str, Group] = {}
    with_background: list[Group] = []
    for candidate, members in _by_candidate(exposures).items():
        backgrounds: dict[tuple[str, ...], list[Exposure]] = defaultdict(list)
        for exposure in members:
            if exposure.facts.role == BACKGROUND:
                backgrounds[_agreement(exposure, SAME_DETECTOR)].append(exposure)
        for exposure in members:
            rule = next((rule for rule in LEVEL2 if rule.fits(exposure.facts)), None)
            if rule is None:
                continue
            others = backgrounds[_agreement(exposure, SAME_DETECTOR)] if rule.backgrounds else []
            parts = ((exposure, SCIENCE), *((other, BACKGROUND) for other in others))
            if others:
                with_background.append(Group(rule, candidate, parts))
            else:
                alone.setdefault(exposure.root, Group(rule, candidate, parts))
    replaced = {group.members[0][0].root for group in with_background}
    return with_background + [group for root, group in alone.items() if root not in replaced]


def _level3(exposures: Sequence[Exposure], *, discover: bool) -> list[Group]:
    """Group exposures by candidate, and over the program if asked; no group twice."""
    named = {word for rule in LEVEL3 for word in rule.candidate_types}
    everything = _by_candidate(exposures)
    if discover:
        everything[WHOLE_PROGRAM] = list(exposures)
    groups: dict[frozenset[tuple[str, str]], Group] = {}
    for candidate, members in everything.items():
        for rule in LEVEL3:
            takes = candidate[1] in rule.candidate_types
            if takes or (not rule.candidate_types and candidate[1] not in named):
                for group in _groups(rule, candidate, members):
                    groups.setdefault(group.identity, group)
    return list(groups.values())


def _groups(rule: Rule, candidate: tuple[str, str], members: list[Exposure]) -> Iterator[Group]:
    """Yield the groups that a rule makes of a candidate's exposures."""
    columns = (*rule.group_by, "targetid") if rule.by_target else rule.group_by
    found: dict[tuple[str, ...], list[Exposure]] = defaultdict(list)
    for exposure in members:
        if rule.fits(exposure.facts):
            found[_agreement(exposure, columns)].append(exposure)
    for group in found.values():
        if any(exposure.facts.role == rule.needs for exposure in group):
            part = {BACKGROUND: SCIENCE}
            parts = [(one, part.get(one.facts.role, one.facts.role)) for one in group]
            parts += [(one, TARGET_ACQUISITION) for one in _acquisitions(group, members)]
            parts.sort(key=lambda pair: (ROLE_ORDER.index(pair[1]), pair[0].root))
            yield Group(rule, candidate, tuple(parts))


def _acquisitions(group: list[Exposure], members: list[Exposure]) -> list[Exposure]:
    """Return the target acquisitions of a group's observations by the same instrument."""
    key = ("instrume", "obs_num")
    observations = {_agreement(exposure, key) for exposure in group}
    return [
        exposure
        for exposure in members
        if exposure.facts.role == TARGET_ACQUISITION and _agreement(exposure, key) in observations
    ]


def _agreement(exposure: Exposure, columns: Sequence[str]) -> tuple[str, ...]:
    """Return the values in which the members of a group agree."""
    return tuple(value(exposure.row, column) for column in columns)


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
