import numpy as np
import pytest
from astropy.io import fits
from astropy.wcs import WCS

from calwebb_core.framework.errors import ProcessingError
from calwebb_core.framework.metadata import Metadata
from calwebb_core.science.sip import fits_sip, replace_wcs_keywords
from calwebb_core.science.wcs import imaging_wcs


@pytest.mark.parametrize("bound", [0.01, 1e-4])
def test_astropy_reads_the_header_to_the_stated_error(pointing, distortion, bound):
    wcs = imaging_wcs(pointing, distortion)
    keywords = fits_sip(wcs, (2048, 2048), max_pix_error=bound)
    assert keywords["CTYPE1"] == "RA---TAN-SIP"
    assert keywords["SIPMXERR"] <= bound
    header = WCS(fits.Header(keywords))
    rng = np.random.default_rng(1)
    x, y = rng.uniform(-0.5, 2047.5, (2, 500))
    ra, dec = wcs(x, y)
    their_ra, their_dec = header.all_pix2world(x, y, 0)
    offset = np.hypot((ra - their_ra) * np.cos(np.deg2rad(dec)), dec - their_dec)
    assert offset.max() * 3600 / 0.063 < bound


def test_inverse_polynomial(pointing, distortion):
    wcs = imaging_wcs(pointing, distortion)
    header = WCS(fits.Header(fits_sip(wcs, (2048, 2048))))
    ra, dec = wcs([100.0, 1900.0], [50.0, 1800.0])
    linear = np.array(header.wcs_world2pix(ra, dec, 1)) - header.wcs.crpix[:, None]
    x, y = header.sip_foc2pix(*linear, 1)
    assert x == pytest.approx([101.0, 1901.0], abs=0.02)
    assert y == pytest.approx([51.0, 1801.0], abs=0.02)


def test_impossible_error_is_refused(pointing, distortion):
    wcs = imaging_wcs(pointing, distortion)
    with pytest.raises(ProcessingError, match="; 1e-16 are allowed"):
        fits_sip(wcs, (2048, 2048), max_pix_error=1e-16)
    with pytest.raises(ProcessingError, match="the inverse SIP approximation is off"):
        fits_sip(wcs, (2048, 2048), max_inv_pix_error=1e-16)


def test_old_keywords_go():
    metadata = Metadata({"A_9_9": 1.0, "CDELT1": 1.0, "PC1_1": 1.0, "FILTER": "F444W"})
    replace_wcs_keywords(metadata, {"A_0_2": 2.0})
    assert dict(metadata) == {"FILTER": "F444W", "A_0_2": 2.0}
