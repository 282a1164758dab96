import numpy as np
import pytest
from astropy.table import Table

from calwebb_core.framework.errors import InputError
from calwebb_simulator.detector import detector_properties
from calwebb_simulator.instruments import instrument_named
from calwebb_simulator.light import exposure_psf, light_on
from calwebb_simulator.photometry import MJY_PER_UJY, electrons_per_mjy
from calwebb_simulator.plan import plan
from calwebb_simulator.render import draw_sources
from calwebb_simulator.run import make_catalog
from calwebb_simulator.scene import GalaxyField, StarField, generate, offset, read_catalog

NIRCAM = instrument_named("NIRCAM")
FILTERS = (NIRCAM.filter("F200W"), NIRCAM.filter("F277W"))


def catalog(seed: int = 1) -> Table:
    stars, galaxies = StarField(count=50, clustered=0.5), GalaxyField(count=10)
    return generate(stars, galaxies, FILTERS, (80.0, -69.0), 20.0, seed)


def galaxy(entry, n: float, re: float, pa: float = 30.0, q: float = 0.6) -> Table:
    ra, dec = entry.placement.sky(80.0, 80.0)
    return Table(
        {"id": [1], "type": ["sersic"], "ra": [float(ra)], "dec": [float(dec)], "re": [re],
         "n": [n], "q": [q], "pa": [pa]}
    )  # fmt: skip


def test_catalog_has_what_was_asked_for():
    table = catalog()
    assert len(table) == 60
    assert (table["type"] == "star").sum() == 50
    assert np.all((table["abmag_F200W"] >= 18) & (table["abmag_F200W"] <= 25))
    np.testing.assert_allclose(
        table["abmag_F277W"], 23.9 - 2.5 * np.log10(table["flux_F277W"]), atol=1e-9
    )
    assert np.isnan(table["re"][table["type"] == "star"]).all()


def test_catalog_depends_on_the_seed_alone():
    assert np.array_equal(catalog()["ra"], catalog()["ra"])
    assert not np.array_equal(catalog()["ra"], catalog(2)["ra"])


def test_offsets_are_tangent_plane_arcsec():
    ra, dec = offset(80.0, -69.0, np.array([0.0, 10.0]), np.array([10.0, 0.0]))
    assert (dec[0] + 69.0) * 3600 == pytest.approx(10.0, abs=1e-6)
    assert (ra[1] - 80.0) * np.cos(np.radians(69.0)) * 3600 == pytest.approx(10.0, abs=1e-4)


@pytest.mark.parametrize(("n", "re"), [(1.0, 0.1), (1.0, 0.3), (4.0, 0.2)])
def test_galaxies_keep_their_flux(small, n, re):
    entry = plan(small(subarray="SUB160"))[0]
    table = galaxy(entry, n, re)
    image = draw_sources(table, np.array([1000.0]), entry.placement, exposure_psf(entry))
    assert image.sum() == pytest.approx(1000.0, rel=0.01)


def test_galaxies_lie_at_their_position_angle(small):
    entry = plan(small(subarray="SUB160"))[0]
    table = galaxy(entry, 1.0, 0.5, pa=70.0, q=0.3)
    image = draw_sources(table, np.array([1e4]), entry.placement, exposure_psf(entry))
    y, x = np.indices(image.shape)
    mean = np.average(x, weights=image), np.average(y, weights=image)
    assert mean == pytest.approx((80.0, 80.0), abs=0.2)
    weights = np.maximum(image, 0.0).ravel()
    moments = np.cov(np.stack([x.ravel(), y.ravel()]), aweights=weights)
    major = np.linalg.eigh(moments)[1][:, 1]
    ra, dec = entry.placement.sky(80 + np.array([0, major[0]]), 80 + np.array([0, major[1]]))
    east = (ra[1] - ra[0]) * np.cos(np.radians(dec[0]))
    angle = np.degrees(np.arctan2(east, dec[1] - dec[0])) % 180
    assert angle == pytest.approx(70.0, abs=2.0)


def test_sky_fills_pixels_by_their_area(silent):
    entry = plan(silent)[0]
    properties = detector_properties(NIRCAM, entry.frame, 0, frozenset())
    light = light_on(silent, make_catalog(silent), entry, properties)
    assert np.allclose(light.surface[properties.science], silent.scene.sky, rtol=1e-5)
    np.testing.assert_allclose(light.rate * properties.gain, light.electrons, rtol=1e-6)


def test_star_gives_the_electrons_of_its_flux(silent):
    entry = plan(silent)[0]
    ra, dec = entry.placement.sky(32.0, 32.0)
    table = Table({"id": [1], "type": ["star"], "ra": [float(ra)], "dec": [float(dec)]})
    flux = 100.0 * MJY_PER_UJY * electrons_per_mjy(entry.optics)
    image = draw_sources(table, np.array([flux]), entry.placement, exposure_psf(entry))
    assert 0.93 < image.sum() / flux < 1.0
    assert np.unravel_index(image.argmax(), image.shape) == (32, 32)


def test_catalog_round_trip(tmp_path):
    table = catalog()
    path = tmp_path / "sky.ecsv"
    table.write(path, format="ascii.ecsv")
    again = read_catalog(path, FILTERS)
    np.testing.assert_allclose(again["flux_F200W"], table["flux_F200W"])


def test_magnitudes_are_enough(tmp_path):
    path = tmp_path / "sky.ecsv"
    table = Table({"id": [1], "type": ["star"], "ra": [1.0], "dec": [2.0], "abmag_F200W": [23.9]})
    table.write(path, format="ascii.ecsv")
    assert read_catalog(path, FILTERS[:1])["flux_F200W"][0] == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"id": [1], "type": ["star"], "ra": [1.0], "dec": [2.0]}, "neither flux_F200W"),
        (
            {"type": ["star"], "ra": [1.0], "dec": [2.0], "flux_F200W": [1.0]},
            "columns id",
        ),
        (
            {"id": [1], "type": ["sersic"], "ra": [1.0], "dec": [2.0], "flux_F200W": [1.0]},
            "lacks the columns re, n, q, pa",
        ),
    ],
)
def test_incomplete_catalogs_are_refused(tmp_path, columns, message):
    path = tmp_path / "sky.ecsv"
    Table(columns).write(path, format="ascii.ecsv")
    with pytest.raises(InputError, match=message):
        read_catalog(path, FILTERS[:1])


def test_catalog_that_is_none(tmp_path):
    path = tmp_path / "sky.ecsv"
    path.write_text("not a table")
    with pytest.raises(InputError, match="cannot be read as an ECSV catalog"):
        read_catalog(path, FILTERS)
