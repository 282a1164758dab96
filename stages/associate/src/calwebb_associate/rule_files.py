"""Rules read from TOML files.

The rules of the project are `rules/level2.toml` and `rules/level3.toml`; users write files of
the same form, which add rules, replace some, or add members to those that are there. A few
such files come with the project. What the words mean stands in docs/associations.md.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, Final

from calwebb_associate.rule_forms import ALSO, FILE
from calwebb_associate.rule_reader import RuleReader
from calwebb_associate.rulebook import Join, Rule
from calwebb_core.framework.errors import InputError
from calwebb_core.framework.plain_files import MEGABYTE, read_text

OWN: Final = ("level2.toml", "level3.toml")
# Files that come with the project and hold only where they are asked for by these names.
OPTIONAL: Final = ("selfcal",)

LARGEST: Final = MEGABYTE
Additions = dict[str, tuple[Join, ...]]


@cache
def own_rules() -> tuple[Rule, ...]:
    """Return the project's rules, level 2 first."""
    return tuple(
        rule
        for name in OWN
        for rule in parse_rules((_folder() / name).read_text(encoding="utf-8"), name)
    )


def read_rules(path: str | Path, *, own: bool = True) -> tuple[Rule, ...]:
    """Return the rules of a user's file after the project's own.

    Parameters
    ----------
    path : path
        Or the name of one of the `OPTIONAL` files.
    own : bool
        Whether the project's rules hold, too; one of the same name in the file replaces it.

    Raises
    ------
    InputError
        If the file cannot be read, is not TOML, or says what no rule can say.
    """
    optional = str(path) in OPTIONAL and not Path(path).exists()
    file = _folder() / f"{path}.toml" if optional else Path(path)
    try:
        text = _text_of(file)
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        msg = f"{path}: cannot be read as rules: {reason}"
        raise InputError(msg) from error
    content = _content(text, str(path))
    more, additions = rules_of(content, str(path)), additions_of(content, str(path))
    replaced = {rule.name for rule in more}
    kept = [rule for rule in own_rules() if rule.name not in replaced] if own else []
    rules = (*kept, *more)
    unknown = sorted(set(additions) - {rule.name for rule in rules})
    if unknown:
        msg = f"{path}: also: there is no rule {unknown[0]}; name one of the rules"
        raise InputError(msg)
    return tuple(
        replace(rule, joins=(*rule.joins, *additions.get(rule.name, ()))) for rule in rules
    )


def parse_rules(text: str, source: str) -> tuple[Rule, ...]:
    """Return the rules of a file's text.

    Raises
    ------
    InputError
        As `read_rules`.
    """
    return rules_of(_content(text, source), source)


def rules_of(content: Mapping[str, Any], source: str) -> tuple[Rule, ...]:
    """Return the rules of a file's content.

    Raises
    ------
    InputError
        As `read_rules`.
    """
    reader = _reader(content, source)
    rules = tuple(reader.rule(entry) for entry in content.get("rule", []))
    names = [rule.name for rule in rules]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice or not (rules or content.get("also")):
        found = f"rule {twice[0]} is there twice" if twice else "has no [[rule]]"
        msg = f"{source}: {found}; expected rules of different names"
        raise InputError(msg)
    return rules


def additions_of(content: Mapping[str, Any], source: str) -> Additions:
    """Return the members that a file's content adds to rules, by the rules' names.

    Raises
    ------
    InputError
        As `read_rules`.
    """
    reader = _reader(content, source)
    additions: Additions = {}
    for entry in content.get("also", []):
        where = f"also of {entry.get('rule', 'no rule')}"
        reader.check_form(where, entry, ALSO)
        for key in ALSO:
            if key not in entry:
                reader.refuse(f"{where} has no {key}; expected a rule's name and joins")
        joins = tuple(reader.join(where, {}, join) for join in entry["joins"])
        additions[entry["rule"]] = (*additions.get(entry["rule"], ()), *joins)
    return additions


def _text_of(file: Path | Traversable) -> str:
    """Return the text of a user's file, or of one that comes with the project."""
    return read_text(file, largest=LARGEST) if isinstance(file, Path) else file.read_text("utf-8")


def _folder() -> Traversable:
    """Return the folder of the project's rules."""
    return files(__package__) / "rules"


def _content(text: str, source: str) -> dict[str, Any]:
    """Return what a file's text holds."""
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # also for a number with thousands of digits
        why = error if isinstance(error, ValueError) else "it is nested too deeply"
        msg = f"{source}: is not TOML: {why}; see docs/associations.md for the form of rules"
        raise InputError(msg) from error


def _reader(content: Mapping[str, Any], source: str) -> RuleReader:
    """Return a reader of a file's content, whose outermost form is checked."""
    reader = RuleReader(source, content.get("lists", {}), content.get("shared", {}))
    reader.check_form("the file", content, FILE)
    reader.check_lists()
    return reader
