"""The steps in a product's record: checked before they become words of a command or options.

The record is data from anywhere. Options of steps go into a parameter file for the program that
makes the product again, where the same words may name code to run, or files to read.
"""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from calwebb_core.framework.errors import InputError
from calwebb_core.framework.settings import RESERVED

WORD: Final = re.compile(r"[a-z][a-z0-9_]*", re.ASCII)
ADDRESS: Final = re.compile(r"https?://")
HOOKS: Final = ("pre_hooks", "post_hooks")


def check_steps(path: Path, steps: Iterable[Mapping[str, Any]]) -> None:
    """Refuse steps as the pipeline does not record them.

    Raises
    ------
    InputError
        If the name of a step or option is no word, an option is one that is not computed with,
        or a value is a path.
    """
    for step in steps:
        name, options = step["name"], step.get("parameters", {})
        if not is_word(name) or not isinstance(options, Mapping):
            raise refusal(path, f"step {name!r:.60}", "a name and options")
        for option, value in options.items():
            if not is_word(option) or option in RESERVED:
                raise refusal(path, f"option {option!r:.60} of {name}", "one of its options")
            if not is_value(value):
                what = f"{name}.{option} = {value!r:.60}"
                raise refusal(path, what, "a value, or the name of a file")
        for kind in HOOKS:
            hooks = step.get(kind, [])
            if not isinstance(hooks, list) or not all(isinstance(hook, str) for hook in hooks):
                raise refusal(path, f"{kind} of {name} that are no texts", "a list of texts")


def refusal(path: Path, found: str, expected: str) -> InputError:
    """Return the error for what the pipeline does not write."""
    return InputError(f"{path}: its record has {found}; expected {expected}: get the product again")


def is_word(value: Any) -> bool:
    """Say whether a value is a name of a step or option."""
    return isinstance(value, str) and bool(WORD.fullmatch(value))


def is_value(value: Any) -> bool:
    """Say whether a value is what an option may have been: plain, and no path.

    Files are recorded by name and checksum, in a mapping, and looked for by these.
    """
    if isinstance(value, Mapping):
        name = value.get("name")
        return isinstance(name, str) and bool(name) and name != ".." and is_value(name)
    if isinstance(value, list):
        return all(not isinstance(item, Mapping) and is_value(item) for item in value)
    if isinstance(value, str) and not is_address(value):
        return not set(value) & set("/\\\n\r\0")
    return value is None or isinstance(value, str | bool | int | float)


def is_address(value: Any) -> bool:
    """Say whether a value is an address of the network."""
    return isinstance(value, str) and bool(ADDRESS.match(value))


def own_addresses(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return options without addresses: a program asks its own ones, not those of a product."""
    return {name: value for name, value in options.items() if not is_address(value)}
