"""Names that a file brings and no FITS file can hold are refused when a product is written."""

import pytest

from calwebb_core.framework.errors import InputError
from calwebb_core.framework.products import read_image, write_image

from .test_fuzz import IMAGE
from .valid import NAME


@pytest.mark.parametrize("keyword", [b"TTYPE1", b"TTYPE3", b"TUNIT2"])
def test_names_of_tables_are_plain_text(keyword, tmp_path):
    content = bytearray(IMAGE)
    card = content.index(keyword.ljust(8) + b"= '")
    content[content.index(b"'", card) + 1] = 0xE9
    path = tmp_path / f"{NAME}_cal.fits"
    path.write_bytes(content)
    again = tmp_path / "again.fits"
    with pytest.raises(
        InputError, match=r"again\.fits: header card .* holds '\\ufffd', which FITS does not know"
    ):
        write_image(read_image(path), again)
    assert not again.exists()
