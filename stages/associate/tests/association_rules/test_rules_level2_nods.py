"""The rules of level 2 for nods and slitless spectra, whose members serve one another."""

import pytest

from .rows import Case, cases_of, name_of, texts

BACKGROUND = {"also": "c1000 background"}
OTHER_TARGET = {"obs_num": "2", "targetid": "2", "bkgdtarg": "t"} | BACKGROUND
LRS = {
    "exp_type": "mir_lrs-fixedslit",
    "filter": "p750l",
    "patttype": "along-slit-nod",
    "patt_num": "1",
}
SECOND = {"patt_num": "2"}
THIRD = {"patt_num": "3"}
CONFIRM = {"exp_type": "mir_taconfirm", "filter": "f560w", "patttype": "null"}
SLIT = {
    "exp_type": "nrs_fixedslit", "grating": "g235h", "filter": "f170lp", "fxd_slit": "s200a1",
    "expspcin": "1", "numdthpt": "3", "subpxpts": "1", "patt_num": "1",
}  # fmt: skip
MSA = {
    "exp_type": "nrs_msaspec", "grating": "prism", "filter": "clear", "msametfl": "a_msa.fits",
    "expspcin": "1", "numdthpt": "3", "subpxpts": "1", "patt_num": "1",
}  # fmt: skip
IFU = {
    "exp_type": "nrs_ifu", "grating": "g235h", "filter": "f170lp", "mostilno": "1",
    "patttype": "4-point-nod", "patt_num": "1",
}  # fmt: skip
NIS = {"exp_type": "nis_wfss", "filter": "gr150r", "pupil": "f200w", "expspcin": "2"}
NIS_DIRECT = {"exp_type": "nis_image", "filter": "clear"}
NIS_MADE = "jw01345-o001_t001_niriss_clear-f200w"
NRC = {"exp_type": "nrc_wfss", "filter": "f444w", "pupil": "grismr", "expspcin": "1"}
NRC_DIRECT = {"exp_type": "nrc_image", "pupil": "clear", "expspcin": "2"}
NRC_MADE = "jw01345-o001_t001_nircam_clear-f444w"
MIR = {"exp_type": "mir_wfss", "filter": "p750l", "expspcin": "1"}
MIR_DIRECT = {"exp_type": "mir_image", "filter": "f560w", "expspcin": "2"}
MIR_MADE = "jw01345-o001_t001_miri_f560w"
PARALLEL = {"also": "c1000 direct_image"}


def with_catalog(science, product):
    return (
        f"science {science}_rate; direct_image {product}_i2d; sourcecat {product}_cat; "
        f"segmap {product}_segm"
    )


TABLE = {
    "Asn_Lv2MIRLRSFixedSlitNod": (
        LRS,
        (
            Case(
                "each nod is the other's background",
                {"a": {}, "b": SECOND},
                ("science a_rate; background b_rate", "science b_rate; background a_rate"),
            ),
            Case(
                "more than two positions, and several exposures at one",
                {"a": {}, "b": SECOND, "c": THIRD, "d": {}},
                (
                    "science a_rate; background b_rate, c_rate",
                    "science b_rate; background a_rate, c_rate, d_rate",
                    "science c_rate; background a_rate, b_rate, d_rate",
                    "science d_rate; background b_rate, c_rate",
                ),
            ),
            Case(
                "position 10 is not position 1",
                {"a": {}, "b": {"patt_num": "10"}},
                ("science a_rate; background b_rate", "science b_rate; background a_rate"),
            ),
            Case(
                "with the image that confirms the target",
                {"a": {}, "b": SECOND, "t": CONFIRM},
                (
                    "science a_rate; background b_rate; target_acquisition t_rate",
                    "science b_rate; background a_rate; target_acquisition t_rate",
                ),
            ),
            Case(
                "a single position has no background",
                {"a": {}, "b": {}},
                ("science a_rate", "science b_rate"),
            ),
            Case(
                "not by background candidate",
                {"a": BACKGROUND, "b": OTHER_TARGET},
                ("science a_rate",),
            ),
            Case("no other pattern", {"a": {"patttype": "mapping"}, "b": {"patttype": "null"}}),
            Case("not without the position's number", {"a": {"patt_num": "null"}}),
        ),
    ),
    "Asn_Lv2NRSFSS": (
        SLIT,
        (
            Case(
                "the other nods are background",
                {"a": {}, "b": SECOND, "c": THIRD},
                (
                    "science a_rate; background b_rate, c_rate",
                    "science b_rate; background a_rate, c_rate",
                    "science c_rate; background a_rate, b_rate",
                ),
            ),
            Case(
                "sub-pixel steps stay at their nod",
                {
                    "a": {"subpxpts": "2", "numdthpt": "4"},
                    "b": {"subpxpts": "2", "numdthpt": "4"} | SECOND,
                    "c": {"subpxpts": "2", "numdthpt": "4"} | THIRD,
                },
                (
                    "science a_rate; background c_rate",
                    "science b_rate; background c_rate",
                    "science c_rate; background a_rate, b_rate",
                ),
            ),
            Case(
                "other slits, detectors, gratings and specifications stay away",
                {
                    "a": {},
                    "b": SECOND | {"fxd_slit": "s200a2"},
                    "c": SECOND | {"detector": "nrs2"},
                    "d": SECOND | {"grating": "g395h", "filter": "f290lp"},
                    "e": SECOND | {"expspcin": "2"},
                    "f": SECOND | {"subarray": "sub2048"},
                },
                tuple(f"science {name}_rate" for name in "abcdef"),
            ),
            Case(
                "with the backgrounds of the candidate, of any pattern",
                {
                    "a": BACKGROUND,
                    "b": BACKGROUND | SECOND,
                    "g": OTHER_TARGET | {"expspcin": "4", "numdthpt": "1", "patt_num": "null"},
                },
                (
                    "science a_rate; background b_rate, g_rate",
                    "science b_rate; background a_rate, g_rate",
                ),
            ),
            Case(
                "not on a dark detector",
                {
                    "a": {"grating": "g235m", "detector": "nrs2"},
                    "b": {"fxd_slit": "s200b1"},
                    "c": {"fxd_slit": "null"},
                },
            ),
            Case(
                "the B slit is on the other detector",
                {"a": {"fxd_slit": "s200b1", "detector": "nrs2"}},
                ("science a_rate",),
            ),
            Case(
                "no background alone, no calibration",
                {
                    "a": {"bkgdtarg": "t"},
                    "b": {"is_imprt": "t"},
                    "c": {"exp_type": "nrs_autowave"},
                },
            ),
            Case("not behind the shutter", {"a": {"filter": "opaque"}}),
        ),
    ),
    "Asn_Lv2NRSMSA": (
        MSA,
        (
            Case(
                "the other nods are background",
                {"a": {}, "b": SECOND},
                ("science a_rate; background b_rate", "science b_rate; background a_rate"),
            ),
            Case("the same nod is not", {"a": {}, "b": {}}, ("science a_rate", "science b_rate")),
            Case(
                "another target is not",
                {"a": {}, "b": SECOND | {"targetid": "2"}},
                ("science a_rate", "science b_rate"),
            ),
            Case(
                "other specifications are not",
                {"a": {}, "b": SECOND | {"expspcin": "2"}},
                ("science a_rate", "science b_rate"),
            ),
            Case(
                "with background and leakage calibration",
                {"a": BACKGROUND, "b": OTHER_TARGET, "i": BACKGROUND | {"is_imprt": "t"}},
                ("science a_rate; background b_rate; imprint i_rate",),
            ),
            Case("not without configuration of the shutters", {"a": {"msametfl": "null"}}),
            Case("no background alone", {"a": {"bkgdtarg": "t"}}),
        ),
    ),
    "Asn_Lv2NRSIFUNod": (
        IFU,
        (
            Case(
                "the other nods are background",
                {"a": {}, "b": SECOND, "c": THIRD},
                (
                    "science a_rate; background b_rate, c_rate",
                    "science b_rate; background a_rate, c_rate",
                    "science c_rate; background a_rate, b_rate",
                ),
            ),
            Case(
                "other tiles, patterns and detectors are not",
                {
                    "a": {},
                    "b": SECOND | {"mostilno": "2"},
                    "c": SECOND | {"patttype": "2-point-nod"},
                    "d": SECOND | {"detector": "nrs2"},
                },
                tuple(f"science {name}_rate" for name in "abcd"),
            ),
            Case(
                "one leakage calibration serves all nods",
                {"a": {}, "b": SECOND, "i": {"is_imprt": "t"}},
                (
                    "science a_rate; background b_rate; imprint i_rate",
                    "science b_rate; background a_rate; imprint i_rate",
                ),
            ),
            Case("no other pattern", {"a": {"patttype": "cycling"}, "b": {"patttype": "null"}}),
            Case("not on a dark detector", {"a": {"grating": "g235m", "detector": "nrs2"}}),
            Case("no background alone", {"a": {"bkgdtarg": "t"}}),
        ),
    ),
    "Asn_Lv2WFSSNIS": (
        NIS,
        (
            Case(
                "with what is made of its direct image",
                {"a": {}, "d": NIS_DIRECT | {"expspcin": "1"}},
                (with_catalog("a", NIS_MADE),),
            ),
            Case(
                "each spectrum",
                {"a": {}, "b": {"filter": "gr150c"}, "d": NIS_DIRECT | {"expspcin": "3"}},
                (with_catalog("a", NIS_MADE), with_catalog("b", NIS_MADE)),
            ),
            Case("not without direct image", {"a": {}}),
            Case(
                "not with one of another filter, target or subarray",
                {
                    "a": {},
                    "d": NIS_DIRECT | {"pupil": "f150w"},
                    "e": NIS_DIRECT | {"targetid": "2"},
                    "f": NIS_DIRECT | {"subarray": "sub64"},
                },
            ),
            Case("no images alone", {"d": NIS_DIRECT}),
            Case("no other instrument", {"a": NRC, "d": NRC_DIRECT | {"filter": "f444w"}}),
        ),
    ),
    "Asn_Lv2WFSSNRC": (
        NRC,
        (
            Case(
                "with what is made of the next direct image",
                {
                    "a": {},
                    "d": NRC_DIRECT | {"filter": "f356w", "expspcin": "1"},
                    "e": NRC_DIRECT | {"filter": "f444w"},
                    "f": NRC_DIRECT | {"filter": "f277w", "expspcin": "3"},
                },
                (with_catalog("a", NRC_MADE),),
            ),
            Case(
                "not with one of another detector",
                {"a": {}, "d": NRC_DIRECT | {"filter": "f200w", "detector": "nrca1"}},
            ),
            Case(
                "not with one of another target",
                {"a": {}, "d": NRC_DIRECT | {"filter": "f444w", "targetid": "2"}},
            ),
            Case("not without", {"a": {}}),
        ),
    ),
    "Asn_Lv2WFSSMIR": (
        MIR,
        (
            Case(
                "with what is made of its direct image",
                {"a": {}, "d": MIR_DIRECT},
                (with_catalog("a", MIR_MADE),),
            ),
            Case("not with one of another target", {"a": {}, "d": MIR_DIRECT | {"targetid": "2"}}),
            Case("not without", {"a": {}}),
        ),
    ),
    "Asn_Lv2WFSSParallel": (
        NIS,
        (
            Case(
                "with what is made of the direct image of another observation, of any target",
                {
                    "a": PARALLEL,
                    "d": NIS_DIRECT
                    | {"obs_num": "2", "targetid": "2", "pupil": "f150w"}
                    | PARALLEL,
                },
                (with_catalog("a", "jw01345-c1000_t000_niriss_clear-f150w"),),
            ),
            Case(
                "in NIRCam of the long-wave detector",
                {
                    "a": NRC | PARALLEL,
                    "d": NRC_DIRECT
                    | {"obs_num": "2", "filter": "f200w", "detector": "nrca1"}
                    | PARALLEL,
                    "e": NRC_DIRECT | {"obs_num": "2", "filter": "f444w"} | PARALLEL,
                },
                (with_catalog("a", "jw01345-c1000_t000_nircam_clear-f444w"),),
            ),
            Case("not by observation", {"a": {}, "d": NIS_DIRECT}),
            Case(
                "not of another instrument",
                {"a": PARALLEL, "d": NRC_DIRECT | {"filter": "f444w"} | PARALLEL},
            ),
            Case("not without", {"a": PARALLEL, "b": PARALLEL | {"obs_num": "2"}}),
        ),
    ),
}


@pytest.mark.parametrize(("rule", "base", "case"), cases_of(TABLE), ids=name_of)
def test_rule(rule, base, case):
    assert texts(rule, base, case.exposures) == sorted(case.made)
