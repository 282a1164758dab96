"""Catalogs of stars that tweakreg takes and writes, and the SIP keywords it renews."""

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table
from astropy.wcs import WCS

from calwebb_core.framework.errors import InputError
from calwebb_core.science.sip import fits_sip
from calwebb_level3.imageset import make_set
from calwebb_level3.imaging import reference_catalogs
from calwebb_level3.steps.tweakreg import TweakregParameters, run

from .scene import dithered, star_field
from .test_tweakreg import ERRORS, residuals, truth


@pytest.mark.parametrize("kind", ["ecsv", "fits"])
def test_stars_are_written_and_taken_instead_of_finding_them(kind, tmp_path):
    stars = star_field(60)
    images = make_set(dithered(stars, errors=ERRORS), product="p")
    run(images, None, TweakregParameters(save_catalogs=True, catalog_format=kind))
    paths = reference_catalogs.write_tables(images, tmp_path)
    assert [path.suffix for path in paths] == [f".{kind}"] * 4
    table = Table.read(paths[0])
    assert {"id", "xcentroid", "ycentroid", "flux", "weight", "RA", "DEC"} == set(table.colnames)
    lines = [f"{path.name.replace(f'_cat.{kind}', '.fits')} {path.name}" for path in paths]
    (tmp_path / "list.txt").write_text("# exposures\n\n" + "\n".join(lines) + "\nother.fits\n")
    exposures = dithered(stars, errors=ERRORS)
    where = truth(exposures, stars, ERRORS)
    for image in exposures:
        image.data[:] = 1.0
    again = make_set(exposures, product="p")
    wanted = TweakregParameters(use_custom_catalogs=True, catfile=str(tmp_path / "list.txt"))
    reference_catalogs.prepare(again, wanted)
    _, status = run(again, None, wanted)
    assert status.word == "COMPLETE"
    after = residuals(again, stars, where)
    assert np.abs(after - after.mean(axis=0)).max() < 2.0


def test_catalogs_of_a_single_exposure_are_written_too():
    images = make_set(dithered(star_field(60), 1), product="p")
    _, status = run(images, None, TweakregParameters(save_catalogs=True))
    assert status.word == "SKIPPED"
    assert list(images.tables) == ["jw01345001001_02101_00001_nrca1_cal_cat.ecsv"]


def test_what_is_wrong_with_custom_catalogs_is_said(tmp_path):
    images = make_set(dithered(star_field(10), 2), product="p")

    def prepare(**options):
        reference_catalogs.prepare(images, TweakregParameters(**options))

    with pytest.raises(InputError, match="catfile is empty"):
        prepare(use_custom_catalogs=True)
    listing = tmp_path / "list.txt"
    with pytest.raises(InputError, match="catfile can't be read"):
        prepare(use_custom_catalogs=True, catfile=str(listing))
    listing.write_text("a b c\n")
    with pytest.raises(InputError, match="line 1 has 3 names"):
        prepare(use_custom_catalogs=True, catfile=str(listing))
    listing.write_text("a.fits b.ecsv\n")
    with pytest.raises(InputError, match=r"names no exposure of p; found a\.fits"):
        prepare(use_custom_catalogs=True, catfile=str(listing))
    listing.write_text("jw01345001001_02101_00001_nrca1_cal.fits b.ecsv\n")
    with pytest.raises(InputError, match="a custom catalog can't be read"):
        prepare(use_custom_catalogs=True, catfile=str(listing))
    Table({"a": [1.0], "y": [2.0]}).write(tmp_path / "b.ecsv", format="ascii.ecsv")
    with pytest.raises(InputError, match="no columns x and y"):
        prepare(use_custom_catalogs=True, catfile=str(listing))
    (tmp_path / "c.ecsv").write_text("no table")
    with pytest.raises(InputError, match="abs_refcat can't be read"):
        prepare(abs_refcat=str(tmp_path / "c.ecsv"))


def test_sip_keywords_follow_the_new_wcs(caplog):
    stars = star_field(60)
    exposures = dithered(stars, errors=ERRORS)
    for image in exposures:
        image.metadata.update(fits_sip(image.wcs, image.data.shape, crpix=(90.0, 110.0)))
    old = [dict(image.metadata) for image in exposures]
    images = make_set(exposures, product="p")
    run(images, None, TweakregParameters())
    x, y = np.meshgrid(np.linspace(0, 199, 9), np.linspace(0, 199, 9))
    changed = 0
    for image, before in zip(images.exposures, old, strict=True):
        known = {k: v for k, v in image.metadata.items() if "DATE" not in k}
        header = fits.Header({k: v for k, v in known.items() if v is not None})
        places = np.array(WCS(header).all_pix2world(x, y, 0))
        exact = np.array(image.wcs(x, y))
        assert np.abs(places - exact).max() * 3600 < 0.01 * 0.0311 / np.cos(np.deg2rad(69.5))
        assert image.metadata["CRPIX1"] == 90.0
        assert image.metadata["SIPMXERR"] <= 0.01
        changed += image.metadata["CRVAL1"] != before["CRVAL1"]
    assert changed == 3
    images = make_set(dithered(stars, errors=ERRORS), product="p")
    run(images, None, TweakregParameters(sip_approx=False))
    assert all("CRVAL1" not in image.metadata for image in images.exposures)
    images = make_set(exposures, product="p")
    run(images, None, TweakregParameters(sip_max_pix_error=1e-6, sip_max_inv_pix_error=1e-6))
    assert (
        "no SIP keywords are written" in caplog.text or "SIPMXERR" in images.exposures[1].metadata
    )
