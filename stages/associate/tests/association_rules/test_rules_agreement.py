"""What keeps exposures apart, column by column: the whole table for every rule that combines.

Each line is a rule with two exposures that it combines; every column of the header that could
differ is changed in the second one, and the two must part exactly where the rule says so.
"""

import pytest

from .rows import RULES, made_by
from .test_rules_complete import TABLES

BASES = {rule: content[0] for table in TABLES for rule, content in table.items()}
CHANGES = {
    "targetid": "7",
    "detector": "other",
    "filter": "other",
    "band": "other",
    "pupil": "other",
    "grating": "other",
    "fxd_slit": "other",
    "subarray": "other",
    "channel": "other",
    "patttype": "other",
    "mostilno": "7",
    "expspcin": "7",
    "patt_num": "7",
    "dithptin": "7",
    "obs_id": "other",
    "act_id": "7",
    "visit": "7",
    "nexposur": "7",
    "opmode": "other",
    "epoch": "2",
}
PATH = {"filter", "pupil", "fxd_slit", "subarray"}
IMAGES = PATH | {"grating", "targetid"}
HERE = {"also": "c1000 background", "obs_num": "1"}
THERE = {"also": "c1000 background", "obs_num": "2", "targetid": "2", "bkgdtarg": "t"}
MODE = {"detector", "filter", "pupil", "grating", "fxd_slit", "subarray", "channel"}
# Rule -> columns that keep exposures of one product apart. A NIRSpec setting that leaves the
# detector dark is not taken at all, so these columns count there too.
COMBINED = {
    "Asn_Lv3Image": IMAGES,
    "Asn_Lv3ImageMosaic": IMAGES - {"targetid"},
    "Asn_Lv3ImageBackground": IMAGES,
    "Asn_Lv3NRCCoronImage": IMAGES - {"grating"} | {"channel"},
    "Asn_Lv3WFSCMB": IMAGES - {"grating"} | {"detector", "obs_id", "act_id", "patttype"},
    "Asn_Lv3NRCCoron": IMAGES - {"grating"},
    "Asn_Lv3MIRCoron": IMAGES,
    "Asn_Lv3AMI": IMAGES - {"grating"},
    "Asn_Lv3TSO": IMAGES - {"grating"},
    "Asn_Lv3SpectralTarget": IMAGES | {"patttype"},
    "Asn_Lv3SlitlessSpectral": IMAGES - {"grating"} | {"patttype"},
    "Asn_Lv3SpectralSource": IMAGES,
    "Asn_Lv3NRSFSS": IMAGES | {"detector"},
    "Asn_Lv3NRSIFU": {"targetid", "grating", "patttype", "filter", "detector"},
    "Asn_Lv3MIRMRS": {"targetid"},
    "Asn_Lv3NRSIFUBackground": {"targetid", "grating", "filter", "detector"},
    "Asn_Lv3MIRMRSBackground": {"targetid"},
    "Asn_Lv3SpecAux": IMAGES,
    "Asn_Lv3WFSSNRC": {"targetid", "filter", "pupil"},
    "Asn_Lv3WFSSNIS": {"targetid", "filter", "pupil"},
    "Asn_Lv3WFSSMIR": {"targetid", "filter"},
}
# Rule -> columns in which the background of its candidate has to be like the spectrum or image.
# Of filter and band, pupil and grating the first that has a value counts.
BACKGROUND = {
    "Asn_Lv2Image": MODE,
    "Asn_Lv2CoronAsRate": MODE - {"grating"},
    "Asn_Lv2Spec": MODE | {"band"},
    "Asn_MIRLRSTAConfirm": MODE,
    "Asn_Lv2NRSFSS": MODE,
    "Asn_Lv2NRSMSA": MODE,
    "Asn_Lv2NRSIFUNod": MODE,
}
SAME_MODE = (
    "Asn_Lv2Image",
    "Asn_Lv2ImageSpecial",
    "Asn_Lv2ImageTSO",
    "Asn_Lv2CoronAsRate",
    "Asn_Lv2Spec",
    "Asn_Lv2SpecSpecial",
    "Asn_Lv2SpecImprint",
    "Asn_Lv2SpecTSO",
    "Asn_MIRLRSTAConfirm",
    "Asn_Lv2NRSFSS",
    "Asn_Lv2NRSMSA",
    "Asn_Lv2NRSIFUNod",
)
FLAGS = {
    "Asn_Lv2ImageSpecial": {"bkgdtarg": "t"},
    "Asn_Lv2ImageTSO": {"tsovisit": "t"},
    "Asn_Lv2SpecSpecial": {"bkgdtarg": "t"},
}


def together(made, part):
    """Whether an association has the first exposure as science and the second as this part."""
    for association in made:
        members = association.content["products"][0]["members"]
        parts = {(member["expname"].split("_")[2], member["exptype"]) for member in members}
        if {("00001", "science"), ("00002", part)} <= parts:
            return True
    return False


def rows_for(rule):
    """Two exposures that a rule of level 3 combines, with what else it needs."""
    mosaic = {"also": "c1000 mosaic"} if rule == "Asn_Lv3ImageMosaic" else {}
    rows = {"a": dict(mosaic), "b": {"obs_num": "2"} | mosaic if mosaic else {}}
    if RULES[rule].needs:
        rows |= {"p": {"is_psf": "t", "targetid": "9"}}
    if RULES[rule].least > 1:
        rows |= {"c": {}}
    return rows


def test_the_tables_are_whole():
    assert set(COMBINED) == {rule.name for rule in RULES.values() if rule.level == 3}
    backgrounds = {
        rule.name
        for rule in RULES.values()
        if rule.level == 2 and not rule.finish and rule.joins
        if rule.name not in ("Asn_Lv2SpecSpecial", "Asn_Lv2MIRLRSFixedSlitNod")
    }
    assert set(BACKGROUND) == backgrounds


@pytest.mark.parametrize("rule", COMBINED)
def test_columns_that_keep_exposures_apart(rule):
    rows = rows_for(rule)
    assert together(made_by(rule, BASES[rule], rows), "science")
    parted = {
        column
        for column, value in CHANGES.items()
        if not together(
            made_by(rule, BASES[rule], rows | {"b": rows["b"] | {column: value}}), "science"
        )
    }
    # the epoch of a target that changes, which users name, keeps all combinations apart
    assert parted == COMBINED[rule] | {"epoch"}


@pytest.mark.parametrize("rule", BACKGROUND)
def test_columns_in_which_a_background_is_alike(rule):
    base = BASES[rule]
    assert together(made_by(rule, base, {"a": HERE, "b": THERE}), "background")
    parted = {
        column
        for column, value in CHANGES.items()
        if column != "targetid"
        and not together(
            made_by(rule, base, {"a": HERE, "b": THERE | {column: value}}), "background"
        )
    }
    assert parted == BACKGROUND[rule]


@pytest.mark.parametrize("rule", SAME_MODE)
@pytest.mark.parametrize(
    "change",
    [
        {"filter": "opaque"},
        {"visitype": "prime_wfsc_routine"},
        {"filter": "null", "band": "null"},
        {"exp_type": "nrc_tsgrism", "detector": "nrcblong", "filter": "f444w", "pupil": "grismr"},
    ],
    ids=["shutter", "wavefront", "filter", "grism"],
)
def test_what_no_calibrated_exposure_is(rule, change):
    base = BASES[rule] | FLAGS.get(rule, {})
    assert made_by(rule, base, {"a": {}})
    assert not made_by(rule, base, {"a": change})


@pytest.mark.parametrize("rule", sorted(set(COMBINED) - {"Asn_Lv3ImageMosaic", "Asn_Lv3TSO"}))
def test_level_3_takes_no_leakage_calibration(rule):
    made = made_by(rule, BASES[rule], {"i": {"is_imprt": "t"}, "j": {"is_imprt": "t"}})
    assert not made
