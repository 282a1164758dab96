"""Flicker noise of a known spectrum on a made field; what must not change."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calwebb_core.science import fourier_noise
from calwebb_core.science.flicker_noise import (
    MIRI_COLUMNS,
    FlickerOptions,
    Readout,
    flicker_noise,
)
from calwebb_core.science.fourier_noise import (
    FAST_BAND,
    SLOW_BAND,
    full_frame_noise,
    line_gains,
    sections,
    subarray_noise,
)
from calwebb_core.science.kernels.hermitian import solve
from calwebb_core.science.scene_mask import scene_mask

from .flicker import aperture_flux, flicker, scene

NOISE, WHITE = 8.0, 6.0
METHODS = ("median", "fft")


def field(seed=1, ny=128, nx=160, *, white=WHITE):
    rng = np.random.default_rng(seed)
    sources, places = scene(seed, ny, nx)
    noise = flicker(seed, ny, nx, rms=NOISE)
    level = 30 + rng.normal(0, white, (ny, nx))
    image = (sources + level + noise).astype(np.float32)
    draft = (sources + 30 + rng.normal(0, 1, (ny, nx))).astype(np.float32)
    return image, noise, scene_mask(draft), places


@pytest.mark.parametrize("background", ["median", "model", None])
@pytest.mark.parametrize(("method", "left", "lines"), [("median", 0.85, 0.3), ("fft", 0.8, 0.45)])
def test_noise_is_removed_and_stars_keep_their_flux(method, left, lines, background):
    image, noise, mask, places = field()
    options = FlickerOptions(method=method, background=background, box=(32, 32))
    found = flicker_noise(image if background else image - np.float32(30), mask, options)
    rest = noise - found.noise
    rest -= np.median(rest)
    assert rest.std() < left * noise.std()
    assert rest.mean(axis=1).std() < lines * noise.mean(axis=1).std()
    cleaned = image - found.noise
    true = np.array([aperture_flux(image - noise, y, x) for y, x, _ in places])
    before = np.array([aperture_flux(image, y, x) for y, x, _ in places]) - true
    after = np.array([aperture_flux(cleaned, y, x) for y, x, _ in places]) - true
    assert np.std(after) < np.std(before)
    assert abs(np.mean(after)) < 3 * np.std(after) / np.sqrt(len(after))


def test_outputs_apart_remove_more_where_they_flicker_apart():
    ny = 8
    rng = np.random.default_rng(3)
    noise = flicker(3, ny, 2048, rms=NOISE, outputs=4)
    image = (noise + rng.normal(0, WHITE, noise.shape)).astype(np.float32)
    mask = np.ones(image.shape, bool)
    left = []
    for apart in (False, True):
        options = FlickerOptions(by_channel=apart, background=None)
        left.append((noise - flicker_noise(image, mask, options).noise).std())
    assert left[1] < 0.87 * left[0]


@pytest.mark.parametrize("method", METHODS)
def test_gaps_in_the_background_do_not_make_waves_grow(method):
    image, _, mask, _ = field()
    mask[:, 40:110] = False
    found = flicker_noise(image, mask, FlickerOptions(method=method))
    assert np.abs(found.noise).max() < 6 * NOISE


@pytest.mark.parametrize("method", METHODS)
@given(level=st.floats(-1e4, 1e4, width=32), seed=st.integers(0, 5))
@settings(max_examples=15, deadline=None)
def test_a_constant_image_has_no_noise(method, level, seed):
    mask = np.random.default_rng(seed).random((24, 40)) < 0.7
    image = np.full((24, 40), level, np.float32)
    found = flicker_noise(image, mask, FlickerOptions(method=method))
    np.testing.assert_allclose(found.noise, 0, atol=1e-6)
    assert found.background == np.float32(level)


@pytest.mark.parametrize("background", ["median", "model", None])
@pytest.mark.parametrize("method", METHODS)
@given(
    seed=st.integers(0, 50),
    value=st.sampled_from([np.nan, np.inf, -1e30, 1e30, 65535.0, 0.0]),
)
@settings(max_examples=12, deadline=None)
def test_pixels_outside_of_the_mask_do_not_count(method, background, seed, value):
    rng = np.random.default_rng(seed)
    image = rng.normal(0, 5, (24, 40)).astype(np.float32)
    mask = rng.random(image.shape) < 0.8
    other = np.where(mask, image, np.float32(value))
    options = FlickerOptions(method=method, background=background, box=(8, 8))
    kept = mask.copy()
    one, two = (flicker_noise(each, mask, options) for each in (image, other))
    np.testing.assert_array_equal(one.noise, two.noise)
    np.testing.assert_array_equal(mask, kept)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("axes", [(1, 2), (-1, 2), (1, -2), (2, 1), (-2, -1)])
def test_noise_lies_as_the_detector_is_read(method, axes):
    image, _, mask, _ = field(ny=64, nx=64)
    straight = flicker_noise(image, mask, FlickerOptions(method=method)).noise
    readout = Readout(*axes)

    def as_seen(array):
        seen = np.empty_like(array)
        readout.turn(seen)[:] = array
        return seen

    options = FlickerOptions(method=method, readout=readout)
    turned = flicker_noise(as_seen(image), as_seen(mask), options).noise
    np.testing.assert_array_equal(readout.turn(turned), straight)


def test_miri_flickers_along_its_columns():
    rng = np.random.default_rng(2)
    columns = rng.normal(0, 5, 40).astype(np.float32)
    image = columns + rng.normal(0, 0.1, (60, 40)).astype(np.float32)
    options = FlickerOptions(readout=MIRI_COLUMNS, background=None)
    found = flicker_noise(image, np.ones(image.shape, bool), options)
    np.testing.assert_allclose(found.noise, np.broadcast_to(columns, image.shape), atol=0.1)


def test_medians_are_those_of_numpy():
    image, _, mask, _ = field(ny=32, nx=50)
    found = flicker_noise(image, mask, FlickerOptions(background=None))
    expected = [
        np.median(row[good]) if good.any() else 0 for row, good in zip(image, mask, strict=True)
    ]
    np.testing.assert_array_equal(found.noise[:, 0], np.array(expected, np.float32))


def test_a_flat_is_divided_out_before_and_multiplied_after():
    image, _, mask, _ = field()
    flat = np.random.default_rng(1).uniform(0.8, 1.2, image.shape).astype(np.float32)
    plain = flicker_noise(image, mask, FlickerOptions())
    found = flicker_noise(image * flat, mask, FlickerOptions(), flat=flat)
    np.testing.assert_allclose(found.noise / flat, plain.noise, atol=1e-3)


def test_an_image_without_background_is_left_alone():
    image = np.full((8, 8), np.nan, np.float32)
    assert flicker_noise(image, np.ones((8, 8), bool), FlickerOptions()) is None
    assert flicker_noise(
        np.zeros((8, 8), np.float32), np.zeros((8, 8), bool), FlickerOptions()
    ) is (None)


def test_arguments_are_checked():
    image, mask = np.zeros((8, 9), np.float32), np.zeros((8, 9), bool)
    with pytest.raises(ValueError, match=r"mask is float32 \(8, 9\); expected bool \(8, 9\)"):
        flicker_noise(image, image, FlickerOptions())
    with pytest.raises(ValueError, match="image is float64"):
        flicker_noise(image.astype(float), mask, FlickerOptions())
    with pytest.raises(ValueError, match=r"flat is float32 \(3, 9\)"):
        flicker_noise(image, mask, FlickerOptions(), flat=image[:3])


def by_least_squares(line, good, damping):
    """Cosines and sines fitted to a line, written out."""
    n, gains = len(line), line_gains(len(line))
    x = 2 * np.pi * np.arange(n) / n
    waves = [np.ones(n)]
    weights = [0.0]
    for k in range(1, len(gains)):
        waves += [np.cos(k * x), np.sin(k * x)]
        # half: cos and sin of amplitude a are two waves of amplitude a / 2
        weights += [damping * n * k / 2] * 2
    basis = np.array(waves).T
    used = basis[good]
    found = np.linalg.solve(used.T @ used + np.diag(weights), used.T @ line[good])
    damped = np.concatenate([gains[:1], np.repeat(gains[1:], 2)])
    return basis @ (found * damped)


def test_waves_of_a_line_are_those_of_least_squares(monkeypatch):
    rng = np.random.default_rng(4)
    image = rng.normal(0, 1, (12, 512)).astype(np.float32)
    image += 3 * np.sin(np.arange(512) / 90).astype(np.float32)
    mask = rng.random(image.shape) < 0.6
    mask[:, 200:320] = False
    monkeypatch.setattr(fourier_noise, "BETWEEN_LINES_SIGMA", 0.05)
    monkeypatch.setattr(fourier_noise, "LINE_OUTLIERS", 100.0)
    found = full_frame_noise(image, mask)
    for line in range(4, 8):
        expected = by_least_squares(image[line], mask[line], fourier_noise.LINE_DAMPING)
        np.testing.assert_allclose(found[line], expected, atol=1e-5)
    np.testing.assert_array_equal(found[[0, 1, 2, 3, -4, -3, -2, -1]], 0)


def test_lines_without_background_take_their_neighbours_noise():
    x = np.arange(2048)
    image = np.tile(5 * np.sin(2 * np.pi * 3 * x / 2048), (30, 1)).astype(np.float32)
    mask = np.ones(image.shape, bool)
    mask[14] = False
    found = full_frame_noise(image, mask)
    np.testing.assert_allclose(found[14], found[12], atol=1e-3)
    np.testing.assert_allclose(found[14], image[14], rtol=0.1, atol=0.2)


@given(st.integers(1, 9), st.integers(0, 1000))
@settings(max_examples=40, deadline=None)
def test_equations_are_solved(n, seed):
    rng = np.random.default_rng(seed)
    a = rng.normal(size=(n + 2, n)) + 1j * rng.normal(size=(n + 2, n))
    matrix, x = a.conj().T @ a, rng.normal(size=n) + 1j * rng.normal(size=n)
    right = matrix @ x
    solve(matrix.copy(), right)
    np.testing.assert_allclose(right, x, atol=1e-6)


def test_undetermined_unknowns_are_zero():
    matrix = np.array([[2, 0, 0], [0, 0, 0], [0, 0, 4]], np.complex128)
    right = np.array([2, 0, 8], np.complex128)
    solve(matrix, right)
    np.testing.assert_allclose(right, [1, 0, 2])


@given(st.lists(st.integers(0, 400), min_size=1, max_size=60))
@settings(max_examples=60, deadline=None)
def test_sections_cover_all_lines_with_background(counts):
    counts = np.array(counts)
    covered = np.zeros(len(counts), bool)
    for start, stop in sections(counts):
        assert stop > start
        covered[start:stop] = True
    assert covered[counts > 0].all()


def test_a_subarray_without_background_has_no_noise():
    image = np.random.default_rng(0).normal(0, 1, (20, 30)).astype(np.float32)
    np.testing.assert_array_equal(subarray_noise(image, np.zeros(image.shape, bool)), 0)
    sparse = np.random.default_rng(0).random(image.shape) < 0.03
    np.testing.assert_array_equal(subarray_noise(image, sparse), 0)


def test_alternating_columns_are_noise_too():
    rng = np.random.default_rng(0)
    image = rng.normal(0, 1, (40, 52)).astype(np.float32)
    image[:, ::2] += 4
    found = subarray_noise(image - image.mean(), np.ones(image.shape, bool))
    step = found[:, ::2].mean() - found[:, 1::2].mean()
    assert 3.5 < step < 4.5


def test_bands_pass_both_ends_of_the_spectrum():
    for band in (FAST_BAND, SLOW_BAND):
        ends = [band.gain(f) for f in (0.0, band.low - 1, band.high, 50000.0)]
        assert ends == [1.0] * 4
        assert band.gain(0.5 * (band.low + band.low_end)) == pytest.approx(0.5)
        assert band.gain(0.5 * (band.high_start + band.high)) == pytest.approx(0.5)
        assert band.gain(20000.0) == 0.0
    gains = line_gains(2048)
    assert gains[0] == 1.0
    assert gains[8] == pytest.approx(0.5)
    assert len(gains) == 9
