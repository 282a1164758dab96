"""A new WCS in an exposure, and the keywords that follow from it."""

import logging
from typing import TYPE_CHECKING

from calwebb_core.framework.errors import ProcessingError
from calwebb_core.framework.exposures import Exposure
from calwebb_core.science.footprint import s_region
from calwebb_core.science.sip import fits_sip, replace_wcs_keywords
from calwebb_core.science.world import World

if TYPE_CHECKING:
    from calwebb_level3.steps.tweakreg import TweakregParameters

logger = logging.getLogger(__name__)


def place(exposure: Exposure, wcs: World, parameters: "TweakregParameters") -> None:
    """Give an exposure a new WCS, with S_REGION and the FITS WCS keywords."""
    if wcs is exposure.wcs:
        return
    exposure.wcs = wcs
    exposure.metadata["S_REGION"] = s_region(wcs, exposure.shape)
    if parameters.sip_approx:
        write_sip(exposure, parameters)


def write_sip(exposure: Exposure, parameters: "TweakregParameters") -> None:
    """Replace the FITS WCS keywords; without a good fit the header keeps none, with a warning."""
    crpix = exposure.metadata.get("CRPIX1"), exposure.metadata.get("CRPIX2")
    try:
        keywords = fits_sip(
            exposure.wcs,
            exposure.shape,
            max_pix_error=parameters.sip_max_pix_error,
            degree=parameters.sip_degree,
            max_inv_pix_error=parameters.sip_max_inv_pix_error,
            inv_degree=parameters.sip_inv_degree,
            npoints=parameters.sip_npoints,
            crpix=None if None in crpix else crpix,  # type: ignore[arg-type]
        )
    except ProcessingError as error:
        logger.warning("%s: no SIP keywords are written: %s", exposure.name, error)
        keywords = {}
    replace_wcs_keywords(exposure.metadata, keywords)
