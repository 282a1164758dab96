"""Associations: which exposures make which product, read from and written to JSON.

Whatever people edited, or other generators wrote, is read: with keys that we do not know or
without those that nothing depends on, with several products, members in folders below, types in
capitals. What a program could only misread is refused (`association_checks`), and so are members
elsewhere than in the association's folder (`association_members`).
"""

import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Unpack

from calwebb_core.framework.association_checks import (
    EXPTYPES,
    FIELDS,
    MEMBER_FIELDS,
    PLACEHOLDERS,
    exptype_of,
    text_of,
    validate,
)
from calwebb_core.framework.association_json import (
    YAML,
    association_text,
    read_json,
    write_association,
)
from calwebb_core.framework.association_members import MemberOptions, member_path
from calwebb_core.framework.errors import InputError
from calwebb_core.framework.roots import root_of

__all__ = [
    "EXPTYPES",
    "FIELDS",
    "MEMBER_FIELDS",
    "Association",
    "AssociationProduct",
    "Member",
    "MemberOptions",
    "association_text",
    "is_association",
    "read_association",
    "validate",
    "write_association",
]


@dataclass(frozen=True)
class Member:
    """One file of a product.

    Attributes
    ----------
    path : Path
        Where the file is.
    exptype : str
        Its part in the product, one of `EXPTYPES`.
    raw : dict
        The member as it stands in the file.
    """

    path: Path
    exptype: str
    raw: dict[str, Any]


@dataclass(frozen=True)
class AssociationProduct:
    """A product's name and the files it is made of, in the association's order.

    The name may leave `PLACEHOLDERS` open, such as ``{source_id}``.
    """

    name: str
    members: tuple[Member, ...]

    def of_type(self, exptype: str) -> tuple[Member, ...]:
        """Return the members of one type, such as "science"."""
        return tuple(member for member in self.members if member.exptype == exptype)

    def not_of(self, exptypes: Collection[str]) -> dict[str, int]:
        """Return how many members there are of each other type, in the association's order."""
        counts: dict[str, int] = {}
        for member in self.members:
            if member.exptype not in exptypes:
                counts[member.exptype] = counts.get(member.exptype, 0) + 1
        return counts

    def named(self, source: str, **values: str) -> str:
        """Return the name with its placeholders filled in.

        Parameters
        ----------
        source : str
            The association, for messages.
        **values
            `source_id`, such as "s000000012", `slit_name`, where the data tell, and `suffix`,
            which wavefront sensing has in the middle of a name.

        Raises
        ------
        InputError
            If the name has a placeholder without value.
        """
        name = self.name
        for word, value in values.items():
            name = name.replace(f"{{{word}}}", value.lower())
        for word in PLACEHOLDERS:
            if f"{{{word}}}" in name:
                msg = (
                    f"{source}: product name {self.name} leaves {{{word}}} open, but this program "
                    f"makes one product of all sources; expected a name without {{{word}}}"
                )
                raise InputError(msg)
        return name


@dataclass(frozen=True)
class Association:
    """An association as read; text fields that the file lacks are empty."""

    path: Path
    asn_type: str
    asn_rule: str
    asn_id: str
    program: str
    target: str
    pool: str
    products: tuple[AssociationProduct, ...]

    @property
    def level(self) -> int | None:
        """The level of its products, 2 or 3, as its type says; None if it does not."""
        digit = self.asn_type[-1:]
        return int(digit) if digit in ("2", "3") else None

    def only_product(self, program: str, level: int) -> AssociationProduct:
        """Return the one product that a program makes.

        Raises
        ------
        InputError
            If there are several, or the association is of another level.
        """
        if self.level not in (None, level):
            msg = (
                f"{self.path}: asn_type is {self.asn_type}; {program} takes associations of level "
                f"{level}, whose types end with {level}: use the program for {self.asn_type}"
            )
            raise InputError(msg)
        if len(self.products) != 1:
            msg = (
                f"{self.path}: the association has {len(self.products)} products; expected 1 a "
                f"run of {program}: choose one of them with --product"
            )
            raise InputError(msg)
        return self.products[0]

    def one_exposure(self, program: str) -> tuple[AssociationProduct, Path]:
        """Return the one product of an association of level 2 and its science exposure.

        Raises
        ------
        InputError
            If it is not of level 2, has several products, not exactly one science member, or a
            product that is named otherwise than its exposure.
        """
        product = self.only_product(program, level=2)
        science = product.of_type("science")
        if len(science) != 1:
            msg = (
                f"{self.path}: product {product.name} has {len(science)} science members; "
                "expected 1"
            )
            raise InputError(msg)
        member = science[0].path
        root = root_of(member)
        if product.name != root:
            msg = (
                f"{self.path}: product {product.name} is made of {member.name}; expected "
                f"product {root}: stage 2 products are named like their exposure"
            )
            raise InputError(msg)
        return product, member


def is_association(path: str | os.PathLike[str]) -> bool:
    """Tell by its name whether a file is meant as an association."""
    return Path(path).suffix.lower() in (".json", *YAML)


def read_association(
    path: str | os.PathLike[str],
    *,
    check_files: bool = True,
    **options: Unpack[MemberOptions],
) -> Association:
    """Read an association file and check it.

    Parameters
    ----------
    path : path
        JSON file.
    check_files : bool
        Whether the members have to be there.
    **options
        `input_dir`, `allow_outside` and `product`, see `MemberOptions`.

    Raises
    ------
    InputError
        If it is unreadable, has no product of that name, is not as `validate` wants it, has
        a member outside the folder, or one that is missing.
    """
    path = Path(path)
    content = read_json(path)
    validate(content, str(path))
    folder = Path(options.get("input_dir") or path.parent)
    outside = options.get("allow_outside", False)
    products = tuple(
        _read_product(path, product, folder, allow_outside=outside)
        for product in _chosen(path, content["products"], options.get("product"))
    )
    if check_files:
        _check_files(path, products)
    text = {field: text_of(content.get(field)) for field in FIELDS}
    return Association(
        path=path,
        asn_type=text["asn_type"].lower(),
        asn_rule=text["asn_rule"],
        asn_id=text["asn_id"],
        program=text["program"],
        target=text["target"],
        pool=text["asn_pool"],
        products=products,
    )


def _chosen(
    path: Path, products: list[Mapping[str, Any]], name: str | None
) -> list[Mapping[str, Any]]:
    """Return the product of a name, or all of them."""
    if name is None:
        return products
    chosen = [product for product in products if _name_of(product) == name]
    if not chosen:
        names = [_name_of(product) for product in products]
        more = f" and {len(names) - 3} more" if names[3:] else ""
        msg = f"{path}: has no product {name}; it has {', '.join(names[:3])}{more}"
        raise InputError(msg)
    return chosen


def _name_of(product: Mapping[str, Any]) -> str:
    """Return a product's name; without one, that of its one science exposure."""
    from calwebb_core.framework.roots import root_of

    if product.get("name") is not None:
        return str(product["name"])
    science = next(m["expname"] for m in product["members"] if exptype_of(m) == "science")
    return root_of(science)


def _read_product(
    path: Path, product: Mapping[str, Any], folder: Path, *, allow_outside: bool
) -> AssociationProduct:
    """Find the files of a product."""
    members = tuple(
        Member(
            member_path(raw["expname"], folder, str(path), allow_outside=allow_outside),
            exptype_of(raw),
            dict(raw),
        )
        for raw in product["members"]
    )
    return AssociationProduct(_name_of(product), members)


def _check_files(path: Path, products: tuple[AssociationProduct, ...]) -> None:
    """Name the first missing member and count the others; refuse two names of one file."""
    files = {member.path: None for product in products for member in product.members}
    missing = [file for file in files if not _is_there(file)]
    if missing:
        more = f" and {len(missing) - 1} more of {len(files)} members" if missing[1:] else ""
        msg = (
            f"{path}: member {missing[0]}{more} not found; put the members beside the "
            "association or name their folder"
        )
        raise InputError(msg)
    for product in products:
        seen: dict[str, Path] = {}
        for member in product.members:
            other = seen.setdefault(os.path.realpath(member.path), member.path)
            if other != member.path:
                msg = (
                    f"{path}: members {other} and {member.path} of product {product.name} are the "
                    "same file; expected it once, as it would count twice"
                )
                raise InputError(msg)


def _is_there(file: Path) -> bool:
    """Tell whether a file is there; it is not if its name is too long or its folder closed."""
    try:
        return file.is_file()
    except OSError:
        return False
