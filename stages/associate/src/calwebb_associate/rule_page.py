"""The reference page of the association rules, written from the rules themselves.

`make schemas` writes it to docs/association_rules.md.
"""

from collections.abc import Iterable, Iterator
from typing import Final

from calwebb_associate.conditions import CONDITIONS, SCIENCE
from calwebb_associate.rule_files import own_rules
from calwebb_associate.rulebook import SLIT, SLIT_READ, TARGET, Column, Join, Rule, Selection

HEAD: Final = """\
# Association rules

Written by `make schemas` from `level2.toml` and `level3.toml` in
`stages/associate/src/calwebb_associate/rules/`; how rules are read, made and changed is said in
[associations.md](associations.md). Of columns with a bar between them the first that has a value
counts; one with a question mark may have none.
"""
LEVELS: Final = {
    2: "Each exposure that a rule takes makes a product of its own.",
    3: """\
The exposures that a rule takes and that agree make one product. The target acquisitions of its
observations are listed with each.""",
}
# What the conditions look at besides the columns that rules name.
CONDITION_COLUMNS: Final = (
    "pntgtype",
    "exp_type",
    "tsovisit",
    "is_psf",
    "is_imprt",
    "bkgdtarg",
    "visitype",
    "dms_note",
    "filter",
    "fxd_slit",
    "grating",
    "detector",
    "opmode",
    "lamp",
    "subarray",
    "pupil",
)
FINISHES: Final = {
    "catalogs": "a direct image is replaced by its combination, catalog and segmentation",
    "extracted nods": "with several, the spectrum extracted from each is background, too",
}
CHOICES: Final = {
    "apart": "those in which the source is elsewhere",
    "imprints": "those of its kind, target and dither position",
    "imprints of the nods": "those of the kind, target and dither positions of all nods",
}


def rules_page() -> str:
    """Return the text of docs/association_rules.md."""
    rules = own_rules()
    parts = [HEAD]
    for level, sentence in LEVELS.items():
        some = [rule for rule in rules if rule.level == level]
        parts += [f"## Level {level}\n\n{sentence}\n", _overview(some), *map(_section, some)]
    parts += [_conditions(), _columns(rules)]
    return "\n".join(parts)


def _overview(rules: Iterable[Rule]) -> str:
    """Return the table of some rules."""
    lines = [
        f"| [{rule.name}](#{rule.name.lower()}) | {rule.makes} | {_cell(rule.sentence)} |\n"
        for rule in rules
    ]
    return "| rule | makes | what it does |\n|---|---|---|\n" + "".join(lines)


def _section(rule: Rule) -> str:
    """Return what one rule says, part by part."""
    lines = [f"| {_cell(name)} | {_cell(text)} |\n" for name, text in _parts(rule)]
    return f"### {rule.name}\n\n{rule.sentence}\n\n| {rule.makes} | |\n|---|---|\n" + "".join(lines)


def _parts(rule: Rule) -> Iterator[tuple[str, str]]:
    """Yield the parts of a rule by what they are called."""
    for number, selection in enumerate(rule.takes):
        yield "or takes" if number else "takes", _selection(selection)
    yield "agree in", _agreement(rule.agree) or "nothing"
    for join in rule.joins:
        yield "joined by", _join(join, rule)
    yield from ((name, text) for name, text in _limits(rule) if text)
    if rule.level == 3:
        yield "product", _code(rule.product)
        yield "optical elements", _code(*("|".join(names) for names in rule.elements)) or "none"


def _limits(rule: Rule) -> Iterator[tuple[str, str]]:
    """Yield what else a rule asks for, "" for what it does not."""
    least = f"{rule.least} exposures" if rule.least > 1 else ""
    yield "as", _code(rule.part) if rule.part != SCIENCE else ""
    yield "needs", " and ".join(filter(None, (_words(rule.needs), least)))
    yield "candidates", f"only {_words(rule.candidates)}" if rule.candidates else ""
    yield "not candidates", _words(rule.not_candidates)
    yield "members", "" if rule.integrations else "as one image each, never by integration"
    yield "at last", FINISHES.get(rule.finish, "")


def _selection(selection: Selection) -> str:
    """Return which exposures a selection takes."""
    return "; ".join(filter(None, _pieces(selection))) or "any exposure"


def _pieces(selection: Selection) -> Iterator[str]:
    """Yield the parts of a selection."""
    if selection.exp_types:
        yield f"type {_words(selection.exp_types)}"
    if selection.roles:
        yield f"part {_words(selection.roles)}"
    for names, verb in ((selection.conditions, "is"), (selection.not_conditions, "is not")):
        yield from (f"{verb} *{name}*" for name in _in_order(names))
    for column, words in selection.where:
        yield f"{_code(column)} is {_values(words)}"
    for column, words in selection.where_not:
        some = words - {""}
        yield f"{_code(column)} is not {_values(some)}" if some else ""
        yield f"{_code(column)} has a value" if "" in words else ""
    yield from (f"never ({_selection(other)})" for other in selection.never)


def _join(join: Join, rule: Rule) -> str:
    """Return which exposures join, by what differs from those that the rule takes."""
    own = set(_pieces(rule.takes[0]))
    text = "; ".join(piece for piece in _pieces(join.selection) if piece and piece not in own)
    said = [text or "exposures of the same kind", _like(join, rule)]
    if join.differ:
        said.append(f"that differ in {_code(join.differ)}")
    if join.choose:
        said.append(CHOICES[join.choose])
    if join.part:
        said.append(f"as {_code(join.part)}")
    return "; ".join(filter(None, said))


def _like(join: Join, rule: Rule) -> str:
    """Return in what those that join agree with those that the rule takes."""
    missing = [column for column in rule.agree if column not in join.agree]
    if set(join.agree) == set(rule.agree) and join.agree:
        return "that agree in the same"
    if join.agree and set(join.agree) < set(rule.agree) and len(missing) < len(join.agree):
        return f"that agree in the same but {_agreement(missing)}"
    return f"that agree in {_agreement(join.agree)}" if join.agree else "whatever their settings"


def _agreement(columns: Iterable[Column]) -> str:
    """Return columns as a rule names them."""
    return _code(*(column.name + "?" * (not column.required) for column in columns))


def _conditions() -> str:
    """Return the table of conditions."""
    lines = [f"| *{name}* | {_cell(meaning)} |\n" for name, (meaning, _) in CONDITIONS.items()]
    head = "## Conditions\n\nWhat `is` and `is_not` may name.\n\n"
    return f"{head}| condition | what it means |\n|---|---|\n" + "".join(lines)


def _columns(rules: Iterable[Rule]) -> str:
    """Return the columns of the pool that rules and conditions look at."""
    names = {*CONDITION_COLUMNS, "targetid", "obs_num", "asn_candidate"}
    for rule in rules:
        names |= {column for names in rule.elements for column in names}
        names |= set(_columns_of(rule.agree))
        for join in rule.joins:
            names |= {*_columns_of(join.agree), join.differ, *_compared(join.selection)}
        for selection in rule.takes:
            names |= set(_compared(selection))
    known = sorted(names - {"", TARGET, SLIT, SLIT_READ})
    return f"## Columns of the pool that rules look at\n\n{_code(*known)}\n"


def _columns_of(columns: Iterable[Column]) -> Iterator[str]:
    for column in columns:
        yield from column.names


def _compared(selection: Selection) -> Iterator[str]:
    """Yield the columns whose values a selection compares."""
    for column, _ in (*selection.where, *selection.where_not):
        yield column
    for other in selection.never:
        yield from _compared(other)


def _in_order(names: Iterable[str]) -> list[str]:
    """Return conditions in the order of their table."""
    return sorted(names, key=list(CONDITIONS).index)


def _words(words: Iterable[str]) -> str:
    """Return words of a set."""
    return _code(*sorted(words, key=lambda word: (word != SCIENCE, word)))


def _values(words: Iterable[str]) -> str:
    """Return values, "" being none."""
    given = sorted(set(words) - {""})
    shown = " or ".join(_code(word) for word in given)
    if len(given) < len(set(words)):
        return f"{shown} or none" if shown else "none"
    return shown


def _code(*words: str) -> str:
    """Return words as they are written in files."""
    return ", ".join(f"`{word}`" for word in words)


def _cell(text: str) -> str:
    """Return a text for a cell of a table."""
    return text.replace("|", "\\|")
