"""Associations that say the same, of which one is kept.

Candidates overlap: an observation may be all of a mosaic, and an exposure is calibrated with
the observation alone and with the background of another candidate.
"""

from collections import defaultdict
from collections.abc import Collection, Hashable, Iterable
from typing import Final, Protocol, TypeVar

CATALOG: Final = "sourcecat"
MOSAIC: Final = "image3"


class Comparable(Protocol):
    """What is compared of an association."""

    @property
    def candidate(self) -> str:
        """Id of its candidate."""

    @property
    def asn_type(self) -> str:
        """Kind of its product: image3, ..."""

    @property
    def level(self) -> int:
        """2 or 3."""

    @property
    def product(self) -> str:
        """Name of its product."""

    @property
    def members(self) -> tuple[str, ...]:
        """Files of its members, the product's own exposure first."""

    @property
    def membership(self) -> frozenset[tuple[str, str]]:
        """File and part of each member."""


Kind = TypeVar("Kind", bound=Comparable)


def without_duplicates(associations: Iterable[Kind]) -> list[Kind]:
    """Return associations without those that another one makes superfluous.

    Of those of one type with the same members the one of the observation stays rather than that
    of a wider candidate, else that of the last candidate, and of the later (more special) rule;
    of those with the same product the one that has all members of the other. One exposure makes
    one product: backgrounds that the observer asked for come before nods. A mosaic whose catalog
    a spectrum names stays in any case.
    """
    by_level: dict[int, list[Kind]] = defaultdict(list)
    for association in associations:
        by_level[association.level].append(association)
    exposures = _one_of_an_exposure(_without_smaller(_without_same_members(by_level[2])))
    named = {
        name.rpartition("_")[0]
        for exposure in exposures
        for name, part in exposure.membership
        if part == CATALOG
    }
    return exposures + _without_smaller(_without_same_members(by_level[3], named))


def _without_same_members(
    associations: Collection[Kind], named: Collection[str] = frozenset()
) -> list[Kind]:
    """Keep one of those with the same members, and mosaics that are named elsewhere."""
    kept: dict[Hashable, Kind] = {}
    for association in associations:
        key = (association.asn_type, association.membership)
        other = kept.get(key)
        if other is None or association.candidate >= other.candidate:
            kept[key] = association
    there = {one.product for one in kept.values() if one.asn_type == MOSAIC}
    mosaics = [one for one in associations if one.asn_type == MOSAIC]
    more = {one.product: one for one in mosaics if one.product in set(named) - there}
    return [*kept.values(), *more.values()]


def _without_smaller(associations: list[Kind]) -> list[Kind]:
    """Drop those whose members are all in another one for the same product."""
    by_product: dict[Hashable, list[Kind]] = defaultdict(list)
    for association in associations:
        by_product[association.level, association.product].append(association)
    return [
        one
        for one in associations
        if not any(
            one.membership < other.membership for other in by_product[one.level, one.product]
        )
    ]


def _one_of_an_exposure(associations: list[Kind]) -> list[Kind]:
    """Keep one of those that make the same product of the same exposure."""
    kept: dict[Hashable, Kind] = {}
    for association in associations:
        key = (association.product, association.members[0])
        other = kept.get(key)
        if other is None or _preference(association) > _preference(other):
            kept[key] = association
    return list(kept.values())


def _preference(association: Comparable) -> tuple[bool, int, str, list[tuple[str, str]]]:
    """Return what decides between two associations of one exposure; the greater stays."""
    parts = {part for _, part in association.membership}
    asked_for = association.candidate.startswith("c") and "background" in parts
    return (
        asked_for,
        len(association.membership),
        association.candidate,
        sorted(association.membership),
    )
