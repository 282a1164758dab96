"""PSF references find their targets where only headers are known."""

import pytest

from calwebb_associate.generate import make_associations
from calwebb_associate.headers import read_primary
from calwebb_associate.pool import candidates, make_pool

MIRI = {"INSTRUME": "MIRI", "DETECTOR": "MIRIMAGE", "SUBARRAY": "MASK1140", "EXP_TYPE": "MIR_4QPM",
        "FILTER": "F1140C"}  # fmt: skip
AMI = {"INSTRUME": "NIRISS", "DETECTOR": "NIS", "SUBARRAY": "SUB80", "EXP_TYPE": "NIS_AMI",
       "FILTER": "F480M", "PUPIL": "NRM"}  # fmt: skip
STAR = {"TARGPROP": "STAR"}
REFERENCE = {"TARGPROP": "REF", "IS_PSF": True}


@pytest.fixture
def pool_of(put):
    """Return the pool of exposures, each in an observation of the number given."""

    def made(*exposures):
        paths = []
        for observation, keywords in exposures:
            detector = keywords["DETECTOR"].lower()
            root = f"jw01345{observation:03d}001_02201_{len(paths) + 1:05d}_{detector}_uncal.fits"
            paths.append(put(root, OBSERVTN=f"{observation:03d}", **keywords))
        return make_pool({path: read_primary(path) for path in paths})

    return made


def linked(pool):
    return [[pair for pair in candidates(row) if pair[0][0] == "c"] for row in pool.exposures()]


def test_the_rolls_of_a_target_share_their_references(pool_of):
    acquisition = MIRI | STAR | {"EXP_TYPE": "MIR_TACQ", "FILTER": "FND"}
    pool = pool_of((1, acquisition), (1, MIRI | STAR), (2, MIRI | STAR), (3, MIRI | REFERENCE))
    assert linked(pool) == [[("c1501", "coronagraphy")]] * 4
    (coron3,) = [made for made in make_associations(pool) if made.asn_type == "coron3"]
    assert coron3.candidate == "c1501"
    assert len(coron3.members) >= 3


def test_a_reference_serves_several_targets(pool_of):
    other = AMI | {"TARGPROP": "TWIN"}
    pool = pool_of((1, AMI | STAR), (2, other), (3, AMI | REFERENCE))
    assert linked(pool) == [
        [("c1501", "group")],
        [("c1502", "group")],
        [("c1501", "group"), ("c1502", "group")],
    ]


@pytest.mark.parametrize(
    "exposures",
    [
        [(1, MIRI | STAR), (2, MIRI | STAR)],
        [(1, MIRI | STAR), (2, MIRI | REFERENCE | {"FILTER": "F1065C"})],
        [(1, MIRI | STAR), (1, MIRI | REFERENCE)],
        [(1, MIRI | STAR | {"BKGDTARG": True}), (2, MIRI | REFERENCE)],
        [(1, {"DETECTOR": "NRCA2"} | STAR), (2, {"DETECTOR": "NRCA2"} | REFERENCE)],
    ],
)
def test_others_need_no_candidate_of_references(pool_of, exposures):
    found = [kind for pairs in linked(pool_of(*exposures)) for _, kind in pairs]
    assert set(found) <= {"background"}
