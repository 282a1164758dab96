"""Which exposures belong together: the groups that the rules make of a program.

Candidates are taken one after the other, observations first. An exposure that fits a level-2
rule is a group by itself, with the backgrounds of its candidate; level-3 rules group by what
they say. A group that was already made for another candidate is not made again.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from calwebb_associate.pool import Row, candidates, value
from calwebb_associate.rules import (
    BACKGROUND,
    LEVEL2,
    LEVEL3,
    OPTICAL_PATH,
    PSF,
    SCIENCE,
    TARGET_ACQUISITION,
    Facts,
    Rule,
)

SAME_DETECTOR: Final = (*OPTICAL_PATH, "exp_type", "detector", "channel")
ROLE_ORDER: Final = (SCIENCE, PSF, BACKGROUND, TARGET_ACQUISITION)
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


def level2(exposures: Sequence[Exposure]) -> list[Group]:
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


def level3(exposures: Sequence[Exposure], *, discover: bool) -> list[Group]:
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
