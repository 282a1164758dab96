"""MIRI's steps on the same arrays as the official package's."""

import numpy as np
import pytest

from calwebb_core.framework.references import References
from calwebb_detector1.emi import joint
from calwebb_detector1.emi.reference import Clocks, Timing, Wave
from calwebb_detector1.rscd_tables import Skip
from calwebb_detector1.steps import emicorr, firstframe, lastframe, reset, rscd

from . import emi
from .peer_process import started
from .ramps import TGROUP, make
from .test_emicorr import bend, exposure, references
from .test_miri_groups import miri, saturate

pytestmark = [pytest.mark.peer, pytest.mark.slow]


@pytest.fixture(scope="module")
def peer(tmp_path_factory):
    """Run a step of the official package in a process of its own."""
    with started("peer_miri.py", tmp_path_factory.mktemp("peer")) as run:
        yield run


def inputs(data, groupdq, pixeldq, **more):
    return {
        "data": data, "groupdq": groupdq, "pixeldq": pixeldq, "nframes": 1, "groupgap": 0,
        "tgroup": TGROUP, "tframe": TGROUP,
    } | more  # fmt: skip


def of(made, **more):
    return inputs(made.data, made.groupdq, made.pixeldq, **more)


@pytest.mark.parametrize("keep_bright", [True, False])
def test_firstframe(peer, keep_bright):
    made = make(nints=2, ngroups=6, saturated=0.3)
    theirs = peer("firstframe", **of(made), option_bright_use_group1=keep_bright)
    options = firstframe.FirstframeParameters(bright_use_group1=keep_bright)
    ramp, _ = firstframe.run(miri(made), References.of(), options)
    np.testing.assert_array_equal(ramp.groupdq, theirs["groupdq"])
    np.testing.assert_array_equal(ramp.pixeldq, theirs["pixeldq"])


def test_lastframe(peer):
    made = make(nints=2, ngroups=6)
    ramp, _ = lastframe.run(miri(made), References.of(), lastframe.STEP.parameters())
    np.testing.assert_array_equal(ramp.groupdq, peer("lastframe", **of(made))["groupdq"])


@pytest.mark.parametrize(("start", "nplanes"), [(1, 2), (3, 4), (9, 2)])
def test_reset(peer, start, nplanes):
    made = make(nints=3, ngroups=8)
    rng = np.random.default_rng(3)
    planes = rng.normal(0, 40, (nplanes, 5, *made.gain.shape)).astype(np.float32)
    planes[0, 1, 2, 3] = np.nan
    dq = rng.integers(0, 2, made.gain.shape).astype(np.uint32) * 2048
    theirs = peer("reset", **of(made, planes=planes, dq=dq, intstart=start, nints=20))
    ramp, _ = reset.run(
        miri(made, INTSTART=start), References.of(reset={"SCI": planes, "DQ": dq}),
        reset.STEP.parameters(),
    )  # fmt: skip
    np.testing.assert_array_equal(ramp.data, theirs["data"])
    np.testing.assert_array_equal(ramp.pixeldq, theirs["pixeldq"])


@pytest.mark.parametrize("start", [1, 6])
@pytest.mark.parametrize(("ngroups", "skip"), [(4, (2, 4)), (6, (3, 4)), (9, (2, 4)), (20, (1, 5))])
def test_rscd(peer, ngroups, skip, start):
    made = make(nints=3, ngroups=ngroups, saturated=0.0)
    saturate(made.groupdq, np.random.default_rng(ngroups), 0.4)
    theirs = peer("rscd", **of(made, skip=np.array(skip), intstart=start, nints=20))
    groupdq, pixeldq = made.groupdq.copy(), made.pixeldq.copy()
    wanted = rscd.limited(Skip(*skip), ngroups)
    kept = rscd.flag_groups(groupdq, pixeldq, skip=wanted, first=start)
    np.testing.assert_array_equal(groupdq, theirs["groupdq"])
    np.testing.assert_array_equal(pixeldq, theirs["pixeldq"])
    for part in range(start > 1, 2):
        ours = [wanted[part], kept.first[part].sum(), kept.lowered[part].sum()]
        np.testing.assert_array_equal(theirs["numbers"][part], ours)


def ask(peer, ramp, size=64, frequencies=(emi.FREQUENCY,), algorithm="joint", **more):
    return peer(
        "emicorr", **inputs(ramp.data, ramp.groupdq, ramp.pixeldq), wave=emi.wave(size),
        frequencies=np.array(frequencies), clocks=np.array([emi.ROW, emi.FRAME]),
        option_algorithm=algorithm, **more,
    )["data"]  # fmt: skip


@pytest.mark.parametrize(
    ("nints", "separately", "size", "frequency"),
    [
        (1, False, 256, 390.625),
        (1, False, 500, 10.039216),
        (2, True, 256, 218.52),
        (3, False, 256, 218.52),
    ],
)
def test_joint(peer, nints, separately, size, frequency):
    """The same wave within 2 % of it, and ours no farther from the truth.

    The official fit takes pixels to be read in the middle of their bins of phase, and rounds
    the phases of integrations to the next of 500.
    """
    shape = (nints, 10, 64, 72)
    added = emi.disturbance(shape, amplitude=2.0, phase=0.3, size=size, frequency=frequency)
    ramp, _, clean = exposure(shape, added=added)
    before = ramp.data.copy()
    theirs = ask(peer, ramp, size, (frequency,), option_fit_ints_separately=separately)
    given = references(frequencies=(frequency,), size=size)
    options = emicorr.EmicorrParameters(fit_ints_separately=separately)
    ramp, _ = emicorr.run(ramp, given, options)
    assert bend(theirs, ramp.data) < 0.02 * bend(before, theirs)
    assert bend(clean, ramp.data) < 1.05 * bend(clean, theirs)


def test_joint_on_their_phases(peer):
    """Where bins hold one phase each, and it is in their middle but for a constant: rounding.

    With a period of 256 clock cycles and 256 bins every phase is at the lower end of its bin,
    half a bin from where the official fit has it.
    """
    shape = (1, 10, 64, 72)
    ramp, _, _ = exposure(shape)
    theirs = ask(peer, ramp, 256)
    wave = Wave("w", emi.FREQUENCY, emi.wave(256))
    timing = Timing.of(ramp.metadata, Clocks(emi.ROW, emi.FRAME), 64)
    knots, begin = joint.spline_knots(wave.shape), joint.starts(timing, wave, 1, 10)
    steady = joint.steady_pixels(ramp.data, ramp.pixeldq)
    bent, members = joint.sums_by_phase(ramp.data, steady, wave, timing, begin, [0])
    members[1] = members[0] * (np.arange(256) + 0.5) / 256
    fit = joint.fit_wave(bent, members, knots, timing.frame / wave.period)
    joint.subtract_fits(ramp.data, [fit], knots, wave, timing, begin)
    assert np.abs(ramp.data - theirs).max() < 2e-3


@pytest.mark.parametrize(
    ("options", "tolerance"),
    [
        ({}, 1e-3),
        ({"scale_reference": False}, 1e-3),
        ({"nbins": 50}, 1e-3),
        ({"nints_to_phase": 2}, 1e-3),
        ({"onthefly": True}, 1e-3),
    ],
)
def test_sequential(peer, options, tolerance):
    ramp, _, _ = exposure((2, 12, 64, 72))
    given = {f"option_{key}": value for key, value in options.items()}
    theirs = ask(peer, ramp, algorithm="sequential", **given)
    options = dict(options)
    if options.pop("onthefly", False):
        options["onthefly_corr_freq"] = (emi.FREQUENCY,)
    ours, _ = emicorr.run(
        ramp, references(), emicorr.EmicorrParameters(algorithm="sequential", **options)
    )
    assert np.mean(np.abs(ours.data - theirs) < tolerance) > 0.99
