"""What the plan says of spectra: types by mode, and products whose names only the data tell."""

import pytest

from calwebb_associate.pipelines import SPEC2, TSO3, needed_types, program_refuses
from calwebb_associate.spectral_types import SPEC2_TYPES, TSO3_TYPES, of_all
from calwebb_associate.summary.gather import _files
from calwebb_associate.targets import (
    FOLDER,
    is_open,
    left_out_by,
    picture_paths,
    product_paths,
    unit_name,
)

OPEN = "jw01345-o001_t001-{source_id}_nirspec_f290lp-g395m-{slit_name}-allslits"
CLOSED = "jw01345-o001_t001-sources_nirspec_f290lp-g395m-slits-allslits"


def test_names_that_only_the_data_tell_become_those_of_a_folder():
    assert is_open(OPEN)
    assert unit_name(OPEN) == CLOSED
    assert not is_open(CLOSED)
    assert unit_name(CLOSED) == CLOSED


def test_products_of_such_names_are_a_folder():
    made = [("01345", CLOSED, (FOLDER,)), ("01345", "jw01345-o002_t001_miri_p750l", ("s2d", "x1d"))]
    assert product_paths("results", "spec3", made) == [
        f"results/01345/spec3/{CLOSED}",
        "results/01345/spec3/jw01345-o002_t001_miri_p750l_s2d.fits",
        "results/01345/spec3/jw01345-o002_t001_miri_p750l_x1d.fits",
    ]
    assert picture_paths("results", "spec3", made) == [
        f"results/01345/quicklook/spec3/{CLOSED}",
        "results/01345/quicklook/spec3/jw01345-o002_t001_miri_p750l_s2d.png",
        "results/01345/quicklook/spec3/jw01345-o002_t001_miri_p750l_x1d.png",
    ]


def test_light_curves_are_tables():
    made = [("01345", "jw01345-o001_t001_miri_p750l", ("x1dints", "whtlt", "phot"))]
    endings = [path.rpartition(".")[2] for path in product_paths("results", "tso3", made)]
    assert endings == ["fits", "ecsv", "ecsv"]
    assert len(picture_paths("results", "tso3", made)) == 3


@pytest.mark.parametrize("kind", sorted(SPEC2_TYPES))
def test_a_mode_asks_for_its_own_types(kind):
    assert needed_types(SPEC2, exp_type=kind.upper()) == SPEC2_TYPES[kind]
    assert not program_refuses(SPEC2, kind)


def test_without_a_mode_all_types_are_asked_for():
    assert needed_types(SPEC2) == of_all(SPEC2_TYPES)
    assert len(set(of_all(SPEC2_TYPES))) == len(of_all(SPEC2_TYPES))
    assert needed_types(TSO3, exp_type="NRC_TSIMAGE") == TSO3_TYPES["nrc_tsimage"]


def test_other_modes_are_refused_in_a_sentence():
    assert program_refuses(SPEC2, "mir_mrs") == "MIR_MRS: calwebb-spec2 does not take them yet"
    assert program_refuses(TSO3, "nis_soss") == "NIS_SOSS: calwebb-tso3 does not take them yet"


def test_what_left_out_steps_would_make_is_not_expected():
    steps = {"extract_1d": {"skip": True}, "resample_spec": {"skip": False}}
    assert left_out_by("spec2", {"spec2": steps}) == {"x1d", "x1dints"}
    assert left_out_by("tso3", {"tso3": {"white_light": {"skip": True}}}) == {"whtlt"}


def test_the_summary_looks_into_folders_of_sources_but_not_of_flagged_exposures(tmp_path):
    for name in ("a_x1d.fits", f"{CLOSED}/b_x1d.fits", "c_crf/d_crf.fits", "e_crfints/f.fits"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.touch()
    (tmp_path / "notes.txt").touch()
    assert [path.name for path in _files(tmp_path)] == ["a_x1d.fits", "b_x1d.fits"]
