"""skymatch: levels that make the sky of overlapping exposures equal.

The zodiacal light and the telescope's glow differ between exposures; a mosaic of them shows
steps. ``match`` measures the level of every pair of exposures in the area they share and
solves for one level per exposure by least squares; the detectors of one exposure share it.
``global`` takes the lowest sky of all exposures from each, ``global+match`` does both,
``local`` measures each exposure by itself.

The level is written to BKGLEVEL (unit of SCI) with BKGMETH; BKGSUB says whether it was
subtracted here. Where it wasn't, outlier detection and resampling subtract it on the fly.
"""

import logging
from dataclasses import dataclass
from typing import Any

import numpy as np

from calwebb_core.framework.parameters import option
from calwebb_core.framework.step import COMPLETE, Status, Step, skipped
from calwebb_level3.imageset import ImageSet

logger = logging.getLogger(__name__)

METHODS = ("match", "global", "global+match", "local")


@dataclass(frozen=True)
class SkymatchParameters:
    """Options of skymatch; names as in the official step."""

    skymethod: str = option("match", "How levels are found.", choices=METHODS)
    match_down: bool = option(True, "Match to the lowest sky, not to the highest.")
    subtract: bool = option(False, "Subtract the levels from SCI.")
    skystat: str = option(
        "median", "Statistic of a sky level.", choices=("median", "mode", "mean", "midpt")
    )
    dqbits: str = option("~DO_NOT_USE+NON_SCIENCE", "Flags of pixels to use nevertheless.")
    lower: float | None = option(None, "Leave out fainter pixels.", unit="MJy/sr")
    upper: float | None = option(None, "Leave out brighter pixels.", unit="MJy/sr")
    nclip: int = option(5, "Clipping iterations.", minimum=0)
    lsigma: float = option(4.0, "Clipping limit below.", minimum=0)
    usigma: float = option(4.0, "Clipping limit above.", minimum=0)
    binwidth: float = option(0.1, "Bins of the mode in standard deviations.", minimum=1e-3)


def run(
    images: ImageSet,
    references: Any,  # noqa: ARG001
    parameters: SkymatchParameters,
) -> tuple[ImageSet, Status]:
    """Find the sky level of each exposure; changes keywords, and SCI if `subtract` is set."""
    images.require_exposures("skymatch")
    groups = list(images.groups().values())
    if len(groups) < 2 and parameters.skymethod == "match":
        label(images, {}, parameters)
        return images, skipped("one exposure: there is none to match it with")
    levels = find_levels(images, groups, parameters)
    if not np.isfinite(levels).any():
        label(images, {}, parameters)
        return images, skipped("no level could be measured: too few good pixels in common")
    chosen = {i: float(levels[g]) for g, members in enumerate(groups) for i in members}
    label(images, chosen, parameters)
    return images, COMPLETE


def find_levels(
    images: ImageSet, groups: list[list[int]], parameters: SkymatchParameters
) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Return the level of each group, NaN where it is unknown."""
    from calwebb_level3.imaging.sky import anchor, own_levels, solve

    matched = np.zeros(len(groups))
    statistic = statistic_of(parameters)
    masks = good_masks(images, parameters.dqbits)
    if "match" in parameters.skymethod:
        differences = measure_overlaps(images, groups, masks, statistic)
        if not differences.rows():
            logger.warning("skymatch: no exposures overlap; their levels can't be matched")
            if parameters.skymethod == "match":
                return np.full(len(groups), np.nan)
        solution, linked = solve(differences, len(groups))
        if len(linked) > 1:
            logger.warning("skymatch: %d sets of exposures don't overlap each other", len(linked))
        matched = anchor(solution, linked, down=parameters.match_down)
    if parameters.skymethod == "match":
        return matched
    pixels = {
        g: [images.exposures[i].plane("data")[masks[i]] for i in members]
        for g, members in enumerate(groups)
    }
    own = own_levels(pixels, statistic, matched)
    if parameters.skymethod == "local" or not np.isfinite(own).any():
        return own
    return matched + float(np.nanmin(own))


def statistic_of(parameters: SkymatchParameters) -> Any:
    """Return how levels are measured."""
    from calwebb_level3.imaging.sky import Statistic

    return Statistic(
        parameters.skystat,
        parameters.nclip,
        parameters.lsigma,
        parameters.usigma,
        parameters.binwidth,
        parameters.lower,
        parameters.upper,
    )


def good_masks(images: ImageSet, dqbits: str) -> list[Any]:
    """Return the pixels of each exposure that count, bool (ny, nx)."""
    from calwebb_core.science.resample import good_mask

    result = []
    for image in images.exposures:
        good = np.isfinite(image.plane("data"))
        if image.has("dq"):
            good &= good_mask(image.plane("dq"), dqbits)
        result.append(good)
    return result


def measure_overlaps(
    images: ImageSet, groups: list[list[int]], masks: list[Any], statistic: Any
) -> Any:
    """Return the level differences of all pairs of groups in the areas they share."""
    from calwebb_level3.imaging.sky import Differences

    differences = Differences({})
    for first in range(len(groups)):
        for second in range(first + 1, len(groups)):
            for i in groups[first]:
                for j in groups[second]:
                    levels, weight = shared_levels(images, i, j, masks, statistic)
                    if weight > 0:
                        differences.add(first, second, levels[1] - levels[0], weight)
    return differences


def shared_levels(
    images: ImageSet, i: int, j: int, masks: list[Any], statistic: Any
) -> tuple[tuple[float, float], float]:
    """Return the levels of two exposures where they overlap, and the weight of the pair."""
    from calwebb_level3.imaging.sky import overlap

    measured = []
    for one, other in ((i, j), (j, i)):
        image, neighbour = images.exposures[one], images.exposures[other]
        both = overlap(image.wcs, image.shape, neighbour.wcs, neighbour.shape)
        measured.append(statistic.level(image.plane("data")[both & masks[one]]))
    (first, n_first), (second, n_second) = measured
    known = np.isfinite(first) and np.isfinite(second)
    return (first, second), float(min(n_first, n_second)) if known else 0.0


def label(images: ImageSet, levels: dict[int, float], parameters: SkymatchParameters) -> None:
    """Write the keywords, and subtract where asked; an unknown level counts as 0."""
    for i, image in enumerate(images.exposures):
        level = levels.get(i, 0.0)
        if not np.isfinite(level):
            logger.warning(
                "skymatch: %s has too few good pixels; its level is taken as 0",
                image.metadata.source,
            )
            level = 0.0
        if parameters.subtract:
            image.subtract(level)
        image.metadata["BKGMETH"] = parameters.skymethod
        image.metadata["BKGLEVEL"] = level
        image.metadata["BKGSUB"] = bool(parameters.subtract)
        logger.info("skymatch: %s: sky level %.6g", image.metadata.source, level)


def level_to_subtract(image: Any) -> float:
    """Return the sky level of an exposure that is still in its pixels."""
    if image.metadata.get("BKGSUB") or image.metadata.get("BKGLEVEL") is None:
        return 0.0
    return float(image.metadata["BKGLEVEL"])


STEP = Step(
    name="skymatch",
    keyword="S_SKYMAT",
    meaning="Find the sky level of each exposure.",
    parameters=SkymatchParameters,
    run=run,
)
