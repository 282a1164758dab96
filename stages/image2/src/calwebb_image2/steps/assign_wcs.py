"""assign_wcs: say where each pixel looks.

Builds the chain detector -> v2v3 -> v2v3vacorr -> world from the distortion and filter-offset
references and the pointing keywords (see `calwebb_core.science.wcs`), for NIRSpec from the
parametric model of its optics (`calwebb_core.science.nirspec.mirror`). It is stored as a gwcs,
S_REGION and a FITS approximation (tangent plane with SIP polynomials) in the header. Sets no
flags. The gwcs is exact; the header is good to `sip_max_pix_error`.
"""

import logging
from dataclasses import dataclass

from calwebb_core.framework.errors import InputError, ProcessingError, ReferenceFileError
from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.models import Image
from calwebb_core.framework.parameters import option
from calwebb_core.framework.reference_data import Reference
from calwebb_core.framework.references import References
from calwebb_core.framework.step import COMPLETE, Status, Step, skipped

logger = logging.getLogger(__name__)

INSTRUMENTS = {
    "NRC": "NIRCAM", "NIS": "NIRISS", "MIR": "MIRI", "FGS": "FGS", "NRS": "NIRSPEC",
}  # fmt: skip
# What NIRSpec's images need in place of the step's own references; the pipeline asks for them.
OPTICS = ("camera", "collimator", "disperser", "fore", "fpa", "ote", "wavelengthrange")


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


def loaded(references: References, kind: str, metadata: Metadata) -> Reference:
    """Return a reference that the WCS of NIRSpec can't do without.

    Raises
    ------
    ReferenceFileError
        If it is N/A or no ASDF file.
    """
    reference = references.load(kind, metadata)
    if reference is None or reference.tree is None:
        msg = f"{metadata.source}: the {kind} reference is N/A; a WCS of NIRSpec needs one"
        raise ReferenceFileError(msg)
    return reference


def write_sip(image: Image, parameters: AssignWcsParameters) -> None:
    """Replace the FITS WCS keywords; without a good fit the header keeps none, with a warning."""
    from calwebb_core.science.sip import fits_sip, replace_wcs_keywords

    metadata = image.metadata
    try:
        keywords = fits_sip(
            image.wcs,
            image.data.shape,
            max_pix_error=parameters.sip_max_pix_error,
            degree=parameters.sip_degree,
            max_inv_pix_error=parameters.sip_max_inv_pix_error,
            inv_degree=parameters.sip_inv_degree,
            npoints=parameters.sip_npoints,
        )
    except ProcessingError as error:
        logger.warning("%s: no SIP keywords are written: %s", metadata.source, error)
        keywords = {}
    replace_wcs_keywords(metadata, keywords)


def instrument(metadata: Metadata) -> str:
    """Return the instrument, which must be that of the exposure's type.

    Raises
    ------
    InputError
        If INSTRUME is missing or not that of EXP_TYPE.
    """
    found, kind = (metadata.require(key, str) for key in ("INSTRUME", "EXP_TYPE"))
    expected = INSTRUMENTS.get(kind[:3], found)
    if found != expected:
        msg = f"{metadata.source}: INSTRUME is {found}, but EXP_TYPE {kind} is one of {expected}"
        raise InputError(msg)
    return found


def run_mirror(
    image: Image, references: References, parameters: AssignWcsParameters
) -> tuple[Image, Status]:
    """Attach the WCS to an image of NIRSpec and update its keywords, in place.

    Raises
    ------
    InputError
        If GRATING is not MIRROR: then the image is a spectrum.
    """
    from calwebb_core.science.nirspec.mirror import mirror_wcs

    metadata = image.metadata
    instrument(metadata)
    grating = metadata.require("GRATING", str)
    if grating != "MIRROR":
        msg = f"{metadata.source}: GRATING is {grating}; images of NIRSpec are taken with MIRROR"
        raise InputError(msg)
    if metadata.get("FILTER") == "OPAQUE":
        return image, skipped("FILTER is OPAQUE: the light is of lamps, there is no sky")
    optics = {kind: loaded(references, kind, metadata) for kind in OPTICS}
    image.wcs, light = mirror_wcs(metadata, optics)
    metadata.update({"WAVSTART": light.low, "WAVEND": light.high, "SPORDER": light.order})
    describe(image, parameters)
    return image, COMPLETE


def run(
    image: Image, references: References, parameters: AssignWcsParameters
) -> tuple[Image, Status]:
    """Attach the WCS to an image or cube and update its keywords, in place."""
    from calwebb_core.science.wcs import imaging_wcs

    metadata = image.metadata
    if instrument(metadata) == "NIRSPEC":
        return run_mirror(image, references, parameters)
    reference = distortion(references, metadata)
    model, offset = (reference.tree or {})["model"], filter_offset(references, metadata)
    image.wcs = imaging_wcs(metadata, model, offset, source=reference.name)
    describe(image, parameters)
    return image, COMPLETE


def describe(image: Image, parameters: AssignWcsParameters) -> None:
    """Write the keywords that follow from the WCS."""
    from calwebb_core.science.footprint import s_region

    image.metadata["S_REGION"] = s_region(image.wcs, image.data.shape)
    if parameters.sip_approx:
        write_sip(image, parameters)


STEP = Step(
    name="assign_wcs",
    keyword="S_WCS",
    meaning="Say where each pixel looks.",
    parameters=AssignWcsParameters,
    run=run,
    references=("distortion", "filteroffset"),
)
