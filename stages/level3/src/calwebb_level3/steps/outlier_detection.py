"""outlier_detection: flag what only one of several exposures of a place sees.

Cosmic rays that the ramps didn't show, hot pixels and other artefacts stay with the detector
while the sky moves with the dither. The exposures are drizzled to a common grid, their median
is the model of the sky, it is blotted back to each exposure, and pixels that differ from it
by more than noise and the model's slope explain are flagged, in two passes as in STScI's
drizCR (Gonzaga et al. 2012, DrizzlePac Handbook):

``|SCI - blot| > scale * slope + snr * ERR``

The model is blurred by drizzling: the core of an undersampled star is higher in the exposures.
So the difference is counted from the range between the model and the sharpened model, and the
model's noise is taken off its slope, where it would hide faint cosmic rays.

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
    from calwebb_level3.imaging.model_sky import Drizzling

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
    backg: float = option(
        0.0, "Background in the exposures but not in the median, if skymatch left no level."
    )
    save_intermediate_results: bool = option(
        False, "Also write the median and what each exposure sees of it."
    )


@dataclass(frozen=True)
class Limits:
    """What tells an outlier, and whether to keep what it is told by.

    Attributes
    ----------
    snr, scale : (float, float)
        Of the first and second pass.
    background : float
        In exposures without a level of skymatch, but not in the median.
    keep : bool
        Keep the median and what each exposure sees of it.
    """

    snr: tuple[float, float]
    scale: tuple[float, float]
    background: float = 0.0
    keep: bool = False


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
    limits = Limits(snr, scale, parameters.backg, parameters.save_intermediate_results)
    if parameters.resample_data:
        flag_on_grid(images, groups, drizzling_of(parameters), limits)
    else:
        flag_pixel_by_pixel(images, drizzling_of(parameters), limits)
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
    images: ImageSet, groups: list[list[int]], how: "Drizzling", limits: Limits
) -> None:
    """Compare each exposure with the median of all on the grid of the mosaic."""
    from calwebb_level3.imaging.model_sky import Layer, find_outliers, median_plane, seen_by
    from calwebb_level3.steps.resample import grid_of

    grid = grid_of(images)
    pixmaps = images.geometry.maps(images.exposures, grid)
    levels = [level_to_subtract(exposure) for exposure in images.exposures]

    def layer(members: list[int]) -> Layer:
        exposures = [images.exposures[i] for i in members]
        return Layer.of(exposures, [pixmaps[i] for i in members], [levels[i] for i in members], how)

    median = median_plane(in_threads(layer, groups), how, images.store)
    if limits.keep:
        keep(images, "median", images.metadata, grid, median)
    planes = blot_planes(images, limits)

    def test(i: int) -> None:
        exposure, model = images.exposures[i], seen_by(pixmaps[i], median)
        if planes:
            planes[i].write(slice(None), model)
        data, err = compared(exposure, limits)
        mark(exposure, *find_outliers(data, model, err, snr=limits.snr, scale=limits.scale))

    in_threads(test, range(len(images.exposures)))


def flag_pixel_by_pixel(images: ImageSet, how: "Drizzling", limits: Limits) -> None:
    """Compare each exposure with the median of the same detector pixels.

    The same pixels see the same sky: there is no slope to allow for, and one pass.

    Raises
    ------
    InputError
        If the exposures differ in shape.
    """
    from calwebb_level3.imaging.model_sky import beyond_noise, pixel_median

    shapes = sorted({exposure.shape for exposure in images.exposures})
    if len(shapes) > 1:
        msg = f"resample_data = false needs exposures of one shape; found {shapes}"
        raise InputError(msg)
    levels = [level_to_subtract(exposure) for exposure in images.exposures]
    median = pixel_median(images.exposures, levels, how, images.store)
    if limits.keep:
        keep(images, "median", images.metadata, images.exposures[0].wcs, median)

    def test(exposure: Exposure) -> None:
        data, err = compared(exposure, limits)
        mark(exposure, *beyond_noise(data, median.read(), err, limits.snr[0]))

    in_threads(test, images.exposures)


def keep(images: ImageSet, suffix: str, metadata: Any, wcs: Any, plane: Any) -> None:
    """Have an image written beside the products."""
    from calwebb_core.framework.exposures import StoredImage

    picture = StoredImage(metadata.copy(), wcs, plane.shape, {"data": plane})
    images.pictures.append((suffix, picture))


def blot_planes(images: ImageSet, limits: Limits) -> list[Any]:
    """Return planes for what the exposures see of the median; none if they aren't kept."""
    if not limits.keep:
        return []
    planes = [images.store.plane(exposure.shape, np.float32) for exposure in images.exposures]
    for exposure, plane in zip(images.exposures, planes, strict=True):
        keep(images, "blot", exposure.metadata, exposure.wcs, plane)
    return planes


def compared(exposure: Exposure, limits: Limits) -> tuple[Any, Any]:
    """Return SCI without its sky level, and ERR, float32 (ny, nx)."""
    data: Any = exposure.plane("data")
    known = exposure.metadata.get("BKGLEVEL") is not None and not exposure.metadata.get("BKGSUB")
    data -= np.float32(level_to_subtract(exposure) if known else limits.background)
    return data, exposure.plane("err")


def mark(exposure: Exposure, hits: Any, tested: int) -> None:
    """Mark the outliers of an exposure, unless they are unusable anyway, and say how many."""
    dq = exposure.plane("dq")
    chosen = hits > 0
    if dq is not None:
        chosen &= (dq & np.uint32(DO_NOT_USE)) == 0
    count = int(np.count_nonzero(chosen))
    fraction = count / tested if tested else 0.0
    logger.log(
        logging.WARNING if fraction > SUSPICIOUS_FRACTION else logging.INFO,
        "outlier_detection: %s: %d outliers, %.3f %% of %d tested pixels",
        exposure.name,
        count,
        100 * fraction,
        tested,
    )
    exposure.mark(chosen)


def warm() -> None:
    """Load the step's kernels and libraries."""
    from calwebb_level3.imaging.warming import warm_mosaic

    warm_mosaic()


STEP = Step(
    name="outlier_detection",
    keyword="S_OUTLIR",
    meaning="Flag what only one exposure of a place sees.",
    parameters=OutlierDetectionParameters,
    run=run,
    warm=warm,
)
