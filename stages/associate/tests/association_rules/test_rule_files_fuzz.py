"""Whatever a rules file holds, it gives rules that can be used, or one sentence."""

import copy
import tomllib
from dataclasses import replace
from importlib.resources import files

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calwebb_associate.generate import make_associations
from calwebb_associate.pool import Pool
from calwebb_associate.rule_files import (
    OPTIONAL,
    OWN,
    additions_of,
    own_rules,
    parse_rules,
    rules_of,
)
from calwebb_associate.rule_forms import JOIN, RULE
from calwebb_core.framework.errors import InputError

from .rows import COLUMNS, row

POOL = Pool(
    COLUMNS,
    (
        row(1, exp_type="mir_image", filter="f560w", patt_num="1", obs_id="x", act_id="1"),
        row(2, exp_type="mir_image", filter="f560w", patt_num="2", is_psf="t"),
        row(3, exp_type="nis_wfss", filter="gr150r", pupil="f200w", expspcin="1"),
        row(4, exp_type="nis_image", filter="clear", pupil="f200w", expspcin="2"),
        row(5, exp_type="nrs_ifu", grating="prism", filter="clear", mostilno="1"),
        row(6, exp_type="nrs_ifu", grating="prism", filter="clear", mostilno="1", is_imprt="t"),
    ),
)
FOLDER = files("calwebb_associate") / "rules"
FILES = (*OWN, *(f"{name}.toml" for name in OPTIONAL))
CONTENTS = [tomllib.loads((FOLDER / name).read_text(encoding="utf-8")) for name in FILES]
words = st.sampled_from(
    ["science", "psf", "filter", "target", "mir_image", "@nods", "opaque", "apart", "catalogs",
     "a?", "", "{", "{target}", "image2", "spec3", "imprints", "same_mode", "one_target"]
)  # fmt: skip
anything = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 3) | words | st.text(max_size=8) | st.floats(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(sorted({*RULE, *JOIN, "filter", "lists"})) | st.text(max_size=5),
            inner,
            max_size=3,
        )
    ),
    max_leaves=6,
)


def places(item):
    """Yield each place in nested tables and lists: what holds it, and its key."""
    for key in item if isinstance(item, dict) else range(len(item)):
        yield item, key
        if isinstance(item[key], (dict, list)):
            yield from places(item[key])


def used(content):
    """Make associations by the rules of a file's content, or return the sentence."""
    try:
        rules = rules_of(content, "mine.toml")
        additions = additions_of(content, "mine.toml")
        rules = [
            replace(rule, joins=(*rule.joins, *additions.get(rule.name, ())))
            for rule in (*rules, *(one for one in own_rules() if one.name in additions))
        ]
        make_associations(POOL, rules=rules, discover=True)
    except InputError as error:
        return str(error)
    return ""


def sentence_or_nothing(text):
    """Whether it is one line that names a file, a rule's or an exposure's."""
    return not text or (text.startswith(("mine.toml: ", "jw01345")) and "\n" not in text)


@given(st.sampled_from(CONTENTS), st.data())
@settings(max_examples=150, deadline=None)
def test_the_projects_files_with_some_values_replaced(original, data):
    content = copy.deepcopy(original)
    for key in {"rule", "also"} & set(content):
        content[key] = data.draw(st.lists(st.sampled_from(content[key]), min_size=1, max_size=3))
    content = copy.deepcopy(content)
    for _ in range(data.draw(st.integers(1, 3))):
        holder, key = data.draw(st.sampled_from(list(places(content)) or [({"rule": 1}, "rule")]))
        if data.draw(st.booleans()):
            holder[key] = data.draw(anything)
        else:
            del holder[key]
    assert sentence_or_nothing(used(content))


@given(st.dictionaries(st.sampled_from(["lists", "shared", "rule", "also", "rules"]), anything))
@settings(max_examples=100, deadline=None)
def test_any_content(content):
    assert sentence_or_nothing(used(content))


@given(st.text(max_size=60))
@settings(max_examples=100, deadline=None)
def test_any_text(text):
    with pytest.raises(InputError) as caught:
        parse_rules(text, "mine.toml")
    assert sentence_or_nothing(str(caught.value))


def test_own_rules_are_used_by_this_test():
    assert make_associations(POOL, rules=own_rules())
