"""The rules of associations as data: which exposures a rule takes, joins, and names.

`rule_files` reads them; what the words mean stands in docs/associations.md.
"""

from dataclasses import dataclass
from typing import Final

from calwebb_associate.conditions import Exposure

# Values that a rule computes from an exposure rather than reads from a column.
TARGET: Final = "target"
SLIT: Final = "slit"
SLIT_READ: Final = "slit read"
# Words that a rule's `choose` and `finish` may be.
CHOICES: Final = ("apart", "imprints", "imprints of the nods")
FINISHES: Final = ("catalogs", "extracted nods")


@dataclass(frozen=True)
class Column:
    """A value in which members agree: the first of some columns that has one.

    Attributes
    ----------
    names : tuple of str
    required : bool
        Whether an exposure without it is left out; else having none is a value like others.
    """

    names: tuple[str, ...]
    required: bool

    @classmethod
    def parse(cls, text: str) -> "Column":
        """Read "filter|band" (required) or "pupil|grating?" (may be missing)."""
        return cls(tuple(text.removesuffix("?").split("|")), not text.endswith("?"))

    @property
    def name(self) -> str:
        """Return what it is called in a rule."""
        return "|".join(self.names)


@dataclass(frozen=True)
class Selection:
    """Which exposures a rule takes: all of its parts hold.

    Attributes
    ----------
    exp_types, roles, conditions, not_conditions : frozenset of str
        Empty: any.
    where, where_not : tuple of (column, words)
        Values of columns that an exposure has, or has not; "" among the words: no value.
    never : tuple of Selection
        None of these holds.
    """

    exp_types: frozenset[str] = frozenset()
    roles: frozenset[str] = frozenset()
    conditions: frozenset[str] = frozenset()
    not_conditions: frozenset[str] = frozenset()
    where: tuple[tuple[str, frozenset[str]], ...] = ()
    where_not: tuple[tuple[str, frozenset[str]], ...] = ()
    never: tuple["Selection", ...] = ()

    def fits(self, exposure: Exposure) -> bool:
        """Tell whether it takes an exposure."""
        return (
            (not self.exp_types or exposure.exp_type in self.exp_types)
            and (not self.roles or exposure.role in self.roles)
            and all(map(exposure.meets, self.conditions))
            and not any(map(exposure.meets, self.not_conditions))
            and all(exposure.first(column) in words for column, words in self.where)
            and not any(exposure.first(column) in words for column, words in self.where_not)
            and not any(selection.fits(exposure) for selection in self.never)
        )


@dataclass(frozen=True)
class Join:
    """Exposures that are added to a product.

    Attributes
    ----------
    selection : Selection
    agree : tuple of Column
        In what they agree with the product's first exposure.
    differ : str
        Column in which they differ from it, "" for none.
    part : str
        The part they play, "" for their own.
    choose : str
        How to choose among them: one of `CHOICES`, or "" for all.
    """

    selection: Selection
    agree: tuple[Column, ...]
    differ: str
    part: str
    choose: str


@dataclass(frozen=True)
class Rule:
    """One rule.

    Attributes
    ----------
    name : str
    makes : str
        Kind of association: image2, spec3, ...
    level : int
        2: a product of each exposure taken; 3: of each group that agrees.
    sentence : str
        What it does.
    takes : tuple of Selection
        An exposure is taken if any of them fits.
    agree : tuple of Column
    joins : tuple of Join
    part : str
        The part of the exposures taken, "" for their own.
    candidates, not_candidates : frozenset of str
        Kinds of candidate it is for (empty: all its level is for), and is not for.
    needs : frozenset of str
        Parts that a product must have besides science.
    least : int
        Exposures that a product takes at least.
    elements : tuple of tuple of str
        Columns of the optical elements in the product's name.
    product : str
        Form of the product's name.
    finish : str
        What is done to the members at last: one of `FINISHES`, or "".
    integrations : bool
        Whether members may be products by integration; else never.
    """

    name: str
    makes: str
    level: int
    sentence: str
    takes: tuple[Selection, ...]
    agree: tuple[Column, ...]
    joins: tuple[Join, ...]
    part: str
    candidates: frozenset[str]
    not_candidates: frozenset[str]
    needs: frozenset[str]
    least: int
    elements: tuple[tuple[str, ...], ...]
    product: str
    finish: str
    integrations: bool

    def fits(self, exposure: Exposure) -> bool:
        """Tell whether it takes an exposure."""
        return any(selection.fits(exposure) for selection in self.takes)
