"""Outliers are found, star cores are kept; the compiled loops agree with numpy."""

import math

import numpy as np
import pytest
from astropy.io import fits
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from calwebb_core.framework.errors import InputError
from calwebb_core.science.dq import DO_NOT_USE, OUTLIER
from calwebb_core.science.drizzling import bands
from calwebb_level3.imageset import make_set
from calwebb_level3.imaging import model_sky
from calwebb_level3.imaging.model_sky import find_outliers
from calwebb_level3.kernels.outliers import median_stack, usual_slope
from calwebb_level3.products import write_pictures
from calwebb_level3.steps.outlier_detection import OutlierDetectionParameters, run

from .scene import dithered, star_field

FLAGS = OUTLIER | DO_NOT_USE


def with_cosmic_rays(exposures, number=150, low=20.0, high=200.0):
    """Add single bright pixels away from the edges; return where they are."""
    rng = np.random.default_rng(5)
    masks = []
    for image in exposures:
        mask = np.zeros(image.data.shape, bool)
        mask[tuple(rng.integers(30, 170, (2, number)))] = True
        image.data[mask] += rng.uniform(low, high, mask.sum())
        masks.append(mask)
    return masks


def cores(image, stars):
    """Return the 5 x 5 pixels around each star."""
    x, y = image.wcs.invert(stars[0], stars[1], with_bounding_box=False)
    mask = np.zeros(image.data.shape, bool)
    for u, v in zip(np.rint(x).astype(int), np.rint(y).astype(int), strict=True):
        if 2 < u < 197 and 2 < v < 197:
            mask[v - 2 : v + 3, u - 2 : u + 3] = True
    return mask


def hits(images):
    return [(image.plane("dq") & OUTLIER) != 0 for image in images.exposures]


@pytest.mark.parametrize("fwhm", [1.3, 2.1])
def test_cosmic_rays_are_found_and_star_cores_kept(fwhm):
    stars = star_field(80, faint=30, bright=30000)
    exposures = dithered(stars, fwhm=fwhm, skies=[1.0, 1.0, 1.0, 1.0])
    masks = with_cosmic_rays(exposures)
    images = make_set(exposures, product="p")
    _, status = run(images, None, OutlierDetectionParameters())
    assert status.word == "COMPLETE"
    for image, found, mask in zip(exposures, hits(images), masks, strict=True):
        core = cores(image, stars)
        near = np.zeros_like(mask)
        for dy in (-1, 0, 1):
            for dx in (-1, 0, 1):
                near |= np.roll(mask, (dy, dx), (0, 1))
        assert (found & mask & ~core).sum() > 0.98 * (mask & ~core).sum()
        assert (found & core & ~near).sum() <= 1
        assert (found & ~near).sum() <= 4


def test_stars_alone_leave_no_hit():
    stars = star_field(80, faint=30, bright=30000)
    images = make_set(dithered(stars, fwhm=1.6), product="p")
    run(images, None, OutlierDetectionParameters())
    assert sum(found.sum() for found in hits(images)) <= 3


def test_sky_levels_are_taken_into_account():
    exposures = dithered(star_field(30), skies=[1.0, 5.0, 2.0, 9.0])
    for image, level in zip(exposures, [0.0, 4.0, 1.0, 8.0], strict=True):
        image.metadata["BKGLEVEL"], image.metadata["BKGSUB"] = level, False
    images = make_set(exposures, product="p")
    run(images, None, OutlierDetectionParameters())
    assert sum(found.sum() for found in hits(images)) <= 4


def test_flagged_pixels_become_nan():
    exposures = dithered(star_field(30))
    masks = with_cosmic_rays(exposures)
    images = make_set(exposures, product="p")
    run(images, None, OutlierDetectionParameters())
    for exposure, found in zip(images.exposures, hits(images), strict=True):
        image = exposure.image()
        assert np.all((image.dq[found] & FLAGS) == FLAGS)
        for array in (image.data, image.err, image.var_poisson, image.var_rnoise, image.var_flat):
            assert np.isnan(array[found]).all()
            assert np.isfinite(array[~found]).all()
    assert masks[0].any()


def test_with_two_exposures_only_the_hit_one_is_flagged():
    exposures = dithered(star_field(30), 2)
    masks = with_cosmic_rays(exposures[:1])
    images = make_set(exposures, product="p")
    run(images, None, OutlierDetectionParameters())
    first, second = hits(images)
    assert (first & masks[0]).sum() > 0.9 * masks[0].sum()
    assert second.sum() < 0.05 * masks[0].sum()


def test_single_exposure_is_skipped():
    images = make_set(dithered(star_field(30), 1), product="p")
    _, status = run(images, None, OutlierDetectionParameters())
    assert status.word == "SKIPPED"
    assert "none to compare" in status.reason


def test_without_resampling_pixels_are_compared():
    exposures = dithered(star_field(0), 4)
    with_cosmic_rays(exposures)
    images = make_set(exposures, product="p")
    run(images, None, OutlierDetectionParameters(resample_data=False))
    assert all(found.sum() > 100 for found in hits(images))
    for name in ("data", "err", "dq", "var_poisson", "var_rnoise", "var_flat"):
        setattr(exposures[0], name, getattr(exposures[0], name)[:100])
    images = make_set(exposures, product="p")
    with pytest.raises(InputError, match="resample_data = false needs exposures of one shape"):
        run(images, None, OutlierDetectionParameters(resample_data=False))


@pytest.mark.parametrize("text", ["5", "a b", "5 4 3", "-1 4", ""])
def test_limits_that_are_no_pair_are_refused(text):
    images = make_set(dithered(star_field(5), 2), product="p")
    with pytest.raises(InputError, match=r"outlier_detection\.snr is .* expected two numbers"):
        run(images, None, OutlierDetectionParameters(snr=text))


def test_many_outliers_are_reported(caplog):
    exposures = dithered(star_field(5), 3)
    for image in exposures:
        image.err *= 0.1
    run(make_set(exposures, product="p"), None, OutlierDetectionParameters())
    assert any(record.levelname == "WARNING" for record in caplog.records)


def test_bands_give_the_same_median(monkeypatch):
    exposures = dithered(star_field(30))
    whole, banded = (make_set(dithered(star_field(30)), product="p") for _ in range(2))
    run(whole, None, OutlierDetectionParameters())
    monkeypatch.setattr(model_sky, "bands_of", lambda shape, depth: bands(shape, 40000 * depth))
    run(banded, None, OutlierDetectionParameters())
    assert len(exposures) == 4
    for first, second in zip(whole.exposures, banded.exposures, strict=True):
        np.testing.assert_array_equal(first.plane("dq"), second.plane("dq"))


def test_background_counts_where_skymatch_left_no_level():
    exposures = dithered(star_field(30), 3)
    images = make_set(exposures, product="p")
    run(images, None, OutlierDetectionParameters(backg=20.0))
    assert all(found.mean() > 0.5 for found in hits(images))
    images = make_set(exposures, product="p")
    for exposure in images.exposures:
        exposure.metadata["BKGLEVEL"], exposure.metadata["BKGSUB"] = 0.0, False
    run(images, None, OutlierDetectionParameters(backg=20.0))
    assert sum(found.sum() for found in hits(images)) <= 4


def test_intermediate_results_are_kept_and_written(tmp_path):
    images = make_set(dithered(star_field(30), 3), product="jw01345-o001_t001", asn_id="o001")
    run(images, None, OutlierDetectionParameters(save_intermediate_results=True))
    assert [suffix for suffix, _ in images.pictures] == ["median", "blot", "blot", "blot"]
    paths = write_pictures(images, tmp_path)
    assert [path.name for path in paths[:2]] == [
        "jw01345-o001_t001_median.fits",
        "jw01345001001_02101_00001_nrca1_o001_blot.fits",
    ]
    median, blot = (fits.getdata(path, "SCI") for path in paths[:2])
    assert np.nanmedian(median) == pytest.approx(1.0, abs=0.05)
    assert abs(np.nanmedian(images.exposures[0].plane("data") - blot)) < 0.05
    ra, dec = images.pictures[1][1].wcs(100.0, 90.0)
    x, y = images.pictures[0][1].wcs.invert(ra, dec)
    near = median[int(y) : int(y) + 2, int(x) : int(x) + 2]
    assert near.min() - 1 < blot[90, 100] < near.max() + 1
    images = make_set(dithered(star_field(30), 3), product="p")
    pixels = OutlierDetectionParameters(save_intermediate_results=True, resample_data=False)
    run(images, None, pixels)
    assert [suffix for suffix, _ in images.pictures] == ["median"]


@pytest.mark.parametrize("number", [2, 3, 4])
@pytest.mark.parametrize("fwhm", [0.95, 1.1])
def test_cores_of_undersampled_stars_are_kept(fwhm, number):
    stars = star_field(100, faint=30, bright=60000)
    exposures = dithered(stars, number, fwhm=fwhm)
    for image in exposures[1:]:
        # The width differs between exposures, and the alignment is not perfect.
        image.data *= np.float32(1.02)
    images = make_set(exposures, product="p")
    run(images, None, OutlierDetectionParameters())
    assert sum(found.sum() for found in hits(images)) <= 4


def test_weight_by_exposure_time():
    exposures = dithered(star_field(30))
    masks = with_cosmic_rays(exposures)
    images = make_set(exposures, product="p")
    run(images, None, OutlierDetectionParameters(weight_type="exptime"))
    assert (hits(images)[0] & masks[0]).sum() > 0.9 * masks[0].sum()


def median_reference(stack, noise, patience):
    """The same median in plain numpy."""
    out = np.full(stack.shape[1:], np.nan, np.float32)
    for index in np.ndindex(out.shape):
        values = np.sort(stack[(slice(None), *index)])
        values = values[np.isfinite(values)]
        n = len(values)
        if not n:
            continue
        low, high = values[(n - 1) // 2], values[n // 2]
        limit = noise[index] * np.float32(1 if n == 2 else patience)
        out[index] = low if high - low > limit else np.median(values)
    return out


values = st.one_of(st.just(math.nan), st.floats(-1e3, 1e3, width=32))


@given(st.data(), st.integers(1, 7), st.integers(1, 4), st.integers(1, 4), st.booleans())
@settings(max_examples=40, deadline=None)
def test_median_agrees_with_numpy(data, n, ny, nx, large):
    stack = data.draw(arrays(np.float32, (n, ny, nx), elements=values))
    if large:
        stack = np.concatenate([stack] * 11)  # beyond the sorting network
    noise = np.full((ny, nx), data.draw(st.sampled_from([1.0, 10.0, np.inf])), np.float32)
    out = np.empty((ny, nx), np.float32)
    median_stack(stack.copy(), noise, 1.5, out)
    np.testing.assert_allclose(out, median_reference(stack, noise, 1.5), rtol=1e-6, atol=1e-6)


def neighbours(model, step, *, mirrored):
    """Return the pixels to the left, right, below and above, at the edges those opposite."""
    y, x = np.indices(model.shape)
    found = []
    for v, u in ((0, -step), (0, step), (-step, 0), (step, 0)):
        j, i = y + v, x + u
        for index, size in ((j, model.shape[0]), (i, model.shape[1])):
            if mirrored and size > 1:
                index[index < 0] = 1
                index[index >= size] = size - 2
            np.clip(index, 0, size - 1, out=index)
        found.append(model[j, i])
    return np.stack(found)


def outliers_reference(data, model, err, snr, scale, sharpness):
    """The same test in plain numpy."""
    ny, nx = model.shape
    left, right, down, up = neighbours(model, 1, mirrored=True) - model
    slope = np.fmax.reduce(
        [np.abs(left), np.abs(right), np.abs(down), np.abs(up), np.zeros((ny, nx))]
    )
    across = np.where(np.isnan(left), right, left) + np.where(np.isnan(right), left, right)
    along = np.where(np.isnan(down), up, down) + np.where(np.isnan(up), down, up)
    bend = np.nan_to_num(across) + np.nan_to_num(along)
    bend *= 1 + np.isnan(neighbours(model, 3, mirrored=False)).any(axis=0)
    sharp = model - sharpness * bend
    low, high = np.minimum(model, sharp), np.maximum(model, sharp)
    difference = np.maximum(data - high, low - data)
    first = difference > scale[0] * slope + snr[0] * err
    second = difference > scale[1] * slope + snr[1] * err
    grown = np.pad(first, 1)
    near = np.logical_or.reduce(
        [grown[1 + v : 1 + v + ny, 1 + u : 1 + u + nx] for v in (-1, 0, 1) for u in (-1, 0, 1)]
    )
    return second & near


@given(st.data(), st.integers(1, 8), st.integers(1, 8), st.sampled_from([0.0, 0.25]))
@settings(max_examples=60, deadline=None)
def test_outlier_test_agrees_with_numpy(data, ny, nx, sharpness):
    # Whole numbers: the sums are exact, so that both sides decide alike at a limit.
    whole = st.one_of(st.just(math.nan), st.integers(-50, 50).map(float))
    image, model = (data.draw(arrays(np.float32, (ny, nx), elements=whole)) for _ in range(2))
    err = data.draw(arrays(np.float32, (ny, nx), elements=st.sampled_from([1.0, 4.0, math.nan])))
    options = {"snr": (5.0, 4.0), "scale": (1.5, 0.5), "sharpness": sharpness}
    found, tested = find_outliers(image, model, err, **options)
    expected = outliers_reference(image, model, err, *options.values())
    np.testing.assert_array_equal(found > 0, expected)
    assert tested == np.isfinite(image + model).sum()


def test_noise_of_the_model_is_no_slope():
    rng = np.random.default_rng(2)
    model = rng.normal(0, 0.4, (200, 200)).astype(np.float32)
    err = np.ones_like(model)
    assert usual_slope(model, err, 1) == pytest.approx(0.75, abs=0.05)
    assert usual_slope(np.full_like(model, np.nan), err, 1) == 0
    data = model.copy()
    data[50, 60] += 6.0
    found, _ = find_outliers(data, model, err, snr=(5.0, 4.0), scale=(1.2, 0.7), sharpness=0.0)
    assert found[50, 60]


def test_shapes_have_to_agree():
    a, b = np.zeros((3, 3), np.float32), np.zeros((3, 4), np.float32)
    with pytest.raises(ValueError, match="data, model and err have shapes"):
        find_outliers(a, a, b, snr=(5, 4), scale=(1, 1))
