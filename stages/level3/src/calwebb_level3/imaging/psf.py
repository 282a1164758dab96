"""How sharp a point source is: the width of the telescope's diffraction in pixels."""

import logging
import math
import re
from typing import Any

from calwebb_core.framework.metadata import Metadata
from calwebb_core.science.footprint import pixel_scale, sky

logger = logging.getLogger(__name__)

APERTURE_METRES = 6.5
# Full width at half maximum of a segmented hexagonal aperture in units of wavelength/diameter.
WIDTH_PER_LAMBDA_D = 1.03
# Of the Gaussian with the variance of a pixel, 1/12, in pixels.
PIXEL_WIDTH = 2.0 * math.sqrt(2.0 * math.log(2.0) / 12.0)
FALLBACK_MICRON = {"FGS": 2.5, "NIRISS": 2.0, "MIRI": 10.0}
FILTER = re.compile(r"^F(\d{3,4})[A-Z]\d?$")


def wavelength(metadata: Metadata) -> float:
    """Return the wavelength in micron that the optical element's name states.

    The narrower of FILTER and PUPIL counts, that is the pupil's if it holds a filter (F162M
    behind F150W2); 2 micron, or a typical one of the instrument, if neither names one.
    """
    for keyword in ("PUPIL", "FILTER"):
        match = FILTER.match(str(metadata.get(keyword) or "").strip().upper())
        if match:
            return int(match.group(1)) / 100.0
    fallback = FALLBACK_MICRON.get(str(metadata.get("INSTRUME")), 2.0)
    logger.warning(
        "%s: FILTER %r names no wavelength; the width of a star is taken at %.1f micron",
        metadata.source,
        metadata.get("FILTER"),
        fallback,
    )
    return fallback


def star_width(metadata: Metadata, wcs: Any, shape: tuple[int, ...]) -> float:
    """Return the full width at half maximum of a star, in pixels, before pixel integration.

    Parameters
    ----------
    metadata : Metadata
        FILTER, PUPIL, INSTRUME.
    wcs : gwcs.WCS
    shape : (ny, nx)
        The scale is measured at the centre.
    """
    scale = math.radians(arcsec_per_pixel(wcs, shape) / 3600.0)
    return WIDTH_PER_LAMBDA_D * wavelength(metadata) * 1e-6 / APERTURE_METRES / scale


def arcsec_per_pixel(wcs: Any, shape: tuple[int, ...]) -> float:
    """Return the pixel scale in the middle of an image."""
    ra, dec = sky(wcs, (shape[-1] - 1) / 2.0, (shape[-2] - 1) / 2.0)
    return 3600.0 * pixel_scale(wcs, float(ra), float(dec))


def seen_width(fwhm: float) -> float:
    """Return the full width at half maximum of a star of a given width that pixels integrate."""
    return math.hypot(fwhm, PIXEL_WIDTH)
