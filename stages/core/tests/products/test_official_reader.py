"""The official data models open every product without a complaint, as the right class."""

import os
import subprocess
import sys
import textwrap
import warnings

import numpy as np
import pytest

from calwebb_core.framework.keywords import KINDS, product_keywords
from calwebb_core.framework.models import Segmentation
from calwebb_core.framework.products import (
    write_image,
    write_ramp,
    write_raw,
    write_segmentation,
)

from .samples import (
    counts,
    int_times,
    keywords,
    sample_image,
    sample_mosaic,
    sample_ramp,
    sample_wcs,
)

CLASSES = {
    "x_uncal.fits": "Level1bModel",
    "x_ramp.fits": "RampModel",
    "x_rate.fits": "ImageModel",
    "x_rateints.fits": "CubeModel",
    "x_cal.fits": "ImageModel",
    "x_i2d.fits": "ImageModel",
    "x_segm.fits": "SegmentationMapModel",
}


@pytest.fixture(scope="module")
def products(tmp_path_factory):
    """One product of each kind."""
    folder = tmp_path_factory.mktemp("products")
    raw = counts(2, 3, 6, 8)
    tables = {"INT_TIMES": int_times()}
    write_raw(folder / "x_uncal.fits", keywords(), raw, zeroframe=raw[:, 0], tables=tables)
    write_ramp(sample_ramp(), folder / "x_ramp.fits")
    write_image(sample_image(), folder / "x_rate.fits")
    cube = sample_image((2, 6, 8), tables=tables)
    write_image(cube, folder / "x_rateints.fits")
    cal = sample_image(wcs=sample_wcs())
    cal.metadata.update({"OURKEY": 3, "S_REGION": "POLYGON ICRS  1 2 3 4 5 6 7 8", "A_1_1": 1e-9})
    cal.metadata.provenance = {"runs": [{"program": "calwebb-image2"}]}
    write_image(cal, folder / "x_cal.fits")
    mosaic = sample_mosaic()
    mosaic.wcs = sample_wcs(9, 7)
    write_image(mosaic, folder / "x_i2d.fits")
    labels = np.arange(48, dtype=np.uint32).reshape(6, 8)
    write_segmentation(Segmentation(keywords(), labels, sample_wcs()), folder / "x_segm.fits")
    return folder


@pytest.mark.parametrize("name", CLASSES)
def test_official_models_open_it(products, name):
    datamodels = pytest.importorskip("stdatamodels.jwst.datamodels")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with datamodels.open(products / name, strict_validation=True) as model:
            model.validate()
            assert type(model).__name__ == CLASSES[name]
            assert model.meta.exposure.type == "NRC_IMAGE"
            assert model.meta.instrument.filter == "F444W"
            assert model.meta.wcsinfo.ra_ref == 214.9
            assert model.meta.filename == name
            assert model.meta.observation.program_number == "01345"


def test_official_models_see_the_same_pixels(products):
    datamodels = pytest.importorskip("stdatamodels.jwst.datamodels")
    with datamodels.open(products / "x_cal.fits") as model:
        image = sample_image()
        for name in ("data", "err", "dq", "var_poisson", "var_rnoise", "var_flat", "area"):
            np.testing.assert_array_equal(getattr(model, name), getattr(image, name))
        assert model.meta.bunit_data == model.meta.bunit_err == "MJy/sr"
        assert model.meta.wcs(1.0, 2.0) == sample_wcs()(1.0, 2.0)
        assert model.meta.wcsinfo.a_1_1 == 1e-9
        assert model.meta.cal_step.photom == "COMPLETE"
        assert ["OURKEY", 3, ""] in [list(card) for card in model.extra_fits.PRIMARY.header]
        assert model.calwebb_flow.instance["runs"][0]["program"] == "calwebb-image2"
    with datamodels.open(products / "x_rateints.fits") as model:
        assert model.int_times["integration_number"].tolist() == [1, 2]
    with datamodels.open(products / "x_i2d.fits") as model:
        np.testing.assert_array_equal(
            model.con.astype(np.int32).view(np.uint32), sample_mosaic().context
        )


def test_keyword_table_agrees_with_the_official_schema():
    """Every keyword is where the product definition has it, with its type."""
    datamodels = pytest.importorskip("stdatamodels.jwst.datamodels")
    from stdatamodels.schema import walk_schema

    types = {"string": "s", "integer": "i", "number": "n", "boolean": "b"}
    official = {}

    def note(schema, path, *_):
        if "fits_keyword" in schema:
            key = (schema["fits_keyword"], schema.get("fits_hdu", "PRIMARY"))
            official[key] = ("meta." + ".".join(map(str, path[1:])), types[schema["type"]])

    walk_schema(datamodels.ImageModel().schema, note)
    ours = {
        (entry.name, entry.hdu): (f"meta.{entry.path}", entry.kind) for entry in product_keywords()
    }
    assert set(KINDS) == set(types.values())
    assert {key: official[key] for key in ours} == ours
    missing = {key[0] for key in official if key not in ours and key[1] != "ERR"}
    assert all(name.split("_")[0] in ("A", "B", "AP", "BP") for name in missing)


PROGRAM = """
    import sys, warnings
    warnings.simplefilter("error")
    from stdatamodels.jwst import datamodels
    for path in sys.argv[1:]:
        with datamodels.open(path, strict_validation=True) as model:
            model.validate()
            print(type(model).__name__, model.meta.exposure.type, model.data.shape)
"""


@pytest.mark.peer
def test_peer_opens_it(products):
    """The version that the official pipeline runs with, in its own environment."""
    python = os.environ.get("CALWEBB_PEER_PYTHON", "")
    if not python:
        pytest.skip("the official package is absent: set CALWEBB_PEER_PYTHON")
    paths = [str(products / name) for name in CLASSES]
    command = [python, "-c", textwrap.dedent(PROGRAM), *paths]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert [line.split()[0] for line in done.stdout.splitlines()] == list(CLASSES.values())
    assert sys.executable != python
