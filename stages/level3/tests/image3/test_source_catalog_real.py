"""Flight MIRI images of the Orion Bar: what is a star in a bright nebula, where, how bright."""

import gzip
import os
from pathlib import Path

import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from photutils.detection import DAOStarFinder
from scipy.ndimage import median_filter

from calwebb_core.framework.references import References
from calwebb_level3 import image3
from calwebb_level3.steps import source_catalog
from calwebb_level3.steps.source_catalog import SourceCatalogParameters

ROOT = Path(__file__).resolve().parents[4]
REALDATA = Path(os.environ.get("CALWEBB_REALDATA", ROOT.parent / "shared" / "realdata"))
NAMES = {"F1130W": "jw01288015001_04101_00001", "F770W": "jw01288015001_26101_00003"}

pytestmark = pytest.mark.realdata


def catalogued(name, folder):
    source = REALDATA / "miri_image" / f"{NAMES[name]}_mirimage_i2d.fits"
    if not source.exists():
        pytest.skip(f"{source} is not there; CALWEBB_REALDATA names the folder of real data")
    content = source.read_bytes()
    path = folder / source.name
    path.write_bytes(gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content)
    images = image3.read(path)
    references = References.of(apcorr=None, abvegaoffset=None)
    _, status = source_catalog.run(images, references, SourceCatalogParameters())
    return images, status


def test_the_star_in_the_nebula_is_found_where_photutils_finds_it(tmp_path, caplog):
    images, status = catalogued("F1130W", tmp_path)
    assert status.word == "COMPLETE"
    assert "no APCORR reference for INSTRUME MIRI, FILTER F1130W, SUBARRAY SUB128" in caplog.text
    table = images.catalog
    assert 1 <= len(table) <= 4
    data = images.mosaic.plane("data")
    sharp = data - median_filter(data, 15)
    stars = DAOStarFinder(600.0, 3.5).find_stars(sharp[5:-5, 20:-5])
    best = stars[np.argmax(stars["flux"])]
    x, y = float(best["x_centroid"]) + 20, float(best["y_centroid"]) + 5
    distance = np.hypot(table["xcentroid"] - x, table["ycentroid"] - y)
    row = table[int(np.argmin(distance))]
    assert distance.min() < 0.5
    assert not row["is_extended"]
    # The annulus holds nebula, so that the flux is known to some tens of percent.
    assert 5e-3 < row["aper70_flux"].value < 3e-2
    assert row["aper70_flux"] > 20 * row["aper70_flux_err"] or row["aper70_flux_err"].value > 1e-4
    there = SkyCoord(83.8327, -5.4133, unit="deg")
    assert row["sky_centroid"].separation(there).arcsec < 1.0
    expected = images.mosaic.wcs(row["xcentroid"], row["ycentroid"])
    assert row["sky_centroid"].ra.deg == pytest.approx(float(expected[0]), abs=1e-9)
    assert np.isnan(row["aper_total_flux"].value)


def test_a_nebula_without_stars_gives_next_to_nothing(tmp_path):
    images, status = catalogued("F770W", tmp_path)
    assert status.word in ("COMPLETE", "SKIPPED")
    assert images.catalog is None or len(images.catalog) <= 3
