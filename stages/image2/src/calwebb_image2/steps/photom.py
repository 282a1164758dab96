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
from calwebb_core.framework.reference_arrays import shape_of
from calwebb_core.framework.reference_data import Reference
from calwebb_core.framework.references import References
from calwebb_core.framework.step import COMPLETE, Status, Step, skipped
from calwebb_image2.bands import Band
from calwebb_image2.modes import ENGINEERING
from calwebb_image2.target import TargetFile

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


@dataclass(frozen=True)
class Scaling:
    """Multiplies bands of an exposure by a factor."""

    factor: float
    status: Status = COMPLETE

    def apply(self, band: Band) -> None:
        """Change all arrays."""
        from calwebb_core.science.photom import scale

        variances = (band.var_poisson, band.var_rnoise, band.var_flat)
        scale((band.data, band.err), variances, band.dq, self.factor)

    def finish(self) -> None:
        """Do nothing more."""


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


def calibrate(
    image: Image, references: References, parameters: PhotomParameters
) -> tuple[float, Reference | None] | Status:
    """Find the calibration of an image or cube and write its keywords.

    Returns
    -------
    Factor to multiply with, and the AREA reference; or why the step is skipped.

    Raises
    ------
    InputError, ReferenceFileError
        As `run`.
    """
    from calwebb_core.science.photom import check_area_shape, conversion

    metadata = image.metadata
    reference = references.load("photom", metadata)
    if reference is None:
        return skipped_for(metadata)
    found = conversion(
        reference.tables,
        metadata,
        name=reference.name,
        time_correction=parameters.apply_time_correction,
    )
    area = references.load("area", metadata)
    if area is not None and "SCI" in area.arrays:
        check_area_shape(shape_of(area.arrays, "SCI"), image.data.shape, area.name)
    steradian = pixel_area(image, (area, reference))
    metadata["PIXAR_SR"] = steradian
    metadata["PIXAR_A2"] = steradian * ARCSEC2_PER_STERADIAN
    write_keywords(metadata, found, RATE_UNIT if parameters.inverse else UNIT)
    return 1.0 / found.photmjsr if parameters.inverse else found.photmjsr, area


def skipped_for(metadata: Metadata) -> Status:
    """Return the status of an exposure without a flux calibration that needs none.

    Raises
    ------
    ReferenceFileError
        If it is a science exposure.
    """
    if metadata.get("EXP_TYPE") in ENGINEERING:
        return skipped("the photom reference is N/A")
    msg = (
        f"{metadata.source}: the photom reference is N/A, so the product would stay in DN/s; "
        "name one with --override photom=FILE, or --skip photom if DN/s are wanted"
    )
    raise ReferenceFileError(msg)


def write_keywords(metadata: Metadata, conversion: Any, unit: str) -> None:
    """Set PHOTMJSR, PHOTUJA2 and BUNIT."""
    metadata["PHOTMJSR"] = conversion.photmjsr
    metadata["PHOTUJA2"] = conversion.photuja2
    metadata["BUNIT"] = unit


def prepare(
    target: TargetFile, references: References, parameters: PhotomParameters
) -> Scaling | Status:
    """Return what to do with each band; see `run`."""
    found = calibrate(target.image, references, parameters)
    if isinstance(found, Status):
        return found
    factor, area = found
    if area is not None and "SCI" in area.arrays:
        target.made.add("AREA")
        target.area = area.arrays
    return Scaling(factor)


def run(image: Image, references: References, parameters: PhotomParameters) -> tuple[Image, Status]:
    """Calibrate an image or cube in flux, in place.

    Raises
    ------
    InputError
        If the exposure lacks FILTER, PUPIL or, for a time correction, EXPMID.
    ReferenceFileError
        If a science exposure has no PHOTOM reference or it has no row for it.
    """
    from calwebb_core.science.photom import apply_conversion, check_area

    found = calibrate(image, references, parameters)
    if isinstance(found, Status):
        return image, found
    factor, area = found
    if area is not None and "SCI" in area.arrays:
        image.area = check_area(area.arrays["SCI"], image.data.shape, area.name)
    apply_conversion(image, factor)
    return image, COMPLETE


STEP = Step(
    name="photom",
    keyword="S_PHOTOM",
    meaning="Calibrate fluxes in MJy/sr.",
    parameters=PhotomParameters,
    run=run,
    references=("photom", "area"),
    prepare=prepare,
)
