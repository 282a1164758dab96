"""Groups that lost charge to their neighbours."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calwebb_core.framework.references import References
from calwebb_detector1.steps import charge_migration, ramp_fit

from .ramps import GAIN, TGROUP, make, ramp_of

FLAGS = 129


def slow(data, groupdq, threshold):
    """Flag pixel by pixel."""
    flags = groupdq.copy()
    ny, nx = data.shape[2:]
    for i, g, y, x in np.argwhere((data > threshold) & (groupdq != 1)):
        for v, u in ((y, x), (y - 1, x), (y + 1, x), (y, x - 1), (y, x + 1)):
            if 0 <= v < ny and 0 <= u < nx:
                flags[i, g:, v, u] |= FLAGS
    return flags


def flagged(data, groupdq, threshold):
    result = groupdq.copy()
    charge_migration.flag_charge_loss(data, result, threshold=threshold)
    return result


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 3), st.integers(1, 6), st.integers(1, 5))
def test_against_numpy(seed, nints, ngroups, ny):
    rng = np.random.default_rng(seed)
    shape = (nints, ngroups, ny, 4)
    data = rng.uniform(0, 100, shape).astype(np.float32)
    data[rng.random(shape) < 0.05] = np.nan
    groupdq = rng.choice([0, 0, 0, 1, 2, 3, 65, 4], shape).astype(np.uint8)
    threshold = float(rng.uniform(60, 110))
    np.testing.assert_array_equal(flagged(data, groupdq, threshold), slow(data, groupdq, threshold))


def test_blocks_give_the_same_as_the_whole(monkeypatch):
    from calwebb_detector1 import windows

    made = make(seed=3, nints=2, ny=40, rates=(50.0, 4000.0))
    expected = flagged(made.data, made.groupdq, 25000.0)
    assert 0.1 < np.mean(expected & 128 > 0) < 0.95
    monkeypatch.setattr(windows, "BLOCK_BYTES", 1)
    ramp, status = charge_migration.run(
        ramp_of(made), References.of(), charge_migration.ChargeMigrationParameters()
    )
    assert status.word == "COMPLETE"
    np.testing.assert_array_equal(ramp.groupdq, expected)


def test_too_few_groups_and_off_by_default():
    assert charge_migration.STEP.skip
    made = make(ngroups=2)
    ramp, status = charge_migration.run(
        ramp_of(made), References.of(), charge_migration.ChargeMigrationParameters()
    )
    assert str(status) == "SKIPPED: 2 groups an integration; three are needed"
    np.testing.assert_array_equal(ramp.groupdq, made.groupdq)
    assert charge_migration.not_needed({"NGROUPS": 2})
    assert charge_migration.not_needed({"NGROUPS": 3}) is None


def test_a_peak_that_spills_over_gets_its_slope_back():
    """Above 25000 DN a star's pixel gives a fifth of new charge to its neighbours."""
    rate, ngroups = 900.0, 6
    steady = np.arange(1, ngroups + 1, dtype=np.float32) * np.float32(rate * TGROUP)
    over = np.maximum(steady - 25000, 0) * np.float32(0.2)
    assert over[-1] > 0
    made = make(hits=0.0, saturated=0.0, unusable=0.0, bad_pixels=0.0, ngroups=ngroups)
    made.data[:] = np.float32(0.1 * TGROUP) * np.arange(1, ngroups + 1)[:, None, None]
    made.data[0, :, 12, 15] = steady - over
    for v, u in ((11, 15), (13, 15), (12, 14), (12, 16)):
        made.data[0, :, v, u] += over / 4
    made.gain[:] = GAIN
    found = []
    for on in (False, True):
        ramp = ramp_of(made)
        if on:
            ramp, _ = charge_migration.run(
                ramp, References.of(), charge_migration.ChargeMigrationParameters()
            )
        given_files = References.of(gain={"SCI": made.gain}, readnoise={"SCI": made.readnoise})
        rates, _ = ramp_fit.run(ramp, given_files, ramp_fit.RampFitParameters())
        found.append(rates.rate.data[[12, 11], [15, 15]])
    assert found[0][0] < 0.95 * rate
    assert found[0][1] > 10.0
    np.testing.assert_allclose(found[1], [rate, 0.1], rtol=1e-4)


def test_wrong_types_are_refused():
    data = np.zeros((1, 3, 4, 4), np.float64)
    with pytest.raises(ValueError, match="data is float64"):
        charge_migration.flag_charge_loss(data, np.zeros(data.shape, np.uint8), threshold=1.0)
