"""Every rule of level 3 for high contrast and time series."""

import pytest

from .rows import Case, cases_of, name_of, texts

GROUP = {"also": "c1000 group"}
PAIR = {"also": "c1001 coronagraphy"}
STAR = {"obs_num": "2", "targetid": "2", "is_psf": "t"} | PAIR
ACQUISITION = {"exp_type": "mir_tacq", "filter": "fnd", "subarray": "sub64"}
TWICE = {"a": {}, "b": {}}
CORON = {"exp_type": "nrc_coron", "filter": "f335m", "pupil": "maskrnd", "subarray": "sub320a335r"}
LYOT = {"exp_type": "mir_lyot", "filter": "f2300c", "subarray": "masklyot"}
AMI = {"exp_type": "nis_ami", "filter": "f480m", "pupil": "nrm", "subarray": "sub80"}
SOSS = {
    "exp_type": "nis_soss", "filter": "clear", "pupil": "gr700xd", "subarray": "substrip256",
    "tsovisit": "t", "nints": "20",
}  # fmt: skip
GRISM = {"exp_type": "nrc_tsgrism", "filter": "f444w", "pupil": "grismr", "subarray": "subgrism64"}
BRIGHT = {
    "exp_type": "nrs_brightobj", "grating": "prism", "filter": "clear", "fxd_slit": "s1600a1",
    "subarray": "sub512",
}  # fmt: skip
CORON_MADE = "c1001_t001_nircam_f335m-maskrnd-sub320a335r"
SOSS_MADE = "o001_t001_niriss_clear-gr700xd-substrip256"

TABLE = {
    "Asn_Lv3NRCCoron": (
        CORON | PAIR,
        (
            Case(
                "with the reference star, which is another target",
                {"a": {}, "b": {}, "p": STAR},
                (f"{CORON_MADE}: science a_calints, b_calints; psf p_calints",),
            ),
            Case("not without PSF reference", TWICE),
            Case(
                "not with one of another setting",
                {
                    "a": {},
                    "p": STAR | {"filter": "f444w"},
                    "q": STAR | {"subarray": "full"},
                    "r": STAR | {"pupil": "maskbar"},
                    "s": STAR | {"exp_type": "nrc_image"},
                },
            ),
            Case("not with one beyond the candidate", {"a": {}, "p": STAR | {"also": ""}}),
            Case("no reference alone", {"p": STAR}),
            Case("no background target", {"a": {"bkgdtarg": "t"}, "p": STAR}),
            Case(
                "not beside the mask",
                {
                    "a": {"subarray": "full", "detector": "nrca1"},
                    "p": STAR | {"subarray": "full", "detector": "nrca1"},
                },
            ),
            Case("no MIRI", {"a": LYOT, "p": LYOT | STAR}),
        ),
    ),
    "Asn_Lv3MIRCoron": (
        LYOT | PAIR,
        (
            Case(
                "with the reference star",
                {"a": {}, "p": STAR},
                ("c1001_t001_miri_f2300c-masklyot: science a_calints; psf p_calints",),
            ),
            Case(
                "with the acquisitions of both observations",
                {
                    "a": {},
                    "p": STAR,
                    "t": ACQUISITION | PAIR,
                    "u": ACQUISITION | {"obs_num": "2"} | PAIR,
                    "v": ACQUISITION | {"obs_num": "3"} | PAIR,
                },
                (
                    "c1001_t001_miri_f2300c-masklyot: science a_calints; psf p_calints; "
                    "target_acquisition t_cal, u_cal",
                ),
            ),
            Case(
                "each target with the same star",
                {"a": {}, "b": {"targetid": "3"}, "p": STAR},
                (
                    "c1001_t001_miri_f2300c-masklyot: science a_calints; psf p_calints",
                    "c1001_t003_miri_f2300c-masklyot: science b_calints; psf p_calints",
                ),
            ),
            Case("not without PSF reference", {"a": {}}),
            Case(
                "not with another coronagraph",
                {
                    "a": {},
                    "p": STAR
                    | {"exp_type": "mir_4qpm", "filter": "f1065c", "subarray": "mask1065"},
                },
            ),
            Case("no background target", {"a": {"bkgdtarg": "t"}, "p": STAR}),
            Case(
                "a quadrant phase mask",
                {
                    "a": {"exp_type": "mir_4qpm", "filter": "f1065c", "subarray": "mask1065"},
                    "p": {"exp_type": "mir_4qpm", "filter": "f1065c", "subarray": "mask1065"}
                    | STAR,
                },
                ("c1001_t001_miri_f1065c-mask1065: science a_calints; psf p_calints",),
            ),
        ),
    ),
    "Asn_Lv3AMI": (
        AMI | PAIR,
        (
            Case(
                "with the reference star",
                {"a": {}, "p": STAR},
                ("c1001_t001_niriss_f480m-nrm-sub80: science a_calints; psf p_calints",),
            ),
            Case(
                "with a background, whatever its target",
                {"a": {}, "p": STAR, "b": {"obs_num": "3", "targetid": "3", "bkgdtarg": "t"}},
                (
                    "c1001_t001_niriss_f480m-nrm-sub80: science a_calints; psf p_calints; "
                    "background b_calints",
                ),
            ),
            Case("not without PSF reference", {"a": {}}),
            Case("not with one of another filter", {"a": {}, "p": STAR | {"filter": "f380m"}}),
            Case("no image through the whole pupil", {"a": {"exp_type": "nis_image"}, "p": STAR}),
            Case("no coronagraphy", {"a": LYOT, "p": LYOT | STAR}),
        ),
    ),
    "Asn_Lv3TSO": (
        SOSS,
        (
            Case(
                "NIRISS",
                TWICE,
                (f"{SOSS_MADE}: science a_calints, b_calints",),
            ),
            Case("a single integration is none", {"a": {"nints": "1"}}),
            Case("no flux calibration", {"a": {"filter": "f277w"}, "b": {"filter": "null"}}),
            Case(
                "any image of the visit",
                {
                    "a": {
                        "exp_type": "mir_image",
                        "filter": "f560w",
                        "pupil": "null",
                        "subarray": "sub64",
                    }
                },
                ("o001_t001_miri_f560w-sub64: science a_calints",),
            ),
            Case(
                "NIRCam grism by type",
                {"a": GRISM | {"tsovisit": "f"}},
                ("o001_t001_nircam_f444w-grismr-subgrism64: science a_calints",),
            ),
            Case(
                "NIRCam without spectrum, and its engineering settings",
                {
                    "a": GRISM | {"pupil": "clear"},
                    "b": GRISM | {"pupil": "gdhs0"},
                    "c": GRISM | {"pupil": "gdhs60"},
                    "d": GRISM | {"detector": "nrcblong"},
                    "e": GRISM | {"subarray": "sub41stripe1_dhs"},
                    "f": GRISM | {"subarray": "sub260stripe4_dhs"},
                    "g": GRISM | {"subarray": "sub82stripe2_dhs"},
                    "h": GRISM | {"subarray": "sub164stripe4_dhs"},
                },
            ),
            Case(
                "NIRSpec",
                {"a": BRIGHT | {"pupil": "null"}},
                ("o001_t001_nirspec_clear-prism-s1600a1-sub512: science a_calints",),
            ),
            Case(
                "NIRSpec on a dark detector", {"a": BRIGHT | {"detector": "nrs2", "pupil": "null"}}
            ),
            Case("not with an IFU", {"a": {"exp_type": "mir_mrs"}, "b": {"exp_type": "nrs_ifu"}}),
            Case(
                "not over observations",
                {"a": GROUP, "b": {"obs_num": "2"} | GROUP},
                (
                    f"{SOSS_MADE}: science a_calints",
                    "o002_t001_niriss_clear-gr700xd-substrip256: science b_calints",
                ),
            ),
            Case(
                "with PSF and background of the observation",
                {"a": {}, "p": {"is_psf": "t"}, "b": {"bkgdtarg": "t", "targetid": "2"}},
                (f"{SOSS_MADE}: science a_calints; psf p_calints; background b_x1dints",),
            ),
            Case(
                "acquisitions are members, not by integration",
                {"a": {}, "t": {"exp_type": "nis_tacq"}},
                (f"{SOSS_MADE}: science a_calints; target_acquisition t_cal",),
            ),
            Case("no other visit", {"a": {"tsovisit": "f"}}),
            Case(
                "what holds for one mode does not for another",
                {
                    "a": {
                        "exp_type": "mir_image",
                        "filter": "f277w",
                        "pupil": "clear",
                        "subarray": "sub64",
                        "nints": "1",
                    },
                    "b": {
                        "exp_type": "nrc_tsimage",
                        "filter": "f277w",
                        "pupil": "clear",
                        "subarray": "sub64",
                        "detector": "nrcblong",
                        "nints": "1",
                    },
                },
                (
                    "o001_t001_miri_clear-f277w-sub64: science a_calints",
                    "o001_t001_nircam_clear-f277w-sub64: science b_calints",
                ),
            ),
        ),
    ),
}


@pytest.mark.parametrize(("rule", "base", "case"), cases_of(TABLE), ids=name_of)
def test_rule(rule, base, case):
    assert texts(rule, base, case.exposures) == sorted(case.made)
