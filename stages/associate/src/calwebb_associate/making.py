"""Pool and associations of a run: by the rules, and of the user's own.

A user may give the pool (from an archive's query, or edited), rules, the candidates to look at,
and associations that are used as they are.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from calwebb_associate.availability import level_of, members_of
from calwebb_associate.generate import MadeAssociation, make_associations
from calwebb_associate.pipelines import PROGRAMS
from calwebb_associate.pool import Pool
from calwebb_core.framework.errors import InputError
from calwebb_core.framework.names import (
    EXPOSURE_PATTERN,
    PROGRAM_PATTERN,
    ExposureName,
    split_suffix,
)

PRODUCT: Final = re.compile(r"[a-z0-9][a-z0-9_{}.-]*", re.ASCII)
FILE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*\.json", re.ASCII)


@dataclass(frozen=True)
class Making:
    """What associations are made of a run's exposures.

    Attributes
    ----------
    pool : Path, optional
        The user's pool; made from the headers by default.
    own : tuple of Path
        The user's associations: files, or folders of `*_asn.json`.
    rules : Path, optional
        The user's rules.
    default_rules : bool
        Whether the rules of the project make associations.
    candidates : tuple of str
        The only candidates to look at; () for all.
    discover : bool
        Whether to combine over whole programs, too.
    """

    pool: Path | None = None
    own: tuple[Path, ...] = ()
    rules: Path | None = None
    default_rules: bool = True
    candidates: tuple[str, ...] = ()
    discover: bool = False


def make(pool: Pool, making: Making) -> list[MadeAssociation]:
    """Make associations by the rules: those of the project, those of the user, both or none.

    Raises
    ------
    InputError
        If the user's rules are wrong, or a candidate is none of the pool's.
    """
    from calwebb_associate.rule_files import own_rules, read_rules

    if making.rules is not None:
        rules = read_rules(making.rules, own=making.default_rules)
    elif making.default_rules:
        rules = own_rules()
    else:
        return []
    made = make_associations(
        pool,
        discover=making.discover,
        candidates=making.candidates or None,
        rules=rules,
    )
    _check_candidates(making.candidates, pool)
    return made


def own_associations(places: Iterable[Path]) -> dict[Path, MadeAssociation]:
    """Read the user's associations, as they are.

    Parameters
    ----------
    places : iterable of Path
        Files, or folders of `*_asn.json`.

    Raises
    ------
    InputError
        If one cannot be read or used in a run.
    """
    found = {path: _read(path) for place in places for path in _files(place)}
    by_name: dict[str, Path] = {}
    for path, association in found.items():
        other = by_name.setdefault(association.file_name, path)
        if other != path:
            msg = f"{path}: {other} has the same name; give associations of different names"
            raise InputError(msg)
    return found


def combined(
    made: Sequence[MadeAssociation], own: Mapping[Path, MadeAssociation]
) -> list[MadeAssociation]:
    """Return the user's associations, and of the others those that no user's one replaces.

    One of the same file name is replaced, and one that makes the same product the same way.
    """
    names = {association.file_name for association in own.values()}
    products = {_identity(association) for association in own.values()}
    kept = [
        association
        for association in made
        if association.file_name not in names and _identity(association) not in products
    ]
    return [*own.values(), *kept]


def _identity(association: MadeAssociation) -> tuple[str, str, str]:
    """Return program, product, and what kind of file it is made of."""
    first = members_of(association.content)[0]
    suffix = first.rpartition("_")[2]
    return PROGRAMS[association.asn_type], association.product, suffix


def _check_candidates(candidates: Sequence[str], pool: Pool) -> None:
    """Refuse a candidate that no exposure of the pool belongs to."""
    from calwebb_associate.pool import candidates as candidates_of

    known = {name for row in pool.exposures() for name, _ in candidates_of(row)}
    for name in candidates:
        if name not in known:
            few = ", ".join(sorted(known)[:8])
            msg = f"config: candidates: no exposure belongs to {name}; expected one of {few}"
            raise InputError(msg)


def _files(place: Path) -> list[Path]:
    """Return the associations that a file or folder stands for."""
    if place.is_dir():
        found = sorted(place.glob("*_asn.json"))
        if not found:
            msg = f"{place}: no association; expected files named *_asn.json"
            raise InputError(msg)
        return found
    if not place.is_file():
        msg = f"{place}: no such file or folder of associations"
        raise InputError(msg)
    return [place]


def _read(path: Path) -> MadeAssociation:
    """Read one association and check that a run can use it."""
    from calwebb_core.framework.association import read_association
    from calwebb_core.framework.association_json import read_json

    read_association(path, check_files=False)
    content: dict[str, Any] = read_json(path)
    asn_type = str(content.get("asn_type"))
    problem = _problem(path, content, asn_type)
    if problem:
        msg = f"{path}: {problem}"
        raise InputError(msg)
    product = content["products"][0]["name"]
    members = members_of(content)
    return MadeAssociation(
        file_name=path.name,
        program=_program(path, content, members),
        candidate=str(content.get("asn_id") or ""),
        rule=str(content.get("asn_rule") or ""),
        asn_type=asn_type,
        level=level_of(asn_type),
        product=product,
        members=members,
        content=content,
    )


def _problem(path: Path, content: Mapping[str, Any], asn_type: str) -> str:
    """Return why a run cannot use an association, or nothing."""
    products = content["products"]
    product = products[0]["name"]
    outside = [name for name in members_of(content) if Path(name).name != name]
    if asn_type not in PROGRAMS:
        return f"asn_type is {asn_type!r}; expected one of {', '.join(PROGRAMS)}"
    if len(products) != 1:
        return f"has {len(products)} products; expected 1: a job makes one product"
    if not FILE.fullmatch(path.name):
        return "is not named as an association; expected letters, digits, _ . - and .json"
    if not PRODUCT.fullmatch(product):
        return f"product {product!r} is no name of a file; expected small letters, digits, _ . -"
    if level_of(asn_type) == 3 and re.fullmatch(EXPOSURE_PATTERN, product, re.ASCII):
        return f"product {product} is named as an exposure; expected another name"
    if outside:
        return f"member {outside[0]} is in a folder; expected the name of a product of this run"
    return ""


def _program(path: Path, content: Mapping[str, Any], members: Sequence[str]) -> str:
    """Return the program whose folder the products go to: that of the first exposure."""
    for name in members:
        try:
            return ExposureName.parse(split_suffix(name)[0]).program
        except InputError:
            continue
    program = str(content.get("program") or "").zfill(5)
    if re.fullmatch(PROGRAM_PATTERN, program, re.ASCII):
        return program
    msg = f"{path}: no member is an exposure, and program is {content.get('program')!r}"
    raise InputError(msg)
