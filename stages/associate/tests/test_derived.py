"""Columns that headers lack are worked out from what they have."""

import pytest

from calwebb_associate.headers import read_primary
from calwebb_associate.pool import make_pool, value


@pytest.fixture
def rows(put):
    """Return the rows of exposures by the middle of their names."""

    def made(exposures):
        paths = []
        for middle, keywords in exposures.items():
            observation, visit, group, activity = (
                middle[:3],
                middle[3:6],
                middle[7:9],
                middle[10:12],
            )
            given = {"OBSERVTN": observation, "VISIT": visit, "VISITGRP": group}
            given |= {"SEQ_ID": "1", "ACT_ID": activity} | keywords
            paths.append(put(f"jw01345{middle}_nrcalong_uncal.fits", **given))
        pool = make_pool({path: read_primary(path) for path in paths})
        return dict(zip(sorted(exposures), pool.exposures(), strict=True))

    return made


def test_specifications_are_counted_within_an_observation(rows):
    found = rows(
        {
            "001001_02101_00001": {"EXP_TYPE": "NRC_TACQ"},
            "001001_02102_00001": {},
            "001001_02102_00002": {},
            "001001_03101_00001": {},
            "001002_02101_00001": {},
            "001002_0210a_00001": {},
            "002001_02101_00001": {},
        }
    )
    assert [value(row, "expspcin") for row in found.values()] == ["0", "1", "1", "2", "3", "4", "1"]


def test_imprints_belong_to_the_specification_before_them(rows):
    found = rows(
        {
            "001001_02101_00001": {"IS_IMPRT": True},
            "001001_02102_00001": {},
            "001001_02103_00001": {"IS_IMPRT": True},
            "001001_02104_00001": {"IS_IMPRT": False},
            "001001_02105_00001": {"IS_IMPRT": True},
        }
    )
    assert [value(row, "expspcin") for row in found.values()] == ["1", "1", "1", "2", "2"]


def test_pointings_and_dithers(rows):
    found = rows(
        {
            "001001_02101_00001": {"EXP_TYPE": "NRC_TACONFIRM"},
            "001001_02102_00001": {"PATT_NUM": 3},
            "001001_02102_00002": {"PATT_NUM": None},
            "001001_02102_00003": {"VISITSTA": "UNSUCCESSFUL"},
        }
    ).values()
    assert [value(row, "pntgtype") for row in found] == ["target_acquisition", *["science"] * 3]
    assert [value(row, "dithptin") for row in found] == ["1", "3", "1", "1"]
    assert [value(row, "mostilno") for row in found] == ["1"] * 4
    assert [value(row, "exposerr") for row in found] == ["", "", "", "unsuccessful"]


def test_headers_that_say_it_are_believed(rows):
    said = {
        "PNTGTYPE": "TARGET_ACQUISITION",
        "EXPSPCIN": 7,
        "DITHPTIN": 5,
        "MOSTILNO": 4,
        "EXPOSERR": "UNUSABLE",
        "DMS_NOTE": "wfsc_los_jitter",
        "IS_IMPRT": True,
    }
    (row,) = rows({"001001_02102_00001": said}).values()
    assert {key: value(row, key) for key in map(str.lower, said)} == {
        "pntgtype": "target_acquisition",
        "expspcin": "7",
        "dithptin": "5",
        "mostilno": "4",
        "exposerr": "unusable",
        "dms_note": "wfsc_los_jitter",
        "is_imprt": "t",
    }


NIRSPEC = {"INSTRUME": "NIRSPEC", "DETECTOR": "NRS1", "EXP_TYPE": "NRS_IFU"}


@pytest.mark.parametrize(
    ("points", "expected"),
    [
        ([(1, 2), (1, 2), (1, 2)], [1, 1, 2, 2, 3, 3]),
        ([(1, 2), (3, 4)], [1, 1, 1, 1]),
        ([(1, 2), (1, 2), (3, 4), (3, 4)], [1, 1, 2, 2, 1, 1, 2, 2]),
        ([(None, None), (None, None)], [1, 1, 1, 1]),
    ],
)
def test_visits_that_repeat_a_pattern_are_tiles(rows, points, expected):
    found = rows(
        {
            f"001{visit:03d}_02101_0000{number}": NIRSPEC | {"PATT_NUM": point}
            for visit, numbers in enumerate(points, 1)
            for number, point in enumerate(numbers, 1)
        }
    )
    assert [int(value(row, "mostilno")) for row in found.values()] == expected


def test_imprints_and_acquisitions_are_of_the_tile_of_their_visit(rows):
    found = rows(
        {
            "001001_02101_00001": NIRSPEC | {"PATT_NUM": 1, "EXP_TYPE": "NRS_WATA"},
            "001001_02102_00001": NIRSPEC | {"PATT_NUM": 1},
            "001001_02103_00001": NIRSPEC | {"PATT_NUM": 1, "IS_IMPRT": True},
            "001002_02101_00001": NIRSPEC | {"PATT_NUM": 1, "EXP_TYPE": "NRS_WATA"},
            "001002_02102_00001": NIRSPEC | {"PATT_NUM": 1},
        }
    )
    assert [value(row, "mostilno") for row in found.values()] == ["1", "1", "1", "2", "2"]


def test_other_instruments_have_one_tile(rows):
    found = rows({f"00100{visit}_02101_00001": {"PATT_NUM": 1} for visit in (1, 2)})
    assert [value(row, "mostilno") for row in found.values()] == ["1", "1"]
