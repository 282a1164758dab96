"""Rectified spectra: the grid, the light on it, and spectra from it."""

import numpy as np
import pytest

from calwebb_core.framework.errors import InputError
from calwebb_core.science.spectral.extract_1d import ExtractionFiles, extract_spectra
from calwebb_core.science.spectral.extract_1d_options import Extract1dParameters
from calwebb_core.science.spectral.rectified_grid import merged_wavelengths
from calwebb_core.science.spectral.rectify import Rectification, rectify
from calwebb_core.science.world import World

from .spectra import apertures, light, star

FILES = ExtractionFiles(apertures(extract_width=12), None)
MIDDLE = slice(6, -6)
LRS = {"EXP_TYPE": "MIR_LRS-FIXEDSLIT"}


def flux_of(part):
    columns = extract_spectra(part, FILES, Extract1dParameters()).spectra[0].columns
    return columns["FLUX"] / light(columns["WAVELENGTH"]) / 1e6, columns


@pytest.mark.parametrize("axis", [1, 2])
def test_columns_have_one_wavelength_and_rows_one_place(axis):
    part = star(axis, **LRS)
    found = rectify([part], part.metadata, axis)
    ny, nx = found.data.shape
    y, x = np.mgrid[:ny, :nx].astype(float)
    ra, dec, wave = found.wcs(x, y)
    along, across = (1, 0) if axis == 1 else (0, 1)
    assert np.ptp(wave, axis=across).max() == 0.0
    assert np.ptp(dec, axis=along).max() < 1e-12
    assert np.all(np.diff(wave.mean(axis=across)) > 0.0)
    steps = np.hypot(
        *(np.diff(value, axis=across) for value in (ra * np.cos(np.radians(dec)), dec))
    )
    assert np.ptp(steps) / steps.mean() < 1e-4
    again = found.wcs.invert(ra, dec, wave)
    np.testing.assert_allclose(again[0], x, atol=1e-6)
    np.testing.assert_allclose(again[1], y, atol=1e-6)


def test_the_wcs_is_one_that_gwcs_evaluates():
    part = star(**LRS)
    wcs = rectify([part], part.metadata, 1).wcs
    assert World.from_node(wcs.node())(3.0, 4.0) == pytest.approx(wcs(3.0, 4.0))
    assert wcs.gwcs()(3.0, 4.0) == pytest.approx(wcs(3.0, 4.0), abs=1e-12)
    assert wcs.gwcs().invert(*wcs(3.0, 4.0)) == pytest.approx((3.0, 4.0), abs=1e-6)


@pytest.mark.parametrize("axis", [1, 2])
@pytest.mark.parametrize("ratio", [1.0, 2.0])
def test_the_light_of_a_star_is_kept(axis, ratio):
    part = star(axis, **LRS)
    found = rectify([part], part.metadata, axis, Rectification(pixel_scale_ratio=ratio))
    files = ExtractionFiles(apertures(extract_width=12 * ratio), None)
    columns = extract_spectra(found, files, Extract1dParameters()).spectra[0].columns
    truth = light(columns["WAVELENGTH"]) * 1e6
    np.testing.assert_allclose(columns["FLUX"][MIDDLE], truth[MIDDLE], rtol=1e-3)


def test_lost_and_noisy_pixels_do_not_shift_the_light():
    part = star(offset=0.2, **LRS)
    rng = np.random.default_rng(2)
    part.var_rnoise *= rng.uniform(0.3, 3.0, part.data.shape).astype("f4")
    part.data[rng.random(part.data.shape) < 0.01] = np.nan
    ours = flux_of(rectify([part], part.metadata, 1))[0][MIDDLE]
    official = Rectification(weight_type="ivm", fill=False)
    theirs = flux_of(rectify([part], part.metadata, 1, official))[0][MIDDLE]
    assert np.abs(ours - 1.0).max() < 0.01
    assert ours.std() < 0.2 * theirs.std()


@pytest.mark.parametrize("axis", [1, 2])
@pytest.mark.parametrize("rectified", [True, False])
def test_a_core_that_is_lost_in_many_columns_has_no_flux_rather_than_too_little(axis, rectified):
    part = star(axis, offset=0.2, **LRS)
    image = part.data if axis == 1 else part.data.T
    core = image > 0.8 * image.max(axis=0)
    core[:, :20] = core[:, 55:] = False
    image[core] = np.nan
    found = rectify([part], part.metadata, axis) if rectified else part
    flux, columns = flux_of(found)
    assert np.isnan(flux[32:44]).all()
    assert (columns["DQ"][32:44] & 1).all()
    known = np.isfinite(flux)
    known[:6] = known[-6:] = False
    # beside the gap the profile of columns on one side, where the trace lies elsewhere, must do
    np.testing.assert_allclose(flux[known], 1.0, atol=0.1)


def test_several_exposures_add_up():
    parts = [star(noise=0.004, offset=0.7, curve=curve, **LRS) for curve in (0.02, 0.03, 0.01)]
    one = rectify(parts[:1], parts[0].metadata, 1)
    three = rectify(parts, parts[0].metadata, 1)
    assert set(np.unique(three.context)) >= {0, 7}
    ratio = np.nanmedian(three.err[8:16, 20:60]) / np.nanmedian(one.err[8:16, 20:60])
    assert ratio == pytest.approx(1.0 / np.sqrt(3.0), rel=0.1)
    np.testing.assert_allclose(flux_of(three)[0][MIDDLE], 1.0, atol=0.1)


def test_what_cannot_be_rectified_is_refused():
    with pytest.raises(InputError, match="has 3 axes; spectra of one integration have 2"):
        rectify([star(nints=2)], star().metadata, 1)
    part = star()
    part.wcs = None
    with pytest.raises(InputError, match="has no WCS; run assign_wcs before resample_spec"):
        rectify([part], part.metadata, 1)


def test_wavelengths_go_on_where_others_reach_further():
    first = np.array([3.0, 2.0, 1.0])
    np.testing.assert_allclose(
        merged_wavelengths([first, np.array([0.0, 4.0])]), [4.0, 3.0, 2.0, 1.0, 0.0]
    )


@pytest.mark.parametrize(("weight", "found"), [("ivm", {"RESWHT": "ivm"}), ("typical", {})])
def test_the_header_says_how_it_was_rectified(weight, found):
    """A way to weigh that the product definition does not know is left out."""
    how = Rectification(weight_type=weight, pixfrac=0.8, pixel_scale_ratio=0.5)
    assert how.keywords(3) == {"NDRIZ": 3, "PIXFRAC": 0.8, "PXSCLRT": 0.5} | found
