"""What an association's content has to be, and the one sentence that says where it is not.

Only `products` with their `members` are needed, as in the documents' schemas. Other keys may be
absent, and unknown ones present; an unknown key that is nearly an absent known one is taken for
a slip of the pen and refused, because the program would go on without the value.
"""

import os
import re
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from functools import lru_cache
from typing import Any, Final

from calwebb_core.framework.errors import InputError
from calwebb_core.framework.name_patterns import ASSOCIATION_TYPES

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
FREE_FIELDS: Final = ("degraded_status", "constraints")
# Keys that nothing depends on may well be absent beside others like them.
WITHOUT_EFFECT: Final = (*FREE_FIELDS, "version_id", "code_version", "exposerr", "asn_candidate")
PRODUCT_FIELDS: Final = ("name", "members")
MEMBER_FIELDS: Final = ("expname", "exptype", "exposerr", "asn_candidate")
PLACEHOLDERS: Final = ("source_id", "slit_name", "suffix")

# File names may have 255 characters, and a suffix follows.
LONGEST_NAME: Final = 200
LONGEST_KEY: Final = 60
_LIKENESS: Final = 0.75
_PLACEHOLDER: Final = re.compile(r"\{([^{}]*)\}")
_IDENTIFIER: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*", re.ASCII)


def text_of(value: Any) -> str:
    """Return a text field's value, "" where it has none: null, or the word for it."""
    return "" if value is None or str(value).lower() in ("none", "null") else str(value)


def exptype_of(member: Mapping[str, Any]) -> str:
    """Return the part a member plays, in lower case."""
    return str(member["exptype"]).strip().lower()


def validate(content: Any, source: str) -> None:
    """Check an association's content, whatever folder its members are in.

    Parameters
    ----------
    content : object
        What the JSON file holds.
    source : str
        The file's name for the messages.

    Raises
    ------
    InputError
        If it lacks products, members, or what a member needs; if a value is of the wrong kind, a
        key misspelt, a product's name or the association's id not fit for file names, a type of
        member unknown, or a product or member there twice.
    """
    _check_object(content, "", source)
    _check_keys(content, ("products",), FIELDS, "", source)
    for field in FIELDS:
        if field not in (*FREE_FIELDS, "products"):
            _check_text(content.get(field), field, source, null=True)
    _check_words(content, source)
    names: set[str] = set()
    for number, product in enumerate(_entries(content["products"], "products", source)):
        _check_product(product, f"products[{number}]", source)
        name = product.get("name")
        if name in names:
            msg = f"{source}: product {name} is listed twice; name it once"
            raise InputError(msg)
        names.update([name] if name else [])


def _check_words(content: Mapping[str, Any], source: str) -> None:
    """Check the type and the id of an association."""
    kind = text_of(content.get("asn_type")).lower()
    if kind and kind not in ASSOCIATION_TYPES:
        close = get_close_matches(kind, ASSOCIATION_TYPES, n=1, cutoff=0.8)
        if close:
            msg = f"{source}: asn_type is {kind!r}; did you mean {close[0]}?"
            raise InputError(msg)
    name = text_of(content.get("asn_id"))
    if name and not _IDENTIFIER.fullmatch(name):
        msg = f"{source}: asn_id is {name!r}; expected letters and digits such as o001"
        raise InputError(msg)


def _check_product(product: Any, place: str, source: str) -> None:
    """Check a product and its members."""
    _check_object(product, place, source)
    _check_keys(product, ("members",), PRODUCT_FIELDS, place, source)
    members = _entries(product["members"], f"{place}.members", source)
    for number, member in enumerate(members):
        where = f"{place}.members[{number}]"
        _check_object(member, where, source)
        _check_keys(member, ("expname", "exptype"), MEMBER_FIELDS, where, source)
        for key in ("expname", "exptype"):
            _check_text(member[key], f"{where}.{key}", source)
        _check_exptype(member, source)
    if product.get("name") is None:
        science = [member for member in members if exptype_of(member) == "science"]
        if len(science) != 1:
            msg = (
                f"{source}: {place} has no name and {len(science)} science members; expected a "
                'name such as "jw01345-o001_t001_nircam_clear-f277w"'
            )
            raise InputError(msg)
    else:
        _check_text(product["name"], f"{place}.name", source)
        check_product_name(product["name"], source)
    _check_once(members, product.get("name") or place, source)


def check_product_name(name: str, source: str) -> None:
    """Refuse a product's name that cannot begin the names of its files.

    Raises
    ------
    InputError
        If it is a path, has control characters or backslashes, or braces around anything but
        `PLACEHOLDERS`.
    """
    bad = re.search(r"[/\\]", name) or not name.isprintable() or len(name) > LONGEST_NAME
    if name in (".", "..") or name.startswith("~") or bad:
        msg = (
            f"{source}: the product name {name!r:.80} is not one; expected a file name's beginning "
            "without folders, as products go to the output folder"
        )
        raise InputError(msg)
    for word in _PLACEHOLDER.findall(name):
        if word not in PLACEHOLDERS:
            close = get_close_matches(word, PLACEHOLDERS, n=1)
            advice = (
                f"did you mean {{{close[0]}}}?"
                if close
                else "known: {source_id}, {slit_name}, {suffix}"
            )
            msg = f"{source}: product name {name} has the unknown placeholder {{{word}}}; {advice}"
            raise InputError(msg)
    if set("{}") & set(_PLACEHOLDER.sub("", name)):
        msg = f"{source}: product name {name} has a brace without its other; expected {{source_id}}"
        raise InputError(msg)


def check_exptype(exptype: str, member: str, source: str) -> None:
    """Refuse an unknown type of member: it would be ignored.

    Raises
    ------
    InputError
        With the most similar type.
    """
    if exptype.strip().lower() not in EXPTYPES:
        close = get_close_matches(exptype.strip().lower(), EXPTYPES, n=1)
        advice = f"did you mean {close[0]}?" if close else f"known: {', '.join(EXPTYPES)}"
        msg = f"{source}: member {member} has the unknown exptype {exptype!r}; {advice}"
        raise InputError(msg)


def _check_exptype(member: Mapping[str, Any], source: str) -> None:
    check_exptype(member["exptype"], os.path.normpath(member["expname"]), source)


def _check_once(members: Sequence[Mapping[str, Any]], product: str, source: str) -> None:
    """Refuse members that would count twice; self-calibration may use one again."""
    seen: dict[str, str] = {}
    for member in members:
        file, exptype = os.path.normpath(member["expname"]), exptype_of(member)
        if exptype == "selfcal":
            continue
        if file in seen:
            msg = (
                f"{source}: member {file} of product {product} is listed twice, as "
                f"{seen[file]} and {exptype}; expected once, as it would count twice"
            )
            raise InputError(msg)
        seen[file] = exptype


def _check_keys(
    mapping: Mapping[str, Any],
    needed: tuple[str, ...],
    known: tuple[str, ...],
    place: str,
    source: str,
) -> None:
    """Refuse a mapping that lacks a key, or has one that is nearly a key it lacks."""
    absent = [key for key in known if key not in mapping and key not in WITHOUT_EFFECT]
    if not absent:
        return
    where = f"{place} " if place else ""
    missing = [key for key in needed if key in absent]
    for key in mapping:
        cutoff = 0.6 if missing else _LIKENESS
        close = None if key in known else _nearest(key.lower(), tuple(missing or absent), cutoff)
        if close:
            msg = (
                f"{source}: {where}has the unknown key {key!r:.60}; did you mean {close}? "
                "Rename it or take it out"
            )
            raise InputError(msg)
    if missing:
        msg = f"{source}: {where}has no {' and no '.join(missing)}; expected {', '.join(needed)}"
        raise InputError(msg)


@lru_cache(maxsize=4096)
def _nearest(key: str, words: tuple[str, ...], cutoff: float) -> str | None:
    """Return the word that a key is nearly; the same unknown keys come with every member."""
    close = get_close_matches(key, words, 1, cutoff) if len(key) <= LONGEST_KEY else ()
    return next(iter(close), None)


def _check_object(value: Any, place: str, source: str) -> None:
    if not isinstance(value, Mapping):
        where = f"{place} " if place else ""
        msg = f"{source}: {where}is {value!r:.60}; expected: object, with keys in braces"
        raise InputError(msg)


def _entries(value: Any, place: str, source: str) -> Sequence[Any]:
    """Return a list that is not empty."""
    if not isinstance(value, list):
        msg = f"{source}: {place} is {value!r:.60}; expected: array, in square brackets"
        raise InputError(msg)
    if not value:
        msg = f"{source}: {place} is empty; expected at least one entry"
        raise InputError(msg)
    return value


def _check_text(value: Any, place: str, source: str, *, null: bool = False) -> None:
    """Refuse what is no text, and empty text where some is needed."""
    if null and value is None:
        return
    if not isinstance(value, str):
        kinds = "string or null" if null else "string"
        msg = f"{source}: {place} is {value!r:.60}; expected: {kinds}, in quotes"
        raise InputError(msg)
    if not null and not value.strip():
        msg = f"{source}: {place} is empty; expected at least one entry"
        raise InputError(msg)
