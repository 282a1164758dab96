"""The likelihood fit against plain linear algebra and against truth."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calwebb_detector1.ramp_likelihood import (
    JumpLimits,
    covariance_tables,
    find_likely_jumps,
    fit_likelihood,
    limits_by_freedom,
)
from calwebb_detector1.rates import Timing

from .ramps import GAIN, READ_NOISE, TGROUP

TIMING = Timing(TGROUP, TGROUP, 1)
AVERAGED = Timing(TGROUP, TGROUP / 5, 4)
VARIANCE = READ_NOISE**2 / 2


def fit(data, groupdq=None, **options):
    data = np.ascontiguousarray(data, np.float32)
    shape = data.shape[2:]
    given = {
        "gain": np.full(shape, GAIN, np.float32), "timing": TIMING,
        "readnoise": np.full(shape, READ_NOISE, np.float32),
    } | options  # fmt: skip
    groupdq = np.zeros(data.shape, np.uint8) if groupdq is None else groupdq
    return fit_likelihood(data, groupdq, np.zeros(shape, np.uint32), **given)


def noisy(seed, rates, nints=1, ngroups=10, timing=TIMING, hits=()):
    """Make ramps (nints, ngroups, 1, n) frame by frame; hits are (group, pixel, electrons)."""
    rng = np.random.default_rng(seed)
    rates = np.atleast_1d(rates)
    cycle = round(timing.group_time / timing.frame_time)
    shape = (nints, ngroups * cycle, 1, rates.size)
    electrons = rng.poisson(rates * GAIN * timing.frame_time, shape).astype(float)
    for group, pixel, energy in hits:
        electrons[:, group * cycle, 0, pixel] += energy
    reads = np.cumsum(electrons, axis=1) / GAIN + rng.normal(0, np.sqrt(VARIANCE), shape)
    groups = reads.reshape(nints, ngroups, cycle, 1, rates.size)[:, :, : timing.nframes]
    return groups.mean(axis=2).astype(np.float32)


def covariance(timing, ngroups, photons):
    """Return the covariance of groups, summed read by read, and the matrix of differences."""
    reads = [
        g * timing.group_time + timing.frame_time * (1 + np.arange(timing.nframes))
        for g in range(ngroups)
    ]
    groups = np.array([[np.minimum.outer(a, b).mean() for b in reads] for a in reads]) * photons
    groups += np.eye(ngroups) * VARIANCE / timing.nframes
    step = (np.eye(ngroups)[1:] - np.eye(ngroups)[:-1]) / timing.group_time
    return step @ groups @ step.T, step


def plain_fit(values, matrix, use):
    """Return rate, variance and chi-square of differences by inverting the matrix."""
    inverse = np.linalg.inv(matrix[np.ix_(use, use)])
    d = values[use]
    weight = inverse.sum()
    rate = (inverse @ d).sum() / weight
    return rate, 1 / weight, (d - rate) @ inverse @ (d - rate)


@pytest.mark.parametrize("timing", [TIMING, AVERAGED])
@pytest.mark.parametrize("flags", [[], [4], [1, 2, 7]])
def test_against_linear_algebra(timing, flags):
    data = noisy(2, [3.0, 30.0, 300.0], timing=timing)
    groupdq = np.zeros(data.shape, np.uint8)
    groupdq[:, flags] = 1
    chisq = np.empty((1, 3), np.float32)
    _, (slope, err, _, var_p, var_r) = fit(data, groupdq, timing=timing, chisq=chisq)
    use = np.ones(9, bool)
    for flag in flags:
        use[flag - 1 : flag + 1] = False
    for x in range(3):
        values = np.diff(data[0, :, 0, x].astype(float)) / timing.group_time
        matrix, _ = covariance(timing, 10, max(np.median(values[use]), 0) / GAIN)
        first, _, _ = plain_fit(values, matrix, use)
        matrix, _ = covariance(timing, 10, max(first, 0) / GAIN)
        rate, variance, expected = plain_fit(values, matrix, use)
        assert slope[0, x] == pytest.approx(rate, rel=1e-5)
        assert err[0, x] == pytest.approx(np.sqrt(variance), rel=1e-5)
        assert var_p[0, x] + var_r[0, x] == pytest.approx(variance, rel=1e-5)
        assert chisq[0, x] == pytest.approx(expected, rel=1e-4)


def test_zero_frame_is_a_sample_of_its_own():
    """The table with the first read apart, against the covariance summed read by read."""
    table = covariance_tables(AVERAGED, 3)[1]
    reads = AVERAGED.frame_time * np.array([1, 2, 3, 4])
    groups = [reads[:1], reads[1:], reads + TGROUP, reads + 2 * TGROUP]
    photon = np.array([[np.minimum.outer(a, b).mean() for b in groups] for a in groups])
    mean = [group.mean() for group in groups]
    step = (np.eye(4)[1:] - np.eye(4)[:-1]) / np.diff(mean)[:, None]
    expected = step @ photon @ step.T
    np.testing.assert_allclose(table[1], np.diag(expected), rtol=1e-12)
    np.testing.assert_allclose(table[2, :2], np.diag(expected, 1), rtol=1e-12)
    assert abs(expected[0, 2]) < 1e-12


def test_zero_frame_adds_a_difference():
    times = AVERAGED.first_group + TGROUP * np.arange(5)
    data = (30 * times)[None, :, None, None]
    zero = np.full((1, 1, 1), 30 * AVERAGED.frame_time, np.float32)
    with_zero = fit(data, timing=AVERAGED, zeroframe=zero)[1]
    without = fit(data, timing=AVERAGED)[1]
    unusable = fit(data, timing=AVERAGED, zeroframe=0 * zero)[1]
    assert with_zero[0][0, 0] == pytest.approx(30, rel=1e-5)
    assert with_zero[1][0, 0] < 0.995 * without[1][0, 0]
    assert unusable[1] == without[1]


@pytest.mark.parametrize("timing", [TIMING, AVERAGED])
def test_pulls_are_normal(timing):
    rate = np.full(4000, 5.0)
    chisq = np.empty((1, 4000), np.float32)
    _, (slope, err, *_) = fit(noisy(3, rate, timing=timing), timing=timing, chisq=chisq)
    pull = (slope - 5) / err
    assert abs(pull.mean()) < 0.06
    assert pull.std() == pytest.approx(1, abs=0.03)
    assert chisq.mean() == pytest.approx(8, abs=0.25)


def test_integrations_are_weighted_alike():
    """Weights from each integration's own noise would favour low ones, by 3 % here."""
    rates = np.full(3000, 0.3)
    rateints, (slope, err, _, var_p, var_r) = fit(noisy(5, rates, nints=6, ngroups=5))
    assert slope.mean() == pytest.approx(0.3, abs=3 * slope.std() / np.sqrt(3000))
    assert np.average(rateints[0], axis=0, weights=rateints[1] ** -2).mean() < 0.294
    np.testing.assert_allclose(err**2, var_p + var_r, rtol=1e-5)


def jumps_of(data, **limits):
    groupdq = np.zeros(data.shape, np.uint8)
    fit(data, groupdq, jumps=JumpLimits(**limits))
    return groupdq


def test_jumps_are_found_and_flagged():
    data = noisy(4, np.full(200, 2.0), hits=[(6, k, 300) for k in range(100)])
    groupdq = jumps_of(data)
    assert (groupdq[0, 6, 0, :100] == 4).all()
    assert np.count_nonzero(groupdq) <= 101
    _, rate = fit(data, jumps=JumpLimits())
    assert (rate[2][0, :100] == 4).all()
    assert np.count_nonzero(rate[2][0, 100:]) <= 1
    assert abs(rate[0][0, :100].mean() - 2) < 0.1


def test_jumps_for_another_fit_are_the_same():
    data = noisy(4, np.full(200, 2.0), hits=[(6, k, 90) for k in range(100)])
    groupdq = np.zeros(data.shape, np.uint8)
    shape = data.shape[2:]
    find_likely_jumps(
        data, groupdq, np.zeros(shape, np.uint32), gain=np.full(shape, GAIN, np.float32),
        readnoise=np.full(shape, READ_NOISE, np.float32), timing=TIMING, jumps=JumpLimits(),
    )  # fmt: skip
    np.testing.assert_array_equal(groupdq, jumps_of(data))


def test_a_hit_amid_averaged_reads_costs_two_differences():
    data = noisy(6, np.full(40, 1.0), timing=AVERAGED)
    data[:, 5] += 150
    data[:, 6:] += 300
    groupdq = np.zeros(data.shape, np.uint8)
    _, rate = fit(data, groupdq, timing=AVERAGED, jumps=JumpLimits())
    assert (groupdq[0, 5:7] == 4).all()
    assert abs(rate[0].mean() - 1) < 0.1


def test_only_rises_count_if_asked_for():
    data = noisy(7, np.full(60, 2.0))
    data[:, 5:, :, :30] -= 200
    data[:, 5:, :, 30:] += 200
    assert (jumps_of(data)[0, 5] == 4).all()
    rises = jumps_of(data, positive=True)
    assert not rises[0, 5, 0, :30].any()
    assert (rises[0, 5, 0, 30:] == 4).all()


def test_flagged_jumps_are_left_out():
    data = noisy(8, np.full(50, 2.0), hits=[(4, k, 5000) for k in range(50)])
    groupdq = np.zeros(data.shape, np.uint8)
    groupdq[:, 4] = 4
    _, rate = fit(data, groupdq)
    assert abs(rate[0].mean() - 2) < 0.1


@pytest.mark.parametrize(
    ("flags", "fitted", "dq"),
    [
        ([0, 0, 0, 2, 2], True, 2), ([2, 2, 2, 2, 2], False, 3), ([1, 1, 1, 1, 1], False, 1),
        ([0, 1, 0, 1, 0], False, 1), ([0, 4, 0, 0, 32], True, 36), ([0, 129, 129, 0, 0], True, 0),
        ([2, 0, 0, 0, 0], False, 3),
    ],
)  # fmt: skip
def test_flags_of_groups(flags, fitted, dq):
    data = (20 * TGROUP * np.arange(5.0))[None, :, None, None]
    groupdq = np.array(flags, np.uint8)[None, :, None, None].copy()
    for product in fit(data, groupdq):
        assert np.isfinite(product[0]).all() == fitted
        assert product[2].ravel()[0] == dq
        if fitted:
            assert product[0].ravel()[0] == pytest.approx(20, rel=1e-5)


def test_one_integration_without_fit_leaves_the_other():
    data = noisy(1, [10.0], nints=2)
    groupdq = np.zeros(data.shape, np.uint8)
    groupdq[0] = 2
    rateints, rate = fit(data, groupdq)
    assert np.isnan(rateints[0][0, 0, 0])
    assert rate[0][0, 0] == rateints[0][1, 0, 0]
    assert rate[2][0, 0] == 2


def test_bad_ramps_are_flagged_by_chi_square():
    data = noisy(9, np.full(50, 50.0))
    data[:, :, :, 0] += np.float32([0, 300] * 5)[None, :, None]
    for limits in (limits_by_freedom(9, reduced=4.0), limits_by_freedom(9, probability=1e-5)):
        for product in fit(data, chisq_limits=limits):
            bad = product[2].ravel() & 16777216 != 0
            assert bad[0]
            assert not bad[1:].any()
    assert not (fit(data)[1][2] & 16777216).any()


def test_limits_of_chi_square():
    from scipy.stats import chi2

    both = limits_by_freedom(5, reduced=2.0, probability=0.1)
    assert both[3] == min(6.0, chi2.isf(0.1, 3))
    assert limits_by_freedom(5).size == 0


def test_four_groups_are_needed():
    with pytest.raises(ValueError, match="data has 3 groups to fit; expected 4 at least"):
        fit(np.zeros((1, 3, 2, 2)))
    with pytest.raises(ValueError, match="data has 3 groups"):
        fit(np.zeros((1, 9, 2, 2)), bounds=(2, 5))


def test_first_and_last_group():
    data = noisy(1, [10.0, 20.0])
    data[:, 0] += 4000
    cut = np.ascontiguousarray(data[:, 1:8])
    for whole, part in zip(fit(data, bounds=(1, 8))[1], fit(cut)[1], strict=True):
        np.testing.assert_array_equal(whole, part)


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_nothing_breaks_the_fit(data):
    nints, ngroups = data.draw(st.integers(1, 3)), data.draw(st.integers(4, 9))
    timing = data.draw(st.sampled_from([TIMING, AVERAGED]))
    rng = np.random.default_rng(data.draw(st.integers(0, 10**6)))
    shape = (nints, ngroups, 2, 3)
    values = rng.normal(0, 10 ** rng.uniform(0, 6), shape).astype(np.float32)
    values[rng.random(shape) < 0.1] = rng.choice([np.nan, 0, 65535, -1e5])
    flags = rng.choice([0, 0, 0, 0, 1, 2, 4, 5, 32, 129], shape).astype(np.uint8)
    before, kept = flags.copy(), values.tobytes()
    zero = values[:, 0] * 0.2 if data.draw(st.booleans()) else None
    jumps = data.draw(st.sampled_from([None, JumpLimits(), JumpLimits(9, 12, positive=True)]))
    for product in fit(values, flags, timing=timing, zeroframe=zero, jumps=jumps):
        slope, err, dq, var_p, var_r = product
        assert (np.isnan(slope) == (dq & 1 != 0)).all()
        assert np.isfinite([err, var_p, var_r]).all()
        assert (np.array([err, var_p, var_r]) >= 0).all()
    assert (flags & ~np.uint8(4) == before & ~np.uint8(4)).all()
    assert (flags & before == before).all()
    assert kept == values.tobytes()


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6), rows=st.integers(1, 3))
def test_any_rows_give_the_same_values(seed, rows):
    rng = np.random.default_rng(seed)
    data = np.cumsum(rng.normal(40, 30, (2, 6, 4, 5)), axis=1).astype(np.float32)
    jumps = JumpLimits(9, 12)
    whole = fit(data, jumps=jumps)
    part = fit(data[:, :, :rows], jumps=jumps)
    for all_rows, some in zip(whole, part, strict=True):
        for one, other in zip(all_rows, some, strict=True):
            np.testing.assert_array_equal(one[..., :rows, :], other)
