import json
from dataclasses import replace

import numpy as np
import pytest
from astropy.io import fits
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from calwebb_core.framework.errors import InputError
from calwebb_core.framework.names import ExposureName
from calwebb_core.framework.products import open_raw
from calwebb_simulator.plan import plan
from calwebb_simulator.run import make_catalog, run
from calwebb_simulator.scenario import with_options
from calwebb_simulator.scenario_file import load_scenario
from calwebb_simulator.segments import cut_exposure
from calwebb_simulator.transit import TargetStar


def series(**options):
    changes = {"subarray": "SUB64P", "groups": 3, "integrations": 7} | options
    return with_options(load_scenario("time-series"), **changes)


@pytest.fixture(scope="module")
def outcome(tmp_path_factory):
    return run(series(), tmp_path_factory.mktemp("series"), references=False)


@given(integrations=st.integers(1, 300), segments=st.integers(1, 12))
def test_segments_hold_every_integration_once(integrations, segments):
    if segments > integrations:
        with pytest.raises(InputError, match=f"segments is {segments}; expected 1 to"):
            cut_exposure(integrations, segments)
        return
    parts = cut_exposure(integrations, segments)
    assert [i for part in parts for i in part.integrations] == list(range(integrations))
    counts = [part.count for part in parts]
    assert max(counts) - min(counts) <= 1
    assert (parts[0].label is None) == (segments == 1)


def test_files_of_segments(outcome):
    bounds = []
    for number, path in enumerate(outcome.raw, start=1):
        name = ExposureName.parse(path)
        assert name.segment == f"{number:03d}"
        with open_raw(path) as raw:
            header = raw.metadata
            assert (header["EXSEGNUM"], header["EXSEGTOT"]) == (number, 3)
            assert (header["TSOVISIT"], header["EXP_TYPE"]) == (True, "NRC_TSIMAGE")
            assert header["NINTS"] == 7
            assert raw.shape[0] == header["INTEND"] - header["INTSTART"] + 1
            bounds.append((header["INTSTART"], header["INTEND"]))
    assert bounds == [(1, 3), (4, 5), (6, 7)]


def test_tables_number_integrations_through_the_exposure(outcome):
    entry = plan(series())[0]
    timing = entry.timing
    numbers, middles = [], []
    for path in outcome.raw:
        with fits.open(path) as hdus:
            times, groups = hdus["INT_TIMES"].data, hdus["GROUP"].data
            assert len(groups) == 3 * len(times)
            assert_array_equal(groups["integration_number"][::3], times["integration_number"])
            last = groups["bary_end_time"][2::3]
            # the last group is read when the integration ends
            assert_allclose(last, times["int_end_BJD_TDB"], atol=2e-10, rtol=0)
            numbers += list(times["integration_number"])
            middles += list(times["int_mid_MJD_UTC"])
    assert numbers == list(range(1, 8))
    between = (timing.integration_time + timing.frame_time) / 86400
    assert_allclose(np.diff(middles), between, rtol=1e-4)
    assert middles[0] == pytest.approx(entry.start.mjd + timing.integration_time / 2 / 86400)


def test_cutting_does_not_change_the_counts(outcome, tmp_path):
    whole = run(series(segments=1), tmp_path, references=False)
    assert [path.name.count("-seg") for path in whole.raw] == [0]
    parts = [fits.getdata(path, "SCI") for path in outcome.raw]
    assert_array_equal(np.concatenate(parts), fits.getdata(whole.raw[0], "SCI"))


def test_models_open_without_warnings(outcome):
    datamodels = pytest.importorskip("stdatamodels.jwst.datamodels")
    for path in outcome.raw:
        with datamodels.open(path, strict_validation=True, validate_on_assignment=True) as model:
            assert model.meta.exposure.segment_number in (1, 2, 3)
            assert model.meta.visit.tsovisit
            assert model.int_times["integration_number"][0] == model.meta.exposure.integration_start


def test_truth_of_segments(outcome):
    truth = sorted(outcome.truth.glob("*_truth.fits"))
    light = []
    for path in truth:
        with fits.open(path) as hdus:
            rows = hdus["LIGHT_CURVE"].data
            light += list(rows["light"])
            mean = rows["light"].mean()
            rest = hdus["SCI"].data - mean * hdus["TARGET"].data
            assert rest.max() < 0.02 * hdus["TARGET"].data.max()
            assert hdus["COSMIC_RAYS"].data["integration"].max(initial=0) < len(rows)
    assert min(light) == pytest.approx(1 - 0.012)
    assert light[0] == light[-1] == 1.0
    summary = json.loads((outcome.truth / "truth.json").read_text())
    assert [item["segment"] for item in summary["exposures"]] == [[1, 3], [2, 3], [3, 3]]
    assert [item["first_integration"] for item in summary["exposures"]] == [1, 4, 6]


def test_light_of_a_transit():
    star = TargetStar(15.0, depth=0.01, middle=0.5, duration=0.4, ingress=0.1)
    phase = np.array([0.0, 0.3, 0.35, 0.4, 0.5, 0.6, 0.65, 0.7, 1.0])
    expected = [1, 1, 0.995, 0.99, 0.99, 0.99, 0.995, 1, 1]
    assert_allclose(star.light(phase), expected, atol=1e-12)
    assert_array_equal(replace(star, depth=0.0).light(phase), 1.0)


def test_transit_is_in_the_counts(tmp_path):
    scenario = replace(series(groups=2, integrations=9, segments=1), effects=frozenset())
    path = run(scenario, tmp_path, references=False).raw[0]
    data = fits.getdata(path, "SCI").astype(float)
    truth = fits.open(tmp_path / "truth" / path.name.replace("uncal", "truth"))
    with truth:
        star, light = truth["TARGET"].data, truth["LIGHT_CURVE"].data["light"]
        inside = star > 0.02 * star.max()
        step = (data[:, 1] - data[:, 0])[:, inside].sum(axis=1)
        tgroup = truth[0].header["TGROUP"]
        steady = (truth["SCI"].data - star * light.mean())[inside].sum()
        expected = tgroup * (steady + light * star[inside].sum())
    assert_allclose(step, expected, atol=0.6 * np.sqrt(2 * inside.sum()))


def test_target_needs_its_number(tmp_path):
    table = make_catalog(series())
    table.write(tmp_path / "sky.ecsv", format="ascii.ecsv")
    scenario = series()
    scene = replace(scenario.scene, catalog="sky.ecsv")
    with pytest.raises(InputError, match="has a source with id 0, which is the target's"):
        make_catalog(replace(scenario, scene=scene, folder=tmp_path))


def test_bad_options_of_series():
    with pytest.raises(InputError, match="segments is 9; expected 1 to 7"):
        series(segments=9)
    with pytest.raises(InputError, match="distinct is -1; expected 0 or more"):
        series(distinct=-1)
    with pytest.raises(InputError, match="persistence depends on what came before; expected 0"):
        series(distinct=2, effects=frozenset({"persistence"}))
    with pytest.raises(InputError, match="integrations of MIRI differ; expected 0"):
        with_options(load_scenario("miri"), distinct=1)
