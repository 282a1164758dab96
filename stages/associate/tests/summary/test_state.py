"""How far things have come, told from files and logs."""

from pathlib import Path

import pytest

from calwebb_associate.summary.gather import gather
from calwebb_associate.summary.state import File, State, error_of, judge


@pytest.fixture(scope="module")
def gathered(half_way):
    return gather(half_way.folder, half_way.logs, [half_way.raw])


@pytest.mark.parametrize(
    ("name", "stage1", "stage2"),
    [
        ("done", State.DONE, State.DONE),
        ("failed", State.DONE, State.FAILED),
        ("running", State.UNFINISHED, State.MISSING),
        ("damaged", State.FAILED, State.MISSING),
        ("left", State.MISSING, State.MISSING),
        ("lost", State.MISSING, State.UNAVAILABLE),
    ],
)
def test_each_exposure_has_its_state(half_way, gathered, name, stage1, stage2):
    root = half_way.names[name]
    assert gathered.stage1(root).state is stage1
    assert [unit.state for unit in gathered.stage2(root)] == [stage2]


def test_reasons_name_the_error_and_the_damage(half_way, gathered):
    failed = gathered.stage2(half_way.names["failed"])[0]
    assert failed.reason == "flat is all <b>NaN</b>"
    damaged = gathered.stage1(half_way.names["damaged"])
    assert "_rate.fits" in damaged.reason
    assert "truncated" in damaged.reason
    lost = gathered.stage2(half_way.names["lost"])[0]
    assert "calwebb-spec2" in lost.reason


def test_a_series_that_failed_says_so_in_a_log_of_its_own(program):
    root = program.expose(1, EXP_TYPE="NRC_TSIMAGE", TSOVISIT=True, NINTS=9)
    program.pool()
    error = "2026-01-01T00:00:00.000Z ERROR calwebb_core: failed\nTraceback (most recent call last)"
    program.say(f"{root}_calints", "image2", f"{error}:\n  x\nour.errors.InputError: no flat\n")
    (unit,) = gather(program.folder, program.logs, [program.raw]).stage2(root)
    assert (unit.state, unit.reason) == (State.FAILED, "no flat")
    assert unit.log == program.logs / "image2" / f"{root}_calints.log"


def test_products_of_associations(gathered):
    found = {unit.name: unit for (folder, _), unit in gathered.units.items() if folder == "image3"}
    assert found["jw01345-o002_t001_nircam_clear-f444w"].state is State.DONE
    assert found["jw01345-o002_t001_nircam_clear-f444w"].missing == ("cat", "segm")
    assert found["jw01345-o001_t001_nircam_clear-f277w"].state is State.MISSING


def test_what_belongs_to_nothing_is_told_too(gathered):
    names = [file.path.name for file in gathered.others]
    assert names == ["jw01345-o009_t001_nircam_clear-f444w_i2d.fits"]


def test_an_association_of_which_no_program_knows(half_way, program):
    program.expose(1)
    program.pool()
    folder = program.folder / "associations"
    folder.mkdir()
    (folder / "a_asn.json").write_text('{"asn_type": "other", "products": [')
    member = '{"expname": "x_cal.fits", "exptype": "science"}'
    text = '{"asn_type": "%s", "products": [{"name": "x", "members": [%s]}]}'
    (folder / "b_asn.json").write_text(text % ("image9", member))
    (folder / "c_asn.json").write_text(text % ("image3", member))
    found = {item.file_name: item for item in gather(program.folder, program.logs).associations}
    assert "is not JSON" in found["a_asn.json"].makes.why
    assert "asn_type is 'image9'" in found["b_asn.json"].makes.why
    assert found["c_asn.json"].makes.why


def test_the_plan_of_a_run_says_what_is_to_be_written(half_way, program):
    from calwebb_associate.plan_file import write_plan_file

    root = program.expose(1)
    program.pool()
    content = {
        "asn_type": "image2", "asn_rule": "mine", "asn_id": "o001", "program": "01345",
        "products": [
            {"name": root, "members": [{"expname": f"{root}_rate.fits", "exptype": "science"}]}
        ],
    }  # fmt: skip
    write_plan_file(program.folder / "plan" / "associations.jsonl", {"one_asn.json": content})
    (program.folder / "plan" / "raw_exposures.txt").write_text(
        f"{program.raw / root}_uncal.fits\n{program.raw / 'gone'}_uncal.fits\n"
    )
    gathered = gather(program.folder, program.logs)
    assert [(item.rule, item.written) for item in gathered.associations] == [("mine", False)]
    assert gathered.best_header(root).text("TARGPROP") == "FIELD-1"


def log(tmp_path, text):
    path = tmp_path / "x.log"
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("calwebb-quicklook: error: X.fits: is empty\n", "X.fits: is empty"),
        ("a ERROR b: failed\nTraceback ...\nValueError: broken\n", "broken"),
        ("a WARNING b: 3 errors found\n", ""),
        ("", ""),
        ("x ERROR y: first\nx ERROR y: failed\nlast line\n", "last line"),
    ],
)
def test_error_of_a_log(tmp_path, text, error):
    assert error_of(log(tmp_path, text)) == error


def test_no_log_has_no_error(tmp_path):
    assert error_of(tmp_path / "none.log") == ""


def test_references_that_failed_are_the_reason(tmp_path):
    references = log(tmp_path, "calwebb-references: error: no flat\n")
    assert judge(["rate"], [], [tmp_path / "no.log", references], "") == (State.FAILED, "no flat")


def test_a_product_left_out_is_no_failure(tmp_path):
    files = [File("cal", Path("x_cal.fits"), None)]
    assert judge(["cal", "i2d"], files, [tmp_path / "no.log"], "") == (State.DONE, "")
    broken = log(tmp_path, "calwebb-image2: error: disk full\n")
    assert judge(["cal", "i2d"], files, [broken], "") == (State.FAILED, "disk full")
