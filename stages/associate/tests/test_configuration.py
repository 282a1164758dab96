"""Validation of the workflow's configuration, and which options differ from their defaults."""

import pytest

from calwebb_associate.configuration import changed_options, validate
from calwebb_core.framework.errors import InputError

STEP = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "skip": {"type": "boolean", "default": False},
        "rejection_threshold": {
            "type": "number", "minimum": 0, "default": 4.0, "description": "In sigma",
        },
        "algorithm": {"type": "string", "enum": ["OLS_C"], "default": "OLS_C"},
    },
}  # fmt: skip
SCHEMA = {
    "type": "object",
    "additionalProperties": False,
    "required": ["uncal"],
    "properties": {
        "uncal": {"type": "string"},
        "detector1": {
            "type": "object",
            "additionalProperties": False,
            "properties": {"jump": STEP},
        },
    },
}


def config(**jump):
    return {"uncal": "raw", "detector1": {"jump": jump}}


def test_a_right_configuration_passes():
    validate(config(rejection_threshold=5), SCHEMA)


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({**config(), "uncall": "x"}, r"unknown key uncall; did you mean uncal\?"),
        (config(threshold_rejection=3), r"unknown key detector1.jump.threshold_rejection"),
        (config(rejection_threshold=-1), r"detector1.jump.rejection_threshold is -1.*In sigma"),
        (config(skip="no"), "detector1.jump.skip is 'no'"),
        (config(algorithm="GLS"), "detector1.jump.algorithm is 'GLS'"),
        ({"detector1": {}}, "'uncal' is a required property"),
    ],
)
def test_each_mistake_is_named(wrong, sentence):
    with pytest.raises(InputError, match=sentence):
        validate(wrong, SCHEMA)


def test_only_what_differs_from_the_default_is_passed_on():
    section = {"jump": {"skip": False, "rejection_threshold": 5.5, "algorithm": "OLS_C"}}
    schema = SCHEMA["properties"]["detector1"]
    assert changed_options(section, schema) == ["jump.rejection_threshold=5.5"]
    section["jump"]["rejection_threshold"] = 4
    assert changed_options(section, schema) == []
    section["jump"]["skip"] = True
    assert changed_options(section, schema) == ["jump.skip=true"]


def test_a_number_is_not_taken_for_a_truth_value():
    schema = {"properties": {"a": {"properties": {"on": {"default": False}}}}}
    assert changed_options({"a": {"on": 0}}, schema) == ["a.on=0"]
