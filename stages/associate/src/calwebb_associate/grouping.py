"""Which exposures belong together: the products that the rules make of a candidate.

The exposures of a candidate that a rule takes are grouped by what they agree in. At level 2
each exposure of a group makes a product, at level 3 each group does; then others join. Only
the set of exposures counts, never their order.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from calwebb_associate.conditions import BACKGROUND, TARGET_ACQUISITION, Exposure
from calwebb_associate.imprints import choose_imprints
from calwebb_associate.nods import apart
from calwebb_associate.rulebook import SLIT, SLIT_READ, TARGET, Column, Join, Rule, Selection

Candidate = tuple[str, str]
Key = tuple[str, ...]
Parts = tuple[tuple[Exposure, str], ...]

DISCOVERED: Final[Candidate] = ("a3001", "discovered")
OBSERVATION: Final = "observation"
# Candidates that make a product of level 3 only if several observations belong to it.
SEVERAL_OBSERVATIONS: Final = frozenset({"group", "background", "mosaic"})
# A direct image serves spectra of any target.
DIRECT_IMAGE: Final = "direct_image"
NO_TARGET: Final = "000"
# A column that users add to a pool: a target that changes is not combined over its epochs.
EPOCH: Final = "epoch"
# Light of one source falls into both of these slits.
PAIRED_SLITS: Final = frozenset({"s200a1", "s200a2"})
# In these subarrays all slits are read out, whichever the source is in.
ALL_SLITS: Final = frozenset({"full", "allslits"})
_ACQUISITIONS: Final = Join(
    selection=Selection(
        roles=frozenset({TARGET_ACQUISITION}), not_conditions=frozenset({"imprint"})
    ),
    agree=(Column(("instrume",), True), Column(("obs_num",), True)),
    differ="",
    part=TARGET_ACQUISITION,
    choose="",
)


@dataclass(frozen=True)
class Group:
    """What makes one product.

    Attributes
    ----------
    rule : Rule
    candidate : (id, kind)
    taken : tuple of Exposure
        Those that the rule takes; the first stands for them where they agree.
    parts : tuple of (Exposure, part)
        All members.
    target : str
        Number of the target, "000" where it has none.
    """

    rule: Rule
    candidate: Candidate
    taken: tuple[Exposure, ...]
    parts: Parts
    target: str


def groups_of(rule: Rule, candidate: Candidate, exposures: Sequence[Exposure]) -> Iterator[Group]:
    """Yield what a rule makes of the exposures of a candidate of one program."""
    if not _concerns(rule, candidate):
        return
    grouped: dict[Key, list[Exposure]] = defaultdict(list)
    agree = (*rule.agree, *([Column((EPOCH,), False)] if rule.level == 3 else []))
    for exposure in exposures:
        if rule.fits(exposure):
            key = _key(exposure, agree, candidate)
            if key is not None:
                grouped[key].append(exposure)
    if not grouped:
        return
    indexes = [(join, _index(join, exposures, candidate)) for join in rule.joins]
    acquisitions = _index(_ACQUISITIONS, exposures, candidate) if rule.level == 3 else {}
    for group in grouped.values():
        for taken in [[one] for one in group] if rule.level == 2 else [group]:
            parts = [(one, rule.part) for one in taken]
            for join, index in indexes:
                others = _partners(join, index, taken, candidate)
                _add(parts, _chosen(join, taken, group, others), join.part)
            observed = [one for one, _ in parts]
            others = _partners(_ACQUISITIONS, acquisitions, observed, candidate)
            _add(parts, others, _ACQUISITIONS.part)
            made = Group(
                rule, candidate, tuple(taken), tuple(parts), _target(rule, taken, candidate)
            )
            if _whole(made):
                yield made


def _concerns(rule: Rule, candidate: Candidate) -> bool:
    """Tell whether a rule is for a kind of candidate.

    Level 2 is made by observation, and again with the exposures of a background candidate.
    """
    kind = candidate[1]
    if kind in rule.not_candidates:
        return False
    if rule.candidates:
        return kind in rule.candidates
    return rule.level == 3 or kind in (OBSERVATION, BACKGROUND)


def _value(exposure: Exposure, column: Column, candidate: Candidate) -> str:
    """Return what an exposure has in a column, "" for nothing."""
    if column.names == (TARGET,):
        return NO_TARGET if candidate[1] == DIRECT_IMAGE else exposure.first("targetid")
    if column.names == (SLIT,):
        return _slit(exposure)
    if column.names == (SLIT_READ,):
        return "" if exposure.first("subarray") in ALL_SLITS else _slit(exposure)
    return exposure.get(column.names)


def _slit(exposure: Exposure) -> str:
    """Return the slit that a source is in, one word for both of a pair."""
    slit = exposure.first("fxd_slit")
    return "paired" if slit in PAIRED_SLITS else slit


def _key(exposure: Exposure, columns: Iterable[Column], candidate: Candidate) -> Key | None:
    """Return what an exposure has in columns, None if it lacks one that it must have."""
    key = []
    for column in columns:
        found = _value(exposure, column, candidate)
        if column.required and not found:
            return None
        key.append(found)
    return tuple(key)


def _index(
    join: Join, exposures: Sequence[Exposure], candidate: Candidate
) -> dict[Key, list[Exposure]]:
    """Return the exposures that may join, by what they must agree in."""
    index: dict[Key, list[Exposure]] = defaultdict(list)
    for exposure in exposures:
        if join.selection.fits(exposure):
            key = _key(exposure, join.agree, candidate)
            if key is not None:
                index[key].append(exposure)
    return index


def _partners(
    join: Join, index: dict[Key, list[Exposure]], members: Sequence[Exposure], candidate: Candidate
) -> list[Exposure]:
    """Return the exposures that agree with one of the members."""
    if not index:
        return []
    keys = {_key(one, join.agree, candidate) for one in members}
    return [one for key in keys if key is not None for one in index.get(key, ())]


def _add(parts: list[tuple[Exposure, str]], others: Iterable[Exposure], part: str) -> None:
    """Add exposures that are not there yet, each with its part."""
    there = {one.root for one, _ in parts}
    parts += [(one, part or one.role) for one in others if one.root not in there]


def _chosen(
    join: Join,
    taken: Sequence[Exposure],
    group: Sequence[Exposure],
    others: list[Exposure],
) -> list[Exposure]:
    """Return those of the exposures that may join that do."""
    if join.differ:
        here = {one.first(join.differ) for one in taken} | {""}
        others = [one for one in others if one.first(join.differ) not in here]
    if join.choose == "apart":
        return [one for one in others if apart(taken[0], one)]
    if join.choose == "imprints":
        return choose_imprints(taken, others)
    if join.choose == "imprints of the nods":
        return choose_imprints(group, others)
    return others


def _target(rule: Rule, taken: Sequence[Exposure], candidate: Candidate) -> str:
    """Return the number of the target that a product is of."""
    if rule.level == 3 and not any(column.names == (TARGET,) for column in rule.agree):
        return NO_TARGET
    return NO_TARGET if candidate[1] == DIRECT_IMAGE else taken[0].first("targetid")


def _whole(group: Group) -> bool:
    """Tell whether a product has all members that it needs."""
    rule, kind = group.rule, group.candidate[1]
    parts = {part for _, part in group.parts}
    if len(group.taken) < rule.least or not rule.needs <= parts:
        return False
    if rule.level == 2:
        own = {one.role for one, _ in group.parts[1:]}
        return kind != BACKGROUND or BACKGROUND in own
    observations = {one.first("obs_num") for one, part in group.parts if part != TARGET_ACQUISITION}
    return kind not in SEVERAL_OBSERVATIONS or len(observations - {""}) > 1
