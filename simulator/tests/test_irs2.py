from dataclasses import replace

import numpy as np
import pytest

from calwebb_simulator.irs2 import (
    BAD,
    bad_samples,
    embed,
    normal_places,
    normal_times,
    pink,
    reference_places,
    reference_samples,
    reference_times,
    weights,
)
from calwebb_simulator.ramp import expose
from calwebb_simulator.random import stream
from calwebb_simulator.references.nirspec import bad_table


@pytest.fixture
def irs2(room_of):
    def make(effects=(), detector="NRS2"):
        return room_of("NIRSPEC", detector, "NRSIRS2RAPID", effects=effects, groups=1)

    return make


def test_places_and_times_fill_a_row():
    places = np.sort(np.concatenate([normal_places(), reference_places()]))
    assert np.array_equal(places, np.arange(640))
    times = np.concatenate([normal_times(), reference_times()])
    assert len(set(times.tolist())) == 640
    assert times.max() < 704
    # 8 pixels, a step, 4 reference pixels, a step, 16 pixels
    assert list(normal_times()[[7, 8, 23, 24]]) == [7, 14, 29, 36]
    assert list(reference_times()[:5]) == [9, 10, 11, 12, 31]


@pytest.mark.parametrize("detector", ["NRS1", "NRS2"])
def test_frames_hold_pixels_and_reference_samples_apart(irs2, detector):
    room = irs2(detector=detector)
    rng = np.random.default_rng(3)
    rate = rng.uniform(0, 900, room.frame.shape).astype(np.float32) * room.properties.science
    data = expose(room, rate).data[0, 0]
    assert data.shape == (3200, 2048)
    mask = np.array(reference_samples().reshape(-1))
    stored = data if room.frame.fast > 0 else data[::-1, ::-1]
    assert np.all(stored[mask] == room.frame.detector.bias)
    pixels = stored[~mask] if room.frame.fast > 0 else stored[~mask][::-1, ::-1]
    gain = room.frame.detector.gain
    expected = room.frame.detector.bias + rate * room.timing.frame_time / gain
    assert np.all(np.abs(pixels - expected) <= 0.51)


def test_embedding_keeps_the_reference(irs2):
    room = irs2()
    reference = np.full((3200, 2048), 7.0, dtype=np.float32)
    raw = embed(room.frame, np.zeros((2048, 2048), dtype=np.float32), reference)
    assert np.all(reference == 7)
    assert (raw == 7).sum() == 2048 * (640 + 4 * 128)


def test_noise_has_the_variance_asked_for():
    draws = [pink(stream(seed, "pink"), 20_000) for seed in range(60)]
    assert np.mean([draw.var() for draw in draws]) == pytest.approx(1, rel=0.1)
    assert np.mean([draw.mean() for draw in draws]) == pytest.approx(0, abs=1e-6)


def test_weights_take_the_noise_off(irs2):
    room = irs2({"one_over_f", "drift"})
    noise = room.special.correlated(0, 1).astype(float)
    rows, row = noise.shape[1:]
    alpha, beta = weights(rows, 7.8)
    reference = np.fft.rfft(noise[0].ravel())
    for output in (1, 4):
        seen = np.zeros((rows, row))
        shuffle = np.array([0, 2, 0, 2, 1, 3, 1, 3])
        first = reference_times()[::4]
        for place, source in enumerate(shuffle):
            seen[:, first - 2 + place] = noise[output][:, first + source]
        estimate = np.fft.irfft(
            alpha[output - 1] * reference + beta[output - 1] * np.fft.rfft(seen.ravel()), rows * row
        )
        left = noise[output].ravel() - estimate
        assert left.std() < 0.25 * noise[output].std()
        assert abs(left.mean()) < 0.2


def test_bad_reference_pixels_are_wild(irs2):
    room = irs2({"bad_reference_pixels"})
    data = expose(room, np.zeros(room.frame.shape, dtype=np.float32)).data[0, 0].astype(float)
    stored = data if room.frame.fast > 0 else data[::-1, ::-1]
    wild = np.flatnonzero(stored.std(axis=1) > 100)
    assert np.array_equal(wild, np.flatnonzero(bad_samples().reshape(-1)))
    assert len(wild) == 2 * len(BAD)


def test_bad_table_counts_pairs_in_the_order_of_time():
    rows = bad_table(frozenset({"bad_reference_pixels"}))
    assert rows.tolist() == [(2, 2, 1 << 7), (3, 2, 1 << 20)]
    assert len(bad_table(frozenset())) == 0


def test_averaged_frames_have_less_noise(irs2):
    room = irs2({"read_noise"})
    pattern = replace(room.timing.pattern, frames=5)
    timing = replace(room.timing, pattern=pattern)
    special = replace(room.special, timing=timing)
    averaged = replace(room, timing=timing, special=special)
    dark = np.zeros(room.frame.shape, dtype=np.float32)
    single, several = (expose(item, dark).data[0, 0].astype(float) for item in (room, averaged))
    assert several.std() / single.std() == pytest.approx(5**-0.5, rel=0.03)
