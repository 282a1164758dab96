"""What is written is read back: arrays, types, keywords, tables, WCS, provenance."""

import json
import math
import re

import numpy as np
import pytest
from astropy.io import fits
from hypothesis import given, settings
from hypothesis import strategies as st

from calwebb_core.framework.keywords import find_keyword, product_keywords
from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.models import Image, Segmentation, Table
from calwebb_core.framework.products import (
    open_raw,
    product_path,
    read_image,
    read_metadata,
    read_ramp,
    read_segmentation,
    root_of,
    write_image,
    write_ramp,
    write_raw,
    write_segmentation,
)

from .samples import (
    NAME,
    check_fits,
    counts,
    int_times,
    keywords,
    sample_image,
    sample_mosaic,
    sample_ramp,
    sample_wcs,
)

FIXED = settings(deadline=None, max_examples=40, derandomize=True)


def same(first, second):
    """Whether two arrays are equal bit by bit and of the same native type; or both None."""
    if first is None or second is None:
        return first is second
    assert first.dtype == second.dtype
    assert first.dtype.isnative
    return first.shape == second.shape and first.tobytes() == second.tobytes()


def test_raw(tmp_path):
    data = counts(2, 3, 6, 8)
    path = tmp_path / f"{NAME}_uncal.fits"
    tables = {"INT_TIMES": int_times()}
    refout = data[..., :2].copy()
    write_raw(path, keywords(), data, zeroframe=data[:, 0], refout=refout, tables=tables)
    check_fits(path)
    ramp = read_ramp(path)
    assert same(ramp.data, data.astype(np.float32))
    assert same(ramp.zeroframe, data[:, 0].astype(np.float32))
    assert same(ramp.refout, refout.astype(np.float32))
    assert same(ramp.pixeldq, np.zeros((6, 8), np.uint32))
    assert same(ramp.groupdq, np.zeros(data.shape, np.uint8))
    assert ramp.metadata["DATAMODL"] == "Level1bModel"
    assert ramp.metadata["BUNIT"] == "DN"
    assert same(ramp.tables["INT_TIMES"].data, tables["INT_TIMES"].data)
    assert ramp.tables["INT_TIMES"].units == {"int_mid_MJD_UTC": "d"}


def test_raw_by_rows_is_the_same_as_at_once(tmp_path):
    data = counts(2, 3, 7, 5)
    path = tmp_path / f"{NAME}_uncal.fits"
    write_raw(path, keywords(2, 3, 7, 5), data, zeroframe=data[:, 1], refout=data[..., :1].copy())
    with open_raw(path) as raw:
        assert raw.shape == data.shape
        assert not raw.may_hold_nan
        assert raw.metadata["NGROUPS"] == 3
        for integration in range(2):
            for y0, y1 in ((0, 7), (2, 3), (3, 7)):
                rows = raw.read_rows(integration, y0, y1)
                assert same(rows, data[integration, :, y0:y1].astype(np.float32))
                assert rows.flags.c_contiguous
            assert same(raw.zeroframe(integration), data[integration, 1].astype(np.float32))
            assert same(raw.refout(integration), data[integration, ..., :1].astype(np.float32))
        assert raw.tables() == {}
    with pytest.raises(ValueError, match="is not open"):
        raw.read_rows(0, 0, 1)


def test_raw_without_companions(tmp_path):
    path = tmp_path / "x_uncal.fits"
    write_raw(path, keywords(), counts(2, 3, 6, 8))
    with open_raw(path) as raw:
        assert raw.zeroframe(0) is None
        assert raw.refout(0) is None


def test_ramp(tmp_path):
    ramp = sample_ramp()
    write_ramp(ramp, tmp_path / "x_ramp.fits")
    check_fits(tmp_path / "x_ramp.fits")
    back = read_ramp(tmp_path / "x_ramp.fits")
    for name in ("data", "pixeldq", "groupdq", "zeroframe", "refout", "average_dark_current"):
        assert same(getattr(back, name), getattr(ramp, name)), name
    assert back.metadata["DATAMODL"] == "RampModel"


@pytest.mark.parametrize("shape", [(6, 8), (3, 6, 8), (1, 1)])
def test_image(tmp_path, shape):
    image = sample_image(shape)
    write_image(image, tmp_path / "x_cal.fits")
    check_fits(tmp_path / "x_cal.fits")
    back = read_image(tmp_path / "x_cal.fits")
    for name in ("data", "err", "dq", "var_poisson", "var_rnoise", "var_flat", "area"):
        assert same(getattr(back, name), getattr(image, name)), name
    assert back.weight is None
    assert back.wcs is None
    assert back.metadata["DATAMODL"] == ("CubeModel" if len(shape) == 3 else "ImageModel")
    assert fits.getheader(tmp_path / "x_cal.fits", "ERR")["BUNIT"] == "MJy/sr"


def test_mosaic(tmp_path):
    image = sample_mosaic()
    write_image(image, tmp_path / "x_i2d.fits")
    check_fits(tmp_path / "x_i2d.fits")
    back = read_image(tmp_path / "x_i2d.fits")
    assert same(back.weight, image.weight)
    assert same(back.context, image.context)
    assert back.dq is None
    with fits.open(tmp_path / "x_i2d.fits") as hdulist:
        assert hdulist["CON"].data.dtype == ">i4"


def test_segmentation(tmp_path):
    labels = np.array([[0, 1, 2], [2**31, 5, 2**32 - 1]], np.uint32)
    write_segmentation(Segmentation(keywords(), labels, sample_wcs()), tmp_path / "x_segm.fits")
    check_fits(tmp_path / "x_segm.fits")
    back = read_segmentation(tmp_path / "x_segm.fits")
    assert same(back.data, labels)
    assert back.wcs(3.0, 2.0) == sample_wcs()(3.0, 2.0)
    assert "BUNIT" not in back.metadata


def test_special_floats_survive(tmp_path):
    image = sample_image((2, 3))
    image.data[:] = [[np.nan, np.inf, -np.inf], [-0.0, 1e-45, 3.4e38]]
    write_image(image, tmp_path / "x_cal.fits")
    assert same(read_image(tmp_path / "x_cal.fits").data, image.data)


def test_other_types_and_layouts_are_converted(tmp_path):
    image = sample_image((4, 5))
    odd = Image(
        image.metadata,
        np.asfortranarray(image.data.astype(np.float64)),
        image.err.astype(">f4"),
        image.dq[:, :].astype(np.int64),
    )
    write_image(odd, tmp_path / "x_cal.fits")
    back = read_image(tmp_path / "x_cal.fits")
    assert same(back.data, image.data)
    assert same(back.err, image.err)
    assert same(back.dq, image.dq)


def test_the_input_is_not_changed(tmp_path):
    image = sample_image()
    before = dict(image.metadata)
    arrays = image.data.tobytes(), image.dq.tobytes()
    for array in (image.data, image.err, image.dq, image.area):
        array.flags.writeable = False
    write_image(image, tmp_path / "x_cal.fits")
    assert dict(image.metadata) == before
    assert (image.data.tobytes(), image.dq.tobytes()) == arrays


def test_wcs_and_provenance(tmp_path):
    image = sample_image(wcs=sample_wcs())
    image.metadata.provenance = {"runs": [{"steps": ["photom"], "seconds": 1.5, "n": None}]}
    write_image(image, tmp_path / "x_cal.fits")
    back = read_image(tmp_path / "x_cal.fits")
    assert back.wcs(1.0, 2.0) == image.wcs(1.0, 2.0)
    assert back.wcs.invert(*back.wcs(1.0, 2.0)) == image.wcs.invert(*image.wcs(1.0, 2.0))
    assert back.wcs.bounding_box == image.wcs.bounding_box
    mine, theirs = (made.metadata.provenance for made in (image, back))
    assert json.dumps(theirs, sort_keys=True) == json.dumps(mine, sort_keys=True)
    write_image(back, tmp_path / "y_cal.fits")
    assert read_image(tmp_path / "y_cal.fits").metadata.provenance == image.metadata.provenance


def test_provenance_of_a_ramp(tmp_path):
    ramp = sample_ramp()
    ramp.metadata.provenance = {"runs": [{"program": "x"}]}
    write_ramp(ramp, tmp_path / "x_ramp.fits")
    assert read_ramp(tmp_path / "x_ramp.fits").metadata.provenance == {"runs": [{"program": "x"}]}


def test_keywords_go_where_the_definition_says(tmp_path):
    image = sample_image()
    image.metadata["A_1_1"] = 1e-7
    write_image(image, tmp_path / "x_cal.fits")
    primary, science = (fits.getheader(tmp_path / "x_cal.fits", name) for name in (0, "SCI"))
    assert primary["FILTER"] == "F444W"
    assert primary["TITLE"] == image.metadata["TITLE"]
    assert primary.comments["FILTER"] == "Name of the filter element used"
    assert science["RA_REF"] == 214.9
    assert science["A_1_1"] == 1e-7
    assert "RA_REF" not in primary
    order = [entry.name for entry in product_keywords() if entry.hdu == "PRIMARY"]
    written = [name for name in primary if name in order]
    assert written == sorted(written, key=order.index)


def test_unknown_keywords_stay_in_their_hdu(tmp_path):
    image = sample_image()
    image.metadata.history = ["made by " + "somebody " * 12]
    image.metadata.remarks = ["a remark"]
    write_image(image, tmp_path / "x_cal.fits")
    with fits.open(tmp_path / "x_cal.fits", mode="update") as hdulist:
        hdulist[0].header["MRGEVRSN"] = ("0.0.0.dev987", "simulator's version")
        hdulist["SCI"].header["OURKEY"] = (17, "one of ours")
        hdulist["SCI"].header["HIERARCH A LONG KEYWORD"] = (2.5, "seconds")
        hdulist["SCI"].header["EMPTY"] = None
    once = read_image(tmp_path / "x_cal.fits")
    write_image(once, tmp_path / "y_cal.fits")
    check_fits(tmp_path / "y_cal.fits")
    primary, science = (fits.getheader(tmp_path / "y_cal.fits", name) for name in (0, "SCI"))
    assert primary["MRGEVRSN"] == "0.0.0.dev987"
    assert primary.comments["MRGEVRSN"] == "simulator's version"
    assert science["OURKEY"] == 17
    assert science["A LONG KEYWORD"] == 2.5
    assert "EMPTY" not in science
    assert "".join(primary["HISTORY"]) == image.metadata.history[0].rstrip()
    assert list(primary["COMMENT"]) == ["a remark"]
    twice = read_image(tmp_path / "y_cal.fits")
    assert dict(twice.metadata) | {"DATE": 0, "FILENAME": 0} == dict(once.metadata) | {
        "DATE": 0,
        "FILENAME": 0,
    }


def test_none_is_left_out_and_nan_is_said(tmp_path, caplog):
    image = sample_image()
    image.metadata["BKGLEVEL"] = math.nan
    image.metadata["BKGMETH"] = None
    write_image(image, tmp_path / "x_cal.fits")
    back = read_metadata(tmp_path / "x_cal.fits")
    assert "BKGLEVEL" not in back
    assert "BKGMETH" not in back
    assert "BKGLEVEL is nan; left out" in caplog.text


def test_numpy_scalars_are_keywords(tmp_path):
    image = sample_image()
    image.metadata["PHOTMJSR"] = np.float32(0.5)
    image.metadata["NGROUPS"] = np.int64(4)
    image.metadata["BKGSUB"] = np.bool_(False)
    write_image(image, tmp_path / "x_cal.fits")
    back = read_metadata(tmp_path / "x_cal.fits")
    assert (back["PHOTMJSR"], back["NGROUPS"], back["BKGSUB"]) == (0.5, 4, False)


def test_keyword_in_both_headers(tmp_path):
    write_image(sample_image(), tmp_path / "x_cal.fits")
    with fits.open(tmp_path / "x_cal.fits", mode="update") as hdulist:
        hdulist[0].header["RA_REF"] = 1.0
        hdulist["SCI"].header["FILTER"] = "F070W"
    metadata = read_metadata(tmp_path / "x_cal.fits")
    assert metadata["RA_REF"] == 214.9
    assert metadata["FILTER"] == "F444W"


def test_guider_keywords_keep_their_hdu():
    assert find_keyword("V2_REF").path == "wcsinfo.v2_ref"
    assert find_keyword("V2_REF", "PRIMARY").path == "guidestar.fgs_v2_ref"
    assert find_keyword("NOSUCH") is None


@FIXED
@given(value=st.floats(allow_nan=False, allow_infinity=False))
def test_floats_in_headers_are_exact(tmp_path_factory, value):
    from calwebb_core.framework.fits_headers import card

    for name in ("PHOTMJSR", "A LONG KEYWORD"):
        made = card(name, value, "some comment " * 8)
        assert len(made.image) == 80
        assert fits.Card.fromstring(made.image).value == value


# astropy reads an apostrophe before a slash as the end of the text
TEXT = (
    st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=200)
    .map(str.rstrip)
    .filter(lambda text: not re.search("' */", text))
)


@FIXED
@given(
    text=TEXT,
    number=st.integers(-(2**62), 2**62),
    flag=st.booleans(),
    real=st.floats(-1e300, 1e300),
)
def test_any_keyword_value_round_trips(tmp_path_factory, text, number, flag, real):
    path = tmp_path_factory.mktemp("k") / "x_cal.fits"
    image = sample_image((1, 2))
    mine = {
        "TARGPROP": text,
        "XTEXT": text,
        "XINT": number,
        "XFLAG": flag,
        "BKGSUB": flag,
        "XREAL": real,
    }
    image.metadata.update(mine)
    write_image(image, path)
    check_fits(path)
    back = read_metadata(path)
    assert {name: back[name] for name in mine} == mine


SIZES = st.integers(1, 5)


@FIXED
@given(shape=st.tuples(SIZES, SIZES, SIZES, SIZES), seed=st.integers(0, 2**31))
def test_any_shape_round_trips(tmp_path_factory, shape, seed):
    folder = tmp_path_factory.mktemp("s")
    nints, _, ny, _ = shape
    bits = np.random.default_rng(seed).integers(0, 65536, shape).astype(np.uint16)
    write_raw(folder / "x_uncal.fits", keywords(*shape), bits)
    ramp = read_ramp(folder / "x_uncal.fits")
    assert same(ramp.data, bits.astype(np.float32))
    write_ramp(ramp, folder / "x_ramp.fits")
    assert same(read_ramp(folder / "x_ramp.fits").data, ramp.data)
    with open_raw(folder / "x_ramp.fits") as raw:
        assert raw.may_hold_nan
        assert same(raw.read_rows(nints - 1, ny - 1, ny), ramp.data[nints - 1, :, ny - 1 : ny])


def test_tables_of_all_kinds(tmp_path):
    dtype = [
        ("number", "i4"),
        ("small", "i2"),
        ("unsigned", "u4"),
        ("text", "S7"),
        ("flag", "?"),
        ("pair", "f4", (2,)),
        ("byte", "u1"),
    ]
    data = np.zeros(3, dtype)
    data["number"] = [1, -2, 2**31 - 1]
    data["unsigned"] = [0, 2**31, 2**32 - 1]
    data["text"] = [b"a", b"", b"abcdefg"]
    data["flag"] = [True, False, True]
    data["pair"] = [[1, 2], [3, 4], [np.nan, 6]]
    image = sample_image()
    image.tables = {
        "OURS": Table(data, {"pair": "MJy/sr", "number": "s"}, {"OURKEY": 5}),
        "NONE": Table(data[:0]),
        "PLANE": Table(np.arange(6, dtype=np.int16).reshape(2, 3)),
    }
    write_image(image, tmp_path / "x_cal.fits")
    check_fits(tmp_path / "x_cal.fits")
    back = read_image(tmp_path / "x_cal.fits").tables
    assert list(back) == ["OURS", "NONE", "PLANE"]
    assert back["OURS"].data.dtype == data.dtype
    for name in data.dtype.names:
        np.testing.assert_array_equal(back["OURS"].data[name], data[name])
    assert back["OURS"].units == {"pair": "MJy/sr", "number": "s"}
    assert back["OURS"].keywords == {"OURKEY": 5}
    assert back["NONE"].data.shape == (0,)
    assert same(back["PLANE"].data, image.tables["PLANE"].data)


def test_table_of_varying_rows_is_left_out_and_said(tmp_path, caplog):
    write_image(sample_image(), tmp_path / "x_cal.fits")
    column = fits.Column("v", "PE()", array=np.array([[1.0], [2.0, 3.0]], dtype=object))
    with fits.open(tmp_path / "x_cal.fits", mode="append") as hdulist:
        hdulist.append(fits.BinTableHDU.from_columns([column], name="VARIED"))
    assert read_image(tmp_path / "x_cal.fits").tables == {}
    assert "VARIED has rows of varying length; left out" in caplog.text


def test_names(tmp_path):
    assert product_path(tmp_path, NAME, "rate") == tmp_path / f"{NAME}_rate.fits"
    assert product_path(tmp_path, NAME, "cat", "ecsv").name == f"{NAME}_cat.ecsv"
    assert root_of(f"/some/where/{NAME}_o001_crf.fits") == NAME
    assert root_of(Metadata({}, source=f"a/{NAME}_uncal.fits")) == NAME
    assert root_of(Metadata({"FILENAME": f"{NAME}_rate.fits"})) == NAME
    assert root_of("MIRI_5582_89_S_20180308-010230_SCE1_pipe.fits").endswith("SCE1_pipe")
