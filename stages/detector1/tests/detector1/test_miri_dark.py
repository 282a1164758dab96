"""Darks by integration: a made dark is taken away; plain numpy; the official package."""

import numpy as np
import pytest

from calwebb_core.framework.reference_data import Reference
from calwebb_core.framework.references import References
from calwebb_detector1.integrations import plane_of_integrations
from calwebb_detector1.steps import dark_current

from .peer_process import started
from .ramps import TGROUP, make
from .test_miri_groups import miri

OPTIONS = dark_current.DarkCurrentParameters()


def dark(ndarks, nframes, shape, seed=5):
    """Make one cumulative dark for each integration, brighter in the first."""
    rng = np.random.default_rng(seed)
    rate = rng.uniform(0.5, 4, (ndarks, 1, *shape)) * (
        1 + 1 / np.arange(1, ndarks + 1)[:, None, None, None]
    )
    made = rate * np.arange(1, nframes + 1)[:, None, None]
    return made.astype(np.float32)


def references(frames, **cards):
    made = Reference("dark", "dark.fits", arrays={"SCI": frames})
    made.metadata.update({"NFRAMES": 1, "GROUPGAP": 0} | cards)
    return References.of(dark=made)


@pytest.mark.parametrize(
    ("first", "expected"), [(1, [0, 1, 2, 2]), (2, [1, 2, 2, 2]), (9, [2, 2, 2, 2])]
)
def test_plane_of_each_integration(first, expected):
    assert plane_of_integrations(3, 4, first).tolist() == expected


@pytest.mark.parametrize("start", [1, 2, 3, 30])
def test_dark_of_each_integration_is_taken_away(start):
    made = make(nints=3, ngroups=6)
    frames = dark(3, 6, made.gain.shape)
    ramp = miri(made, INTSTART=start)
    for i in range(3):
        ramp.data[i] += frames[min(i + start - 1, 2)]
    ramp, status = dark_current.run(ramp, references(frames), OPTIONS)
    assert status.word == "COMPLETE"
    np.testing.assert_allclose(ramp.data, made.data, atol=0.01)


@pytest.mark.parametrize(("nframes", "groupgap"), [(1, 0), (1, 3), (4, 0), (4, 1)])
def test_dark_beyond_its_last_frame(nframes, groupgap):
    """A dark that grows evenly is known from its first frames."""
    made = make(nints=2, ngroups=6)
    frames = dark(2, 40, made.gain.shape)
    step = nframes + groupgap
    groups = np.stack([frames[:, k * step : k * step + nframes].mean(axis=1) for k in range(6)], 1)
    ramp = miri(made, NFRAMES=nframes, GROUPGAP=groupgap)
    ramp.data += groups
    ramp, _ = dark_current.run(ramp, references(np.ascontiguousarray(frames[:, :3])), OPTIONS)
    np.testing.assert_allclose(ramp.data, made.data, atol=0.01)


@pytest.mark.parametrize(("nframes", "groupgap"), [(2, 0), (1, 1), (4, 4)])
def test_dark_of_longer_groups(nframes, groupgap):
    made = make(nints=2, ngroups=6)
    given = references(dark(2, 9, made.gain.shape), NFRAMES=nframes, GROUPGAP=groupgap)
    ramp, status = dark_current.run(miri(made), given, OPTIONS)
    assert f"{nframes}, {groupgap} cannot be brought to the exposure's 1, 0" in str(status)
    np.testing.assert_array_equal(ramp.data, made.data)


def test_flags_of_all_planes():
    made = make(bad_pixels=0)
    reference = Reference("dark", "dark.fits", arrays={"SCI": dark(2, 10, made.gain.shape)})
    reference.metadata.update({"NFRAMES": 1, "GROUPGAP": 0})
    flags = np.zeros((2, 1, *made.gain.shape), np.uint32)
    flags[0, 0, 1, 2], flags[1, 0, 3, 4] = 2048, 8388608
    reference.dq = flags
    ramp, _ = dark_current.run(miri(made), References.of(dark=reference), OPTIONS)
    assert (ramp.pixeldq[1, 2], ramp.pixeldq[3, 4]) == (2048, 8388608)


@pytest.mark.peer
@pytest.mark.slow
def test_official(tmp_path):
    cases = [
        (1, 3, 6, 1, 0), (1, 2, 3, 1, 0), (1, 2, 40, 4, 1), (1, 2, 5, 2, 1), (30, 2, 6, 1, 0),
    ]  # fmt: skip
    with started("peer_miri.py", tmp_path) as peer:
        for start, ndarks, nframes, averaged, gap in cases:
            made = make(nints=3, ngroups=6)
            frames = dark(ndarks, nframes, made.gain.shape)
            frames[0, 1, 2, 3] = np.nan
            theirs = peer(
                "dark_current", data=made.data, groupdq=made.groupdq, pixeldq=made.pixeldq,
                nframes=averaged, groupgap=gap, tgroup=TGROUP, tframe=TGROUP, dark=frames,
                dark_nframes=1, dark_groupgap=0, intstart=start, nints=40,
            )  # fmt: skip
            ramp = miri(made, INTSTART=start, NFRAMES=averaged, GROUPGAP=gap)
            ramp, _ = dark_current.run(ramp, references(frames), OPTIONS)
            np.testing.assert_allclose(ramp.data, theirs["data"], rtol=0, atol=3e-3)
