"""Scenarios small enough to simulate in a second."""

from dataclasses import replace
from pathlib import Path

import pytest

from calwebb_simulator.instruments import instrument_named
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
