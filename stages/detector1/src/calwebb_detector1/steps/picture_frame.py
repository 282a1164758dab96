"""picture_frame: subtract the glow of NIRSpec's surroundings, brighter along a frame's edge.

With its temperature the level of NIRSpec's detectors changes, and more so in a frame of 70 pixels
along the edge. The PICTUREFRAME reference shows the pattern. In every group after the first, less
the first, it is scaled to the background there (m: medians of centre and edge)::

    correction = (m_centre - m_edge) / (r_centre - r_edge) * (reference - r_edge) + m_edge

and subtracted. Background are the pixels of a draft of the count rate that are within `n_sigma`,
with `mask_science_regions` without light of failed-open shutters and, for the microshutters and
the integral field unit, without the rows of the fixed slits.

Pixels without a reference (NaN) are left as they are, get UNRELIABLE_DARK | DO_NOT_USE, and are
counted in a warning. For full frames of NIRSpec; off by default. Does not run for one group, where
no background is left, or where the reference is N/A.
"""

import logging
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from calwebb_core.framework.errors import ReferenceFileError
from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.models import Float32, Planes, Ramp, UInt32
from calwebb_core.framework.parameters import option
from calwebb_core.framework.reference_data import Reference
from calwebb_core.framework.references import References
from calwebb_core.framework.step import COMPLETE, Status, Step, skipped
from calwebb_core.framework.threads import in_threads
from calwebb_core.science.dq import PixelDQ
from calwebb_core.science.scene_mask import flagged_regions, scene_mask
from calwebb_detector1.arrays import check_array, image_shape, label, reference_array
from calwebb_detector1.steps import ramp_fit

logger = logging.getLogger(__name__)

Mask = NDArray[np.bool_]
SIZE = 2048
RIM = 4  # reference pixels
# First row or column of the lower edge and of the centre, ends of the centre and the upper edge.
EDGE_BELOW, EDGE_ABOVE = (4, 75), (1985, 2043)
CENTRE = (76, 1984)
NO_PATTERN = PixelDQ.UNRELIABLE_DARK | PixelDQ.DO_NOT_USE


@dataclass(frozen=True)
class PictureFrameParameters:
    """Options of the step picture_frame."""

    mask_science_regions: bool = option(True, "leave out regions that a mode is known to light")
    n_sigma: float = option(2.0, "sources are above it; 0: none", minimum=0, unit="sigma")
    save_mask: bool = option(False, "write the mask (_pctfrm_mask)")
    save_correction: bool = option(False, "write what is subtracted (_pctfrm_correction)")


def regions() -> tuple[Mask, Mask]:
    """Return which pixels of a full frame belong to its centre and to its edge."""
    place = np.arange(SIZE)
    middle = (place >= CENTRE[0]) & (place < CENTRE[1])
    outer = np.zeros(SIZE, np.bool_)
    for first, end in (EDGE_BELOW, EDGE_ABOVE):
        outer[first:end] = True
    inside = (place >= EDGE_BELOW[0]) & (place < EDGE_ABOVE[1])
    edge = outer[:, np.newaxis] | outer[np.newaxis, :]
    return middle[:, np.newaxis] & middle, edge & inside[:, np.newaxis] & inside


def levels(image: Float32, centre: Mask, edge: Mask) -> tuple[float, float]:
    """Return the medians of an image (2048, 2048) in its centre and at its edge, without NaN."""
    return float(np.nanmedian(image[centre])), float(np.nanmedian(image[edge]))


def subtract_picture_frame(data: Float32, *, pattern: Float32, centre: Mask, edge: Mask) -> None:
    """Subtract the scaled pattern from all groups but the first, in place.

    Parameters
    ----------
    data : float32, (nints, ngroups, 2048, 2048), DN
    pattern : float32, (2048, 2048); where it is NaN nothing is subtracted
    centre, edge : bool, (2048, 2048): background in the centre and at the edge
    """
    check_array("data", data, np.float32, (*data.shape[:2], *pattern.shape))
    r_centre, r_edge = levels(pattern, centre, edge)
    known = np.isfinite(pattern)
    shape = np.where(known, pattern - np.float32(r_edge), np.float32(0))

    def correct(item: tuple[int, int]) -> None:
        image, first = data[item], data[item[0], 0]
        m_centre, m_edge = levels(image - first, centre, edge)
        scale = np.float32((m_centre - m_edge) / (r_centre - r_edge))
        np.subtract(image, shape * scale + np.float32(m_edge), out=image, where=known)

    nints, ngroups = data.shape[:2]
    in_threads(correct, [(i, g) for i in range(nints) for g in range(1, ngroups)])


def background(ramp: Ramp, references: References, parameters: PictureFrameParameters) -> Mask:
    """Return which pixels (2048, 2048) of a draft of the count rate are background."""
    draft = replace(ramp, pixeldq=ramp.pixeldq.copy(), extras=[])
    rates, _ = ramp_fit.STEP.run(draft, references, ramp_fit.RampFitParameters())
    lit = None
    if parameters.mask_science_regions:
        exp_type = ramp.metadata.require("EXP_TYPE", str)
        lit = flagged_regions(exp_type, ramp.pixeldq, full_frame=True)
        logger.info("slits and slices have no WCS yet: n_sigma tells their light from background")
    return scene_mask(rates.rate.data, lit, n_sigma=parameters.n_sigma)


def checked_pattern(reference: Reference, pixeldq: UInt32, centre: Mask, edge: Mask) -> Float32:
    """Return the pattern of a reference, after flagging the pixels that have none.

    Raises
    ------
    ReferenceFileError
        If centre and edge do not differ, so that nothing could be scaled.
    """
    pattern = reference_array(reference, "SCI", (SIZE, SIZE))
    missing = ~np.isfinite(pattern)
    values = [pattern[part & ~missing] for part in (centre, edge)]
    if not all(part.size for part in values) or np.median(values[0]) == np.median(values[1]):
        msg = (
            f"{label(reference)}: centre and edge have the same level or none at all; "
            f"choose another file"
        )
        raise ReferenceFileError(msg)
    if missing.any():
        pixeldq[missing] |= np.uint32(NO_PATTERN)
        logger.warning(
            "%s: %d of %d pixels are NaN; they are flagged %s",
            label(reference),
            np.count_nonzero(missing),
            missing.size,
            NO_PATTERN.name,
        )
    return pattern


def not_needed(metadata: Metadata) -> str | None:
    """Say why an exposure has no such frame."""
    if metadata.get("INSTRUME") == "NIRSPEC" and metadata.get("SUBARRAY") == "FULL":
        return None
    return "only full frames of NIRSpec have it"


def run(
    ramp: Ramp, references: References, parameters: PictureFrameParameters
) -> tuple[Ramp, Status]:
    """Correct the groups of an exposure in place."""
    reference = references.load("pictureframe", ramp.metadata)
    if reference is None:
        return ramp, skipped("the pictureframe reference is N/A")
    if ramp.data.shape[1] == 1:
        return ramp, skipped("one group has no difference to scale the pattern to")
    if image_shape(ramp) != (SIZE, SIZE):
        return ramp, skipped(f"only frames of {SIZE} x {SIZE} pixels have it")
    mask = background(ramp, references, parameters)
    centre, edge = (part & mask for part in regions())
    if not (centre.any() and edge.any()):
        reason = "no pixel of the centre or none of the edge shows nothing but background"
        logger.warning("%s: %s", ramp.metadata.source, reason)
        return ramp, skipped(reason)
    pattern = checked_pattern(reference, ramp.pixeldq, centre, edge)
    before = ramp.data.copy() if parameters.save_correction else None
    subtract_picture_frame(ramp.data, pattern=pattern, centre=centre, edge=edge)
    ramp.extras += products_of(ramp, mask if parameters.save_mask else None, before)
    return ramp, COMPLETE


def products_of(ramp: Ramp, mask: Mask | None, before: Float32 | None) -> list[Planes]:
    """Return the optional products: the mask, and what was subtracted from the ramps `before`."""
    found = []
    if mask is not None:
        arrays = {"SCI": mask.astype(np.float32)}
        found.append(Planes(ramp.metadata.copy(), "ImageModel", "pctfrm_mask", arrays))
    if before is not None:
        arrays = {"SCI": before - ramp.data}
        found.append(Planes(ramp.metadata.copy(), "RampModel", "pctfrm_correction", arrays))
    return found


STEP = Step(
    name="picture_frame",
    keyword="S_PCTFRM",
    meaning="Subtract the glow of NIRSpec's surroundings, brighter along a frame's edge.",
    parameters=PictureFrameParameters,
    run=run,
    references=("pictureframe", "gain", "readnoise"),
    not_needed=not_needed,
    skip=True,
)
