"""Each limit, and each thing that a file may not do, with a file made for it."""

import gzip
import hashlib
import io
import logging
import os
import zlib

import numpy as np
import pytest
from astropy.io import fits

from calwebb_associate.headers import read_primary
from calwebb_associate.pool_cache import HeaderCache
from calwebb_core.framework import fits_layout, log
from calwebb_core.framework.asdf_extension import from_asdf
from calwebb_core.framework.command import report_error
from calwebb_core.framework.crds_parameters import options_for
from calwebb_core.framework.errors import InputError, ReferenceFileError
from calwebb_core.framework.json_reading import UnfitJsonError, parse_json
from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.plain_asdf import DamagedError, check_for_library, read_tree
from calwebb_core.framework.plain_asdf_blocks import BLOCK_HEADER, BLOCK_MAGIC
from calwebb_core.framework.plain_files import open_regular, read_content
from calwebb_core.framework.printing import one_line, printable
from calwebb_core.framework.products import read_image, read_metadata, write_image
from calwebb_core.framework.reference_files import read_reference
from calwebb_core.framework.yaml_reading import load_yaml

from . import valid

SCIENCE = Metadata(valid.KEYWORDS, source="x_uncal.fits")
HEAD = b"#ASDF 1.0.0\n%YAML 1.1\n%TAG ! tag:stsci.edu:asdf/\n--- !core/asdf-1.1.0\n"


def tree(text, *blocks):
    """Return an ASDF file of a text and blocks."""
    return HEAD + text + b"\n...\n" + b"".join(blocks)


def block(stored, size, compression=b"\0\0\0\0"):
    """Return a block that is said to hold `size` bytes."""
    digest = hashlib.md5(stored).digest()
    head = BLOCK_HEADER.pack(0, compression, len(stored), len(stored), size, digest)
    return BLOCK_MAGIC + len(head).to_bytes(2, "big") + head + stored


PACKED = zlib.compress(bytes(1_000_000))
ARRAY = b"a: !core/ndarray-1.1.0 {source: 0, byteorder: little, %s}"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (tree(b"a: " + b"[" * 200_000), "nested too deeply"),
        (tree(b"- " * 200_000), "nested too deeply"),
        (tree(b"a: &a [*a]"), "stands for nothing"),
        (tree(b"a: 1\na: 2"), "there twice"),
        (tree(b"a: " + b"9" * 5000), "cannot be made out"),
        (tree(b"a: 2020-99-99"), "cannot be made out"),
        (tree(ARRAY % b"datatype: int8, shape: [99999, 9999], strides: [0, 0]", block(bytes(8), 8)),
         "not within its block of 8"),
        (tree(ARRAY % b"datatype: float64, shape: [-1]", block(bytes(8), 8)), "not within"),
        (tree(ARRAY % b"datatype: uint8, shape: [9]", block(PACKED, 9, b"zlib")),
         "does not hold the 9 bytes"),
        (tree(b"a: 1", block(b"x", 1 << 40, b"zlib")), "is said to hold 1099511627776"),
        (tree(ARRAY % b"datatype: uint8, shape: [9]", block(b"nothing", 9, b"zlib")),
         "cannot be decompressed"),
        (tree(b"a: !core/ndarray-1.1.0 [[1, 2], [3]]"), "do not go together"),
        (tree(b"a: !core/ndarray-1.1.0 [{b: 1}]"), "no numbers or texts"),
        (tree(b"a: !core/table-1.0.0 {columns: [], colnames: [b]}"), "without column"),
    ],
)  # fmt: skip
def test_trees(content, message):
    with pytest.raises(DamagedError, match=message):
        read_tree(content)


@pytest.mark.parametrize(
    "text",
    [
        b"a: !core/ndarray-1.1.0 {source: 'other.asdf', datatype: uint8, shape: [1]}",
        b"a: !core/ndarray-1.1.0 {source: 'http://x/y', datatype: uint8, shape: [1]}",
        b"a: !core/externalarray-1.0.0 {fileuri: /etc/passwd, datatype: uint8, shape: [1]}",
        b"a: {$ref: 'other.asdf#/b'}",
    ],
)
def test_trees_do_not_refer_to_other_files(text):
    with pytest.raises(DamagedError, match="refers to another file"):
        check_for_library(tree(text))
    check_for_library(tree(b"a: !core/ndarray-1.1.0 {source: 'fits:SCI,1', shape: [1]}"))


@pytest.mark.parametrize(
    "text", [b"calwebb_flow: 7", b"calwebb_flow: {runs: [1]}", b"meta: {wcs: !<x> {wcs: 1}}\nwcs:"]
)
def test_records_and_wcs_of_another_form(text):
    with pytest.raises(InputError, match=r"x_cal\.fits: its ASDF extension is damaged"):
        from_asdf(tree(text + b"\na: [" + b"}"), "x_cal.fits")
    if b"flow" in text:
        with pytest.raises(InputError, match="no record of runs"):
            from_asdf(tree(text), "x_cal.fits")


def test_laughs_and_merged_keys():
    lines = ["a0: &a0 {x: 1}"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]
    with pytest.raises(Exception, match="more than 1000000"):
        load_yaml("\n".join(lines))
    assert load_yaml("a: &a {b: 1}\nc: {<<: *a, d: *a}") == {
        "a": {"b": 1},
        "c": {"b": 1, "d": {"b": 1}},
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"a": 1, "a": 2}', "'a' is there twice"),
        ("[NaN]", "NaN is no number"),
        ("[-Infinity]", "-Infinity is no number"),
        ("9" * 301, "301 digits"),
        ("[" * 100_000, "nested without end"),
        (r'["\udc80"]', "half a character"),
        (r'{"\ud800": 1}', "half a character"),
    ],
)
def test_json(text, message):
    with pytest.raises(UnfitJsonError, match=message):
        parse_json(text)


def test_json_that_is_well():
    assert parse_json(r'{"a": ["\u00e9", "\ud83d\ude00", 1e5, 12]}') == {"a": ["é", "😀", 1e5, 12]}


def test_texts_for_a_terminal():
    assert printable("a\x1b[31m\n\u202eb\ud800é") == r"a\x1b[31m\x0a\u202eb\ud800é"
    assert one_line(" a\n\tb ") == "a b"
    assert len(one_line("x" * 10**6)) < 2100


def test_messages_and_logs_are_escaped(capsys, tmp_path):
    log.configure(path=tmp_path / "x.log")
    try:
        logging.getLogger("calwebb_core").warning("name %s", "\x1b[2J\nerror: forged")
        assert report_error("x", InputError("file \x1b]0;title\x07 is bad"), debug=False) == 2
        assert report_error("x", MemoryError("9 GB"), debug=False) == 1
    finally:
        log.close()
    shown = capsys.readouterr().err + (tmp_path / "x.log").read_text()
    assert "\x1b" not in shown
    assert r"warning: name \x1b[2J\x0aerror: forged" in shown
    assert r"x: error: file \x1b]0;title\x07 is bad" in shown
    assert "x: error: not enough memory (9 GB)" in shown


def test_only_regular_files_up_to_a_size(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for place in (tmp_path / "pipe", "/dev/zero"):
        with pytest.raises(OSError, match="pipe or device"):
            open_regular(place)
    with pytest.raises(OSError, match="none that a file can have"):
        open_regular("a\0b")
    (tmp_path / "x").write_bytes(bytes(11))
    assert len(read_content(tmp_path / "x", 11)) == 11
    with pytest.raises(OSError, match="too large"):
        read_content(tmp_path / "x", 10)


@pytest.fixture
def image(tmp_path):
    path = tmp_path / "x_cal.fits"
    valid.image(path)
    return path


def replace(path, old, new):
    """Change a card of a file in place."""
    content = path.read_bytes()
    assert old in content
    path.write_bytes(content.replace(old, new.ljust(len(old))[: len(old)]))


def test_headers_without_end(tmp_path):
    path = tmp_path / "x_uncal.fits"
    path.write_bytes(b"SIMPLE  =                    T".ljust(80))
    os.truncate(path, 1 << 32)
    with pytest.raises(InputError, match="has no END"):
        read_metadata(path)
    with pytest.raises(InputError, match="ends within its primary header"):
        read_primary(path)


def test_many_hdus(image, monkeypatch):
    monkeypatch.setattr(fits_layout, "MOST_HDUS", 5)
    with pytest.raises(InputError, match="more than 5 HDUs"):
        fits_layout.scan(image)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (b"'J       '", b"'9999999J'", "columns of a table have"),
        (b"TFIELDS =                    3", b"TFIELDS =                99999", "TFIELDS is 99999"),
        (b"TFIELDS =                    3", b"TFIELDS =                    4", "TFORM4"),
        (
            b"NAXIS1  =                   19",
            b"NAXIS1  =                   18",
            "columns of a table",
        ),
        (b"NAXIS   =                    2", b"NAXIS   =                   99", "NAXIS is 99"),
        (b"NAXIS1  =                    8", b"NAXIS1  =                  8.5", "NAXIS1 is 8.5"),
        (b"PCOUNT  =                    0", b"PCOUNT  =                    7", "PCOUNT and GCOUNT"),
    ],
)
def test_structure(image, old, new, message):
    replace(image, old, new)
    with pytest.raises(InputError, match=message):
        read_image(image)


def test_keywords_that_no_header_can_hold_are_left_out(image, tmp_path, caplog):
    replace(image, b"TARGNAME= 'EGS     '", b"TARGNAME= 'E\x1b[2J'")
    replace(image, b"'EGS-FIELD'", b"'\xc9GS'")
    made = read_image(image)
    assert "TARGNAME" not in made.metadata
    assert "keyword TARGNAME in PRIMARY is unreadable; left out" in caplog.text
    write_image(made, tmp_path / "y_cal.fits")
    read_image(tmp_path / "y_cal.fits")


def test_pool_values_have_no_control_characters(image):
    replace(image, b"TARGNAME= 'EGS     '", b"TARGNAME= 'E\x1b[2J'")
    assert read_primary(image)["TARGNAME"] == "E?[2J"


def test_compressed_references(tmp_path):
    path = tmp_path / "flat.fits.gz"
    valid.reference(tmp_path / "flat.fits")
    path.write_bytes(gzip.compress((tmp_path / "flat.fits").read_bytes()))
    assert read_reference("flat", path, SCIENCE).arrays["SCI"].shape == (6, 8)
    with gzip.open(path, "wb", 1) as stream:
        for _ in range(300):
            stream.write(bytes(1_000_000))
    with pytest.raises(ReferenceFileError, match="holds more than 256000000 bytes"):
        read_reference("flat", path, SCIENCE)
    path.write_bytes(gzip.compress(b"none"))
    with pytest.raises(ReferenceFileError, match="does not start with SIMPLE"):
        read_reference("flat", path, SCIENCE)


def test_images_that_claim_to_be_large(tmp_path):
    path = tmp_path / "flat.fits"
    packed = fits.CompImageHDU(np.ones((6, 8), np.float32), name="SCI")
    buffer = io.BytesIO()
    fits.HDUList([fits.PrimaryHDU(), packed]).writeto(buffer)
    path.write_bytes(
        buffer.getvalue()
        .replace(b"ZNAXIS1 =                    8", b"ZNAXIS1 =               800000")
        .replace(b"ZNAXIS2 =                    6", b"ZNAXIS2 =               600000")
    )
    with pytest.raises(ReferenceFileError, match="are said to hold 1920000000000 bytes"):
        read_reference("flat", path, SCIENCE)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [("VALUE", -1, "VALUE -1; expected a number of 32 bits"), ("WORTH", 1, "no column VALUE")],
)
def test_definitions_of_flags(tmp_path, name, value, message):
    path = tmp_path / "flat.fits"
    valid.reference(path)
    with fits.open(path, mode="update") as hdus:
        rows = np.array([(value, b"DEAD")], [(name, "i4"), ("NAME", "S20")])
        hdus["DQ_DEF"] = fits.BinTableHDU(rows, name="DQ_DEF")
    with pytest.raises(ReferenceFileError, match=message):
        read_reference("flat", path, SCIENCE)


def test_hooks_never_come_from_crds(tmp_path):
    from calwebb_detector1.pipeline import PIPELINE

    path = tmp_path / "pars-jumpstep.asdf"
    hook = b"  post_hooks: ['touch hacked']\n  pre_hooks: [os:getcwd]\n"
    path.write_bytes(valid.parameter_reference().replace(b"parameters:\n", b"parameters:\n" + hook))
    layer, unknown = options_for("pars-jumpstep", path, PIPELINE.steps)
    assert not [name for values in layer.values() for name in values if "hook" in name]
    assert "post_hooks (only the user may name code to run)" in "; ".join(unknown)
    assert "pre_hooks (only" in "; ".join(unknown)


def test_kept_headers_of_another_form(tmp_path, caplog):
    path = tmp_path / "kept"
    path.write_text("[" * 100_000)
    assert len(HeaderCache(path)) == 0
    assert "cannot be used" in caplog.text
