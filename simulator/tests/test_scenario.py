import pytest
import yaml

from calwebb_core.framework.errors import InputError
from calwebb_simulator.effects import DEFAULT_EFFECTS, chosen_effects
from calwebb_simulator.instruments import instrument_named
from calwebb_simulator.scenario import with_options
from calwebb_simulator.scenario_file import built_in, load_scenario, parse_scenario

GOOD = {"name": "x", "exposures": [{"detectors": ["NRCB1"], "filters": ["F200W"]}]}


def parse(**changes):
    return parse_scenario(yaml.safe_dump(GOOD | changes), "x.yaml")


FILES = {
    "averaged": 4, "big-full": 1, "big-series": 1, "demo": 4, "fgs": 1, "miri": 2, "niriss": 4,
    "nirspec-irs2": 1, "nirspec-subarray": 2, "persistence": 4, "tiny": 4, "time-series": 3,
    "two-filters": 16,
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(FILES))
def test_scenarios_of_the_package(name):
    scenario = load_scenario(name)
    assert scenario.name == name
    assert scenario.description == built_in()[name]
    assert scenario.count == FILES[name]


def test_file_of_the_user(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text(yaml.safe_dump(GOOD))
    scenario = load_scenario(str(path))
    assert scenario.exposures[0].groups == 10
    assert scenario.folder == tmp_path


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"sead": 3}, "unknown option 'sead'; did you mean seed"),
        ({"seed": "a"}, "seed is 'a'; expected int"),
        ({"seed": True}, "seed is True; expected int"),
        ({"program": "12"}, "program is '12'; expected five digits"),
        ({"references": "half"}, "references is 'half'; expected full or subarray"),
        ({"instrument": "MIRRI"}, "unknown instrument 'MIRRI'; the simulator knows .*NIRCAM"),
        ({"exposures": []}, "exposures is .*; expected a list"),
        ({"exposures": [{"detectors": ["NRCB1"]}]}, "missing 1 required positional argument"),
        ({"scene": {"stars": {"count": 1.5}}}, "scene: stars: count is 1.5; expected int"),
        ({"scene": 5}, "scene: found int; expected a mapping"),
        ({"effects": {"of": ["dark"]}}, "effects has of; expected off, on or only"),
        ({"effects": {"off": ["drak"]}}, "unknown effect drak; there are bias"),
    ],
)
def test_mistakes_are_explained(changes, message):
    with pytest.raises(InputError, match=message):
        parse(**changes)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"detectors": ["NRCB9"]}, "unknown detector of NIRCAM: 'NRCB9'"),
        ({"filters": ["F201W"]}, "unknown filter of NIRCAM: 'F201W'"),
        ({"filters": ["F444W"]}, "F444W is not in front of detector NRCB1"),
        ({"readpatt": "SLOW"}, "unknown readout pattern of NIRCAM: 'SLOW'"),
        ({"groups": 0}, "groups is 0; expected at least 1"),
        ({"dithers": []}, "dithers is empty"),
        ({"dithers": [[1.0]]}, r"dithers is \[1.0\]; expected 2 values"),
        ({"detectors": "NRCB1"}, "detectors is 'NRCB1'; expected a list"),
    ],
)
def test_mistakes_in_exposures_are_explained(changes, message):
    entry = GOOD["exposures"][0] | changes
    with pytest.raises(InputError, match=message):
        parse(exposures=[entry])


def test_bare_on_and_off_are_no_truth_values():
    text = yaml.safe_dump(GOOD) + "effects: {on: [persistence], off: [dark]}\n"
    effects = parse_scenario(text, "x.yaml").effects
    assert "persistence" in effects
    assert "dark" not in effects


@pytest.mark.parametrize(
    ("scene", "message"),
    [
        ({"target": {}}, "missing 1 required positional argument: 'magnitude'"),
        ({"target": {"magnitude": 12, "dept": 1.0}}, "unknown option 'dept'; did you mean depth"),
        ({"target": 12.0}, "scene: target: found float; expected a mapping"),
    ],
)
def test_mistakes_in_the_target_are_explained(scene, message):
    with pytest.raises(InputError, match=message):
        parse(scene=scene)


def test_yaml_and_names():
    with pytest.raises(InputError, match="is not YAML"):
        parse_scenario("a: [", "x.yaml")
    with pytest.raises(InputError, match="unknown scenario 'tinny'; did you mean tiny"):
        load_scenario("tinny")
    with pytest.raises(InputError, match="the scenario file does not exist"):
        load_scenario("none.yaml")


def test_options_win():
    changed = with_options(load_scenario("tiny"), groups=3, count=6, seed=9, subarray=None)
    assert changed.exposures[0].groups == 3
    assert changed.seed == 9
    assert changed.exposures[0].subarray == "SUB160"
    dithers = changed.exposures[0].dithers
    assert len(set(dithers)) == 6
    with pytest.raises(InputError, match="number of exposures is 0"):
        with_options(changed, count=0)


def test_effects():
    assert "ipc" not in DEFAULT_EFFECTS
    assert chosen_effects(off=["dark"]) == DEFAULT_EFFECTS - {"dark"}
    assert chosen_effects(only=["dark"], on=["ipc"]) == {"dark", "ipc"}
    assert chosen_effects(only=[]) == frozenset()


def test_each_channel_has_its_filters():
    nircam = instrument_named("nircam")
    assert not set(nircam.channels["SHORT"]) & set(nircam.channels["LONG"])
    assert len(nircam.detectors) == 10
