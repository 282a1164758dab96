"""The fit's options on the same arrays as the official package's."""

import numpy as np
import pytest

from calwebb_detector1.kernels.flags import JUMP_DET
from calwebb_detector1.ramp_likelihood import JumpLimits, fit_likelihood
from calwebb_detector1.ramp_optional import NAMES, optional_results
from calwebb_detector1.ramp_slopes import fit_slopes
from calwebb_detector1.rates import Timing

from .peer_process import started
from .ramps import TGROUP, make

pytestmark = pytest.mark.peer

PRODUCT = ("slope", "err", "dq", "var_poisson", "var_rnoise")


@pytest.fixture(scope="module")
def peer(tmp_path_factory):
    """Run a fit of the official package in a process of its own."""
    with started("peer_ramp_fit.py", tmp_path_factory.mktemp("peer")) as run:
        yield run


def theirs(peer, made, timing=(TGROUP, 1, 0), **wishes):
    group_time, nframes, groupgap = timing
    more = {f"option_{name}": value for name, value in wishes.items() if name != "arrays"}
    return peer(
        "ramp_fit", data=made.data, groupdq=made.groupdq, pixeldq=made.pixeldq, gain=made.gain,
        readnoise=made.readnoise, nframes=nframes, groupgap=groupgap, tgroup=group_time,
        tframe=group_time / (nframes + groupgap), **wishes.get("arrays", {}), **more,
    )  # fmt: skip


def times(timing):
    group_time, nframes, groupgap = timing
    return Timing(group_time, group_time / (nframes + groupgap), nframes)


def with_jumps(made):
    """Flag the hits, as the jump step would."""
    struck = made.hits & (made.groupdq & 3 == 0)
    struck[:, 0] = False
    made.groupdq[struck] |= JUMP_DET
    return made


def references(made):
    return {"gain": made.gain, "readnoise": made.readnoise}


def same(ours, expected, **tolerance):
    """Assert that 99.9 % of the values agree."""
    close = np.isclose(ours, expected, equal_nan=True, **tolerance)
    assert np.count_nonzero(close) >= 0.999 * close.size


@pytest.mark.parametrize("shape", [(1, 10), (2, 7), (1, 3), (1, 1)])
@pytest.mark.parametrize("suppress", [True, False])
def test_optional_results(peer, shape, suppress):
    """With groups a second apart, as their pedestal lacks the factor."""
    made = with_jumps(make(seed=3, nints=shape[0], ngroups=shape[1], ny=20, nx=30, bad_pixels=0))
    timing = (1.0, 2, 1)
    expected = theirs(peer, made, timing, save_opt=True, suppress_one_group=suppress)
    common = {"timing": times(timing), "suppress_one_group": suppress} | references(made)
    rateints, rate = fit_slopes(made.data, made.groupdq, made.pixeldq, **common)
    found = optional_results(made.data, made.groupdq, slopes=rateints[0], **common)
    nsegments = found["SLOPE"].shape[1]
    start = np.argmax(found["SLOPE"] != 0, axis=1)
    assert start.max() == 0
    for name in NAMES:
        plane = expected[f"opt_{name.lower()}"]
        assert not plane[:, nsegments:].any(), name
        if name == "SIGYINT":  # theirs is that of the slope for segments of two groups
            exact = 2 * made.readnoise**2 * made.gain**2 / 4
            two = np.isclose(found["SIGSLOPE"] ** 2, exact, rtol=1e-4)
            plane[:, :nsegments][two] = found[name][two]
        same(found[name], plane[:, :nsegments], rtol=2e-4, atol=1e-3)
    same(found["PEDESTAL"], expected["opt_pedestal"], rtol=1e-4, atol=0.1)
    jumps = expected["opt_crmag"]
    same(found["CRMAG"][:, : jumps.shape[1]], jumps, rtol=1e-5, atol=1e-2)
    same(rate[0], expected["rate_slope"], rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize("suppress", [True, False])
@pytest.mark.parametrize("shape", [(1, 1), (2, 1), (1, 2), (2, 4)])
@pytest.mark.parametrize("timing", [(TGROUP, 1, 0), (TGROUP, 4, 1)])
def test_one_group_and_zero_frame(peer, suppress, shape, timing):
    made = make(seed=8, nints=shape[0], ngroups=shape[1], ny=30, nx=30, saturated=0.6, hits=0)
    rng = np.random.default_rng(5)
    zeroframe = (made.data[:, 0] * rng.integers(0, 2, made.data[:, 0].shape)).astype(np.float32)
    expected = theirs(
        peer, made, timing, suppress_one_group=suppress, arrays={"zeroframe": zeroframe}
    )
    rateints, rate = fit_slopes(
        made.data, made.groupdq, made.pixeldq, timing=times(timing), zeroframe=zeroframe,
        suppress_one_group=suppress, **references(made),
    )  # fmt: skip
    assert np.isnan(rate[0]).any()
    for name, ours, image in zip(PRODUCT, rateints, rate, strict=True):
        if shape == (2, 1) and name in ("err", "var_poisson"):
            continue  # theirs is without photon noise where an integration is saturated
        same(image, expected[f"rate_{name}"], rtol=1e-4, atol=1e-5)
        same(ours, expected[f"rateints_{name}"], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("nints", [1, 3])
def test_charge_loss(peer, nints):
    made = with_jumps(make(seed=9, nints=nints, ngroups=9, ny=30, nx=30, bad_pixels=0))
    rng = np.random.default_rng(2)
    start = rng.integers(2, 16, (nints, made.data.shape[2], made.data.shape[3]))
    late = np.arange(9)[None, :, None, None] >= start[:, None]
    made.groupdq[late] |= 129
    expected = theirs(peer, made)
    rateints, rate = fit_slopes(
        made.data, made.groupdq, made.pixeldq, timing=times((TGROUP, 1, 0)), **references(made)
    )
    fitted = np.isfinite(rateints[0])
    for name, ours, image in zip(PRODUCT, rateints, rate, strict=True):
        good = fitted if name == "var_rnoise" else np.ones(fitted.shape, bool)
        same(ours[good], expected[f"rateints_{name}"][good], rtol=1e-4, atol=1e-5)
        good = np.isfinite(rate[0]) & fitted.all(axis=0)
        same(image[good], expected[f"rate_{name}"][good], rtol=1e-4, atol=1e-5)


CLEAN = {"saturated": 0, "unusable": 0, "bad_pixels": 0}


@pytest.mark.parametrize("timing", [(TGROUP, 1, 0), (TGROUP, 2, 0), (TGROUP, 4, 1), (107.0, 8, 12)])
@pytest.mark.parametrize(("nints", "ngroups"), [(1, 4), (1, 6), (2, 10), (1, 40)])
def test_likelihood(peer, timing, nints, ngroups):
    """Slopes, errors, chi-square and jumps of every integration."""
    made = make(seed=ngroups, nints=nints, ngroups=ngroups, ny=20, nx=25, **CLEAN)
    expected = theirs(
        peer, made, timing, algorithm="LIKELY",
        arrays={"dark_current": np.zeros_like(made.gain)},
    )  # fmt: skip
    groupdq, chisq = made.groupdq.copy(), np.empty_like(made.gain)
    rateints, rate = fit_likelihood(
        made.data, groupdq, made.pixeldq, timing=times(timing), jumps=JumpLimits(), chisq=chisq,
        **references(made),
    )  # fmt: skip
    # with four groups and a hit in an averaged one, theirs goes on with one difference
    share = 0.95 if ngroups == 4 and timing[1] > 1 else 0.998
    agree = (groupdq == expected["groupdq"]).all(axis=1)
    assert np.count_nonzero(agree) >= share * agree.size
    assert np.count_nonzero(groupdq & JUMP_DET) > 10
    for name, ours in zip(PRODUCT, rateints, strict=True):
        same(ours[agree], expected[f"rateints_{name}"][agree], rtol=2e-5, atol=1e-6)
    all_agree = agree.all(axis=0)
    same(chisq[all_agree], expected["chisq"][all_agree], rtol=1e-4, atol=1e-4)
    # several integrations are combined in another way
    assert np.median(np.abs(rate[0] - expected["rate_slope"]) / rate[1]) < 1e-3


def test_likelihood_with_zero_frame(peer):
    timing = (TGROUP, 4, 1)
    made = make(seed=6, ngroups=8, ny=20, nx=25, **CLEAN)
    zeroframe = (made.data[:, 0] * 0.8 - 30).astype(np.float32)
    expected = theirs(
        peer, made, timing, algorithm="LIKELY",
        arrays={"dark_current": np.zeros_like(made.gain), "zeroframe": zeroframe},
    )  # fmt: skip
    groupdq = made.groupdq.copy()
    rateints, _ = fit_likelihood(
        made.data, groupdq, made.pixeldq, timing=times(timing), jumps=JumpLimits(),
        zeroframe=zeroframe, **references(made),
    )  # fmt: skip
    agree = (groupdq == expected["groupdq"]).all(axis=1)
    assert np.count_nonzero(agree) >= 0.998 * agree.size
    for name, ours in zip(PRODUCT, rateints, strict=True):
        same(ours[agree], expected[f"rateints_{name}"][agree], rtol=2e-5, atol=1e-6)


def test_likelihood_of_flagged_ramps(peer):
    """With averaged groups a flagged group costs both its differences, here and there.

    The first guess is the median of what is usable here, of all differences there.
    """
    timing = (TGROUP, 4, 0)
    made = with_jumps(make(seed=12, ngroups=12, ny=30, nx=30, bad_pixels=0))
    expected = theirs(
        peer, made, timing, algorithm="LIKELY",
        arrays={"dark_current": np.zeros_like(made.gain)},
    )  # fmt: skip
    groupdq = made.groupdq.copy()
    rateints, _ = fit_likelihood(
        made.data, groupdq, made.pixeldq, timing=times(timing), jumps=JumpLimits(),
        **references(made),
    )  # fmt: skip
    clear = (made.groupdq == 0).sum(axis=1) >= 8
    slope, err = (expected[f"rateints_{name}"][clear] for name in ("slope", "err"))
    assert np.isfinite(rateints[0][clear]).all()
    close = np.abs(rateints[0][clear] - slope) < 0.05 * err
    assert np.count_nonzero(close) > 0.98 * close.size
    close = np.abs(rateints[1][clear] / err - 1) < 0.01
    assert np.count_nonzero(close) > 0.97 * close.size
