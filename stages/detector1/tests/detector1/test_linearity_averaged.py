"""Linearity of groups that average several reads, against made reads and the official package."""

import numpy as np
import pytest

from calwebb_core.framework.references import References
from calwebb_detector1.steps import linearity

from .peer_process import started
from .ramps import TGROUP, keywords, make, ramp_of

C2, C3 = 3e-6, 2e-11


def forward(measured):
    return measured + C2 * measured**2 + C3 * measured**3


def bend(linear):
    """Return the measured signal by Newton's method."""
    value = np.array(linear, float)
    for _ in range(30):
        value -= (forward(value) - linear) / (1 + 2 * C2 * value + 3 * C3 * value**2)
    return value


def coefficients(shape):
    """Return COEFFS, and INV_COEFFS fitted to the inverse."""
    linear = np.linspace(0, 70000, 400)
    inverse = np.polynomial.polynomial.polyfit(linear / 7e4, bend(linear), 7)
    inverse /= 7e4 ** np.arange(8.0)
    planes = [
        np.broadcast_to(np.array(values)[:, None, None], (len(values), *shape))
        for values in ([0, 1, C2, C3], inverse)
    ]
    return tuple(np.ascontiguousarray(plane, np.float32) for plane in planes)


def averaged(rates, ngroups, nframes, groupgap):
    """Return measured groups (1, ngroups, 1, n), and what they would be if linear."""
    cycle = nframes + groupgap
    reads = 1 + np.arange(nframes) + cycle * np.arange(ngroups)[:, None]
    linear = reads[:, :, None] * rates
    measured = bend(linear).mean(axis=1)[None, :, None].astype(np.float32)
    return measured, linear.mean(axis=1)[None, :, None]


@pytest.mark.parametrize(("nframes", "groupgap"), [(1, 0), (2, 0), (4, 1), (8, 2), (8, 12)])
def test_reads_are_restored(nframes, groupgap):
    rates = np.array([5.0, 100.0, 400.0]) * 20 / (nframes + groupgap)
    measured, linear = averaged(rates, 7, nframes, groupgap)
    both, flags = coefficients((1, 3)), np.zeros(measured.shape, np.uint8)
    usable = np.ones((1, 3), bool)
    plain, exact = measured.copy(), measured.copy()
    linearity.correct_linearity(plain, flags, None, coefficients=both[0], usable=usable)
    linearity.correct_linearity(
        exact, flags, None, coefficients=both[0], inverse=both[1], usable=usable,
        nframes=nframes, groupgap=groupgap,
    )  # fmt: skip
    np.testing.assert_allclose(exact, linear, rtol=2e-6, atol=0.02)
    if nframes > 1:  # averages of a curved response are not the response to the average
        assert (np.abs(plain - linear) > np.abs(exact - linear) + 0.3)[:, :, :, 2].all()


def test_saturated_groups_stay():
    measured, linear = averaged(np.array([2000.0]), 6, 4, 0)
    flags = np.zeros(measured.shape, np.uint8)
    flags[:, 4:] = 2
    both, found = coefficients((1, 1)), measured.copy()
    linearity.correct_linearity(
        found, flags, None, coefficients=both[0], inverse=both[1], nframes=4,
        usable=np.ones((1, 1), bool),
    )  # fmt: skip
    np.testing.assert_array_equal(found[:, 4:], measured[:, 4:])
    np.testing.assert_allclose(found[:, :4], linear[:, :4], rtol=1e-5)


def test_the_step_knows_the_gaps():
    measured, linear = averaged(np.array([50.0, 150.0]), 5, 8, 12)
    both = coefficients((1, 2))
    made = make(ngroups=5, ny=1, nx=2)
    ramp = ramp_of(made, NFRAMES=8, GROUPGAP=12)
    ramp.data, ramp.groupdq = measured, np.zeros(measured.shape, np.uint8)
    given = References.of(linearity={"COEFFS": both[0], "INV_COEFFS": both[1]})
    ramp, status = linearity.run(ramp, given, linearity.STEP.parameters())
    assert status.word == "COMPLETE"
    np.testing.assert_allclose(ramp.data, linear, rtol=2e-6, atol=0.02)
    assert ramp.metadata["GROUPGAP"] == keywords(made.data.shape, GROUPGAP=12)["GROUPGAP"]


@pytest.mark.peer
@pytest.mark.parametrize("nframes", [4, 8])
def test_against_the_official_package(nframes, tmp_path):
    """Without gaps, which it does not know of."""
    made = make(seed=3, nints=2, ngroups=6, ny=20, nx=25, saturated=0.3)
    both = coefficients(made.gain.shape)
    with started("peer_steps.py", tmp_path) as peer:
        theirs = peer(
            "linearity", data=made.data, groupdq=made.groupdq, pixeldq=made.pixeldq,
            coefficients=both[0], inverse=both[1], tgroup=TGROUP, nframes=nframes, groupgap=0,
            coefficients_dq=np.zeros(made.gain.shape, np.uint32),
        )  # fmt: skip
    data = made.data.copy()
    linearity.correct_linearity(
        data, made.groupdq, None, coefficients=both[0], inverse=both[1], nframes=nframes,
        usable=np.ones(made.gain.shape, bool),
    )  # fmt: skip
    np.testing.assert_allclose(data, theirs["data"], rtol=3e-6, atol=2e-3)
