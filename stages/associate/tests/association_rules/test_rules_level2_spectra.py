"""Every rule of level 2 for spectra but those of nods and slitless ones."""

import pytest

from .rows import Case, cases_of, name_of, texts

BACKGROUND = {"also": "c1000 background"}
OTHER_TARGET = {"obs_num": "2", "targetid": "2", "bkgdtarg": "t"} | BACKGROUND
IFU = {"exp_type": "nrs_ifu", "grating": "g235h", "filter": "f170lp", "mostilno": "1"}
LRS = {"exp_type": "mir_lrs-slitless", "filter": "p750l", "subarray": "slitlessprism"}
BRIGHT = {"exp_type": "nrs_brightobj", "grating": "prism", "filter": "clear", "fxd_slit": "s1600a1"}
LAMP = {
    "exp_type": "nrs_lamp",
    "filter": "opaque",
    "opmode": "ifu",
    "grating": "g235h",
    "lamp": "line2",
}
SOSS = {"exp_type": "nis_soss", "filter": "clear", "pupil": "gr700xd", "subarray": "substrip256"}

TABLE = {
    "Asn_Lv2Spec": (
        {"exp_type": "mir_mrs", "band": "short", "mostilno": "1"},
        (
            Case("a spectrum", {"a": {}}, ("science a_rate",)),
            Case(
                "the IFU on a lit detector",
                {"a": IFU, "b": IFU | {"detector": "nrs2"}},
                ("science a_rate", "science b_rate"),
            ),
            Case("not on a dark one", {"a": IFU | {"detector": "nrs2", "grating": "g235m"}}),
            Case(
                "with the backgrounds taken the same way, of any tile",
                {
                    "a": BACKGROUND,
                    "b": OTHER_TARGET | {"mostilno": "2"},
                    "c": OTHER_TARGET | {"band": "long"},
                    "d": OTHER_TARGET | {"detector": "mirifulong"},
                    "e": OTHER_TARGET | {"exp_type": "mir_lrs-slitless"},
                },
                ("science a_rate; background b_rate",),
            ),
            Case(
                "with the leakage calibrations of its tile",
                {
                    "a": IFU,
                    "i": IFU | {"is_imprt": "t"},
                    "j": IFU | {"is_imprt": "t", "mostilno": "2"},
                    "k": IFU | {"is_imprt": "t", "grating": "g395h", "filter": "f290lp"},
                    "l": IFU | {"is_imprt": "t", "detector": "nrs2"},
                },
                ("science a_rate; imprint i_rate",),
            ),
            Case(
                "background and leakage calibration",
                {
                    "a": IFU | BACKGROUND,
                    "b": IFU | OTHER_TARGET,
                    "i": IFU | {"is_imprt": "t"} | BACKGROUND,
                },
                ("science a_rate; background b_rate; imprint i_rate",),
            ),
            Case("a lone leakage calibration is not science", {"i": IFU | {"is_imprt": "t"}}),
            Case("no time series", {"a": {"tsovisit": "t"}, "b": BRIGHT}),
            Case(
                "nods have rules of their own",
                {
                    "a": IFU | {"patttype": "4-point-nod"},
                    "b": IFU | {"patttype": "2-point-nod"},
                    "c": {"patttype": "along-slit-nod"},
                },
            ),
            Case(
                "other patterns are taken",
                {"a": IFU | {"patttype": "cycling"}},
                ("science a_rate",),
            ),
            Case(
                "slits and shutters have rules of their own",
                {
                    "a": {"exp_type": "mir_lrs-fixedslit"},
                    "b": {"exp_type": "mir_lrs-slitless"},
                    "c": {"exp_type": "nrs_fixedslit"},
                    "d": {"exp_type": "nrs_msaspec"},
                    "e": {"exp_type": "nis_wfss", "filter": "gr150r"},
                },
            ),
            Case("not behind the shutter", {"a": IFU | {"filter": "opaque"}}),
            Case("not without a tile's number", {"a": {"mostilno": "null"}}),
            Case(
                "spectra without slit",
                {"a": SOSS, "b": {"exp_type": "mir_wfss", "filter": "p750l"}},
                ("science a_rate", "science b_rate"),
            ),
            Case(
                "of leakage calibrations at every position that of its own",
                {
                    "a": IFU | {"dithptin": "1"},
                    "b": IFU | {"dithptin": "2"},
                    "i": IFU | {"dithptin": "1", "is_imprt": "t"},
                    "j": IFU | {"dithptin": "2", "is_imprt": "t"},
                },
                ("science a_rate; imprint i_rate", "science b_rate; imprint j_rate"),
            ),
        ),
    ),
    "Asn_Lv2SpecSpecial": (
        {"exp_type": "mir_mrs", "band": "short"},
        (
            Case("a background target", {"a": {"bkgdtarg": "t"}}, ("science a_rate",)),
            Case("a PSF reference", {"a": {"is_psf": "t"}}, ("science a_rate",)),
            Case(
                "with the leakage calibrations of the background",
                {
                    "a": IFU | {"bkgdtarg": "t"},
                    "i": IFU | {"bkgdtarg": "t", "is_imprt": "t"},
                    "j": IFU | {"is_imprt": "t"},
                    "k": IFU | {"bkgdtarg": "t", "is_imprt": "t", "mostilno": "2"},
                },
                ("science a_rate; imprint i_rate",),
            ),
            Case("no science target", {"a": {}}),
            Case(
                "not on a dark detector",
                {"a": IFU | {"bkgdtarg": "t", "grating": "prism", "detector": "nrs2"}},
            ),
            Case("no image", {"a": {"exp_type": "mir_image", "bkgdtarg": "t"}}),
            Case(
                "no leakage calibration of another grating or mode",
                {
                    "a": IFU | {"bkgdtarg": "t"},
                    "j": IFU
                    | {"bkgdtarg": "t", "is_imprt": "t", "grating": "g395h", "filter": "f290lp"},
                    "k": {
                        "exp_type": "nrs_msaspec",
                        "grating": "g235h",
                        "filter": "f170lp",
                        "mostilno": "1",
                        "bkgdtarg": "t",
                        "is_imprt": "t",
                        "band": "null",
                    },
                },
                ("science a_rate",),
            ),
            Case(
                "of more leakage calibrations than one that of its position",
                {
                    "a": IFU | {"bkgdtarg": "t", "dithptin": "2"},
                    "i": IFU | {"bkgdtarg": "t", "is_imprt": "t", "dithptin": "1"},
                    "j": IFU | {"bkgdtarg": "t", "is_imprt": "t", "dithptin": "2"},
                },
                ("science a_rate; imprint j_rate",),
            ),
        ),
    ),
    "Asn_Lv2SpecImprint": (
        IFU | {"is_imprt": "t"},
        (
            Case("each alone", {"a": {}, "b": {}}, ("science a_rate", "science b_rate")),
            Case("of a background too", {"a": {"bkgdtarg": "t"}}, ("science a_rate",)),
            Case("no science", {"a": {"is_imprt": "f"}}),
            Case("not on a dark detector", {"a": {"grating": "g235m", "detector": "nrs2"}}),
            Case("not behind the shutter", {"a": {"filter": "opaque"}}),
            Case("no lamp", {"a": {"exp_type": "nrs_lamp"}}),
        ),
    ),
    "Asn_Lv2SpecTSO": (
        {"tsovisit": "t"} | SOSS,
        (
            Case("NIRISS", {"a": {}}, ("science a_rateints",)),
            Case(
                "NIRISS without flux calibration",
                {"a": {"filter": "f277w"}, "b": {"filter": "null"}},
            ),
            Case(
                "NIRCam grism",
                {
                    "a": {
                        "exp_type": "nrc_tsgrism",
                        "filter": "f444w",
                        "pupil": "grismr",
                        "tsovisit": "f",
                    }
                },
                ("science a_rateints",),
            ),
            Case(
                "NIRCam through CLEAR, or the module that sees no spectrum",
                {
                    "a": {"exp_type": "nrc_tsgrism", "filter": "f444w", "pupil": "clear"},
                    "b": {
                        "exp_type": "nrc_tsgrism",
                        "filter": "f444w",
                        "pupil": "grismr",
                        "detector": "nrcblong",
                    },
                },
            ),
            Case("NIRSpec", {"a": BRIGHT | {"tsovisit": "f"}}, ("science a_rateints",)),
            Case(
                "NIRSpec on a dark detector",
                {"a": BRIGHT | {"detector": "nrs2"}, "b": BRIGHT | {"fxd_slit": "null"}},
            ),
            Case(
                "MIRI IFU",
                {"a": {"exp_type": "mir_mrs", "band": "long", "filter": "null", "pupil": "null"}},
                ("science a_rateints",),
            ),
            Case("no other visit", {"a": {"tsovisit": "f"}}),
            Case("no acquisition of the visit", {"a": {"pntgtype": "target_acquisition"}}),
            Case("the low-resolution spectrograph has a rule of its own", {"a": LRS}),
            Case("no background target", {"a": {"bkgdtarg": "t"}}),
            Case(
                "others when the visit is one",
                {
                    "a": IFU,
                    "b": {"exp_type": "nis_wfss", "filter": "gr150r", "pupil": "f200w"},
                    "c": {"exp_type": "nrc_wfss", "filter": "clear", "pupil": "clear"},
                    "d": {"exp_type": "mir_wfss", "filter": "f277w"},
                },
                tuple(f"science {name}_rateints" for name in "abcd"),
            ),
        ),
    ),
    "Asn_MIRLRSTAConfirm": (
        LRS,
        (
            Case("a time series without slit", {"a": {"tsovisit": "t"}}, ("science a_rateints",)),
            Case(
                "with the image that confirms the target",
                {
                    "a": {},
                    "t": {"exp_type": "mir_taconfirm", "filter": "f560w", "subarray": "full"},
                    "u": {"exp_type": "mir_tacq", "filter": "f560w"},
                },
                ("science a_rate; target_acquisition t_rate",),
            ),
            Case(
                "not that of another observation",
                {
                    "a": BACKGROUND,
                    "b": OTHER_TARGET,
                    "t": {"exp_type": "mir_taconfirm", "obs_num": "2"} | BACKGROUND,
                },
                ("science a_rate; background b_rate",),
            ),
            Case(
                "with the backgrounds of its candidate taken the same way",
                {
                    "a": {"exp_type": "mir_lrs-fixedslit", "subarray": "full"} | BACKGROUND,
                    "b": {"exp_type": "mir_lrs-fixedslit", "subarray": "full"} | OTHER_TARGET,
                    "c": OTHER_TARGET,
                    "t": {"exp_type": "mir_taconfirm"} | BACKGROUND,
                },
                ("science a_rate; background b_rate; target_acquisition t_rate",),
            ),
            Case(
                "no background for a time series",
                {"a": {"tsovisit": "t"} | BACKGROUND, "b": {"tsovisit": "t"} | OTHER_TARGET},
                ("science a_rateints",),
            ),
            Case("no image alone", {"t": {"exp_type": "mir_taconfirm"}}),
            Case("no background target", {"a": {"bkgdtarg": "t"}}),
            Case("no other spectrum", {"a": {"exp_type": "mir_mrs"}}),
        ),
    ),
    "Asn_Lv2NRSLAMPSpectral": (
        LAMP,
        (
            Case("a lamp through the IFU", {"a": {}}, ("science a_rate",)),
            Case(
                "through the slits",
                {"a": {"opmode": "fixedslit", "exp_type": "nrs_autoflat", "lamp": "flat2"}},
                ("science a_rate",),
            ),
            Case(
                "through the shutters of a configuration",
                {"a": {"opmode": "msaspec", "msametfl": "a_msa.fits", "exp_type": "nrs_autowave"}},
                ("science a_rate",),
            ),
            Case("not without their configuration", {"a": {"opmode": "msaspec"}}),
            Case(
                "not where the lamp leaves the detector dark",
                {
                    "a": {"grating": "g235m", "detector": "nrs2"},
                    "b": {"grating": "g140h", "lamp": "flat4", "detector": "nrs2"},
                    "c": {"opmode": "fixedslit", "lamp": "line3"},
                },
            ),
            Case("not without lamp", {"a": {"lamp": "nolamp"}, "b": {"lamp": "null"}}),
            Case(
                "not through the mirror, not the grating alone",
                {
                    "a": {"grating": "mirror"},
                    "b": {"opmode": "grating-only"},
                    "c": {"grating": "null"},
                },
            ),
            Case("not with the shutter open", {"a": {"filter": "f170lp"}}),
            Case("no science", {"a": {"exp_type": "nrs_ifu"}}),
            Case(
                "not through shutters without lamp or grating",
                {
                    "a": {"opmode": "msaspec", "msametfl": "a_msa.fits", "lamp": "null"},
                    "b": {"opmode": "msaspec", "msametfl": "a_msa.fits", "grating": "mirror"},
                },
            ),
        ),
    ),
}


@pytest.mark.parametrize(("rule", "base", "case"), cases_of(TABLE), ids=name_of)
def test_rule(rule, base, case):
    assert texts(rule, base, case.exposures) == sorted(case.made)
