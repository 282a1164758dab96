"""Names of products and members as the documents compose them."""

import pytest

from calwebb_associate.exposure_types import EXP_TYPES
from calwebb_associate.grouping import Group
from calwebb_associate.product_names import (
    CALIBRATED,
    catalog_product,
    combined_product,
    integrations,
    member_name,
    target_name,
)
from calwebb_core.framework.errors import InputError
from calwebb_core.framework.names import AssociationName

from .rows import RULES, Exposure, exposure, made_by, row

IMAGE = {"exp_type": "nrc_image", "filter": "f200w", "pupil": "clear"}
CORON = {"exp_type": "nrc_coron", "filter": "f210m", "pupil": "maskrnd", "detector": "nrca2"}


def group(rule, *exposures, candidate=("o001", "observation"), target="1"):
    parts = tuple((one, "science") for one in exposures)
    return Group(RULES[rule], candidate, exposures, parts, target)


@pytest.mark.parametrize(
    ("columns", "name"),
    [
        ({}, "jw01345-o001_t001_nircam_clear-f200w"),
        # elements by the alphabet, whichever wheel they are in
        ({"filter": "f444w", "pupil": "f405n"}, "jw01345-o001_t001_nircam_f405n-f444w"),
        ({"pupil": "f162m"}, "jw01345-o001_t001_nircam_f162m-f200w"),
        ({"filter": "null"}, "jw01345-o001_t001_nircam_clear"),
        ({"filter": "null", "pupil": "null"}, "jw01345-o001_t001_nircam_clear"),
        ({"subarray": "FULL"}, "jw01345-o001_t001_nircam_clear-f200w"),
        ({"subarray": "SUB160"}, "jw01345-o001_t001_nircam_clear-f200w-sub160"),
        ({"epoch": "2"}, "jw01345-o001_t001-epoch2_nircam_clear-f200w"),
        ({"fxd_slit": "s400a1"}, "jw01345-o001_t001_nircam_clear-f200w-s400a1"),
        ({"fxd_slit": "s400a1", "subarray": "allslits"},
         "jw01345-o001_t001_nircam_clear-f200w-s400a1-allslits"),
    ],
)  # fmt: skip
def test_plain_names(columns, name):
    one = exposure(**IMAGE | columns)
    assert combined_product("01345", group("Asn_Lv3Image", one)) == name


def test_different_values_of_members_are_all_named():
    one, other = (
        Exposure(row(place, **IMAGE, fxd_slit=slit))
        for place, slit in ((1, "s200a2"), (2, "s200a1"))
    )
    name = "jw01345-o001_t001_nircam_clear-f200w-s200a1-s200a2"
    assert combined_product("01345", group("Asn_Lv3Image", one, other)) == name
    assert combined_product("01345", group("Asn_Lv3Image", other, one)) == name


def test_acquisitions_do_not_name_a_product():
    one, acquisition = exposure(**IMAGE), exposure(exp_type="nrc_tacq", filter="f335m")
    made = Group(
        RULES["Asn_Lv3Image"],
        ("c1000", "mosaic"),
        (one,),
        ((one, "science"), (acquisition, "target_acquisition")),
        "000",
    )
    assert combined_product("01345", made) == "jw01345-c1000_t000_nircam_clear-f200w"


@pytest.mark.parametrize(
    ("number", "name"),
    [("1", "t001"), ("12", "t012"), ("123", "t123"), ("1234", "t1234"), ("000", "t000")],
)
def test_targets(number, name):
    assert target_name(number) == name


@pytest.mark.parametrize("activity", ["1", "01", "0a", "10"])
def test_wavefront_pairs_are_named_by_activity(activity):
    one = exposure(**IMAGE, act_id=activity, detector="nrca3")
    name = combined_product("01345", group("Asn_Lv3WFSCMB", one))
    assert name == ("jw01345-o001_t001_nircam_clear-f200w-nrca3_{suffix}-" + activity.rjust(2, "0"))


@pytest.mark.parametrize(
    "columns",
    [
        {"filter": "../x"},
        {"filter": "f 1"},
        {"pupil": "a/b"},
        {"subarray": "sub_é"},
        {"filter": "*"},
    ],
)
def test_values_that_no_name_can_hold(columns):
    one = exposure(**IMAGE | columns)
    with pytest.raises(InputError, match=r"uncal.fits: its values give the product name .* pool$"):
        combined_product("01345", group("Asn_Lv3Image", one))


@pytest.mark.parametrize(
    ("columns", "name"),
    [
        (IMAGE, "jw01345-c1000_t000_nircam_clear-f200w"),
        ({"exp_type": "nis_image", "filter": "clear", "pupil": "f090w"},
         "jw01345-c1000_t000_niriss_clear-f090w"),
        ({"exp_type": "mir_image", "filter": "f560w", "pupil": "x"},
         "jw01345-c1000_t000_miri_f560w"),
        ({"exp_type": "mir_image", "filter": "f560w", "subarray": "sub64"},
         "jw01345-c1000_t000_miri_f560w-sub64"),
        ({"exp_type": "fgs_image"}, "jw01345-c1000_t000_fgs_clear"),
    ],
)  # fmt: skip
def test_catalogs_are_named_as_their_image_is(columns, name):
    direct = exposure(**columns)
    spectra = group(
        "Asn_Lv2WFSSParallel", direct, candidate=("c1000", "direct_image"), target="000"
    )
    assert catalog_product("01345", spectra, direct) == name
    images = Group(
        RULES["Asn_Lv3Image"],
        ("c1000", "direct_image"),
        (direct,),
        ((direct, "science"),),
        "000",
    )
    if "pupil" not in columns or columns["exp_type"] != "mir_image":
        assert combined_product("01345", images) == name


@pytest.mark.parametrize(
    ("columns", "by_integration"),
    [
        (IMAGE, False),
        (IMAGE | {"tsovisit": "t"}, True),
        (IMAGE | {"tsovisit": "t", "pntgtype": "target_acquisition"}, False),
        ({"exp_type": "nrc_tacq", "tsovisit": "t"}, False),
        ({"exp_type": "nrc_tsgrism"}, True),
        ({"exp_type": "nis_ami"}, True),
        ({"exp_type": "mir_lyot"}, True),
        ({"exp_type": "mir_lyot", "pntgtype": "target_acquisition"}, False),
        (CORON, True),
        (CORON | {"detector": "nrca1"}, False),
        (CORON | {"detector": "nrca1", "subarray": "sub320"}, True),
        # mask not known: as any coronagraphy
        (CORON | {"detector": "nrca1", "pupil": "null"}, True),
    ],
)
def test_what_goes_on_by_integration(columns, by_integration):
    assert integrations(exposure(**columns)) is by_integration


@pytest.mark.parametrize(
    ("rule", "columns", "part", "suffix"),
    [
        ("Asn_Lv2Image", IMAGE, "science", "rate"),
        ("Asn_Lv2Image", IMAGE, "background", "rate"),
        ("Asn_Lv2Image", CORON, "science", "rateints"),
        ("Asn_Lv2CoronAsRate", CORON, "science", "rate"),
        ("Asn_Lv3Image", IMAGE, "science", "cal"),
        ("Asn_Lv3NRCCoron", CORON, "psf", "calints"),
        ("Asn_Lv3NRCCoronImage", CORON, "science", "cal"),
        ("Asn_Lv3MIRMRS", {"exp_type": "mir_mrs"}, "background", "x1d"),
        ("Asn_Lv3TSO", {"exp_type": "nrs_brightobj"}, "background", "x1dints"),
        # nothing is extracted from an image
        ("Asn_Lv3AMI", {"exp_type": "nis_ami"}, "background", "calints"),
        ("Asn_Lv3TSO", {"exp_type": "mir_image", "tsovisit": "t"}, "background", "calints"),
        # lamps are not calibrated
        ("Asn_Lv3NRSFSS", {"exp_type": "nrs_autowave"}, "autowave", "rate"),
        ("Asn_Lv3Image", {"exp_type": "nrc_tacq"}, "target_acquisition", "cal"),
    ],
)
def test_files_of_members(rule, columns, part, suffix):
    one = exposure(**columns)
    assert member_name(one, part, group(rule, one)) == f"{one.root}_{suffix}.fits"


def test_what_level_2_calibrates_is_known():
    assert CALIBRATED < EXP_TYPES
    assert "nrc_dark" not in CALIBRATED


def test_file_names_differ_from_one_another_and_are_names():
    rows = {
        f"{number}": {"filter": name, "targetid": str(number)}
        for number in range(1, 40)
        for name in ["f200w" if number % 2 else "f150w"]
    }
    made = made_by(None, IMAGE, rows)
    names = {one.file_name for one in made}
    assert len(names) == len(made) == 78
    for name in names:
        assert AssociationName.parse(name).program == "01345"
