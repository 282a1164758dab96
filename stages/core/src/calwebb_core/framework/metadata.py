"""The keywords of one product, whatever HDU they live in."""

from collections.abc import Iterator, MutableMapping
from copy import deepcopy
from typing import Any, TypeVar

from calwebb_core.framework.errors import InputError

T = TypeVar("T", str, int, float, bool)
# Where a product's ASDF extension, or a catalog's head, has what this pipeline records of itself.
PROVENANCE = "calwebb_flow"


class Metadata(MutableMapping[str, Any]):
    """Keywords of a product, in order; names are upper case FITS keywords.

    Steps read and write keywords here and need not know in which HDU a keyword is stored:
    the product writer decides that from its keyword table, and for keywords it does not know
    from the HDU they were read from (`homes`).

    Parameters
    ----------
    values : mapping, optional
        Keywords to start from.
    source : str
        The file they come from, for messages.

    Attributes
    ----------
    homes : dict
        HDU that a keyword was read from, PRIMARY or SCI.
    comments : dict
        Comment of a keyword's card, where it had one.
    history, remarks : list of str
        HISTORY and COMMENT of the file.
    provenance : dict
        How the product was made: what the runner recorded, as plain JSON values. It is stored
        in the ASDF extension.
    """

    def __init__(self, values: Any = (), source: str = "") -> None:
        self._values: dict[str, Any] = {}
        self.source = source
        self.homes: dict[str, str] = {}
        self.comments: dict[str, str] = {}
        self.history: list[str] = []
        self.remarks: list[str] = []
        self.provenance: dict[str, Any] = {}
        for keyword, value in dict(values).items():
            self[keyword] = value

    def __getitem__(self, keyword: str) -> Any:
        return self._values[keyword.upper()]

    def __setitem__(self, keyword: str, value: Any) -> None:
        self._values[keyword.upper()] = value

    def __delitem__(self, keyword: str) -> None:
        del self._values[keyword.upper()]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return f"Metadata({self.source!r}, {len(self)} keywords)"

    def copy(self) -> "Metadata":
        """Return an independent copy with the same source, homes, comments, history, provenance."""
        other = Metadata(self._values, self.source)
        other.homes = dict(self.homes)
        other.comments = dict(self.comments)
        other.history = list(self.history)
        other.remarks = list(self.remarks)
        other.provenance = deepcopy(self.provenance)
        return other

    def require(self, keyword: str, kind: type[T]) -> T:
        """Return a keyword's value as `kind`, or explain what is wrong with it.

        Raises
        ------
        InputError
            If the keyword is absent, empty or of another type.
        """
        value = self._values.get(keyword.upper())
        if value is None or value == "":
            msg = f"{self.source}: keyword {keyword} is missing; expected a {kind.__name__}"
            raise InputError(msg)
        if kind is float and isinstance(value, int) and not isinstance(value, bool):
            return kind(value)
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            msg = f"{self.source}: keyword {keyword} is {value!r}; expected a {kind.__name__}"
            raise InputError(msg)
        return value

    def optional(self, keyword: str, kind: type[T]) -> T | None:
        """Return a keyword's value as `kind`, None where it is absent or empty.

        Raises
        ------
        InputError
            If it is of another type.
        """
        if self._values.get(keyword.upper()) in (None, ""):
            return None
        return self.require(keyword, kind)
