"""assign_wcs: say where each pixel looks.

Builds the chain detector -> v2v3 -> v2v3vacorr -> world from the distortion and filter-offset
references and the pointing keywords (see `calwebb_core.science.wcs`), stores it as a gwcs, and
writes S_REGION and a FITS approximation (tangent plane with SIP polynomials) in the header.
Sets no flags. The gwcs is exact; the header is good to `sip_max_pix_error`.
"""

import logging
from dataclasses import dataclass

from calwebb_core.framework.errors import ProcessingError, ReferenceFileError
from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.models import Image
from calwebb_core.framework.parameters import option
from calwebb_core.framework.reference_data import Reference
from calwebb_core.framework.references import References
from calwebb_core.framework.step import COMPLETE, Status, Step

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class AssignWcsParameters:
    """Options of assign_wcs."""

    sip_approx: bool = option(True, "Write a FITS approximation of the WCS in the header.")
    sip_max_pix_error: float = option(
        0.01, "Greatest error of that approximation.", minimum=1e-6, unit="pixel"
    )
    sip_degree: int | None = option(
        None, "Degree of the polynomial; the lowest that fits by default.", minimum=1, maximum=6
    )
    sip_max_inv_pix_error: float = option(
        0.01, "Greatest error of the inverse polynomial.", minimum=1e-6, unit="pixel"
    )
    sip_inv_degree: int | None = option(
        None, "Degree of the inverse polynomial.", minimum=1, maximum=6
    )
    sip_npoints: int = option(12, "Points per axis of the fit.", minimum=3)


def filter_offset(references: References, metadata: Metadata) -> tuple[float, float] | None:
    """Return column and row offset of the exposure's filter in pixels, None without one.

    Raises
    ------
    ReferenceFileError
        If the reference has no list of filters.
    """
    from calwebb_core.science.wcs import find_filter_offset

    reference = references.load("filteroffset", metadata)
    if reference is None:
        return None
    rows = (reference.tree or {}).get("filters")
    if rows is None:
        msg = f"{reference.name}: the filteroffset reference has no `filters`"
        raise ReferenceFileError(msg)
    return find_filter_offset(rows, metadata)


def distortion(references: References, metadata: Metadata) -> Reference:
    """Return the distortion reference.

    Raises
    ------
    ReferenceFileError
        If it is N/A or holds no model.
    """
    reference = references.load("distortion", metadata)
    if reference is None or "model" not in (reference.tree or {}):
        name = "N/A" if reference is None else reference.name
        msg = f"the distortion reference is {name} and has no `model`; a WCS needs one"
        raise ReferenceFileError(msg)
    return reference


def write_sip(image: Image, parameters: AssignWcsParameters) -> None:
    """Replace the FITS WCS keywords; without a good fit the header keeps none, with a warning."""
    from calwebb_core.science.sip import fits_sip, replace_wcs_keywords

    metadata = image.metadata
    crpix = metadata.get("CRPIX1"), metadata.get("CRPIX2")
    try:
        keywords = fits_sip(
            image.wcs,
            image.data.shape,
            max_pix_error=parameters.sip_max_pix_error,
            degree=parameters.sip_degree,
            max_inv_pix_error=parameters.sip_max_inv_pix_error,
            inv_degree=parameters.sip_inv_degree,
            npoints=parameters.sip_npoints,
            crpix=None if None in crpix else crpix,  # type: ignore[arg-type]
        )
    except ProcessingError as error:
        logger.warning("%s: no SIP keywords are written: %s", metadata.source, error)
        keywords = {}
    replace_wcs_keywords(metadata, keywords)


def run(
    image: Image, references: References, parameters: AssignWcsParameters
) -> tuple[Image, Status]:
    """Attach the WCS to an image or cube and update its keywords, in place."""
    from calwebb_core.science.wcs import imaging_wcs, s_region

    metadata = image.metadata
    model = (distortion(references, metadata).tree or {})["model"]
    image.wcs = imaging_wcs(metadata, model, filter_offset(references, metadata))
    metadata["S_REGION"] = s_region(image.wcs, image.data.shape)
    if parameters.sip_approx:
        write_sip(image, parameters)
    return image, COMPLETE


STEP = Step(
    name="assign_wcs",
    keyword="S_WCS",
    meaning="Say where each pixel looks.",
    parameters=AssignWcsParameters,
    run=run,
    references=("distortion", "filteroffset"),
)
