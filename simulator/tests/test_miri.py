import numpy as np
import pytest

from calwebb_simulator.anomalies import RESET_FRAMES, WAVES, last_share, memory_level, reset_level
from calwebb_simulator.clocks import frame_clocks, pixel_clocks
from calwebb_simulator.effects import effects_in
from calwebb_simulator.instruments import instrument_named
from calwebb_simulator.ramp import expose

RATE = 3000.0
RARE = {"cosmic_rays", "snowballs", "showers", "persistence", "ipc"}


def light(room, rate=RATE):
    return np.full(room.frame.shape, rate, dtype=np.float32) * room.properties.science


@pytest.fixture
def miri(room_of):
    def make(effects=(), **options):
        values = {"subarray": "SUB64", "groups": 6, "integrations": 2} | options
        return room_of("MIRI", "MIRIMAGE", "FASTR1", effects=effects, **values)

    return make


def difference(miri, effect, rate=RATE, **options):
    """Return what an effect adds in DN."""
    plain, changed = miri(**options), miri({effect}, **options)
    uniform = light(plain, rate)
    return expose(changed, uniform).data.astype(float) - expose(plain, uniform).data


def test_without_effects_a_ramp_is_a_straight_line(miri):
    room = miri()
    exposed = expose(room, light(room))
    time = room.timing.group_times()[:, None, None]
    detector = room.frame.detector
    expected = detector.bias + light(room) * time / detector.gain
    assert np.all(np.abs(exposed.data - expected) <= 0.51)
    assert exposed.refout.shape == (2, 6, 64, 18)
    assert np.all(exposed.refout == detector.bias)


@pytest.mark.parametrize("effect", sorted(effects_in("MIRI") - RARE))
def test_every_effect_changes_the_data_alone(miri, effect):
    bright = 400_000.0 if effect == "saturation" else RATE
    plain, changed = miri(), miri({effect})
    uniform = light(plain, bright)
    second = expose(changed, uniform * changed.properties.sensitivity).data
    assert np.any(expose(plain, uniform).data != second)


def test_reset_anomaly_settles_and_is_larger_at_first(miri):
    found = difference(miri, "reset", groups=RESET_FRAMES + 2)[:, :, :, 4:]
    level = found.mean(axis=(2, 3))
    expected = [
        [reset_level(number, group + 1) for group in range(RESET_FRAMES + 2)] for number in range(2)
    ]
    np.testing.assert_allclose(level, np.array(expected) * level[0, 0] / expected[0][0], atol=1)
    assert np.all(level[:, -1] == 0)
    assert found[0, 0].std() > 5


def test_later_integrations_remember_the_signal_before(miri):
    bright = 50 * RATE
    found = difference(miri, "rscd", bright)[:, :, :, 4:].mean(axis=(2, 3))
    assert np.all(found[0] == 0)
    room = miri()
    last = bright * room.timing.integration_time / room.frame.detector.gain
    expected = [memory_level(group + 1) * last for group in range(6)]
    np.testing.assert_allclose(found[1], expected, atol=1)
    assert found[1, 0] < -100


def test_only_the_last_frame_is_disturbed(miri):
    found = difference(miri, "last_frame")[0]
    assert np.all(found[:-1] == 0)
    room = miri()
    last = RATE * room.timing.integration_time / room.frame.detector.gain
    expected = last * last_share(64)[:, 0]
    np.testing.assert_allclose(found[-1][:, 20], expected, atol=1)


def test_waves_keep_their_phase_through_the_exposure(miri):
    room = miri({"emi"}, integrations=3)
    exposed = expose(room, light(room, 0.0))
    bias = room.frame.detector.bias
    data = exposed.data.astype(float) - bias
    assert np.ptp(data[..., 0::4] - data[..., 1::4]) == 0
    np.testing.assert_array_equal(exposed.refout - bias, data[..., ::4])
    # the strongest wave lasts 256 samples: folded with it, the others average out
    known = instrument_named("MIRI")
    period = WAVES["Hz390"].period(known.sample_time)
    assert period == pytest.approx(256)
    frames = np.arange(3)[:, None] * 7 + np.arange(6)[None, :]
    start = (frames * frame_clocks(known, room.frame))[..., None, None]
    phase = (start + pixel_clocks(room.frame)) / period % 1
    bins = (phase * 32).astype(int)
    folded = np.bincount(bins.ravel(), data.ravel()) / np.bincount(bins.ravel())
    wave = WAVES["Hz390"].shape((np.arange(32) + 0.5) / 32)
    best = max(np.corrcoef(folded, np.roll(wave, shift))[0, 1] for shift in range(32))
    assert best > 0.97
    assert folded.std() == pytest.approx(wave.std(), rel=0.15)


def test_dark_of_the_first_integration_is_higher(miri):
    room = miri({"dark"}, groups=4, subarray="FULL")
    data = expose(room, light(room, 0.0)).data.astype(float)
    hot = room.properties.dark > 20
    rise = (data[:, -1] - data[:, 0])[:, hot].mean(axis=1)
    assert rise[0] / rise[1] == pytest.approx(1.3, rel=0.02)


def test_reference_columns_follow_the_outputs(miri):
    room = miri({"drift"}, subarray="FULL", groups=2, integrations=1)
    data = expose(room, light(room, 0.0)).data[0, 0].astype(float)
    for column in range(4):
        assert np.array_equal(data[:, column], data[:, column + 4])
    assert np.array_equal(data[::2][0], data[::2][-1])
