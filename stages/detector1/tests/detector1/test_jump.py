"""Jumps found, their neighbours, and the groups after them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calwebb_core.framework.references import References
from calwebb_detector1.steps import jump

from . import reference
from .ramps import GAIN, READ_NOISE, TGROUP, make, ramp_of

NOISE = np.sqrt(20 * TGROUP * GAIN + (READ_NOISE * GAIN) ** 2) / GAIN  # DN, at 20 DN/s


def detect(data, groupdq=None, nframes=1, **options):
    data = np.ascontiguousarray(data, np.float32)
    groupdq = np.zeros(data.shape, np.uint8) if groupdq is None else groupdq
    shape = data.shape[2:]
    found = jump.detect_jumps(
        data, groupdq, gain=np.full(shape, GAIN, np.float32),
        readnoise=np.full(shape, READ_NOISE, np.float32), nframes=nframes, group_time=TGROUP,
        parameters=jump.JumpParameters(**options),
    )  # fmt: skip
    return found, groupdq


def steady(nints=1, ngroups=8, ny=7, nx=7, rate=20.0):
    line = rate * TGROUP * np.arange(ngroups, dtype=np.float32)
    return np.broadcast_to(line[None, :, None, None], (nints, ngroups, ny, nx)).copy()


@pytest.mark.parametrize("ngroups", [3, 4, 5, 8, 11, 25])
@pytest.mark.parametrize("group", [1, 2, -1])
def test_a_jump_is_found_in_its_group(ngroups, group):
    data = steady(ngroups=ngroups)
    data[0, group:, 3, 3] += 9 * NOISE
    found, groupdq = detect(data)
    assert found == 1
    expected = np.zeros_like(groupdq)
    expected[0, group, 3, 3] = 4
    np.testing.assert_array_equal(groupdq, expected)


@pytest.mark.parametrize(("ngroups", "limit"), [(3, 6.0), (4, 5.0), (6, 4.0), (15, 4.0)])
def test_thresholds(ngroups, limit):
    for size, count in ((limit * 0.98, 0), (limit * 1.02, 1)):
        data = steady(ngroups=ngroups)
        data[0, 2:, 3, 3] += size * NOISE
        assert detect(data)[0] == count


def test_neighbours_of_a_large_jump():
    data = steady()
    data[0, 4:, 3, 3] += 50 * NOISE
    _, groupdq = detect(data)
    assert {tuple(at) for at in np.argwhere(groupdq[0, 4] & 4)} == {
        (3, 3), (2, 3), (4, 3), (3, 2), (3, 4),
    }  # fmt: skip
    _, alone = detect(data, flag_4_neighbors=False)
    assert np.count_nonzero(alone) == 1
    _, too_large = detect(data, max_jump_to_flag_neighbors=40.0)
    assert np.count_nonzero(too_large) == 1


def test_neighbours_at_the_corner_and_unusable_ones():
    data = steady()
    data[0, 4:, 0, 0] += 50 * NOISE
    groupdq = np.zeros(data.shape, np.uint8)
    groupdq[0, 4:, 0, 1] = 2
    _, groupdq = detect(data, groupdq)
    assert groupdq[0, 4, 1, 0] == 4
    assert groupdq[0, 4, 0, 1] == 2


def test_groups_after_a_jump():
    data = steady(ngroups=12)
    data[0, 3:, 3, 3] += 9 * NOISE
    data[0, 3:, 5, 5] += 30 * NOISE
    _, groupdq = detect(
        data, flag_4_neighbors=False, after_jump_flag_dn1=5 * NOISE,
        after_jump_flag_time1=2.5 * TGROUP, after_jump_flag_dn2=20 * NOISE,
        after_jump_flag_time2=4 * TGROUP,
    )  # fmt: skip
    assert np.flatnonzero(groupdq[0, :, 3, 3]).tolist() == [3, 4, 5]
    assert np.flatnonzero(groupdq[0, :, 5, 5]).tolist() == [3, 4, 5, 6, 7]
    assert set(np.unique(groupdq)) == {0, 4}


@pytest.mark.parametrize(("nints", "ngroups"), [(1, 3), (1, 4), (2, 5), (3, 9), (1, 12), (2, 40)])
def test_against_numpy(nints, ngroups):
    made = make(seed=ngroups, nints=nints, ngroups=ngroups, ny=14, nx=15, hits=0.05)
    groupdq = made.groupdq.copy()
    jump.detect_jumps(
        made.data, groupdq, gain=made.gain, readnoise=made.readnoise, nframes=2,
        group_time=TGROUP, parameters=jump.JumpParameters(flag_4_neighbors=False),
    )  # fmt: skip
    search = reference.jumps_at_once if ngroups > 10 else reference.jumps_one_by_one
    for y, x in np.ndindex(made.gain.shape):
        gain = made.gain[y, x]
        variance = float(made.readnoise[y, x] * gain) ** 2 / 2
        flags = made.groupdq[:, :, y, x]
        hit = search(made.data[:, :, y, x], flags, gain, variance)
        expected = flags | np.where(hit & (flags & 3 == 0), 4, 0)
        np.testing.assert_array_equal(groupdq[:, :, y, x], expected)


def test_clipping_across_integrations():
    rng = np.random.default_rng(2)
    data = steady(nints=40, ngroups=4) + rng.normal(0, 5, (40, 4, 7, 7)).astype(np.float32)
    data[17, 2:, 3, 3] += 300
    found, groupdq = detect(data, minimum_sigclip_groups=30, rejection_threshold=5.0)
    assert groupdq[17, 2, 3, 3] == 4
    assert found < 10
    found, groupdq = detect(
        data, minimum_sigclip_groups=30, only_use_ints=False, rejection_threshold=5.0
    )
    assert groupdq[17, 2, 3, 3] == 4


def test_what_all_pixels_share_is_no_cosmic_ray():
    rng = np.random.default_rng(2)
    data = steady(nints=40, ngroups=4) + rng.normal(0, 1, (40, 4, 7, 7)).astype(np.float32)
    data[17, 2:] += 3000
    _, groupdq = detect(data, minimum_sigclip_groups=30)
    assert not groupdq[17, 2].any()


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 3), st.integers(1, 13))
def test_flags_are_only_added(seed, nints, ngroups):
    rng = np.random.default_rng(seed)
    shape = (nints, ngroups, 3, 4)
    data = rng.normal(0, 10 ** rng.uniform(0, 6), shape).astype(np.float32)
    data[rng.random(shape) < 0.1] = rng.choice([np.nan, 0.0, 65535.0])
    before = rng.choice([0, 0, 1, 2, 3, 32, 65], shape).astype(np.uint8)
    _, after = detect(data, before.copy())
    assert (after & before == before).all()
    assert set(np.unique(after ^ before)) <= {0, 4}
    assert not np.any(after[before & 3 != 0] & 4)


def references(made, **changes):
    return References.of(
        **({"gain": {"SCI": made.gain}, "readnoise": {"SCI": made.readnoise}} | changes)
    )


def test_step():
    made = make(seed=2, nints=2)
    ramp, status = jump.run(ramp_of(made), references(made), jump.JumpParameters())
    assert status.word == "COMPLETE"
    seen = (made.groupdq == 0) & made.hits
    seen[:, 0] = False
    assert np.count_nonzero(ramp.groupdq[seen] & 4) > 0.6 * np.count_nonzero(seen)
    assert ramp.metadata["PRIMECRS"] > 0


@pytest.mark.parametrize(
    ("changes", "ngroups", "reason"),
    [
        ({"gain": None}, 8, "the gain reference is N/A"),
        ({"readnoise": None}, 8, "the readnoise reference is N/A"),
        ({}, 2, "2 groups an integration; three are needed"),
    ],
)
def test_when_it_does_not_run(changes, ngroups, reason):
    made = make(ngroups=ngroups)
    ramp, status = jump.run(ramp_of(made), references(made, **changes), jump.JumpParameters())
    assert str(status) == f"SKIPPED: {reason}"
    np.testing.assert_array_equal(ramp.groupdq, made.groupdq)


@pytest.mark.parametrize(("bad", "spreads"), [(True, False), (False, True)])
def test_only_good_pixels_flag_their_neighbours(bad, spreads):
    made = make(hits=0.0, saturated=0.0, unusable=0.0, bad_pixels=0.0, rates=(0.5, 5.0))
    ramp = ramp_of(made)
    ramp.data[0, 5:, 12, 15] += 300.0
    ramp.pixeldq[12, 15] = 2049 if bad else 0
    ramp, _ = jump.run(ramp, references(made), jump.JumpParameters())
    beside = ramp.groupdq[0, 5, [11, 13, 12, 12], [15, 15, 14, 16]]
    assert np.all((beside & 4 > 0) == spreads)


def test_too_few_usable_groups():
    made = make(ngroups=5)
    ramp = ramp_of(made)
    ramp.groupdq[:, :3] |= 1
    _, status = jump.run(ramp, references(made), jump.JumpParameters())
    assert status.reason == "too few usable groups"
