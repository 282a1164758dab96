"""Who hands the state of a detector to whom."""

import re

import pytest

from calwebb_associate.handover import KINDS, Handover, in_turn, kind_of, leaving
from calwebb_associate.pipelines import (
    DETECTOR1,
    IMAGE2,
    OPTIONAL_TYPES,
    REFERENCE_TYPES,
    needed_types,
)
from calwebb_core.framework.errors import InputError

TRAPS = {"skip": False, "method": "traps"}
WINDOW = {"skip": False, "method": "window", "persistence_time": 9.0, "save_persistence": True}


def root(observation, exposure, detector="nrcalong", segment=""):
    return f"jw01345{observation:03d}001_02201_{exposure:05d}{segment}_{detector}"


def times(start, days=0.01, **more):
    return {"EXPSTART": start, "EXPEND": start + days, **more}


def test_options_that_hand_something_over():
    assert kind_of({}) is None
    assert kind_of(TRAPS | {"skip": True}) is None
    assert kind_of(TRAPS) is KINDS["traps"]
    assert kind_of(WINDOW) is KINDS["window"]
    assert kind_of(WINDOW | {"save_persistence": False}) is None
    with pytest.raises(InputError, match=r"persistence_time is None; expected a time in seconds"):
        kind_of(WINDOW | {"persistence_time": None})


def test_exposures_follow_in_the_order_of_time_whatever_their_names():
    headers = {
        root(1, 1): times(60000.5),
        root(2, 1): times(60000.1),
        root(3, 1): times(60000.2),
        root(1, 1, "nrca1"): times(60000.15),
        root(2, 2, "nrca1"): times(60000.0),
    }
    assert in_turn(headers) == {
        root(3, 1): root(2, 1),
        root(1, 1): root(3, 1),
        root(1, 1, "nrca1"): root(2, 2, "nrca1"),
    }


def test_segments_follow_in_the_order_of_their_numbers():
    names = [root(1, 1, segment=f"-seg{n:03d}") for n in (1, 2, 3)]
    headers = {name: times(60000.0, EXSEGNUM=n + 1) for n, name in enumerate(names)}
    assert in_turn(dict(reversed(headers.items()))) == {names[1]: names[0], names[2]: names[1]}


def test_nothing_is_handed_over_a_pause_of_days():
    headers = {root(1, 1): times(60000.0), root(2, 1): times(60001.5)}
    assert in_turn(headers) == {}


def test_a_missing_time_is_named():
    with pytest.raises(InputError, match=rf"{root(1, 1)}: EXPSTART is None"):
        in_turn({root(1, 1): {}, root(2, 1): times(60000.0)})


def test_only_detectors_with_all_references_leave_something():
    roots = [root(1, 1), root(1, 2), root(1, 1, "nrca1")]
    files = dict.fromkeys(KINDS["traps"].types, "x.fits")
    selections = {name: dict(files) for name in roots}
    assert leaving(KINDS["traps"], roots, selections) == roots
    selections[roots[1]]["persat"] = "N/A"
    assert leaving(KINDS["traps"], roots, selections) == roots[2:]
    assert leaving(KINDS["window"], roots, {name: {} for name in roots}) == roots


def test_the_pattern_takes_the_detectors_only():
    pattern = Handover(KINDS["traps"], ("nrca1", "nrcalong")).pattern
    assert re.fullmatch(pattern, root(1, 1))
    assert re.fullmatch(pattern, root(1, 1, "nrca1", segment="-seg001"))
    assert not re.fullmatch(pattern, root(1, 1, "nrca2"))


def test_types_of_steps_that_are_off_are_not_needed():
    assert not {"persat", "trapdensity", "trappars"} & set(needed_types(DETECTOR1))
    assert needed_types(DETECTOR1, list(OPTIONAL_TYPES)) == REFERENCE_TYPES[DETECTOR1]
    assert needed_types(IMAGE2) == REFERENCE_TYPES[IMAGE2]
