"""Every rule of level 3 for spectra."""

import pytest

from .rows import Case, cases_of, name_of, texts

BACKGROUND = {"also": "c1000 background"}
OTHER_TARGET = {"obs_num": "2", "targetid": "2", "bkgdtarg": "t"} | BACKGROUND
TWICE = {"a": {}, "b": {}}
LRS = {"exp_type": "mir_lrs-fixedslit", "filter": "p750l"}
SOSS = {"exp_type": "nis_soss", "filter": "clear", "pupil": "gr700xd", "subarray": "substrip96"}
MSA = {"exp_type": "nrs_msaspec", "grating": "g395m", "filter": "f290lp", "msametfl": "a_msa.fits"}
SLIT = {
    "exp_type": "nrs_fixedslit", "grating": "g235h", "filter": "f170lp", "fxd_slit": "s200a1",
    "subarray": "subs200a1",
}  # fmt: skip
IFU = {"exp_type": "nrs_ifu", "grating": "g235h", "filter": "f170lp", "patttype": "cycling"}
MRS = {"exp_type": "mir_mrs", "band": "short", "detector": "mirifushort"}
MSA_MADE = "o001_{source_id}_nirspec_f290lp-g395m"
SLIT_MADE = "o001_t001-{source_id}_nirspec_f170lp-g235h-{slit_name}-subs200a1"

TABLE = {
    "Asn_Lv3SpectralTarget": (
        LRS | {"patttype": "along-slit-nod"},
        (
            Case(
                "what is extracted of each nod is background of the others",
                TWICE,
                ("o001_t001_miri_p750l: science a_cal, b_cal; background a_x1d, b_x1d",),
            ),
            Case("a single nod has none", {"a": {}}, ("o001_t001_miri_p750l: science a_cal",)),
            Case(
                "with a background target",
                {"a": BACKGROUND, "b": OTHER_TARGET},
                (
                    "c1000_t001_miri_p750l: science a_cal; background b_x1d",
                    "o001_t001_miri_p750l: science a_cal",
                ),
            ),
            Case(
                "by pattern and subarray",
                {"a": {}, "b": {"patttype": "2-point-nod"}, "c": {"subarray": "slitless"}},
                (
                    "o001_t001_miri_p750l: science a_cal",
                    "o001_t001_miri_p750l: science b_cal",
                    "o001_t001_miri_p750l-slitless: science c_cal",
                ),
            ),
            Case("no other pattern", {"a": {"patttype": "mapping"}, "b": {"patttype": "null"}}),
            Case("no time series", {"a": {"tsovisit": "t"}}),
            Case("no background target alone", {"a": {"bkgdtarg": "t"}}),
            Case(
                "NIRISS",
                {"a": SOSS | {"subarray": "full"}},
                ("o001_t001_niriss_clear-gr700xd: science a_cal",),
            ),
            Case("no cube", {"a": MRS}),
        ),
    ),
    "Asn_Lv3SlitlessSpectral": (
        SOSS,
        (
            Case(
                "without pattern",
                TWICE,
                ("o001_t001_niriss_clear-gr700xd-substrip96: science a_cal, b_cal",),
            ),
            Case("not nodded", {"a": {"patttype": "2-point-nod"}}),
            Case("no time series", {"a": {"tsovisit": "t"}}),
            Case("no slit", {"a": LRS}),
            Case(
                "without pattern, as headers say it",
                {"a": {"patttype": "none"}},
                ("o001_t001_niriss_clear-gr700xd-substrip96: science a_cal",),
            ),
        ),
    ),
    "Asn_Lv3SpectralSource": (
        MSA,
        (
            Case(
                "of each source",
                TWICE,
                (f"{MSA_MADE}: science a_cal, b_cal",),
            ),
            Case(
                "with the lamps of its setting",
                {
                    "a": {},
                    "w": {"exp_type": "nrs_autowave", "msametfl": "null"},
                    "f": {"exp_type": "nrs_autoflat"},
                    "x": {"exp_type": "nrs_autowave", "grating": "prism"},
                },
                (f"{MSA_MADE}: science a_cal; autoflat f_rate; autowave w_rate",),
            ),
            Case(
                "with a background target of the same kind",
                {"a": BACKGROUND, "b": OTHER_TARGET},
                (
                    "c1000_{source_id}_nirspec_f290lp-g395m: science a_cal; background b_x1d",
                    f"{MSA_MADE}: science a_cal",
                ),
            ),
            Case(
                "both detectors",
                {"a": {}, "b": {"detector": "nrs2"}},
                (f"{MSA_MADE}: science a_cal, b_cal",),
            ),
            Case("not without configuration", {"a": {"msametfl": "null"}}),
            Case("no time series", {"a": {"tsovisit": "t"}}),
            Case("no lamp alone", {"w": {"exp_type": "nrs_autowave"}}),
            Case("no slit", {"a": SLIT}),
        ),
    ),
    "Asn_Lv3NRSFSS": (
        SLIT,
        (
            Case(
                "of each slit and source",
                TWICE,
                (f"{SLIT_MADE}: science a_cal, b_cal",),
            ),
            Case(
                "the A200 slits together, others apart",
                {"a": {}, "b": {"fxd_slit": "s200a2"}, "c": {"fxd_slit": "s400a1"}},
                (
                    f"{SLIT_MADE}: science a_cal, b_cal",
                    f"{SLIT_MADE}: science c_cal",
                ),
            ),
            Case(
                "with the lamps of its setting",
                {"a": {}, "w": {"exp_type": "nrs_autowave"}},
                (f"{SLIT_MADE}: science a_cal; autowave w_rate",),
            ),
            Case("not on a dark detector", {"a": {"grating": "g235m", "detector": "nrs2"}}),
            Case("no time series", {"a": {"tsovisit": "t"}}),
            Case("no background target alone", {"a": {"bkgdtarg": "t"}}),
            Case(
                "read all at once, the slits are one product",
                {
                    "a": {"subarray": "allslits"},
                    "b": {"subarray": "allslits", "fxd_slit": "s400a1"},
                },
                (f"{SLIT_MADE.replace('subs200a1', 'allslits')}: science a_cal, b_cal",),
            ),
            Case(
                "and the flat",
                {"a": {}, "f": {"exp_type": "nrs_autoflat"}},
                (f"{SLIT_MADE}: science a_cal; autoflat f_rate",),
            ),
            Case("no bright object", {"a": {"exp_type": "nrs_brightobj"}}),
        ),
    ),
    "Asn_Lv3NRSIFU": (
        IFU,
        (
            Case(
                "both detectors",
                {"a": {}, "b": {"detector": "nrs2"}},
                ("o001_t001_nirspec_g235h: science a_cal, b_cal",),
            ),
            Case(
                "by grating, not by filter",
                {
                    "a": {"grating": "g140h", "filter": "f070lp"},
                    "b": {"grating": "g140h", "filter": "f100lp"},
                    "c": {},
                },
                (
                    "o001_t001_nirspec_g140h: science a_cal, b_cal",
                    "o001_t001_nirspec_g235h: science c_cal",
                ),
            ),
            Case(
                "with the wavelength lamp, no leakage calibration",
                {"a": {}, "w": {"exp_type": "nrs_autowave"}, "i": {"is_imprt": "t"}},
                ("o001_t001_nirspec_g235h: science a_cal; autowave w_rate",),
            ),
            Case(
                "with a background target",
                {"a": BACKGROUND, "b": OTHER_TARGET},
                (
                    "c1000_t001_nirspec_g235h: science a_cal; background b_x1d",
                    "o001_t001_nirspec_g235h: science a_cal",
                ),
            ),
            Case("not on a dark detector", {"a": {"grating": "g235m", "detector": "nrs2"}}),
            Case("no time series", {"a": {"tsovisit": "t"}}),
            Case("not without grating", {"a": {"grating": "null"}}),
            Case(
                "by pattern",
                {"a": {}, "b": {"patttype": "4-point-dither"}},
                (
                    "o001_t001_nirspec_g235h: science a_cal",
                    "o001_t001_nirspec_g235h: science b_cal",
                ),
            ),
            Case("no slit", {"a": {"exp_type": "nrs_fixedslit"}}),
            Case(
                "no subarray in the name",
                {"a": {"subarray": "sub64"}},
                ("o001_t001_nirspec_g235h: science a_cal",),
            ),
        ),
    ),
    "Asn_Lv3MIRMRS": (
        MRS,
        (
            Case(
                "all bands and detectors",
                {"a": {}, "b": {"band": "long", "detector": "mirifulong"}},
                ("o001_t001_miri: science a_cal, b_cal",),
            ),
            Case(
                "by target",
                {"a": {}, "b": {"targetid": "2"}},
                ("o001_t001_miri: science a_cal", "o001_t002_miri: science b_cal"),
            ),
            Case(
                "with a background target",
                {"a": BACKGROUND, "b": OTHER_TARGET},
                (
                    "c1000_t001_miri: science a_cal; background b_x1d",
                    "o001_t001_miri: science a_cal",
                ),
            ),
            Case(
                "with PSF references of the target",
                {"a": {}, "p": {"is_psf": "t"}},
                ("o001_t001_miri: science a_cal; psf p_cal",),
            ),
            Case("no time series", {"a": {"tsovisit": "t"}}),
            Case(
                "no leakage calibration or background alone",
                {"a": {"is_imprt": "t"}, "b": {"bkgdtarg": "t"}},
            ),
            Case("no imaging beside it", {"a": {"exp_type": "mir_image", "filter": "f560w"}}),
        ),
    ),
    "Asn_Lv3NRSIFUBackground": (
        IFU | {"bkgdtarg": "t"},
        (
            Case(
                "by grating",
                {"a": {}, "b": {"detector": "nrs2"}, "c": {"grating": "g395h", "filter": "f290lp"}},
                (
                    "o001_t001_nirspec_g235h: science a_cal, b_cal",
                    "o001_t001_nirspec_g395h: science c_cal",
                ),
            ),
            Case("no leakage calibration", {"i": {"is_imprt": "t"}}),
            Case("not on a dark detector", {"a": {"grating": "g235m", "detector": "nrs2"}}),
            Case(
                "no science target, no time series",
                {"a": {"bkgdtarg": "f"}, "b": {"tsovisit": "t"}},
            ),
            Case("no other mode", {"a": SLIT | {"bkgdtarg": "t"}}),
            Case(
                "its PSF references are science of it; no subarray in the name",
                {"a": {"is_psf": "t", "subarray": "sub64"}},
                ("o001_t001_nirspec_g235h: science a_cal",),
            ),
        ),
    ),
    "Asn_Lv3MIRMRSBackground": (
        MRS | {"bkgdtarg": "t"},
        (
            Case(
                "all bands",
                {"a": {}, "b": {"band": "long"}},
                ("o001_t001_miri: science a_cal, b_cal",),
            ),
            Case(
                "not over background candidates of one observation",
                {"a": BACKGROUND},
                ("o001_t001_miri: science a_cal",),
            ),
            Case("no leakage calibration", {"i": {"is_imprt": "t"}}),
            Case(
                "no science target, no time series",
                {"a": {"bkgdtarg": "f"}, "b": {"tsovisit": "t"}},
            ),
            Case("no other mode", {"a": LRS}),
            Case(
                "its PSF references are science of it; no subarray in the name",
                {"a": {"is_psf": "t", "subarray": "sub64"}},
                ("o001_t001_miri: science a_cal",),
            ),
        ),
    ),
    "Asn_Lv3SpecAux": (
        LRS | {"bkgdtarg": "t"},
        (
            Case("MIRI", TWICE, ("o001_t001_miri_p750l: science a_cal, b_cal",)),
            Case(
                "NIRSpec by slit",
                {"a": SLIT, "b": SLIT | {"fxd_slit": "s400a1"}},
                (
                    "o001_t001_nirspec_f170lp-g235h-s200a1-subs200a1: science a_cal",
                    "o001_t001_nirspec_f170lp-g235h-s400a1-subs200a1: science b_cal",
                ),
            ),
            Case(
                "no science target, no time series",
                {"a": {"bkgdtarg": "f"}, "b": {"tsovisit": "t"}},
            ),
            Case("no leakage calibration", {"i": {"is_imprt": "t"}}),
            Case("no cube", {"a": MRS}),
            Case(
                "its PSF references are science of it",
                {"a": {"is_psf": "t"}},
                ("o001_t001_miri_p750l: science a_cal",),
            ),
        ),
    ),
}


@pytest.mark.parametrize(("rule", "base", "case"), cases_of(TABLE), ids=name_of)
def test_rule(rule, base, case):
    assert texts(rule, base, case.exposures) == sorted(case.made)
