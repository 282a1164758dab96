"""Pools by hand: a few exposures with names of one letter, and what the rules make of them.

A table of cases says for each rule what it does, in the words of a person: the columns in which
exposures differ, and the members that the product must have, as
``"science a_rate; background b_rate, c_rate"``.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from calwebb_associate.columns import COLUMNS
from calwebb_associate.conditions import Exposure
from calwebb_associate.generate import MadeAssociation, make_associations
from calwebb_associate.pool import Pool
from calwebb_associate.rule_files import own_rules

INSTRUMENTS = {
    "mir": ("miri", "mirimage"),
    "nrc": ("nircam", "nrcalong"),
    "nis": ("niriss", "nis"),
    "nrs": ("nirspec", "nrs1"),
    "fgs": ("fgs", "guider1"),
}
RULES = {rule.name: rule for rule in own_rules()}
Columns = Mapping[str, str]


@dataclass(frozen=True)
class Case:
    """A few exposures, and what one rule makes of them."""

    why: str
    exposures: Mapping[str, Columns]
    made: tuple[str, ...] = ()


def row(number: int = 1, also: str = "", **columns: str) -> dict[str, str]:
    """Return a row: ``also`` names candidates besides the observation, "c1000 mosaic, ..."."""
    instrument, detector = INSTRUMENTS[columns["exp_type"][:3]]
    values = dict.fromkeys(COLUMNS, "null")
    values |= {"program": "1345", "obs_num": "1", "targetid": "1", "subarray": "full"}
    values |= {"instrume": instrument, "detector": detector, "pntgtype": "science"}
    values |= columns
    if instrument == "nircam" and "channel" not in columns:
        values["channel"] = "long" if "long" in values["detector"] else "short"
    observation = values["obs_num"].zfill(3)
    others = [tuple(text.split()) for text in also.split(", ") if text]
    values["asn_candidate"] = str([(f"o{observation}", "observation"), *others])
    values["filename"] = (
        f"jw01345{observation}001_02201_{number:05d}_{values['detector']}_uncal.fits"
    )
    return values


def rows_of(base: Columns, exposures: Mapping[str, Columns]) -> dict[str, dict[str, str]]:
    """Return the row of each named exposure; the columns of ``base`` hold where it says nothing."""
    named = enumerate(exposures.items(), start=1)
    return {name: row(number, **{**base, **columns}) for number, (name, columns) in named}


def exposure(**columns: str) -> Exposure:
    """Return one exposure as the rules see it."""
    return Exposure(row(**columns))


def made_by(
    rule: str | None, base: Columns, exposures: Mapping[str, Columns], *, discover: bool = False
) -> list[MadeAssociation]:
    """Return what a rule alone makes, or all rules if None."""
    rows = rows_of(base, exposures)
    pool = Pool(tuple(dict.fromkeys([*COLUMNS, *base])), tuple(rows.values()))
    rules = None if rule is None else [RULES[rule]]
    return make_associations(pool, rules=rules, discover=discover)


def texts(rule: str | None, base: Columns, exposures: Mapping[str, Columns]) -> list[str]:
    """Return the associations as a table of cases has them, sorted.

    Those of level 3 begin with the product's name without the program: "o001_t001_...: ".
    """
    names = {one["filename"].removesuffix("_uncal.fits"): name
             for name, one in rows_of(base, exposures).items()}  # fmt: skip
    return sorted(_text(association, names) for association in made_by(rule, base, exposures))


def _text(association: MadeAssociation, names: Mapping[str, str]) -> str:
    parts: dict[str, list[str]] = {}
    for member in association.content["products"][0]["members"]:
        root, _, suffix = member["expname"].rpartition("_")
        file = f"{names.get(root, root)}_{suffix.partition('.')[0]}"
        parts.setdefault(member["exptype"], []).append(file)
    text = "; ".join(f"{part} {', '.join(files)}" for part, files in parts.items())
    product = association.product.removeprefix("jw01345-")
    return text if association.level == 2 else f"{product}: {text}"


def cases_of(
    table: Mapping[str, tuple[Columns, Iterable[Case]]],
) -> list[tuple[str, Columns, Case]]:
    """Return the cases of a table one by one."""
    return [(rule, base, case) for rule, (base, cases) in table.items() for case in cases]


def name_of(item: object) -> str | None:
    """Return a case's name in the list of tests."""
    if isinstance(item, Case):
        return item.why
    return item if isinstance(item, str) else ""
