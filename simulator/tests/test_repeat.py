from dataclasses import replace

import numpy as np
import pytest
from astropy.io import fits
from numpy.testing import assert_allclose, assert_array_equal

from calwebb_simulator.kernels.repeat import compose
from calwebb_simulator.run import run
from calwebb_simulator.scenario import with_options
from calwebb_simulator.scenario_file import load_scenario

NOISY = frozenset({"read_noise", "photon_noise", "bias", "cosmic_rays"})


def series(**options):
    changes = {"subarray": "SUB64P", "groups": 3, "integrations": 30, "distinct": 3}
    scenario = with_options(load_scenario("big-series"), **(changes | options))
    return replace(scenario, cosmic_ray_flux=20_000.0)


@pytest.fixture(scope="module")
def fast(tmp_path_factory):
    scenario = replace(series(), effects=NOISY)
    return scenario, run(scenario, tmp_path_factory.mktemp("fast"), references=False)


def data_of(outcome):
    (path,) = outcome.raw
    with fits.open(outcome.truth / path.name.replace("uncal", "truth")) as hdus:
        parts = [np.array(hdus[name].data) for name in ("SCI", "TARGET", "COSMIC_RAYS")]
        parts.append(np.array(hdus["LIGHT_CURVE"].data["light"]))
        parts.append(hdus[0].header["TGROUP"])
    return fits.getdata(path, "SCI").astype(float), *parts


def test_distinct_integrations_are_those_of_the_full_simulation(fast, tmp_path):
    scenario, outcome = fast
    slow = run(
        replace(scenario, exposures=(replace(scenario.exposures[0], distinct=0),)),
        tmp_path,
        references=False,
    )
    one, other = (fits.getdata(item.raw[0], "SCI") for item in (outcome, slow))
    # the first has the full light: nothing was interpolated
    assert_array_equal(one[0], other[0])
    assert not np.array_equal(one[5], other[5])


def test_every_integration_has_its_own_noise_and_the_light_of_its_time(fast):
    data, rate, star, hits, light, tgroup = data_of(fast[1])
    hit = np.zeros(data.shape, dtype=bool)
    hit[hits["integration"], hits["group"], hits["y"], hits["x"]] = True
    step = np.where(hit[:, 2], np.nan, data[:, 2] - data[:, 1])
    inside = (star < 0.01 * star.max()) & (rate > 0)
    assert np.nanmean(step[:, inside]) == pytest.approx(rate[inside].mean() * tgroup, abs=0.05)
    frames = step.reshape(len(step), -1)
    assert len({frame.tobytes() for frame in frames}) == len(frames)
    core = star > 0.1 * star.max()
    expected = (rate + star * (light[:, None, None] - light.mean()))[:, core] * tgroup
    # the noise of the star lands elsewhere after the first integrations
    assert_allclose(np.nanmean(step[:, core]), expected.mean(), rtol=0.01)


def test_list_of_hits_is_moved_too(fast):
    data, _, _, hits, _, _ = data_of(fast[1])
    big = hits[(hits["charge"] > 4000) & (hits["group"] > 0) & (hits["integration"] > 5)]
    assert len(big) > 20
    at = big["integration"], big["group"], big["y"], big["x"]
    before = big["integration"], big["group"] - 1, big["y"], big["x"]
    jump = (data[at] - data[before]) * 2.05
    assert np.median(jump / big["charge"]) == pytest.approx(1.0, abs=0.2)


def test_cutting_does_not_change_the_counts(fast, tmp_path):
    scenario, outcome = fast
    cut = replace(scenario, exposures=(replace(scenario.exposures[0], segments=4),))
    parts = run(cut, tmp_path, references=False).raw
    joined = np.concatenate([fits.getdata(path, "SCI") for path in parts])
    # levels of light differ between segments, so counts may differ by rounding
    assert np.abs(joined.astype(int) - fits.getdata(outcome.raw[0], "SCI")).max() <= 1


def test_kernel_agrees_with_numpy():
    rng = np.random.default_rng(3)
    bright, dim = (rng.integers(9000, 20000, (2, 9, 12)).astype(np.uint16) for _ in range(2))
    noise = rng.integers(-20000, 60000, (2, 9, 12)).astype(np.int32)
    out, box = np.empty_like(bright), (2, 11, 1, 8)
    compose(out, bright, dim, 0.3, noise, (4, 3), box)
    moved = noise.copy()
    rows = np.roll(noise[:, 1:8], 3, axis=1)
    moved[:, 1:8] = rows
    moved[:, 1:8, 2:11] = np.roll(rows[:, :, 2:11], 4, axis=2)
    base = bright + 0.3 * (dim.astype(float) - bright)
    assert_array_equal(out, np.clip(np.rint(base + moved), 0, 65535).astype(np.uint16))
