"""Every rule of level 3 for images."""

import pytest

from .rows import Case, cases_of, name_of, texts

MOSAIC = {"also": "c1000 mosaic"}
GROUP = {"also": "c1000 group"}
PAIR = {"also": "c1001 coronagraphy"}
STAR = {"obs_num": "2", "targetid": "2", "is_psf": "t"} | PAIR
ACQUISITION = {"exp_type": "mir_tacq", "filter": "fnd", "subarray": "sub64"}
TWICE = {"a": {}, "b": {}}
WFS = {
    "exp_type": "nrc_image", "filter": "f212n", "pupil": "clear", "detector": "nrca3",
    "patttype": "wfsc", "visitype": "prime_wfsc_sensing_control", "act_id": "1",
    "obs_id": "v01345001001p0000000001101",
}  # fmt: skip
CORON = {"exp_type": "nrc_coron", "filter": "f335m", "pupil": "maskrnd", "subarray": "sub320a335r"}
LYOT = {"exp_type": "mir_lyot", "filter": "f2300c", "subarray": "masklyot"}

TABLE = {
    "Asn_Lv3Image": (
        {"exp_type": "mir_image", "filter": "f560w"},
        (
            Case(
                "the images of an observation",
                TWICE,
                ("o001_t001_miri_f560w: science a_cal, b_cal",),
            ),
            Case(
                "by filter, subarray and target",
                {
                    "a": {},
                    "b": {"filter": "f770w"},
                    "c": {"subarray": "sub64"},
                    "d": {"targetid": "12"},
                },
                (
                    "o001_t001_miri_f560w: science a_cal",
                    "o001_t001_miri_f770w: science b_cal",
                    "o001_t001_miri_f560w-sub64: science c_cal",
                    "o001_t012_miri_f560w: science d_cal",
                ),
            ),
            Case(
                "of all detectors",
                {
                    "a": {
                        "exp_type": "nrc_image",
                        "filter": "f200w",
                        "pupil": "clear",
                        "detector": "nrca1",
                    },
                    "b": {
                        "exp_type": "nrc_image",
                        "filter": "f200w",
                        "pupil": "clear",
                        "detector": "nrcb4",
                    },
                },
                ("o001_t001_nircam_clear-f200w: science a_cal, b_cal",),
            ),
            Case(
                "not of several instruments",
                {"a": {}, "b": {"exp_type": "fgs_image", "filter": "null"}},
                ("o001_t001_miri_f560w: science a_cal", "o001_t001_fgs_clear: science b_cal"),
            ),
            Case(
                "with PSF references of the target",
                {"a": {}, "p": {"is_psf": "t"}, "q": STAR},
                ("o001_t001_miri_f560w: science a_cal; psf p_cal",),
            ),
            Case(
                "with the acquisitions of its observation",
                {
                    "a": {},
                    "t": ACQUISITION,
                    "u": ACQUISITION | {"obs_num": "2"},
                    "v": {"exp_type": "nis_tacq"},
                },
                ("o001_t001_miri_f560w: science a_cal; target_acquisition t_cal",),
            ),
            Case(
                "a group needs several observations",
                {"a": GROUP},
                ("o001_t001_miri_f560w: science a_cal",),
            ),
            Case(
                "an acquisition does not make it several",
                {"a": GROUP, "t": ACQUISITION | {"obs_num": "2"} | GROUP},
                ("o001_t001_miri_f560w: science a_cal",),
            ),
            Case(
                "of a group and of each observation",
                {"a": GROUP, "b": {"obs_num": "2"} | GROUP},
                (
                    "c1000_t001_miri_f560w: science a_cal, b_cal",
                    "o001_t001_miri_f560w: science a_cal",
                    "o002_t001_miri_f560w: science b_cal",
                ),
            ),
            Case("no time series", {"a": {"tsovisit": "t"}}),
            Case("no wavefront sensing", {"a": {"visitype": "prime_wfsc_routine"}}),
            Case("no background target", {"a": {"bkgdtarg": "t"}}),
            Case("no leakage calibration", {"a": {"is_imprt": "t"}}),
            Case("no acquisition", {"a": {"pntgtype": "target_acquisition"}}),
            Case("no coronagraphy", {"a": LYOT}),
            Case(
                "not without target or subarray",
                {"a": {"targetid": "null"}, "b": {"subarray": "null"}},
            ),
        ),
    ),
    "Asn_Lv3ImageMosaic": (
        {"exp_type": "mir_image", "filter": "f560w"} | MOSAIC,
        (
            Case(
                "of all targets by filter",
                {
                    "a": {},
                    "b": {"obs_num": "2", "targetid": "2"},
                    "c": {"obs_num": "3", "filter": "f770w"},
                },
                ("c1000_t000_miri_f560w: science a_cal, b_cal",),
            ),
            Case("not of one observation", TWICE),
            Case("not by observation or group", {"a": GROUP, "b": {"obs_num": "2"} | GROUP}),
            Case(
                "no time series, wavefront sensing or background",
                {
                    "a": {},
                    "b": {"obs_num": "2", "tsovisit": "t"},
                    "c": {"obs_num": "3", "visitype": "prime_wfsc_routine"},
                    "d": {"obs_num": "4", "bkgdtarg": "t"},
                },
            ),
            Case(
                "with PSF references",
                {"a": {}, "b": {"obs_num": "2", "is_psf": "t"}},
                ("c1000_t000_miri_f560w: science a_cal; psf b_cal",),
            ),
            Case("no coronagraphy", {"a": LYOT, "b": {"obs_num": "2"} | LYOT}),
        ),
    ),
    "Asn_Lv3ImageBackground": (
        {"exp_type": "mir_image", "filter": "f560w", "bkgdtarg": "t"},
        (
            Case("a background target", TWICE, ("o001_t001_miri_f560w: science a_cal, b_cal",)),
            Case(
                "its PSF references are science of it",
                {"a": {"is_psf": "t"}},
                ("o001_t001_miri_f560w: science a_cal",),
            ),
            Case(
                "by filter",
                {"a": {}, "b": {"filter": "f770w"}},
                ("o001_t001_miri_f560w: science a_cal", "o001_t001_miri_f770w: science b_cal"),
            ),
            Case("no science target", {"a": {"bkgdtarg": "f"}}),
            Case(
                "no time series or wavefront sensing",
                {"a": {"tsovisit": "t"}, "b": {"visitype": "prime_wfsc_routine"}},
            ),
            Case("no leakage calibration", {"a": {"is_imprt": "t"}}),
            Case("no coronagraphy", {"a": LYOT}),
        ),
    ),
    "Asn_Lv3NRCCoronImage": (
        CORON | {"filter": "f210m", "subarray": "full", "detector": "nrca2"},
        (
            Case(
                "as plain images",
                {"a": {}, "b": {"detector": "nrca4"}},
                ("o001_t001_nircam_f210m-maskrnd-image3: science a_cal, b_cal",),
            ),
            Case(
                "no PSF reference or background target",
                {"a": {"is_psf": "t"}, "b": {"bkgdtarg": "t"}},
            ),
            Case("not the long wave", {"a": {"detector": "nrcalong"}}),
            Case("no subarray", {"a": {"subarray": "sub640a210r"}}),
            Case("no other image", {"a": {"exp_type": "nrc_image"}}),
        ),
    ),
    "Asn_Lv3WFSCMB": (
        WFS,
        (
            Case(
                "a pair",
                TWICE,
                ("o001_t001_nircam_clear-f212n-nrca3_{suffix}-01: science a_cal, b_cal",),
            ),
            Case(
                "by detector and activity",
                {
                    "a": {},
                    "b": {},
                    "c": {"detector": "nrcb4"},
                    "d": {"detector": "nrcb4"},
                    "e": {"act_id": "2"},
                    "f": {"act_id": "2"},
                },
                (
                    "o001_t001_nircam_clear-f212n-nrca3_{suffix}-01: science a_cal, b_cal",
                    "o001_t001_nircam_clear-f212n-nrcb4_{suffix}-01: science c_cal, d_cal",
                    "o001_t001_nircam_clear-f212n-nrca3_{suffix}-02: science e_cal, f_cal",
                ),
            ),
            Case("no single exposure", {"a": {}, "b": {"detector": "nrcb4"}}),
            Case("not over visits", {"a": {}, "b": {"obs_id": "v01345001002p0000000001101"}}),
            Case(
                "each visit, though both pairs have one name",
                {
                    "a": {},
                    "b": {},
                    "c": {"obs_id": "v01345001002p0000000001101"},
                    "d": {"obs_id": "v01345001002p0000000001101"},
                },
                (
                    "o001_t001_nircam_clear-f212n-nrca3_{suffix}-01: science a_cal, b_cal",
                    "o001_t001_nircam_clear-f212n-nrca3_{suffix}-01: science c_cal, d_cal",
                ),
            ),
            Case(
                "no jitter",
                {"a": {"dms_note": "wfsc_los_jitter"}, "b": {"dms_note": "wfsc_los_jitter"}},
            ),
            Case("no other dither", {"a": {"patttype": "null"}, "b": {"patttype": "null"}}),
            Case(
                "not again for a group",
                {"a": GROUP, "b": GROUP, "c": {"obs_num": "2"} | GROUP},
                ("o001_t001_nircam_clear-f212n-nrca3_{suffix}-01: science a_cal, b_cal",),
            ),
            Case("no coronagraphy", {"a": CORON, "b": CORON}),
            Case(
                "with a PSF reference",
                {"a": {}, "b": {}, "p": {"is_psf": "t"}},
                (
                    "o001_t001_nircam_clear-f212n-nrca3_{suffix}-01: "
                    "science a_cal, b_cal; psf p_cal",
                ),
            ),
        ),
    ),
}


@pytest.mark.parametrize(("rule", "base", "case"), cases_of(TABLE), ids=name_of)
def test_rule(rule, base, case):
    assert texts(rule, base, case.exposures) == sorted(case.made)
