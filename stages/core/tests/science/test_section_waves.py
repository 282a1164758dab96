"""How strongly waves are damped: the data's own likelihood."""

import numpy as np
import pytest

from calwebb_core.science import section_waves
from calwebb_core.science.fourier_noise import (
    FAST_BAND,
    SLOW_BAND,
    band_gains,
    subarray_noise,
    without_neighbours_of_outliers,
)
from calwebb_core.science.kernels.hermitian import weigh_dampings
from calwebb_core.science.section_waves import KNEES, LINE_PAUSE, likeliest_knee, section_of

from .flicker import flicker


def made(seed, *, rms, white=3.0, nlines=100, length=64):
    rng = np.random.default_rng(seed)
    noise = flicker(seed, nlines, length, rms=rms) if rms else np.zeros((nlines, length))
    return noise, (noise + rng.normal(0, white, noise.shape)).astype(np.float32), rng


def masks(rng, shape):
    gap, narrow = np.ones(shape, bool), np.zeros(shape, bool)
    gap[:, shape[1] // 3 : 3 * shape[1] // 4] = False
    narrow[:, :6] = narrow[:, -3:] = True
    return [np.ones(shape, bool), rng.random(shape) < 0.4, gap, narrow]


def whole(image, mask, band=FAST_BAND):
    ticks = len(image) * (image.shape[1] + LINE_PAUSE)
    return section_of(image, mask, band_gains(ticks, band))


@pytest.mark.parametrize("damping", [0.3, 20.0])
def test_likelihoods_are_those_of_the_covariance_of_pixels(damping):
    rng = np.random.default_rng(1)
    n, waves, pixels = 60, np.arange(-3, 4), np.flatnonzero(rng.random(60) < 0.5)
    mask, data = np.zeros(n), np.zeros(n)
    mask[pixels] = 1
    data[pixels] = rng.normal(0, 1, len(pixels))
    dampings = damping * np.stack([np.abs(waves), 1.0 + np.abs(waves)])
    for row in dampings:
        row[waves == 0] = 1e-3  # a wave that is not damped has no covariance
    found = weigh_dampings(np.fft.rfft(mask), np.fft.rfft(data), waves, dampings, n)
    basis = np.exp(2j * np.pi * np.outer(pixels, waves) / n)
    for row, (determinant, explained) in zip(dampings, found, strict=True):
        covariance = np.eye(len(pixels)) + ((basis / row) @ basis.conj().T).real
        assert determinant == pytest.approx(np.linalg.slogdet(covariance)[1], rel=1e-9)
        left = data[pixels] @ np.linalg.solve(covariance, data[pixels])
        assert np.sum(data**2) - explained == pytest.approx(left, rel=1e-9)


@pytest.mark.parametrize("seed", range(3))
def test_the_stronger_the_noise_the_less_it_is_damped(seed):
    knees = []
    for rms in (0.0, 1.0, 3.0, 10.0):
        _, image, _ = made(seed, rms=rms)
        knees.append(likeliest_knee([whole(image, np.ones(image.shape, bool))]))
    assert knees[0] == KNEES[0]
    assert knees == sorted(knees)
    assert knees[-1] >= 4000


def test_the_frequency_of_equal_noise_is_found():
    ticks, knee = 1 << 16, 500.0
    for seed in range(3):
        rng = np.random.default_rng(seed)
        frequency = np.fft.rfftfreq(ticks, section_waves.PIXEL_TIME)
        waves = np.fft.rfft(rng.normal(0, 2, ticks))
        waves[1:] *= np.sqrt(1 + knee / frequency[1:])
        series = np.fft.irfft(waves, ticks).astype(np.float32)
        # as long a line as a section has ticks, the pause after it unread
        lines = series[: ticks // 1024 * 1024].reshape(-1, 1024)[:, :-LINE_PAUSE]
        parts = [whole(line[np.newaxis], np.ones((1, line.size), bool)) for line in lines]
        assert knee / 2.1 <= likeliest_knee(parts) <= knee * 2.1


@pytest.mark.parametrize("band", [FAST_BAND, SLOW_BAND])
@pytest.mark.parametrize("rms", [0.0, 1.0, 3.0, 10.0])
def test_no_fixed_damping_is_much_better_at_any_strength(rms, band, monkeypatch):
    left = {}
    for knees in (KNEES, *KNEES[::4, np.newaxis]):
        monkeypatch.setattr(section_waves, "KNEES", knees)
        rest = []
        for seed in range(4):
            noise, image, rng = made(seed, rms=rms)
            rest += [
                (subarray_noise(image, m, band) - noise).std() for m in masks(rng, image.shape)
            ]
        left[len(knees), knees[0]] = np.mean(rest)
    chosen = left.pop((len(KNEES), KNEES[0]))
    # a hundredth of the white noise: what the choice itself costs where there is nothing to find
    assert chosen < 1.02 * min(left.values()) + 0.03
    assert chosen < max(rms, 0.35)


def test_units_do_not_matter_and_nothing_has_no_noise():
    _, image, rng = made(5, rms=4.0)
    for mask in masks(rng, image.shape):
        found = subarray_noise(image, mask)
        np.testing.assert_allclose(
            subarray_noise(image * np.float32(1024), mask), found * 1024, rtol=1e-5, atol=1e-3
        )
        np.testing.assert_array_equal(subarray_noise(np.zeros_like(image), mask), 0)
        level = subarray_noise(np.full_like(image, 7.0), mask)
        np.testing.assert_allclose(level[mask], 7.0, rtol=1e-4)


def test_a_sample_of_the_sections_is_enough(monkeypatch):
    noise, image, _ = made(6, rms=3.0, nlines=800)
    mask = np.ones(image.shape, bool)
    sampled = subarray_noise(image, mask)
    monkeypatch.setattr(section_waves, "ENOUGH_SECTIONS", 10**9)
    everything = subarray_noise(image, mask)
    assert (sampled - noise).std() == pytest.approx((everything - noise).std(), rel=0.01)


def test_drifts_are_fitted_and_outliers_are_not():
    rng = np.random.default_rng(2)
    drift = np.zeros((100, 64))
    drift[80:] = -30 * np.sin(np.linspace(0, np.pi / 2, 20))[:, np.newaxis]
    image = (drift + rng.normal(0, 3, drift.shape)).astype(np.float32)
    places = rng.random(image.shape) < 0.01
    image[places] += 60
    mask = np.ones(image.shape, bool)
    cleaned = without_neighbours_of_outliers(image, mask)
    assert not cleaned[places & (drift == 0)].any()
    assert cleaned.mean() > 0.94
    assert (subarray_noise(image, mask) - drift).std() < 1.5


def test_an_outlier_of_a_single_line_is_found():
    image = np.random.default_rng(3).normal(0, 1, (1, 9)).astype(np.float32)
    image[0, 2] = 100
    cleaned = without_neighbours_of_outliers(image, np.ones(image.shape, bool))
    assert not cleaned[0, 1:4].any()
    nothing = np.zeros(image.shape, bool)
    np.testing.assert_array_equal(without_neighbours_of_outliers(image, nothing), nothing)
