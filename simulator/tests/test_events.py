from dataclasses import replace
from functools import lru_cache

import numpy as np
import pytest
from numpy.testing import assert_allclose

from calwebb_simulator.aftermath import Legacy
from calwebb_simulator.detector import Properties, detector_properties
from calwebb_simulator.events import EventRates, Glow, elliptical_radius
from calwebb_simulator.geometry import Frame
from calwebb_simulator.instruments import Pattern, instrument_named
from calwebb_simulator.ramp import Chamber, expose
from calwebb_simulator.readout import Timing

AREA = (160 * 18e-4) ** 2  # cm2


@lru_cache(maxsize=4)
def drawn(subarray, effects) -> Properties:
    """Properties, kept: they are drawn for the whole detector."""
    nircam = instrument_named("NIRCAM")
    frame = Frame.of(nircam, nircam.detector("NRCB1"), subarray)
    return detector_properties(nircam, frame, 0, effects)


def chamber(nircam, effects, rates, groups=6, integrations=1, subarray="SUB160") -> Chamber:
    frame = Frame.of(nircam, nircam.detector("NRCB1"), subarray)
    properties = drawn(subarray, frozenset(effects))
    return Chamber(
        frame,
        properties,
        Timing(10.0, Pattern(1, 0), groups, integrations),
        frozenset(effects),
        18.0,
        5.0,
        (3, "events"),
        legacy=Legacy(rates),
    )


def signal(room, exposed):
    """Electrons above the bias, per integration and group."""
    detector = room.frame.detector
    return (exposed.data.astype(float) - detector.bias) * detector.gain


def steps(electrons):
    """Electrons that came within each group."""
    return np.diff(electrons, axis=1, prepend=0.0)


def dark(room):
    return np.zeros(room.frame.shape, dtype=np.float32)


def around(row, shape):
    y, x = np.indices(shape)
    angle = np.radians(float(row["angle"]))
    return elliptical_radius(x - row["x"], y - row["y"], float(row["ratio"]), angle)


@pytest.mark.parametrize(("effect", "rates"), [("snowballs", (1.2, 9.0)), ("showers", (9.0, 1.2))])
def test_as_many_events_as_asked_for(nircam, effect, rates):
    room = chamber(nircam, {effect}, EventRates(*rates), groups=60)
    events = expose(room, dark(room)).events
    assert set(events["kind"]) == {effect.rstrip("s").encode()}
    assert len(events) == pytest.approx(1.2 * AREA * 600, rel=0.3)
    assert np.ptp(events["group"]) > 40


def test_a_snowball_has_core_ring_and_halo(nircam):
    room = chamber(nircam, {"snowballs"}, EventRates(0.25, 0.0), groups=12)
    exposed = expose(room, dark(room))
    science = room.properties.science
    came = steps(signal(room, exposed))[0]
    alone = [row for row in exposed.events if np.sum(exposed.events["group"] == row["group"]) == 1]
    assert len(alone) > 1
    for row in alone:
        radius = around(row, room.frame.shape)
        group = came[row["group"]]
        assert np.all(group[science & (radius <= row["core"] - 1)] > 100_000)
        ring = science & (radius > row["core"]) & (radius <= row["ring"])
        halo = science & (radius > row["ring"]) & (radius <= row["halo"])
        assert group[ring].min() > 90
        assert np.all((group[halo] > 7) & (group[halo] < 105))
        assert np.all(np.abs(group[science & (radius > row["halo"] + 2)]) < 12)


def test_half_of_the_snowballs_glow_on_in_the_next_integration(nircam):
    room = chamber(nircam, {"snowballs"}, EventRates(0.25, 0.0), groups=8, integrations=4)
    exposed = expose(room, dark(room))
    events = exposed.events
    electrons = signal(room, exposed)
    assert 0.1 < np.mean(events["glow"] > 0) < 0.9
    checked = 0
    for row in events[events["integration"] < 3]:
        radius = around(row, room.frame.shape)
        core = room.properties.science & (radius <= row["core"] - 1)
        following = electrons[row["integration"] + 1, :2]
        other = events[events["integration"] == row["integration"] + 1]
        if np.any(core) and row["glow"] > 0 and np.all(other["group"] > 1):
            # it decays from the event to the reset, and while it is read
            waited = (8 - row["group"] + 1) * 10.0
            expected = row["glow"] * np.exp(-waited / row["lifetime"]) * 10.0
            assert np.median(following[0][core]) >= 0.6 * expected
            assert np.median(following[1][core]) > np.median(following[0][core])
            checked += 1
    assert checked > 0


def test_a_shower_is_faint_wide_and_glows_for_seconds(nircam):
    room = chamber(nircam, {"showers"}, EventRates(0.0, 0.02), groups=30)
    room = replace(room, seed=(5, "showers"))
    exposed = expose(room, dark(room))
    came = steps(signal(room, exposed))[0]
    events = exposed.events
    assert len(events) > 0
    row = events[0]
    radius = around(row, room.frame.shape)
    middle = room.properties.science & (radius < 0.3 * row["ring"])
    edge = room.properties.science & (np.abs(radius - row["ring"]) < 1)
    assert np.median(came[row["group"]][middle]) == pytest.approx(row["charge"], rel=0.15)
    assert np.median(came[row["group"]][edge]) == pytest.approx(row["charge"] / 2, rel=0.15)
    given = row["glow"] * row["lifetime"] * (1 - np.exp(-10.0 / row["lifetime"]))
    after = np.median(came[row["group"] + 1][middle])
    assert after == pytest.approx(given, rel=0.2, abs=2.5)


def test_charge_of_events_has_poisson_noise_where_light_has(nircam):
    quiet = chamber(nircam, {"showers"}, EventRates(0.0, 0.05), groups=30)
    quiet = replace(quiet, seed=(5, "showers"))
    noisy = replace(quiet, effects=frozenset({"showers", "photon_noise"}))
    one, other = (expose(room, dark(room)) for room in (quiet, noisy))
    assert len(one.events) > 0
    assert np.array_equal(one.events["x"], other.events["x"])
    first, second = (signal(quiet, item)[0, -1] for item in (one, other))
    many = first > 20
    assert np.var((second - first)[many]) == pytest.approx(first[many].mean(), rel=0.2)


def test_reference_pixels_see_no_events(nircam):
    room = chamber(nircam, {"snowballs", "showers"}, EventRates(5.0, 5.0), subarray="SUB160")
    data = expose(room, dark(room)).data[0].astype(float)
    assert np.all(np.ptp(data, axis=0)[~room.properties.science] == 0)


def test_glow_gives_its_integral():
    glow = Glow((slice(0, 1), slice(0, 1)), np.array([[30.0]]), 20.0)
    given = [float(glow.give(5.0)[0, 0]) for _ in range(200)]
    assert sum(given) == pytest.approx(600.0, rel=1e-6)
    assert given[0] == pytest.approx(600 * (1 - np.exp(-0.25)))


def test_elliptical_radius():
    assert_allclose(elliptical_radius(np.array(3.0), np.array(4.0), 1.0, 0.7), 5.0)
    along = elliptical_radius(np.array(0.0), np.array(2.0), 0.5, np.pi / 2)
    across = elliptical_radius(np.array(2.0), np.array(0.0), 0.5, np.pi / 2)
    assert_allclose([along, across], [2.0, 4.0])
