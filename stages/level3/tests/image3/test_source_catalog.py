"""Sources are found, placed and measured; missing references are said and survived."""

import io

import numpy as np
import pytest
from astropy.table import QTable
from astropy.table import Table as AstropyTable
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.ndimage import label
from scipy.spatial import KDTree

from calwebb_core.framework.catalogs import write_catalog
from calwebb_core.framework.errors import InputError, ReferenceFileError
from calwebb_core.framework.models import Table
from calwebb_core.framework.reference_data import Reference
from calwebb_core.framework.references import References
from calwebb_level3.imageset import ImageSet, make_set
from calwebb_level3.imaging.aperture_reference import (
    find_apertures,
    find_vega_offset,
    typical_apertures,
)
from calwebb_level3.imaging.detection import (
    Detection,
    deblend,
    find_sources,
)
from calwebb_level3.imaging.filtering import matched_filter, scatter_of
from calwebb_level3.imaging.photometry import ab_magnitude
from calwebb_level3.imaging.pixels import Pixels
from calwebb_level3.imaging.shapes import sharpness_roundness
from calwebb_level3.steps import resample, source_catalog
from calwebb_level3.steps.source_catalog import SourceCatalogParameters

from .scene import PIXAR_SR, dithered, star_field

# Width per axis of a drizzled star as an aperture sees it: diffraction, and the pixel four
# times (detector, drizzle's input and output pixel, aperture), in pixels.
SIGMA = np.sqrt((2.1 / 2.3548) ** 2 + 4.0 / 12.0)
ROW = [
    ("filter", "S12"),
    ("pupil", "S15"),
    ("eefraction", "f4"),
    ("radius", "f4"),
    ("apcorr", "f4"),
    ("skyin", "f4"),
    ("skyout", "f4"),
]


def apcorr_table(name="F200W", sigma=SIGMA):
    energies = (0.1, 0.3, 0.5, 0.7)
    rows = [
        (name, "CLEAR", e, sigma * np.sqrt(-2 * np.log(1 - e)), 1 / e, 8.0, 12.0) for e in energies
    ]
    return np.array(rows, dtype=ROW)


def references(table=None, offset=None):
    apcorr = None if table is None else Reference("apcorr", tables={"APCORR": Table(table)})
    vega = None if offset is None else Reference("abvegaoffset", tree={"abvega_offset": offset})
    return References.of(apcorr=apcorr, abvegaoffset=vega)


def mosaic_of(stars, **keywords):
    images = make_set(dithered(stars, **keywords), product="p")
    resample.run(images, None, resample.ResampleParameters())
    return images


def separated_field(seed=0, number=60):
    """Stars at least 0.35 arcsec (11 pixels) apart, with a wide range of fluxes."""
    ra, dec, _ = star_field(number * 4, radius=3.0, seed=seed)
    east, north = (ra - 80.0) * 3600 * np.cos(np.deg2rad(-69.5)), (dec + 69.5) * 3600
    kept = []
    for i in range(len(ra)):
        if all(np.hypot(east[i] - east[j], north[i] - north[j]) > 0.35 for j in kept):
            kept.append(i)
    kept = kept[:number]
    flux = 10 ** np.random.default_rng(seed).uniform(0.9, 3.0, len(kept))
    return ra[kept], dec[kept], flux


def signal_to_noise(flux):
    """Of a star's matched filter in the stack of four exposures with read and sky noise."""
    return flux / np.sqrt(4 * np.pi * SIGMA**2 * (0.5**2 + 1.0 / 200.0) / 4.0)


@pytest.fixture(scope="module")
def catalogued():
    """Three fields with their catalogs."""
    fields = []
    for seed in range(3):
        stars = separated_field(seed)
        images = mosaic_of(stars, seed=100 * seed)
        source_catalog.run(images, references(apcorr_table()), SourceCatalogParameters())
        fields.append((stars, images))
    return fields


def matched(fields):
    """Return flux ratio, pull, distance in mas and S/N of the stars that were found."""
    columns = []
    for (ra, dec, flux), images in fields:
        x, y = images.mosaic.wcs.invert(ra, dec, with_bounding_box=False)
        table = images.catalog
        distance, index = KDTree(np.c_[table["xcentroid"], table["ycentroid"]]).query(np.c_[x, y])
        ny, nx = images.mosaic.shape
        inside = (x > 20) & (x < nx - 20) & (y > 20) & (y < ny - 20)
        measured = table["aper_total_flux"].value[index]
        truth = flux * PIXAR_SR * 1e6
        pull = (measured - truth) / table["aper_total_flux_err"].value[index]
        values = (measured / truth, pull, distance * 31.1, signal_to_noise(flux), distance < 1)
        columns.append(np.array(values)[:, inside])
    return np.concatenate(columns, axis=1)


def test_faint_stars_are_found(catalogued):
    _, _, _, snr, found = matched(catalogued)
    assert (found[snr > 12] > 0).all()
    assert found[snr > 10].mean() > 0.99
    faint = (snr > 7) & (snr < 10)
    assert faint.sum() >= 5
    assert found[faint].mean() > 0.8


def test_next_to_nothing_is_found_that_is_not_there(catalogued):
    wrong, total = 0, 0
    for (ra, dec, _), images in catalogued:
        x, y = images.mosaic.wcs.invert(ra, dec, with_bounding_box=False)
        places = np.c_[images.catalog["xcentroid"], images.catalog["ycentroid"]]
        distance, _ = KDTree(np.c_[x, y]).query(places)
        wrong, total = wrong + int((distance > 2).sum()), total + len(places)
    assert wrong <= 0.02 * total


def test_fluxes_and_positions(catalogued):
    ratio, pull, distance, snr, found = matched(catalogued)
    bright = (snr > 40) & (found > 0)
    assert np.nanmedian(ratio[bright]) == pytest.approx(1.0, abs=0.015)
    assert np.nanstd(ratio[bright]) < 0.03
    assert np.sqrt(np.mean(distance[bright] ** 2) / 2) < 1.0
    middle = (snr > 10) & (snr < 40) & (found > 0)
    assert 0.6 < np.nanstd(pull[middle]) < 1.6


def test_columns_units_and_segments(catalogued):
    table = catalogued[0][1].catalog
    for name in ("aper30", "aper50", "aper70", "aper_total", "isophotal"):
        assert table[f"{name}_flux"].unit == "Jy"
        for suffix in ("flux_err", "abmag", "abmag_err", "vegamag", "vegamag_err"):
            assert f"{name}_{suffix}" in table.colnames
    for name in ("CI_50_30", "CI_70_50", "CI_70_30", "sharpness", "roundness", "nn_dist"):
        assert np.isfinite(np.asarray(table[name], float)).mean() > 0.8
    assert list(table["label"]) == list(range(1, len(table) + 1))
    segments = catalogued[0][1].segmentation
    assert segments.data.dtype == np.uint32
    assert segments.data.max() == len(table)
    stars = ~table["is_extended"][table["aper70_flux"] > 20 * table["aper70_flux_err"]]
    assert stars.mean() > 0.95
    corner = table["sky_bbox_ll"]
    assert (corner.separation(table["sky_centroid"]).arcsec < 2).all()


def test_two_runs_write_the_same_bytes():
    texts = []
    for _ in range(2):
        images = mosaic_of(separated_field(5, 20))
        source_catalog.run(images, references(apcorr_table()), SourceCatalogParameters())
        text = io.StringIO()
        images.catalog.write(text, format="ascii.ecsv")
        texts.append(text.getvalue())
    assert texts[0] == texts[1]
    assert len(QTable.read(texts[0], format="ascii.ecsv")) == len(images.catalog)


def test_without_references_totals_and_vega_are_nan(caplog):
    images = mosaic_of(separated_field(5, 20))
    _, status = source_catalog.run(images, references(), SourceCatalogParameters())
    assert status.word == "COMPLETE"
    assert np.isnan(images.catalog["aper_total_flux"]).all()
    assert np.isfinite(images.catalog["aper70_flux"]).any()
    assert np.isnan(images.catalog["aper70_vegamag"]).all()
    assert "no APCORR reference for INSTRUME NIRCAM, FILTER F200W" in caplog.text
    assert "no ABVEGAOFFSET reference" in caplog.text


def test_a_filter_that_the_references_lack_is_said(caplog):
    images = mosaic_of(separated_field(5, 20))
    offset = AstropyTable({"filter": ["F090W"], "pupil": ["CLEAR"], "abvega_offset": [0.5]})
    refs = references(apcorr_table("F090W"), offset)
    source_catalog.run(images, refs, SourceCatalogParameters())
    assert "has no row for INSTRUME NIRCAM, FILTER F200W, PUPIL CLEAR" in caplog.text
    assert "is not in the ABVEGAOFFSET reference" in caplog.text


def test_vega_magnitudes():
    images = mosaic_of(separated_field(5, 20))
    offset = AstropyTable(
        {"filter": ["F200W", "F200W"], "pupil": ["F187N", "CLEAR"], "abvega_offset": [9.0, 1.7]}
    )
    source_catalog.run(images, references(apcorr_table(), offset), SourceCatalogParameters())
    table = images.catalog
    assert table["aper50_abmag"] - table["aper50_vegamag"] == pytest.approx(1.7, nan_ok=True)
    assert table.meta["abvega_offset"] == 1.7


def test_references_that_hold_something_else_are_refused():
    images = mosaic_of(separated_field(5, 20))
    refs = References.of(apcorr=Reference("apcorr", name="a.fits"), abvegaoffset=None)
    with pytest.raises(ReferenceFileError, match=r"a\.fits: has no table APCORR"):
        source_catalog.run(images, refs, SourceCatalogParameters())
    with pytest.raises(ReferenceFileError, match="has no table abvega_offset"):
        find_vega_offset({}, images.metadata)


def test_encircled_energies_are_checked():
    images = mosaic_of(separated_field(5, 20))
    refs = references(apcorr_table())
    with pytest.raises(InputError, match="encircled energy 60 % is not in the APCORR reference"):
        source_catalog.run(images, refs, SourceCatalogParameters(aperture_ee3=60))
    with pytest.raises(InputError, match="expected increasing percentages"):
        typical_apertures(2.0, (50, 30, 70))


def test_apertures_follow_the_pixel_scale():
    images = make_set(dithered(star_field(3), 1), product="p")
    one = find_apertures(apcorr_table(), images.metadata, (30, 50, 70), 1.0)
    half = find_apertures(apcorr_table(), images.metadata, (30, 50, 70), 0.5)
    assert half.radii == pytest.approx(np.array(one.radii) * 2)
    assert half.sky == pytest.approx((16.0, 24.0))
    assert one.corrections == pytest.approx((1 / 0.3, 2.0, 1 / 0.7))


LAYOUTS = {
    "NIRCAM": ({"filter": "F200W", "pupil": "CLEAR"}, {"PUPIL": "F162M"}, "pupil"),
    "NIRISS": ({"filter": "CLEAR", "pupil": "F150W"}, {"PUPIL": "F200W"}, "pupil"),
    "MIRI": ({"filter": "F770W", "subarray": "FULL"}, {"FILTER": "F1000W"}, None),
    "FGS": ({}, None, "detector"),
}


@pytest.mark.parametrize("instrument", LAYOUTS)
def test_references_of_every_instrument(instrument):
    keys, other, vega_key = LAYOUTS[instrument]
    columns = [(name, "S15") for name in keys] + ROW[2:]
    rows = [
        (*keys.values(), energy, radius, 1 / energy, 8.0, 12.0)
        for energy, radius in ((0.3, 1.0), (0.5, 1.5), (0.7, 3.0))
    ]
    table = np.array(rows, dtype=columns)
    head = make_set(dithered(star_field(3), 1), product="p").metadata
    for name in ("FILTER", "PUPIL"):
        head.pop(name)
    head.update({"INSTRUME": instrument, "DETECTOR": "GUIDER1", "SUBARRAY": "FULL"})
    head.update({name.upper(): value for name, value in keys.items()})
    assert find_apertures(table, head, (30, 50, 70), 1.0).radii == (1.0, 1.5, 3.0)
    offsets = {name: [value, "ELSE"] for name, value in keys.items() if name != "subarray"}
    if vega_key == "detector":
        offsets["detector"] = ["GUIDER1", "GUIDER2"]
    offset = AstropyTable({**offsets, "abvega_offset": [1.25, 9.0]})
    assert find_vega_offset({"abvega_offset": offset}, head) == 1.25
    if other is not None:
        head.update(other)
        assert find_apertures(table, head, (30, 50, 70), 1.0) is None
        assert np.isnan(find_vega_offset({"abvega_offset": offset}, head))


def test_a_subarray_that_the_reference_lacks_takes_the_whole_detectors_row(caplog):
    columns = [("filter", "S12"), ("subarray", "S15"), *ROW[2:]]
    rows = [("F770W", "FULL", e, 5 * e, 1 / e, 8.0, 12.0) for e in (0.3, 0.5, 0.7)]
    head = make_set(dithered(star_field(3), 1), product="p").metadata
    head.update({"INSTRUME": "MIRI", "FILTER": "F770W", "SUBARRAY": "SUB128"})
    found = find_apertures(np.array(rows, dtype=columns), head, (30, 50, 70), 1.0)
    assert found.radii == pytest.approx((1.5, 2.5, 3.5))
    assert "SUBARRAY SUB128 is not in the APCORR reference" in caplog.text


def test_what_a_star_is_follows_from_the_corrections():
    parameters = SourceCatalogParameters()
    apertures = typical_apertures(2.0, (30, 50, 70))
    assert source_catalog.star_limits(parameters, apertures) == (2.0, 1.8)
    images = make_set(dithered(star_field(3), 1), product="p")
    apertures = find_apertures(apcorr_table(), images.metadata, (30, 50, 70), 1.0)
    limits = source_catalog.star_limits(parameters, apertures)
    assert limits == pytest.approx((1.1 * 5 / 3, 1.1 * 1.4), rel=1e-5)
    given = SourceCatalogParameters(ci1_star_threshold=1.7)
    assert source_catalog.star_limits(given, apertures)[0] == 1.7


def test_a_frame_around_segments_takes_the_level_of_a_pedestal():
    images = mosaic_of((np.array([80.0]), np.array([-69.5]), np.array([5000.0])))
    source_catalog.run(images, references(), SourceCatalogParameters())
    plain = images.catalog["isophotal_flux"][0].value
    source_catalog.run(images, references(), SourceCatalogParameters(localbkg_width=10))
    framed = images.catalog["isophotal_flux"][0].value
    assert framed != plain
    assert framed == pytest.approx(plain, rel=0.02)


def test_a_large_mosaics_segments_are_kept_in_a_file(monkeypatch):
    images = mosaic_of(separated_field(5, 20))
    source_catalog.run(images, references(apcorr_table()), SourceCatalogParameters())
    small = images.segmentation.data
    monkeypatch.setattr(source_catalog, "LARGE", 0)
    source_catalog.run(images, references(apcorr_table()), SourceCatalogParameters())
    assert isinstance(images.segmentation.data.base, np.memmap)
    np.testing.assert_array_equal(images.segmentation.data, small)


def test_units_are_checked():
    images = mosaic_of(separated_field(5, 10))
    images.mosaic.metadata["BUNIT"] = "DN/s"
    with pytest.raises(InputError, match="BUNIT is 'DN/s'; source_catalog needs MJy/sr"):
        source_catalog.run(images, references(), SourceCatalogParameters())
    images.mosaic.metadata["BUNIT"] = "MJy/sr"
    images.mosaic.metadata["PIXAR_SR"] = 0.0
    with pytest.raises(InputError, match=r"PIXAR_SR is 0\.0; expected a positive"):
        source_catalog.run(images, references(), SourceCatalogParameters())


def test_skipped_without_mosaic():
    images = make_set(dithered(star_field(3), 1), product="p")
    _, status = source_catalog.run(images, references(), SourceCatalogParameters())
    assert status.word == "SKIPPED"
    assert "no mosaic" in status.reason


@pytest.mark.parametrize("pixels", [True, False])
def test_where_there_is_no_source_the_catalog_is_empty(pixels, tmp_path, caplog):
    images = mosaic_of(star_field(0))
    if not pixels:
        images.mosaic.plane("data")[:] = np.nan
    _, status = source_catalog.run(images, references(apcorr_table()), SourceCatalogParameters())
    assert status.word == "COMPLETE"
    assert "no source in" in caplog.text
    assert len(images.catalog) == 0
    assert not images.segmentation.data.any()
    assert images.segmentation.data.shape == images.mosaic.shape
    write_catalog(images.catalog, tmp_path / "p_cat.ecsv")
    found = QTable.read(tmp_path / "p_cat.ecsv")
    full = mosaic_of(star_field(5))
    source_catalog.run(full, references(apcorr_table()), SourceCatalogParameters())
    assert found.colnames == full.catalog.colnames
    assert len(found) == 0
    assert found["aper50_flux"].unit == full.catalog["aper50_flux"].unit


def test_a_single_source_has_no_neighbour():
    images = mosaic_of((np.array([80.0]), np.array([-69.5]), np.array([500.0])))
    source_catalog.run(images, references(), SourceCatalogParameters())
    assert len(images.catalog) == 1
    assert images.catalog["nn_label"][0] == -1
    assert np.isnan(images.catalog["nn_dist"][0])


def test_holes_give_nan_and_no_false_source():
    images = mosaic_of((np.array([80.0]), np.array([-69.5]), np.array([5000.0])))
    mosaic = images.mosaic
    x, y = (round(float(v)) for v in mosaic.wcs.invert(80.0, -69.5, with_bounding_box=False))
    mosaic.plane("data")[y, x + 1] = np.nan
    source_catalog.run(images, references(apcorr_table()), SourceCatalogParameters())
    assert len(images.catalog) == 1
    assert np.isnan(images.catalog["aper70_flux"][0])


def test_significance_of_noise_is_one():
    rng = np.random.default_rng(2)
    noise = rng.normal(0, 3, (300, 300)).astype(np.float32)
    err = np.full((300, 300), 1.0, np.float32)
    how = Detection(2.5, bkg_boxsize=100)
    matched = matched_filter(Pixels.of(noise, err), how.sigma, 100)
    snr, filtered, expected = matched.rows(0, 300)
    scatter = scatter_of(matched, 100)
    assert (snr / scatter.image()).std() == pytest.approx(1.0, abs=0.03)
    assert filtered.std() == pytest.approx(3 * expected[150, 150], rel=0.03)
    assert matched_filter(Pixels.of(noise, err * np.nan), how.sigma, 100) is None
    assert find_sources(noise, err, np.ones((300, 300), bool), how) is None


@pytest.mark.parametrize("distance", [5.0, 7.0])
def test_two_stars_in_one_segment_are_separated(distance):
    far = distance * 0.0311 / 3600
    stars = (np.array([80.0, 80.0]), np.array([-69.5, -69.5 + far]), np.array([2000.0, 800.0]))
    images = mosaic_of(stars)
    source_catalog.run(images, references(), SourceCatalogParameters())
    assert len(images.catalog) == 2
    whole = mosaic_of(stars)
    source_catalog.run(whole, references(), SourceCatalogParameters(deblend=False))
    assert len(whole.catalog) == 1


def separate(image, noise, segments, limits):
    """Deblend whole images."""
    places = np.flatnonzero(segments)
    index = np.zeros(segments.shape, np.int32)
    index.flat[places] = np.arange(1, len(places) + 1)
    values = (array.ravel()[places] for array in (image, noise, segments))
    labels, count = deblend(*values, places, index, limits)
    result = np.zeros(segments.shape, np.int32)
    result.flat[places] = labels
    assert count == result.max()
    return result


@given(
    arrays(np.float32, (6, 7), elements=st.integers(0, 20).map(float)),
    arrays(np.bool_, (6, 7)),
    st.sampled_from([0.0, 0.1, 1.0]),
)
@settings(max_examples=60, deadline=None)
def test_deblending_splits_segments_and_nothing_else(image, inside, contrast):
    segments = label(inside, np.ones((3, 3)))[0].astype(np.int32)
    labels = separate(image, np.ones_like(image), segments, (1, contrast, 0.0))
    np.testing.assert_array_equal(labels > 0, segments > 0)
    present = np.unique(labels[labels > 0])
    assert list(present) == list(range(1, len(present) + 1))
    for number in present:
        assert len(np.unique(segments[labels == number])) == 1
    first = [int(np.flatnonzero(labels.ravel() == number)[0]) for number in present]
    assert first == sorted(first)


def test_deblending_needs_flux_height_and_size():
    x = np.arange(40, dtype=np.float32)
    row = 10 * np.exp(-0.5 * ((x - 10) / 2) ** 2) + 5 * np.exp(-0.5 * ((x - 25) / 2) ** 2)
    image = np.repeat(row[None], 3, axis=0).astype(np.float32) + 1
    segments, noise = np.ones(image.shape, np.int32), np.ones_like(image)
    assert separate(image, noise, segments, (5, 0.001, 3.0)).max() == 2
    assert separate(image, noise, segments, (5, 0.5, 3.0)).max() == 1
    assert separate(image, noise, segments, (5, 0.001, 6.0)).max() == 1
    assert separate(image, noise, segments, (200, 0.001, 3.0)).max() == 1
    # The saddle divides them.
    labels = separate(image, noise, segments, (5, 0.001, 3.0))
    assert set(np.unique(labels[:, :15])) == {1}
    assert set(np.unique(labels[:, 21:])) == {2}


def test_magnitudes():
    magnitude, error = ab_magnitude(np.array([3631.0, -1.0]), np.array([36.31, 1.0]))
    assert magnitude == pytest.approx([0.0, np.nan], nan_ok=True)
    assert error == pytest.approx([0.010857, np.nan], rel=1e-4, nan_ok=True)


def test_shapes_of_a_star_a_hot_pixel_and_a_streak():
    y, x = np.mgrid[0:60, 0:60].astype(float)
    data = np.exp(-0.5 * ((x - 15) ** 2 + (y - 15) ** 2)).astype(np.float32)
    data[40, 15] = 1.0
    data += np.exp(-0.5 * (((x - 40) / 3) ** 2 + (y - 40) ** 2)).astype(np.float32)
    places = np.array([[15.0, 15.0], [15.0, 40.0], [40.0, 40.0], [0.0, 0.0], [np.nan, 3.0]])
    sharpness, roundness = sharpness_roundness(data, places, 2.3548)
    assert sharpness[1] > sharpness[0] > sharpness[2]
    assert abs(roundness[0]) < 0.01
    assert roundness[2] < -0.5
    assert np.isnan(sharpness[3:]).all()


def test_a_mosaic_alone_is_enough():
    images = mosaic_of(separated_field(5, 20))
    alone = ImageSet(images.mosaic.metadata, "p", mosaic=images.mosaic)
    _, status = source_catalog.run(alone, references(), SourceCatalogParameters())
    assert status.word == "COMPLETE"
    with pytest.raises(InputError, match="resample needs calibrated exposures"):
        resample.run(alone, None, resample.ResampleParameters())
