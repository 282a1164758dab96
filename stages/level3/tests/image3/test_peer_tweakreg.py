"""tweakreg beside the official step on the same exposures."""

import numpy as np
import pytest

from calwebb_core.framework.products import write_image
from calwebb_core.science.footprint import unit_vectors
from calwebb_level3.imageset import make_set
from calwebb_level3.steps.tweakreg import TweakregParameters, run
from official_process import run_official

from .scene import dithered, star_field
from .test_tweakreg import ERRORS

pytestmark = [pytest.mark.peer, pytest.mark.slow]

CODE = """
import sys
import numpy as np
from jwst.datamodels import ModelLibrary
from jwst.tweakreg import TweakRegStep
import stdatamodels.jwst.datamodels as dm
x, y = np.meshgrid(np.linspace(0, 199, 9), np.linspace(0, 199, 9))
models = [dm.open(name) for name in sys.argv[2:]]
found = TweakRegStep.call(
    models, kernel_fwhm=2.1, minobj=5, separation=0.5, tolerance=0.2, save_results=False)
with found:
    result, statuses = [], []
    for model in found:
        result.append(model.meta.wcs(x, y, with_bounding_box=False))
        statuses.append(str(model.meta.cal_step.tweakreg))
        found.shelve(model, modify=False)
np.savez(sys.argv[1], sky=np.array(result), statuses=statuses)
"""


def sky_of(wcses):
    x, y = np.meshgrid(np.linspace(0, 199, 9), np.linspace(0, 199, 9))
    return np.array([wcs(x, y, with_bounding_box=False) for wcs in wcses])


def apart(first, second):
    """Return the mean offset of each exposure between two solutions, mas, less the overall one."""
    vectors = [unit_vectors(sky[:, 0], sky[:, 1]) for sky in (first, second)]
    offsets = (vectors[0] - vectors[1]).mean(axis=(1, 2)) * 206264806
    return np.linalg.norm(offsets - offsets.mean(axis=0), axis=-1)


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tweakreg")
    exposures = dithered(star_field(80, faint=100), errors=ERRORS)
    names = [image.metadata["FILENAME"] for image in exposures]
    for image, name in zip(exposures, names, strict=True):
        write_image(image, folder / name)
    run_official(CODE, "official.npz", *names, folder=folder)
    images = make_set(exposures, product="p")
    run(images, None, TweakregParameters(kernel_fwhm=2.1))
    return folder, names, images, np.load(folder / "official.npz")


def test_the_same_shifts_as_the_official_step(both):
    _, _, images, official = both
    assert set(official["statuses"]) == {"COMPLETE"}
    ours = sky_of([image.wcs for image in images.exposures])
    # The official centroids of moments scatter by 1 to 2 mas a star at this sampling.
    assert apart(ours, official["sky"]).max() < 2.0


def test_the_official_step_aligns_our_products_further(both):
    folder, names, images, _ = both
    again = []
    for image, name in zip(images.exposures, names, strict=True):
        again.append(name.replace("_cal", "_crf"))
        write_image(image.image(), folder / again[-1])
    run_official(CODE, "again.npz", *again, folder=folder)
    official = np.load(folder / "again.npz")
    assert set(official["statuses"]) == {"COMPLETE"}
    assert apart(sky_of([image.wcs for image in images.exposures]), official["sky"]).max() < 2.0
