"""No rule goes without its cases, and every type of exposure is looked at by the whole book."""

import pytest

from calwebb_associate.exposure_types import CALIBRATION, DARK, EXP_TYPES, GUIDE
from calwebb_associate.rulebook import FINISHES

from . import (
    test_rules_level2_images,
    test_rules_level2_nods,
    test_rules_level2_slitless,
    test_rules_level2_spectra,
    test_rules_level3_contrast,
    test_rules_level3_images,
    test_rules_level3_slitless,
    test_rules_level3_spectra,
)
from .rows import RULES, made_by

MODULES = (
    test_rules_level2_images,
    test_rules_level2_nods,
    test_rules_level2_slitless,
    test_rules_level2_spectra,
    test_rules_level3_contrast,
    test_rules_level3_images,
    test_rules_level3_slitless,
    test_rules_level3_spectra,
)
TABLES = [table.TABLE for table in MODULES]
NIRSPEC = {"grating": "prism", "filter": "clear", "fxd_slit": "s1600a1", "msametfl": "a_msa.fits"}
# What the whole book makes of one exposure of each type; other types: nothing.
ACQUIRED = ("Asn_Lv2ImageNonScience",)
WHOLE = {
    "fgs_image": ("Asn_Lv2FGS", "Asn_Lv3Image"),
    "fgs_focus": ("Asn_Lv2FGS",),
    "mir_image": ("Asn_Lv2Image", "Asn_Lv3Image"),
    "nis_image": ("Asn_Lv2Image", "Asn_Lv3Image"),
    "nrc_image": ("Asn_Lv2Image", "Asn_Lv3Image"),
    "nrs_mimf": ("Asn_Lv2Image", "Asn_Lv3Image"),
    "mir_4qpm": ("Asn_Lv2Image",),
    "mir_lyot": ("Asn_Lv2Image",),
    "nis_ami": ("Asn_Lv2Image",),
    "nrc_coron": ("Asn_Lv2CoronAsRate", "Asn_Lv2Image"),
    "nrc_tsimage": ("Asn_Lv2ImageTSO", "Asn_Lv3TSO"),
    "nrc_tsgrism": ("Asn_Lv2SpecTSO", "Asn_Lv3TSO"),
    "nrs_brightobj": ("Asn_Lv2SpecTSO", "Asn_Lv3TSO"),
    "mir_lrs-fixedslit": ("Asn_MIRLRSTAConfirm",),
    "mir_lrs-slitless": ("Asn_MIRLRSTAConfirm",),
    "mir_mrs": ("Asn_Lv2Spec", "Asn_Lv3MIRMRS"),
    "mir_wfss": ("Asn_Lv2Spec", "Asn_Lv3WFSSMIR"),
    "nis_soss": ("Asn_Lv2Spec", "Asn_Lv3SlitlessSpectral"),
    "nis_wfss": ("Asn_Lv3WFSSNIS",),
    "nrc_wfss": ("Asn_Lv3WFSSNRC",),
    "nrs_fixedslit": ("Asn_Lv2NRSFSS", "Asn_Lv3NRSFSS"),
    "nrs_ifu": ("Asn_Lv2Spec", "Asn_Lv3NRSIFU"),
    "nrs_msaspec": ("Asn_Lv2NRSMSA", "Asn_Lv3SpectralSource"),
}
OPTICS = {
    "fgs": {},
    "mir": {"filter": "p750l", "band": "short"},
    "nis": {"filter": "gr150r", "pupil": "f200w"},
    "nrc": {"filter": "f444w", "pupil": "grismr"},
    "nrs": NIRSPEC,
}


def columns_of(exp_type):
    numbers = {"mostilno": "1", "expspcin": "1", "numdthpt": "1", "subpxpts": "1", "patt_num": "1"}
    pattern = "cycling" if exp_type == "nrs_ifu" else "null"
    return {"exp_type": exp_type, "patttype": pattern} | OPTICS[exp_type[:3]] | numbers


def test_every_rule_has_cases_that_make_something_and_cases_that_do_not():
    cases = {rule: content[1] for table in TABLES for rule, content in table.items()}
    assert set(cases) == set(RULES)
    assert sum(map(len, TABLES)) == len(RULES)
    for rule, table in cases.items():
        assert any(case.made for case in table), rule
        assert any(len(case.made) < len(case.exposures) for case in table), rule
        assert len({case.why for case in table}) == len(table), rule


@pytest.mark.parametrize("exp_type", sorted(EXP_TYPES))
def test_what_the_whole_book_makes_of_a_type(exp_type):
    made = made_by(None, columns_of(exp_type), {"a": {}})
    acquired = RULES["Asn_Lv2ImageNonScience"].takes[1].exp_types
    assert sorted(one.rule for one in made) == sorted(
        WHOLE.get(exp_type, ACQUIRED if exp_type in acquired else ())
    )


def test_calibrations_darks_and_guide_stars_make_nothing_without_a_lamp():
    assert not set(WHOLE) & {*CALIBRATION, *DARK, *GUIDE}


def test_words_of_the_book_are_used():
    assert {rule.finish for rule in RULES.values()} == {"", *FINISHES}


def test_a_sentence_says_what_a_rule_leaves_out():
    for rule in RULES.values():
        assert rule.sentence[0].isupper()
        assert 20 < len(rule.sentence) < 320, rule.name
