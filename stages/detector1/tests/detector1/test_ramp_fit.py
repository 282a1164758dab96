"""Slopes, variances and flags of the fit."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calwebb_core.framework.errors import InputError, ReferenceFileError
from calwebb_core.framework.references import References
from calwebb_detector1 import together
from calwebb_detector1.steps import ramp_fit

from . import reference
from .ramps import GAIN, READ_NOISE, TGROUP, make, ramp_of

TIMING = ramp_fit.Timing(TGROUP, TGROUP, 1)
SIGMA = READ_NOISE * GAIN / np.sqrt(2)


def fit(data, groupdq=None, pixeldq=None, **options):
    data = np.ascontiguousarray(data, np.float32)
    ny, nx = data.shape[2:]
    groupdq = np.zeros(data.shape, np.uint8) if groupdq is None else groupdq
    pixeldq = np.zeros((ny, nx), np.uint32) if pixeldq is None else pixeldq
    options = {
        "gain": np.full((ny, nx), GAIN, np.float32), "timing": TIMING,
        "readnoise": np.full((ny, nx), READ_NOISE, np.float32),
    } | options  # fmt: skip
    return ramp_fit.fit_slopes(data, groupdq, pixeldq, **options)


def ramp(values, flags=None):
    """One pixel's ramps as arrays."""
    values = np.atleast_2d(np.asarray(values, np.float32))
    data = values[:, :, None, None]
    if flags is None:
        return data, np.zeros(data.shape, np.uint8)
    return data, np.atleast_2d(np.asarray(flags, np.uint8))[:, :, None, None].copy()


@pytest.mark.parametrize("ngroups", [2, 3, 4, 7, 30])
@pytest.mark.parametrize("rate", [0.0, 1.0, 30.0, 500.0])
def test_a_noiseless_ramp_has_its_slope(ngroups, rate):
    line = 100 + rate * TGROUP * np.arange(ngroups)
    rateints, result = fit(ramp(line)[0])
    for product in (rateints, result):
        assert product[0].ravel()[0] == pytest.approx(rate, rel=1e-5, abs=1e-5)


def test_variances_of_a_whole_ramp():
    line = 50 * TGROUP * np.arange(10)
    _, (_, err, dq, var_poisson, var_rnoise) = fit(ramp(line)[0])
    assert var_rnoise[0, 0] == pytest.approx(12 * (SIGMA / TGROUP / GAIN) ** 2 / 990, rel=1e-5)
    assert var_poisson[0, 0] == pytest.approx(50 / (TGROUP * GAIN * 9), rel=1e-5)
    assert err[0, 0] == pytest.approx(np.sqrt(var_rnoise + var_poisson)[0, 0], rel=1e-6)
    assert dq[0, 0] == 0


def test_dark_current_adds_poisson_variance():
    line = 50 * TGROUP * np.arange(10)
    dark = np.full((1, 1), 5, np.float32)
    _, plain = fit(ramp(line)[0])
    _, result = fit(ramp(line)[0], dark_current=dark)
    assert result[3][0, 0] / plain[3][0, 0] == pytest.approx(55 / 50, rel=1e-5)


def test_a_jump_cuts_the_ramp():
    line = 20 * TGROUP * np.arange(8.0)
    line[5:] += 1000
    data, flags = ramp(line, [0, 0, 0, 0, 0, 4, 0, 0])
    rateints, result = fit(data, flags)
    assert result[0][0, 0] == pytest.approx(20, rel=1e-5)
    assert result[2][0, 0] == 4
    assert rateints[2][0, 0, 0] == 4


@pytest.mark.parametrize(
    ("flags", "expected", "dq"),
    [
        ([0, 0, 0, 2, 2], 20.0, 2),
        ([0, 0, 1, 0, 0], 20.0, 0),
        ([0, 2, 2, 2, 2], np.nan, 3),
        ([2, 2, 2, 2, 2], np.nan, 3),
        ([1, 1, 1, 1, 1], np.nan, 1),
        ([1, 1, 0, 1, 1], np.nan, 1),
        ([4, 4, 4, 4, 4], np.nan, 5),
        ([0, 0, 0, 32, 32], 20.0, 32),
        ([0, 4, 4, 0, 0], 20.0, 4),
    ],
)
def test_flags_of_groups(flags, expected, dq):
    data, groupdq = ramp(20 * TGROUP * np.arange(5.0), flags)
    rateints, result = fit(data, groupdq)
    assert result[0][0, 0] == pytest.approx(expected, rel=1e-5, nan_ok=True)
    assert rateints[0][0, 0, 0] == pytest.approx(expected, rel=1e-5, nan_ok=True)
    assert result[2][0, 0] == rateints[2][0, 0, 0] == dq
    if np.isnan(expected):
        assert result[1][0, 0] == result[3][0, 0] == result[4][0, 0] == 0


def test_one_group_alone():
    """A single group counts from the start of the integration, unless ramps have more."""
    timing = ramp_fit.Timing(TGROUP, TGROUP / 4, 4)
    first = 2.5 * TGROUP / 4
    data, flags = ramp([30 * first, 9e4, 9e4], [0, 2, 2])
    _, kept = fit(data, flags, timing=timing, suppress_one_group=False)
    assert kept[0][0, 0] == pytest.approx(30, rel=1e-5)
    _, dropped = fit(data, flags, timing=timing)
    assert np.isnan(dropped[0][0, 0])
    _, single = fit(data[:, :1], flags[:, :1], timing=timing)
    assert single[0][0, 0] == pytest.approx(30, rel=1e-5)


def test_zero_frame_of_a_saturated_ramp():
    data, flags = ramp([9e4, 9e4, 9e4], [2, 2, 2])
    zero = np.full((1, 1, 1), 70 * TGROUP, np.float32)
    _, result = fit(data, flags, zeroframe=zero, suppress_one_group=False)
    assert result[0][0, 0] == pytest.approx(70, rel=1e-5)
    assert result[2][0, 0] == 2
    _, bad = fit(data, flags, zeroframe=0 * zero, suppress_one_group=False)
    assert np.isnan(bad[0][0, 0])


def test_a_saturated_integration_leaves_the_others():
    line = 20 * TGROUP * np.arange(4.0)
    data, flags = ramp([line, line + 5], [[2, 2, 2, 2], [0, 0, 0, 0]])
    rateints, result = fit(data, flags)
    assert np.isnan(rateints[0][0, 0, 0])
    assert result[0][0, 0] == pytest.approx(20, rel=1e-5)
    assert result[2][0, 0] == 2


def test_nan_samples_are_left_out():
    line = 20 * TGROUP * np.arange(6.0)
    line[2] = np.nan
    _, result = fit(ramp(line)[0])
    assert result[0][0, 0] == pytest.approx(20, rel=1e-5)


def test_bad_pixels():
    line = 20 * TGROUP * np.arange(6.0)
    _, result = fit(ramp(line)[0], pixeldq=np.array([[1025]], np.uint32))
    assert np.isnan(result[0][0, 0])
    assert result[2][0, 0] == 1025


@pytest.mark.parametrize(("nints", "ngroups"), [(1, 2), (1, 5), (3, 8), (2, 40)])
def test_against_numpy(nints, ngroups):
    made = make(seed=ngroups, nints=nints, ngroups=ngroups, ny=12, nx=13, bad_pixels=0)
    flags = made.groupdq | np.where(made.hits & (made.groupdq == 0), 4, 0).astype(np.uint8)
    flags[:, 0] &= 3
    _, result = ramp_fit.fit_slopes(
        made.data, flags, made.pixeldq, gain=made.gain, readnoise=made.readnoise, timing=TIMING
    )
    for y, x in np.ndindex(made.gain.shape):
        sigma = made.readnoise[y, x] * made.gain[y, x] / np.sqrt(2)
        own = made.data[:, :, y, x].astype(float), flags[:, :, y, x]
        slope, err, var_p, var_r = reference.fit_pixel(*own, made.gain[y, x], sigma, TGROUP)
        found = [result[k][y, x] for k in (0, 1, 3, 4)]
        np.testing.assert_allclose(found, [slope, err, var_p, var_r], rtol=2e-4, atol=1e-6)


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_nothing_breaks_the_fit(data):
    nints, ngroups = data.draw(st.integers(1, 3)), data.draw(st.integers(1, 9))
    shape = (nints, ngroups, 2, 3)
    seed = data.draw(st.integers(0, 10**6))
    rng = np.random.default_rng(seed)
    values = rng.normal(0, 10 ** rng.uniform(0, 6), shape).astype(np.float32)
    values[rng.random(shape) < 0.1] = rng.choice([np.nan, 0, 65535, -1e5])
    flags = rng.choice([0, 0, 0, 1, 2, 4, 5, 32, 65], shape).astype(np.uint8)
    before = values.tobytes(), flags.tobytes()
    suppress = data.draw(st.booleans())
    for product in fit(values, flags, suppress_one_group=suppress):
        slope, err, dq, var_p, var_r = product
        assert (np.isnan(slope) == (dq & 1 != 0)).all()
        assert np.isfinite([err, var_p, var_r]).all()
        assert (np.array([err, var_p, var_r]) >= 0).all()
    assert before == (values.tobytes(), flags.tobytes())


def test_errors_match_the_scatter():
    made = make(seed=3, ngroups=10, ny=80, nx=80, rates=(20, 21), hits=0, saturated=0, unusable=0)
    gain, noise = np.full_like(made.gain, GAIN), made.readnoise
    data = made.data * (made.gain / GAIN)
    data += np.random.default_rng(1).normal(0, noise / np.sqrt(2), made.data.shape)
    pixeldq = np.zeros_like(made.pixeldq)
    _, (slope, err, *_) = ramp_fit.fit_slopes(
        data.astype(np.float32), made.groupdq, pixeldq, gain=gain,
        readnoise=noise * np.float32(np.sqrt(2)), timing=TIMING,
    )  # fmt: skip
    pull = (slope - made.rate) / err
    assert abs(pull.mean()) < 0.05
    assert pull.std() == pytest.approx(1.0, abs=0.07)


def references(made, **changes):
    arrays = {"gain": {"SCI": made.gain}, "readnoise": {"SCI": made.readnoise}}
    return References.of(**(arrays | changes))


def test_step_makes_two_products():
    made = make(nints=2, ngroups=5)
    rates, status = ramp_fit.run(ramp_of(made), references(made), ramp_fit.RampFitParameters())
    assert status.word == "COMPLETE"
    assert rates.rate.data.shape == made.gain.shape
    assert rates.rateints.data.shape == (2, *made.gain.shape)
    assert rates.rate.metadata["BUNIT"] == rates.rateints.metadata["BUNIT"] == "DN/s"
    assert rates.rate.metadata is not rates.rateints.metadata


def test_first_and_last_group():
    made = make(ngroups=8, saturated=0, unusable=0, hits=0)
    ramp = ramp_of(made)
    ramp.data[:, 0] += 5000
    ramp.data[:, 7] -= 5000
    wish = ramp_fit.RampFitParameters(firstgroup=1, lastgroup=6)
    rates, _ = ramp_fit.run(ramp, references(made), wish)
    other = ramp_of(made)
    other.data, other.groupdq = (a[:, 1:7].copy() for a in (other.data, other.groupdq))
    expected, _ = ramp_fit.run(other, references(made), ramp_fit.RampFitParameters())
    np.testing.assert_array_equal(rates.rate.data, expected.rate.data)


def test_groups_that_nobody_uses_are_left_out():
    made = make(ngroups=6)
    ramp = ramp_of(made)
    ramp.groupdq[:, 0] |= 1
    ramp.groupdq[:, 5] |= 1
    unusable = together.exposure_of(ramp).unusable_groups
    bounds = ramp_fit.group_bounds(unusable, ramp_fit.RampFitParameters(), "x.fits")
    assert bounds == (1, 5)


def test_no_groups_are_left():
    wish = ramp_fit.RampFitParameters(firstgroup=5, lastgroup=2)
    made = make(ngroups=6)
    with pytest.raises(InputError, match="firstgroup 5 and lastgroup 2 leave none of 6 groups"):
        ramp_fit.run(ramp_of(made), references(made), wish)


@pytest.mark.parametrize("kind", ["gain", "readnoise"])
def test_it_needs_gain_and_read_noise(kind):
    made = make()
    with pytest.raises(ReferenceFileError, match=f"ramp_fit needs a {kind} reference"):
        ramp_fit.run(ramp_of(made), references(made, **{kind: None}), ramp_fit.RampFitParameters())


@pytest.mark.parametrize(
    ("argument", "value", "text"),
    [
        ("groupdq", np.zeros((1, 2, 3, 3), np.uint8), r"groupdq is uint8 \(1, 2, 3, 3\)"),
        ("pixeldq", np.zeros((3, 3), np.uint32), r"pixeldq is uint32 \(3, 3\)"),
        ("gain", np.ones((4, 5)), r"gain is float64 \(4, 5\); expected C-contiguous float32"),
    ],
)
def test_arguments_are_checked(argument, value, text):
    with pytest.raises(ValueError, match=text):
        fit(np.zeros((1, 2, 4, 5)), **{argument: value})


def test_data_needs_four_axes():
    with pytest.raises(ValueError, match="expected \\(nints, ngroups, ny, nx\\)"):
        ramp_fit.fit_slopes(
            np.zeros((2, 3, 4), np.float32), np.zeros((2, 3, 4), np.uint8),
            np.zeros((3, 4), np.uint32), gain=np.ones((3, 4), np.float32),
            readnoise=np.ones((3, 4), np.float32), timing=TIMING,
        )  # fmt: skip
