"""Associations are read, checked and written."""

import json
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calwebb_core.framework.association import (
    EXPTYPES,
    association_text,
    read_association,
    validate,
    write_association,
)
from calwebb_core.framework.errors import InputError
from calwebb_core.framework.names import AssociationName

A = "jw01345001001_02201_00001_nrcalong_cal.fits"
B = "jw01345001001_02201_00002_nrcalong_cal.fits"
NAME = "jw01345-o001_t001_nircam_clear-f277w"


def member(expname=A, exptype="science", **more):
    return {"expname": expname, "exptype": exptype, **more}


def content(*members, **more):
    return {
        "asn_type": "image3",
        "asn_rule": "Asn_Lv3Image",
        "program": "01345",
        "asn_id": "o001",
        "target": "t001",
        "asn_pool": "pool.csv",
        "products": [{"name": NAME, "members": list(members)}],
        **more,
    }


def put(folder, content, files=(A, B)):
    for file in files:
        (folder / file).touch()
    path = folder / "jw01345-o001_image3_00001_asn.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def test_an_association_is_read(tmp_path):
    path = put(tmp_path, content(member(exposerr=None), member(B, "background")))
    association = read_association(path)
    assert association.asn_type == "image3"
    assert association.asn_rule == "Asn_Lv3Image"
    assert (association.asn_id, association.program) == ("o001", "01345")
    assert (association.target, association.pool) == ("t001", "pool.csv")
    (product,) = association.products
    assert product.name == NAME
    assert [(m.path, m.exptype) for m in product.members] == [
        (tmp_path / A, "science"),
        (tmp_path / B, "background"),
    ]
    assert product.members[0].raw == member(exposerr=None)
    assert [m.path.name for m in product.of_type("background")] == [B]


def test_members_may_lie_in_another_folder(tmp_path):
    (tmp_path / "cal").mkdir()
    path = put(tmp_path, content(member()), files=())
    (tmp_path / "cal" / A).touch()
    association = read_association(path, input_dir=tmp_path / "cal")
    assert association.products[0].members[0].path == tmp_path / "cal" / A


def test_missing_fields_are_empty(tmp_path):
    path = put(tmp_path, {"products": [{"name": NAME, "members": [member()]}], "asn_pool": None})
    association = read_association(path)
    assert (association.asn_type, association.pool, association.target) == ("", "", "")


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        ({}, "has no products; expected products"),
        ([], r"is \[\]; expected: object"),
        (content(products=[]), "products is empty; expected at least one entry"),
        (content(), r"products\[0\].members is empty; expected at least one entry"),
        (content(member("")), r"products\[0\].members\[0\].expname is empty"),
        (content({"expname": A}), r"products\[0\].members\[0\] has no exptype; expected expname"),
        (content({}), r"products\[0\].members\[0\] has no expname and no exptype"),
        (content(member(exptype=3)), r"members\[0\].exptype is 3; expected: string"),
        (content(member(), asn_id=1), r"asn_id is 1; expected: string or null"),
        (content(member(exptype="sience")), f"member {A} has the unknown exptype 'sience'; did "),
        (content(member(exptype="SIENCE")), r"unknown exptype 'SIENCE'; did you mean science\?"),
        (content(member(exptype="xyz")), "unknown exptype 'xyz'; known: science, background"),
        (content(member(), member()), f"member {A} of product {NAME} is listed twice, as science "),
        (content(member(), member(f"./{A}")), "is listed twice"),
        (content(member(), member(A, "background")), "twice, as science and background; expected"),
        (content(member("../x_cal.fits")), r"member ../x_cal.fits lies outside .*; expected a "),
        (content(member("a/../../x_cal.fits")), "lies outside"),
        (content(member("/etc/passwd")), "member /etc/passwd lies outside"),
        (content(member("..")), "member .. lies outside"),
        (content(member("x_cal.fits")), "member .*/x_cal.fits not found; put the members beside"),
        (
            content(member("x_cal.fits"), member("y_cal.fits"), member()),
            "member .*/x_cal.fits and 1 more of 3 members not found",
        ),
        ("{products", "is not JSON: .* in line 1, column 2"),
        ('{"a": 1, "a": 2}', "key 'a' is there twice; expected once"),
    ],
)
def test_what_is_wrong_is_said(tmp_path, broken, message):
    path = put(tmp_path, broken)
    with pytest.raises(InputError, match=message) as error:
        read_association(path)
    assert str(error.value).startswith(f"{path}: ")


def test_a_product_named_twice_is_refused():
    broken = content(member())
    broken["products"] *= 2
    with pytest.raises(InputError, match=f"x.json: product {NAME} is listed twice; name it once"):
        validate(broken, "x.json")


def test_a_file_that_is_missing_or_binary_is_named(tmp_path):
    with pytest.raises(InputError, match=r"none\.json: cannot be read: No such file"):
        read_association(tmp_path / "none.json")
    (tmp_path / "binary.json").write_bytes(b"\xff\xfe\x00SIMPLE")
    with pytest.raises(InputError, match=r"binary\.json: is not an association: expected JSON"):
        read_association(tmp_path / "binary.json")


def test_members_outside_are_read_when_allowed(tmp_path):
    folder = tmp_path / "asn"
    folder.mkdir()
    (tmp_path / A).touch()
    path = put(folder, content(member(f"../{A}")))
    association = read_association(path, allow_outside=True)
    assert association.products[0].members[0].path.samefile(tmp_path / A)


def test_self_calibration_may_use_a_member_again(tmp_path):
    path = put(tmp_path, content(member(), member(A, "selfcal")))
    assert len(read_association(path).products[0].members) == 2


def test_files_need_not_be_there_when_only_planning(tmp_path):
    path = put(tmp_path, content(member("x_cal.fits")))
    association = read_association(path, check_files=False)
    assert association.products[0].members[0].path == tmp_path / "x_cal.fits"


def test_fields_are_written_in_the_documents_order(tmp_path):
    shuffled = content(
        {"exposerr": "null", "zzz": 1, "exptype": "science", "expname": A}, version_id=None, extra=1
    )
    text = association_text(dict(reversed(shuffled.items())), "x.json")
    read = json.loads(text)
    assert list(read) == [
        "asn_type", "asn_rule", "version_id", "program", "asn_id", "asn_pool", "target",
        "products", "extra",
    ]  # fmt: skip
    assert list(read["products"][0]) == ["name", "members"]
    assert list(read["products"][0]["members"][0]) == ["expname", "exptype", "exposerr", "zzz"]
    assert text.endswith("}\n")
    path = tmp_path / "x_asn.json"
    write_association(shuffled, path)
    assert path.read_text() == text


def test_nothing_wrong_is_written(tmp_path):
    with pytest.raises(InputError, match="unknown exptype 'x'"):
        write_association(content(member(exptype="x")), tmp_path / "x_asn.json")
    assert list(tmp_path.iterdir()) == []


texts = st.text(min_size=1, max_size=20)
product_names = st.from_regex(r"[a-z0-9][a-z0-9 ._-]{0,20}", fullmatch=True)
members = st.lists(
    st.tuples(st.from_regex(r"[a-z0-9_]{1,20}\.fits", fullmatch=True), st.sampled_from(EXPTYPES)),
    min_size=1,
    max_size=8,
    unique_by=lambda pair: pair[0],
)


@given(members, product_names, texts)
def test_what_is_written_can_be_read(tmp_path_factory, members, name, program):
    written = content(*[member(*pair) for pair in members], program=program)
    written["products"][0]["name"] = name
    path = tmp_path_factory.mktemp("asn") / "x_asn.json"
    write_association(written, path)
    association = read_association(path, check_files=False)
    assert association.program == ("" if program.lower() in ("none", "null") else program)
    assert association.products[0].name == name
    assert [(m.path.name, m.exptype) for m in association.products[0].members] == members
    assert json.loads(path.read_text()) == written


@pytest.mark.realdata
def test_associations_of_the_peer_are_read():
    repository = Path(__file__).parents[4]
    default = repository.parent / "shared" / "realdata"
    folder = Path(os.environ.get("CALWEBB_REALDATA", default)) / "pools" / "peer_3.0.0"
    if not folder.is_dir():
        pytest.skip(f"no real data in {folder}")
    files = sorted(folder.glob("*/*.json"))
    assert len(files) > 350
    for file in files:
        association = read_association(file, check_files=False)
        name = AssociationName.parse(file)
        assert (association.program, association.asn_id) == (name.program, name.candidate)
        assert association.asn_type == name.type
