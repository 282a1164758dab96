"""The reference page of the rules is current, whole and readable."""

import re
from pathlib import Path

import pytest

from calwebb_associate.conditions import CONDITIONS
from calwebb_associate.exposure_types import EXP_TYPES
from calwebb_associate.rule_page import CHOICES, CONDITION_COLUMNS, FINISHES, rules_page
from calwebb_associate.rulebook import CHOICES as RULE_CHOICES
from calwebb_associate.rulebook import FINISHES as RULE_FINISHES

from .rows import RULES, Exposure, row

PAGE = Path(__file__).parents[4] / "docs" / "association_rules.md"


class Watched(dict):
    """A row that remembers which columns were asked for."""

    def __init__(self, values):
        super().__init__(values)
        self.asked = set()

    def get(self, column, default=None):
        self.asked.add(column)
        return super().get(column, default)


@pytest.fixture(scope="module")
def page():
    return rules_page()


def test_the_committed_page_is_current(page):
    assert PAGE.read_text(encoding="utf-8") == page, "run `make schemas`"


def test_every_rule_and_condition_is_there(page):
    sections = re.findall(r"^### (.+)$", page, re.MULTILINE)
    assert sections == list(RULES)
    for rule in RULES.values():
        assert page.count(f"\n{rule.sentence}\n") == 1
        assert f"| [{rule.name}](#{rule.name.lower()}) | {rule.makes} | {rule.sentence}" in page
        for selection in rule.takes:
            assert all(f"`{name}`" in page for name in selection.exp_types)
    for name, (meaning, _) in CONDITIONS.items():
        assert f"| *{name}* | {meaning} |" in page


def test_tables_have_as_many_cells_in_each_line(page):
    for block in page.split("\n\n"):
        if block.startswith("|"):
            bars = {len(re.findall(r"(?<!\\)\|", line)) for line in block.splitlines()}
            assert len(bars) == 1, block


def test_links_lead_to_sections(page):
    anchors = {name.lower() for name in re.findall(r"^### (.+)$", page, re.MULTILINE)}
    assert set(re.findall(r"\]\(#(.+?)\)", page)) == anchors


def test_no_word_stands_for_nothing(page):
    assert "``" not in page
    assert "; ;" not in page
    assert "None" not in page


def test_words_are_explained():
    assert set(CHOICES) == set(RULE_CHOICES)
    assert set(FINISHES) == set(RULE_FINISHES)


@pytest.mark.parametrize("exp_type", sorted(EXP_TYPES))
def test_columns_of_conditions_are_listed(exp_type):
    for opmode in ("ifu", "fixedslit"):
        watched = Watched(row(exp_type=exp_type, opmode=opmode, grating="prism", lamp="line4"))
        exposure = Exposure(watched)
        assert exposure.role
        for condition in CONDITIONS:
            exposure.meets(condition)
        assert watched.asked <= set(CONDITION_COLUMNS)
