"""Flicker noise of the same arrays found here and by the official package."""

import numpy as np
import pytest

from calwebb_core.science.background import background_map
from calwebb_core.science.clipping import background_limits, restrict, sorted_values
from calwebb_core.science.flicker_choice import choose_options
from calwebb_core.science.flicker_noise import (
    MIRI_COLUMNS,
    FlickerOptions,
    Readout,
    flicker_noise,
)
from calwebb_core.science.fourier_noise import full_frame_noise, subarray_noise
from calwebb_core.science.scene_mask import scene_mask
from calwebb_detector1.steps.clean_flicker_noise import clean_flicker

from .peer_process import started
from .test_clean_flicker_noise import noisy

pytestmark = [pytest.mark.peer, pytest.mark.slow]


@pytest.fixture(scope="module")
def peer(tmp_path_factory):
    """Run a function of the official package in a process of its own."""
    with started("peer_clean_flicker_noise.py", tmp_path_factory.mktemp("peer")) as run:
        yield run


def image_of(seed, shape, *, white=3.0, rms=6.0):
    """Sources, a slope, white noise and noise of lines along x."""
    rng = np.random.default_rng(seed)
    y, x = np.indices(shape)
    image = 20 + 0.01 * x + rng.normal(0, white, shape) + rng.normal(0, rms, (shape[0], 1))
    for _ in range(shape[0] * shape[1] // 2000):
        cy, cx = rng.uniform(0, shape[0]), rng.uniform(0, shape[1])
        rows, columns = (slice(max(0, int(c) - 9), int(c) + 9) for c in (cy, cx))
        square = (y[rows, columns] - cy) ** 2 + (x[rows, columns] - cx) ** 2
        image[rows, columns] += rng.exponential(500) * np.exp(-square / 5)
    return image.astype(np.float32)


@pytest.mark.parametrize("exp_type", ["NRC_IMAGE", "MIR_IMAGE", "NRS_MSASPEC"])
@pytest.mark.parametrize("background", ["median", "model", "none"])
def test_medians_of_ramps_agree_to_rounding(peer, background, exp_type):
    made, _ = noisy(seed=3, unusable=0.0)
    made.groupdq[np.random.default_rng(1).random(made.groupdq.shape) < 0.01] = 4
    mask = scene_mask(made.data[0, -1] - made.data[0, 0], n_sigma=2.0)
    axes = (2, 1) if exp_type == "NRS_MSASPEC" else (-1, 2)
    theirs = peer(
        "clean", data=made.data, groupdq=made.groupdq, pixeldq=made.pixeldq, mask=mask,
        exp_type=exp_type, axes=axes, option_background_method=background,
        option_background_box_size=(16, 16), option_single_mask=True,
    )  # fmt: skip
    readout = MIRI_COLUMNS if exp_type == "MIR_IMAGE" else Readout(*axes)
    options = FlickerOptions(
        readout=readout, background=None if background == "none" else background, box=(16, 16)
    )
    ours, level = made.data.copy(), np.zeros_like(made.data)
    clean_flicker(ours, made.groupdq, mask, options=options, background=level)
    assert str(theirs["status"]) == "COMPLETE"
    assert np.abs(theirs["noise"]).max() > 5
    # rounding of float32 at the size of the samples, four times over
    np.testing.assert_allclose(ours, theirs["data"], atol=4 * np.spacing(np.float32(4000)))
    np.testing.assert_allclose(level, theirs["background"], atol=1e-2 if "o" in background else 0)


@pytest.mark.parametrize("by_channel", [False, True])
def test_medians_of_a_full_frame_agree(peer, by_channel):
    image = image_of(1, (2048, 2048))
    mask = scene_mask(image)
    theirs = peer(
        "clean", data=image, mask=mask, exp_type="NRC_IMAGE", axes=(-1, 2),
        option_fit_by_channel=by_channel,
    )  # fmt: skip
    found = flicker_noise(
        image, mask, FlickerOptions(readout=Readout(-1, 2), by_channel=by_channel)
    )
    np.testing.assert_allclose(image - found.noise, theirs["data"], atol=1e-4)


@pytest.mark.parametrize("fit_histogram", [False, True])
@pytest.mark.parametrize("ints", [0, 2])
def test_masks_agree(peer, ints, fit_histogram):
    rate = image_of(2, (120, 150), rms=1.0)
    rate[3, 4], rate[5, 6] = np.nan, 0
    if ints:
        rate = np.stack([rate, image_of(3, (120, 150), rms=1.0)])
    theirs = peer(
        "mask", data=rate, exp_type="NRC_IMAGE", axes=(1, 2), option_fit_histogram=fit_histogram
    )
    ours = scene_mask(rate, fit_histogram=fit_histogram)
    assert np.mean(ours != theirs["mask"]) < (1e-3 if fit_histogram else 1e-9)


@pytest.mark.parametrize("fit_histogram", [False, True])
@pytest.mark.parametrize("lower_half", [False, True])
def test_limits_agree(peer, lower_half, fit_histogram):
    image = image_of(4, (120, 150))
    mask = np.random.default_rng(0).random(image.shape) < 0.9
    theirs = peer(
        "limits", data=image, mask=mask, option_sigma_lower=3.0, option_sigma_upper=1.5,
        option_lower_half_only=lower_half, option_fit_histogram=fit_histogram,
    )  # fmt: skip
    limits = background_limits(
        sorted_values(image, mask), 3, 1.5, lower_half=lower_half, fit_histogram=fit_histogram
    )
    restrict(mask, image, limits)
    assert np.mean(mask != theirs["mask"]) < (1e-3 if fit_histogram else 1e-9)


def test_maps_agree(peer):
    image = image_of(5, (192, 256), rms=0.0)
    mask = scene_mask(image)
    theirs = peer(
        "level", data=image, mask=mask, option_background_method="model",
        option_background_box_size=(16, 16),
    )  # fmt: skip
    ours = background_map(image, mask, (16, 16))
    np.testing.assert_allclose(ours, theirs["background"], atol=0.1)
    assert np.median(np.abs(ours - theirs["background"])) < 2e-3


def slow(seed, shape):
    """Noise that slow waves can follow, for images read along y."""
    rng = np.random.default_rng(seed)
    phase = np.linspace(0, 2 * np.pi, shape[0], endpoint=False)[:, None]
    waves = [a * np.cos(k * phase + b) for k, (a, b) in enumerate(rng.normal(0, 3, (5, 2)))]
    return np.sum(waves, axis=0) * np.ones(shape)


def test_waves_of_a_full_frame_are_close(peer):
    rng = np.random.default_rng(6)
    noise = slow(6, (2048, 2048))
    image = (noise + rng.normal(0, 3, noise.shape)).astype(np.float32)
    mask = rng.random(image.shape) < 0.95
    theirs = peer("full", data=image, mask=mask)["noise"]
    ours = full_frame_noise(np.ascontiguousarray(image.T), np.ascontiguousarray(mask.T)).T
    # theirs is shifted by a line and a pixel, and dims towards the unfitted lines
    inner = np.s_[20:-20, 20:-20]
    unshifted = np.roll(theirs, (-1, -1), (0, 1))
    assert (ours - unshifted)[inner].std() < 0.12 * 3
    assert (ours - noise)[inner].std() <= 1.2 * (theirs - noise)[inner].std()


def in_time(seed, *, slope, shape=(64, 100), rms=8.0):
    """Noise whose power falls with frequency^-slope in the order of reading, along y."""
    rng = np.random.default_rng(seed)
    ticks = (shape[0] + 12) * shape[1]
    series = np.cumsum(rng.normal(0, 1, ticks))
    if slope == 1:
        waves = np.fft.rfft(np.diff(series, prepend=0))
        waves[1:] /= np.sqrt(np.arange(1, len(waves)))
        waves[0] = 0
        series = np.fft.irfft(waves, ticks)
    noise = series.reshape(shape[1], -1)[:, : shape[0]].T.copy()
    return rms * (noise - noise.mean()) / noise.std(), rng


@pytest.mark.parametrize(
    ("slope", "rms", "worst", "mean"),
    [(2, 8.0, 1.0, 0.95), (1, 8.0, 1.02, 1.0), (1, 2.0, 1.0, 0.99), (1, 0.7, 0.9, 0.85)],
)
def test_waves_of_subarrays_are_close_and_stay_so_in_gaps(peer, slope, rms, worst, mean):
    shares = []
    for seed in range(7, 19):
        noise, rng = in_time(seed, slope=slope, rms=rms)
        image = (noise + rng.normal(0, 3, noise.shape)).astype(np.float32)
        gap = np.ones(image.shape, bool)
        gap[20:50] = False
        # the official package takes drifts beyond four deviations for outliers, and leaves them
        away = np.abs(image - np.median(image))
        fitted_there = away < 2 * 1.4826 * np.median(away)
        of_seed = []
        for mask in (np.ones(image.shape, bool), rng.random(image.shape) < 0.9, gap):
            theirs = peer("sections", data=image, mask=mask)["noise"]
            ours = subarray_noise(np.ascontiguousarray(image.T), np.ascontiguousarray(mask.T)).T
            left, left_there = (ours - noise).std(), (theirs - noise).std()
            assert left < worst * left_there
            assert left < noise.std()
            if rms > 3 and mask is not gap:
                assert (ours - theirs)[fitted_there].std() < 0.15 * noise.std()
            of_seed.append(left / left_there)
        shares.append(of_seed)
    assert (np.mean(shares, axis=0) < mean).all()


@pytest.mark.parametrize("exp_type", ["NRC_IMAGE", "NIS_IMAGE"])
@pytest.mark.parametrize("seed", range(3))
def test_options_are_chosen_alike(peer, exp_type, seed):
    image = image_of(seed, (256, 256), white=0.2, rms=0.05) * np.float32(0.05 * (1 + 3 * seed))
    axes = (-1, 2) if exp_type == "NRC_IMAGE" else (-2, -1)
    theirs = peer("auto", data=image, exp_type=exp_type, axes=axes)
    instrument = "NIRCAM" if exp_type == "NRC_IMAGE" else "NIRISS"
    ours = choose_options(image, instrument, Readout(*axes))
    assert ours == (str(theirs["background_method"]), bool(theirs["fit_by_channel"]))
