"""What is wrong with an input is said in one sentence, before anything is computed."""

import gzip
import logging
import resource

import numpy as np
import pytest
from astropy.io import fits
from hypothesis import given, settings
from hypothesis import strategies as st

from calwebb_core.framework.catalogs import read_catalog
from calwebb_core.framework.errors import CalwebbError, InputError, ProcessingError
from calwebb_core.framework.fits_read import read_into
from calwebb_core.framework.products import (
    clear_nan,
    open_raw,
    read_image,
    read_metadata,
    read_ramp,
    read_segmentation,
    write_image,
    write_ramp,
    write_raw,
)
from calwebb_core.framework.quicklook import write_quicklook

from .samples import counts, keywords, sample_image, sample_mosaic, sample_ramp

READERS = (read_metadata, read_ramp, read_image, read_segmentation, open_raw)


@pytest.fixture
def uncal(tmp_path):
    path = tmp_path / "x_uncal.fits"
    write_raw(path, keywords(), counts(2, 3, 6, 8))
    return path


@pytest.fixture
def cal(tmp_path):
    path = tmp_path / "x_cal.fits"
    write_image(sample_image(), path)
    return path


def edit(path, change):
    with fits.open(path, mode="update") as hdulist:
        change(hdulist)


@pytest.mark.parametrize("read", READERS)
def test_missing_file(tmp_path, read):
    with pytest.raises(InputError, match=r"none\.fits: cannot be read: No such file"):
        read(tmp_path / "none.fits")


@pytest.mark.parametrize("read", READERS)
def test_folder(tmp_path, read):
    with pytest.raises(InputError, match="cannot be read: Is a directory"):
        read(tmp_path)


@pytest.mark.parametrize("read", READERS)
def test_not_fits(tmp_path, read):
    path = tmp_path / "x_uncal.fits"
    path.write_text("no image at all")
    with pytest.raises(InputError, match="is not a FITS file: found a file that starts with b'no"):
        read(path)
    path.write_bytes(b"")
    with pytest.raises(InputError, match="found an empty file; expected SIMPLE = T"):
        read(path)


def test_compressed_file(cal):
    cal.write_bytes(gzip.compress(cal.read_bytes()))
    with pytest.raises(InputError, match=r"compressed with gzip; expected FITS, uncompress it"):
        read_image(cal)


def test_compressed_extension(tmp_path):
    path = tmp_path / "x_cal.fits"
    data = np.zeros((100, 100), np.float32)
    fits.HDUList([fits.PrimaryHDU(), fits.CompImageHDU(data, name="SCI")]).writeto(path)
    with pytest.raises(InputError, match="SCI is a compressed image; expected an uncompressed"):
        read_image(path)


def test_table_in_place_of_an_image(tmp_path):
    path = tmp_path / "x_cal.fits"
    table = fits.BinTableHDU(np.zeros(2, [("a", "i4")]), name="SCI")
    fits.HDUList([fits.PrimaryHDU(), table]).writeto(path)
    with pytest.raises(InputError, match="extension SCI is a table; expected"):
        read_metadata(path)


def test_no_science_extension(tmp_path):
    path = tmp_path / "x_cal.fits"
    fits.PrimaryHDU(np.zeros((3, 3))).writeto(path)
    with pytest.raises(InputError, match="has no SCI extension; found PRIMARY; expected a JWST"):
        read_metadata(path)


def test_several_science_extensions(tmp_path):
    path = tmp_path / "x_cal.fits"
    images = [fits.ImageHDU(np.zeros((3, 3)), name="SCI", ver=number) for number in (1, 2)]
    fits.HDUList([fits.PrimaryHDU(), *images]).writeto(path)
    with pytest.raises(InputError, match="has 2 SCI extensions; expected one"):
        read_image(path)


def test_truncated_data(tmp_path):
    uncal = tmp_path / "x_uncal.fits"
    write_raw(uncal, keywords(ny=60, nx=80), counts(2, 3, 60, 80))
    content = uncal.read_bytes()
    uncal.write_bytes(content[: len(content) - 2880 * 4])
    for read in (read_metadata, read_ramp, open_raw):
        with pytest.raises(InputError, match=r"is truncated: found \d+ bytes; expected at least"):
            read(uncal)


def test_truncated_header(uncal):
    uncal.write_bytes(uncal.read_bytes()[:1500])
    with pytest.raises(InputError, match="truncated or damaged: a header has no END"):
        read_metadata(uncal)


def test_size_is_checked_before_memory_is_taken(cal):
    """A header that promises a petabyte must not be believed."""
    content = cal.read_bytes()
    for axis in (b"NAXIS1  =                    8", b"NAXIS2  =                    6"):
        assert axis in content
        content = content.replace(axis, axis[:10] + b"            20000000", 1)
    cal.write_bytes(content)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(InputError, match="is truncated"):
        read_image(cal)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss < before + 50_000


@pytest.mark.parametrize(
    ("keyword", "found"),
    [
        ("NINTS", "2 .integrations"),
        ("NGROUPS", "3 .groups"),
        ("SUBSIZE1", "8 .columns"),
        ("SUBSIZE2", "6 .rows"),
    ],
)
def test_header_that_disagrees_with_the_data(uncal, keyword, found):
    edit(uncal, lambda hdulist: hdulist[0].header.set(keyword, 5))
    for read in (read_ramp, open_raw):
        with pytest.raises(InputError, match=rf"{keyword} is 5 but SCI has {found}"):
            read(uncal)


def test_size_of_the_wrong_type(uncal):
    edit(uncal, lambda hdulist: hdulist[0].header.set("NGROUPS", "three"))
    with pytest.raises(InputError, match="keyword NGROUPS is 'three'; expected a int"):
        read_ramp(uncal)


def test_segment_of_a_longer_exposure(tmp_path):
    path = tmp_path / "x_uncal.fits"
    write_raw(path, keywords(nints=20, INTSTART=5, INTEND=6), counts(2, 3, 6, 8))
    assert read_ramp(path).data.shape[0] == 2
    edit(path, lambda hdulist: hdulist[0].header.set("INTEND", 7))
    with pytest.raises(InputError, match="NINTS is 20 but SCI has 2"):
        read_ramp(path)


def test_irs2_readout_has_more_rows_than_the_subarray(tmp_path):
    path = tmp_path / "x_uncal.fits"
    write_raw(path, keywords(ny=6, READPATT="NRSIRS2RAPID"), counts(2, 3, 10, 8))
    assert read_ramp(path).data.shape == (2, 3, 10, 8)


def test_wrong_number_of_dimensions(cal, tmp_path):
    for read in (read_ramp, open_raw):
        with pytest.raises(InputError, match=r"SCI has shape \(6, 8\); expected 4 dimensions"):
            read(cal)
    write_ramp(sample_ramp(), tmp_path / "x_ramp.fits")
    with pytest.raises(InputError, match=r"SCI has shape \(2, 3, 6, 8\); expected an image"):
        read_image(tmp_path / "x_ramp.fits")
    with pytest.raises(InputError, match="expected 2 dimensions, as a _segm file has"):
        read_segmentation(tmp_path / "x_ramp.fits")


@pytest.mark.parametrize("name", ["ERR", "DQ"])
def test_missing_array(cal, name):
    edit(cal, lambda hdulist: hdulist.__delitem__(name))
    with pytest.raises(InputError, match=f"has no {name} extension; found PRIMARY, SCI"):
        read_image(cal)


def test_mosaic_needs_no_flags(tmp_path):
    write_image(sample_mosaic(), tmp_path / "x_i2d.fits")
    assert read_image(tmp_path / "x_i2d.fits").dq is None


@pytest.mark.parametrize("name", ["ERR", "DQ", "VAR_FLAT", "AREA"])
def test_array_of_another_shape(cal, name):
    def change(hdulist):
        hdulist[name].data = hdulist[name].data[:-1]

    edit(cal, change)
    with pytest.raises(InputError, match=rf"{name} has shape \(5, 8\); expected \(6, 8\)"):
        read_image(cal)


@pytest.mark.parametrize("name", ["PIXELDQ", "GROUPDQ", "ZEROFRAME"])
def test_array_of_another_shape_in_a_ramp(tmp_path, name):
    path = tmp_path / "x_ramp.fits"
    write_ramp(sample_ramp(), path)

    def change(hdulist):
        hdulist[name].data = hdulist[name].data[..., :-1]

    edit(path, change)
    with pytest.raises(InputError, match=f"{name} has shape .* as SCI requires"):
        read_ramp(path)


def test_unknown_pixel_type(cal):
    cal.write_bytes(
        cal.read_bytes().replace(
            b"BITPIX  =                  -32", b"BITPIX  =                   24"
        )
    )
    with pytest.raises(InputError, match="BITPIX of SCI is 24; expected one of"):
        read_image(cal)


def test_damaged_header(cal):
    cal.write_bytes(
        cal.read_bytes().replace(
            b"NAXIS   =                    2", b"NAXIS   =                  'x'"
        )
    )
    with pytest.raises(InputError, match=r"damaged \(NAXIS is 'x'; expected a whole number"):
        read_image(cal)


def test_unreadable_keyword_is_left_out_and_said(cal, caplog):
    cal.write_bytes(cal.read_bytes().replace(b"FILTER  = 'F444W   '", b"FILTER  = 'F444W    "))
    assert "FILTER" not in read_metadata(cal)
    assert "keyword FILTER in PRIMARY is unreadable; left out" in caplog.text


def test_text_that_a_header_cannot_hold(tmp_path):
    for text in ("αβγ", "two\nlines"):
        image = sample_image()
        image.metadata["TARGPROP"] = text
        with pytest.raises(InputError, match=r"keyword TARGPROP is .*; expected printable ASCII"):
            write_image(image, tmp_path / "x_cal.fits")
    image.metadata["TARGPROP"] = [1]
    with pytest.raises(InputError, match=r"keyword TARGPROP is \[1\]; expected a number or a"):
        write_image(image, tmp_path / "x_cal.fits")
    assert list(tmp_path.iterdir()) == []


def test_wrong_epoch(tmp_path, monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "yesterday")
    with pytest.raises(InputError, match="SOURCE_DATE_EPOCH is 'yesterday'; expected seconds"):
        write_image(sample_image(), tmp_path / "x_cal.fits")


def test_file_that_shrinks_while_it_is_read(tmp_path):
    path = tmp_path / "x"
    path.write_bytes(b"12345678")
    with path.open("rb") as stream:
        assert read_into(stream, 4, (2,), ">i2").shape == (2,)
        with pytest.raises(ProcessingError, match="became shorter while it was read"):
            read_into(stream, 4, (3,), ">i2")


def float_uncal(path, data):
    """Write raw data as floats, as some simulators do."""
    ramp = sample_ramp()
    ramp.data = data
    ramp.groupdq[:] = 0
    ramp.pixeldq[:] = 0
    write_ramp(ramp, path)
    edit(path, lambda hdulist: [hdulist.__delitem__(name) for name in ("PIXELDQ", "GROUPDQ")])


def test_nan_in_raw_data_is_counted_and_flagged(tmp_path, caplog):
    data = np.ones((2, 3, 6, 8), np.float32)
    data[1, 2, 3, 4] = np.nan
    data[:, :, 0, 0] = np.nan
    data[0, 0, 5, 5] = np.inf
    float_uncal(tmp_path / "x_uncal.fits", data)
    with caplog.at_level(logging.WARNING):
        ramp = read_ramp(tmp_path / "x_uncal.fits")
    assert "8 values of SCI are not finite, in 1 pixels all of them" in caplog.text
    assert np.isfinite(ramp.data).all()
    np.testing.assert_array_equal(ramp.groupdq == 1, ~np.isfinite(data))
    assert ramp.pixeldq[0, 0] == 1
    assert np.count_nonzero(ramp.pixeldq) == 1


def test_clear_nan_by_block(tmp_path):
    data = np.array([1.0, np.nan, np.inf, -1.0], np.float32)
    flags = np.array([4, 4, 0, 0], np.uint8)
    assert clear_nan(data, flags) == 2
    np.testing.assert_array_equal(data, [1, 0, 0, -1])
    np.testing.assert_array_equal(flags, [4, 5, 1, 0])
    assert clear_nan(data, flags) == 0


@settings(deadline=None, max_examples=60, derandomize=True)
@given(place=st.integers(0, 30000), values=st.binary(min_size=1, max_size=200))
def test_damaged_bytes_never_give_an_obscure_error(tmp_path_factory, place, values):
    """Any damage to the headers is answered with a sentence, or not noticed."""
    path = tmp_path_factory.mktemp("d") / "x_cal.fits"
    write_image(sample_image(), path)
    content = bytearray(path.read_bytes())
    place %= len(content) - 2880 * 3  # the ASDF extension is another library's
    content[place : place + len(values)] = values
    path.write_bytes(content)
    for read in (read_metadata, read_image):
        try:
            read(path)
        except CalwebbError as error:
            message = str(error)
        else:
            message = str(path)
        assert str(path) in message


def test_quicklook_of_a_spectrum(tmp_path):
    path = tmp_path / "x.fits"
    fits.HDUList([fits.PrimaryHDU(), fits.ImageHDU(np.zeros(5), name="SCI")]).writeto(path)
    with pytest.raises(InputError, match=r"SCI has shape \(5,\); expected an image, a cube"):
        write_quicklook(path, tmp_path / "x.png")


def test_catalog(tmp_path):
    with pytest.raises(InputError, match="cannot be read: No such file"):
        read_catalog(tmp_path / "x_cat.ecsv")
    (tmp_path / "x_cat.ecsv").write_text("a,b\n1,2\n")
    with pytest.raises(InputError, match="is not an ECSV table"):
        read_catalog(tmp_path / "x_cat.ecsv")
