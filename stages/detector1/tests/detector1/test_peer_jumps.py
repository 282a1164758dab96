"""Snowballs, showers, groups after jumps and charge migration against the official package."""

import numpy as np
import pytest

from calwebb_detector1.steps import charge_migration, jump

from . import large_events as made_events
from .peer_process import started
from .ramps import GAIN, TGROUP, make
from .test_large_events import search, with_jumps

pytestmark = pytest.mark.peer


@pytest.fixture(scope="module")
def official(tmp_path_factory):
    """Run a function of `peer_jumps` on arrays in a process of its own."""
    with started("peer_jumps.py", tmp_path_factory.mktemp("official")) as call:

        def run(step, made, **options):
            names = ("data", "groupdq", "pixeldq", "gain", "readnoise")
            arrays = {name: getattr(made, name) for name in names}
            settings = {f"option_{name}": value for name, value in options.items()}
            times = {"nframes": 1, "groupgap": 0, "tgroup": TGROUP, "tframe": TGROUP}
            return call(step, **times, **arrays, **settings)

        yield run


def usable_jumps(groupdq):
    """Jumps, without those in unusable groups, which say nothing."""
    return (groupdq & 4 > 0) & (groupdq & 3 == 0)


def overlap(ours, theirs):
    return np.count_nonzero(ours & theirs) / np.count_nonzero(ours | theirs)


@pytest.mark.parametrize(
    "options",
    [
        {}, {"expand_factor": 2.5, "sat_expand": 3}, {"min_jump_area": 15.0, "edge_size": 40},
        {"min_sat_area": 5.0, "min_sat_radius_extend": 6.0}, {"max_extended_radius": 12},
        {"snowball_time_masked_next_int": 40}, {"sat_required_snowball": False},
    ],
)  # fmt: skip
def test_snowballs(official, options):
    sky = with_jumps(made_events.snowballs(11, (2, 7, 200, 220), 5, radii=(4.0, 10.0)))
    theirs = official("snowballs", sky, **options)
    groupdq, count = search(sky, expand_large_events=True, **options)
    assert count == theirs["count"]
    # pixels on the very rim of an ellipse may fall on either side of it
    assert overlap(usable_jumps(groupdq), usable_jumps(theirs["groupdq"])) > 0.99
    assert overlap(groupdq & 2 > 0, theirs["groupdq"] & 2 > 0) > 0.99


@pytest.mark.parametrize(
    "options",
    [
        {}, {"extend_snr_threshold": 1.15, "extend_min_area": 60},
        {"extend_inner_radius": 1.5, "extend_outer_radius": 3.2},
        {"extend_ellipse_expand_ratio": 1.4, "time_masked_after_shower": 40.0},
        {"minimum_sigclip_groups": 2}, {"max_extended_radius": 10},
    ],
)  # fmt: skip
@pytest.mark.parametrize("amplitude", [1.2, 2.0])
def test_showers(official, amplitude, options):
    sky = made_events.showers(4, (2, 12, 170, 180), 3, amplitude=amplitude, radii=(8.0, 14.0))
    sky = with_jumps(sky)
    theirs = official("showers", sky, **options)
    own = dict(options)
    across = own.pop("minimum_sigclip_groups", 100) <= 2
    # what the official limit is whatever the option says: electrons a group, six a second
    groupdq, count = search(
        sky, find_showers=True, across=across, max_shower_amplitude=6.0 / GAIN, **own
    )
    assert count == theirs["count"]
    assert np.mean(groupdq == theirs["groupdq"]) > 0.9999
    if count:
        assert overlap(groupdq & 4 > 0, theirs["groupdq"] & 4 > 0) > 0.98


def test_charge_migration(official):
    made = make(seed=3, nints=2, ngroups=8, ny=60, nx=70, rates=(20.0, 4000.0))
    groupdq = made.groupdq.copy()
    charge_migration.flag_charge_loss(made.data, groupdq, threshold=25000.0)
    theirs = official("charge_migration", made, signal_threshold=25000.0)
    np.testing.assert_array_equal(groupdq, theirs["groupdq"])
    assert 0.2 < np.mean(groupdq & 128 > 0) < 0.9


AFTER = {
    "after_jump_flag_dn1": 100.0, "after_jump_flag_time1": 2.5 * TGROUP,
    "after_jump_flag_dn2": 900.0, "after_jump_flag_time2": 6 * TGROUP,
}  # fmt: skip


@pytest.mark.parametrize(
    ("nints", "ngroups", "options"),
    [
        (1, 6, AFTER), (2, 9, AFTER), (1, 14, AFTER), (2, 25, AFTER),
        (2, 9, {"after_jump_flag_dn1": 50.0, "after_jump_flag_time1": 100 * TGROUP}),
        (1, 14, {"after_jump_flag_dn2": 300.0, "after_jump_flag_time2": 3 * TGROUP}),
        (30, 6, AFTER | {"minimum_sigclip_groups": 30}),
    ],
)  # fmt: skip
def test_groups_after_jumps(peer, nints, ngroups, options):
    made = make(seed=ngroups, nints=nints, ngroups=ngroups, ny=24, nx=30, hits=0.04)
    given = {name: getattr(made, name) for name in ("data", "groupdq", "pixeldq")}
    theirs = peer(
        "jump", gain=made.gain, readnoise=made.readnoise, nframes=1, groupgap=0, tgroup=TGROUP,
        tframe=TGROUP, **given, **{f"option_{name}": value for name, value in options.items()},
    )  # fmt: skip
    results = []
    for chosen in (options, {k: v for k, v in options.items() if "after" not in k}):
        groupdq = made.groupdq.copy()
        jump.detect_jumps(
            made.data, groupdq, gain=made.gain, readnoise=made.readnoise, nframes=1,
            group_time=TGROUP, parameters=jump.JumpParameters(**chosen),
        )  # fmt: skip
        results.append(groupdq)
    assert np.mean(results[0] == theirs["groupdq"]) >= 0.999
    assert np.count_nonzero(results[0] != results[1]) > 10
