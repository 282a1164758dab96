"""Small exposures of every spectroscopic mode."""

import numpy as np
import pytest

from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.models import Image, Slit, Slits
from calwebb_core.framework.product_writing import write_image
from calwebb_core.framework.slit_products import write_slits
from calwebb_spec2.modes import INSTRUMENTS

NY, NX = 6, 8
NAME = "jw09999001001_02101_00001_nrs1_{suffix}.fits"


def metadata_of(exp_type, suffix="rate", **keywords):
    values = {
        "TELESCOP": "JWST", "INSTRUME": INSTRUMENTS[exp_type[:3]], "EXP_TYPE": exp_type,
        "SUBSIZE1": NX, "SUBSIZE2": NY, "BUNIT": "DN/s",
    }  # fmt: skip
    return Metadata(values | keywords, NAME.format(suffix=suffix))


def image_of(exp_type, nints=None, **keywords):
    shape = (NY, NX) if nints is None else (nints, NY, NX)
    data = np.arange(np.prod(shape), dtype="f4").reshape(shape)
    suffix = "rate" if nints is None else "rateints"
    return Image(
        metadata_of(exp_type, suffix, **keywords), data, data + 1, np.zeros(shape, "u4"),
        data + 2, data + 3,
    )  # fmt: skip


def slit_of(extended=None, shape=(3, 4), **keywords):
    data = np.arange(np.prod(shape), dtype="f4").reshape(shape)
    metadata = Metadata(keywords)
    metadata.homes = dict.fromkeys(keywords, "SCI")
    planes = {"WAVELENGTH": np.linspace(1, 2, data.size, dtype="f4").reshape(shape)}
    return Slit(
        metadata, data, data + 1, np.zeros(shape, "u4"), planes=planes, extended=extended
    )  # fmt: skip


def slits_of(exp_type, slits, **keywords):
    return Slits(metadata_of(exp_type, "extract_2d", **keywords), slits)


@pytest.fixture(scope="session")
def make_image():
    """The function that makes an exposure, of several integrations with `nints`."""
    return image_of


@pytest.fixture(scope="session")
def make_slit():
    """The function that makes a slit with keywords."""
    return slit_of


@pytest.fixture(scope="session")
def make_slits():
    """The function that makes an exposure of slits."""
    return slits_of


@pytest.fixture
def saved(tmp_path):
    """The function that writes an exposure and returns its path."""

    def save(model):
        path = tmp_path / model.metadata.source
        (write_slits if isinstance(model, Slits) else write_image)(model, path)
        return path

    return save
