"""The rules of level 2 for nods, which are the background of one another."""

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
            Case(
                "PSF references and background targets are background all the same",
                {"a": {}, "b": THIRD | {"bkgdtarg": "t"}, "p": SECOND | {"is_psf": "t"}},
                (
                    "science a_rate; background b_rate, p_rate",
                    "science p_rate; background a_rate, b_rate",
                ),
            ),
            Case("no other nodded spectrum", {"a": {"exp_type": "nis_soss"}}),
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
            Case(
                "with an acquisition through the slit, and its leakage calibration",
                {
                    "a": {},
                    "t": {"pntgtype": "target_acquisition"},
                    "i": {"is_imprt": "t", "subpxpts": "2"},
                },
                ("science a_rate; imprint i_rate; target_acquisition t_rate",),
            ),
            Case(
                "nods of other patterns stay away",
                {
                    "a": {},
                    "b": SECOND | {"numdthpt": "2"},
                    "c": SECOND | {"subpxpts": "3"},
                },
                ("science a_rate", "science b_rate", "science c_rate"),
            ),
            Case("no bright object", {"a": {"exp_type": "nrs_brightobj"}}),
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
            Case(
                "with an acquisition through the shutters",
                {"a": {}, "t": {"pntgtype": "target_acquisition"}},
                ("science a_rate; target_acquisition t_rate",),
            ),
            Case("no fixed slit", {"a": {"exp_type": "nrs_fixedslit"}}),
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
            Case(
                "with background and acquisition",
                {
                    "a": BACKGROUND,
                    "b": OTHER_TARGET,
                    "t": {"pntgtype": "target_acquisition"} | BACKGROUND,
                },
                ("science a_rate; background b_rate; target_acquisition t_rate",),
            ),
            Case(
                "as many leakage calibrations as nods serve all of them",
                {
                    "a": {"dithptin": "1"},
                    "b": SECOND | {"dithptin": "2"},
                    "i": {"dithptin": "1", "is_imprt": "t"},
                    "j": {"dithptin": "2", "is_imprt": "t"},
                },
                (
                    "science a_rate; background b_rate; imprint i_rate, j_rate",
                    "science b_rate; background a_rate; imprint i_rate, j_rate",
                ),
            ),
            Case(
                "never one at the same position, nor of another target of the candidate",
                {
                    "a": BACKGROUND,
                    "b": {},
                    "c": BACKGROUND | SECOND | {"obs_num": "3", "targetid": "3"},
                    "d": OTHER_TARGET,
                },
                (
                    "science a_rate; background d_rate",
                    "science b_rate",
                    "science c_rate; background d_rate",
                ),
            ),
            Case(
                "of more leakage calibrations than nods those of their positions",
                {
                    "a": {"dithptin": "1"},
                    "b": SECOND | {"dithptin": "2"},
                    "i": {"dithptin": "1", "is_imprt": "t"},
                    "j": {"dithptin": "2", "is_imprt": "t"},
                    "k": {"dithptin": "3", "is_imprt": "t"},
                },
                (
                    "science a_rate; background b_rate; imprint i_rate, j_rate",
                    "science b_rate; background a_rate; imprint i_rate, j_rate",
                ),
            ),
            Case(
                "those of the background come along, for its exposures",
                {"a": {}, "i": {"is_imprt": "t"}, "j": {"is_imprt": "t", "bkgdtarg": "t"}},
                ("science a_rate; imprint i_rate, j_rate",),
            ),
            Case("no other mode", {"a": {"exp_type": "nrs_fixedslit"}}),
        ),
    ),
}


@pytest.mark.parametrize(("rule", "base", "case"), cases_of(TABLE), ids=name_of)
def test_rule(rule, base, case):
    assert texts(rule, base, case.exposures) == sorted(case.made)
