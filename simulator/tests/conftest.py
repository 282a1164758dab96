"""Scenarios small enough to simulate in a second."""

from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import pytest

from calwebb_simulator.clocks import frame_time
from calwebb_simulator.detector import Properties, detector_properties
from calwebb_simulator.geometry import Frame
from calwebb_simulator.instruments import instrument_named
from calwebb_simulator.ramp import Chamber
from calwebb_simulator.readout import Timing
from calwebb_simulator.readouts import special_readout
from calwebb_simulator.run import Outcome, run
from calwebb_simulator.scenario import Scenario, with_options
from calwebb_simulator.scenario_file import load_scenario


def small_scenario(**options) -> Scenario:
    """One exposure of 64 x 64 pixels."""
    tiny = load_scenario("tiny")
    return with_options(tiny, **{"subarray": "SUB64P", "groups": 5, "count": 1} | options)


@pytest.fixture(scope="session")
def nircam():
    return instrument_named("NIRCAM")


@pytest.fixture(scope="session")
def tiny_run(tmp_path_factory) -> tuple[Scenario, Outcome]:
    """The scenario `tiny`, with two of its four dithers."""
    scenario = with_options(load_scenario("tiny"), count=2)
    return scenario, run(scenario, tmp_path_factory.mktemp("tiny"))


@lru_cache(maxsize=3)
def properties_of(instrument, detector, subarray, effects) -> Properties:
    """Properties of a frame, kept: those of a whole detector take seconds."""
    known = instrument_named(instrument)
    frame = Frame.of(known, known.detector(detector), subarray)
    return detector_properties(known, frame, 0, effects)


def chamber_of(
    instrument, detector, readpatt, subarray="FULL", *, effects=(), groups=2, integrations=1
) -> Chamber:
    """A chamber of any instrument."""
    known = instrument_named(instrument)
    frame = Frame.of(known, known.detector(detector), subarray)
    pattern = known.pattern(readpatt)
    timing = Timing(frame_time(known, frame, pattern), pattern, groups, integrations)
    chosen = frozenset(effects)
    properties = properties_of(instrument, detector, subarray, chosen)
    seed = (1, "test")
    special = special_readout(known, frame, properties, timing, chosen, 0, seed)
    return Chamber(frame, properties, timing, chosen, known.pixel_pitch, 5.0, seed, special=special)


@pytest.fixture
def known_of():
    """The properties of an exposure's frame."""

    def find(entry, effects=frozenset()) -> Properties:
        frame = entry.frame
        return properties_of(
            entry.instrument.name, frame.detector.name, frame.subarray, frozenset(effects)
        )

    return find


@pytest.fixture
def room_of():
    return chamber_of


@pytest.fixture
def small():
    return small_scenario


@pytest.fixture
def silent(small) -> Scenario:
    """A scenario without any effect and without sources."""
    scenario = small(effects=frozenset())
    scene = replace(
        scenario.scene,
        stars=replace(scenario.scene.stars, count=0),
        galaxies=replace(scenario.scene.galaxies, count=0),
    )
    return replace(scenario, scene=scene)


@pytest.fixture
def output(tmp_path: Path) -> Path:
    for name in ("uncal", "truth"):
        (tmp_path / name).mkdir()
    return tmp_path
