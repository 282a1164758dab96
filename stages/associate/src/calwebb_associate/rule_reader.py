"""What a rules file says, read entry by entry; what no rule can say is refused."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any, Final, NoReturn

from calwebb_associate.columns import COLUMNS, EARLIER_COLUMNS
from calwebb_associate.conditions import CONDITIONS, PART_OF_TYPE, SCIENCE
from calwebb_associate.exposure_types import EXP_TYPES
from calwebb_associate.grouping import EPOCH
from calwebb_associate.rule_forms import (
    JOIN,
    LIST,
    MAKES,
    NAME,
    OF_LEVEL_3,
    PLAIN_NAME,
    RULE,
    SELECTION,
    SHARED,
    Kind,
    name_problem,
    problems,
    shown,
)
from calwebb_associate.rulebook import (
    CHOICES,
    FINISHES,
    SLIT,
    SLIT_READ,
    TARGET,
    Column,
    Join,
    Rule,
    Selection,
)
from calwebb_core.framework.association_checks import EXPTYPES
from calwebb_core.framework.errors import InputError

FINISH_OF_LEVEL: Final = {"catalogs": 2, "extracted nods": 3}
# Columns that a rule may name; a pool may have others of its user's.
KNOWN_COLUMNS: Final = frozenset((*COLUMNS, *EARLIER_COLUMNS, TARGET, SLIT, SLIT_READ, EPOCH))
LIKENESS: Final = 0.8
ROLES: Final = frozenset((*EXPTYPES, *PART_OF_TYPE.values()))


class RuleReader:
    """Reads rules from a file's tables, which may refer to its lists and shared parts."""

    def __init__(
        self, source: str, lists: Mapping[str, Sequence[str]], shared: Mapping[str, Any]
    ) -> None:
        self.source = source
        self.lists = lists
        self.shared = shared
        self._merged: dict[str, dict[str, Any]] = {}

    def rule(self, entry: Mapping[str, Any]) -> Rule:
        """Read a rule."""
        name = entry.get("name")
        where = f"rule {name}" if NAME.fits(name) else "a rule"
        self.check_form(where, entry, RULE)
        whole = self.merged(where, entry)
        for key in ("name", "makes", "sentence"):
            if key not in whole:
                self.refuse(f"{where} has no {key}; every rule has one")
        self.check_words(where, "makes", [whole["makes"]], MAKES)
        self.check_words(where, "needs", whole.get("needs", ()), EXPTYPES)
        self.check_level(where, whole)
        elements = whole.get("optical_elements", ())
        self.check_columns(where, (name for text in elements for name in text.split("|")))
        others = [self.selection(where, {**whole, **other}) for other in whole.get("or", ())]
        return Rule(
            name=entry["name"],
            makes=whole["makes"],
            level=MAKES[whole["makes"]],
            sentence=" ".join(entry["sentence"].split()),
            takes=(self.selection(where, whole), *others),
            agree=self.agreement(where, whole.get("agree", ())),
            joins=tuple(self.join(where, whole, join) for join in whole.get("joins", ())),
            part=self.one(where, "as", whole.get("as", SCIENCE), EXPTYPES),
            candidates=frozenset(map(str.lower, whole.get("candidates", ()))),
            not_candidates=frozenset(map(str.lower, whole.get("not_candidates", ()))),
            needs=frozenset(whole.get("needs", ())),
            least=whole.get("least", 1),
            elements=tuple(tuple(text.split("|")) for text in elements),
            product=whole.get("product", PLAIN_NAME),
            finish=self.one(where, "finish", whole.get("finish", ""), FINISHES),
            integrations=whole.get("integrations", True),
        )

    def check_level(self, where: str, whole: Mapping[str, Any]) -> None:
        """Refuse what the level of a rule cannot have, and a product's name that is none."""
        level = MAKES[whole["makes"]]
        for key in OF_LEVEL_3 if level == 2 else ():
            if key in whole:
                self.refuse(
                    f"{where} has {key}, but a product of level 2 is that of one exposure "
                    f"and named after it; leave out {key}"
                )
        finish = whole.get("finish", "")
        if FINISH_OF_LEVEL.get(finish, level) != level:
            other = FINISH_OF_LEVEL[finish]
            self.refuse(f"{where}: finish {finish!r} is for level {other}; it makes level {level}")
        problem = name_problem(whole.get("product", PLAIN_NAME))
        if problem:
            self.refuse(f"{where}: {problem}")

    def merged(
        self, where: str, entry: Mapping[str, Any], inside: tuple[str, ...] = ()
    ) -> dict[str, Any]:
        """Return a rule's entry with the shared parts that it is like.

        Lists of agreements, conditions and joins add up; other words replace those of the
        shared part.
        """
        whole: dict[str, Any] = {}
        like = entry.get("like", [])
        for name in [like] if isinstance(like, str) else like:
            self.check_words(where, "like", [name], self.shared)
            if name in inside:
                self.refuse(f"shared {name!r} is like itself; expected parts that end")
            shared = self.shared[name]
            self.check_table(f"shared {name!r}", shared)
            self.check_form(f"shared {name!r}", shared, SHARED)
            if name not in self._merged:
                # once each: parts that are like two others each would double at every step
                self._merged[name] = self.merged(where, shared, (*inside, name))
            _add(whole, self._merged[name])
        _add(whole, {key: item for key, item in entry.items() if key != "like"})
        return whole

    def join(self, where: str, rule: Mapping[str, Any], entry: Mapping[str, Any]) -> Join:
        """Read which exposures join; what it doesn't say is as in the rule."""
        where = f"joins of {where}"
        self.check_form(where, entry, JOIN)
        own = {key: rule[key] for key in SELECTION if key in rule}
        base = own if entry.get("alike", True) else {}
        whole = {**base, **{key: entry[key] for key in SELECTION if key in entry}}
        agreed = {text.rstrip("?"): text for text in rule.get("agree", ())}
        without = entry.get("regardless_of", ())
        self.check_words(where, "regardless_of", without, agreed)
        agree = entry.get("agree")
        if agree is None:
            agree = [text for name, text in agreed.items() if name not in without]
        if "differ" in entry:
            self.check_columns(where, [entry["differ"]])
        return Join(
            selection=self.selection(where, whole),
            agree=self.agreement(where, agree),
            differ=entry.get("differ", ""),
            part=self.one(where, "as", entry.get("as", ""), EXPTYPES),
            choose=self.one(where, "choose", entry.get("choose", ""), CHOICES),
        )

    def agreement(self, where: str, texts: Sequence[str]) -> tuple[Column, ...]:
        """Read the columns in which members agree."""
        columns = tuple(map(Column.parse, texts))
        self.check_columns(where, (name for column in columns for name in column.names))
        return columns

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
            where=self.columns(where, entry.get("where", {})),
            where_not=self.columns(where, entry.get("where_not", {})),
            never=tuple(self.never(where, other) for other in entry.get("never", ())),
        )

    def never(self, where: str, entry: Mapping[str, Any]) -> Selection:
        """Read which exposures are never taken."""
        self.check_form(f"never of {where}", entry, SELECTION)
        return self.selection(where, entry)

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
        self, where: str, given: Mapping[str, str | Sequence[str]]
    ) -> tuple[tuple[str, frozenset[str]], ...]:
        """Return columns with the words that they are compared with."""
        self.check_columns(where, given)
        return tuple((column, frozenset(self.words(words))) for column, words in given.items())

    def check_form(self, where: str, entry: Mapping[str, Any], form: Mapping[str, Kind]) -> None:
        """Refuse a key that means nothing, and a value that cannot stand at its key."""
        self.check_words(where, "key", entry, form)
        for problem in problems(entry, form):
            self.refuse(f"{where}: {problem}")
        for other in entry.get("or", ()):
            self.check_form(f"or of {where}", other, SELECTION)

    def check_lists(self) -> None:
        """Refuse lists that hold something else than words, or refer to one another."""
        for name, words in self.lists.items():
            problem = next(problems({name: words}, {name: LIST}), "")
            if problem:
                self.refuse(f"lists: {problem}")
            for word in words:
                if word.startswith("@"):
                    self.refuse(f"lists: {name} refers to {word}; expected words in a list")

    def check_table(self, where: str, entry: Any) -> None:
        """Refuse a shared part that has no keys."""
        if not isinstance(entry, dict):
            self.refuse(f"{where} is {shown(entry)}; expected a table, as [shared.NAME]")

    def check_columns(self, where: str, names: Iterable[str]) -> None:
        """Refuse a column that is nearly one of the pool's; others may be the user's own."""
        for name in names:
            if name in KNOWN_COLUMNS:
                continue
            close = get_close_matches(name, KNOWN_COLUMNS, n=1, cutoff=LIKENESS)
            if close or not name:
                advice = f"did you mean {close[0]!r}?" if close else "expected a column's name"
                self.refuse(f"{where}: unknown column {name!r}; {advice}")

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
                some = ", ".join(sorted(known)) or "none here"
                advice = f"did you mean {close[0]!r}?" if close else f"known: {some}"
                self.refuse(f"{where}: unknown {key} {word!r}; {advice}")

    def refuse(self, sentence: str) -> NoReturn:
        """Say what is wrong with the file."""
        msg = f"{self.source}: {sentence}"
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
