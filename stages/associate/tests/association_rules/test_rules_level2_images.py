"""Every rule of level 2 for images: what it takes, what joins, and what it leaves."""

import pytest

from .rows import Case, cases_of, name_of, texts

BACKGROUND = {"also": "c1000 background"}
OTHER_TARGET = {"obs_num": "2", "targetid": "2", "bkgdtarg": "t"} | BACKGROUND

TABLE = {
    "Asn_Lv2Image": (
        {"exp_type": "mir_image", "filter": "f560w"},
        (
            Case("a science image", {"a": {}}, ("science a_rate",)),
            Case("each makes its own", {"a": {}, "b": {}}, ("science a_rate", "science b_rate")),
            Case(
                "with the backgrounds taken the same way",
                {
                    "a": BACKGROUND,
                    "b": OTHER_TARGET,
                    "c": OTHER_TARGET,
                    "d": OTHER_TARGET | {"filter": "f770w"},
                    "e": OTHER_TARGET | {"subarray": "sub64"},
                    "f": OTHER_TARGET | {"exp_type": "mir_lyot"},
                    "g": OTHER_TARGET | {"tsovisit": "t"},
                },
                ("science a_rate; background b_rate, c_rate",),
            ),
            Case(
                "backgrounds of another candidate stay away",
                {"a": {"also": "c1001 background"}, "b": OTHER_TARGET},
                ("science a_rate",),
            ),
            Case(
                "other detectors stay away",
                {
                    "a": BACKGROUND | {"exp_type": "nrc_image", "filter": "f200w"},
                    "b": OTHER_TARGET
                    | {"exp_type": "nrc_image", "filter": "f200w", "detector": "nrcblong"},
                },
                ("science a_rate",),
            ),
            Case("a background is not science", {"b": OTHER_TARGET}),
            Case(
                "a mosaic is not for level 2",
                {
                    "a": {"also": "c1000 mosaic"},
                    "b": {"obs_num": "2", "also": "c1000 mosaic"},
                },
                ("science a_rate", "science b_rate"),
            ),
            Case("neither is a leakage calibration", {"a": {"is_imprt": "t"}}),
            Case("a PSF reference is", {"a": {"is_psf": "t"}}, ("science a_rate",)),
            Case("no time series", {"a": {"tsovisit": "t"}}),
            Case("no time series by type", {"a": {"exp_type": "nrc_tsimage", "filter": "f200w"}}),
            Case("no wavefront sensing", {"a": {"visitype": "prime_wfsc_routine"}}),
            Case("not behind the shutter", {"a": {"filter": "opaque"}}),
            Case("not without filter", {"a": {"filter": "null"}}),
            Case("no target acquisition", {"a": {"pntgtype": "target_acquisition"}}),
            Case("no spectrum", {"a": {"exp_type": "mir_mrs"}}),
            Case(
                "coronagraphy by integration, beside the mask as an image",
                {
                    "a": {"exp_type": "mir_lyot"},
                    "b": {"exp_type": "nrc_coron", "pupil": "maskrnd", "detector": "nrca2"},
                    "c": {"exp_type": "nrc_coron", "pupil": "maskrnd", "detector": "nrca1"},
                    "d": {"exp_type": "nis_ami"},
                },
                (
                    "science a_rateints",
                    "science b_rateints",
                    "science c_rate",
                    "science d_rateints",
                ),
            ),
        ),
    ),
    "Asn_Lv2ImageSpecial": (
        {"exp_type": "mir_image", "filter": "f560w"},
        (
            Case("a background target", {"a": {"bkgdtarg": "t"}}, ("science a_rate",)),
            Case("a PSF reference", {"a": {"is_psf": "t"}}, ("science a_rate",)),
            Case(
                "a leakage calibration of a background",
                {"a": {"bkgdtarg": "t", "is_imprt": "t"}},
                ("science a_rate",),
            ),
            Case(
                "alone even with its candidate",
                {"a": BACKGROUND, "b": OTHER_TARGET},
                ("science b_rate",),
            ),
            Case("no science target", {"a": {}}),
            Case(
                "no wavefront sensing", {"a": {"bkgdtarg": "t", "visitype": "prime_wfsc_routine"}}
            ),
            Case("not behind the shutter", {"a": {"bkgdtarg": "t", "filter": "opaque"}}),
            Case("no spectrum", {"a": {"exp_type": "mir_mrs", "bkgdtarg": "t"}}),
        ),
    ),
    "Asn_Lv2ImageTSO": (
        {"exp_type": "mir_image", "filter": "f560w"},
        (
            Case("by visit", {"a": {"tsovisit": "t"}}, ("science a_rateints",)),
            Case("by type", {"a": {"exp_type": "nrc_tsimage"}}, ("science a_rateints",)),
            Case("no other image", {"a": {}}),
            Case(
                "no target acquisition of the visit",
                {
                    "a": {"tsovisit": "t", "pntgtype": "target_acquisition"},
                    "b": {"tsovisit": "t", "exp_type": "mir_tacq"},
                },
            ),
            Case("no spectrum", {"a": {"tsovisit": "t", "exp_type": "mir_lrs-slitless"}}),
            Case("no background target", {"a": {"tsovisit": "t", "bkgdtarg": "t"}}),
        ),
    ),
    "Asn_Lv2FGS": (
        {"exp_type": "fgs_image"},
        (
            Case("an image without filter", {"a": {}}, ("science a_rate",)),
            Case("a focus image", {"a": {"exp_type": "fgs_focus"}}, ("science a_rate",)),
            Case("no wavefront sensing", {"a": {"visitype": "prime_wfsc_routine"}}),
            Case("no dark", {"a": {"exp_type": "fgs_dark"}}),
            Case("no background target", {"a": {"bkgdtarg": "t"}}),
        ),
    ),
    "Asn_Lv2WFSC": (
        {"exp_type": "nrc_image", "filter": "f212n", "visitype": "prime_wfsc_sensing_only"},
        (
            Case("an image of the visit", {"a": {}}, ("science a_rate",)),
            Case("no jitter in NIRCam", {"a": {"dms_note": "wfsc_los_jitter"}}),
            Case(
                "other notes and instruments count",
                {
                    "a": {"dms_note": "wfsc_coarse_phasing"},
                    "b": {"exp_type": "nis_image", "dms_note": "wfsc_los_jitter"},
                },
                ("science a_rate", "science b_rate"),
            ),
            Case(
                "no other visit",
                {"a": {"visitype": "prime_targeted_fixed"}, "b": {"visitype": "null"}},
            ),
            Case(
                "no spectrum, no background target",
                {
                    "a": {"exp_type": "nrc_grism"},
                    "b": {"bkgdtarg": "t"},
                },
            ),
        ),
    ),
    "Asn_Lv2ImageNonScience": (
        {"exp_type": "nrc_tacq"},
        (
            Case(
                "acquisition, confirmation and focus of any instrument",
                {
                    "a": {},
                    "b": {"exp_type": "mir_taconfirm"},
                    "c": {"exp_type": "nrs_wata"},
                    "d": {"exp_type": "nrs_verify"},
                    "e": {"exp_type": "mir_coroncal"},
                    "f": {"exp_type": "nis_focus"},
                },
                tuple(f"science {name}_rate" for name in "abcdef"),
            ),
            Case(
                "a pointing for acquisition, whatever its type, never by integration",
                {"a": {"exp_type": "mir_image", "pntgtype": "target_acquisition", "tsovisit": "t"}},
                ("science a_rate",),
            ),
            Case(
                "open shutters through the mirror",
                {
                    "a": {
                        "exp_type": "nrs_msaspec",
                        "msastate": "primarypark_allopen",
                        "grating": "mirror",
                    }
                },
                ("science a_rate",),
            ),
            Case(
                "no spectrum, no image of few shutters",
                {
                    "a": {
                        "exp_type": "nrs_msaspec",
                        "msastate": "primarypark_allopen",
                        "grating": "prism",
                    },
                    "b": {"exp_type": "nrs_msaspec", "msastate": "configured", "grating": "mirror"},
                },
            ),
            Case("no science", {"a": {"exp_type": "nrc_image"}, "b": {"exp_type": "nrc_dark"}}),
            Case(
                "no other exposure with that state of the shutters",
                {
                    "a": {
                        "exp_type": "nrs_fixedslit",
                        "msastate": "primarypark_allopen",
                        "grating": "mirror",
                    },
                },
            ),
        ),
    ),
    "Asn_Lv2NRSLAMPImage": (
        {"exp_type": "nrs_lamp", "grating": "mirror", "opmode": "image", "filter": "opaque"},
        (
            Case("a lamp through the mirror", {"a": {}}, ("science a_rate",)),
            Case("mode not given", {"a": {"opmode": "null"}}, ("science a_rate",)),
            Case("no spectrum", {"a": {"grating": "g140h"}, "b": {"opmode": "msaspec"}}),
            Case("no other exposure", {"a": {"exp_type": "nrs_image"}}),
        ),
    ),
    "Asn_Lv2CoronAsRate": (
        {"exp_type": "nrc_coron", "filter": "f210m", "pupil": "maskrnd", "detector": "nrca2"},
        (
            Case("as one image", {"a": {}}, ("science a_rate",)),
            Case("the long wave too", {"a": {"detector": "nrcalong"}}, ("science a_rate",)),
            Case(
                "with the backgrounds of its candidate, which are images as well",
                {"a": BACKGROUND, "b": OTHER_TARGET, "c": OTHER_TARGET | {"pupil": "maskbar"}},
                ("science a_rate; background b_rate",),
            ),
            Case("a PSF reference", {"a": {"is_psf": "t"}}, ("science a_rate",)),
            Case(
                "the other mask is elsewhere",
                {
                    "a": {"detector": "nrca1"},
                    "b": {"pupil": "maskbar"},
                    "c": {"pupil": "maskbar", "detector": "nrca4"},
                },
                ("science c_rate",),
            ),
            Case("no subarray", {"a": {"subarray": "sub320a335r"}}),
            Case("mask not given", {"a": {"pupil": "null"}}),
            Case("no other instrument", {"a": {"exp_type": "mir_lyot"}}),
        ),
    ),
}


@pytest.mark.parametrize(("rule", "base", "case"), cases_of(TABLE), ids=name_of)
def test_rule(rule, base, case):
    assert texts(rule, base, case.exposures) == sorted(case.made)
