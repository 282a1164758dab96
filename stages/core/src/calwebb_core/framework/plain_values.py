"""What a plain ASDF tree is made of: values that know their tags, and tables."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from numpy.typing import NDArray

STANDARD_TAG = "tag:stsci.edu:asdf/"
KIND = re.compile(r"^tag:[^:]+:(?:asdf/|astropy/)?(.*?)(?:-\d+\.\d+\.\d+)?$")


class UnknownContentError(Exception):
    """The file holds something that only the asdf library can read."""


class DamagedError(Exception):
    """The file isn't what its format says."""


class Tagged(dict[str, Any]):
    """A mapping with its YAML tag."""

    def __init__(self, tag: str, values: Any = ()) -> None:
        super().__init__(values)
        self.tag = tag

    @property
    def kind(self) -> str:
        """The tag without authority and version, as ``transform/shift``."""
        return kind_of(self.tag)


class TaggedList(list[Any]):
    """A sequence with its YAML tag."""

    def __init__(self, tag: str, values: Any = ()) -> None:
        super().__init__(values)
        self.tag = tag


class TaggedText(str):
    """A text with its YAML tag, as a unit."""

    tag: str

    def __new__(cls, tag: str, value: str) -> "TaggedText":
        """Make a text that knows its tag."""
        self = super().__new__(cls, value)
        self.tag = tag
        return self


class PlainTable:
    """A table of columns by name; iterating yields its rows as dicts of plain values."""

    def __init__(self, columns: Mapping[str, NDArray[Any]]) -> None:
        self.columns = dict(columns)

    @property
    def colnames(self) -> list[str]:
        """Names of the columns, in order."""
        return list(self.columns)

    def __len__(self) -> int:
        return len(next(iter(self.columns.values()), ()))

    def __getitem__(self, name: str) -> NDArray[Any]:
        return self.columns[name]

    def __iter__(self) -> Iterator[dict[str, Any]]:
        for values in zip(*(column.tolist() for column in self.columns.values()), strict=True):
            yield dict(zip(self.columns, values, strict=True))


def kind_of(tag: str) -> str:
    """Return a tag without authority and version."""
    match = KIND.match(tag)
    return match.group(1) if match else tag


def mapping_of(value: Any) -> Mapping[str, Any]:
    """Return a mapping; an empty one in the place of anything else."""
    return value if isinstance(value, Mapping) else {}
