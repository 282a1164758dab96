"""The part that an exposure plays, and the conditions that rules name."""

import pytest

from calwebb_associate.conditions import CONDITIONS, PART_OF_TYPE, facts
from calwebb_associate.exposure_types import ACQUISITION, EXP_TYPES, TIME_SERIES
from calwebb_core.framework.association_checks import EXPTYPES

from .rows import exposure, row

IMAGE = {"exp_type": "mir_image"}


@pytest.mark.parametrize(
    ("columns", "role"),
    [
        ({}, "science"),
        ({"pntgtype": "null"}, "science"),
        ({"is_psf": "t"}, "psf"),
        ({"is_imprt": "t"}, "imprint"),
        ({"bkgdtarg": "t"}, "background"),
        # the first of several flags counts
        ({"is_psf": "t", "is_imprt": "t", "bkgdtarg": "t"}, "psf"),
        ({"is_imprt": "t", "bkgdtarg": "t"}, "imprint"),
        # the type of an exposure comes before its flags, the pointing before both
        ({"exp_type": "nrs_autowave", "bkgdtarg": "t"}, "autowave"),
        ({"exp_type": "mir_tacq", "is_psf": "t"}, "target_acquisition"),
        ({"pntgtype": "target_acquisition", "is_psf": "t"}, "target_acquisition"),
        ({"pntgtype": "target_acquisition", "exp_type": "nrc_dark"}, "target_acquisition"),
        ({"exp_type": "nrs_verify"}, "science"),
        ({"exp_type": "nrc_focus"}, "engineering"),
        ({"exp_type": "mir_flatmrs-ext"}, "flat"),
        # as people and archives write no
        ({"is_psf": "null"}, "science"),
        ({"is_psf": "f"}, "science"),
        ({"is_psf": "n"}, "science"),
    ],
)
def test_role(columns, role):
    assert exposure(**IMAGE | columns).role == role


def test_types_play_parts_that_associations_have():
    assert set(PART_OF_TYPE.values()) <= set(EXPTYPES)
    assert set(PART_OF_TYPE) <= EXP_TYPES


@pytest.mark.parametrize("exp_type", sorted(EXP_TYPES))
def test_time_series_by_type_and_by_visit(exp_type):
    by_type = exposure(exp_type=exp_type).time_series
    by_visit = exposure(exp_type=exp_type, tsovisit="t").time_series
    assert by_type is (exp_type in TIME_SERIES)
    assert by_visit is (exp_type not in ACQUISITION)
    assert not exposure(exp_type=exp_type, tsovisit="t", pntgtype="target_acquisition").time_series


@pytest.mark.parametrize(
    ("condition", "yes", "no"),
    [
        ("time series", {"tsovisit": "t"}, {"tsovisit": "f"}),
        ("wavefront sensing", {"visitype": "prime_wfsc_routine"}, {"visitype": "prime_targeted"}),
        ("line-of-sight jitter", {"dms_note": "wfsc_los_jitter"}, {"dms_note": "wfsc"}),
        ("background target", {"bkgdtarg": "t"}, {"bkgdtarg": "f"}),
        ("psf reference", {"is_psf": "t"}, {"bkgdtarg": "t"}),
        ("imprint", {"is_imprt": "t"}, {"is_imprt": "null"}),
        ("auxiliary", {"is_psf": "t"}, {"is_imprt": "t"}),
        ("auxiliary", {"bkgdtarg": "t"}, {}),
        ("opaque", {"filter": "opaque"}, {"filter": "clear"}),
        (
            "fixed slit on detector",
            {"exp_type": "nrs_fixedslit", "fxd_slit": "s200a1", "grating": "prism",
             "filter": "clear"},
            {"exp_type": "nrs_fixedslit", "fxd_slit": "s200a1", "grating": "prism",
             "filter": "clear", "detector": "nrs2"},
        ),
        (
            "spectrum on detector",
            {"exp_type": "nrs_ifu", "grating": "prism", "filter": "clear"},
            {"exp_type": "nrs_ifu", "grating": "prism", "filter": "clear", "detector": "nrs2"},
        ),
        ("spectrum on detector", {"exp_type": "mir_mrs"}, {"exp_type": "nrs_ifu"}),
        (
            "lamp on detector",
            {"exp_type": "nrs_lamp", "opmode": "ifu", "grating": "g235h", "lamp": "line2"},
            {"exp_type": "nrs_lamp", "opmode": "ifu", "grating": "g235h"},
        ),
        (
            "occulter in field",
            {"exp_type": "nrc_coron", "pupil": "maskrnd", "detector": "nrca2"},
            {"exp_type": "nrc_coron", "pupil": "maskrnd", "detector": "nrca1"},
        ),
    ],
)  # fmt: skip
def test_conditions(condition, yes, no):
    met, unmet = exposure(**IMAGE | yes), exposure(**IMAGE | no)
    assert met.meets(condition)
    assert met.meets(condition), "and again"
    assert not unmet.meets(condition)


def test_every_condition_says_what_it_means():
    for name, (meaning, _) in CONDITIONS.items():
        assert len(meaning) > 10, name
        assert not meaning.endswith("."), name


def test_values_are_those_of_the_first_column_that_has_one():
    one = facts(row(exp_type="mir_mrs", filter="null", band="SHORT"))
    assert one.get(("filter", "band")) == "short"
    assert one.get(("band", "filter")) == "short"
    assert one.get(("filter", "no_such_column")) == ""
    assert one.first("band") == "short"
    assert one.candidates == (("o001", "observation"),)
