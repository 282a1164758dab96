"""CHECKSUM of HDUs: whether a product is as it was written."""

import pytest

from calwebb_core.framework.products import write_image
from calwebb_core.framework.verify.checksums import changed_hdus

from .runs import sample_image


@pytest.fixture
def product(tmp_path):
    path = tmp_path / "x_cal.fits"
    write_image(sample_image(), path)
    return path


def test_as_it_was_written(product):
    assert changed_hdus(product) == []


def test_pixel_and_keyword_that_were_changed(product):
    content = product.read_bytes()
    product.write_bytes(content.replace(b"'FIELD   '", b"'FIEND   '"))
    assert changed_hdus(product)[0] == "PRIMARY"
    at = content.index(b"'SCI     '") + 2880
    product.write_bytes(content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :])
    assert changed_hdus(product) == ["SCI"]


def test_hdus_without_checksum_are_not_judged(product):
    content = product.read_bytes()
    assert content.count(b"CHECKSUM=") >= 5
    product.write_bytes(content.replace(b"CHECKSUM=", b"CHECKSUX="))
    assert changed_hdus(product) == []
