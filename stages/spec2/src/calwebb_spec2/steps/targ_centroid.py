"""targ_centroid: find the target of MIRI LRS in the image that confirms its acquisition.

An elliptical Gaussian is fitted to the star near the place where the pointing of that image says
it should be (`calwebb_core.science.centroid`); its middle is kept as TA_XPOS, TA_YPOS, in 0-based
pixels of the image. From there to the exposure the star moves by what the dithers of both differ,
through the imager's distortion, and by the offset of the image's filter (FILTEROFFSET):

    source = star + dither of the exposure - dither of the image + filter offset

This is kept as SRCXPOS, SRCYPOS in 0-based pixels of the exposure's subarray: where the star would
be without the prism. The step pathloss takes its losses there; DITH_RA and DITH_DEC are the place
on the sky, where extract_1d puts its aperture. Source: the official package's documentation of the
step. It does not run without an image (the association's target_acquisition member, or `ta_file`),
or where there is no star in it. Off by default. Sets no flags.
"""

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from calwebb_core.framework.errors import InputError, ProcessingError, ReferenceFileError
from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.models import Image
from calwebb_core.framework.parameters import option
from calwebb_core.framework.references import References
from calwebb_core.framework.step import COMPLETE, Status, Step, skipped
from calwebb_core.framework.target_images import ImageFile, TargetImage
from calwebb_core.science.spectral.pointing import dithered_place
from calwebb_spec2.steps.assign_wcs import loaded, model_of

if TYPE_CHECKING:
    from calwebb_core.science.centroid import Star
    from calwebb_core.science.transforms import Transform

logger = logging.getLogger(__name__)

MODES: Final = ("MIR_LRS-FIXEDSLIT", "MIR_LRS-SLITLESS")
NO_IMAGE: Final = "there is no image of the target: no target_acquisition member, and no ta_file"
DIGITS: Final = 6  # of pixels: a fit is not the same to the last bit on every machine


@dataclass(frozen=True)
class TargCentroidParameters:
    """Options of targ_centroid."""

    ta_file: str | None = option(
        None, "Image of the target, instead of the association's target_acquisition member."
    )


@dataclass(frozen=True)
class Place:
    """Where the aperture's reference point and the target should be, on the imager's pixels.

    Attributes
    ----------
    x, y : float
        0-based pixel of the whole detector where the target should be.
    dx, dy : float
        By how much the dither has moved it.
    """

    x: float
    y: float
    dx: float
    dy: float


def place_of(metadata: Metadata, to_v2v3: "Transform") -> Place:
    """Return where the target of an exposure should be.

    Parameters
    ----------
    metadata : Metadata
        As for `calwebb_core.science.spectral.pointing.dithered_place`.
    to_v2v3 : Transform
        Of 0-based pixels of the whole detector.
    """
    reference = (metadata.require(key, float) for key in ("V2_REF", "V3_REF"))
    (x0, y0), (x, y) = (
        (float(value) for value in to_v2v3.inverse(*place))
        for place in (reference, dithered_place(metadata))
    )
    return Place(x, y, x - x0, y - y0)


def start_of(metadata: Metadata) -> tuple[int, int]:
    """Return the 0-based first pixel of a subarray on the whole detector."""
    x, y = (metadata.require(f"SUBSTRT{axis}", int) - 1 for axis in (1, 2))
    return x, y


def check_image(image: ImageFile, exposure: Metadata) -> None:
    """Refuse an image that cannot show the target of an exposure.

    Raises
    ------
    InputError
        If it is of another detector, a spectrum, or a cube.
    """
    found = [image.keywords.get(key) for key in ("DETECTOR", "EXP_TYPE")]
    if found[0] != exposure.get("DETECTOR") or found[1] in MODES or image.ndim != 2:
        what = f"DETECTOR {found[0]}, EXP_TYPE {found[1]} and {image.ndim} axes"
        msg = (
            f"{image.path}: has {what}; expected an image of the target of "
            f"{exposure.source}, taken with DETECTOR {exposure.get('DETECTOR')}"
        )
        raise InputError(msg)


def star_in(image: ImageFile, place: Place) -> "Star":
    """Return the star of an image.

    Raises
    ------
    ProcessingError
        If there is none.
    """
    from calwebb_core.science.centroid import find_star

    rows = image.rows("data", 0, slice(0, image.shape[1]))
    start = start_of(image.keywords)
    if rows is None:
        msg = "it has no pixels"
        raise ProcessingError(msg)
    return find_star(rows, (place.x - start[0], place.y - start[1]))


def offset_of(references: References, image: ImageFile, exposure: Metadata) -> tuple[float, float]:
    """Return column and row offset of the filter of an image, in pixels.

    Raises
    ------
    ReferenceFileError
        If the reference is N/A, or has no list of filters or none of this one.
    """
    from calwebb_core.science.wcs import find_filter_offset

    reference = references.load("filteroffset", exposure, cutout=False)
    rows = None if reference is None else (reference.tree or {}).get("filters")
    found = None if rows is None else find_filter_offset(rows, image.keywords)
    if found is None:
        name = "N/A" if reference is None else reference.name
        msg = (
            f"{exposure.source}: the filteroffset reference is {name} and has no row for FILTER "
            f"{image.keywords.get('FILTER')} of {image.path.name}: --override filteroffset=FILE"
        )
        raise ReferenceFileError(msg)
    return found


def on_sky(exposure: Image, source: tuple[float, float]) -> dict[str, float]:
    """Return DITH_RA, DITH_DEC of a source without the prism at a pixel of the whole detector.

    Raises
    ------
    InputError
        If the WCS is none of the spectrometer.
    """
    world = exposure.wcs
    if world is None or "alpha_beta" not in world.available_frames:
        msg = f"{exposure.metadata.source}: has no WCS of the slit; run assign_wcs first"
        raise InputError(msg)
    ra, dec, _ = world.get_transform("v2v3", "world")(*source, 0.0)
    return {"DITH_RA": float(ra) % 360.0, "DITH_DEC": float(dec)}


def image_for(model: Image, parameters: TargCentroidParameters) -> Path | None:
    """Return the path of the image of the target; the user's goes first."""
    if parameters.ta_file:
        return Path(parameters.ta_file)
    return model.acquisition if isinstance(model, TargetImage) else None


def run(
    model: Image, references: References, parameters: TargCentroidParameters
) -> tuple[Any, Status]:
    """Write where the source is in the keywords of an exposure, in place.

    Raises
    ------
    InputError
        If the image is missing or none of this target, or keywords are missing.
    ReferenceFileError
        If a reference lacks what it should hold.
    """
    from calwebb_core.science.wcs import read_distortion

    metadata = model.metadata
    path = image_for(model, parameters)
    if path is None:
        return model, skipped(NO_IMAGE)
    image = ImageFile.open(path)
    check_image(image, metadata)
    reference = loaded(references, "distortion", metadata)
    to_v2v3, _ = read_distortion(model_of(reference), reference.name)
    before, now = (place_of(keywords, to_v2v3) for keywords in (image.keywords, metadata))
    try:
        star = star_in(image, before)
    except ProcessingError as error:
        logger.warning("%s: %s: the source stays unplaced", path, error)
        return model, skipped(f"{path.name}: {error}")
    offset = offset_of(references, image, metadata)
    first, start = start_of(image.keywords), start_of(metadata)
    x = star.x + first[0] + now.dx - before.dx + offset[0]
    y = star.y + first[1] + now.dy - before.dy + offset[1]
    v2, v3 = (float(value) for value in to_v2v3(x, y))
    found = {"TA_XPOS": star.x, "TA_YPOS": star.y, "SRCXPOS": x - start[0], "SRCYPOS": y - start[1]}
    values = {key: round(value, DIGITS) for key, value in found.items()} | on_sky(model, (v2, v3))
    metadata.update(values)
    metadata.homes.update(dict.fromkeys(found, "SCI"))
    logger.info(
        "%s: the star of %s is at %.3f, %.3f; its spectrum is of %.3f, %.3f (0-based pixels)",
        metadata.source, path.name, *found.values(),
    )  # fmt: skip
    return model, COMPLETE


STEP = Step(
    name="targ_centroid",
    keyword="S_TACNTR",
    meaning="Find the source in its acquisition image.",
    parameters=TargCentroidParameters,
    run=run,
    references=("distortion", "filteroffset"),
    skip=True,
)
