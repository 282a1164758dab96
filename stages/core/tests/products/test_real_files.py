"""Files that others wrote: flight products, laboratory ramps, other simulators' raw data."""

import gzip

import numpy as np
import pytest
from astropy.io import fits

from calwebb_core.framework.products import (
    open_raw,
    read_image,
    read_metadata,
    read_ramp,
    write_image,
    write_ramp,
)

from .samples import REALDATA, check_fits

pytestmark = pytest.mark.realdata

RAW = [
    "guider/jw01019001001_gs-acq1_2022117003102_uncal.fits",
    "miri_ground_ramp/MIRI_5582_89_S_20180308-010230_SCE1_pipe.fits",
    "simulated_uncal/jw00793001001_01101_00001_nis_uncal.fits",
]
IMAGES = [
    "niriss_ami/jw01093012001_03102_00001_nis_cal.fits",
    "miri_ground_ramp/MIRI_5582_89_S_20180308-010230_SCE1_pipe_rateints.fits",
    "miri_lrs/ERS_NGTS10_2022_new_drift_041_calints.fits",
    "nirspec_mos/jw01345062001_03101_00001_nrs2_phot.138.1345_933.fits",
]


def real(name):
    path = REALDATA / name
    if not path.exists():
        pytest.skip(f"real data is absent: {path} (set CALWEBB_REALDATA)")
    return path


@pytest.mark.parametrize("name", RAW)
def test_raw(name, tmp_path):
    path = real(name)
    ramp = read_ramp(path)
    with fits.open(path) as hdulist:
        np.testing.assert_array_equal(ramp.data, hdulist["SCI"].data)
        for extension, array in (("ZEROFRAME", ramp.zeroframe), ("REFOUT", ramp.refout)):
            if extension in hdulist:
                np.testing.assert_array_equal(array, hdulist[extension].data)
    with open_raw(path) as raw:
        np.testing.assert_array_equal(raw.read_rows(1, 5, 9), ramp.data[1, :, 5:9])
    write_ramp(ramp, tmp_path / "x_ramp.fits")
    check_fits(tmp_path / "x_ramp.fits")
    np.testing.assert_array_equal(read_ramp(tmp_path / "x_ramp.fits").data, ramp.data)


@pytest.mark.parametrize("name", IMAGES)
def test_image(name, tmp_path):
    image = read_image(real(name))
    write_image(image, tmp_path / "x_cal.fits")
    check_fits(tmp_path / "x_cal.fits")
    back = read_image(tmp_path / "x_cal.fits")
    for extension in ("data", "err", "dq", "var_flat"):
        np.testing.assert_array_equal(getattr(back, extension), getattr(image, extension))
    assert list(back.tables) == list(image.tables)
    own = ("DATE", "FILENAME", "DATAMODL", "NEXTEND", "TELESCOP")
    left = {key: value for key, value in image.metadata.items() if key not in own}
    assert {key: back.metadata[key] for key in left} == left
    if image.wcs is not None:
        assert back.wcs.available_frames == image.wcs.available_frames


def test_flight_mosaic(tmp_path):
    """The file is compressed with gzip under a plain name."""
    source = real("miri_image/jw01288015001_04101_00001_mirimage_i2d.fits")
    path = tmp_path / "x_i2d.fits"
    path.write_bytes(gzip.decompress(source.read_bytes()))
    image = read_image(path)
    assert image.dq is None
    assert image.context.dtype == np.uint32
    assert image.weight.shape == image.data.shape == (129, 137)
    ra, dec = image.wcs(68.3373, 64.4694)
    assert ra == pytest.approx(83.8313924, abs=1e-6)
    assert dec == pytest.approx(-5.4138165, abs=1e-6)


def test_headers_of_flight_files():
    folder = real("headers")
    for path in sorted(folder.glob("*.fits")):
        metadata = read_metadata(path)
        assert metadata["TELESCOP"] == "JWST"
        assert metadata["EXP_TYPE"]
        assert metadata.require("NGROUPS", int) > 0
