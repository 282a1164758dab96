"""The form of a rules file: its keys, and what may stand at each.

Only the form is checked here; whether words mean something is checked where they are read.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from string import Formatter
from typing import Any, Final

# Kinds of association, and their level.
MAKES: Final[dict[str, int]] = {
    "image2": 2,
    "tso-image2": 2,
    "spec2": 2,
    "tso-spec2": 2,
    "nrslamp-spec2": 2,
    "image3": 3,
    "spec3": 3,
    "coron3": 3,
    "ami3": 3,
    "tso3": 3,
    "wfs-image3": 3,
}
# How a product is named where its rule says nothing.
PLAIN_NAME: Final = (
    "jw{program}-{candidate}_{target}{epoch}_{instrument}_{optical_elements}{slit}{subarray}"
)
# What a product's name may be made of, and what later steps fill in.
NAME_PARTS: Final = (
    "program",
    "candidate",
    "target",
    "epoch",
    "instrument",
    "optical_elements",
    "slit",
    "subarray",
    "detector",
    "activity",
)
LATER_PARTS: Final = ("source_id", "slit_name", "suffix")
_WORD: Final = re.compile(r"[A-Za-z][A-Za-z0-9_-]*", re.ASCII)
_NAME_TEXT: Final = re.compile(r"[a-z0-9_.+-]*", re.ASCII)


@dataclass(frozen=True)
class Kind:
    """What may stand at a key: a test, and how a sentence calls it."""

    expected: str
    fits: Callable[[Any], bool]


def _is_text(item: Any) -> bool:
    return isinstance(item, str) and bool(item.strip())


def _is_list(item: Any) -> bool:
    return isinstance(item, list) and all(isinstance(one, str) for one in item)


def _is_words(item: Any) -> bool:
    return isinstance(item, str) or _is_list(item)


def _is_comparison(item: Any) -> bool:
    return isinstance(item, dict) and all(
        _is_words(words) and words != [] for words in item.values()
    )


def _is_tables(item: Any) -> bool:
    return isinstance(item, list) and all(isinstance(one, dict) and one for one in item)


NAME: Final = Kind(
    "a word of letters, digits, _ and -",
    lambda item: isinstance(item, str) and _WORD.fullmatch(item) is not None,
)
TEXT: Final = Kind("a text", _is_text)
LIST: Final = Kind('a list of words, as ["filter", "pupil"]', _is_list)
WORDS: Final = Kind("a word or a list of words", _is_words)
COMPARISON: Final = Kind('columns with words, as {filter = ["f277w", "f356w"]}', _is_comparison)
TABLES: Final = Kind("a list of tables that are not empty, as [{...}, {...}]", _is_tables)
TABLE: Final = Kind("tables", lambda item: isinstance(item, dict))
COUNT: Final = Kind(
    "a whole number from 1",
    lambda item: isinstance(item, int) and not isinstance(item, bool) and item > 0,
)
YES_NO: Final = Kind("true or false", lambda item: isinstance(item, bool))

SELECTION: Final[dict[str, Kind]] = {
    "exp_type": WORDS,
    "role": WORDS,
    "is": LIST,
    "is_not": LIST,
    "where": COMPARISON,
    "where_not": COMPARISON,
    "never": TABLES,
}
JOIN: Final[dict[str, Kind]] = {
    **SELECTION,
    "alike": YES_NO,
    "agree": LIST,
    "regardless_of": LIST,
    "differ": TEXT,
    "as": TEXT,
    "choose": TEXT,
}
SHARED: Final[dict[str, Kind]] = {
    "makes": TEXT,
    "like": WORDS,
    **SELECTION,
    "or": TABLES,
    "agree": LIST,
    "joins": TABLES,
    "as": TEXT,
    "candidates": LIST,
    "not_candidates": LIST,
    "needs": LIST,
    "least": COUNT,
    "optical_elements": LIST,
    "product": TEXT,
    "finish": TEXT,
    "integrations": YES_NO,
}
RULE: Final[dict[str, Kind]] = {"name": NAME, "sentence": TEXT, **SHARED}
# Members added to a rule that is there.
ALSO: Final[dict[str, Kind]] = {"rule": NAME, "joins": TABLES}
FILE: Final[dict[str, Kind]] = {"lists": TABLE, "shared": TABLE, "rule": TABLES, "also": TABLES}
# What only a combination has: a product of level 2 is named after its exposure.
OF_LEVEL_3: Final = ("product", "optical_elements", "least")


def problems(entry: Mapping[str, Any], form: Mapping[str, Kind]) -> Iterator[str]:
    """Yield what is wrong with the values at the keys of a form."""
    for key, item in entry.items():
        if key in form and not form[key].fits(item):
            yield f"{key} is {shown(item)}; expected {form[key].expected}"


def name_problem(product: str) -> str:
    """Return what is wrong with the form of a product's name, or nothing."""
    known = ", ".join(f"{{{part}}}" for part in NAME_PARTS)
    try:
        pieces = list(Formatter().parse(product))
    except ValueError:
        return f"product {product!r} has a brace without its other; expected parts as {known}"
    for _, part, form, conversion in pieces:
        if part is not None and (part not in NAME_PARTS or form or conversion):
            whole = part + (f"!{conversion}" if conversion else "") + (f":{form}" if form else "")
            return f"product has {{{whole}}}; expected some of {known}"
    # What is in double braces is left for later steps.
    text = "".join(text for text, *_ in pieces)
    for part in re.findall(r"\{([^{}]*)\}", text):
        if part not in LATER_PARTS:
            later = ", ".join(f"{{{{{part}}}}}" for part in LATER_PARTS)
            return f"product has {{{{{part}}}}}; expected some of {later} in double braces"
    plain = re.sub(r"\{[^{}]*\}", "", text)
    if not _NAME_TEXT.fullmatch(plain):
        return f"product is {product!r}; expected lower-case letters, digits and . _ + - in it"
    return ""


def shown(item: Any) -> str:
    """Return a value as a sentence shows it, short."""
    text = repr(item)
    return text if len(text) <= 60 else f"{text[:57]}..."
