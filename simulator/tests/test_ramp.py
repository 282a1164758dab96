from dataclasses import replace
from functools import lru_cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calwebb_core.science.dq import PixelDQ
from calwebb_simulator.clocks import frame_time
from calwebb_simulator.cosmic_rays import draw_rain
from calwebb_simulator.detector import Properties, detector_properties
from calwebb_simulator.effects import effects_in
from calwebb_simulator.electronics import Electronics
from calwebb_simulator.geometry import Frame
from calwebb_simulator.instruments import Pattern, instrument_named
from calwebb_simulator.kernels.readout import add_read, measured
from calwebb_simulator.ramp import Chamber, couple, expose
from calwebb_simulator.random import stream
from calwebb_simulator.readout import Timing

RATE = 400.0
RARE = {"snowballs", "showers", "persistence"}  # tested with frames and light of their own


@lru_cache(maxsize=4)
def drawn(detector, subarray, effects) -> Properties:
    """Properties, kept: they are drawn for the whole detector."""
    nircam = instrument_named("NIRCAM")
    frame = Frame.of(nircam, nircam.detector(detector), subarray)
    return detector_properties(nircam, frame, 0, effects)


def chamber(nircam, effects=frozenset(), subarray="SUB64P", detector="NRCB1", **timing) -> Chamber:
    frame = Frame.of(nircam, nircam.detector(detector), subarray)
    values = {"pattern": Pattern(1, 0), "groups": 6, "integrations": 1} | timing
    return Chamber(
        frame,
        drawn(detector, subarray, frozenset(effects)),
        Timing(10.0, **values),
        frozenset(effects),
        18.0,
        5.0,
        (1, "test"),
    )


def light(room: Chamber, rate: float = RATE) -> np.ndarray:
    return np.full(room.frame.shape, rate, dtype=np.float32) * room.properties.science


def test_without_effects_a_ramp_is_a_straight_line(nircam):
    room = chamber(nircam)
    data = expose(room, light(room)).data[0].astype(float)
    time = room.timing.group_times()[:, None, None]
    expected = room.frame.detector.bias + RATE * time / room.frame.detector.gain
    assert np.all(np.abs(data - expected) <= 0.51)


@pytest.mark.parametrize("effect", sorted(effects_in("NIRCAM") - RARE))
def test_every_effect_changes_the_data_alone(nircam, effect):
    bright = 4000.0 if effect == "saturation" else RATE
    plain, changed = chamber(nircam), chamber(nircam, {effect})
    uniform = light(plain, bright)
    uniform[30, 30] *= 1.5
    first = expose(plain, uniform).data
    second = expose(changed, uniform * changed.properties.sensitivity).data
    assert np.any(first != second)


@pytest.mark.parametrize("effect", ["read_noise", "one_over_f", "drift", "photon_noise"])
def test_noise_has_no_bias(nircam, effect):
    room = chamber(nircam, {effect}, groups=40)
    data = expose(room, light(room, 50.0)).data[0].astype(float)
    steps = np.diff(data, axis=0)[:, room.properties.science]
    expected = 50.0 * room.timing.frame_time / room.frame.detector.gain
    frames = steps.mean(axis=1)
    error = max(frames.std() / len(frames), steps.std() / np.sqrt(steps.size), 0.01)
    assert abs(steps.mean() - expected) < 5 * error


def test_read_noise_is_half_the_cds_variance(nircam):
    room = chamber(nircam, {"read_noise"}, groups=20)
    data = expose(room, light(room, 0.0)).data[0].astype(float)
    pairs = data[1::2] - data[::2]
    cds = room.frame.detector.cds_noise / room.frame.detector.gain
    assert pairs.std() == pytest.approx(cds, rel=0.02)


def test_photon_noise_is_poisson(nircam):
    room = chamber(nircam, {"photon_noise"}, groups=20)
    data = expose(room, light(room)).data[0].astype(float)
    steps = np.diff(data, axis=0)[:, room.properties.science] * room.frame.detector.gain
    assert steps.var() / steps.mean() == pytest.approx(1.0, rel=0.03)


def test_linearity_polynomial_undoes_the_response(nircam):
    room = chamber(nircam, {"nonlinearity"})
    data = expose(room, light(room, 1400.0)).data[0].astype(float) - room.frame.detector.bias
    properties = room.properties
    linear = data + properties.c2 * data**2 + properties.c3 * data**3
    time = room.timing.group_times()[:, None, None]
    expected = 1400.0 * time / room.frame.detector.gain
    science = properties.science
    np.testing.assert_allclose(linear[:, science], (linear * 0 + expected)[:, science], atol=1.0)
    assert data[-1][science].max() < expected[-1].max() * 0.97


def test_saturated_pixels_stay_and_the_threshold_is_below(nircam):
    room = chamber(nircam, {"saturation", "nonlinearity"}, groups=8)
    data = expose(room, light(room, 5000.0)).data[0]
    science = room.properties.science
    assert np.array_equal(data[-1][science], data[-2][science])
    assert np.all(data[-1][science] > room.properties.saturation[science])
    assert data.max() < 65535


def test_reference_pixels_see_neither_light_nor_dark_nor_rays(nircam):
    effects = effects_in("NIRCAM") - {"read_noise", "one_over_f", "drift", "ipc"}
    room = chamber(nircam, effects, subarray="SUB160")
    data = expose(room, light(room)).data[0].astype(float)
    border = ~room.properties.science
    assert border[:4].all()
    assert np.all(np.ptp(data, axis=0)[border] == 0)


def test_dark_reference_predicts_the_dark(nircam):
    room = chamber(nircam, {"dark"}, pattern=Pattern(4, 1), groups=4)
    data = expose(room, light(room, 0.0)).data[0].astype(float) - room.frame.detector.bias
    slope = room.properties.dark / room.properties.gain
    ideal = room.timing.group_times()[:, None, None] * slope
    # Half a DN for the frames, which are whole numbers before they are averaged, half for the mean.
    assert np.all(np.abs(data - ideal) <= 1.01)
    assert np.std(data - ideal) < 0.1
    reads = (room.timing.reads(group) for group in range(4))
    frames = [[np.rint(slope * (10.0 * read)) for read in group] for group in reads]
    assert np.all(np.abs(data - np.mean(frames, axis=1)) <= 0.51)


@pytest.mark.parametrize(("frames", "gap"), [(1, 0), (1, 1), (4, 1), (8, 2)])
def test_readout_patterns(nircam, frames, gap):
    room = chamber(nircam, pattern=Pattern(frames, gap), groups=3)
    timing = room.timing
    assert timing.group_time == pytest.approx((frames + gap) * 10.0)
    assert timing.frames == 3 * (frames + gap) - gap
    data = expose(room, light(room)).data[0].astype(float)
    steps = np.diff(data[:, room.properties.science], axis=0) * room.frame.detector.gain
    assert steps.mean() == pytest.approx(RATE * timing.group_time, rel=1e-3)


@given(frames=st.integers(1, 8), gap=st.integers(0, 12), groups=st.integers(1, 20))
def test_every_frame_belongs_to_the_first_group_that_sees_it(frames, gap, groups):
    timing = Timing(1.0, Pattern(frames, gap), groups, 1)
    for group in range(groups):
        for read in timing.reads(group):
            assert timing.group_of_frame(read) == group
    for frame in range(1, timing.frames + 1):
        group = timing.group_of_frame(frame)
        assert max(timing.reads(group)) >= frame


@pytest.mark.parametrize(
    ("detector", "subarray", "seconds"),
    [("NRCB1", "FULL", 10.73677), ("NRCB1", "SUB160", 0.27864), ("NRCB1", "SUB64P", 0.05016)],
)
def test_frame_times_are_those_of_the_instrument(nircam, detector, subarray, seconds):
    frame = Frame.of(nircam, nircam.detector(detector), subarray)
    assert frame_time(nircam, frame) == pytest.approx(seconds, abs=1e-9)


def test_zeroframe_is_the_first_frame(nircam):
    room = chamber(nircam, pattern=Pattern(4, 1), groups=2, integrations=2)
    exposed = expose(room, light(room))
    gain, bias = room.frame.detector.gain, room.frame.detector.bias
    assert exposed.zeroframe.shape == (2, *room.frame.shape)
    science = room.properties.science
    assert np.all(np.abs(exposed.zeroframe[:, science] - bias - RATE * 10 / gain) < 0.6)


def test_hits_account_for_the_charge(nircam):
    room = replace(chamber(nircam, {"cosmic_rays"}), cosmic_ray_flux=2000.0)
    exposed = expose(room, light(room, 0.0))
    data = exposed.data[0].astype(float) - room.frame.detector.bias
    charge = np.zeros(data.shape)
    for row in exposed.hits:
        charge[row["group"] :, row["y"], row["x"]] += row["charge"]
    assert len(exposed.hits) > 50
    gain = room.frame.detector.gain
    low = charge / gain < 20_000
    np.testing.assert_allclose(data[low], (charge / gain)[low], atol=0.6)


def test_rain_has_the_flux_asked_for(nircam):
    frame = Frame.of(nircam, nircam.detector("NRCB1"), "SUB160")
    count = [draw_rain(stream(seed, "rain"), frame, 18.0, 500.0).track.max() for seed in range(20)]
    expected = 500.0 * (160 * 18e-4) ** 2
    assert np.mean(count) == pytest.approx(expected, rel=0.15)


def test_outputs_drift_apart_and_odd_columns_from_even(nircam):
    frame = Frame.of(nircam, nircam.detector("NRCALONG"))
    blank = np.ones(frame.shape, dtype=np.float32)
    noise = Electronics(frame, frozenset({"drift"}), blank, (1, "x")).noise(0, 1)
    assert len(np.unique(noise)) == 8
    assert np.all(noise == noise[0])


def test_coupling_keeps_the_charge():
    charge = np.zeros((9, 9), dtype=np.float32)
    charge[4, 4] = 1000
    coupled = couple(charge)
    assert coupled.sum() == pytest.approx(1000, rel=1e-6)
    assert coupled[4, 5] == pytest.approx(6.0)


@given(
    linear=st.floats(0, 60_000),
    c2=st.floats(0, 2e-6),
    c3=st.floats(0, 2e-11),
)
@settings(deadline=None)
def test_response_inverts_the_polynomial(linear, c2, c3):
    value = measured(linear, c2, c3)
    assert value + c2 * value**2 + c3 * value**3 == pytest.approx(linear, abs=1e-3, rel=1e-7)


def test_kernel_agrees_with_numpy():
    rng = np.random.default_rng(5)
    charge, well, gain = (
        rng.uniform(low, high, (7, 9)).astype("f4")
        for low, high in ((0, 2e5), (8e4, 1e5), (1.8, 2.2))
    )
    c2, c3 = np.full((7, 9), 1e-6, "f4"), np.full((7, 9), 1e-11, "f4")
    total = np.full((7, 9), 3.0, "f4")
    add_read(total, charge, well, gain, c2, c3)
    linear = np.minimum(charge, well) / gain
    value = linear.astype(float)
    for _ in range(30):
        slope = 1 + 2 * c2 * value + 3 * c3 * value**2
        value -= (value + c2 * value**2 + c3 * value**3 - linear) / slope
    np.testing.assert_allclose(total, value + 3.0, rtol=1e-5)


def test_subarray_pixels_are_those_of_the_full_frame(nircam):
    full = Frame.of(nircam, nircam.detector("NRCB1"))
    part = Frame.of(nircam, nircam.detector("NRCB1"), "SUB64P")
    whole = detector_properties(nircam, full).cut(part.window)
    cut = detector_properties(nircam, part)
    for name in ("sensitivity", "gain", "bias", "dark", "dq", "c2"):
        assert np.array_equal(getattr(whole, name), getattr(cut, name)), name


def test_mask_of_reference_pixels_is_reference_pixel_alone(nircam):
    properties = detector_properties(nircam, Frame.of(nircam, nircam.detector("NRCB1")))
    border = ~properties.science
    assert np.all(properties.dq[border] == PixelDQ.REFERENCE_PIXEL)
    assert border.sum() == 2048**2 - 2040**2
    dead = properties.sensitivity == 0
    assert np.all(properties.dq[dead] & PixelDQ.DEAD)
    assert 2e-4 < dead.mean() < 8e-4
