"""Background exposures find their targets where only headers are known."""

import pytest

from calwebb_associate.headers import read_primary
from calwebb_associate.pool import candidates, make_pool

KEYWORDS = {"INSTRUME": "MIRI", "DETECTOR": "MIRIMAGE", "EXP_TYPE": "MIR_IMAGE", "FILTER": "F770W"}


@pytest.fixture
def named(put):
    """Return the background candidates of exposures by observation."""

    def look(*exposures):
        paths = []
        for observation, more in exposures:
            root = f"jw01345{observation:03d}001_02201_{len(paths) + 1:05d}_mirimage_uncal.fits"
            paths.append(put(root, OBSERVTN=f"{observation:03d}", **(KEYWORDS | more)))
        rows = make_pool({path: read_primary(path) for path in paths}).exposures()
        return [[name for name, kind in candidates(row) if kind == "background"] for row in rows]

    return look


def sky(target, ra, dec, background=True):
    return {"TARGPROP": target, "TARG_RA": ra, "TARG_DEC": dec, "BKGDTARG": background}


def test_an_exposure_gets_the_nearest_background(named):
    found = named(
        (1, sky("A", 10.0, 60.0, False)),
        (2, sky("B", 359.99, 60.0, False)),
        (3, sky("SKY", 10.2, 60.0)),
        (4, sky("OTHER", 0.1, 60.0)),
        (5, sky("SKY", 10.2, 60.0)),
    )
    assert found == [["c1003"], ["c1004"], ["c1003"], ["c1004"], ["c1003"]]


def test_other_optical_paths_do_not_count(named):
    away = sky("SKY", 10.1, 60.0)
    found = named((1, sky("A", 10.0, 60.0, False)), (2, away | {"FILTER": "F560W"}))
    assert found == [[], []]


def test_a_background_of_the_own_observation_needs_no_candidate(named):
    found = named(
        (1, sky("A", 10.0, 60.0, False)), (1, sky("SKY", 10.1, 60.0)), (2, sky("SKY", 10.1, 60.0))
    )
    assert found == [[], [], []]


def test_without_positions_the_first_background_is_taken(named):
    found = named(
        (1, {"TARGPROP": "A"}),
        (2, {"TARGPROP": "X", "BKGDTARG": True}),
        (3, {"TARGPROP": "Y", "BKGDTARG": True}),
    )
    assert found == [["c1002"], ["c1002"], []]


def test_acquisitions_go_with_their_observation(named):
    acquisition = {"EXP_TYPE": "MIR_TACQ", "FILTER": "FND"}
    found = named(
        (1, acquisition | sky("A", 10.0, 60.0, False)),
        (1, sky("A", 10.0, 60.0, False)),
        (2, acquisition | sky("B", 11.0, 60.0, False)),
        (3, sky("SKY", 10.1, 60.0)),
    )
    assert found == [["c1003"], ["c1003"], [], ["c1003"]]
