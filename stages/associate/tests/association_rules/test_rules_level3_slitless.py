"""Every rule of level 3 for slitless spectra through grism or prism."""

import pytest

from .rows import Case, cases_of, name_of, texts

GROUP = {"also": "c1000 group"}
LRS = {"exp_type": "mir_lrs-fixedslit", "filter": "p750l"}
NRC = {"exp_type": "nrc_wfss", "filter": "f444w", "pupil": "grismr"}
NIS = {"exp_type": "nis_wfss", "filter": "gr150r", "pupil": "f200w"}
MIR = {"exp_type": "mir_wfss", "filter": "p750l"}

TABLE = {
    "Asn_Lv3WFSSNRC": (
        NRC,
        (
            Case(
                "both modules",
                {"a": {}, "b": {"detector": "nrcblong"}},
                ("o001_t001_nircam_f444w-grismr: science a_cal, b_cal",),
            ),
            Case(
                "by grism and filter",
                {"a": {}, "b": {"pupil": "grismc"}, "c": {"filter": "f356w"}},
                (
                    "o001_t001_nircam_f444w-grismr: science a_cal",
                    "o001_t001_nircam_f444w-grismc: science b_cal",
                    "o001_t001_nircam_f356w-grismr: science c_cal",
                ),
            ),
            Case(
                "with a background",
                {"a": {}, "b": {"bkgdtarg": "t", "targetid": "2"}},
                ("o001_t001_nircam_f444w-grismr: science a_cal; background b_x1d",),
            ),
            Case("not without grism", {"a": {"pupil": "clear"}}),
            Case("no image", {"a": {"exp_type": "nrc_image"}}),
            Case(
                "no subarray in the name",
                {"a": {"subarray": "sub64"}},
                ("o001_t001_nircam_f444w-grismr: science a_cal",),
            ),
        ),
    ),
    "Asn_Lv3WFSSNIS": (
        NIS,
        (
            Case(
                "a group of observations and each",
                {"a": GROUP, "b": {"obs_num": "2"} | GROUP},
                (
                    "c1000_t001_niriss_f200w-gr150r: science a_cal, b_cal",
                    "o001_t001_niriss_f200w-gr150r: science a_cal",
                    "o002_t001_niriss_f200w-gr150r: science b_cal",
                ),
            ),
            Case(
                "by grism and filter",
                {"a": {}, "b": {"filter": "gr150c"}, "c": {"pupil": "f150w"}},
                (
                    "o001_t001_niriss_f200w-gr150r: science a_cal",
                    "o001_t001_niriss_f200w-gr150c: science b_cal",
                    "o001_t001_niriss_f150w-gr150r: science c_cal",
                ),
            ),
            Case("not without grism", {"a": {"filter": "clear"}}),
            Case("not without filter", {"a": {"pupil": "null"}}),
            Case("no other mode", {"a": {"exp_type": "nis_image"}}),
            Case(
                "no subarray in the name",
                {"a": {"subarray": "sub64"}},
                ("o001_t001_niriss_f200w-gr150r: science a_cal",),
            ),
        ),
    ),
    "Asn_Lv3WFSSMIR": (
        MIR,
        (
            Case(
                "of one target",
                {"a": {}, "b": {}, "c": {"targetid": "2"}},
                (
                    "o001_t001_miri_p750l: science a_cal, b_cal",
                    "o001_t002_miri_p750l: science c_cal",
                ),
            ),
            Case("not without prism", {"a": {"filter": "f560w"}}),
            Case("no leakage calibration", {"a": {"is_imprt": "t"}}),
            Case("no other mode", {"a": LRS}),
            Case(
                "no subarray in the name",
                {"a": {"subarray": "sub64"}},
                ("o001_t001_miri_p750l: science a_cal",),
            ),
        ),
    ),
}


@pytest.mark.parametrize(("rule", "base", "case"), cases_of(TABLE), ids=name_of)
def test_rule(rule, base, case):
    assert texts(rule, base, case.exposures) == sorted(case.made)
