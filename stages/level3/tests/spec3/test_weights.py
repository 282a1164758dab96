"""Light of a star on a grid where neighbouring pixels have different read noise."""

import numpy as np

from calwebb_core.framework.spectra_products import read_spectra
from calwebb_level3.spec3 import run as spec3

from .slit import PIXAR_SR, exposure, spectrum, write, write_members, write_reference


def scatter(folder, **wishes):
    """Return the scatter of flux over truth of two nods, half a pixel apart."""
    rng = np.random.default_rng(5)
    images = [exposure(1, background=False), exposure(2, 4.5, background=False)]
    for image in images:
        image.var_rnoise *= rng.lognormal(0.0, 0.8, image.data.shape).astype("f4")
    result = spec3(
        write_members(folder, write(folder, images)),
        output_dir=folder / "out",
        overrides={"extract1d": write_reference(folder), "apcorr": "N/A"},
        parameters={"resample_spec": wishes} if wishes else {},
        skip=["outlier_detection"],
    )
    columns = read_spectra(result.outputs[-1]).spectra[0].columns
    ratio = columns["FLUX"] / (spectrum(columns["WAVELENGTH"]) * PIXAR_SR * 1e6)
    return 1.4826 * np.median(np.abs(ratio[3:-3] - np.median(ratio[3:-3])))


def test_pixels_of_an_exposure_weigh_the_same(tmp_path):
    """Weights of single pixels move the mean along the star's profile."""
    official = scatter(tmp_path, weight_type="ivm", lost_pixels="drop")
    assert scatter(tmp_path) < 0.6 * official
