"""outlier_detection: flag what only one of several exposures of a place sees.

Cosmic rays that the ramps didn't show, hot pixels and other artefacts stay with the detector
while the sky moves with the dither. The exposures are drizzled to a common grid, their median
is the model of the sky, it is blotted back to each exposure, and pixels that differ from it
by more than noise and the model's slope explain are flagged, in two passes as in STScI's
drizCR (Gonzaga et al. 2012, DrizzlePac Handbook):

``|SCI - blot| > scale * slope + snr * ERR``

A flagged pixel gets OUTLIER and DO_NOT_USE in DQ, and NaN in SCI, ERR and VAR_*.

The step is skipped if there is a single exposure: nothing tells a star from a cosmic ray.
"""

import logging
from dataclasses import dataclass
from typing import Any

import numpy as np

from calwebb_core.framework.errors import InputError
from calwebb_core.framework.exposures import Exposure
from calwebb_core.framework.parameters import option
from calwebb_core.framework.step import COMPLETE, Status, Step, skipped
from calwebb_core.science.dq import DO_NOT_USE
from calwebb_level3.imageset import ImageSet
from calwebb_level3.steps.skymatch import level_to_subtract

logger = logging.getLogger(__name__)

# More than this is no cosmic ray rate but a misalignment or a wrong error array.
SUSPICIOUS_FRACTION = 0.1


@dataclass(frozen=True)
class OutlierDetectionParameters:
    """Options of outlier_detection for images; names as in the official step."""

    weight_type: str = option("ivm", "Weight of a pixel.", choices=("ivm", "exptime"))
    pixfrac: float = option(1.0, "Side of the shrunken pixel.", minimum=0, maximum=1)
    kernel: str = option("square", "Drizzle kernel.", choices=("square", "point", "turbo"))
    maskpt: float = option(
        0.7, "Least weight in the median, in mean weights.", minimum=0, maximum=1
    )
    snr: str = option("5.0 4.0", "Noise limits of the first and second pass.")
    scale: str = option("1.2 0.7", "Slope limits of the first and second pass.")
    resample_data: bool = option(True, "Put the exposures on a common grid before the median.")
    good_bits: str = option("~DO_NOT_USE", "Flags of pixels to use nevertheless.")


def run(
    images: ImageSet,
    references: Any,  # noqa: ARG001
    parameters: OutlierDetectionParameters,
) -> tuple[ImageSet, Status]:
    """Flag outliers; DQ, SCI, ERR and VAR_* of the exposures are changed in place."""
    images.require_exposures("outlier_detection")
    snr, scale = pair(parameters.snr, "snr"), pair(parameters.scale, "scale")
    groups = list(images.groups().values())
    if len(groups) < 2:
        return images, skipped("one exposure: there is none to compare it with")
    if parameters.resample_data:
        flag_on_grid(images, groups, parameters, snr, scale)
    else:
        flag_pixel_by_pixel(images, snr, scale)
    return images, COMPLETE


def pair(text: str, name: str) -> tuple[float, float]:
    """Return the two numbers of an option such as ``"5.0 4.0"``.

    Raises
    ------
    InputError
        If it isn't two positive numbers.
    """
    try:
        first, second = (float(word) for word in str(text).replace(",", " ").split())
    except ValueError:
        first = second = -1.0
    if not (first >= 0 and second >= 0):
        msg = f"outlier_detection.{name} is {text!r}; expected two numbers such as '5.0 4.0'"
        raise InputError(msg)
    return first, second


def flag_on_grid(
    images: ImageSet,
    groups: list[list[int]],
    parameters: OutlierDetectionParameters,
    snr: tuple[float, float],
    scale: tuple[float, float],
) -> None:
    """Compare each exposure with the median of all on the grid of the mosaic."""
    from calwebb_core.science.resample import pixel_map
    from calwebb_level3.imaging.model_sky import Drizzling, blot, median_image
    from calwebb_level3.steps.resample import grid_of

    grid = grid_of(images)
    how = Drizzling(
        parameters.pixfrac,
        parameters.kernel,
        parameters.weight_type,
        parameters.good_bits,
        parameters.maskpt,
    )
    exposures = [[images.exposures[i] for i in members] for members in groups]
    levels = [[level_to_subtract(image) for image in members] for members in exposures]
    in_memory = [[image.image() for image in members] for members in exposures]
    median = median_image(in_memory, levels, grid, how)
    for image in images.exposures:
        model = blot(median, pixel_map(image.wcs, grid, image.shape))
        flag(image, model, level_to_subtract(image), snr, scale)


def flag_pixel_by_pixel(
    images: ImageSet, snr: tuple[float, float], scale: tuple[float, float]
) -> None:
    """Compare each exposure with the median of the same detector pixels.

    Raises
    ------
    InputError
        If the exposures differ in shape.
    """
    from calwebb_core.science.dq import NON_SCIENCE
    from calwebb_level3.kernels.outliers import median_stack

    shapes = sorted({image.shape for image in images.exposures})
    if len(shapes) > 1:
        msg = f"resample_data = false needs exposures of one shape; found {shapes}"
        raise InputError(msg)
    stack = np.stack(
        [
            np.where(
                bad_bits(image, DO_NOT_USE | NON_SCIENCE),
                np.float32(np.nan),
                image.plane("data") - np.float32(level_to_subtract(image)),
            )
            for image in images.exposures
        ]
    )
    median = np.empty(shapes[0], np.float32)
    median_stack(stack, np.full(shapes[0], np.inf, np.float32), median)
    for image in images.exposures:
        flag(image, median, level_to_subtract(image), snr, scale)


def bad_bits(image: Exposure, bits: int) -> Any:
    """Return where one of some flags is set, bool (ny, nx)."""
    dq = image.plane("dq")
    return np.zeros(image.shape, bool) if dq is None else (dq & np.uint32(bits)) != 0


def flag(
    image: Exposure,
    model: Any,
    level: float,
    snr: tuple[float, float],
    scale: tuple[float, float],
) -> None:
    """Find the outliers of one exposure and mark them."""
    from calwebb_level3.imaging.model_sky import find_outliers

    data = image.plane("data")
    hits = find_outliers(data - np.float32(level), model, image.plane("err"), snr=snr, scale=scale)
    chosen = (hits > 0) & ~bad_bits(image, DO_NOT_USE)
    tested = np.count_nonzero(np.isfinite(model) & np.isfinite(data))
    count = int(np.count_nonzero(chosen))
    fraction = count / tested if tested else 0.0
    level_of_log = logging.WARNING if fraction > SUSPICIOUS_FRACTION else logging.INFO
    logger.log(
        level_of_log,
        "outlier_detection: %s: %d outliers, %.3f %% of %d tested pixels",
        image.name,
        count,
        100 * fraction,
        tested,
    )
    image.mark(chosen)


STEP = Step(
    name="outlier_detection",
    keyword="S_OUTLIR",
    meaning="Flag what only one exposure of a place sees.",
    parameters=OutlierDetectionParameters,
    run=run,
)
