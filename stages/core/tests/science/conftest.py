"""A NIRCam-like detector for the tests of the core's array algorithms."""

import os
from pathlib import Path

import numpy as np
import pytest
from astropy.modeling.models import Identity, Mapping, Polynomial2D, Shift

from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.models import Image
from calwebb_core.science.wcs import imaging_wcs

POINTING = {
    "SUBSTRT1": 1, "SUBSTRT2": 1, "SUBSIZE1": 2048, "SUBSIZE2": 2048, "V2_REF": 86.1,
    "V3_REF": -493.3, "RA_REF": 80.0, "DEC_REF": -69.5, "ROLL_REF": 120.0, "V3I_YANG": -0.07,
    "VPARITY": -1, "VA_SCALE": 1.00004,
}  # fmt: skip


def make_distortion():
    """Full-frame pixels to V2, V3: 0.063 arcsec a pixel with percent-level quadratic terms."""
    along_x = {"c1_0": -0.06277, "c0_1": 1e-4, "c2_0": 1.2e-7, "c1_1": -7.2e-7}
    along_y = {"c1_0": -9e-5, "c0_1": 0.06308, "c2_0": 3.1e-7, "c0_2": -4.2e-7}
    centre = Shift(-1023.5) & Shift(-1023.5)
    curve = Mapping((0, 1, 0, 1)) | Polynomial2D(2, **along_x) & Polynomial2D(2, **along_y)
    forward = centre | curve
    y, x = np.mgrid[0:2048:64, 0:2048:64].astype(float)
    v2, v3 = forward(x, y)
    powers = [(i, j) for i in range(6) for j in range(6 - i)]
    matrix = np.stack([v2.ravel() ** i * v3.ravel() ** j for i, j in powers], axis=1)
    back = []
    for target in (x, y):
        solution = np.linalg.lstsq(matrix, target.ravel(), rcond=None)[0]
        named = {f"c{i}_{j}": v for (i, j), v in zip(powers, solution, strict=True)}
        back.append(Polynomial2D(5, **named))
    whole = forward | Shift(86.1) & Shift(-493.3)
    inverse = Shift(-86.1) & Shift(493.3) | Mapping((0, 1, 0, 1)) | back[0] & back[1] | Identity(2)
    whole.inverse = inverse
    return whole


@pytest.fixture(scope="session")
def distortion():
    return make_distortion()


@pytest.fixture
def pointing():
    """Keywords of a full-frame exposure."""
    return Metadata(POINTING, "jw_rate.fits")


@pytest.fixture
def subarray(pointing, distortion):
    """Build a WCS of a subarray: `subarray(x, y, nx, ny, **keywords)`."""

    def build(x=601, y=901, nx=96, ny=80, **keywords):
        metadata = pointing.copy()
        metadata.update({"SUBSTRT1": x, "SUBSTRT2": y, "SUBSIZE1": nx, "SUBSIZE2": ny, **keywords})
        return imaging_wcs(metadata, distortion), metadata

    return build


@pytest.fixture
def make_image(subarray):
    """Build a calibrated image: `make_image(value, **where)`."""

    def build(value=1.0, seed=None, **where):
        wcs, metadata = subarray(**where)
        shape = (metadata["SUBSIZE2"], metadata["SUBSIZE1"])
        data = np.full(shape, value, np.float32)
        if seed is not None:
            data = np.random.default_rng(seed).normal(value, 1.0, shape).astype(np.float32)
        metadata["XPOSURE"] = 100.0
        return Image(
            metadata,
            data,
            np.ones(shape, np.float32),
            np.zeros(shape, np.uint32),
            var_poisson=np.full(shape, 0.5, np.float32),
            var_rnoise=np.full(shape, 0.25, np.float32),
            var_flat=np.full(shape, 0.25, np.float32),
            wcs=wcs,
        )

    return build


@pytest.fixture(scope="session")
def realdata():
    """Folder of the public real data."""
    default = Path(__file__).parents[5] / "shared" / "realdata"
    folder = Path(os.environ.get("CALWEBB_REALDATA", default))
    if not folder.is_dir():
        pytest.skip(f"real data is absent: {folder} (set CALWEBB_REALDATA)")
    return folder
