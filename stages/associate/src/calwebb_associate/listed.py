"""Associations of the files that one lists, without pool or rules.

Level 3: one product of all files. Level 2: a product of each science file; the other files,
such as backgrounds, are members of each.
"""

import logging
import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final

from calwebb_associate import __version__
from calwebb_core.framework.association_checks import (
    check_exptype,
    check_product_name,
)
from calwebb_core.framework.association_members import member_path
from calwebb_core.framework.errors import InputError
from calwebb_core.framework.names import ASSOCIATION_TYPES, CANDIDATE_PATTERN
from calwebb_core.framework.roots import root_of

RULES: Final = {2: "DMSLevel2bBase", 3: "DMS_Level3_Base"}
DEFAULT_TYPES: Final = {2: "image2", 3: "image3"}
DEFAULT_ID: Final = "o999"
NO_PROGRAM: Final = "noprogram"

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Listed:
    """What an association of listed files is to be.

    Attributes
    ----------
    level : int
        Of its products, 2 or 3.
    asn_type : str
    product : str or None
        Name of the product of level 3.
    asn_id : str
    allow_outside : bool
        Whether members may lie outside the association's folder.
    """

    level: int
    asn_type: str
    product: str | None
    asn_id: str = DEFAULT_ID
    allow_outside: bool = False


def listed(
    *,
    level: int | None = None,
    asn_type: str | None = None,
    product: str | None = None,
    asn_id: str | None = None,
    allow_outside: bool = False,
) -> Listed:
    """Check what the user said about an association, and fill in what was left out.

    Raises
    ------
    InputError
        If type and level disagree, a type or id is unknown, or a product's name is missing or
        without use.
    """
    kind = None if asn_type is None else _known_type(asn_type)
    digit = (kind or "")[-1:]
    own = int(digit) if digit in ("2", "3") else None
    if level is not None and own not in (None, level):
        msg = f"--asn-type: {kind} is of level {own}; give it with --level {own}, or none"
        raise InputError(msg)
    level = level or own or 3
    if level == 3 and product is None:
        msg = "--product-name is missing: all files make one product of level 3; name it"
        raise InputError(msg)
    if level == 2 and product is not None:
        msg = "--product-name has no use at level 2: products are named like their exposures"
        raise InputError(msg)
    if product is not None:
        check_product_name(product, "--product-name")
    name = (asn_id or DEFAULT_ID).lower()
    if not re.fullmatch(CANDIDATE_PATTERN, name, re.ASCII):
        msg = f"--candidate: {asn_id!r} is no id; expected such as o001, c1000 or a3001"
        raise InputError(msg)
    return Listed(level, kind or DEFAULT_TYPES[level], product, name, allow_outside)


def association_of(files: Iterable[str], wanted: Listed, output: Path) -> dict[str, Any]:
    """Return the content of an association of listed files.

    Parameters
    ----------
    files : iterable of str
        Paths, each with its type behind a comma unless it is science: ``x_rate.fits,background``.
    wanted : Listed
    output : Path
        The association's file, from whose folder the members' paths start.

    Raises
    ------
    InputError
        If a type is unknown, a file lies outside the folder, or none is science.
    """
    pairs = [split_type(file) for file in files]
    members = [_member(file, exptype, wanted, output) for file, exptype in pairs]
    science = [member for member in members if member["exptype"] == "science"]
    if not science:
        msg = f"{output}: none of the {len(members)} files is science; leave out ,exptype of one"
        raise InputError(msg)
    absent = [file for file, _ in pairs if not Path(file).is_file()]
    if absent:
        log.warning("%s: %d of %d members are not there yet", output, len(absent), len(pairs))
    others = [member for member in members if member["exptype"] != "science"]
    if wanted.level == 3:
        products = [{"name": wanted.product, "members": [*science, *others]}]
    else:
        products = [
            {"name": root_of(member["expname"]), "members": [member, *others]} for member in science
        ]
    return {
        "asn_type": wanted.asn_type,
        "asn_rule": RULES[wanted.level],
        "version_id": None,
        "code_version": __version__,
        "degraded_status": "No known degraded exposures in association.",
        "program": _program([file for file, _ in pairs]),
        "constraints": "No constraints",
        "asn_id": wanted.asn_id,
        "asn_pool": "none",
        "target": "none",
        "products": products,
    }


def default_output(files: Sequence[str], wanted: Listed) -> str:
    """Return the name of the association's file when none is given."""
    if wanted.product is not None:
        return f"{wanted.product}_{wanted.asn_type}_asn.json"
    science = [file for file, exptype in map(split_type, files) if exptype == "science"]
    return f"{root_of((science or list(files))[0])}_{wanted.asn_type}_asn.json"


def split_type(text: str) -> tuple[str, str]:
    """Split ``FILE,exptype``; a file without type is science.

    Raises
    ------
    InputError
        If the type is unknown, or there is no file.
    """
    file, comma, exptype = text.rpartition(",")
    if not comma or re.search(r"[./\\]", exptype):  # a comma in the file's own name
        file, exptype = text, "science"
    if not file.strip():
        msg = f"{text!r}: names no file; expected FILE or FILE,exptype"
        raise InputError(msg)
    check_exptype(exptype, file, text)
    return file, exptype.strip().lower()


def _member(file: str, exptype: str, wanted: Listed, output: Path) -> dict[str, Any]:
    """Return a member with its path from the association's folder."""
    folder = Path(os.path.abspath(output.parent))  # noqa: PTH100 - links keep their names
    relative = os.path.relpath(os.path.abspath(file), folder)  # noqa: PTH100
    member_path(relative, folder, str(output), allow_outside=wanted.allow_outside)
    return {"expname": relative, "exptype": exptype}


def _program(files: Iterable[str]) -> str:
    """Return the program that all files belong to, by their names."""
    found = {
        match[1] if match else NO_PROGRAM
        for match in (re.match(r"jw(\d{5})", Path(file).name) for file in files)
    }
    return found.pop() if len(found) == 1 else NO_PROGRAM


def _known_type(asn_type: str) -> str:
    """Return a type of association in lower case."""
    kind = asn_type.lower()
    if kind not in ASSOCIATION_TYPES:
        close = get_close_matches(kind, ASSOCIATION_TYPES, n=1)
        advice = f"did you mean {close[0]}?" if close else f"known: {', '.join(ASSOCIATION_TYPES)}"
        msg = f"--asn-type: unknown type {asn_type!r}; {advice}"
        raise InputError(msg)
    return kind
