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
from yaml import YAMLError

from calwebb_associate.headers import read_primary
from calwebb_associate.pool_cache import HeaderCache
from calwebb_core.framework import fits_layout, log, memory, reference_fits
from calwebb_core.framework.asdf_extension import from_asdf
from calwebb_core.framework.command import report_error
from calwebb_core.framework.crds_parameters import options_for
from calwebb_core.framework.errors import (
    CalwebbError,
    InputError,
    ProcessingError,
    ReferenceFileError,
)
from calwebb_core.framework.json_reading import UnfitJsonError, parse_json
from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.plain_asdf import DamagedError, check_for_library, read_tree
from calwebb_core.framework.plain_asdf_blocks import BLOCK_HEADER, BLOCK_MAGIC
from calwebb_core.framework.plain_files import ANY_SIZE, check_holes, open_regular, read_content
from calwebb_core.framework.printing import one_line, printable
from calwebb_core.framework.products import read_image, read_metadata, read_ramp, write_image
from calwebb_core.framework.reference_files import read_reference
from calwebb_core.framework.yaml_reading import load_yaml

from . import valid
from .test_programs import PRIMARY, header, science

SCIENCE = Metadata(valid.KEYWORDS, source="x_uncal.fits")
HEAD = b"#ASDF 1.0.0\n%YAML 1.1\n%TAG ! tag:stsci.edu:asdf/\n--- !core/asdf-1.1.0\n"


def read_reference_of(path):
    """Read a flat field for no exposure."""
    return read_reference("flat", path)


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
    ("text", "message"),
    [
        (b"a: !transform/identity-1.2.0 {n_dims: 100000000}", "n_dims of a transform is 100000000"),
        (b"a: !transform/identity-1.2.0 {n_dims: 1e8}", None),
        (b"a: !transform/remap_axes-1.3.0 {mapping: [0], n_inputs: 99999}", "n_inputs of a"),
        (b"a: !transform/remap_axes-1.3.0 {mapping: [1001]}", "mapping of a transform is 1001"),
        (b"a: !transform/constant-1.4.0 {value: 1, dimensions: 0x7fffffff}", "dimensions of a"),
        (b"a: !unit/unit-1.0.0 '10**99999999 m'", "is no unit that is used here"),
        (b"a: {value: 1, unit: m**99999}", "is no unit that is used here"),
        (b"a: !unit/unit-1.0.0 '" + b"(" * 300 + b"m" + b")" * 300 + b"'", "is no unit"),
        (b"a: {datatype: [ucs4, 400000000], data: [x]}", "texts of an array have 400000000"),
        (b"a: {shape: [9999, 9999], strides: [0, 0], datatype: int8, source: 0}", "with strides"),
        (b"a: !unit/unit-1.0.0 MJy sr-1\nb: !transform/identity-1.2.0 {n_dims: 3}", None),
    ],
)  # fmt: skip
def test_trees_do_not_count_without_end(text, message):
    content = tree(b"t: !time/time-1.1.0 '2020-01-01T00:00:00'\n" + text)
    if message is None:
        check_for_library(content)
        return
    with pytest.raises(DamagedError, match=message):
        check_for_library(content)


def test_texts_in_plain_trees_are_short():
    with pytest.raises(DamagedError, match="texts of an array have 400000000 characters"):
        read_tree(tree(b"a: !core/ndarray-1.1.0 {data: [x], datatype: [ucs4, 400000000]}"))


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
    os.truncate(path, 200_000_000)
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
        (
            b"'BINTABLE'           / binary table extension                         "
            b"BITPIX  =                    8 / array data type                                "
            b"NAXIS   =                    2",
            b"'BINTABLE'           / binary table extension                         "
            b"BITPIX  =                    8 / array data type                                "
            b"NAXIS   =                    0",
            "a table has BITPIX 8 and 0 axes",
        ),
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


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (b"ZNAXIS  =                    2", b"ZNAXIS  =           2147483648", "ZNAXIS is 21474"),
        (b"ZNAXIS1 =                    8", b"ZNAXIS1 =                   -8", "ZNAXIS1 is -8"),
        (b"ZNAXIS1 =                    8", b"ZNAXIS1 =  9223372036854775807", "has more values"),
        (b"ZNAXIS2 =", b"ZNAXIX2 =", "ZNAXIS2"),
    ],
)
def test_axes_of_compressed_images(tmp_path, old, new, message, packed):
    buffer = io.BytesIO()
    image = fits.CompImageHDU(np.ones((6, 8), np.float32), name="SCI")
    fits.HDUList([fits.PrimaryHDU(), image]).writeto(buffer)
    assert old in buffer.getvalue()
    content = buffer.getvalue().replace(old, new)
    path = tmp_path / ("flat.fits.gz" if packed else "flat.fits")
    path.write_bytes(gzip.compress(content) if packed else content)
    with pytest.raises(ReferenceFileError, match=message):
        read_reference_of(path)


def test_lists_of_files_with_lines_that_no_name_has(tmp_path):
    from calwebb_associate.files import raw_exposures

    (tmp_path / "files.txt").write_text("x" * 5000)
    with pytest.raises(InputError, match=r"files\.txt: lists .*x, which does not exist"):
        raw_exposures([tmp_path / "files.txt"])


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


@pytest.mark.parametrize("name", [r"$\frac{", "$$", "a_b^c%{}", "<script>alert(1)</script>"])
def test_names_on_pictures_are_no_formulas(image, tmp_path, name):
    from calwebb_core.framework.quicklook import write_quicklook

    made = read_image(image)
    made.metadata.update({"TARGNAME": name, "TARGPROP": name, "FILTER": name, "BUNIT": name})
    write_image(made, tmp_path / "y_cal.fits")
    write_quicklook(tmp_path / "y_cal.fits", tmp_path / "y.png")
    assert (tmp_path / "y.png").stat().st_size > 1000


def holes(path, size):
    """Make a file longer by what takes no room on a disk."""
    os.truncate(path, path.stat().st_size + size)


@pytest.mark.parametrize("read", [read_image, read_metadata, read_reference_of])
def test_files_of_holes(tmp_path, read):
    path = tmp_path / "x_cal.fits"
    path.write_bytes(header(*PRIMARY) + science(50_000, 50_000))
    holes(path, 4 * 50_000**2 + 2880)
    with pytest.raises(CalwebbError, match=r"all except [0-9]+ are holes that were never written"):
        read(path)


def test_files_with_some_holes_are_read(tmp_path):
    size = ANY_SIZE + 1
    with (tmp_path / "x").open("wb+") as stream:
        stream.truncate(size)
        with pytest.raises(OSError, match="holes"):
            check_holes(stream.fileno(), size)
        check_holes(stream.fileno(), ANY_SIZE)
        for place in range(0, size, 1 << 20):  # four pages of every 256
            stream.seek(place)
            stream.write(bytes(4 << 12))
        stream.seek(5)
        check_holes(stream.fileno(), size)
        assert stream.tell() == 5


@pytest.fixture
def little_memory(monkeypatch):
    """As if this process might have 100 bytes."""
    for module in (memory, reference_fits):
        monkeypatch.setattr(module, "most_memory", lambda: 100)


def test_what_no_memory_holds(image, tmp_path, little_memory):
    with pytest.raises(InputError, match=r"the arrays of the image would take .* GB of memory"):
        read_image(image)
    valid.ramp(tmp_path / "x_ramp.fits")
    with pytest.raises(InputError, match="its samples and their flags would take"):
        read_ramp(tmp_path / "x_ramp.fits")
    valid.reference(tmp_path / "flat.fits")
    with pytest.raises(ReferenceFileError, match=r"DQ would take .* for this process"):
        read_reference_of(tmp_path / "flat.fits")


@pytest.mark.parametrize("name", ["flat.fits.gz", "packed.fits"])
def test_what_no_memory_unpacks(tmp_path, little_memory, name):
    buffer = io.BytesIO()
    packed = fits.CompImageHDU(np.ones((6, 8), np.float32), name="SCI")
    fits.HDUList([fits.PrimaryHDU(), packed]).writeto(buffer)
    content = buffer.getvalue()
    (tmp_path / name).write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    with pytest.raises(ReferenceFileError, match=r"holds more than|are said to hold"):
        read_reference_of(tmp_path / name)


def test_parts_of_references_that_no_memory_holds(tmp_path, monkeypatch):
    valid.reference(tmp_path / "flat.fits")
    reference = read_reference_of(tmp_path / "flat.fits")
    monkeypatch.setattr(memory, "most_memory", lambda: 100)
    with pytest.raises(ReferenceFileError, match="SCI would take"):
        reference.arrays["SCI"]


def test_limits_of_this_process(tmp_path):
    assert 1 << 20 < memory.most_memory() < 1 << 50
    (tmp_path / "tree" / "slurm" / "job").mkdir(parents=True)
    (tmp_path / "tree" / "slurm" / "job" / "memory.max").write_text("2000\n")
    (tmp_path / "tree" / "slurm" / "memory.max").write_text("max\n")
    (tmp_path / "groups").write_text("1:cpu:/x\n0::/slurm/job\n")
    assert memory.group_limits(tmp_path / "groups", tmp_path / "tree") == [2000]
    assert memory.group_limits(tmp_path / "absent", tmp_path / "tree") == []


def test_references_that_become_shorter_or_others(tmp_path):
    path = tmp_path / "flat.fits"
    valid.reference(path)
    kept, cut = read_reference_of(path), read_reference_of(path)
    kept.arrays["SCI"], cut.arrays["DQ"]
    (tmp_path / "new").write_bytes(b"other")
    content = path.read_bytes()
    os.truncate(path, 2880)
    with pytest.raises(ProcessingError, match="became shorter while it was read"):
        cut.arrays["SCI"]
    path.write_bytes(content)
    (tmp_path / "new").replace(path)
    assert kept.arrays["SCI"].shape == (6, 8)


def test_scenarios_and_options_of_the_workflow(tmp_path):
    from calwebb_associate.crate.settings import crate_options
    from calwebb_simulator.scenario_file import load_scenario

    path = tmp_path / "x.yaml"
    path.write_text("a: &a [1, 1]\n" + "".join(
        f"a{n}: &a{n} [{', '.join([f'*a{n - 1}' if n else '*a'] * 9)}]\n" for n in range(9)
    ))  # fmt: skip
    with pytest.raises(InputError, match=r"x\.yaml: is not YAML: .*more than 1000000"):
        load_scenario(str(path))
    with pytest.raises(YAMLError, match="more than 1000000"):
        crate_options({}, path, {})
    path.write_text("!!python/object/apply:os.system ['touch hacked']")
    with pytest.raises(InputError, match="is not YAML"):
        load_scenario(str(path))
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="the scenario file cannot be read"):
        load_scenario(str(path))


@pytest.mark.parametrize(
    "content",
    [
        tree(b"wcs: !transform/identity-1.2.0 {n_dims: 100000000}"),
        tree(b"wcs: {$ref: 'other.asdf#/wcs'}"),
        tree(b"wcs: " + b"[" * 10_000),
        b"none",
    ],
)
def test_output_grids(tmp_path, content):
    from calwebb_core.framework.grid_file import read_grid

    (tmp_path / "grid.asdf").write_bytes(content)
    with pytest.raises(InputError, match=r"grid\.asdf: output_wcs can't be read as ASDF"):
        read_grid(tmp_path / "grid.asdf")


@pytest.mark.parametrize(
    "content",
    [
        b"<?xml version='1.0'?><!DOCTYPE x [<!ENTITY a SYSTEM 'file:///etc/passwd'>]><x>&a;</x>",
        gzip.compress(b"ra,dec\n1,2\n", mtime=0),
        b"# %ECSV 1.0\n# ---\n# {datatype: " + b"[" * 1000 + b"}\nra\n1\n",
        header(*PRIMARY) + b"XTENSION= 'BINTABLE'".ljust(80),
        b"\x89HDF\r\n\x1a\n",
    ],
)
def test_catalogs_of_options(tmp_path, content):
    from calwebb_level3.imaging.reference_catalogs import read_positions, read_table

    path = tmp_path / "stars.ecsv"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"stars\.ecsv: abs_refcat can't be read as a table"):
        read_table(path, "abs_refcat")
    path.write_text("ra,dec\n1,2\n")
    assert read_table(path, "abs_refcat").colnames == ["ra", "dec"]
    path.write_text("ra,dec\n1,two\n")
    with pytest.raises(InputError, match="column dec has values that are no numbers"):
        read_positions(path)
