"""Columns whose cells have several axes are read as astropy reads them, without it."""

import numpy as np
import pytest
from astropy.io import fits

from calwebb_core.framework.fits_layout import scan
from calwebb_core.framework.fits_read import read_bytes
from calwebb_core.framework.fits_tables import read_plain


def read(path):
    hdu = scan(path)[1]
    return read_plain(read_bytes(path, hdu), hdu)


def test_cells_of_two_and_three_axes(tmp_path):
    rows = np.zeros(3, [("N", "i2"), ("A", ">f4", (4, 2)), ("B", ">i4", (2, 3, 5)), ("V", "u1", 7)])
    rng = np.random.default_rng(1)
    for name in rows.dtype.names:
        rows[name] = rng.integers(0, 100, rows[name].shape)
    path = tmp_path / "table.fits"
    fits.BinTableHDU(rows).writeto(path)
    table = read(path)
    for name in rows.dtype.names:
        assert table.data[name].dtype.isnative
        np.testing.assert_array_equal(table.data[name], rows[name])


@pytest.mark.parametrize("shape", ["(4,3)", "(8", "(-2,-4)", "8", "()", "(2;4)"])
def test_shapes_that_make_no_sense_are_left_to_astropy(tmp_path, shape):
    path = tmp_path / "table.fits"
    hdu = fits.BinTableHDU(np.zeros(3, [("A", ">f4", (4, 2))]))
    hdu.header["TDIM1"] = shape
    hdu.writeto(path)
    with fits.open(path, mode="update") as hdus:
        hdus[1].header["TDIM1"] = shape
    assert read(path) is None


def test_lists_of_texts_are_left_to_astropy(tmp_path):
    path = tmp_path / "table.fits"
    fits.BinTableHDU(np.array([[b"one", b"two"]]).view([("T", "S3", 2)]).reshape(-1)).writeto(path)
    assert read(path) is None
