"""Associations as people edit them and as other generators write them."""

import json
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calwebb_core.framework.association import is_association, read_association, validate
from calwebb_core.framework.association_members import member_path
from calwebb_core.framework.errors import InputError
from calwebb_core.framework.names import AssociationName, Level3Name

A = "jw01345001001_02201_00001_nrcalong_cal.fits"
NAME = "jw01345-o001_t001_nircam_clear-f277w"


def product(*members, name=NAME):
    members = members or ({"expname": A, "exptype": "science"},)
    return {"members": list(members)} | ({} if name is None else {"name": name})


def put(folder, *products, file="asn.json", **fields):
    path = folder / file
    path.write_text(json.dumps({**fields, "products": list(products or (product(),))}))
    return path


def read(path, **options):
    return read_association(path, check_files=False, **options)


def test_only_members_are_needed(tmp_path):
    association = read(put(tmp_path, product(name=None)))
    assert association.products[0].name == A.removesuffix("_cal.fits")
    assert association.asn_id == ""
    assert association.level is None


def test_other_keys_are_left_alone(tmp_path):
    member = {"expname": A, "exptype": "science", "exposerr": None, "comment": ["mine"], "v": 2}
    path = put(
        tmp_path, {**product(member), "note": {"a": 1}}, checked_by="me", stars=5, version="3"
    )
    assert read(path).products[0].members[0].raw == member


def test_types_in_any_case(tmp_path):
    members = [
        {"expname": "a.fits", "exptype": "SCIENCE"},
        {"expname": "b.fits", "exptype": " Background "},
    ]
    found = read(put(tmp_path, product(*members))).products[0]
    assert [member.exptype for member in found.members] == ["science", "background"]
    assert found.not_of(["science"]) == {"background": 1}


def test_nothing_is_said_with_words_for_nothing(tmp_path):
    path = put(tmp_path, asn_type="None", asn_pool="none", target="none", asn_id=None)
    association = read(path)
    assert (association.asn_type, association.pool, association.target) == ("", "", "")


@pytest.mark.parametrize(
    ("asn_type", "level"),
    [("image2", 2), ("TSO-Spec2", 2), ("wfs-image3", 3), ("user_built", None)],
)
def test_the_type_tells_the_level(tmp_path, asn_type, level):
    association = read(put(tmp_path, asn_type=asn_type))
    assert association.level == level
    assert association.asn_type == asn_type.lower()


def test_a_byte_order_mark_is_skipped(tmp_path):
    path = put(tmp_path)
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert read(path).products[0].name == NAME


def test_merged_associations_keep_their_products(tmp_path):
    path = put(tmp_path, product(name="p"), product(name="q"))
    assert [item.name for item in read(path).products] == ["p", "q"]
    assert read(path, product="q").only_product("calwebb-image3", 3).name == "q"
    with pytest.raises(InputError, match=r"has no product r; it has p, q$"):
        read(path, product="r")
    with pytest.raises(InputError, match=r"2 products; expected 1 a run of .*choose one of them"):
        read(path).only_product("calwebb-image3", 3)


def test_a_wrong_name_of_a_product_names_some(tmp_path):
    path = put(tmp_path, *(product(name=word) for word in "abcde"))
    with pytest.raises(InputError, match=r"has no product r; it has a, b, c and 2 more$"):
        read(path, product="r")


def test_the_wrong_program_is_told(tmp_path):
    association = read(put(tmp_path, asn_type="spec2"))
    with pytest.raises(InputError, match=r"asn_type is spec2; calwebb-image3 takes .* level 3"):
        association.only_product("calwebb-image3", 3)


def test_placeholders_are_filled(tmp_path):
    name = "jw01345-o001_t001-{source_id}_nirspec_f290lp-g395h-{slit_name}-sub200a1"
    found = read(put(tmp_path, product(name=name))).products[0]
    filled = found.named("asn.json", source_id="s000000012", slit_name="S200A1")
    assert filled == "jw01345-o001_t001-s000000012_nirspec_f290lp-g395h-s200a1-sub200a1"
    with pytest.raises(InputError, match=r"asn.json: product name .* leaves {slit_name} open"):
        found.named("asn.json", source_id="s000000012")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("a_{sourceid}", r"the unknown placeholder {sourceid}; did you mean {source_id}\?"),
        ("a_{xyz}", r"unknown placeholder {xyz}; known: {source_id}, {slit_name}, {suffix}"),
        ("a_{source_id", "has a brace without its other"),
        ("a_}", "has a brace without its other"),
        ("../a", r"the product name '../a' is not one; expected .* as products go to the output"),
        ("/a", "is not one"),
        ("..", "is not one"),
        ("~a", "is not one"),
        ("a\\b", "is not one"),
        ("a\nb", "is not one"),
        ("  ", "name is empty"),
        (3, "name is 3; expected: string, in quotes"),
    ],
)
def test_names_that_no_file_may_have(name, message):
    with pytest.raises(InputError, match=f"^x.json: .*{message}"):
        validate({"products": [product(name=name)]}, "x.json")


def test_a_product_without_name_needs_one_science_member():
    members = [{"expname": f"{word}_cal.fits", "exptype": "science"} for word in "ab"]
    with pytest.raises(InputError, match=r"products\[0\] has no name and 2 science members"):
        validate({"products": [product(*members, name=None)]}, "x.json")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"product": []}, r"has the unknown key 'product'; did you mean products\? Rename it or"),
        ({"Products": []}, "has the unknown key 'Products'; did you mean products"),
        ({"products": [product()], "asn_typ": "image3"}, "unknown key 'asn_typ'; did you mean asn"),
        ({"products": [product()], "ASN_ID": "o001"}, "unknown key 'ASN_ID'; did you mean asn_id"),
        ({"products": [{"nmae": "x", "members": []}]}, r"products\[0\] has the unknown key 'nmae'"),
        ({"products": [{"name": "x", "member": []}]}, "'member'; did you mean members"),
        (
            {"products": [product({"expname": A, "exp_type": "science"})]},
            r"products\[0\].members\[0\] has the unknown key 'exp_type'; did you mean exptype",
        ),
        (
            {"products": [product()], "asn_poll": "pool.csv"},
            "'asn_poll'; did you mean asn_pool",
        ),
        ({"products": {}}, "products is {}; expected: array, in square brackets"),
        ({"products": ["x"]}, r"products\[0\] is 'x'; expected: object, with keys in braces"),
        ({"products": [product(A)]}, r"products\[0\].members\[0\] is '.*'; expected: object"),
        ({"products": [product()], "asn_type": "imgae3"}, "is 'imgae3'; did you mean image3"),
        ({"products": [product()], "asn_id": "../x"}, "asn_id is '../x'; expected letters and"),
        ({"products": [product()], "program": 1345}, "program is 1345; expected: string or null,"),
    ],
)
def test_slips_of_the_pen(content, message):
    with pytest.raises(InputError, match=f"^x.json: .*{message}"):
        validate(content, "x.json")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"products": [],}', "take out the comma after the last entry"),
        ('{"products": [1,\n]}', "take out the comma after the last entry"),
        ('{"a": 1 "b": 2}', "look for a comma, quote or bracket that is missing before it"),
        ("asn_type: image3\n", r"associations begin with \{; YAML is not read"),
        ("", "associations begin with {"),
    ],
)
def test_text_that_is_not_json(tmp_path, text, message):
    path = tmp_path / "asn.json"
    path.write_text(text)
    with pytest.raises(InputError, match=rf"asn\.json: is not JSON: .* in line \d+, .*; {message}"):
        read(path)


def test_what_only_looks_like_an_association(tmp_path):
    path = tmp_path / "asn.json"
    path.write_text("[" * 100_000)
    with pytest.raises(InputError, match=r"asn\.json: is no association: its brackets are nested"):
        read(path)
    long = {"expname": "x" * 300 + "_cal.fits", "exptype": "science"}
    with pytest.raises(InputError, match=r"_cal\.fits not found"):
        read_association(put(tmp_path, product(long)))


@pytest.mark.parametrize("file", ["asn.yaml", "asn.YML"])
def test_yaml_is_refused_by_its_name(tmp_path, file):
    (tmp_path / file).write_text("products: []\n")
    assert is_association(tmp_path / file)
    with pytest.raises(InputError, match=rf"{file}: is YAML; associations are JSON: write it as"):
        read(tmp_path / file)


@pytest.mark.parametrize(
    "expname",
    ["../x.fits", "a/../../x.fits", "/x.fits", "//x.fits", "~/x.fits", "~root/x.fits", "~",
     "..\\x.fits", "C:\\x.fits", "C:x.fits", "a\\x.fits", ".."],
)  # fmt: skip
def test_paths_that_leave_the_folder(tmp_path, expname):
    with pytest.raises(InputError, match=r"^x.json: member .* lies outside .*\(--allow-outside "):
        member_path(expname, tmp_path, "x.json")


@pytest.mark.parametrize("expname", ["x.fits", "./x.fits", "a/b/x.fits", "a/../x.fits", "..x.fits"])
def test_paths_inside_the_folder(tmp_path, expname):
    assert member_path(expname, tmp_path, "x.json") == tmp_path / os.path.normpath(expname)


def test_links_may_not_lead_out(tmp_path):
    folder = tmp_path / "asn"
    (folder / "real").mkdir(parents=True)
    (tmp_path / "secret.fits").touch()
    (folder / "link.fits").symlink_to("../secret.fits")
    (folder / "out").symlink_to(tmp_path)
    (folder / "in").symlink_to("real")
    (tmp_path / "alias").symlink_to(folder)
    for name in ("link.fits", "out/secret.fits"):
        with pytest.raises(InputError, match=f"member {name} lies outside .*: it is a link to "):
            member_path(name, folder, "x.json")
        assert member_path(name, folder, "x.json", allow_outside=True) == folder / name
    assert member_path("in/x.fits", folder, "x.json") == folder / "in" / "x.fits"
    # The folder itself may be reached over a link.
    assert member_path("in/x.fits", tmp_path / "alias", "x.json").name == "x.fits"


def test_what_is_allowed_outside(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    options = {"allow_outside": True}
    folder = tmp_path / "asn"
    assert member_path("~/x.fits", folder, "a", **options) == tmp_path / "home" / "x.fits"
    assert member_path("/data/x.fits", folder, "a", **options) == Path("/data/x.fits")
    assert member_path("../x.fits", folder, "a", **options) == folder / ".." / "x.fits"
    with pytest.raises(InputError, match="a: member ~nobody-at-all/x is in the home folder of no"):
        member_path("~nobody-at-all/x", folder, "a", **options)
    with pytest.raises(InputError, match=r"a: member 'x.*fits' has a control character"):
        member_path("x\0.fits", folder, "a", **options)


def test_one_file_by_two_names_counts_twice(tmp_path):
    (tmp_path / "a.fits").touch()
    (tmp_path / "b.fits").symlink_to("a.fits")
    members = [{"expname": f"{word}.fits", "exptype": "science"} for word in "ab"]
    with pytest.raises(InputError, match=r"members .*a.fits and .*b.fits of product .* the same"):
        read_association(put(tmp_path, product(*members)))


@pytest.fixture
def peer_associations():
    default = Path(__file__).parents[4].parent / "shared" / "realdata"
    folder = Path(os.environ.get("CALWEBB_REALDATA", default)) / "pools" / "peer_3.0.0"
    if not folder.is_dir():
        pytest.skip(f"no real data in {folder}")
    return sorted(folder.glob("*/*.json"))


@pytest.mark.realdata
def test_names_of_the_peers_files_and_products(peer_associations):
    level3 = 0
    for file in peer_associations:
        name = AssociationName.parse(file)
        assert name.file_name == file.name
        (item,) = read(file).products
        if name.type.endswith("3"):
            parsed = Level3Name.parse(item.name)
            assert parsed.root == item.name
            assert (parsed.program, parsed.candidate) == (name.program, name.candidate)
            level3 += 1
    assert level3 > 60


def refusal(function, *arguments):
    """Return what a function says against its arguments; None if it takes them."""
    try:
        function(*arguments)
    except InputError as error:
        return str(error)
    return None


paths = st.lists(st.sampled_from(["..", "a", "~", "", ".", "{source_id}"])).map("/".join)


@given(st.text(max_size=40) | paths)
def test_no_name_leads_out(tmp_path_factory, expname):
    folder = tmp_path_factory.getbasetemp()
    said = refusal(member_path, expname, folder, "x.json")
    if said is None:
        found = member_path(expname, folder, "x.json")
        assert found == folder or folder in Path(os.path.realpath(found)).parents
    else:
        assert said.startswith("x.json: member ")


@given(st.text(max_size=40) | paths)
def test_no_product_lies_elsewhere(name):
    said = refusal(validate, {"products": [product(name=name)]}, "x.json")
    if said is None:
        assert Path("out", f"{name}_i2d.fits").parent == Path("out")
    else:
        assert said.startswith("x.json: ")


words = st.sampled_from(["products", "members", "name", "expname", "exptype", "asn_type", "asn_id"])
plain = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
contents = st.recursive(
    plain, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=4)
)


@given(contents, contents, contents)
def test_any_content_is_accepted_or_explained(content, products, members):
    for whole in (content, {"products": products}, {"products": [{"members": members}]}):
        said = refusal(validate, whole, "x.json")
        assert said is None or said.startswith("x.json: ")
