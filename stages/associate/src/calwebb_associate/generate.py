"""Associations from a pool, by the rules.

Each group of exposures that `grouping` finds gets a product's name, a file's name and its
content. The order of the pool's rows does not matter.

The number in an association's file name follows from its product's name: it does not change
when other exposures come or go, so that nothing else is processed again.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Final
from zlib import crc32

from calwebb_associate import __version__
from calwebb_associate.conditions import TARGET_ACQUISITION, Exposure
from calwebb_associate.direct_images import MADE_OF_IT, nearest
from calwebb_associate.duplicates import without_duplicates
from calwebb_associate.exposure_types import KIND_OF
from calwebb_associate.grouping import DIRECT_IMAGE, DISCOVERED, Candidate, Group, groups_of
from calwebb_associate.pool import Pool, program_of
from calwebb_associate.product_names import (
    catalog_product,
    combined_product,
    member_name,
    target_name,
)
from calwebb_associate.rule_files import own_rules
from calwebb_associate.rulebook import Rule
from calwebb_core.framework.names import AssociationName

NUMBERS: Final = 99_999
PART_ORDER: Final = ("science", "psf", "background", "imprint")
# Exposures that no rule of the documents takes, so that nobody misses them.
ALONE: Final = ("dark", "guide star")


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
        Files of its members other than target acquisitions, science first.
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

    @cached_property
    def membership(self) -> frozenset[tuple[str, str]]:
        """File and part of each member."""
        members = self.content["products"][0]["members"]
        return frozenset((member["expname"], member["exptype"]) for member in members)

    @property
    def exptypes(self) -> frozenset[str]:
        """The parts that its members play."""
        return frozenset(part for _, part in self.membership)


def make_associations(
    pool: Pool,
    *,
    discover: bool = False,
    from_candidates: bool = True,
    candidates: Collection[str] | None = None,
    levels: Collection[int] = (2, 3),
    rules: Sequence[Rule] | None = None,
    version_id: str | None = None,
) -> list[MadeAssociation]:
    """Make the associations of a pool.

    Parameters
    ----------
    pool : Pool
    discover : bool
        Whether to look beyond the candidates, over whole programs.
    from_candidates : bool
        Whether to give the associations of the candidates; if not, those over whole programs
        that no candidate gives.
    candidates : collection of str, optional
        Ids of the only candidates to look at.
    levels : collection of int
        2, 3 or both.
    rules : sequence of Rule, optional
        The project's by default.
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
    chosen = [rule for rule in rules or own_rules() if rule.level in levels]
    made: list[MadeAssociation] = []
    for program, exposures in _by_program(pool):
        by_candidate = _by_candidate(exposures, candidates, discover)
        found = _found(program, chosen, by_candidate, pool.name, version_id)
        kept = without_duplicates(found)
        if not from_candidates:
            kept = [association for association in kept if association.candidate == DISCOVERED[0]]
        made += _numbered(kept, version_id)
    return made


def left_out(pool: Pool, made: Iterable[MadeAssociation]) -> list[str]:
    """Say in sentences which exposures have no association."""
    taken = {
        member["expname"].rpartition("_")[0]
        for association in made
        for member in association.content["products"][0]["members"]
    }
    exposures = (Exposure(row) for row in pool.exposures())
    counts = Counter(KIND_OF[one.exp_type] for one in exposures if one.root not in taken)
    return [
        f"{number} exposure{'s' * (number > 1)} of {kind} in no association: no rule takes "
        f"{'them' if number > 1 else 'it'}"
        for kind, number in sorted(counts.items())
        if kind not in ALONE
    ]


def _by_program(pool: Pool) -> Iterator[tuple[str, list[Exposure]]]:
    """Yield the exposures of each program, in order."""
    programs: dict[str, list[Exposure]] = defaultdict(list)
    for row in pool.exposures():
        programs[program_of(row)].append(Exposure(row))
    for program in sorted(programs):
        yield program, programs[program]


def _by_candidate(
    exposures: Sequence[Exposure], wanted: Collection[str] | None, discover: bool
) -> Iterator[tuple[Candidate, list[Exposure]]]:
    """Yield the exposures of each candidate, and of the whole program if asked."""
    found: dict[Candidate, list[Exposure]] = defaultdict(list)
    for exposure in exposures:
        for candidate in exposure.candidates:
            found[candidate].append(exposure)
    for candidate in sorted(found):
        if wanted is None or candidate[0] in wanted:
            yield candidate, found[candidate]
    if discover:
        yield DISCOVERED, list(exposures)


def _found(
    program: str,
    rules: Sequence[Rule],
    by_candidate: Iterable[tuple[Candidate, Sequence[Exposure]]],
    pool: str,
    version_id: str | None,
) -> Iterator[MadeAssociation]:
    """Yield all that rules make of the exposures of each candidate, duplicates among them."""
    for candidate, exposures in by_candidate:
        for rule in rules:
            for group in groups_of(rule, candidate, exposures):
                association = _association(program, group, pool, version_id)
                if association is not None:
                    yield association


def _association(
    program: str, group: Group, pool: str, version_id: str | None
) -> MadeAssociation | None:
    """Return what a group makes, None if a spectrum lacks its direct image."""
    members = [
        _member(exposure, part, group)
        for exposure, part in sorted(group.parts, key=lambda pair: _order(pair, group))
    ]
    if group.rule.finish == "catalogs":
        direct = _direct(group)
        if direct is None:
            return None
        members = [one for one in members if one["exptype"] != DIRECT_IMAGE]
        members += _catalogs(catalog_product(program, group, direct))
    if group.rule.finish == "extracted nods" and len(group.taken) > 1:
        members += [_extracted(member) for member in members if member["exptype"] == "science"]
    level2 = group.rule.level == 2
    product = group.taken[0].root if level2 else combined_product(program, group)
    content = _content(program, product, group, members)
    content |= {"asn_pool": pool, "version_id": version_id}
    return MadeAssociation(
        file_name="",
        program=program,
        candidate=group.candidate[0],
        rule=group.rule.name,
        asn_type=group.rule.makes,
        level=group.rule.level,
        product=product,
        members=tuple(m["expname"] for m in members if m["exptype"] != TARGET_ACQUISITION),
        content=content,
    )


def _order(pair: tuple[Exposure, str], group: Group) -> tuple[bool, int, str, str]:
    """Sort members: that of the product, science, PSF, background, others; by name."""
    exposure, part = pair
    place = PART_ORDER.index(part) if part in PART_ORDER else len(PART_ORDER)
    own = group.rule.level == 2 and exposure is group.taken[0]
    return not own, place, part, exposure.root


def _member(exposure: Exposure, part: str, group: Group) -> dict[str, Any]:
    """Return a member of an association's file."""
    member: dict[str, Any] = {"expname": member_name(exposure, part, group), "exptype": part}
    member["exposerr"] = exposure.row.get("exposerr")
    if group.rule.level == 3:
        member["asn_candidate"] = str([group.candidate])
    return member


def _direct(group: Group) -> Exposure | None:
    """Return the direct image that gives the catalog of a slitless spectrum."""
    directs = [exposure for exposure, part in group.parts if part == DIRECT_IMAGE]
    if not directs:
        return None
    return nearest(group.taken[0], directs, parallel=group.candidate[1] == DIRECT_IMAGE)


def _catalogs(product: str) -> list[dict[str, Any]]:
    """Return what level 3 makes of direct images, as members."""
    return [{"expname": f"{product}{suffix}", "exptype": part} for suffix, part in MADE_OF_IT]


def _extracted(member: dict[str, Any]) -> dict[str, Any]:
    """Return the spectrum extracted from a member, as background of the others."""
    root = member["expname"].rpartition("_")[0]
    return {**member, "expname": f"{root}_x1d.fits", "exptype": "background"}


def _content(
    program: str, product: str, group: Group, members: list[dict[str, Any]]
) -> dict[str, Any]:
    """Return what an association's file holds."""
    bad = sum(member.get("exposerr") not in (None, "", "null") for member in members)
    way = "discover" if group.candidate == DISCOVERED else "candidate"
    first = group.taken[0]
    return {
        "asn_type": group.rule.makes,
        "asn_rule": f"{way}_{group.rule.name}",
        "version_id": None,
        "code_version": __version__,
        "degraded_status": f"{bad} of {len(members)} members have an exposure error.",
        "program": program,
        "constraints": _constraints(group),
        "asn_id": group.candidate[0],
        "asn_pool": None,
        "target": first.first("targetid") if group.rule.level == 2 else target_name(group.target),
        "products": [{"name": product, "members": members}],
    }


def _constraints(group: Group) -> str:
    """Say why the members belong together."""
    first = group.taken[0]
    names = {column.name: column.names for column in group.rule.agree}
    columns = {"exp_type": ("exp_type",), **names}
    values = (f"{name}={_shown(first, name, columns[name], group)}" for name in columns)
    return f"{group.rule.sentence} Candidate {group.candidate[0]}: {', '.join(values)}."


def _shown(first: Exposure, name: str, columns: tuple[str, ...], group: Group) -> str:
    """Return the value in which members agree, as text."""
    if name == "target":
        return group.target
    return first.get(("fxd_slit",) if name == "slit" else columns) or "null"


def _numbered(found: list[MadeAssociation], version_id: str | None) -> list[MadeAssociation]:
    """Sort the associations of a program and give each its file name."""
    found.sort(key=lambda a: (a.level, a.product, a.candidate, a.asn_type, sorted(a.membership)))
    taken: set[tuple[str, str, int]] = set()
    made = []
    for one in found:
        number = crc32(one.product.encode()) % NUMBERS + 1
        while (one.candidate, one.asn_type, number) in taken:
            number = number % NUMBERS + 1
        taken.add((one.candidate, one.asn_type, number))
        name = AssociationName(
            one.program, one.candidate, one.asn_type, f"{number:05d}", version_id
        )
        made.append(replace(one, file_name=name.file_name))
    return made
