"""The catalog's own kernels give what photutils and scipy give; bands give what the whole gives."""

import numpy as np
import pytest
from astropy.stats import SigmaClip
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from photutils.aperture import ApertureStats, CircularAnnulus, CircularAperture
from photutils.background import Background2D, MedianBackground
from photutils.psf import CircularGaussianPRF
from photutils.segmentation import SegmentationImage, SourceCatalog
from scipy.ndimage import gaussian_filter, label
from scipy.spatial import KDTree

from calwebb_level3.imaging.aperture_reference import Apertures
from calwebb_level3.imaging.background import measure_mesh
from calwebb_level3.imaging.detection import Detection, find_in
from calwebb_level3.imaging.effective_psf import learn
from calwebb_level3.imaging.filtering import gaussian, smoothed
from calwebb_level3.imaging.measuring import at_places, catalogued
from calwebb_level3.imaging.photometry import measure
from calwebb_level3.imaging.pixels import Pixels
from calwebb_level3.imaging.point_sources import PointSources, fitted
from calwebb_level3.imaging.shapes import centroids, isophotes, neighbours
from calwebb_level3.kernels.apertures import overlap
from calwebb_level3.kernels.components import connect

from .scene import add_stars

APERTURES = Apertures((30, 50, 70), (1.1, 1.6, 3.3), (3.3, 2.0, 1.43), (10.0, 15.0))


def field(shape=(240, 260), number=40, seed=3, fwhm=2.3, bright=3000.0):
    """Stars on a sloping sky with known noise, and a hole."""
    rng = np.random.default_rng(seed)
    grid = np.array([(x, y) for y in range(20, shape[0] - 15, 30) for x in range(20, 250, 30)])
    places = grid[:number] + rng.uniform(-3, 3, (min(number, len(grid)), 2))
    flux = bright * 10 ** rng.uniform(-1.5, 0, len(places))
    data = np.zeros(shape)
    add_stars(data, *places.T, flux, fwhm)
    err = np.sqrt(0.5**2 + np.clip(data, 0, None) / 50.0)
    data += rng.normal(0, 1, shape) * err + 5 + 0.01 * np.arange(shape[1])
    data[100:103, 200] = np.nan
    return data.astype(np.float32), err.astype(np.float32), places, flux


@given(st.floats(-3, 3), st.floats(-3, 3), st.floats(0.3, 2.5))
@settings(max_examples=100, deadline=None)
def test_shares_of_pixels_add_up_to_the_circle(x, y, radius):
    total = sum(overlap(u - x, v - y, radius) for u in range(-7, 8) for v in range(-7, 8))
    assert total == pytest.approx(np.pi * radius**2, rel=1e-9)


def test_apertures_and_annuli_are_those_of_photutils():
    data, err, places, _ = field()
    places = np.concatenate([places, [[0.4, 3.2], [201.0, 101.0]]])
    found = measure(data, err, 0, places, APERTURES)
    bad = ~np.isfinite(data)
    zero = np.where(bad, np.float32(0), data)
    annulus = CircularAnnulus(places, *APERTURES.sky)
    stats = ApertureStats(zero, annulus, mask=bad, sigma_clip=SigmaClip(3.0, maxiters=10))
    np.testing.assert_allclose(found.sky, stats.median, rtol=1e-6)
    for k, radius in enumerate(APERTURES.radii):
        flux, error = CircularAperture(places, radius).do_photometry(zero, error=err)
        area = np.pi * radius**2
        whole = np.ones(len(places), bool)
        whole[-2:] = False
        np.testing.assert_allclose(
            found.aperture[k, whole], (flux - found.sky * area)[whole], rtol=1e-5, atol=1e-3
        )
        expected = np.hypot(error, found.sky_err * area)
        np.testing.assert_allclose(found.aperture_err[k, whole], expected[whole], rtol=1e-5)
        assert np.isnan(found.aperture[k, ~whole]).all()


@pytest.mark.parametrize("boxsize", [40, 60, 500])
def test_the_mesh_is_that_of_photutils(boxsize):
    data, _, _, _ = field()
    mesh, noise = measure_mesh(lambda first, last: data[first:last], data.shape, boxsize)
    bad = ~np.isfinite(data)
    theirs = Background2D(
        np.where(bad, np.float32(0), data),
        mesh.box,
        mask=bad,
        exclude_percentile=90.0,
        sigma_clip=SigmaClip(3.0, maxiters=10),
        bkg_estimator=MedianBackground(),
    )
    np.testing.assert_allclose(mesh.values, theirs.background_mesh, rtol=1e-5)
    assert noise == pytest.approx(theirs.background_rms_median, rel=1e-5)


def test_smoothing_is_that_of_scipy():
    data = np.nan_to_num(field()[0])
    ours = smoothed(data, gaussian(1.3), 0, len(data))
    theirs = gaussian_filter(data, 1.3, mode="constant", truncate=4.0)
    np.testing.assert_allclose(ours, theirs, rtol=2e-5, atol=1e-4)
    np.testing.assert_array_equal(smoothed(data, gaussian(1.3), 31, 7), ours[31:38])


@given(arrays(np.bool_, (9, 11)), st.booleans())
@settings(max_examples=60, deadline=None)
def test_connected_pixels_are_those_of_scipy(inside, corners):
    places = np.flatnonzero(inside)
    index = np.zeros(inside.shape, np.int32)
    index.flat[places] = np.arange(1, len(places) + 1)
    ours = connect(places, index, inside.shape[1], corners)
    theirs = label(inside, np.ones((3, 3)) if corners else None)[0].ravel()[places]
    pairs = set(zip(ours.tolist(), theirs.tolist(), strict=True))
    assert len(pairs) == len(set(ours.tolist())) == len(set(theirs.tolist()))


def test_segments_have_the_properties_that_photutils_gives_them():
    data, err, _, _ = field()
    pixels = Pixels.of(data, err)
    found = find_in(pixels, Detection(2.5, 5.0, bkg_boxsize=80))
    values = at_places(pixels, found)
    ours = isophotes(found.places, found.labels, found.count, data.shape[1], found.filtered, values)
    clean, filtered = np.zeros_like(data), np.zeros_like(data)
    clean.flat[found.places], filtered.flat[found.places] = values[0], found.filtered
    bad = ~np.isfinite(clean)
    theirs = SourceCatalog(
        np.nan_to_num(clean), SegmentationImage(found.segments), convolved_data=filtered,
        error=err, mask=bad,
    )  # fmt: skip
    np.testing.assert_allclose(ours.places, theirs.centroid, atol=1e-4)
    np.testing.assert_allclose(ours.flux, theirs.segment_flux, rtol=1e-5)
    np.testing.assert_allclose(ours.flux_err, theirs.segment_flux_err, rtol=1e-5)
    np.testing.assert_array_equal(ours.area, theirs.area.value)
    np.testing.assert_allclose(ours.major, theirs.semimajor_axis.value, rtol=1e-4)
    np.testing.assert_allclose(ours.ellipticity, theirs.ellipticity, atol=2e-4)
    turned = np.abs(np.degrees(ours.angle) - theirs.orientation.value) % 180
    assert (np.minimum(turned, 180 - turned) < 0.5)[ours.ellipticity > 0.02].all()
    for k, name in enumerate(("xmin", "xmax", "ymin", "ymax")):
        np.testing.assert_array_equal(ours.box[k], getattr(theirs, f"bbox_{name}"))


def test_nearest_neighbours_are_those_of_a_tree():
    places = np.random.default_rng(1).uniform(0, 100, (200, 2))
    index, distance = neighbours(places)
    theirs, other = KDTree(places).query(places, k=2)
    np.testing.assert_allclose(distance, theirs[:, 1])
    np.testing.assert_array_equal(index, other[:, 1])
    index, distance = neighbours(places[:1])
    assert index[0] == -1
    assert np.isnan(distance[0])


def test_bands_give_what_the_whole_gives():
    data, err, _, _ = field((400, 260), 80)
    how = Detection(2.5, 5.0, bkg_boxsize=80)
    whole = catalogued(Pixels.of(data, err), how, APERTURES)
    bands = catalogued(Pixels.of(data, err, band=30 * 260), how, APERTURES)
    np.testing.assert_array_equal(whole.found.segments, bands.found.segments)
    # Places are counted from the band's first row on: their last bit may differ.
    np.testing.assert_allclose(whole.places, bands.places, rtol=1e-12)
    np.testing.assert_allclose(whole.fluxes.aperture, bands.fluxes.aperture, rtol=1e-9)
    np.testing.assert_array_equal(whole.shapes.flux, bands.shapes.flux)
    assert list(whole.found.segments[whole.found.segments > 0][:1]) == [1]


def test_windows_find_the_centres_of_stars():
    data, _, places, flux = field()
    levels = np.array([np.nanmedian(data)] * len(places))
    found = centroids(data, 0, np.rint(places), levels, 2.3)
    bright = (flux > 1000) & (np.hypot(*(places - [200, 101]).T) > 8)
    assert np.abs(found - places)[bright].max() < 0.05
    assert np.isnan(centroids(data, 0, np.array([[200.0, 101.0]]), levels[:1], 2.3)).all()


@pytest.mark.parametrize("fwhm", [1.2, 1.4, 1.8])
def test_centroids_of_undersampled_stars_are_not_pulled_to_pixel_centres(fwhm):
    y, x = np.mgrid[:21, :21]
    offsets = np.linspace(-0.5, 0.5, 11)
    for place in 10.0 + np.column_stack([offsets, offsets[::-1] * 0.7]):
        star = CircularGaussianPRF(flux=1000, x_0=place[0], y_0=place[1], fwhm=fwhm)
        data = star(x, y).astype(np.float32)
        found = centroids(data, 0, np.rint(place)[np.newaxis], np.zeros(1), fwhm)
        assert np.abs(found[0] - place).max() < 0.025


@pytest.mark.parametrize(("number", "moved"), [(10, False), (40, True)])
def test_few_stars_teach_no_places(number, moved):
    rng = np.random.default_rng(3)
    half = 8
    y, x = np.mgrid[: 2 * half + 1, : 2 * half + 1]
    places = half + rng.uniform(-0.5, 0.5, (number, 2))
    stars = [CircularGaussianPRF(flux=1, x_0=a, y_0=b, fwhm=1.4)(x, y) for a, b in places]
    psf = learn(np.array(stars, np.float32), places, np.ones(number), 1.4)
    points = PointSources(
        psf, np.zeros(number, bool), np.ones(number, bool), np.full(number, 100.0)
    )
    image = np.float32(100.0) * stars[0].astype(np.float32)
    starts = np.full((number, 2), places[0] + 0.1)
    first = np.array([0])
    found = fitted(image, np.ones_like(image), 0, first, starts, points, np.zeros(1))
    assert (np.abs(found[0] - starts[0]) > 0.05).all() == moved


def test_the_psf_learnt_from_stars_tells_what_is_hidden_in_a_core():
    rng = np.random.default_rng(5)
    half, flux = 13, 10 ** rng.uniform(3.5, 4.5, 60)
    offsets = rng.uniform(-0.5, 0.5, (60, 2))
    windows = np.zeros((60, 2 * half + 1, 2 * half + 1))
    for window, (x, y), amount in zip(windows, offsets, flux, strict=True):
        add_stars(window, [half + x], [half + y], [amount], 2.0)
        window += rng.normal(0, 0.3, window.shape)
    windows = windows.astype(np.float32)
    start = offsets + half + rng.normal(0, 0.03, offsets.shape)
    psf = learn(windows[1:], start[1:], flux[1:], 2.2)
    assert psf.grid.sum() * 0.25 == pytest.approx(1.0, abs=0.01)
    damaged = windows[0].copy()
    damaged[half - 1 : half + 2, half - 1 : half + 2] = np.nan
    error, guess = np.full(damaged.shape, 0.3, np.float32), np.array([[flux[0] / 3, half, half]])
    fit = psf.fit(damaged, error, 0, guess, np.zeros(1), np.array([8.0]))[0]
    assert fit[0] == pytest.approx(flux[0], rel=0.03)
    assert fit[1:3] == pytest.approx(offsets[0] + half, abs=0.03)
    assert learn(windows[:3], start[:3], flux[:3], 2.2) is None


def spiked(shape, x, y, height, rng):
    """A star with six spikes and lumps along them."""
    v, u = np.mgrid[0 : shape[0], 0 : shape[1]]
    angle, radius = np.arctan2(v - y, u - x), np.hypot(u - x, v - y)
    core = np.exp(-0.5 * (radius / 1.0) ** 2)
    narrow = np.clip(1 - (radius * np.abs(np.sin(3 * angle)) / 6) ** 2, 0, 1)
    lumps = 0.02 * narrow * (1 + np.cos(radius)) / (1 + (radius / 4) ** 2)
    return height * (core + lumps)


def test_lumps_of_diffraction_spikes_are_no_sources():
    rng = np.random.default_rng(8)
    shape, stars = (320, 320), [(80.2, 90.1), (230.4, 80.3), (90.3, 230.2), (240.0, 240.4)]
    data = sum(spiked(shape, x, y, 3000.0, rng) for x, y in stars)
    companion = (stars[0][0] + 17.0, stars[0][1] + 9.0)
    add_stars(data, [companion[0]], [companion[1]], [2000.0], 2.35)
    err = np.sqrt(1 + np.clip(data, 0, None) / 100).astype(np.float32)
    data = (data + rng.normal(0, 1, shape) * err).astype(np.float32)
    how = Detection(2.4, 4.5, bkg_boxsize=160)
    plain = find_in(Pixels.of(data, err), how)
    found = catalogued(Pixels.of(data, err), how, APERTURES)
    assert plain.count > 20
    assert len(found.places) == 5
    distance, _ = KDTree(found.places).query([*stars, companion])
    assert (distance < 0.3).all()


def test_a_saturated_star_is_filled_and_said():
    data, err, places, flux = field((400, 260), 80, bright=20000.0)
    weight = np.ones_like(data)
    k = int(np.argmax(flux))
    x, y = np.rint(places[k]).astype(int)
    whole = catalogued(Pixels.of(data, err, weight=weight), Detection(2.5, 5.0), APERTURES)
    data[y, x] = np.nan
    data[y - 1 : y + 2, x - 1 : x + 2] *= 0.8
    weight[y - 1 : y + 2, x - 1 : x + 2] = 0.3
    hurt = catalogued(Pixels.of(data, err, weight=weight), Detection(2.5, 5.0), APERTURES)
    before, after = (int(KDTree(t.places).query(places[k])[1]) for t in (whole, hurt))
    assert hurt.saturated[after]
    assert hurt.saturated.sum() == 1
    assert not whole.saturated.any()
    assert hurt.fluxes.total[after] == pytest.approx(whole.fluxes.total[before], rel=0.02)
    assert hurt.places[after] == pytest.approx(places[k], abs=0.03)
