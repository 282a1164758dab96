"""What is known of an exposure besides its own file: the members of its association."""

from collections.abc import Mapping
from typing import Any

from calwebb_core.framework.metadata import Metadata


class TargetMetadata(Metadata):
    """Keywords of an exposure, and how many members of each type its association has."""

    def __init__(self, values: Any = (), source: str = "") -> None:
        super().__init__(values, source)
        self.members: Mapping[str, int] = {}

    @classmethod
    def of(cls, metadata: Metadata, members: Mapping[str, int]) -> "TargetMetadata":
        """Return the same keywords with those members."""
        result = cls()
        result.__dict__.update(metadata.__dict__)
        result.members = dict(members)
        return result

    def copy(self) -> "TargetMetadata":
        """Return an independent copy, members included."""
        return self.of(super().copy(), self.members)


def number_of_members(metadata: Metadata, exptype: str) -> int:
    """Return how many members of a type, such as "background", an exposure's association has."""
    return metadata.members.get(exptype, 0) if isinstance(metadata, TargetMetadata) else 0
