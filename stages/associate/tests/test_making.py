"""Associations of the user's own, and the file from which jobs take theirs."""

import json

import pytest

from calwebb_associate.headers import read_primary
from calwebb_associate.making import Making, combined, make, own_associations
from calwebb_associate.plan_file import read_plan_file, write_plan_file, write_planned
from calwebb_associate.pool import make_pool
from calwebb_core.framework.association import association_text
from calwebb_core.framework.errors import InputError

ROOT = "jw01345001001_02201_0000{}_nrcalong"


@pytest.fixture
def pool(put):
    files = [put(f"{ROOT.format(number)}_uncal.fits") for number in (1, 2)]
    return make_pool({path: read_primary(path) for path in files})


def mosaic(**changes):
    members = [{"expname": f"{ROOT.format(n)}_cal.fits", "exptype": "science"} for n in (1, 2)]
    product = {"name": changes.pop("name", "mine"), "members": changes.pop("members", members)}
    return {"asn_type": "image3", "program": "1345", "products": [product], **changes}


def put_association(folder, content, name="mine_asn.json"):
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(json.dumps(content))
    return path


def test_an_association_is_read_as_it_is(tmp_path):
    path = put_association(tmp_path, mosaic(asn_id="o001", asn_rule="mine"))
    (found,) = own_associations([tmp_path]).values()
    assert (found.program, found.level, found.product) == ("01345", 3, "mine")
    assert found.file_name == path.name
    assert found.content == json.loads(path.read_text())


def test_the_program_may_be_that_of_the_file_alone(tmp_path):
    members = [{"expname": "x_cal.fits", "exptype": "science"}]
    put_association(tmp_path, mosaic(members=members))
    (found,) = own_associations([tmp_path]).values()
    assert found.program == "01345"


@pytest.mark.parametrize(
    ("content", "name", "message"),
    [
        (mosaic(asn_type="user_built"), "a_asn.json", "asn_type is 'user_built'; expected one of"),
        (mosaic(name="Big one"), "a_asn.json", "product 'Big one' is no name of a file"),
        (mosaic(name=ROOT.format(1)), "a_asn.json", "is named as an exposure"),
        (mosaic(), "a b_asn.json", "is not named as an association"),
        (
            mosaic(members=[{"expname": "cal/x_cal.fits", "exptype": "science"}]),
            "a_asn.json",
            "member cal/x_cal.fits is in a folder; expected the name of a product",
        ),
        (
            mosaic(members=[{"expname": "x_cal.fits", "exptype": "science"}], program="x"),
            "a_asn.json",
            "no member is an exposure, and program is 'x'",
        ),
        (
            {**mosaic(), "products": [*mosaic()["products"], *mosaic(name="b")["products"]]},
            "a_asn.json",
            "has 2 products; expected 1",
        ),
        ({"products": []}, "a_asn.json", "products"),
    ],
)
def test_what_a_run_cannot_use_is_refused(tmp_path, content, name, message):
    path = put_association(tmp_path, content, name)
    with pytest.raises(InputError, match=message):
        own_associations([path])


def test_two_of_one_name_are_refused(tmp_path):
    first = put_association(tmp_path / "a", mosaic())
    second = put_association(tmp_path / "b", mosaic())
    with pytest.raises(InputError, match="has the same name"):
        own_associations([first, second])


def test_own_associations_replace_those_of_the_rules(pool, tmp_path):
    made = make(pool, Making())
    (image3,) = [item for item in made if item.level == 3]
    mine = {**image3.content, "asn_rule": "mine"}
    own = own_associations([put_association(tmp_path, mine)])
    found = combined(made, own)
    assert [item.rule for item in found if item.level == 3] == ["mine"]
    assert len(found) == len(made)
    own = own_associations([put_association(tmp_path / "x", mosaic())])
    assert len(combined(made, own)) == len(made) + 1


def test_rules_and_candidates_are_choices(pool):
    assert make(pool, Making(default_rules=False)) == []
    assert make(pool, Making(candidates=("o001",))) == make(pool, Making())
    with pytest.raises(InputError, match="no exposure belongs to c1000; expected one of o001"):
        make(pool, Making(candidates=("c1000",)))


def test_a_job_writes_what_the_generator_made(pool, tmp_path):
    made = make(pool, Making())
    path = tmp_path / "plan" / "associations.jsonl"
    write_plan_file(path, {item.file_name: item.content for item in made})
    time = path.stat().st_mtime_ns
    write_plan_file(path, {item.file_name: item.content for item in reversed(made)})
    assert path.stat().st_mtime_ns == time
    one = made[0]
    assert read_plan_file(path, [one.file_name]) == {one.file_name: one.content}
    write_planned(path, tmp_path / "out", [one.file_name])
    (written,) = (tmp_path / "out").iterdir()
    assert written.read_text() == association_text(one.content, "")
    write_planned(path, tmp_path / "out")
    assert len(list((tmp_path / "out").iterdir())) == len(made)


def test_what_is_wrong_with_a_plan_file_is_said(tmp_path):
    path = tmp_path / "associations.jsonl"
    with pytest.raises(InputError, match="cannot be read as the associations of a plan"):
        read_plan_file(path)
    path.write_text("x\n")
    with pytest.raises(InputError, match="cannot be read as the associations of a plan"):
        read_plan_file(path)
    path.write_text("")
    with pytest.raises(InputError, match="holds no association a_asn"):
        read_plan_file(path, ["a_asn.json"])
    write_plan_file(path, {"a_asn.json": mosaic()})
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot be made"):
        write_planned(path, tmp_path / "file")
