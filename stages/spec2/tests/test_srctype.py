"""srctype: which keyword decides, for exposures and for slits."""

import os
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from calwebb_core.framework.call import call_pipeline
from calwebb_core.framework.errors import InputError
from calwebb_core.framework.fits_layout import scan
from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.slit_products import read_slits
from calwebb_spec2 import PIPELINE
from calwebb_spec2 import run as run_spec2
from calwebb_spec2.cli import main
from calwebb_spec2.inputs import read_file
from calwebb_spec2.steps.srctype import (
    CHOOSABLE,
    SrctypeParameters,
    run,
    type_of_stellarity,
    type_of_target,
)

NOTHING = SrctypeParameters()
FIXED = ("S200A1", "S200A2", "S400A1", "S1600A1")


def target(exp_type, chosen=None, **keywords):
    return type_of_target(Metadata({"EXP_TYPE": exp_type, **keywords}), chosen)


@pytest.mark.parametrize(
    ("exp_type", "expected"),
    [
        ("MIR_LRS-FIXEDSLIT", "POINT"), ("MIR_LRS-SLITLESS", "POINT"), ("MIR_MRS", "EXTENDED"),
        ("NIS_SOSS", "POINT"), ("NRS_FIXEDSLIT", "POINT"), ("NRS_BRIGHTOBJ", "POINT"),
        ("NRS_IFU", "EXTENDED"), ("NRC_TSGRISM", "POINT"), ("NRC_GRISM", "UNKNOWN"),
    ],
)  # fmt: skip
def test_what_is_usual_where_nothing_is_said(exp_type, expected):
    assert target(exp_type) == expected
    assert target(exp_type, SRCTYAPT="UNKNOWN", BKGDTARG=False, TSOVISIT=False) == expected
    assert target(exp_type, TARGTYPE="MOVING") == expected


def test_the_first_that_says_something_decides():
    """From the last to the first: each is given along with all that come after it."""
    keywords = {}
    for name, value, expected in (
        ("PATTTYPE", "4-POINT-NOD", "POINT"),
        ("SRCTYAPT", "EXTENDED", "EXTENDED"),
        ("TSOVISIT", True, "POINT"),
        ("BKGDTARG", True, "EXTENDED"),
    ):
        keywords[name] = value
        assert target("NRS_IFU", **keywords) == expected, name
    assert target("NRS_IFU", "POINT", **keywords) == "POINT"


@pytest.mark.parametrize(
    ("exp_type", "keywords", "expected"),
    [
        ("NRS_IFU", {"PATTTYPE": "2-POINT-NOD"}, "POINT"),
        ("NRS_IFU", {"PATTTYPE": "POINT-SOURCE"}, "POINT"),
        ("NRS_IFU", {"PATTTYPE": "CYCLING"}, "EXTENDED"),
        ("NRS_IFU", {"PATTTYPE": None}, "EXTENDED"),
        ("NRS_IFU", {"DITHOPFR": "POINT-SOURCE"}, "EXTENDED"),
        ("MIR_MRS", {"DITHOPFR": "POINT-SOURCE"}, "POINT"),
        ("MIR_MRS", {"DITHOPFR": "EXTENDED-SOURCE"}, "EXTENDED"),
        ("MIR_MRS", {"PATTTYPE": "2-POINT-NOD"}, "EXTENDED"),
        ("MIR_LRS-FIXEDSLIT", {"PATTTYPE": "ALONG-SLIT-NOD", "SRCTYAPT": "EXTENDED"}, "EXTENDED"),
        ("MIR_LRS-FIXEDSLIT", {"PATTTYPE": "MAPPING", "SRCTYAPT": "EXTENDED"}, "EXTENDED"),
        ("MIR_LRS-FIXEDSLIT", {"SRCTYAPT": "neither"}, "POINT"),
        ("MIR_LRS-SLITLESS", {"TSOVISIT": True, "SRCTYAPT": "EXTENDED"}, "POINT"),
        ("NRS_BRIGHTOBJ", {"SRCTYAPT": "EXTENDED"}, "POINT"),
        ("NRC_TSGRISM", {"BKGDTARG": True}, "EXTENDED"),
        ("NRC_GRISM", {"SRCTYAPT": "POINT", "BKGDTARG": True}, "UNKNOWN"),
        ("NRC_GRISM", {"TSOVISIT": True}, "POINT"),
    ],
)
def test_nods_time_series_and_backgrounds(exp_type, keywords, expected):
    assert target(exp_type, **keywords) == expected


@pytest.mark.parametrize("exp_type", CHOOSABLE)
def test_the_user_has_the_first_word(exp_type):
    for chosen in ("POINT", "EXTENDED"):
        assert target(exp_type, chosen, BKGDTARG=True, SRCTYAPT="POINT") == chosen


@pytest.mark.parametrize("exp_type", ["NIS_SOSS", "NRC_GRISM"])
def test_a_choice_that_does_not_count_is_said(exp_type, make_image, caplog):
    image = make_image(exp_type)
    run(image, None, SrctypeParameters(source_type="EXTENDED"))
    assert image.metadata["SRCTYPE"] == ("POINT" if exp_type == "NIS_SOSS" else "UNKNOWN")
    assert f"not for EXP_TYPE {exp_type}" in caplog.text


@pytest.mark.parametrize(
    ("stellarity", "expected"),
    [
        (-1.0, "POINT"), (-1e-9, "POINT"), (0.0, "EXTENDED"), (0.75, "EXTENDED"),
        (0.750001, "POINT"), (1.0, "POINT"), (None, "POINT"), (float("nan"), "POINT"),
    ],
)  # fmt: skip
def test_stellarity(stellarity, expected):
    assert type_of_stellarity(stellarity) == expected


@given(st.floats(allow_nan=True, allow_infinity=True))
def test_stellarity_between_0_and_its_limit_is_extended(value):
    assert (type_of_stellarity(value) == "EXTENDED") == (0.0 <= value <= 0.75)


def test_fixed_slits_beside_the_target_see_sky(make_slit, make_slits):
    for keywords, chosen, expected in (
        ({}, None, "POINT"),
        ({"BKGDTARG": True}, None, "EXTENDED"),
        ({"BKGDTARG": True}, "POINT", "POINT"),
        ({"PATTTYPE": "2-POINT-NOD", "SRCTYAPT": "EXTENDED"}, None, "EXTENDED"),
    ):
        slits = make_slits(
            "NRS_FIXEDSLIT", [make_slit(SLTNAME=n) for n in FIXED], FXD_SLIT="S400A1", **keywords
        )
        run(slits, None, SrctypeParameters(source_type=chosen))
        found = {slit.metadata["SLTNAME"]: slit.metadata["SRCTYPE"] for slit in slits.slits}
        assert found == dict.fromkeys(FIXED, "EXTENDED") | {"S400A1": expected}
        assert "SRCTYPE" not in slits.metadata


@pytest.mark.parametrize("name", [None, "NONE", "S200B1", "s200a1"])
def test_a_target_in_none_of_the_slits_is_said(name, make_slit, make_slits, caplog):
    slits = make_slits("NRS_FIXEDSLIT", [make_slit(SLTNAME=n) for n in FIXED], FXD_SLIT=name)
    run(slits, None, NOTHING)
    assert {slit.metadata["SRCTYPE"] for slit in slits.slits} == {"EXTENDED"}
    assert f"FXD_SLIT is {name!r}, none of the slits S200A1, S200A2" in caplog.text


def test_multi_object_sources_go_by_stellarity_alone(make_slit, make_slits, caplog):
    values = (-1.0, 0.0, 0.5, 0.9, 1)
    slits = make_slits(
        "NRS_MSASPEC",
        [make_slit(SLTNAME=str(i), STLARITY=v) for i, v in enumerate(values)],
        SRCTYAPT="EXTENDED", BKGDTARG=True, PATTTYPE="3-SHUTTER",
    )  # fmt: skip
    run(slits, None, NOTHING)
    found = [slit.metadata["SRCTYPE"] for slit in slits.slits]
    assert found == ["POINT", "EXTENDED", "EXTENDED", "POINT", "POINT"]
    assert not caplog.text


def test_sources_without_stellarity_are_counted(make_slit, make_slits, caplog):
    slits = [
        make_slit(STLARITY=0.2),
        make_slit(),
        make_slit(STLARITY="?"),
        make_slit(STLARITY=True),
    ]
    model = make_slits("NRS_MSASPEC", slits)
    run(model, None, NOTHING)
    found = [slit.metadata["SRCTYPE"] for slit in slits]
    assert found == ["EXTENDED", "POINT", "POINT", "POINT"]
    assert "3 of 4 slits have no stellarity (STLARITY); their sources count as POINT" in caplog.text


@pytest.mark.parametrize("exp_type", ["NIS_WFSS", "NRC_WFSS", "MIR_WFSS"])
def test_wide_field_sources_go_by_the_catalog(exp_type, make_slit, make_slits):
    model = make_slits(exp_type, [make_slit(True), make_slit(False), make_slit()], TSOVISIT=True)
    run(model, None, NOTHING)
    found = [slit.metadata["SRCTYPE"] for slit in model.slits]
    assert found == ["EXTENDED", "POINT", "POINT"]


@pytest.mark.parametrize("exp_type", ["NRS_FIXEDSLIT", "NRS_MSASPEC", "NIS_WFSS", "MIR_WFSS"])
def test_spectra_have_to_be_cut_out_before(exp_type, make_image, saved, tmp_path):
    path = saved(make_image(exp_type))
    with pytest.raises(
        InputError, match=r"expected one for each spectrum.* comes after extract_2d"
    ):
        call_pipeline(PIPELINE, path, output_dir=tmp_path / "out", only="srctype")
    assert not list((tmp_path / "out").glob("*.fits"))


@pytest.mark.parametrize("nints", [None, 2])
def test_an_exposure_on_disk(nints, make_image, saved, tmp_path, monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    path = saved(make_image("MIR_LRS-SLITLESS", nints, TSOVISIT=True))
    words = ["step", "srctype", str(path), "--output-dir"]
    for folder in ("a", "b"):
        assert CliRunner().invoke(main, [*words, str(tmp_path / folder)]).exit_code == 0
    made = [tmp_path / name / path.name.replace("_rate", "_srctype").replace("ints", "")
            for name in "ab"]  # fmt: skip
    assert made[0].read_bytes() == made[1].read_bytes()
    image, before = read_file(made[0]), read_file(path)
    assert image.metadata["SRCTYPE"] == "POINT"
    assert image.metadata["S_SRCTYP"] == "COMPLETE"
    assert image.metadata.homes["SRCTYPE"] == "SCI"
    assert (image.data == before.data).all()
    assert image.data.shape == before.data.shape
    again = CliRunner().invoke(
        main, ["step", "srctype", str(made[0]), "--output-dir", str(tmp_path)]
    )
    assert again.exit_code == 2
    assert "srctype has been done already" in again.stderr


def test_slits_on_disk(make_slit, make_slits, saved, tmp_path):
    slits = [make_slit(SLTNAME=n, SOURCEID=i) for i, n in enumerate(FIXED)]
    path = saved(make_slits("NRS_FIXEDSLIT", slits, FXD_SLIT="S200A2"))
    result = run_spec2(path, only="srctype", output_dir=tmp_path / "out")
    (made,) = result.outputs
    assert made.name == "jw09999001001_02101_00001_nrs1_srctype.fits"
    headers = [hdu.header for hdu in scan(made) if hdu.name == "SCI"]
    assert [header["SRCTYPE"] for header in headers] == ["EXTENDED", "POINT"] + ["EXTENDED"] * 2
    primary = scan(made)[0].header
    assert primary["S_SRCTYP"] == "COMPLETE"
    assert "SRCTYPE" not in primary
    assert not any(card.keyword.startswith("S_") for card in headers[0].cards)
    model = read_slits(made)
    assert model.metadata.provenance["runs"][-1]["program"] == "calwebb-spec2"
    assert (model.slits[1].planes["WAVELENGTH"] == slits[1].planes["WAVELENGTH"]).all()


def test_the_users_choice_on_the_command_line(make_image, saved, tmp_path):
    path = saved(make_image("NRS_IFU"))
    words = ["step", "srctype", str(path), "--output-dir", str(tmp_path / "out"), "--set"]
    done = CliRunner().invoke(main, [*words, "srctype.source_type=POINT"])
    assert done.exit_code == 0, done.output
    assert read_file(next((tmp_path / "out").glob("*.fits"))).metadata["SRCTYPE"] == "POINT"
    done = CliRunner().invoke(main, [*words, "srctype.source_type=STAR"])
    assert done.exit_code == 2
    assert "STAR" in done.stderr


def test_size_in_header_must_agree(make_image, saved, tmp_path):
    path = saved(make_image("NRS_IFU", SUBSIZE1=2048))
    with pytest.raises(InputError, match=r"SCI has shape \(6, 8\); SUBSIZE2, SUBSIZE1 say"):
        call_pipeline(PIPELINE, path, output_dir=tmp_path, only="srctype")


@pytest.mark.parametrize(
    ("exp_type", "keywords", "expected"),
    [
        ("NRS_MSASPEC", {"SLTNAME": "7", "STLARITY": 0.2}, "EXTENDED"),
        ("NRS_MSASPEC", {"SLTNAME": "7", "STLARITY": 1.0}, "POINT"),
        ("NRS_FIXEDSLIT", {"SLTNAME": "S200A1", "FXD_SLIT": "S200A1"}, "POINT"),
        ("NRS_FIXEDSLIT", {"SLTNAME": "S200A1", "FXD_SLIT": "S400A1"}, "EXTENDED"),
    ],
)
def test_a_slit_in_a_file_of_its_own(exp_type, keywords, expected, make_image, saved, tmp_path):
    path = saved(make_image(exp_type, DATAMODL="SlitModel", **keywords))
    (made,) = run_spec2(path, only="srctype", output_dir=tmp_path / "out").outputs
    metadata = read_file(made).metadata
    assert (metadata["SRCTYPE"], metadata["DATAMODL"]) == (expected, "SlitModel")


def real(name):
    """A file of the real data, or its absence is said."""
    folder = Path(os.environ.get("CALWEBB_REALDATA", Path(__file__).parents[4] / "shared/realdata"))
    if not (folder / name).exists():
        pytest.skip(f"real data is absent: {folder / name} (set CALWEBB_REALDATA)")
    return folder / name


@pytest.mark.realdata
def test_a_multi_object_source_in_flight(tmp_path):
    path = real("nirspec_mos/jw01345062001_03101_00001_nrs2_phot.138.1345_933.fits")
    (made,) = run_spec2(path, only="srctype", output_dir=tmp_path).outputs
    metadata = read_file(made).metadata
    assert (metadata["STLARITY"], metadata["SRCTYPE"]) == (1.0, "POINT")


@pytest.mark.realdata
def test_a_flight_time_series_has_the_type_that_its_archive_product_has(tmp_path):
    path = real("miri_lrs/ERS_NGTS10_2022_new_drift_041_rateints.fits")
    official = real("miri_lrs/ERS_NGTS10_2022_new_drift_041_calints.fits")
    result = run_spec2(path, only="srctype", output_dir=tmp_path)
    theirs = next(hdu for hdu in scan(official) if hdu.name == "SCI").header
    assert result.model.metadata["SRCTYPE"] == theirs["SRCTYPE"] == "POINT"
