"""A small exposure with all its reference files, made by hand."""

import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from asdf import AsdfFile
from astropy.io import fits
from astropy.modeling.models import Identity, Mapping, Polynomial2D, Shift

from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.models import Image
from calwebb_core.framework.products import write_image
from calwebb_core.framework.references import References

REALDATA = Path(
    os.environ.get("CALWEBB_REALDATA", Path(__file__).parents[4] / "shared" / "realdata")
)

NX, NY = 96, 80
START = (601, 901)
KEYWORDS = {
    "TELESCOP": "JWST", "INSTRUME": "NIRCAM", "DETECTOR": "NRCALONG", "CHANNEL": "LONG",
    "MODULE": "A", "FILTER": "F444W", "PUPIL": "CLEAR", "EXP_TYPE": "NRC_IMAGE",
    "SUBARRAY": "SUB64P", "SUBSTRT1": START[0], "SUBSTRT2": START[1], "SUBSIZE1": NX,
    "SUBSIZE2": NY, "FASTAXIS": -1, "SLOWAXIS": 2, "READPATT": "RAPID",
    "DATE-OBS": "2023-05-01", "TIME-OBS": "12:00:00.000", "EXPSTART": 60065.5,
    "EXPMID": 60065.501, "EXPEND": 60065.502, "NINTS": 1, "NGROUPS": 5, "NFRAMES": 1,
    "GROUPGAP": 0, "XPOSURE": 100.0, "EFFEXPTM": 100.0, "TMEASURE": 90.0, "DURATION": 120.0,
    "PROGRAM": "09999", "OBSERVTN": "001", "VISIT": "001", "VISITGRP": "02", "SEQ_ID": "1",
    "ACT_ID": "01", "EXPOSURE": "1", "BUNIT": "DN/s", "V2_REF": 86.1, "V3_REF": -493.3,
    "RA_REF": 80.0, "DEC_REF": -69.5, "ROLL_REF": 120.0, "V3I_YANG": -0.07, "VPARITY": -1,
    "VA_SCALE": 1.00004, "S_RAMP": "COMPLETE",
}  # fmt: skip
PEER_NAME = "jw09999001001_02101_00001_nrcalong_rate.fits"


def distortion():
    """A NIRCam-like distortion: 0.063 arcsec a pixel, percent-level quadratic terms."""
    coefficients_x = {"c1_0": -0.06277, "c0_1": 1e-4, "c2_0": 1.2e-7, "c1_1": -7.2e-7}
    coefficients_y = {"c1_0": -9e-5, "c0_1": 0.06308, "c2_0": 3.1e-7, "c0_2": -4.2e-7}
    forward = (
        Shift(1.0) & Shift(1.0)
        | Shift(-1024.5) & Shift(-1024.5)
        | Mapping((0, 1, 0, 1))
        | Polynomial2D(2, **coefficients_x) & Polynomial2D(2, **coefficients_y)
    )
    y, x = np.mgrid[0:2048:64, 0:2048:64].astype(float)
    v2, v3 = forward(x, y)
    forward = forward | Shift(86.1) & Shift(-493.3)
    powers = [(i, j) for i in range(5) for j in range(5 - i)]
    matrix = np.stack([v2.ravel() ** i * v3.ravel() ** j for i, j in powers], axis=1)
    inverses = []
    for target in (x, y):
        solution = np.linalg.lstsq(matrix, target.ravel(), rcond=None)[0]
        named = {f"c{i}_{j}": v for (i, j), v in zip(powers, solution, strict=True)}
        inverses.append(Polynomial2D(4, **named))
    forward.inverse = (
        Shift(-86.1) & Shift(493.3)
        | Mapping((0, 1, 0, 1))
        | inverses[0] & inverses[1]
        | Identity(2)
    )
    return forward


def asdf_meta(kind):
    return {
        "reftype": kind, "telescope": "JWST", "author": "test", "description": "test",
        "pedigree": "DUMMY", "useafter": "2014-01-01T00:00:00",
        "instrument": {"name": "NIRCAM", "detector": "NRCALONG", "module": "A", "channel": "LONG"},
        "exposure": {"type": "NRC_IMAGE"},
    }  # fmt: skip


def header(kind, nx, ny, start=(1, 1)):
    values = {
        "TELESCOP": "JWST", "INSTRUME": "NIRCAM", "DETECTOR": "NRCALONG", "REFTYPE": kind,
        "AUTHOR": "test", "DESCRIP": "test", "PEDIGREE": "DUMMY",
        "USEAFTER": "2014-01-01T00:00:00", "SUBARRAY": "GENERIC", "SUBSTRT1": start[0],
        "SUBSTRT2": start[1], "SUBSIZE1": nx, "SUBSIZE2": ny, "FASTAXIS": -1, "SLOWAXIS": 2,
    }  # fmt: skip
    return fits.PrimaryHDU(header=fits.Header(values))


def write_distortion(path):
    meta = asdf_meta("distortion") | {"input_units": "pixel", "output_units": "arcsec"}
    AsdfFile({"meta": meta, "model": distortion()}).write_to(path)


def write_filteroffset(path):
    row = {"filter": "F444W", "pupil": "CLEAR", "column_offset": 0.25, "row_offset": -0.4}
    AsdfFile({"meta": asdf_meta("filteroffset"), "filters": [row]}).write_to(path)


def write_flat(path):
    rng = np.random.default_rng(3)
    flat = rng.normal(1.0, 0.05, (NY, NX)).astype("f4")
    flat[10, 12], flat[11, 12] = np.nan, 0.0
    dq = np.zeros((NY, NX), "u4")
    dq[20, 30] = 1  # NO_FLAT_FIELD by DQ_DEF
    table = np.array(
        [(0, 1, "NO_FLAT_FIELD", ""), (1, 2, "UNRELIABLE_FLAT", "")],
        dtype=[("BIT", "i4"), ("VALUE", "u4"), ("NAME", "U40"), ("DESCRIPTION", "U80")],
    )
    hdus = [
        header("FLAT", NX, NY, START),
        fits.ImageHDU(flat, name="SCI"),
        fits.ImageHDU(np.full((NY, NX), 0.01, "f4"), name="ERR"),
        fits.ImageHDU(dq, name="DQ"),
        fits.BinTableHDU(table, name="DQ_DEF"),
    ]
    fits.HDUList(hdus).writeto(path)


def write_photom(path):
    rows = [("F356W", "CLEAR", 0.5, 0.01), ("F444W", "CLEAR", 0.42, 0.01)]
    table = np.array(
        rows,
        dtype=[("filter", "U12"), ("pupil", "U12"), ("photmjsr", "f4"), ("uncertainty", "f4")],
    )
    times = np.array(
        [("F356W", "CLEAR", 59800.0, 0.1), ("F444W", "CLEAR", 59800.0, 0.05)],
        dtype=[("filter", "U12"), ("pupil", "U12"), ("t0", "f8"), ("lossperyear", "f8")],
    )
    primary = header("PHOTOM", 2048, 2048)
    primary.header["DATAMODL"] = "NrcImgPhotomModel"
    hdus = [
        primary,
        fits.BinTableHDU(table, name="PHOTOM"),
        fits.BinTableHDU(times, name="TIMECOEFF_LINEAR"),
    ]
    fits.HDUList(hdus).writeto(path)


def write_area(path):
    y, x = np.mgrid[0:2048, 0:2048].astype("f4")
    primary = header("AREA", 2048, 2048)
    primary.header["DATAMODL"] = "PixelAreaModel"
    primary.header["PIXAR_SR"] = 9.31e-14
    primary.header["PIXAR_A2"] = 0.003961
    area = fits.ImageHDU((1 + 1e-5 * (x - 1024) - 5e-6 * (y - 1024)).astype("f4"), name="SCI")
    fits.HDUList([primary, area]).writeto(path)


WRITERS = {
    "distortion": (write_distortion, "asdf"),
    "filteroffset": (write_filteroffset, "asdf"),
    "flat": (write_flat, "fits"),
    "photom": (write_photom, "fits"),
    "area": (write_area, "fits"),
}


def rate_of(nints=None):
    """A rate image, or rateints with `nints`, with flagged and NaN pixels."""
    rng = np.random.default_rng(5)
    shape = (NY, NX) if nints is None else (nints, NY, NX)
    data = rng.normal(2.0, 0.3, shape).astype("f4")
    data[..., 40, 50] += 500
    dq = np.zeros(shape, "u4")
    dq[..., 5, 7] = 1
    data[..., 6, 8], dq[..., 6, 8] = np.nan, 1
    poisson = rng.uniform(0.01, 0.02, shape).astype("f4")
    rnoise = rng.uniform(0.03, 0.04, shape).astype("f4")
    err = np.sqrt(poisson + rnoise)
    return Image(Metadata(KEYWORDS, PEER_NAME), data, err, dq, poisson, rnoise)


@pytest.fixture(scope="session")
def make_rate():
    """The function that makes a rate image, or rateints."""
    return rate_of


@pytest.fixture(scope="session")
def reference_files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("references")
    paths = {}
    for kind, (writer, extension) in WRITERS.items():
        paths[kind] = folder / f"test_{kind}.{extension}"
        writer(paths[kind])
    return paths


@pytest.fixture
def references(reference_files):
    return References({}).with_overrides(reference_files)


@pytest.fixture
def rate():
    return rate_of()


@pytest.fixture
def rateints():
    return rate_of(3)


@pytest.fixture(scope="session")
def shared_rate_file(tmp_path_factory):
    """The rate image in a file, made once."""
    path = tmp_path_factory.mktemp("shared") / PEER_NAME
    write_image(rate_of(), path)
    return path


@pytest.fixture
def rate_file(tmp_path, rate):
    path = tmp_path / PEER_NAME
    write_image(rate, path)
    return path


def environment_of(folder):
    config = REALDATA / "crds_cache" / "config"
    if not config.is_dir():
        pytest.skip(f"no CRDS server configuration in {config}")
    shutil.copytree(config, folder / "crds" / "config", symlinks=True)
    return os.environ | {
        "STPIPE_DISABLE_CRDS_STEPPARS": "true",
        "CRDS_PATH": str(folder / "crds"),
        "CRDS_SERVER_URL": "https://jwst-serverless-mode.stsci.edu",
        "CRDS_READONLY_CACHE": "1",
        "CRDS_OBSERVATORY": "jwst",
        "CRDS_CLIENT_RETRY_COUNT": "1",
        "CRDS_CLIENT_RETRY_DELAY_SECONDS": "0",
    }


@pytest.fixture(scope="session")
def peer_environment():
    """The function that returns the environment of the official package for a folder."""
    return environment_of
