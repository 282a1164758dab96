"""Small products for the tests."""

import os
import warnings
from pathlib import Path

import numpy as np
from astropy.io import fits

from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.models import Image, Ramp, Table

ROOT = Path(__file__).resolve().parents[4]
REALDATA = Path(os.environ.get("CALWEBB_REALDATA", ROOT.parent / "shared" / "realdata"))

NAME = "jw01345001001_02201_00001_nrcalong"
INT_TIMES = [
    ("integration_number", "i4"),
    *((f"int_{when}_MJD_UTC", "f8") for when in ("start", "mid", "end")),
    *((f"int_{when}_BJD_TDB", "f8") for when in ("start", "mid", "end")),
]


def keywords(nints=2, ngroups=3, ny=6, nx=8, **more) -> Metadata:
    """Keywords of a NIRCam exposure as the product definition wants them."""
    return Metadata(
        {
            "TELESCOP": "JWST",
            "TITLE": "a proposal with a long title, " * 6 + "and an end",
            "PROGRAM": "01345",
            "DATE-OBS": "2022-06-21",
            "TIME-OBS": "01:02:03.004",
            "TARGPROP": "EGS-FIELD",
            "TARG_RA": 214.97583333333332,
            "INSTRUME": "NIRCAM",
            "DETECTOR": "NRCALONG",
            "MODULE": "A",
            "CHANNEL": "LONG",
            "FILTER": "F444W",
            "PUPIL": "CLEAR",
            "EXP_TYPE": "NRC_IMAGE",
            "READPATT": "BRIGHT1",
            "NINTS": nints,
            "NGROUPS": ngroups,
            "TGROUP": 21.47354,
            "ZEROFRAM": False,
            "SUBARRAY": "FULL",
            "SUBSTRT1": 1,
            "SUBSTRT2": 1,
            "SUBSIZE1": nx,
            "SUBSIZE2": ny,
            "PIXAR_SR": 9.31e-14 / 3,
            "RA_REF": 214.9,
            "DEC_REF": 52.9,
            **more,
        },
        source=f"{NAME}_uncal.fits",
    )


def int_times(nints=2) -> Table:
    """INT_TIMES of an exposure with units."""
    data = np.zeros(nints, INT_TIMES)
    data["integration_number"] = np.arange(1, nints + 1)
    data["int_mid_MJD_UTC"] = 59751.25 + np.arange(nints) / 7
    return Table(data, {"int_mid_MJD_UTC": "d"})


def counts(*shape) -> np.ndarray:
    """Raw counts over the whole range of 16 bits."""
    return np.random.default_rng(7).integers(0, 65536, shape).astype(np.uint16)


def sample_ramp(shape=(2, 3, 6, 8)) -> Ramp:
    rng = np.random.default_rng(8)
    nints, _, ny, nx = shape
    return Ramp(
        keywords(*shape),
        rng.normal(1e4, 1e3, shape).astype(np.float32),
        rng.integers(0, 2**32, (ny, nx), dtype=np.uint32),
        rng.integers(0, 2, shape, dtype=np.uint8) * np.uint8(4),
        zeroframe=rng.normal(size=(nints, ny, nx)).astype(np.float32),
        average_dark_current=rng.normal(size=(ny, nx)).astype(np.float32),
        tables={"INT_TIMES": int_times(nints)},
    )


def sample_image(shape=(6, 8), **more) -> Image:
    rng = np.random.default_rng(9)
    metadata = keywords(ny=shape[-2], nx=shape[-1], BUNIT="MJy/sr", S_PHOTOM="COMPLETE")
    arrays = {
        name: rng.normal(size=shape).astype(np.float32)
        for name in ("data", "err", "var_poisson", "var_rnoise", "var_flat")
    }
    dq = rng.integers(0, 2**32, shape, dtype=np.uint32)
    area = rng.normal(1, 0.01, shape[-2:]).astype(np.float32)
    return Image(metadata, dq=dq, area=area, **(arrays | more))


def sample_mosaic(shape=(7, 9)) -> Image:
    image = sample_image(shape)
    image.dq = image.area = None
    image.weight = np.abs(image.data)
    rng = np.random.default_rng(10)
    image.context = rng.integers(0, 2**32, (2, *shape), dtype=np.uint32)
    return image


def sample_wcs(nx=8, ny=6):
    """A gwcs with a polynomial, so that the ASDF extension has binary blocks."""
    from astropy import coordinates, units
    from astropy.modeling.models import (
        Identity,
        Mapping,
        Pix2Sky_TAN,
        Polynomial2D,
        RotateNative2Celestial,
        Shift,
    )
    from gwcs import WCS
    from gwcs.coordinate_frames import CelestialFrame, Frame2D

    scale = 1.7e-5
    x = Polynomial2D(2, c0_0=0, c1_0=scale, c0_1=1e-9, c2_0=1e-12)
    y = Polynomial2D(2, c0_0=0, c1_0=2e-9, c0_1=scale, c0_2=3e-12)
    inverse = Polynomial2D(1, c1_0=1 / scale), Polynomial2D(1, c0_1=1 / scale)
    distortion = Mapping((0, 1, 0, 1)) | x & y
    distortion.inverse = Mapping((0, 1, 0, 1)) | inverse[0] & inverse[1]
    sky = Pix2Sky_TAN() | RotateNative2Celestial(214.9, 52.9, 180)
    wcs = WCS(
        [
            (
                Frame2D(name="detector", unit=(units.pix, units.pix)),
                Shift(-3.5) & Shift(-2.5) | distortion,
            ),
            (Frame2D(name="v2v3", unit=(units.deg, units.deg)), Identity(2) | sky),
            (CelestialFrame(name="world", reference_frame=coordinates.ICRS()), None),
        ]
    )
    wcs.bounding_box = ((-0.5, nx - 0.5), (-0.5, ny - 0.5))
    wcs.pixel_shape = (nx, ny)
    return wcs


def check_fits(path: Path) -> None:
    """Verify a file with astropy: the standard, and both checksums of every HDU."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with fits.open(path, checksum=True) as hdulist:
            hdulist.verify("exception")
            for hdu in hdulist:
                assert hdu.verify_checksum() == 1
                assert hdu.verify_datasum() == 1
