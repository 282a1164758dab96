"""The order of the steps of each mode, and what is said of steps that do not exist yet."""

import json

import pytest
from click.testing import CliRunner

from calwebb_core.framework.call import call_pipeline
from calwebb_core.framework.errors import InputError
from calwebb_core.framework.metadata import Metadata
from calwebb_spec2 import modes
from calwebb_spec2.cli import main
from calwebb_spec2.missing import MISSING
from calwebb_spec2.pipeline import BY_NAME, PIPELINE, THERE, select

EXP_TYPES = [kind for mode in modes.MODES for kind in mode.exp_types]
# What comes first, last, and whether in between there is what only some modes have.
ENDS = {
    "resample_spec": {"NRS_FIXEDSLIT", "NRS_MSASPEC", "MIR_LRS-FIXEDSLIT"},
    "cube_build": {"NRS_IFU", "MIR_MRS"},
    "wavecorr": {"NRS_FIXEDSLIT", "NRS_MSASPEC", "NRS_BRIGHTOBJ"},
    "barshadow": {"NRS_MSASPEC"},
    "master_background_mos": {"NRS_MSASPEC"},
    "msa_flagging": {"NRS_MSASPEC", "NRS_IFU"},
    "imprint_subtract": {"NRS_MSASPEC", "NRS_IFU"},
    "straylight": {"MIR_MRS"},
    "fringe": {"MIR_MRS"},
    "residual_fringe": {"MIR_MRS"},
    "targ_centroid": {"MIR_LRS-FIXEDSLIT", "MIR_LRS-SLITLESS"},
    "wfss_contam": {"NRC_WFSS", "NRC_GRISM", "NIS_WFSS"},
    "pathloss": {"NRS_FIXEDSLIT", "NRS_MSASPEC", "NRS_IFU", "MIR_LRS-FIXEDSLIT", "NIS_SOSS"},
    "clean_flicker_noise": {"NRS_FIXEDSLIT", "NRS_MSASPEC", "NRS_IFU", "NRS_BRIGHTOBJ"},
    "extract_2d": {
        "NRS_FIXEDSLIT", "NRS_MSASPEC", "NRS_BRIGHTOBJ", "NRC_WFSS", "NRC_GRISM", "NIS_WFSS",
        "MIR_WFSS", "NRC_TSGRISM",
    },
}  # fmt: skip


def names(exp_type):
    metadata = Metadata({"EXP_TYPE": exp_type, "INSTRUME": modes.INSTRUMENTS[exp_type[:3]]})
    return [step.name for step in select(metadata)]


@pytest.mark.parametrize("step", ENDS)
def test_steps_of_some_modes_are_in_these_only(step):
    assert {kind for kind in EXP_TYPES if step in names(kind)} == ENDS[step]


@pytest.mark.parametrize("exp_type", EXP_TYPES)
def test_order_of_every_mode(exp_type):
    found = names(exp_type)
    assert found[0] == "assign_wcs"
    assert found[-2:] == (["extract_1d", "photom"] if exp_type == "NIS_SOSS" else [
        {"NRC_TSGRISM": "photom", "NRS_FIXEDSLIT": "resample_spec", "NRS_MSASPEC": "resample_spec",
         "MIR_LRS-FIXEDSLIT": "resample_spec", "NRS_IFU": "cube_build", "MIR_MRS": "cube_build",
         }.get(exp_type, "pixel_replace"), "extract_1d"])  # fmt: skip
    assert len(set(found)) == len(found)
    # a grism's flat is that of its filter, before the spectra are cut out; NIRSpec's goes by slit
    if "extract_2d" in found:
        late = exp_type.startswith("NRS_")
        assert (found.index("flat_field") > found.index("extract_2d")) == late
    assert found.index("srctype") < found.index("photom")


def test_multi_object_order_in_full():
    assert names("NRS_MSASPEC") == [
        "assign_wcs", "msa_flagging", "clean_flicker_noise", "imprint_subtract", "bkg_subtract",
        "extract_2d", "srctype", "master_background_mos", "wavecorr", "flat_field", "pathloss",
        "barshadow", "photom", "adaptive_trace_model", "pixel_replace", "resample_spec",
        "extract_1d",
    ]  # fmt: skip


def test_every_name_is_a_step_and_none_is_both_there_and_missing():
    assert set(BY_NAME) == {name for mode in modes.MODES for name in mode.steps}
    assert len(MISSING) + len(THERE) == len(BY_NAME) == len(PIPELINE.steps)
    assert len({step.keyword for step in PIPELINE.steps}) == len(BY_NAME)
    assert all(step.there for step in THERE)
    assert not any(step.there for step in MISSING)


@pytest.mark.parametrize("exp_type", EXP_TYPES)
def test_run_is_refused_while_a_step_of_the_mode_is_missing(
    exp_type, make_image, saved, tmp_path, capsys
):
    metadata = make_image(exp_type).metadata
    wanted = (step for step in select(metadata) if not step.skip and not step.not_needed(metadata))
    missing = next((step.name for step in wanted if not step.there), None)
    if missing is None:
        pytest.skip("every step of the mode is there")
    path = saved(make_image(exp_type))
    out = tmp_path / "out"
    mode = modes.mode_of(metadata)
    done = CliRunner().invoke(main, ["run", str(path), "--output-dir", str(out)])
    assert done.exit_code == 2
    assert done.stderr == (
        f"calwebb-spec2: error: {path}: calwebb_spec2 for {mode.name} (EXP_TYPE {exp_type}) is not "
        f"available yet: its step {missing} does not exist\n"
    )
    assert not list(out.glob("*.fits"))


def test_missing_steps_cannot_be_left_out_for_a_product(make_image, saved, tmp_path):
    path = saved(make_image("NIS_SOSS"))
    needed = [step.name for step in MISSING if not step.skip]
    for options in ({"skip": needed}, {"skip": needed, "stop_after": "srctype"}):
        with pytest.raises(InputError, match="its step assign_wcs does not exist"):
            call_pipeline(PIPELINE, path, output_dir=tmp_path / "out", **options)
    assert not list((tmp_path / "out").glob("*.fits"))


def test_the_first_step_that_the_input_lacks_is_named(make_image, saved, tmp_path):
    """Steps that another program has done before are none that are missing."""
    path = saved(make_image("NIS_SOSS", S_WCS="COMPLETE"))
    with pytest.raises(InputError, match="its step bkg_subtract does not exist"):
        call_pipeline(PIPELINE, path, output_dir=tmp_path)
    done = {name: BY_NAME[name].keyword for name in names("NIS_SOSS")}
    path = saved(make_image("NIS_SOSS", **dict.fromkeys(done.values(), "COMPLETE")))
    with pytest.raises(InputError, match="no step of calwebb_spec2 is left to run"):
        call_pipeline(PIPELINE, path, output_dir=tmp_path)


def test_a_missing_step_is_refused_when_it_is_turned_on_or_asked_for_alone(
    make_image, saved, tmp_path
):
    done = [name for name in names("NIS_SOSS") if name not in ("srctype",)]
    statuses = {BY_NAME[name].keyword: "COMPLETE" for name in done}
    path = saved(make_image("NIS_SOSS", **statuses))
    assert call_pipeline(PIPELINE, path, output_dir=tmp_path / "out").statuses.keys() == {"srctype"}
    path = saved(make_image("NRS_BRIGHTOBJ"))
    with pytest.raises(InputError, match=r"step adaptive_trace_model .* for NIRSpec .* not exist"):
        call_pipeline(PIPELINE, path, output_dir=tmp_path / "out", only="adaptive_trace_model")
    rest = [name for name in names("NRS_BRIGHTOBJ") if name != "adaptive_trace_model"]
    path = saved(make_image("NRS_BRIGHTOBJ", **{BY_NAME[n].keyword: "COMPLETE" for n in rest}))
    wish = {"adaptive_trace_model": {"skip": False}}
    with pytest.raises(InputError, match="adaptive_trace_model does not exist"):
        call_pipeline(PIPELINE, path, output_dir=tmp_path / "out", parameters=wish)


@pytest.mark.parametrize(
    ("exp_type", "step"),
    [("NRS_IFU", "flat_field"), ("NRS_MSASPEC", "photom"), ("NIS_SOSS", "bkg_subtract"),
     ("NRC_WFSS", "bkg_subtract")],
)  # fmt: skip
def test_a_step_may_exist_for_other_modes_only(exp_type, step, make_image, saved, tmp_path):
    assert step in {found.name for found in THERE}
    with pytest.raises(InputError, match=f"step {step} of calwebb_spec2 for NIR.* does not exist"):
        call_pipeline(PIPELINE, saved(make_image(exp_type)), output_dir=tmp_path, only=step)


def test_a_step_of_another_mode_is_refused(make_image, saved, tmp_path):
    with pytest.raises(InputError, match="step fringe is no part of calwebb_spec2 for this mode"):
        call_pipeline(PIPELINE, saved(make_image("NIS_SOSS")), output_dir=tmp_path, only="fringe")


def test_steps_lists_the_order_of_a_mode_with_what_is_there(make_image, saved):
    path = saved(make_image("NIS_SOSS"))
    done = CliRunner().invoke(main, ["steps", str(path), "--json"])
    assert done.exit_code == 0, done.output
    rows = json.loads(done.stdout)["steps"]
    assert [row["step"] for row in rows] == names("NIS_SOSS")
    assert [row["step"] for row in rows if row["action"] == "run"] == ["srctype", "flat_field"]
    assert {row["action"] for row in rows} == {"run", "missing"}
    assert "missing: does not exist yet" in CliRunner().invoke(main, ["steps", str(path)]).stdout


def test_steps_without_input_lists_those_of_all_modes():
    rows = json.loads(CliRunner().invoke(main, ["steps", "--json"]).stdout)["steps"]
    assert [row["step"] for row in rows] == [step.name for step in PIPELINE.steps]
    assert {row["step"] for row in rows if row["there"]} == {step.name for step in THERE}
    assert "does not exist yet" in CliRunner().invoke(main, ["steps"]).stdout


def test_members_of_the_association_decide_what_is_needed(make_image, saved, tmp_path):
    path = saved(make_image("NRS_IFU"))
    members = [
        {"expname": path.name, "exptype": "science"},
        {"expname": "back.fits", "exptype": "background"},
        {"expname": "imprint.fits", "exptype": "imprint"},
    ]
    for member in members[1:]:
        (tmp_path / member["expname"]).touch()

    def actions(*wanted):
        content = {
            "asn_type": "spec2", "asn_rule": "x", "asn_pool": "pool.csv",
            "products": [{"name": path.name[:-10], "members": [members[0], *wanted]}],
        }  # fmt: skip
        asn = tmp_path / "spec2_asn.json"
        asn.write_text(json.dumps(content))
        done = CliRunner().invoke(main, ["steps", str(asn), "--json"])
        assert done.exit_code == 0, done.output
        rows = json.loads(done.stdout)["steps"]
        return {row["step"]: (row["action"], row["reason"]) for row in rows}

    alone = actions()
    assert alone["bkg_subtract"] == (
        "skip", "there is no association with background exposures"
    )  # fmt: skip
    assert alone["imprint_subtract"][0] == "skip"
    assert actions(members[1])["bkg_subtract"][0] == "run"
    assert actions(members[2])["imprint_subtract"][0] == "missing"


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"EXP_TYPE": "NRS_LAMP"}, "lamp exposures are not available yet"),
        ({"EXP_TYPE": "MIR_DARKMRS"}, "a dark shows no spectrum; calwebb-dark takes it"),
        ({"EXP_TYPE": "FGS_ACQ1"}, "calwebb-guider takes guide-star data"),
        ({"EXP_TYPE": "NRC_IMAGE"}, "EXP_TYPE NRC_IMAGE is no spectrum .*: it handles NRS_FIX"),
        ({"EXP_TYPE": None}, "keyword EXP_TYPE is missing"),
        ({"INSTRUME": "MIRI"}, "INSTRUME is MIRI, but EXP_TYPE NRS_IFU is one of NIRSPEC"),
        ({"INSTRUME": None}, "keyword INSTRUME is missing"),
    ],
)
def test_other_exposures_are_refused(make_image, saved, tmp_path, keywords, message):
    image = make_image("NRS_IFU")
    image.metadata.update(keywords)
    path = saved(image)
    for only in (None, "srctype"):
        with pytest.raises(InputError, match=message):
            call_pipeline(PIPELINE, path, output_dir=tmp_path / "out", only=only)
    assert not list((tmp_path / "out").glob("*.fits"))
