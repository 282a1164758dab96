"""Masks of background pixels, traces of NIRISS SOSS, options chosen by an image."""

import numpy as np
import pytest

from calwebb_core.framework.errors import InputError, ReferenceFileError
from calwebb_core.science.dq import DO_NOT_USE, NON_SCIENCE, PixelDQ
from calwebb_core.science.flicker_choice import (
    THRESHOLDS,
    Look,
    choose_options,
    decide,
    largest_step,
    line_of,
    look_at,
)
from calwebb_core.science.flicker_noise import Readout
from calwebb_core.science.scene_mask import flagged_regions, scene_mask
from calwebb_core.science.soss_trace import trace_mask, traces

from .flicker import flicker, scene


def rate_of(seed=1, shape=(96, 96)):
    rng = np.random.default_rng(seed)
    sources, _ = scene(seed, *shape)
    return (sources + 1 + rng.normal(0, 0.2, shape)).astype(np.float32), sources


@pytest.mark.parametrize(("fit_histogram", "bright"), [(False, 30), (True, 2)])
def test_sources_are_no_background(fit_histogram, bright):
    rate, sources = rate_of()
    mask = scene_mask(rate, fit_histogram=fit_histogram)
    assert not mask[sources > bright].any()
    assert mask[sources < 0.01].mean() > 0.9


def test_what_has_no_rate_is_no_background():
    rate, _ = rate_of()
    rate[3, 4], rate[5, 6] = np.nan, 0
    mask = scene_mask(rate, n_sigma=0)
    assert np.count_nonzero(~mask) == 2
    assert not mask[3, 4]
    lit = np.zeros(rate.shape, bool)
    lit[:10] = True
    assert not scene_mask(rate, lit, n_sigma=0)[:10].any()


def test_integrations_are_judged_one_by_one():
    first, _ = rate_of(1)
    second, _ = rate_of(2)
    second *= 5
    cube = scene_mask(np.stack([first, second]))
    np.testing.assert_array_equal(cube[0], scene_mask(first))
    np.testing.assert_array_equal(cube[1], scene_mask(second))


def test_flags_and_modes_tell_regions():
    dq = np.zeros((2048, 8), np.uint32)
    dq[5, 5] = PixelDQ.MSA_FAILED_OPEN
    dq[7, 7] = DO_NOT_USE
    dq[9, 1] = NON_SCIENCE
    lit = flagged_regions("NRS_MSASPEC", dq, full_frame=True)
    assert lit[5, 5]
    assert lit[922:1116].all()
    assert np.count_nonzero(lit) == 1 + 8 * (1116 - 922)
    assert np.count_nonzero(flagged_regions("NRS_FIXEDSLIT", dq, full_frame=False)) == 1
    assert np.argwhere(flagged_regions("MIR_IMAGE", dq, full_frame=True)).tolist() == [
        [7, 7], [9, 1],
    ]  # fmt: skip
    assert not flagged_regions("NRC_IMAGE", dq, full_frame=True).any()


def pastasoss(slope=0.02):
    x = np.arange(2048.0)
    return {
        "meta": {"pwcpos_cmd": 245.76, "pwcpos_bounds": [245.6, 246.0]},
        "traces": [
            {"spectral_order": 1, "pivot_x": 1000.0, "pivot_y": 80.0 + 1000 * slope,
             "trace": np.stack([x, 80 + slope * x], axis=1)},
            {"spectral_order": 2, "pivot_x": 1500.0, "pivot_y": 150.0,
             "trace": np.stack([x[600:1700], np.full(1100, 150.0)], axis=1)},
        ],
    }  # fmt: skip


def test_traces_turn_with_the_pupil_wheel():
    still = traces(pastasoss(), "p.asdf", pupil_wheel=245.76, first_row=1793, columns=2048)
    np.testing.assert_allclose(still[0].row, 80 + 0.02 * np.arange(2048))
    assert [trace.order for trace in still] == [1, 2]
    turned = traces(pastasoss(), "p.asdf", pupil_wheel=245.86, first_row=1793, columns=2048)
    x = np.arange(100, 1900)
    expected = 100 + np.tan(np.arctan(0.02) + np.radians(0.1)) * (x - 1000)
    np.testing.assert_allclose(turned[0].row[x], expected, atol=1e-6)


def test_traces_in_the_smaller_subarray_are_ten_rows_lower():
    large = traces(pastasoss(), "p.asdf", pupil_wheel=245.8, first_row=1793, columns=2048)
    small = traces(pastasoss(), "p.asdf", pupil_wheel=245.8, first_row=1803, columns=2048)
    np.testing.assert_allclose(large[0].row - small[0].row, 10)
    mask = trace_mask(small, (96, 2048), 16)
    assert mask[75, 300] == (abs(75 - small[0].row[300]) < 17)
    assert mask.any(axis=0).all()


def test_a_pupil_wheel_elsewhere_is_refused():
    with pytest.raises(InputError, match=r"PWCPOS is 250.0; p.asdf holds for 245.6 to 246.0"):
        traces(pastasoss(), "p.asdf", pupil_wheel=250.0, first_row=1793, columns=2048)
    with pytest.raises(ReferenceFileError, match=r"p.asdf is no PASTASOSS reference: 'meta'"):
        traces({}, "p.asdf", pupil_wheel=245.8, first_row=1793, columns=2048)


@pytest.mark.parametrize(
    ("look", "expected"),
    [
        (Look(0.05, 0.1, 1e-3, 1, 1), ("median", True)),
        (Look(0.5, 0.1, 2e-4, 1, 1), ("model", False)),
        (Look(0.5, 0.1, 5e-5, 1, 1), ("median", False)),
        (Look(0.5, 0.0, 5e-5, 1, 1), ("model", False)),
        (Look(0.05, 0.01, 5e-5, 2, 0.0), ("model", False)),
        (Look(0.05, 0.01, 5e-5, 9, 0.1), ("median", True)),
        (Look(0.05, 0.0, 5e-6, 1, 0.1), ("median", False)),
        (Look(0.05, 0.01, 2e-4, 9, 0.0), ("model", False)),
    ],
)
def test_options_are_decided_by_thresholds(look, expected):
    assert decide(look, THRESHOLDS["NIRISS"]) == expected


def test_an_image_is_measured():
    x = np.mgrid[:256, :256][1]
    rng = np.random.default_rng(1)
    rate = 1 + 3e-3 * x + rng.normal(0, 0.02, x.shape) + flicker(1, 256, 256, rms=0.01)
    rate[100:110, 100:110] += 50
    look = look_at(rate.astype(np.float32), "NIRCAM", Readout(), None)
    assert look.slope == pytest.approx(3e-3, rel=0.1)
    assert look.ratio > 5
    assert 0.001 < look.masked < 0.2
    flat = np.full(x.shape, 2, np.float32)
    assert choose_options(rate.astype(np.float32), "NIRCAM", Readout(), flat)[0] == "model"
    assert choose_options(np.full((64, 64), 3, np.float32), "NIRISS", Readout()) == (
        "median", False,
    )  # fmt: skip


def test_lines_and_steps():
    values = 3 + 0.5 * np.arange(50.0)
    values[7] = np.nan
    assert line_of(values) == pytest.approx((0.5, 0.0), abs=1e-6)
    assert line_of(np.array([1.0, np.nan])) == (0.0, 0.0)
    outputs = np.repeat([1.0, 2.0, 2.5, 2.4], 512)
    assert largest_step(outputs) == pytest.approx(1.0)
    assert largest_step(outputs[:100]) == 0.0
