"""photom: DN/s to MJy/sr, and the size of a pixel on the sky.

The row of the PHOTOM table for FILTER and PUPIL (MIRI: FILTER and SUBARRAY, or GENERIC; FGS has
one row for all) gives PHOTMJSR, corrected for the change of
throughput with time where the reference has it (see `calwebb_core.science.photom`). The pixel
area map of the AREA reference is attached, its mean goes to PIXAR_SR and PIXAR_A2. Sets no
flags. A science exposure without a flux calibration is refused: no product in DN/s is made by
accident. Acquisition and focus exposures are skipped where the reference is N/A.
"""

import math
from dataclasses import dataclass
from typing import Any

from calwebb_core.framework.errors import ReferenceFileError
from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.models import Image
from calwebb_core.framework.parameters import option
from calwebb_core.framework.reference_data import Reference
from calwebb_core.framework.references import References
from calwebb_core.framework.step import COMPLETE, Status, Step, skipped
from calwebb_image2.modes import ENGINEERING

UNIT = "MJy/sr"
RATE_UNIT = "DN/s"
ARCSEC2_PER_STERADIAN = math.degrees(1.0) ** 2 * 3600.0**2


@dataclass(frozen=True)
class PhotomParameters:
    """Options of photom."""

    apply_time_correction: bool = option(
        True, "Correct for the change of throughput with time, where the reference has it."
    )
    inverse: bool = option(False, "Divide by the conversion factor instead.")


def pixel_area(image: Image, candidates: tuple[Reference | None, ...]) -> float:
    """Return the mean pixel area in steradian.

    It comes from PIXAR_SR of the first reference that has it (AREA before PHOTOM), otherwise
    from the WCS.

    Raises
    ------
    ReferenceFileError
        If no reference has it and the image has no WCS.
    """
    for reference in candidates:
        value = None if reference is None else reference.metadata.get("PIXAR_SR")
        if value is not None and value > 0:
            return float(value)
    if image.wcs is None:
        msg = f"{image.metadata.source}: neither AREA nor PHOTOM reference has PIXAR_SR"
        raise ReferenceFileError(msg)
    from calwebb_core.science.footprint import mean_pixel_area

    return mean_pixel_area(image.wcs, image.data.shape)


def attach_area(image: Image, area: Reference | None, photom: Reference) -> None:
    """Set AREA, PIXAR_SR and PIXAR_A2."""
    from calwebb_core.science.photom import check_area

    if area is not None and "SCI" in area.arrays:
        image.area = check_area(area.arrays["SCI"], image.data.shape, area.name)
    steradian = pixel_area(image, (area, photom))
    image.metadata["PIXAR_SR"] = steradian
    image.metadata["PIXAR_A2"] = steradian * ARCSEC2_PER_STERADIAN


def write_keywords(metadata: Metadata, conversion: Any, unit: str) -> None:
    """Set PHOTMJSR, PHOTUJA2 and BUNIT."""
    metadata["PHOTMJSR"] = conversion.photmjsr
    metadata["PHOTUJA2"] = conversion.photuja2
    metadata["BUNIT"] = unit


def run(image: Image, references: References, parameters: PhotomParameters) -> tuple[Image, Status]:
    """Calibrate an image or cube in flux, in place.

    Raises
    ------
    InputError
        If the exposure lacks FILTER, PUPIL or, for a time correction, EXPMID.
    ReferenceFileError
        If a science exposure has no PHOTOM reference or it has no row for it.
    """
    from calwebb_core.science.photom import apply_conversion, conversion

    metadata = image.metadata
    reference = references.load("photom", metadata)
    if reference is None:
        if metadata.get("EXP_TYPE") in ENGINEERING:
            return image, skipped("the photom reference is N/A")
        msg = (
            f"{metadata.source}: the photom reference is N/A, so the product would stay in DN/s; "
            "name one with --override photom=FILE, or --skip photom if DN/s are wanted"
        )
        raise ReferenceFileError(msg)
    found = conversion(
        reference.tables,
        metadata,
        name=reference.name,
        time_correction=parameters.apply_time_correction,
    )
    attach_area(image, references.load("area", metadata), reference)
    inverse = parameters.inverse
    apply_conversion(image, 1.0 / found.photmjsr if inverse else found.photmjsr)
    write_keywords(metadata, found, RATE_UNIT if inverse else UNIT)
    return image, COMPLETE


STEP = Step(
    name="photom",
    keyword="S_PHOTOM",
    meaning="Calibrate fluxes in MJy/sr.",
    parameters=PhotomParameters,
    run=run,
    references=("photom", "area"),
)
