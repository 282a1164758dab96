"""Quick looks: what is drawn, and that it is a picture of the right size and bytes."""

import hashlib
import json
import subprocess
import sys

import numpy as np
import pytest
from astropy.io import fits
from click.testing import CliRunner
from PIL import Image

from calwebb_core.framework import quicklook_image
from calwebb_core.framework.command_quicklook import main
from calwebb_core.framework.errors import InputError
from calwebb_core.framework.fits_layout import find, scan
from calwebb_core.framework.models import Segmentation
from calwebb_core.framework.products import write_image, write_ramp, write_segmentation
from calwebb_core.framework.quicklook import sources_of, write_quicklook
from calwebb_core.framework.quicklook_figure import limits, stretched
from calwebb_core.framework.quicklook_image import binned, mean_plane
from calwebb_core.framework.quicklook_page import LONGEST, PAGE, Layout

from .samples import keywords, sample_image, sample_mosaic, sample_ramp

PNG = b"\x89PNG\r\n\x1a\n"


def star(shape=(40, 60)):
    """An image with a source, bad pixels and a celestial header."""
    image = sample_image(shape)
    image.dq[:] = 0
    y, x = np.indices(shape[-2:])
    image.data = image.data + 500 * np.exp(-((x - 20) ** 2 + (y - 15) ** 2) / 18).astype(np.float32)
    image.data[..., 3, 4] = np.nan
    image.dq[..., 30, :] = 1
    wcs = {
        "WCSAXES": 2, "CRPIX1": 30.0, "CRPIX2": 20.0, "CRVAL1": 214.9, "CRVAL2": 52.9,
        "CTYPE1": "RA---TAN", "CTYPE2": "DEC--TAN", "CUNIT1": "deg", "CUNIT2": "deg",
        "CDELT1": 1.7e-5, "CDELT2": 1.7e-5, "PC1_1": -1.0, "PC1_2": 0.0, "PC2_1": 0.0,
        "PC2_2": 1.0, "RADESYS": "ICRS",
    }  # fmt: skip
    image.metadata.update(wcs)
    return image


def size_of(png):
    """Width and height of a PNG file in pixels."""
    content = png.read_bytes()
    assert content.startswith(PNG)
    return int.from_bytes(content[16:20], "big"), int.from_bytes(content[20:24], "big")


def test_picture_of_an_image(tmp_path):
    write_image(star(), tmp_path / "x_cal.fits")
    write_quicklook(tmp_path / "x_cal.fits", tmp_path / "x.png")
    width, height = size_of(tmp_path / "x.png")
    assert 800 < width < 1200
    assert 500 < height < 900
    first = (tmp_path / "x.png").read_bytes()
    assert b"Software" not in first
    write_quicklook(tmp_path / "x_cal.fits", tmp_path / "x.png")
    assert (tmp_path / "x.png").read_bytes() == first


def test_picture_says_what_it_shows(tmp_path):
    write_image(star(), tmp_path / "x_cal.fits")
    write_quicklook(tmp_path / "x_cal.fits", tmp_path / "x.png")
    with Image.open(tmp_path / "x.png") as picture:
        record = json.loads(picture.text["calwebb_flow"])
    content = (tmp_path / "x_cal.fits").read_bytes()
    assert record["program"] == "calwebb-quicklook"
    assert record["inputs"] == [
        {"name": "x_cal.fits", "sha256": hashlib.sha256(content).hexdigest()}
    ]
    assert {"calwebb_core", "matplotlib", "numpy", "pillow"} == set(record["software"])
    assert str(tmp_path) not in json.dumps(record)


def test_picture_of_everything_else(tmp_path):
    write_image(star((3, 40, 60)), tmp_path / "x_rateints.fits")
    write_ramp(sample_ramp(), tmp_path / "x_ramp.fits")
    write_image(sample_mosaic(), tmp_path / "x_i2d.fits")
    labels = np.tile(np.arange(8, dtype=np.uint32), (6, 1))
    write_segmentation(Segmentation(keywords(), labels), tmp_path / "x_segm.fits")
    empty = sample_image()
    empty.dq[:] = 1
    write_image(empty, tmp_path / "x_rate.fits")
    constant = sample_image()
    constant.data[:] = 3
    constant.dq[:] = 0
    write_image(constant, tmp_path / "x_cal.fits")
    for path in sorted(tmp_path.glob("x_*.fits")):
        write_quicklook(path, path.with_suffix(".png"))
        assert min(size_of(path.with_suffix(".png"))) > 400


def test_large_images_are_averaged_by_rows(tmp_path, monkeypatch):
    image = star((41, 63))
    write_image(image, tmp_path / "x_cal.fits")
    hdus = scan(tmp_path / "x_cal.fits")
    small = binned(tmp_path / "x_cal.fits", find(hdus, "SCI"), find(hdus, "DQ"), 0, 10)
    assert small.shape == (5, 7)
    good = np.where(image.dq[10:20, 20:30] == 0, image.data[10:20, 20:30], np.nan)
    assert small[1, 2] == pytest.approx(np.nanmean(good))
    assert small[4, 6] == pytest.approx(image.data[40, 60:].mean(), rel=1e-6)
    monkeypatch.setattr(quicklook_image, "LONGEST", 20)
    write_quicklook(tmp_path / "x_cal.fits", tmp_path / "x.png")
    assert size_of(tmp_path / "x.png")[0] > 800


def test_flagged_pixels_are_not_shown(tmp_path):
    write_image(star(), tmp_path / "x_cal.fits")
    hdus = scan(tmp_path / "x_cal.fits")
    shown = binned(tmp_path / "x_cal.fits", find(hdus, "SCI"), find(hdus, "DQ"), 0, 1)
    assert np.isnan(shown[30]).all()
    assert np.isnan(shown[3, 4])
    assert np.count_nonzero(np.isnan(shown)) == 61


def test_sources_of_a_catalog_are_marked(tmp_path):
    labels = np.tile(np.arange(8, dtype=np.uint32), (6, 1))
    write_segmentation(Segmentation(keywords(), labels), tmp_path / "x_segm.fits")
    catalog = tmp_path / "x_cat.ecsv"
    head = "# %ECSV 1.0\n# ---\nlabel xcentroid ycentroid is_extended\n"
    catalog.write_text(head + "1 2.5 3.5 False\n2 4.25 1.0 True\n")
    assert sources_of(catalog) == [(2.5, 3.5, False), (4.25, 1.0, True)]
    for name, more in (("a", None), ("b", catalog)):
        write_quicklook(tmp_path / "x_segm.fits", tmp_path / f"{name}.png", more)
    assert (tmp_path / "a.png").read_bytes() != (tmp_path / "b.png").read_bytes()
    catalog.write_text("label x\n1 2\n")
    with pytest.raises(InputError, match="has no column xcentroid, ycentroid, is_extended"):
        sources_of(catalog)
    with pytest.raises(InputError, match="cannot be read as an ECSV table"):
        sources_of(tmp_path / "none.ecsv")


def test_mean_of_integrations(tmp_path):
    cube = star((3, 40, 60))
    cube.dq[0, 5, 5] = 1
    write_image(cube, tmp_path / "x_rateints.fits")
    hdus = scan(tmp_path / "x_rateints.fits")
    mean = mean_plane(tmp_path / "x_rateints.fits", find(hdus, "SCI"), find(hdus, "DQ"), 1)
    assert mean[5, 5] == pytest.approx(cube.data[1:, 5, 5].mean(), rel=1e-6)
    assert mean[6, 6] == pytest.approx(cube.data[:, 6, 6].mean(), rel=1e-6)
    assert np.isnan(mean[30]).all()


def test_limits():
    values = np.random.default_rng(3).normal(10, 2, (200, 200)).astype(np.float32)
    values[:3, :3] = 1e4
    low, high, width = limits(values)
    assert low == pytest.approx(4, abs=0.3)
    assert 15 < high < 1e4
    assert width == pytest.approx(6, abs=0.3)
    assert limits(np.full((3, 3), np.nan, np.float32)) == (0, 1, 1)
    low, high, width = limits(np.full((3, 3), 7, np.float32))
    assert low < 7 < high
    assert width > 0


def test_the_stretch_does_not_depend_on_the_c_library():
    """It is the logarithm in double precision, rounded once: pictures are the same everywhere."""
    image = np.random.default_rng(4).exponential(30, (300, 400)).astype(np.float32)
    above = (image - np.float32(1.5)) / np.float32(0.7)
    expected = np.arcsinh(above.astype(np.float64)) / np.arcsinh(98.5 / 0.7)
    found = stretched(image, 1.5, 100.0, 0.7)
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, expected.clip(0, 1).astype(np.float32))


@pytest.mark.parametrize("shape", [(100, 100), (760, 10), (10, 760), (1, 1), (64, 64)])
def test_layout(shape):
    layout = Layout.of(*shape)
    for left, bottom, wide, high in (layout.image, layout.bar):
        assert left > 0
        assert bottom > 0
        assert left + wide < 1
        assert bottom + high < 1
    assert layout.image[0] + layout.image[2] < layout.bar[0]
    assert layout.width >= PAGE
    assert LONGEST / 2 < max(layout.columns, layout.rows) <= LONGEST
    assert (layout.rows, layout.columns) == tuple(
        count * repeat for count, repeat in zip(shape, layout.repeat[::-1], strict=True)
    )


def test_program(tmp_path):
    write_image(star(), tmp_path / "x_cal.fits")
    arguments = [str(tmp_path / "x_cal.fits"), "-o", str(tmp_path / "x.png")]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 0, result.output
    assert size_of(tmp_path / "x.png")[0] > 800


def test_program_says_what_is_wrong(tmp_path):
    fits.PrimaryHDU().writeto(tmp_path / "x.fits")
    result = CliRunner().invoke(main, [str(tmp_path / "x.fits"), "-o", str(tmp_path / "x.png")])
    assert result.exit_code == 2
    assert "has no SCI extension" in result.output
    assert not (tmp_path / "x.png").exists()
    assert "Example:" in CliRunner().invoke(main, ["--help"]).output


def test_help_loads_no_libraries():
    """The program's help appears at once."""
    check = "import calwebb_core.framework.command_quicklook, sys; print(sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)
    for name in ("numpy", "astropy", "matplotlib"):
        assert f"'{name}'" not in done.stdout
