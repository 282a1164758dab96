"""The text of association files: JSON, in the order of the documents."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from calwebb_core.framework.association_checks import FIELDS, MEMBER_FIELDS, validate
from calwebb_core.framework.errors import InputError
from calwebb_core.framework.json_reading import UnfitJsonError, parse_json
from calwebb_core.framework.plain_files import read_text

YAML: Final = (".yaml", ".yml")


def write_association(content: Mapping[str, Any], path: str | os.PathLike[str]) -> None:
    """Check an association and write it with its fields in the documents' order.

    Raises
    ------
    InputError
        As `validate`.
    """
    from calwebb_core.framework.atomic import write_text

    write_text(Path(path), association_text(content, str(path)))


def association_text(content: Mapping[str, Any], source: str) -> str:
    """Return the JSON text of an association; the same content gives the same text.

    Raises
    ------
    InputError
        As `validate`; the message names `source`.
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


def read_json(path: Path) -> Any:
    """Read a JSON file; objects may not hold a key twice, and a byte-order mark may precede.

    Raises
    ------
    InputError
        If it cannot be read or is not JSON, with what is probably wrong.
    """
    if path.suffix.lower() in YAML:
        msg = f"{path}: is YAML; associations are JSON: write it as such, in a file named .json"
        raise InputError(msg)
    try:
        text = read_text(path, "utf-8-sig")
    except OSError as error:
        msg = f"{path}: cannot be read: {error.strerror}"
        raise InputError(msg) from error
    except UnicodeDecodeError as error:
        msg = f"{path}: is not an association: expected JSON text in UTF-8"
        raise InputError(msg) from error
    try:
        return parse_json(text)
    except json.JSONDecodeError as error:
        msg = (
            f"{path}: is not JSON: {error.msg} in line {error.lineno}, column {error.colno}; "
            f"{_advice(text, error.pos)}"
        )
        raise InputError(msg) from error
    except UnfitJsonError as error:
        msg = f"{path}: is no association: {error}"
        raise InputError(msg) from error


def _advice(text: str, position: int) -> str:
    """Say what is probably wrong with JSON text at a position."""
    before = text[:position].rstrip()
    if before.endswith(",") and text[position:].lstrip()[:1] in ("]", "}"):
        return "take out the comma after the last entry"
    if not before and text[:1] not in ("{", "["):
        return "associations begin with {; YAML is not read"
    return "look for a comma, quote or bracket that is missing before it"


def _in_order(mapping: Mapping[str, Any], first: tuple[str, ...]) -> dict[str, Any]:
    """Return a mapping with some keys first and the others by name."""
    rest = sorted(key for key in mapping if key not in first)
    return {key: mapping[key] for key in (*first, *rest) if key in mapping}
