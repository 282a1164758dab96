import json
import os

import numpy as np
import pytest
from astropy.io import fits
from hypothesis import given
from hypothesis import strategies as st

from calwebb_core.framework.crds_client import Selection
from calwebb_core.framework.errors import InputError, ReferenceFileError
from calwebb_core.framework.hashing import sha256_of
from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.models import Table
from calwebb_core.framework.reference_data import Reference, Window
from calwebb_core.framework.reference_dq import translate_dq
from calwebb_core.framework.reference_files import read_reference
from calwebb_core.framework.reference_list import write_reference_list
from calwebb_core.framework.references import References
from calwebb_core.science.dq import PixelDQ

EXPOSURE = {"INSTRUME": "NIRCAM", "DETECTOR": "NRCA1"}


def exposure(x=1, y=1, nx=4, ny=4, **keywords):
    window = {"SUBSTRT1": x, "SUBSTRT2": y, "SUBSIZE1": nx, "SUBSIZE2": ny}
    return Metadata({**EXPOSURE, **window, **keywords}, "sci.fits")


def load(path, kind="gain", metadata=None, **options):
    references = References({}).with_overrides({kind: path})
    return references.load(kind, metadata or exposure(), **options)


def write_full(path, shape=(8, 10), **keywords):
    header = fits.Header({"REFTYPE": "DARK", **EXPOSURE, **keywords})
    data = np.arange(np.prod(shape), dtype="f4").reshape(shape)
    dq = np.arange(shape[-2] * shape[-1], dtype="u4").reshape(shape[-2:])
    definition = np.array(
        [(0, 1, "DO_NOT_USE", ""), (1, 2, "HOT", "")],
        dtype=[("BIT", "i4"), ("VALUE", "u4"), ("NAME", "S40"), ("DESCRIPTION", "S80")],
    )
    fits.HDUList(
        [
            fits.PrimaryHDU(header=header),
            fits.ImageHDU(data, name="SCI"),
            fits.ImageHDU(dq, name="DQ"),
            fits.BinTableHDU(definition, name="DQ_DEF"),
        ]
    ).writeto(path)
    return path


def test_arrays_are_native_contiguous_and_keep_their_type(make_gain):
    reference = load(make_gain(dtype=">i2"))
    array = reference.arrays["SCI"]
    assert array.dtype == np.int16
    assert array.dtype.isnative
    assert array.flags.c_contiguous


def test_full_frame_is_cut_out(tmp_path):
    path = write_full(tmp_path / "dark.fits", shape=(3, 8, 10))
    whole = load(path, "dark", exposure(nx=10, ny=8)).arrays["SCI"]
    cut = load(path, "dark", exposure(x=3, y=2, nx=4, ny=5))
    np.testing.assert_array_equal(cut.arrays["SCI"], whole[:, 1:6, 2:6])
    assert cut.arrays["DQ"].shape == cut.dq.shape == (5, 4)
    assert cut.arrays["SCI"].flags.c_contiguous
    uncut = load(path, "dark", exposure(x=3, y=2, nx=4, ny=5), cutout=False)
    np.testing.assert_array_equal(uncut.arrays["SCI"], whole)


def test_subarray_reference_of_another_origin(tmp_path):
    path = write_full(tmp_path / "dark.fits", SUBSTRT1=5, SUBSTRT2=7, SUBSIZE1=10, SUBSIZE2=8)
    cut = load(path, "dark", exposure(x=6, y=8, nx=2, ny=3)).arrays["SCI"]
    assert cut[0, 0] == 11


@pytest.mark.parametrize("start", [(8, 1), (1, 6)])
def test_reference_that_does_not_cover(tmp_path, start):
    path = write_full(tmp_path / "dark.fits")
    message = r"covers columns 1-10, rows 1-8, but the exposure sci\.fits is columns"
    with pytest.raises(ReferenceFileError, match=message):
        load(path, "dark", exposure(*start))


def test_reference_that_contradicts_itself(tmp_path):
    path = write_full(tmp_path / "dark.fits", SUBSIZE1=10, SUBSIZE2=9)
    with pytest.raises(ReferenceFileError, match="are 10, 9, but SCI has 10 columns and 8 rows"):
        load(path, "dark")


def test_ipc_kernel_is_left_whole(make_gain):
    path = make_gain(kind="ipc", shape=(3, 3), SUBSIZE1=2048, SUBSIZE2=2048)
    assert load(path, "ipc", exposure(nx=2048, ny=2048)).arrays["SCI"].shape == (3, 3)


@given(st.integers(1, 10), st.integers(1, 10), st.integers(1, 10), st.integers(1, 10))
def test_window_contains_itself_and_its_corners(x, y, nx, ny):
    window = Window(x, y, nx, ny)
    assert window.contains(window)
    assert window.contains(Window(x + nx - 1, y + ny - 1, 1, 1))
    assert not window.contains(Window(x + nx, y, 1, 1))
    assert not window.contains(Window(x, y - 1, 1, 1))


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"REFTYPE": "READNOISE"}, "REFTYPE is 'readnoise', expected 'gain'; name the right"),
        ({"INSTRUME": "MIRI"}, r"INSTRUME of the gain reference file is MIRI, but .* NIRCAM"),
        ({"DETECTOR": "NRCB4"}, r"DETECTOR of the gain reference file is NRCB4, but .* NRCA1"),
    ],
)
def test_wrong_reference(make_gain, keywords, message):
    with pytest.raises(ReferenceFileError, match=message):
        load(make_gain(**keywords))


@pytest.mark.parametrize("detector", ["N/A", "ANY", "NRCA1|NRCA2", ""])
def test_reference_for_several_detectors(make_gain, detector):
    assert load(make_gain(DETECTOR=detector)) is not None


def test_a_reference_measured_with_another_detector_that_is_for_this_one_too(make_gain):
    path = make_gain(DETECTOR="NRCB4", P_DETECT="NRCA1|NRCB4|")
    assert load(path) is not None
    with pytest.raises(ReferenceFileError, match="DETECTOR of the gain reference file is NRCB4"):
        load(path, metadata=exposure(DETECTOR="NRCA2"))


def test_long_wave_detectors_have_two_names(make_gain):
    path = make_gain(DETECTOR="NRCA5")
    assert load(path, metadata=exposure(DETECTOR="NRCALONG")) is not None


def test_truncated_reference(make_gain):
    path = make_gain(shape=(200, 200))
    with path.open("r+b") as file:
        file.truncate(10000)
    with pytest.raises(
        ReferenceFileError,
        match=r"truncated: found 10000 bytes; expected at least \d+ for HDU SCI; fetch",
    ):
        load(path, metadata=exposure(nx=200, ny=200))


@pytest.mark.parametrize(("name", "kind"), [("gain.fits", "FITS"), ("gain.asdf", "ASDF")])
@pytest.mark.parametrize("content", [b"", b"no such format"])
def test_unreadable_reference(tmp_path, name, kind, content):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ReferenceFileError, match=f"gain reference file is no readable {kind}"):
        load(tmp_path / name)


def test_missing_reference(tmp_path, gain_file, refs_file):
    gain_file.unlink()
    references = References.from_file(refs_file)
    message = (
        r"gain\.fits: the gain reference file does not exist; fetch it with `crds sync --files"
    )
    with pytest.raises(ReferenceFileError, match=message):
        references.load("gain", exposure())
    with pytest.raises(ReferenceFileError, match="does not exist"):
        references.check(["gain"])
    with pytest.raises(ReferenceFileError, match="file of --override gain does not exist"):
        References({}).with_overrides({"gain": tmp_path / "none.fits"})


def test_reading_alone(gain_file):
    assert read_reference("gain", gain_file).arrays["SCI"].shape == (4, 4)


def test_type_that_is_not_listed():
    with pytest.raises(
        ReferenceFileError, match=r"no gain reference file in .*--override gain=FILE"
    ):
        References({}).load("gain", exposure())


def test_override_of_unknown_type(gain_file):
    with pytest.raises(InputError, match="unknown reference type 'gian'; did you mean gain"):
        References({}).with_overrides({"gian": gain_file})


def test_override_with_nothing():
    references = References({}).with_overrides({"GAIN": "n/a"})
    assert references.load("gain", exposure()) is None
    assert references.keyword_value("gain") == "N/A"
    assert references.used() == {"gain": {"name": "N/A", "sha256": ""}}


def test_in_memory():
    dq = np.array([[1, 2]], np.uint8)
    references = References.of(gain={"SCI": np.ones((1, 2)), "DQ": dq}, flat=None)
    reference = references.load("gain", Metadata())
    assert reference.dq.dtype == np.uint32
    assert reference.path is None
    assert references.load("flat", Metadata()) is None
    assert references.used()["gain"]["sha256"] == ""


def test_small_references_are_read_once(make_gain):
    references = References({}).with_overrides({"gain": make_gain()})
    assert references.load("gain", exposure()) is references.load("GAIN", exposure())
    other = references.load("gain", exposure(nx=2))
    assert other.arrays["SCI"].shape == (4, 2)


def test_asdf_reference(tmp_path):
    import asdf

    tree = {"meta": {"reftype": "distortion", "instrument": {"name": "NIRCAM"}}, "model": [1, 2]}
    path = tmp_path / "d.asdf"
    asdf.AsdfFile(tree).write_to(path)
    reference = load(path, "distortion")
    assert list(reference.tree["model"]) == [1, 2]
    assert reference.metadata["INSTRUME"] == "NIRCAM"
    tree["meta"]["instrument"]["name"] = "MIRI"
    asdf.AsdfFile(tree).write_to(path)
    with pytest.raises(ReferenceFileError, match="INSTRUME of the distortion reference file"):
        load(path, "distortion")


def test_tables_have_text_and_units(tmp_path):
    columns = [
        fits.Column("filter", "12A", array=["F200W", "F444W"]),
        fits.Column("photmjsr", "E", unit="MJy/sr", array=[1.5, 2.5]),
        fits.Column("relresponse", "3E", array=np.ones((2, 3))),
    ]
    table = fits.BinTableHDU.from_columns(columns, name="PHOTOM")
    fits.HDUList([fits.PrimaryHDU(header=fits.Header(EXPOSURE)), table]).writeto(
        tmp_path / "p.fits"
    )
    read = load(tmp_path / "p.fits", "photom").tables["PHOTOM"]
    assert list(read.data["filter"]) == ["F200W", "F444W"]
    assert read.data["photmjsr"].dtype == np.dtype("f4")
    assert read.data["relresponse"].shape == (2, 3)
    assert read.units == {"photmjsr": "MJy/sr"}


def test_quality_bits_are_translated_by_name(tmp_path):
    reference = load(write_full(tmp_path / "dark.fits"), "dark", exposure(nx=10, ny=8))
    raw = reference.arrays["DQ"]
    expected = np.where(raw & 1, PixelDQ.DO_NOT_USE, 0) | np.where(raw & 2, PixelDQ.HOT, 0)
    np.testing.assert_array_equal(reference.dq, expected)
    assert reference.dq.dtype == np.uint32


@given(st.permutations(list(range(6))), st.lists(st.integers(0, 63), min_size=1, max_size=9))
def test_translation_matches_bit_by_bit(order, values):
    names = ["DO_NOT_USE", "HOT", "DEAD", "REFERENCE_PIXEL", "MADE_UP", "SATURATED"]
    rows = [(bit, 1 << bit, names[i]) for bit, i in enumerate(order)]
    table = np.array(rows, dtype=[("BIT", "i4"), ("VALUE", "u4"), ("NAME", "U40")])
    raw = np.array([values], np.uint32)
    dq = translate_dq(Reference("mask", arrays={"DQ": raw}, tables={"DQ_DEF": Table(table)}))
    for value, found in zip(values, dq[0], strict=True):
        flags = [names[i] for bit, i in enumerate(order) if value >> bit & 1]
        assert found == sum(PixelDQ.__members__.get(name, 0) for name in flags)


def test_bits_without_definition_are_kept():
    raw = np.array([[5, 1 << 31]], np.uint32)
    np.testing.assert_array_equal(translate_dq(Reference("mask", arrays={"DQ": raw})), raw)
    assert translate_dq(Reference("gain")) is None


def selection(path):
    return Selection(
        "jwst_0001.pmap", "14", {"gain": "g.fits", "ipc": "N/A"}, {"gain": path}, {"flat": "none"}
    )


def test_list_round_trip(gain_file, tmp_path):
    path = tmp_path / "refs.json"
    write_reference_list(selection(gain_file), "jw1", path)
    references = References.from_file(path, verify=True)
    assert (references.context, references.crds_version) == ("jwst_0001.pmap", "14")
    assert references.load("gain", exposure()).name == "gain.fits"
    assert references.load("ipc", exposure()) is None
    assert references.used()["gain"] == {"name": "g.fits", "sha256": sha256_of(gain_file)}
    assert references.keyword_value("gain") == "crds://g.fits"
    with pytest.raises(ReferenceFileError, match="there is no flat file for this exposure"):
        references.load("flat", exposure())
    assert references.keyword_value("flat") == "N/A"


def test_list_with_a_changed_file(gain_file, tmp_path):
    path = tmp_path / "refs.json"
    write_reference_list(selection(gain_file), "jw1", path)
    listed = path.stat().st_mtime_ns
    with gain_file.open("r+b") as file:
        file.seek(-1, os.SEEK_END)
        file.write(b"X")
    os.utime(gain_file, ns=(listed + 1, listed + 1))
    with pytest.raises(ReferenceFileError, match="has changed since the list was made"):
        References.from_file(path)
    os.utime(gain_file, ns=(listed - 1, listed - 1))
    references = References.from_file(path)
    with pytest.raises(ReferenceFileError, match="has changed since the list was made"):
        references.verify()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "not a JSON file"),
        ("[]", "not a list of references of format 1"),
        ('{"format": 2, "references": {}}', r"format is 2\); make it with calwebb-references"),
        ('{"format": 1}', "not a list of references"),
        ('{"format": 1, "references": {"gain": 3}}', "entry gain is 3; expected a name, path"),
    ],
)
def test_malformed_list(tmp_path, content, message):
    path = tmp_path / "refs.json"
    path.write_text(content)
    with pytest.raises(InputError, match=message):
        References.from_file(path)


def test_missing_list(tmp_path):
    with pytest.raises(InputError, match="list of references cannot be read"):
        References.from_file(tmp_path / "refs.json")


def test_list_is_stable(gain_file, tmp_path):
    texts = []
    for name in ("a.json", "b.json"):
        write_reference_list(selection(gain_file), "jw1", tmp_path / name)
        texts.append((tmp_path / name).read_text())
    assert texts[0] == texts[1]
    assert json.loads(texts[0])["references"]["ipc"] == "N/A"


def test_each_extension_keeps_its_keywords(tmp_path):
    hdus = [fits.PrimaryHDU(), fits.ImageHDU(np.ones((2, 3, 4), "f4"), name="PS")]
    hdus.append(fits.ImageHDU(np.ones((2, 3, 4), "f4"), name="PS", ver=2))
    for hdu, aperture in zip(hdus[1:], ("S200A1", "S400A1"), strict=True):
        hdu.header["APERTURE"], hdu.header["CRVAL3"] = aperture, 6e-7
    path = tmp_path / "pathloss.fits"
    fits.HDUList(hdus).writeto(path)
    found = References.open_file("pathloss", path).headers
    apertures = {name: header["APERTURE"] for name, header in found.items()}
    assert apertures == {"PS": "S200A1", "PS,2": "S400A1"}
    assert "NAXIS1" not in found["PS"]
