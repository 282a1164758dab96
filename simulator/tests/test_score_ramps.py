from dataclasses import replace

import numpy as np
import pytest
from astropy.io import fits

from calwebb_core.framework.errors import InputError
from calwebb_core.science.dq import GroupDQ
from calwebb_simulator.cosmic_rays import HIT_DTYPE
from calwebb_simulator.events import EVENT_DTYPE
from calwebb_simulator.run import run
from calwebb_simulator.scenario import with_options
from calwebb_simulator.scenario_file import load_scenario
from calwebb_simulator.score import score
from calwebb_simulator.score_jumps import brightest, explained_by, score_jumps
from calwebb_simulator.score_series import aperture_sum, fit_depth

SHAPE = (2, 6, 40, 50)
ROOT = "jw01236001001_02101_00001_nrcb1"
JUMP = int(GroupDQ.JUMP_DET)


def hit(integration, group, x, y, charge, track):
    row = np.zeros(1, dtype=HIT_DTYPE)
    row["integration"], row["group"], row["x"], row["y"] = integration, group, x, y
    row["charge"], row["track"], row["frame"] = charge, track, group + 1
    return row


def write_truth(folder, hits, events=None, frames=1):
    header = fits.Header()
    header.update({"INTSTART": 1, "INTEND": 2, "NGROUPS": 6, "GAIN": 2.0, "NFRAMES": frames})
    hdus = [fits.PrimaryHDU(header=header), fits.ImageHDU(np.ones(SHAPE[2:], "f4"), name="SCI")]
    hdus.append(fits.BinTableHDU(np.concatenate(hits), name="COSMIC_RAYS"))
    if events is not None:
        hdus.append(fits.BinTableHDU(events, name="LARGE_EVENTS"))
    fits.HDUList(hdus).writeto(folder / f"{ROOT}_truth.fits", overwrite=True)


def write_ramp(path, flags, pixels=None, data=None):
    data = np.zeros(SHAPE, "f4") if data is None else data
    pixels = np.zeros(SHAPE[2:], np.uint32) if pixels is None else pixels
    hdus = [fits.PrimaryHDU(), fits.ImageHDU(data, name="SCI")]
    hdus += [fits.ImageHDU(pixels, name="PIXELDQ"), fits.ImageHDU(flags, name="GROUPDQ")]
    fits.HDUList(hdus).writeto(path, overwrite=True)
    return {ROOT: path}


def scored(folder, flags, **parts):
    return score_jumps(folder, write_ramp(folder / "x_jump.fits", flags, **parts))


def by_energy(found, name):
    return [row[name] for row in found["intervals"]]


def test_found_missed_and_false_by_energy(tmp_path):
    hits = [hit(0, 2, 5, 6, 45, 0), hit(0, 3, 15, 6, 50, 1), hit(1, 4, 25, 6, 80, 2),
            hit(1, 1, 35, 6, 900, 3)]  # fmt: skip
    write_truth(tmp_path, hits)
    flags, data = np.zeros(SHAPE, "u1"), np.zeros(SHAPE, "f4")
    flags[0, 2, 6, 5] = flags[1, 4, 6, 25] = flags[1, 1, 6, 35] = JUMP
    flags[1, 1, 6, 36] = JUMP  # a neighbour of a true one
    flags[0, 4, 6, 25] = JUMP  # in the wrong integration, of 60 DN
    data[0, 4:, 6, 25] = 60.0
    flags[0, 0, 20, 20] = JUMP  # no jump can be seen in the first group
    found = scored(tmp_path, flags, data=data)
    assert by_energy(found, "hits") == [0, 2, 1, 0, 1]
    assert by_energy(found, "found")[1:3] == [0.5, 1.0]
    assert by_energy(found, "found")[4] == 1.0
    assert by_energy(found, "false") == [0, 0, 0, 1, 0]
    differences = 2 * 5 * 40 * 50
    assert found["false_per_difference"] == pytest.approx(1 / differences)
    assert found["large_events"] == {}


def test_unusable_groups_and_pixels_do_not_count(tmp_path):
    write_truth(tmp_path, [hit(0, 2, 5, 6, 45, 0), hit(0, 2, 9, 9, 45, 1)])
    flags = np.zeros(SHAPE, "u1")
    flags[0, 1, 6, 5] = GroupDQ.SATURATED
    pixels = np.zeros(SHAPE[2:], np.uint32)
    pixels[9, 9] = 1
    found = scored(tmp_path, flags, pixels=pixels)
    assert sum(by_energy(found, "hits")) == 0


def test_averaged_frames_may_show_the_jump_one_group_later(tmp_path):
    flags = np.zeros(SHAPE, "u1")
    flags[0, 3, 6, 5] = JUMP
    for frames, part, false in ((1, 0.0, 1), (8, 1.0, 0)):
        write_truth(tmp_path, [hit(0, 2, 5, 6, 200, 0)], frames=frames)
        found = scored(tmp_path, flags)
        assert by_energy(found, "found")[4] == part
        assert sum(by_energy(found, "false")) == false


def event(kind, integration, group, **values):
    row = np.zeros(1, dtype=EVENT_DTYPE)
    row["kind"], row["integration"], row["group"] = kind, integration, group
    for name, value in ({"ratio": 1.0} | values).items():
        row[name] = value
    return row


def test_large_events_by_part(tmp_path):
    place = {"x": 20, "y": 20, "core": 4.0, "ring": 8.0, "halo": 12.0, "glow": 50.0}
    write_truth(tmp_path, [hit(0, 0, 0, 0, 1, 0)], event("snowball", 0, 3, **place))
    y, x = np.indices(SHAPE[2:])
    radius = np.hypot(x - 20, y - 20)
    flags = np.zeros(SHAPE, "u1")
    flags[0, 3, radius <= 4] = GroupDQ.SATURATED
    flags[0, 3, (radius > 4) & (radius <= 8)] = JUMP
    flags[1, 0, radius <= 4] = JUMP
    found = scored(tmp_path, flags)
    values = found["large_events"]["snowball"]
    assert (values["events"], values["core"], values["ring"], values["halo"]) == (1, 1, 1, 0)
    assert values["next_core"] == 1.0
    assert sum(by_energy(found, "false")) == 0


def test_ramps_that_do_not_fit_are_refused(tmp_path):
    write_truth(tmp_path, [hit(0, 2, 5, 6, 45, 0)])
    with pytest.raises(InputError, match=r"GROUPDQ has shape \(2, 5, 40, 50\); the truth has"):
        scored(tmp_path, np.zeros((2, 5, 40, 50), "u1"))
    fits.HDUList([fits.PrimaryHDU()]).writeto(tmp_path / "y_jump.fits")
    with pytest.raises(InputError, match="has no GROUPDQ; expected a ramp as the step jump"):
        score_jumps(tmp_path, {ROOT: tmp_path / "y_jump.fits"})
    assert score_jumps(tmp_path, {}) == {}


def test_hits_that_are_alone():
    rows = np.concatenate([hit(0, 2, 5, 6, 45, 0), hit(0, 2, 6, 6, 90, 0), hit(0, 3, 9, 9, 70, 1),
                           hit(0, 1, 9, 9, 10, 2), hit(0, 0, 1, 1, 99, 3)])  # fmt: skip
    assert list(brightest(rows)["charge"]) == [90.0]
    near = explained_by(rows, SHAPE[1:], averaged=False)
    assert near[2, 7, 7]
    assert not near[3, 7, 7]
    assert not near[2, 8, 8]
    assert explained_by(rows, SHAPE[1:], averaged=True)[3, 7, 7]


@pytest.fixture(scope="module")
def outcome(tmp_path_factory):
    options = {"subarray": "SUB64P", "groups": 2, "integrations": 30, "segments": 2}
    scenario = with_options(load_scenario("time-series"), **options)
    scenario = replace(scenario, effects=frozenset())
    return run(scenario, tmp_path_factory.mktemp("series"), references=False)


def write_cubes(outcome, folder, scatter=0.0):
    rng = np.random.default_rng(8)
    for path in outcome.truth.glob("*_truth.fits"):
        with fits.open(path) as hdus:
            star, light = hdus["TARGET"].data, hdus["LIGHT_CURVE"].data["light"]
        cube = star * light[:, None, None] + rng.normal(0, max(scatter, 1e-9), (len(light), 64, 64))
        cube = (cube + 3.0).astype("f4")
        cube[0, 30, 30] = np.nan
        parts = [fits.PrimaryHDU(), fits.ImageHDU(cube, name="SCI")]
        parts.append(fits.ImageHDU(np.full(cube.shape, scatter, "f4"), name="ERR"))
        name = path.name.replace("truth", "rateints")
        fits.HDUList(parts).writeto(folder / name)


def test_depth_of_all_segments_together(outcome, tmp_path):
    write_cubes(outcome, tmp_path)
    (found,) = score(outcome.truth, tmp_path)["light_curves"].values()
    assert found["integrations"] == 30
    assert found["depth"] == pytest.approx(0.012, abs=3e-5)
    assert found["depth_true"] == 0.012


def test_depth_with_noise_has_a_fair_error(outcome, tmp_path):
    write_cubes(outcome, tmp_path, scatter=60.0)
    (found,) = score(outcome.truth, tmp_path)["light_curves"].values()
    assert abs(found["pull"]) < 4
    assert found["scatter_ppm"] == pytest.approx(found["expected_ppm"], rel=0.4)


def test_cubes_of_another_shape_are_refused(outcome, tmp_path):
    write_cubes(outcome, tmp_path)
    path = sorted(tmp_path.glob("*_rateints.fits"))[0]
    with fits.open(path) as hdus:
        hdus["SCI"].data = hdus["SCI"].data[:4]
        hdus.writeto(path, overwrite=True)
    with pytest.raises(InputError, match=r"SCI has shape \(4, 64, 64\); the truth has \(15, 64"):
        score(outcome.truth, tmp_path)


def test_outlying_integrations_are_left_out():
    rng = np.random.default_rng(4)
    light = np.where(np.arange(100) > 50, 0.98, 1.0)
    flux = 1e5 * light * (1 + 1e-3 * rng.standard_normal(100))
    flux[[3, 70]] *= 1.3
    found = fit_depth(light, flux, np.full(100, 100.0), 0.02)
    assert found["clipped"] == 2
    assert found["depth"] == pytest.approx(0.02, abs=1e-3)
    steady = fit_depth(np.ones(100), np.full(100, 7.0), np.full(100, 0.7), 0.0)
    assert steady["expected_ppm"] == pytest.approx(1e5)
    assert np.isnan(steady["depth_error"])


def test_pixels_without_any_value_count_nothing():
    target = np.zeros((64, 64))
    target[30, 30] = 1.0
    cube = np.full((3, 64, 64), 2.0)
    cube[:, 30, 30] = 12.0
    cube[:, 31, 31] = np.nan
    flux, error = aperture_sum(cube, np.ones_like(cube), target)
    assert flux == pytest.approx(10.0 - 2.0)
    assert error[0] == pytest.approx(np.sqrt(197), rel=0.01)


@pytest.mark.parametrize("light", [np.ones(6), np.full(6, 0.98)])
def test_a_depth_that_no_integration_tells_is_unknown(light):
    flux = 1000 * light + np.array([1, -1, 1, -1, 1, -1])
    found = fit_depth(light, flux, np.ones(6), 0.02)
    assert np.isnan(found["depth"])
    assert np.isnan(found["pull"])
    assert found["scatter_ppm"] == pytest.approx(1e3, rel=0.03)
