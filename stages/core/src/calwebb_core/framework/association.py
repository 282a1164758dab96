"""Associations: which exposures make which product, read from and written to JSON.

A member's path is relative to the association's folder (or to another folder one names) and
stays inside it, so that an association from elsewhere reads nothing it shouldn't. A member
that is listed twice would count twice, and one with an unknown type would be ignored: both
are refused.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final

from calwebb_core.framework.errors import InputError

EXPTYPES: Final = (
    "science",
    "background",
    "imprint",
    "psf",
    "sourcecat",
    "segmap",
    "direct_image",
    "target_acquisition",
    "selfcal",
    "dark",
    "flat",
    "engineering",
    "autoflat",
    "autowave",
)
FIELDS: Final = (
    "asn_type",
    "asn_rule",
    "version_id",
    "code_version",
    "degraded_status",
    "program",
    "constraints",
    "asn_id",
    "asn_pool",
    "target",
    "products",
)
MEMBER_FIELDS: Final = ("expname", "exptype", "exposerr", "asn_candidate")

_TEXT: Final = {"type": ["string", "null"]}
SCHEMA: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["products"],
    "properties": {
        **dict.fromkeys(FIELDS, _TEXT),
        "degraded_status": {},
        "constraints": {},
        "products": {
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "object",
                "required": ["name", "members"],
                "properties": {
                    "name": {"type": "string", "minLength": 1},
                    "members": {
                        "type": "array",
                        "minItems": 1,
                        "items": {
                            "type": "object",
                            "required": ["expname", "exptype"],
                            "properties": {
                                "expname": {"type": "string", "minLength": 1},
                                "exptype": {"type": "string", "minLength": 1},
                            },
                        },
                    },
                },
            },
        },
    },
}


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
    """A product's name and the files it is made of, in the association's order."""

    name: str
    members: tuple[Member, ...]

    def of_type(self, exptype: str) -> tuple[Member, ...]:
        """Return the members of one type, such as "science"."""
        return tuple(member for member in self.members if member.exptype == exptype)


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


def read_association(
    path: str | os.PathLike[str],
    *,
    input_dir: str | os.PathLike[str] | None = None,
    allow_outside: bool = False,
    check_files: bool = True,
) -> Association:
    """Read an association file and check it.

    Parameters
    ----------
    path : path
        JSON file.
    input_dir : path, optional
        Folder that the members' paths start from; the association's own by default.
    allow_outside : bool
        Whether members may lie outside that folder.
    check_files : bool
        Whether the members have to be there.

    Raises
    ------
    InputError
        If it is unreadable, doesn't follow the schema, is empty, has an unknown type of
        member, a member twice, one outside the folder, or one that is missing.
    """
    path = Path(path)
    content = _read_json(path)
    validate(content, str(path))
    folder = path.parent if input_dir is None else Path(input_dir)
    products = tuple(
        _read_product(path, product, folder, allow_outside) for product in content["products"]
    )
    if check_files:
        _check_files(path, products)
    text = {field: content.get(field) or "" for field in FIELDS}
    return Association(
        path=path,
        asn_type=text["asn_type"],
        asn_rule=text["asn_rule"],
        asn_id=text["asn_id"],
        program=text["program"],
        target=text["target"],
        pool=text["asn_pool"],
        products=products,
    )


def write_association(content: Mapping[str, Any], path: str | os.PathLike[str]) -> None:
    """Check an association and write it with its fields in the documents' order.

    Raises
    ------
    InputError
        If it breaks the schema, or has an unknown type of member or a member twice.
    """
    from calwebb_core.framework.atomic import write_text

    write_text(Path(path), association_text(content, str(path)))


def association_text(content: Mapping[str, Any], source: str) -> str:
    """Return the JSON text of an association; the same content gives the same text.

    Raises
    ------
    InputError
        As `write_association`; the message names `source`.
    """
    validate(content, source)
    ordered = _in_order(content, FIELDS)
    ordered["products"] = [
        {
            **_in_order(product, ("name",)),
            "members": [_in_order(member, MEMBER_FIELDS) for member in product["members"]],
        }
        for product in content["products"]
    ]
    return json.dumps(ordered, indent=4, ensure_ascii=False) + "\n"


def validate(content: Any, source: str) -> None:
    """Check an association's content, whatever folder its members are in.

    Raises
    ------
    InputError
        If it breaks the schema, or has an unknown type of member or a member twice.
    """
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import best_match

    error = best_match(Draft202012Validator(SCHEMA).iter_errors(content))
    if error is not None:
        msg = f"{source}: {_place(error.absolute_path)}{_say(error)}"
        raise InputError(msg)
    names: set[str] = set()
    for product in content["products"]:
        if product["name"] in names:
            msg = f"{source}: product {product['name']} is listed twice; name it once"
            raise InputError(msg)
        names.add(product["name"])
        _check_members(product, source)


def _check_members(product: Mapping[str, Any], source: str) -> None:
    """Refuse unknown types and files that would count twice."""
    seen: dict[str, str] = {}
    for member in product["members"]:
        file, exptype = os.path.normpath(member["expname"]), member["exptype"]
        if exptype not in EXPTYPES:
            close = get_close_matches(exptype.lower(), EXPTYPES, n=1)
            advice = f"did you mean {close[0]}?" if close else f"known: {', '.join(EXPTYPES)}"
            msg = f"{source}: member {file} has the unknown exptype {exptype!r}; {advice}"
            raise InputError(msg)
        if exptype == "selfcal":
            continue
        if file in seen:
            msg = (
                f"{source}: member {file} of product {product['name']} is listed twice, as "
                f"{seen[file]} and {exptype}; expected once, as it would count twice"
            )
            raise InputError(msg)
        seen[file] = exptype


def _read_json(path: Path) -> Any:
    """Read a JSON file; objects may not hold a key twice."""
    try:
        return json.loads(path.read_text(encoding="utf-8"), object_pairs_hook=_unique)
    except OSError as error:
        msg = f"{path}: cannot be read: {error.strerror}"
        raise InputError(msg) from error
    except UnicodeDecodeError as error:
        msg = f"{path}: is not an association: expected JSON text in UTF-8"
        raise InputError(msg) from error
    except json.JSONDecodeError as error:
        msg = f"{path}: is not JSON: {error.msg} in line {error.lineno}, column {error.colno}"
        raise InputError(msg) from error
    except KeyError as error:
        msg = f"{path}: key {error} is there twice; expected once"
        raise InputError(msg) from error


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Make a dictionary of the pairs of a JSON object."""
    result: dict[str, Any] = {}
    for key, value in pairs:
        if key in result:
            raise KeyError(key)
        result[key] = value
    return result


def _read_product(
    path: Path, product: Mapping[str, Any], folder: Path, allow_outside: bool
) -> AssociationProduct:
    """Find the files of a product."""
    members = []
    for raw in product["members"]:
        relative = os.path.normpath(raw["expname"])
        outside = relative == ".." or relative.startswith(f"..{os.sep}")
        if (outside or Path(relative).is_absolute()) and not allow_outside:
            msg = (
                f"{path}: member {raw['expname']} lies outside {folder}; expected a file in it "
                "or below it"
            )
            raise InputError(msg)
        members.append(Member(folder / relative, raw["exptype"], dict(raw)))
    return AssociationProduct(product["name"], tuple(members))


def _check_files(path: Path, products: tuple[AssociationProduct, ...]) -> None:
    """Name the first missing member and count the others."""
    files = {member.path: None for product in products for member in product.members}
    missing = [file for file in files if not file.is_file()]
    if missing:
        more = f" and {len(missing) - 1} more of {len(files)} members" if missing[1:] else ""
        msg = (
            f"{path}: member {missing[0]}{more} not found; put the members beside the "
            "association or name their folder"
        )
        raise InputError(msg)


def _in_order(mapping: Mapping[str, Any], first: tuple[str, ...]) -> dict[str, Any]:
    """Return a mapping with some keys first and the others by name."""
    rest = sorted(key for key in mapping if key not in first)
    return {key: mapping[key] for key in (*first, *rest) if key in mapping}


def _place(path: Any) -> str:
    """Say where in the file something is: "products[0].members[2].exptype "."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}"
    return f"{text.lstrip('.')} " if text else ""


def _say(error: Any) -> str:
    """Say what the schema has against a value."""
    if error.validator == "required":
        missing = sorted(set(error.validator_value) - set(error.instance))
        return f"has no {' and no '.join(missing)}; expected {', '.join(error.validator_value)}"
    if error.validator in ("minItems", "minLength"):
        return "is empty; expected at least one entry"
    kind = error.validator_value
    kinds = " or ".join(kind) if isinstance(kind, list) else kind
    return f"is {error.instance!r:.60}; expected: {kinds}"
