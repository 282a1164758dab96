import json
import math
from dataclasses import dataclass, replace

import jsonschema
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from calwebb_core.framework.errors import InputError
from calwebb_core.framework.parameter_docs import markdown_table, plain, schema_of
from calwebb_core.framework.parameters import (
    NoParameters,
    describe_kind,
    make_parameters,
    merge,
    option,
    options_of,
    parse_setting,
    read_parameter_file,
)
from calwebb_core.framework.settings import settle

from .toy import PIPELINE, AddParameters


def make(**values):
    return make_parameters("first", AddParameters, values)


def test_defaults():
    assert make() == AddParameters()


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"amount": 3}, 3.0),
        ({"amount": "1e-3"}, 0.001),
        ({"limit": None}, None),
        ({"limit": "none"}, None),
        ({"limit": 2}, 2.0),
        ({"window": [3, 4, 5]}, (3, 4, 5)),
        ({"kind": "odd"}, "odd"),
    ],
)
def test_values_are_converted(values, expected):
    result = getattr(make(**values), next(iter(values)))
    assert result == expected
    assert type(result) is type(expected)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"amount": -1}, r"first\.amount is -1\.0 DN; expected 0 to 100 DN"),
        ({"amount": math.nan}, r"first\.amount is nan DN; expected 0 to 100 DN"),
        ({"amount": True}, r"first\.amount is True; expected a number"),
        ({"amount": "much"}, r"first\.amount is 'much'; expected a number"),
        ({"rounds": 0}, r"first\.rounds is 0; expected at least 1"),
        ({"rounds": 1.5}, r"first\.rounds is 1\.5; expected a whole number"),
        ({"kind": "od"}, r"first\.kind is 'od'; expected one of plain, odd"),
        ({"kind": 3}, r"first\.kind is 3; expected one of plain, odd"),
        ({"kind": True}, r"first\.kind is True; expected a text"),
        ({"limit": "x"}, r"first\.limit is 'x'; expected a number or none"),
        ({"window": 3}, r"first\.window is 3; expected a list of whole numbers"),
        ({"amuont": 3}, r"step first has no option 'amuont'; did you mean amount\?"),
        ({"zzz": 3}, r"no option 'zzz'; known: amount, rounds"),
    ],
)
def test_wrong_values_are_explained(values, message):
    with pytest.raises(InputError, match=message):
        make(**values)


@pytest.mark.parametrize(("value", "text"), [(5, "5"), (4.5, "4.5"), ("5 4", "5 4")])
def test_numbers_are_taken_for_texts(value, text):
    """`--set outlier_detection.snr=5` where the option may have two numbers."""

    @dataclass(frozen=True)
    class Limits:
        snr: str = option("5.0 4.0", "Limits")

    assert make_parameters("s", Limits, {"snr": value}).snr == text


def test_largest_only():
    @dataclass(frozen=True)
    class Small:
        size: int = option(1, "Size", maximum=3)

    with pytest.raises(InputError, match=r"s\.size is 4; expected at most 3"):
        make_parameters("s", Small, {"size": 4})


def test_fixed_tuple():
    @dataclass(frozen=True)
    class Shape:
        shape: tuple[int, int] | None = option(None, "Shape")

    assert make_parameters("s", Shape, {"shape": [3, 4]}).shape == (3, 4)
    with pytest.raises(InputError, match=r"s\.shape is \[3\]"):
        make_parameters("s", Shape, {"shape": [3]})


def test_step_without_parameters():
    assert options_of(NoParameters) == {}
    assert options_of(int) == {}
    with pytest.raises(InputError, match="step second has no option 'x'"):
        settle(PIPELINE, parameters={"second": {"x": 1}})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("jump.rejection_threshold=5", ("jump", "rejection_threshold", 5)),
        ("a.b=true", ("a", "b", True)),
        ("a.b=[1, 2]", ("a", "b", [1, 2])),
        ("a.b=x=y", ("a", "b", "x=y")),
        ("a.b=", ("a", "b", None)),
        ("a.b=[1", ("a", "b", "[1")),
    ],
)
def test_setting(text, expected):
    assert parse_setting(text) == expected


@pytest.mark.parametrize("text", ["a", "a.b", "a=3", ".b=3", "a.=3", "=3"])
def test_malformed_setting(text):
    with pytest.raises(InputError, match=r"expected STEP\.PARAM=VALUE"):
        parse_setting(text)


@given(st.floats(0, 100), st.integers(1), st.none() | st.floats(allow_nan=False))
def test_settings_round_trip_through_text(amount, rounds, limit):
    values = {"amount": amount, "rounds": rounds, "limit": limit}
    read = {}
    for name, value in values.items():
        _, key, parsed = parse_setting(f"first.{name}={plain(value)}")
        read[key] = parsed
    assert make(**read) == replace(AddParameters(), **values)


def test_later_layers_win():
    assert merge({"a": {"x": 1, "y": 2}}, {"a": {"x": 3}, "b": {}}) == {
        "a": {"x": 3, "y": 2},
        "b": {},
    }


def test_parameter_file(tmp_path):
    path = tmp_path / "p.yaml"
    path.write_text("first:\n  amount: 3\nsecond:\n")
    assert read_parameter_file(path) == {"first": {"amount": 3}, "second": {}}
    path.write_text("")
    assert read_parameter_file(path) == {}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[1, 2]", "expected a mapping of steps to options"),
        ("first: 3", "step first is 3; expected a mapping"),
        ("a: [", "not a YAML file"),
        ("!!python/object/apply:os.getcwd []", "not a YAML file"),
    ],
)
def test_wrong_parameter_file(tmp_path, text, message):
    path = tmp_path / "p.yaml"
    path.write_text(text)
    with pytest.raises(InputError, match=message):
        read_parameter_file(path)


def test_missing_parameter_file(tmp_path):
    with pytest.raises(InputError, match=r"p\.yaml: the parameter file cannot be read"):
        read_parameter_file(tmp_path / "p.yaml")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"skip": "yes"}, r"first\.skip is 'yes'; expected true or false"),
        ({"save": 1}, r"first\.save is 1; expected true or false"),
        ({"pre_hooks": 3}, r"first\.pre_hooks is 3; expected a list"),
        ({"post_hooks": [""]}, r"first\.post_hooks is \[''\]; expected a list"),
        ({"skp": True}, r"no option 'skp'; did you mean skip"),
    ],
)
def test_wrong_wishes(values, message):
    with pytest.raises(InputError, match=message):
        settle(PIPELINE, parameters={"first": values})


def test_wishes():
    values = {"skip": False, "save": True, "pre_hooks": "echo a", "post_hooks": ["echo b"]}
    wish = settle(PIPELINE, parameters={"first": values}, pre_hooks=["first=echo c"])["first"]
    assert (wish.skip, wish.save) == (False, True)
    assert wish.pre_hooks == ("echo a", "echo c")
    assert wish.post_hooks == ("echo b",)


def test_unknown_step_in_parameters():
    with pytest.raises(InputError, match="calwebb_toy has no step 'fist'; did you mean first"):
        settle(PIPELINE, parameters={"fist": {"amount": 1}})


def test_schema_takes_the_defaults_and_nothing_unknown():
    schema = schema_of(PIPELINE)
    jsonschema.Draft202012Validator.check_schema(schema)
    for step in PIPELINE.steps:
        options = schema["properties"][step.name]["properties"]
        defaults = {name: option["default"] for name, option in options.items()}
        jsonschema.validate(json.loads(json.dumps({step.name: defaults})), schema)
        assert all(option["description"] for option in options.values())
    for wrong in ({"frist": {}}, {"first": {"amuont": 1}}, {"first": {"amount": 101}}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(wrong, schema)


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "amount": st.floats(-10, 110),
            "rounds": st.integers(-3, 3),
            "kind": st.sampled_from(["plain", "odd", "other"]),
            "limit": st.none() | st.floats(-1, 1) | st.booleans(),
            "skip": st.booleans() | st.none(),
        },
    )
)
def test_schema_and_python_agree(values):
    try:
        jsonschema.validate({"first": values}, schema_of(PIPELINE))
        valid = True
    except jsonschema.ValidationError:
        valid = False
    if values.get("skip", False) is None:
        return
    try:
        settle(PIPELINE, parameters={"first": values})
        accepted = True
    except InputError:
        accepted = False
    assert valid == accepted


def test_markdown_table_names_every_option():
    table = markdown_table(PIPELINE)
    for step in PIPELINE.steps:
        assert f"**{step.name}**" in table
        for name in options_of(step.parameters):
            assert f"`{name}`" in table
    widths = {line.replace("\\|", "").count("|") for line in table.splitlines()}
    assert widths == {6}


def test_plain_values_are_yaml():
    for value in (None, True, 1, 2.5, "text", (1, 2)):
        read = yaml.safe_load(plain(value))
        assert read == (list(value) if isinstance(value, tuple) else value)


def test_kinds_in_words():
    assert describe_kind(float | None) == "a number or none"
    assert describe_kind(tuple[float, ...]) == "a list of numbers"
