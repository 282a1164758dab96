"""The rules of level 2 for slitless spectra, which need the sources of a direct image."""

import pytest

from .rows import Case, cases_of, name_of, texts

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


def with_catalog(science, product, others=""):
    return (
        f"science {science}_rate{others}; direct_image {product}_i2d; sourcecat {product}_cat; "
        f"segmap {product}_segm"
    )


TABLE = {
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
            Case(
                "with backgrounds, spectra or images",
                {
                    "a": {},
                    "d": NIS_DIRECT,
                    "b": {"bkgdtarg": "t"},
                    "c": NIS_DIRECT | {"bkgdtarg": "t"},
                },
                (with_catalog("a", NIS_MADE, "; background b_rate, c_rate"),),
            ),
            Case("no background alone", {"b": {"bkgdtarg": "t"}, "d": NIS_DIRECT}),
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
            Case(
                "with backgrounds, spectra or images",
                {
                    "a": {},
                    "d": NRC_DIRECT | {"filter": "f444w"},
                    "b": {"bkgdtarg": "t"},
                    "c": NRC_DIRECT | {"filter": "f444w"} | {"bkgdtarg": "t"},
                },
                (with_catalog("a", NRC_MADE, "; background b_rate, c_rate"),),
            ),
            Case(
                "no background alone",
                {"b": {"bkgdtarg": "t"}, "d": NRC_DIRECT | {"filter": "f444w"}},
            ),
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
            Case(
                "with backgrounds, spectra or images",
                {
                    "a": {},
                    "d": MIR_DIRECT,
                    "b": {"bkgdtarg": "t"},
                    "c": MIR_DIRECT | {"bkgdtarg": "t"},
                },
                (with_catalog("a", MIR_MADE, "; background b_rate, c_rate"),),
            ),
            Case("no background alone", {"b": {"bkgdtarg": "t"}, "d": MIR_DIRECT}),
            Case("no other instrument", {"a": NIS, "d": NIS_DIRECT | {"pupil": "f200w"}}),
            Case(
                "not with one of another detector",
                {"a": {}, "d": MIR_DIRECT | {"detector": "mirifulong"}},
            ),
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
            Case(
                "MIRI",
                {"a": MIR | PARALLEL, "d": MIR_DIRECT | PARALLEL},
                (with_catalog("a", "jw01345-c1000_t000_miri_f560w"),),
            ),
            Case(
                "with a background",
                {"a": PARALLEL, "d": NIS_DIRECT | PARALLEL, "b": {"bkgdtarg": "t"} | PARALLEL},
                (
                    with_catalog(
                        "a", "jw01345-c1000_t000_niriss_clear-f200w", "; background b_rate"
                    ),
                ),
            ),
        ),
    ),
}


@pytest.mark.parametrize(("rule", "base", "case"), cases_of(TABLE), ids=name_of)
def test_rule(rule, base, case):
    assert texts(rule, base, case.exposures) == sorted(case.made)
