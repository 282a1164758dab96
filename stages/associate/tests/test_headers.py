"""Primary headers are read as astropy reads them, and refused when they are none."""

import pytest

from calwebb_associate.headers import KEYWORDS, read_primary
from calwebb_core.framework.errors import InputError


@pytest.mark.realdata
@pytest.mark.parametrize(
    "name",
    [
        "headers/jw01075001001_03105_00009_nrca2_uncal.fits",
        "headers/fgs_acq1_guider1.fits",
        "guider/jw01019001001_gs-acq1_2022117003102_uncal.fits",
        "niriss_ami/jw01093012001_03102_00001_nis_cal.fits",
    ],
)
def test_real_headers_are_read_as_astropy_reads_them(realdata, name):
    from astropy.io import fits

    path = realdata / name
    expected = fits.getheader(path)
    read = read_primary(path, expected)
    assert len(read) > 80
    for keyword, value in expected.items():
        if keyword and keyword not in ("COMMENT", "HISTORY") and value not in ("", None):
            assert read[keyword] == value, keyword
            assert type(read[keyword]) is type(value), keyword


def test_values_of_every_kind(put):
    path = put(TARGPROP="O'NEILL's | star", GWA_XTIL="1.5D-3", NINTS=-3, TSOVISIT=True)
    header = read_primary(path)
    assert header["TARGPROP"] == "O'NEILL's | star"
    assert header["NINTS"] == -3
    assert header["TSOVISIT"] is True
    assert header["BKGDTARG"] is False
    assert "TELESCOP" not in header
    assert set(header) <= KEYWORDS


def test_numbers_empty_values_and_long_strings(tmp_path):
    from astropy.io import fits

    header = fits.Header()
    header["TEMPLATE"] = "long " * 40 + "end"
    header["GWA_XTIL"] = 1.5e-3
    header["GWA_YTIL"] = None
    header["COMMENT"] = "FILTER  = 'F200W'"
    path = tmp_path / "x.fits"
    fits.PrimaryHDU(header=header).writeto(path)
    assert read_primary(path) == {"TEMPLATE": "long " * 40 + "end", "GWA_XTIL": 1.5e-3}


def test_long_headers_are_read_to_their_end(put):
    filler = {f"KEY{number}": number for number in range(900)}
    path = put(**filler, LAMP="NONE")
    assert read_primary(path)["LAMP"] == "NONE"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is not a FITS file: expected it to start with SIMPLE"),
        (b"PK\x03\x04", "is not a FITS file"),
        (b"\x1f\x8b\x08", "is compressed; unpack it"),
        (b"SIMPLE  =".ljust(2880), r"ends within its primary header \(2880 bytes\); it is trunc"),
    ],
)
def test_other_files_are_refused(tmp_path, content, message):
    path = tmp_path / "x_uncal.fits"
    path.write_bytes(content)
    with pytest.raises(InputError, match=rf"x_uncal\.fits: {message}"):
        read_primary(path)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(InputError, match=r"none\.fits: cannot be read: No such file"):
        read_primary(tmp_path / "none.fits")
