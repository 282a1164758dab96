"""Optimal extraction: truth, errors, signal to noise, lost pixels, nods, places, refusals."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calwebb_core.framework import threads
from calwebb_core.framework.errors import InputError, ReferenceFileError
from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.reference_data import Reference
from calwebb_core.science.kernels import column_background as box
from calwebb_core.science.spectral.aperture import Aperture, weights_of
from calwebb_core.science.spectral.extract_1d import ExtractionFiles, extract_spectra
from calwebb_core.science.spectral.extract_1d_options import OPTIMAL, Extract1dParameters
from calwebb_core.science.spectral.extraction import Background, Pixels, extract_box
from calwebb_core.science.spectral.optimal import Fit, Traces, placed
from calwebb_core.science.spectral.optimal_spectrum import is_pair
from calwebb_core.science.spectral.psf_profile import psf_of

from .spectra import SIGMA, apertures, light, star

NALONG, NACROSS = 40, 31
FINE, HALF = 20, 15
WAVES = np.repeat(np.linspace(10.0, 5.0, NALONG)[:, None], NACROSS, axis=1)
TRACE = 12.3 + 0.02 * np.arange(NALONG)
NOD = TRACE + 11.0
FLUX = np.linspace(50.0, 100.0, NALONG)


def reference(sigma=SIGMA, axis=2, **keywords):
    """A Gaussian PSF that is the same at all wavelengths."""
    place = (np.arange(2 * HALF * FINE + 1) - HALF * FINE) / FINE
    table = np.repeat(np.exp(-((place / sigma) ** 2) / 2)[None], 3, axis=0)
    header = {"SUBPIX": FINE, "CENTCOL" if axis == 2 else "CENTROW": HALF * FINE} | keywords
    arrays = {"PSF": table if axis == 2 else table.T.copy(), "WAVE": np.array([30.0, 6.0, 0.1])}
    return Reference("psf", "psf.fits", arrays=arrays, headers={"PSF": header})


def fit(order=-1, **options):
    return Fit(psf_of(reference(), ("ANY",), 2), order, **options)


def gauss(trace):
    distance = np.arange(NACROSS) - trace[:, None]
    return np.exp(-((distance / SIGMA) ** 2) / 2) / SIGMA / np.sqrt(2 * np.pi)


def scene(nints=1, noise=0.0, variance=1.0, nod=0.0, level=0.0):
    data = FLUX[:, None] * gauss(TRACE) - nod * gauss(NOD) + level
    data = np.repeat(data[None], nints, axis=0)
    data += np.random.default_rng(3).normal(0.0, 1.0, data.shape) * noise
    planes = [np.full(data.shape, variance * part, "f4") for part in (0.2, 0.5, 0.3)]
    return Pixels(data.astype("f4"), np.zeros(data.shape, "u4"), *planes, 2)


def sums(pixels, how, traces):
    return how.sums(pixels, WAVES, how.profiles(WAVES, traces))[0]


@pytest.mark.parametrize("order", [-1, 0, 2])
@pytest.mark.parametrize("uniform", [True, False])
def test_the_flux_is_found_with_a_background_and_a_nod(order, uniform):
    level = 0.0 if order < 0 else 30.0
    found = sums(scene(nod=70.0, level=level), fit(order, uniform=uniform), Traces(TRACE, NOD))
    np.testing.assert_allclose(found[0, :, box.FLUX], FLUX, rtol=2e-4)
    per_pixel = found[0, :, box.BKG] / found[0, :, box.NPIXELS]
    np.testing.assert_allclose(per_pixel, level, atol=5e-3)


def test_the_scatter_is_the_error_and_less_than_that_of_a_box():
    pixels = scene(400, noise=3.0, variance=9.0)
    found = sums(pixels, fit(), Traces(TRACE))
    error = np.sqrt(found[..., 1:4].sum(axis=-1)).mean(axis=0)
    scatter = found[..., box.FLUX].std(axis=0)
    assert np.median(scatter / error) == pytest.approx(1.0, abs=0.03)
    np.testing.assert_allclose(found[..., box.FLUX].mean(axis=0), FLUX, atol=5 * error.max() / 20)
    summed = extract_box(pixels, weights_of(Aperture(width=9), WAVES, TRACE), Background())
    assert summed[..., box.FLUX].std(axis=0).mean() > 1.35 * scatter.mean()


def test_noisy_pixels_count_less():
    pixels = scene(400, noise=1.0)
    loud = np.random.default_rng(5).random((NALONG, NACROSS)) < 0.2
    pixels.data[:, loud] += np.random.default_rng(6).normal(0, 8, (400, loud.sum())).astype("f4")
    pixels.rnoise[:, loud] += 64.0
    heavy, alike = (sums(pixels, fit(uniform=flag), Traces(TRACE)) for flag in (False, True))
    scatter = [found[..., box.FLUX].std(axis=0).mean() for found in (heavy, alike)]
    assert scatter[0] < 0.6 * scatter[1]


@settings(max_examples=20, deadline=None)
@given(st.integers(0, NALONG - 1), st.integers(-3, 3), st.booleans())
def test_a_lost_pixel_biases_nothing(j, step, flagged):
    pixels = scene()
    place = round(TRACE[j]) + step
    if flagged:
        pixels.data[0, j, place] = 1e6
        pixels.dq[0, j, place] = 1
    else:
        pixels.data[0, j, place] = np.nan
    found = sums(pixels, fit(), Traces(TRACE))
    np.testing.assert_allclose(found[0, :, box.FLUX], FLUX, rtol=2e-4)


def test_without_most_of_its_light_an_element_has_no_flux():
    pixels = scene()
    pixels.dq[0, 5, 6:20] = 1
    found = sums(pixels, fit(), Traces(TRACE))
    assert np.flatnonzero(np.isnan(found[0, :, box.FLUX])).tolist() == [5]


def test_light_beyond_the_array_belongs_to_the_flux():
    trace = np.full(NALONG, 0.5)
    data = (FLUX[:, None] * gauss(trace))[None].astype("f4")
    nothing = np.zeros((0, 0, 0), "f4")
    pixels = Pixels(data, np.zeros(data.shape, "u4"), nothing, nothing, nothing, 2)
    whole, array = (sums(pixels, fit(whole=flag), Traces(trace))[0, :, 0] for flag in (True, False))
    np.testing.assert_allclose(whole, FLUX, rtol=1e-3)
    np.testing.assert_allclose(array, data[0].sum(axis=1), rtol=1e-3)


@pytest.mark.parametrize("nod", [None, NOD + 0.4])
def test_the_place_is_found(nod):
    pixels = scene(noise=0.3, nod=0.0 if nod is None else 70.0)
    found = placed(fit(), pixels, WAVES, Traces(TRACE - 0.7, nod))
    np.testing.assert_allclose(found.source, TRACE, atol=0.01)
    if nod is not None:
        np.testing.assert_allclose(found.nod, NOD, atol=0.01)


def test_a_series_is_placed_by_its_median():
    pixels = scene(9, noise=0.3)
    pixels.data[0] = 500.0
    found = placed(fit(), pixels, WAVES, Traces(TRACE + 0.6))
    np.testing.assert_allclose(found.source, TRACE, atol=0.01)


def test_the_number_of_threads_changes_nothing(monkeypatch):
    pixels = scene(5, noise=1.0)
    found = []
    for number in (1, 2):
        monkeypatch.setattr(threads, "_wanted", [number])
        found.append(sums(pixels, fit(1), Traces(TRACE, NOD)).tobytes())
    assert found[0] == found[1]


@pytest.mark.parametrize("axis", [1, 2])
@pytest.mark.parametrize("nints", [None, 3])
def test_spectra_of_a_star_by_their_profile(axis, nints):
    part = star(axis, nints=nints, EXP_TYPE="MIR_LRS-FIXEDSLIT")
    files = ExtractionFiles(apertures(extract_width=12), None, reference(axis=axis))
    parameters = Extract1dParameters(extraction_type=OPTIMAL)
    columns = extract_spectra(part, files, parameters).spectra[0].columns
    truth = light(columns["WAVELENGTH"]) * 1e6
    middle = (..., slice(5, -5))
    # the star of the test is integrated over pixels, the profile is not quite
    np.testing.assert_allclose(columns["FLUX"][middle], truth[middle], rtol=0.05)
    assert not columns["SURF_BRIGHT"].any()


def test_pairs_of_nods_are_told_by_keywords():
    values = {"S_BKDSUB": "COMPLETE", "PATTTYPE": "ALONG-SLIT-NOD"}
    assert is_pair(Metadata(values, "x"))
    assert not is_pair(Metadata(values | {"S_BKDSUB": "SKIPPED"}, "x"))
    assert not is_pair(Metadata(values | {"PATTTYPE": "NONE"}, "x"))


@pytest.mark.parametrize("axis", [1, 2])
def test_the_fitted_scene_can_be_looked_at(axis):
    part = star(axis, EXP_TYPE="MIR_LRS-FIXEDSLIT")
    files = ExtractionFiles(apertures(extract_width=12), None, reference(axis=axis))
    parameters = Extract1dParameters(
        extraction_type=OPTIMAL, save_profile=True, save_scene_model=True, save_residual_image=True
    )
    images = {image.suffix: image.data for image in extract_spectra(part, files, parameters).images}
    assert list(images) == ["profile", "scene_model", "residual"]
    along = images["profile"].sum(axis=axis - 1)
    np.testing.assert_allclose(along[5:-5], 1.0, atol=1e-3)
    total = images["residual"] + images["scene_model"]
    np.testing.assert_allclose(total, part.data, atol=1e-6 * part.data.max())
    inner = (slice(None), slice(5, -5)) if axis == 1 else (slice(5, -5), slice(None))
    assert np.abs(images["residual"][inner]).max() < 0.05 * part.data.max()


def test_without_a_psf_it_is_refused():
    part = star(EXP_TYPE="MIR_LRS-FIXEDSLIT")
    files = ExtractionFiles(apertures(), None)
    with pytest.raises(InputError, match="there is no PSF reference for MIR_LRS-FIXEDSLIT"):
        extract_spectra(part, files, Extract1dParameters(extraction_type=OPTIMAL))


def test_the_psf_of_an_aperture_is_chosen_by_name():
    one = reference(APERTURE="S1")
    one.arrays |= {"PSF,2": one.arrays["PSF"] * 2.0, "WAVE,2": one.arrays["WAVE"]}
    one.headers["PSF,2"] = one.headers["PSF"] | {"APERTURE": "S2", "CENTCOL": 7}
    assert psf_of(one, ("s2",), 2).centre == 7
    with pytest.raises(ReferenceFileError, match="has 2 PSFs, none of S3"):
        psf_of(one, ("S3",), 2)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"SUBPIX": 0.0}, "SUBPIX is 0"),
        ({"SUBPIX": np.inf}, "SUBPIX is inf"),
        ({"SUBPIX": "&"}, "PSF makes no sense: could not convert string to float"),
        ({"CENTCOL": -3}, "its centre -3"),
        ({"wave": np.zeros(2)}, "2 wavelengths"),
        ({"wave": np.array([1.0, np.nan, 2.0])}, "no numbers"),
        ({"psf": np.zeros((3, 9)), "CENTCOL": 4}, "a wavelength without light"),
    ],
)
def test_a_psf_that_makes_no_sense_is_refused(change, message):
    bad = reference()
    for name, value in change.items():
        if name in ("wave", "psf"):
            bad.arrays[name.upper()] = value
        else:
            bad.headers["PSF"][name] = value
    with pytest.raises(ReferenceFileError, match=message):
        psf_of(bad, ("ANY",), 2)


def test_a_psf_without_a_centre_is_refused():
    with pytest.raises(ReferenceFileError, match="has no CENTCOL for PSF"):
        psf_of(reference(axis=1), ("ANY",), 2)
