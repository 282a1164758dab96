"""ASDF files as plain trees: the same content as the asdf library, damage told from novelty."""

import io

import asdf
import numpy as np
import pytest
from astropy import units
from astropy.table import Table
from hypothesis import given, settings
from hypothesis import strategies as st

from calwebb_core.framework.asdf_extension import from_asdf
from calwebb_core.framework.errors import InputError
from calwebb_core.framework.plain_asdf import (
    DamagedError,
    Tagged,
    TaggedList,
    TaggedText,
    UnknownContentError,
    kind_of,
    read_tree,
    write_tree,
)

TAG = "tag:stsci.edu:asdf/transform/shift-1.4.0"


def library(tree, **options):
    """Return an ASDF file as the library writes it."""
    buffer = io.BytesIO()
    asdf.AsdfFile(tree).write_to(buffer, **options)
    return buffer.getvalue()


plain = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**40), 2**40) | st.text(max_size=12)
    | st.floats(allow_nan=False, width=64),
    lambda values: st.lists(values, max_size=4)
    | st.dictionaries(st.text("abcxyz_", min_size=1, max_size=6), values, max_size=4),
    max_leaves=12,
)  # fmt: skip


@settings(max_examples=50, deadline=None)
@given(st.dictionaries(st.text("abcxyz_", min_size=1, max_size=6), plain, max_size=5))
def test_trees_come_back(tree):
    assert read_tree(write_tree(tree)) == tree


@pytest.mark.parametrize("dtype", ["float64", "float32", "int16", "uint32", "uint8", "bool"])
def test_arrays_come_back_with_their_type(dtype):
    array = np.arange(12).reshape(3, 4).astype(dtype)
    again = read_tree(write_tree({"a": array}))["a"]
    assert again.dtype == array.dtype
    assert again.flags.c_contiguous
    np.testing.assert_array_equal(again, array)


def test_library_reads_what_is_written():
    tree = {
        "a": np.array([True, False]),
        "b": [1, 2.5e-7, "x"],
        "c": {"d": None, "e": np.float64(3)},
    }
    with asdf.open(io.BytesIO(write_tree(tree)), validate_checksums=True) as file:
        np.testing.assert_array_equal(file["a"], tree["a"])
        assert file["b"] == tree["b"]
        assert file["c"] == {"d": None, "e": 3.0}


@pytest.mark.parametrize("compression", [None, "zlib", "bzp2"])
def test_what_the_library_writes_is_read(compression):
    array = np.arange(600.0).reshape(20, 30)
    content = library({"a": array, "n": 3}, all_array_compression=compression)
    tree = read_tree(content)
    np.testing.assert_array_equal(tree["a"], array)
    assert tree["n"] == 3


def test_views_share_their_block():
    array = np.arange(30.0)
    tree = read_tree(library({"whole": array, "part": array[4:20:2], "head": array[:3]}))
    np.testing.assert_array_equal(tree["part"], array[4:20:2])
    np.testing.assert_array_equal(tree["head"], array[:3])


def test_inline_arrays():
    tree = read_tree(library({"a": np.array([1.5, 2.5])}, all_array_storage="inline"))
    np.testing.assert_array_equal(tree["a"], [1.5, 2.5])


def test_tags_are_kept():
    tree = {
        "m": Tagged(TAG, {"offset": 1.0}),
        "l": TaggedList(TAG, [1, 2]),
        "t": TaggedText("tag:stsci.edu:asdf/unit/unit-1.0.0", "deg"),
    }
    again = read_tree(write_tree(tree))
    assert {key: value.tag for key, value in again.items()} == {
        key: value.tag for key, value in tree.items()
    }
    assert again == tree
    assert again["m"].kind == "transform/shift"


def test_kinds():
    assert kind_of("tag:stsci.edu:gwcs/step-1.3.0") == "gwcs/step"
    assert kind_of("tag:astropy.org:astropy/table/table-1.0.0") == "table/table"
    assert kind_of("!local") == "!local"


def test_tables():
    table = Table({"filter": ["F200W", "F444W"], "offset": np.array([1.7, 3.2], np.float32)})
    plain = read_tree(library({"t": table}), known=("table/",))["t"]
    assert plain.colnames == table.colnames
    assert len(plain) == 2
    assert list(plain)[1] == {"filter": "F444W", "offset": pytest.approx(3.2)}
    assert plain["filter"].tolist() == ["F200W", "F444W"]


def test_tables_with_units_are_for_the_library():
    content = library({"t": Table({"x": [1.0] * units.m})})
    with pytest.raises(UnknownContentError):
        read_tree(content, known=("table/", "unit/"))


@pytest.mark.parametrize("texts", [np.array(["a", "bcd"]), np.array([b"a", b"bcd"])])
def test_arrays_of_text(texts):
    for how in ("internal", "inline"):
        again = read_tree(library({"a": texts}, all_array_storage=how))["a"]
        assert again.tolist() == texts.tolist()


def test_same_bytes_twice():
    tree = {"b": np.ones(3), "a": {"z": 1, "y": Tagged(TAG, {"offset": 0.1})}}
    assert write_tree(tree) == write_tree(dict(reversed(tree.items())))


def test_unknown_tags_are_told():
    content = write_tree({"x": Tagged("tag:elsewhere.org:table-1.0.0", {})})
    assert read_tree(content)["x"].tag == "tag:elsewhere.org:table-1.0.0"
    with pytest.raises(UnknownContentError, match="elsewhere"):
        read_tree(content, known=("transform/",))


def test_masked_arrays_are_for_the_library():
    content = library({"a": np.ma.MaskedArray([1.0, 2.0], [True, False])})
    with pytest.raises(UnknownContentError, match="a mask"):
        read_tree(content, known=())


def damaged(content, **how):
    place = content.index(b"\xd3BLK")
    return {
        "cut": content[: place + 70],
        "header": content[: place + 20],
        "flipped": content[:-1] + bytes([content[-1] ^ 1]),
        "endless": content[: content.index(b"...\n")],
        "nothing": b"",
        "yaml": content.replace(b"a: ", b"a: [", 1),
        "missing": content[:place],
        "shape": content.replace(b"shape: [5]", b"shape: [6]"),
        "list": b"#ASDF 1.0.0\n--- [1, 2]\n...\n",
    }[how["how"]]


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ("cut", "a block is cut short"),
        ("header", "the header of a block is cut short"),
        ("flipped", "not those of its checksum"),
        ("endless", "its tree has no end"),
        ("nothing", "doesn't begin with #ASDF"),
        ("yaml", "its tree is no YAML"),
        ("missing", "array 0 of 0 is missing"),
        ("shape", "not within its block of 40 bytes"),
        ("list", "its tree is no mapping"),
    ],
)
def test_damage_is_told(how, message):
    content = write_tree({"a": np.arange(5.0)})
    with pytest.raises(DamagedError, match=message):
        read_tree(damaged(content, how=how))


def test_damaged_extension_names_the_file():
    content = write_tree({"calwebb_flow": {}, "a": np.arange(5.0)})
    with pytest.raises(InputError, match=r"x_cal\.fits: its ASDF extension is damaged: not|the by"):
        from_asdf(damaged(content, how="flipped"), "x_cal.fits")
