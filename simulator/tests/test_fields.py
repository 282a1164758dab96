"""Visits that miss, skies that differ, backgrounds, moving targets."""

from dataclasses import replace

import numpy as np
import pytest

from calwebb_core.framework.errors import InputError
from calwebb_simulator.header import raw_metadata
from calwebb_simulator.light import draw_field, draw_target, light_on
from calwebb_simulator.moving import moving_table
from calwebb_simulator.plan import plan
from calwebb_simulator.pointing import PointingErrors
from calwebb_simulator.run import make_catalog
from calwebb_simulator.scenario import checked
from calwebb_simulator.scenario_file import built_in, load_scenario
from calwebb_simulator.score_catalog import tangent
from calwebb_simulator.surroundings import sky_level, sky_map
from calwebb_simulator.transit import TargetStar


def with_groups(scenario, *changes, **more):
    groups = tuple(replace(scenario.exposures[0], **change) for change in changes)
    return replace(scenario, exposures=groups, **more)


def test_errors_of_visits_are_given_or_drawn():
    errors = PointingErrors(visits=((10.0, -5.0, 3.0),), offset=100.0, roll=5.0)
    first = errors.of(1, 0, 1)
    assert (first.east, first.north, first.roll) == (10.0, -5.0, 3.0)
    assert errors.of(1, 1, 1) == errors.of(1, 1, 2)
    assert errors.of(1, 1, 1) != errors.of(1, 2, 1)
    shaken = replace(errors, dither=2.0)
    assert shaken.of(1, 0, 1) != shaken.of(1, 0, 2)
    assert abs(shaken.of(1, 0, 2).east - 10.0) < 10.0


def test_headers_carry_what_was_commanded(small):
    scenario = with_groups(small(), {"visit": 1}, {"visit": 2}, pointing=PointingErrors())
    truth = replace(scenario, pointing=PointingErrors(((0.0, 0.0, 0.0), (140.0, -90.0, 30.0))))
    for ideal, real in zip(plan(scenario), plan(truth), strict=True):
        before = raw_metadata(scenario, ideal.instrument, ideal)
        after = raw_metadata(truth, real.instrument, real)
        assert before["RA_REF"] == after["RA_REF"]
        assert before["VISIT"] == f"{real.group.visit:03d}"
        ra, dec = real.placement.sky(32.0, 32.0)
        told_ra, told_dec = real.commanded.sky(32.0, 32.0)
        off = tangent(np.array([ra]), np.array([dec]), (float(told_ra), float(told_dec)))[0] * 1000
        assert off == pytest.approx([real.error.east, real.error.north], abs=0.5)
    assert plan(truth)[1].start > plan(truth)[0].start


def test_roll_of_the_truth(small):
    scenario = small(pointing=PointingErrors(((0.0, 0.0, 3600.0),)))
    entry = plan(scenario)[0]
    turned = entry.placement.reference[2] - entry.commanded.reference[2]
    assert turned == pytest.approx(1.0, abs=1e-4)


def test_skies_differ(silent, known_of):
    group = {"sky": (0.2, 0.5), "dithers": ((0.0, 0.0), (0.1, 0.0), (0.2, 0.0))}
    scenario = with_groups(silent, group)
    entries = plan(scenario)
    assert [entry.sky for entry in entries] == [0.2, 0.5, 0.2]
    catalog = make_catalog(scenario)
    known = known_of(entries[1])
    light = light_on(scenario, catalog, entries[1], known)
    assert np.allclose(light.surface[known.science], 0.5, rtol=1e-5)


def test_slope_and_glow(silent, known_of):
    scenario = with_groups(silent, {"gradient": ((2.0, -1.0),), "sky": (3.0,)})
    entry = plan(scenario)[0]
    sky = sky_map(scenario, entry)
    assert sky.shape == entry.frame.shape
    assert (sky[0, -1] - sky[0, 0]) * 2047 / 63 == pytest.approx(2.0)
    assert (sky[-1, 0] - sky[0, 0]) * 2047 / 63 == pytest.approx(-1.0)
    glowing = replace(scenario, scene=replace(scenario.scene, glow=5.0))
    assert sky_level(glowing, entry) > sky_level(scenario, entry)
    known = known_of(entry)
    seen = light_on(scenario, make_catalog(scenario), entry, known).surface
    assert np.allclose(seen[known.science], sky[known.science], rtol=1e-5)


def test_backgrounds(small):
    field = {"background": True, "place": (90.0, 60.0), "target": "EMPTY", "visit": 2}
    scenario = with_groups(small(), {}, field)
    science, empty = plan(scenario)
    header = raw_metadata(scenario, empty.instrument, empty)
    assert header["BKGDTARG"] is True
    assert raw_metadata(scenario, science.instrument, science)["BKGDTARG"] is False
    assert (header["TARGPROP"], header["NEXPOSUR"], header["EXPCOUNT"]) == ("EMPTY", 1, 1)
    place = tangent(
        np.array([header["TARG_RA"]]), np.array([header["TARG_DEC"]]), (scenario.ra, scenario.dec)
    )
    assert place[0] == pytest.approx([90.0, 60.0], abs=1e-6)
    catalog = make_catalog(scenario)
    assert draw_field(catalog, np.ones(len(catalog)), empty).max() < 1e-3


def test_a_moving_target_stays_and_stars_trail(small):
    start = small(subarray="SUB160", count=2)
    scene = replace(start.scene, target=TargetStar(18.0), motion=(3600.0, 0.0))
    scenario = replace(start, scene=scene)
    entries = plan(scenario)
    catalog = make_catalog(scenario)
    star = catalog[catalog["id"] == 0]
    for entry in entries:
        header = raw_metadata(scenario, entry.instrument, entry)
        assert header["TARGTYPE"] == "MOVING"
        assert header["VISITYPE"] == "PRIME_TARGETED_MOVING"
        x, y = entry.commanded.pixel(header["MT_RA"], header["MT_DEC"])
        image = draw_target(star, np.ones(1), entry)
        row, column = np.unravel_index(image.argmax(), image.shape)
        assert (abs(row - y) < 1, abs(column - x) < 1) == (True, True)
        table = moving_table(entry)["MOVING_TARGET_POSITION"].data
        assert np.ptp(table["mt_apparent_RA"]) > 0
        assert len(set(table["mt_sci_x"])) == 1
    moved = tangent(
        np.array([entries[1].aim.ra]),
        np.array([entries[1].aim.dec]),
        (entries[0].aim.ra,) * 1 + (entries[0].aim.dec,),
    )[0]
    seconds = (entries[1].start - entries[0].start).sec
    assert moved == pytest.approx([seconds, 0.0], abs=1e-3)
    fixed = catalog[catalog["id"] == 0].copy()
    fixed["ra"], fixed["dec"] = entries[0].aim.ra, entries[0].aim.dec
    trail = draw_field(fixed, np.ones(1), entries[0])
    assert entries[0].steps > 10
    assert trail.max() < 0.5 * draw_target(fixed, np.ones(1), entries[0]).max()
    assert trail.sum() == pytest.approx(1.0, abs=0.1)
    assert moving_table(plan(start)[0]) == {}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"exp_type": "NRC_IMAG"}, "exp_type is 'NRC_IMAG'; NIRCAM has NRC_IMAGE"),
        ({"visit": 0}, "visit is 0; expected 1 to 999"),
        ({"observation": 1000}, "observation is 1000; expected 1 to 999"),
    ],
)
def test_wrong_numbers_are_refused(small, change, message):
    with pytest.raises(InputError, match=message):
        checked(with_groups(small(), change), "x")


def test_negative_errors_are_refused(small):
    with pytest.raises(InputError, match=r"pointing: roll is -1\.0; expected 0 or more"):
        checked(replace(small(), pointing=PointingErrors(roll=-1.0)), "x")


def test_other_exposure_types(small):
    scenario = with_groups(small(), {"exp_type": "NRC_CORON"})
    entry = plan(scenario)[0]
    assert raw_metadata(scenario, entry.instrument, entry)["EXP_TYPE"] == "NRC_CORON"


@pytest.mark.parametrize("name", sorted(built_in()))
def test_scenarios_can_be_planned(name):
    scenario = load_scenario(name)
    entries = plan(scenario)
    assert len(entries) == scenario.count
    assert len({entry.root for entry in entries}) == scenario.count
