"""The errors of rectified spectra, against their scatter."""

from dataclasses import replace

import numpy as np
import pytest

from calwebb_core.science.spectral.extract_1d import ExtractionFiles, extract_spectra
from calwebb_core.science.spectral.extract_1d_options import Extract1dParameters
from calwebb_core.science.spectral.rectify import Rectification, rectify

from .spectra import apertures, star

MIDDLE = slice(6, -6)
LRS = {"EXP_TYPE": "MIR_LRS-FIXEDSLIT"}


def noisy(part, rng):
    """A copy with noise."""
    sigma = np.sqrt(part.var_rnoise + part.var_poisson)
    return replace(part, data=part.data + rng.normal(0.0, sigma).astype("f4"))


@pytest.mark.parametrize(
    ("axis", "count", "how"),
    [
        (1, 1, {}),
        (2, 1, {"pixel_scale_ratio": 1.7}),
        (1, 1, {"weight_type": "ivm", "fill": False}),
        (1, 1, {"pixfrac": 0.6}),
        (2, 2, {}),
        (1, 2, {"kernel": "point", "pixel_scale_ratio": 0.6}),
    ],
)
def test_spectra_scatter_by_their_errors(axis, count, how):
    """Pixels fall on two elements of the grid, which averages their noise."""
    rng = np.random.default_rng(1)
    clean = [star(axis, curve=0.02 * number, **LRS) for number in range(1, count + 1)]
    for part in clean:
        part.var_poisson[:] = 1e-6
        part.var_rnoise[:] = rng.uniform(0.5, 2.0, part.data.shape) * 1e-4
    files = ExtractionFiles(apertures(extract_width=12 * how.get("pixel_scale_ratio", 1.0)), None)
    fluxes, errors = [], []
    for _ in range(25):
        parts = [noisy(part, rng) for part in clean]
        found = rectify(parts, clean[0].metadata, axis, Rectification(**how))
        columns = extract_spectra(found, files, Extract1dParameters()).spectra[0].columns
        fluxes.append(columns["FLUX"][MIDDLE])
        errors.append(columns["FLUX_ERROR"][MIDDLE])
    variance = np.var(fluxes, axis=0, ddof=1) / np.mean(np.square(errors), axis=0)
    assert np.mean(variance) == pytest.approx(1.0, abs=0.1)


def test_pixels_without_a_variance_have_that_of_the_others():
    part = star(noise=0.02, **LRS)
    whole = rectify([part], part.metadata, 1)
    part.var_poisson[5::5] = np.nan
    holed = rectify([part], part.metadata, 1)
    ratio = (holed.var_poisson / whole.var_poisson)[3:-3]
    known = np.isfinite(whole.data[3:-3])
    np.testing.assert_allclose(ratio[known], 1.0, atol=0.2)


@pytest.mark.parametrize("bunit", ["MJy", "MJy/sr"])
def test_the_area_of_a_pixel_is_that_of_the_grid(bunit):
    """So that the flux in an aperture does not depend on the grid."""
    part = star(BUNIT=bunit, PIXAR_A2=0.085, **LRS)
    fluxes = []
    for ratio in (1.0, 2.0):
        found = rectify([part], part.metadata, 1, Rectification(pixel_scale_ratio=ratio))
        assert found.metadata["PIXAR_SR"] == pytest.approx(2e-12 / ratio)
        assert found.metadata["PIXAR_A2"] == pytest.approx(0.085 / ratio)
        files = ExtractionFiles(apertures(extract_width=14 * ratio), None)
        spectrum = extract_spectra(found, files, Extract1dParameters()).spectra[0]
        fluxes.append(spectrum.columns["FLUX"][MIDDLE])
    np.testing.assert_allclose(fluxes[1], fluxes[0], rtol=1e-3)
