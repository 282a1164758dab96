"""Windows of persistence on the same arrays as the official package's, and one another's files."""

import numpy as np
import pytest

from calwebb_core.framework.references import References
from calwebb_detector1.afterglow_files import write_afterglow
from calwebb_detector1.steps import persistence

from .peer_process import started
from .ramps import TGROUP, make
from .test_persistence import START, ramp

pytestmark = pytest.mark.peer

# Not a multiple of the group time: whether a group at the very end is in the window is rounding.
LENGTH = 57


@pytest.fixture(scope="module")
def peer(tmp_path_factory):
    """Run the official step in a process of its own."""
    with started("peer_persistence.py", tmp_path_factory.mktemp("peer")) as run:
        yield run


def exposure(seed=5, start=START, nints=3, ngroups=7):
    """Return ramps without resets, as the official package takes them to be."""
    made = make(seed=seed, nints=nints, ngroups=ngroups, ny=20, nx=24, saturated=0.1)
    return ramp(made.data, start=start, groupdq=made.groupdq, NRSTSTRT=0, NRESETS=0)


def theirs(peer, model, **options):
    ngroups = model.data.shape[1]
    return peer(
        "persistence", data=model.data, groupdq=model.groupdq, tgroup=TGROUP,
        integration_time=ngroups * TGROUP, start=model.metadata["EXPSTART"],
        **{f"option_{name}": value for name, value in options.items()},
    )  # fmt: skip


def ours(model, **options):
    wish = persistence.PersistenceParameters(**options)
    return persistence.run(model, References.of(), wish)[0]


@pytest.mark.parametrize(
    "options", [{}, {"persistence_dnu": True}, {"dn_threshold": 4000.0}, {"dn_threshold": 50.0}]
)
def test_flags(peer, options):
    model = exposure()
    before = model.groupdq.copy()
    expected = theirs(peer, model, persistence_time=LENGTH, **options)
    found = ours(model, persistence_time=float(LENGTH), **options)
    assert str(expected["status"]) == "COMPLETE"
    np.testing.assert_array_equal(found.groupdq, expected["groupdq"])
    assert np.count_nonzero(found.groupdq != before) > 100


def test_their_file_and_ours_say_the_same(peer, tmp_path):
    path = tmp_path / "theirs.asdf"
    model = exposure()
    expected = theirs(peer, model, persistence_time=600, save_persistence=str(path))
    found = ours(model, persistence_time=600.0, save_persistence=True)
    rows, columns = np.nonzero(found.afterglow.ends)
    np.testing.assert_array_equal(rows, expected["rows"])
    np.testing.assert_array_equal(columns, expected["cols"])
    np.testing.assert_allclose(found.afterglow.ends[rows, columns], expected["vals"], atol=1e-4)
    (mine,) = write_afterglow(found.afterglow, tmp_path)

    later = model.metadata["EXPEND"] + 410 / 86400
    flags = []
    for file in (path, mine):
        options = {"persistence_array_file": str(file)}
        second = exposure(seed=6, start=later)
        flags.append(theirs(peer, second, persistence_time=600, **options)["groupdq"])
        flags.append(ours(second, persistence_time=600.0, **options).groupdq)
    for other in flags[1:]:
        np.testing.assert_array_equal(flags[0], other)
    alone = ours(exposure(seed=6, start=later), persistence_time=600.0).groupdq
    assert (alone != flags[0]).any()
