"""Rules read from TOML files and checked.

The rules of the project are `rules/level2.toml` and `rules/level3.toml`; users write files of
the same form. What the words mean stands in docs/associations.md.
"""

import tomllib
from collections.abc import Collection, Iterable, Mapping, Sequence
from difflib import get_close_matches
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from calwebb_associate.conditions import CONDITIONS, PART_OF_TYPE, SCIENCE
from calwebb_associate.exposure_types import EXP_TYPES
from calwebb_associate.rulebook import CHOICES, FINISHES, Column, Join, Rule, Selection
from calwebb_core.framework.association_checks import EXPTYPES
from calwebb_core.framework.errors import InputError

OWN: Final = ("level2.toml", "level3.toml")
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
PLAIN_NAME: Final = (
    "jw{program}-{candidate}_{target}{epoch}_{instrument}_{optical_elements}{slit}{subarray}"
)
SELECTION_KEYS: Final = ("exp_type", "role", "is", "is_not", "where", "where_not", "never")
JOIN_KEYS: Final = (*SELECTION_KEYS, "alike", "agree", "regardless_of", "differ", "as", "choose")
RULE_KEYS: Final = (
    "name",
    "makes",
    "sentence",
    "like",
    *SELECTION_KEYS,
    "or",
    "agree",
    "joins",
    "as",
    "candidates",
    "not_candidates",
    "needs",
    "least",
    "optical_elements",
    "product",
    "finish",
    "integrations",
)
FILE_KEYS: Final = ("lists", "shared", "rule")
ROLES: Final = frozenset((*EXPTYPES, *PART_OF_TYPE.values()))


def own_rules() -> tuple[Rule, ...]:
    """Return the project's rules, level 2 first."""
    folder = files(__package__) / "rules"
    return tuple(
        rule
        for name in OWN
        for rule in parse_rules((folder / name).read_text(encoding="utf-8"), name)
    )


def read_rules(path: str | Path, *, own: bool = True) -> tuple[Rule, ...]:
    """Return the rules of a user's file after the project's own.

    Parameters
    ----------
    path : path
    own : bool
        Whether the project's rules hold, too; one of the same name in the file replaces it.

    Raises
    ------
    InputError
        If the file cannot be read, is not TOML, or says what no rule can say.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        msg = f"{path}: cannot be read as rules: {reason}"
        raise InputError(msg) from error
    more = parse_rules(text, str(path))
    replaced = {rule.name for rule in more}
    kept = [rule for rule in own_rules() if rule.name not in replaced] if own else []
    return (*kept, *more)


def parse_rules(text: str, source: str) -> tuple[Rule, ...]:
    """Return the rules of a file's text.

    Raises
    ------
    InputError
        As `read_rules`.
    """
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        msg = f"{source}: is not TOML: {error}; see docs/associations.md for the form of rules"
        raise InputError(msg) from error
    reader = _Reader(source, content.get("lists", {}), content.get("shared", {}))
    reader.check_keys("the file", content, FILE_KEYS)
    rules = tuple(reader.rule(entry) for entry in content.get("rule", []))
    names = [rule.name for rule in rules]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice or not rules:
        found = f"rule {twice[0]} is there twice" if twice else "has no [[rule]]"
        msg = f"{source}: {found}; expected rules of different names"
        raise InputError(msg)
    return rules


class _Reader:
    """Reads rules from a file's tables, which may refer to its lists and shared parts."""

    def __init__(
        self, source: str, lists: Mapping[str, Sequence[str]], shared: Mapping[str, Any]
    ) -> None:
        self.source = source
        self.lists = lists
        self.shared = shared

    def rule(self, entry: Mapping[str, Any]) -> Rule:
        """Read a rule."""
        where = f"rule {entry.get('name', 'without a name')}"
        self.check_keys(where, entry, RULE_KEYS)
        for key in ("name", "makes", "sentence"):
            if not entry.get(key):
                msg = f"{self.source}: {where} has no {key}; every rule has one"
                raise InputError(msg)
        self.check_words(where, "makes", [entry["makes"]], MAKES)
        whole = self.merged(where, entry)
        agree = tuple(map(Column.parse, whole.get("agree", ())))
        first = self.selection(where, whole)
        others = [self.selection(where, {**whole, **other}) for other in entry.get("or", ())]
        finish = self.one(where, "finish", whole.get("finish", ""), FINISHES)
        self.check_words(where, "needs", whole.get("needs", ()), EXPTYPES)
        return Rule(
            name=entry["name"],
            makes=entry["makes"],
            level=MAKES[entry["makes"]],
            sentence=" ".join(entry["sentence"].split()),
            takes=(first, *others),
            agree=agree,
            joins=tuple(self.join(where, whole, join) for join in whole.get("joins", ())),
            part=self.one(where, "as", whole.get("as", SCIENCE), EXPTYPES),
            candidates=frozenset(whole.get("candidates", ())),
            not_candidates=frozenset(whole.get("not_candidates", ())),
            needs=frozenset(whole.get("needs", ())),
            least=whole.get("least", 1),
            elements=tuple(tuple(text.split("|")) for text in whole.get("optical_elements", ())),
            product=whole.get("product", PLAIN_NAME),
            finish=finish,
            integrations=whole.get("integrations", True),
        )

    def merged(self, where: str, entry: Mapping[str, Any]) -> dict[str, Any]:
        """Return a rule's entry with the shared parts that it is like.

        Lists of agreements, conditions and joins add up; other words replace those of the
        shared part.
        """
        whole: dict[str, Any] = {}
        like = entry.get("like", [])
        for name in [like] if isinstance(like, str) else like:
            self.check_words(where, "like", [name], self.shared)
            self.check_keys(f"shared {name}", self.shared[name], RULE_KEYS)
            _add(whole, self.merged(where, self.shared[name]))
        _add(whole, {key: item for key, item in entry.items() if key != "like"})
        return whole

    def join(self, where: str, rule: Mapping[str, Any], entry: Mapping[str, Any]) -> Join:
        """Read which exposures join; what it doesn't say is as in the rule."""
        where = f"joins of {where}"
        self.check_keys(where, entry, JOIN_KEYS)
        own = {key: rule[key] for key in SELECTION_KEYS if key in rule}
        base = own if entry.get("alike", True) else {}
        whole = {**base, **{key: entry[key] for key in SELECTION_KEYS if key in entry}}
        without = entry.get("regardless_of", ())
        agree = entry.get("agree")
        if agree is None:
            agree = [text for text in rule.get("agree", ()) if text.rstrip("?") not in without]
        return Join(
            selection=self.selection(where, whole),
            agree=tuple(map(Column.parse, agree)),
            differ=entry.get("differ", ""),
            part=self.one(where, "as", entry.get("as", ""), EXPTYPES),
            choose=self.one(where, "choose", entry.get("choose", ""), CHOICES),
        )

    def selection(self, where: str, entry: Mapping[str, Any]) -> Selection:
        """Read which exposures are taken."""
        exp_types = self.words(entry.get("exp_type", ()))
        self.check_words(where, "exp_type", exp_types, EXP_TYPES)
        roles = self.words(entry.get("role", ()))
        self.check_words(where, "role", roles, ROLES)
        for key in ("is", "is_not"):
            self.check_words(where, key, entry.get(key, ()), CONDITIONS)
        return Selection(
            exp_types=frozenset(exp_types),
            roles=frozenset(roles),
            conditions=frozenset(entry.get("is", ())),
            not_conditions=frozenset(entry.get("is_not", ())),
            where=self.columns(entry.get("where", {})),
            where_not=self.columns(entry.get("where_not", {})),
            never=tuple(self.selection(where, other) for other in entry.get("never", ())),
        )

    def words(self, given: str | Sequence[str]) -> list[str]:
        """Return words in lower case, with those of the lists that "@name" stands for."""
        found: list[str] = []
        for word in [given] if isinstance(given, str) else given:
            if word.startswith("@"):
                self.check_words("lists", "name", [word[1:]], self.lists)
                found += self.words(self.lists[word[1:]])
            else:
                found.append(word.lower())
        return found

    def columns(
        self, given: Mapping[str, str | Sequence[str]]
    ) -> tuple[tuple[str, frozenset[str]], ...]:
        """Return columns with the words that they are compared with."""
        return tuple((column, frozenset(self.words(words))) for column, words in given.items())

    def check_keys(self, where: str, entry: Mapping[str, Any], known: Collection[str]) -> None:
        """Refuse a key that means nothing."""
        self.check_words(where, "key", entry, known)

    def one(self, where: str, key: str, word: str, known: Collection[str]) -> str:
        """Return a word that may be empty, and else is known."""
        self.check_words(where, key, [word] if word else [], known)
        return word

    def check_words(
        self, where: str, key: str, words: Iterable[str], known: Collection[str]
    ) -> None:
        """Refuse a word that is not known."""
        for word in words:
            if word not in known:
                close = get_close_matches(word, list(known), n=1)
                advice = f"did you mean {close[0]!r}?" if close else f"known: {', '.join(known)}"
                msg = f"{self.source}: {where}: unknown {key} {word!r}; {advice}"
                raise InputError(msg)


def _add(whole: dict[str, Any], entry: Mapping[str, Any]) -> None:
    """Add an entry to what is there: lists of agreements, conditions and joins grow."""
    for key, item in entry.items():
        if key in ("agree", "is", "is_not", "joins", "never") and key in whole:
            whole[key] = [*whole[key], *(one for one in item if one not in whole[key])]
        elif key in ("where", "where_not") and key in whole:
            whole[key] = {**whole[key], **item}
        else:
            whole[key] = item
