"""The catalog of a mosaic beside the official step's catalog of the same file."""

import os
import shutil
import subprocess
from pathlib import Path

import asdf
import numpy as np
import pytest
from astropy.io import fits
from astropy.table import QTable, Table
from scipy.spatial import KDTree

from calwebb_core.framework.products import write_image
from calwebb_level3.imaging.aperture_reference import find_apertures
from calwebb_level3.imaging.photometry import measure
from calwebb_level3.steps import source_catalog
from calwebb_level3.steps.source_catalog import SourceCatalogParameters

from .test_source_catalog import apcorr_table, mosaic_of, references, separated_field

ROOT = Path(__file__).resolve().parents[4]
REALDATA = Path(os.environ.get("CALWEBB_REALDATA", ROOT.parent / "shared" / "realdata"))
PEER = os.environ.get("CALWEBB_PEER_PYTHON")
CODE = """
import sys
from jwst.source_catalog import SourceCatalogStep
catalog = SourceCatalogStep.call(
    sys.argv[1], override_apcorr=sys.argv[2], override_abvegaoffset=sys.argv[3], npixels=5,
    kernel_fwhm=2.3, save_results=False)
catalog.write(sys.argv[4], format="ascii.ecsv")
"""
SETTINGS = {
    "STPIPE_DISABLE_CRDS_STEPPARS": "true",
    "CRDS_SERVER_URL": "https://jwst-serverless-mode.stsci.edu",
    "CRDS_READONLY_CACHE": "1",
    "CRDS_OBSERVATORY": "jwst",
}


def write_apcorr(path):
    head = fits.PrimaryHDU()
    for keyword, value in {
        "TELESCOP": "JWST", "INSTRUME": "NIRCAM", "REFTYPE": "APCORR", "EXP_TYPE": "NRC_IMAGE",
        "DESCRIP": "test", "PEDIGREE": "DUMMY", "AUTHOR": "test", "USEAFTER": "2014-01-01T00:00:00",
        "DATAMODL": "NrcImgApcorrModel",
    }.items():  # fmt: skip
        head.header[keyword] = value
    fits.HDUList([head, fits.BinTableHDU(apcorr_table(), name="APCORR")]).writeto(path)


@pytest.mark.peer
@pytest.mark.slow
def test_fluxes_columns_and_units_agree(tmp_path):
    if not PEER or not Path(PEER).exists():
        pytest.skip("CALWEBB_PEER_PYTHON names no Python with the official package")
    images = mosaic_of(separated_field(3))
    vega = Table({"filter": ["F200W"], "pupil": ["CLEAR"], "abvega_offset": [1.7]})
    source_catalog.run(images, references(apcorr_table(), vega), SourceCatalogParameters())
    asdf.AsdfFile(
        {"meta": {"reftype": "abvegaoffset", "telescope": "JWST", "instrument": {"name": "NIRCAM"},
                  "author": "test", "description": "test", "pedigree": "DUMMY",
                  "useafter": "2014-01-01T00:00:00", "title": "test"},
         "abvega_offset": vega}
    ).write_to(tmp_path / "vega.asdf")  # fmt: skip
    write_image(images.mosaic.image(), tmp_path / "x_i2d.fits")
    write_apcorr(tmp_path / "apcorr.fits")
    config = REALDATA / "crds_cache" / "config"
    if not config.is_dir():
        pytest.skip(f"no CRDS server configuration in {config}; CALWEBB_REALDATA names its folder")
    shutil.copytree(config, tmp_path / "cache" / "config", symlinks=True)
    subprocess.run(
        [PEER, "-c", CODE, "x_i2d.fits", "apcorr.fits", "vega.asdf", "peer.ecsv"],
        cwd=tmp_path, check=True, capture_output=True,
        env={**os.environ, **SETTINGS, "CRDS_PATH": str(tmp_path / "cache")},
    )  # fmt: skip
    ours, theirs = images.catalog, QTable.read(tmp_path / "peer.ecsv", format="ascii.ecsv")
    assert ours.colnames == theirs.colnames
    for name in ours.colnames:
        assert str(getattr(ours[name], "unit", None) or "") == str(
            getattr(theirs[name], "unit", None) or ""
        ), name
    assert set(ours.meta["aperture_params"]) == set(theirs.meta["aperture_params"])
    places = [np.c_[t["xcentroid"], t["ycentroid"]] for t in (ours, theirs)]
    distance, index = KDTree(places[0]).query(places[1])
    alone = theirs["nn_dist"].value > 12
    bright = (distance < 0.3) & (theirs["aper70_flux"] > 30 * theirs["aper70_flux_err"]) & alone
    assert bright.sum() > 15
    for name in ("aper70_flux", "aper_total_flux", "aper70_vegamag"):
        ratio = np.asarray(ours[name][index[bright]] / theirs[name][bright])
        assert np.nanmedian(ratio) == pytest.approx(1.0, abs=1e-3)
    # Aperture errors hold that of the local sky here.
    ratio = np.asarray(ours["aper70_flux_err"][index[bright]] / theirs["aper70_flux_err"][bright])
    assert (ratio > 0.999).all()
    same = measure_at(images.mosaic, places[1][bright])
    expected = theirs["aper70_flux"][bright].to_value("Jy")
    np.testing.assert_allclose(same, expected, rtol=1e-3)


def measure_at(mosaic, places):
    """Return fluxes in Jy in the largest aperture at given places."""
    apertures = find_apertures(apcorr_table(), mosaic.metadata, (30, 50, 70), 1.0)
    data, err = mosaic.plane("data"), mosaic.plane("err")
    fluxes = measure(data, err, 0, places, apertures)
    return fluxes.aperture[-1] * 1e6 * mosaic.metadata["PIXAR_SR"]
