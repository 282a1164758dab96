"""Associations as sets: what two generators agree on, whatever they call their files.

An association is its type, its product's name, and its members with the parts they play. File
names differ between any two generators (they are numbered), and so do descriptive fields.
"""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, order=True)
class Key:
    """What makes two associations the same: type, product, (file, part) of each member."""

    asn_type: str
    product: str
    members: frozenset[tuple[str, str]]


Rules = Mapping[Key, str]


def keys_of(content: Mapping[str, Any]) -> list[tuple[Key, str]]:
    """Return the key and the rule of each product of an association.

    Parameters
    ----------
    content : what its JSON file holds
    """
    rule = str(content.get("asn_rule", "")).rpartition("candidate_")[2].rpartition("discover_")[2]
    return [
        (
            Key(
                content["asn_type"],
                product["name"],
                frozenset((member["expname"], member["exptype"]) for member in product["members"]),
            ),
            rule,
        )
        for product in content["products"]
    ]


def of_contents(contents: Iterable[Mapping[str, Any]]) -> dict[Key, str]:
    """Return the rules of associations by what they are."""
    return {key: rule for content in contents for key, rule in keys_of(content)}


def of_folder(folder: Path) -> dict[Key, str]:
    """Return the rules of the associations in a folder by what they are."""
    return of_contents(json.loads(path.read_text()) for path in sorted(folder.glob("*.json")))


def ours_of(pool: Path) -> dict[Key, str]:
    """Make the associations of a pool as the official generator does without options."""
    from calwebb_associate.generate import make_associations
    from calwebb_associate.pool import read_pool

    made = make_associations(read_pool(pool), discover=True)
    return of_contents(association.content for association in made)


@dataclass(frozen=True)
class Comparison:
    """Ours and theirs of one pool."""

    name: str
    ours: Rules
    theirs: Rules

    @property
    def common(self) -> set[Key]:
        """What both have."""
        return set(self.ours) & set(self.theirs)

    @property
    def only_ours(self) -> list[Key]:
        """What only we have, in order."""
        return _sorted(set(self.ours) - set(self.theirs))

    @property
    def only_theirs(self) -> list[Key]:
        """What only they have, in order."""
        return _sorted(set(self.theirs) - set(self.ours))

    @property
    def found(self) -> float:
        """Percentage of theirs that we have, too."""
        return 100.0 * len(self.common) / len(self.theirs) if self.theirs else 100.0

    def rules_missing(self) -> Counter[str]:
        """Count what we lack, by their rule."""
        return Counter(self.theirs[key] for key in self.only_theirs)


def _sorted(keys: Iterable[Key]) -> list[Key]:
    return sorted(keys, key=lambda key: (key.product, key.asn_type, sorted(key.members)))
