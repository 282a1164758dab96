"""JSON of others: keys once, plain numbers and texts, nested within the interpreter's limits."""

import json
from typing import Any, NoReturn


class UnfitJsonError(ValueError):
    """What is JSON for a reader that lets everything pass, but no text for us."""


def parse_json(text: str) -> Any:
    """Return what a JSON text holds.

    Raises
    ------
    json.JSONDecodeError
        If it is no JSON.
    UnfitJsonError
        If an object has a key twice, a number is NaN, infinite or has thousands of digits, a text
        has half a character (a surrogate), or brackets are nested without end.
    """
    try:
        content = json.loads(
            text, object_pairs_hook=_unique, parse_constant=_constant, parse_int=_integer
        )
    except RecursionError as error:
        msg = "its brackets are nested without end"
        raise UnfitJsonError(msg) from error
    # only an escape can bring one into text that was decoded
    if "\\u" in text:
        _check_texts(content)
    return content


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Make a dictionary of the pairs of a JSON object."""
    result = dict(pairs)
    if len(result) < len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        msg = f"key {twice!r:.60} is there twice; expected once"
        raise UnfitJsonError(msg)
    return result


def _constant(word: str) -> NoReturn:
    msg = f"{word} is no number of JSON"
    raise UnfitJsonError(msg)


def _integer(digits: str) -> int:
    if len(digits) > 300:  # more than a float can be
        msg = f"a number has {len(digits)} digits"
        raise UnfitJsonError(msg)
    return int(digits)


def _check_texts(content: Any) -> None:
    """Refuse texts that no file or terminal can take: a surrogate without its other half."""
    waiting = [content]
    while waiting:
        item = waiting.pop()
        if isinstance(item, dict):
            waiting += [*item, *item.values()]
        elif isinstance(item, list):
            waiting += item
        elif isinstance(item, str) and not item.isascii():
            try:
                item.encode()
            except UnicodeEncodeError as error:
                msg = f"the text {item!r:.60} has half a character"
                raise UnfitJsonError(msg) from error
