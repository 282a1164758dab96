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
from typing import TYPE_CHECKING, Any

import numpy as np

from calwebb_core.framework.errors import InputError
from calwebb_core.framework.exposures import Exposure
from calwebb_core.framework.parameters import option
from calwebb_core.framework.step import COMPLETE, Status, Step, skipped
from calwebb_core.framework.threads import in_threads
from calwebb_core.science.dq import DO_NOT_USE
from calwebb_level3.imageset import ImageSet
from calwebb_level3.steps.skymatch import level_to_subtract

if TYPE_CHECKING:
    from calwebb_level3.imaging.model_sky import Drizzling, Layer

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
    how = drizzling_of(parameters)
    if parameters.resample_data:
        flag_on_grid(images, groups, how, snr, scale)
    else:
        flag_pixel_by_pixel(images, how, snr)
    return images, COMPLETE


def drizzling_of(parameters: OutlierDetectionParameters) -> "Drizzling":
    """Return how exposures are put on the grid."""
    from calwebb_level3.imaging.model_sky import Drizzling

    return Drizzling(
        parameters.pixfrac,
        parameters.kernel,
        parameters.weight_type,
        parameters.good_bits,
        parameters.maskpt,
    )


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
    how: "Drizzling",
    snr: tuple[float, float],
    scale: tuple[float, float],
) -> None:
    """Compare each exposure with the median of all on the grid of the mosaic."""
    from calwebb_level3.imaging.model_sky import Layer, median_plane, seen_by
    from calwebb_level3.steps.resample import grid_of

    pixmaps = images.geometry.maps(images.exposures, grid_of(images))
    levels = [level_to_subtract(exposure) for exposure in images.exposures]

    def layer(members: list[int]) -> Layer:
        chosen = ([values[i] for i in members] for values in (images.exposures, pixmaps, levels))
        return Layer.of(*chosen, how)

    median = median_plane(in_threads(layer, groups), how, images.store)

    def test(i: int) -> None:
        flag(images.exposures[i], seen_by(pixmaps[i], median), levels[i], snr, scale)

    in_threads(test, range(len(images.exposures)))


def flag_pixel_by_pixel(images: ImageSet, how: "Drizzling", snr: tuple[float, float]) -> None:
    """Compare each exposure with the median of the same detector pixels.

    The same pixels see the same sky: there is no slope to allow for, and one pass.

    Raises
    ------
    InputError
        If the exposures differ in shape.
    """
    from calwebb_level3.imaging.model_sky import pixel_median

    shapes = sorted({exposure.shape for exposure in images.exposures})
    if len(shapes) > 1:
        msg = f"resample_data = false needs exposures of one shape; found {shapes}"
        raise InputError(msg)
    levels = [level_to_subtract(exposure) for exposure in images.exposures]
    median = pixel_median(images.exposures, levels, how, images.store)

    def test(i: int) -> None:
        flag(images.exposures[i], median.read(), levels[i], (snr[0], snr[0]), (0.0, 0.0), sharpness=0.0)

    in_threads(test, range(len(images.exposures)))


def flag(
    exposure: Exposure,
    model: Any,
    level: float,
    snr: tuple[float, float],
    scale: tuple[float, float],
    **sharpness: float,
) -> None:
    """Find the outliers of one exposure and mark them."""
    from calwebb_level3.imaging.model_sky import find_outliers

    data, err, dq = (exposure.plane(name) for name in ("data", "err", "dq"))
    data -= np.float32(level)
    hits, tested = find_outliers(data, model, err, snr=snr, scale=scale, **sharpness)
    chosen = hits > 0
    if dq is not None:
        chosen &= (dq & np.uint32(DO_NOT_USE)) == 0
    count = int(np.count_nonzero(chosen))
    fraction = count / tested if tested else 0.0
    level_of_log = logging.WARNING if fraction > SUSPICIOUS_FRACTION else logging.INFO
    logger.log(
        level_of_log,
        "outlier_detection: %s: %d outliers, %.3f %% of %d tested pixels",
        exposure.name,
        count,
        100 * fraction,
        tested,
    )
    exposure.mark(chosen)


STEP = Step(
    name="outlier_detection",
    keyword="S_OUTLIR",
    meaning="Flag what only one exposure of a place sees.",
    parameters=OutlierDetectionParameters,
    run=run,
)
