"""skymatch: levels that make the sky of overlapping exposures equal.

The zodiacal light and the telescope's glow differ between exposures; a mosaic of them shows
steps. ``match`` measures the difference of every pair of exposures in the cells of sky that
they share (`calwebb_level3.imaging.cells`) and solves for one level per exposure by least
squares; the detectors of one exposure share it. ``global`` takes the lowest sky of all
exposures from each, ``global+match`` does both, ``local`` measures each exposure by itself,
``user`` takes the levels of a file.

The level is written to BKGLEVEL (unit of SCI) with BKGMETH; BKGSUB says whether it was
subtracted here. Where it wasn't, outlier detection and resampling subtract it on the fly.
"""

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from calwebb_core.framework.errors import InputError
from calwebb_core.framework.exposures import Exposure
from calwebb_core.framework.parameters import option
from calwebb_core.framework.roots import root_of
from calwebb_core.framework.step import COMPLETE, Status, Step, skipped
from calwebb_level3.imageset import ImageSet

if TYPE_CHECKING:
    from calwebb_level3.imaging.sky import Statistic

logger = logging.getLogger(__name__)

METHODS = ("match", "global", "global+match", "local", "user")
Levels = np.ndarray[Any, np.dtype[np.float64]]


@dataclass(frozen=True)
class SkymatchParameters:
    """Options of skymatch; names as in the official step."""

    skymethod: str = option("match", "How levels are found.", choices=METHODS)
    match_down: bool = option(True, "Match to the lowest sky, not to the highest.")
    subtract: bool = option(False, "Subtract the levels from SCI.")
    skylist: str = option(
        "", "File of exposure names and levels, for the method 'user'.", names_file=True
    )
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
    if parameters.skymethod == "user":
        label(images.exposures, user_levels(images), parameters)
        return images, COMPLETE
    groups = list(images.groups().values())
    if len(groups) < 2 and parameters.skymethod == "match":
        label(images.exposures, {}, parameters)
        return images, skipped("one exposure: there is none to match it with")
    levels = find_levels(images.exposures, groups, parameters)
    if not np.isfinite(levels).any():
        label(images.exposures, {}, parameters)
        return images, skipped("no level could be measured: too few good pixels in common")
    chosen = {i: float(levels[g]) for g, members in enumerate(groups) for i in members}
    label(images.exposures, chosen, parameters)
    return images, COMPLETE


def find_levels(
    exposures: list[Exposure], groups: list[list[int]], parameters: SkymatchParameters
) -> Levels:
    """Return the level of each group, NaN where it is unknown."""
    from calwebb_level3.imaging.sky import anchor, solve

    matched = np.zeros(len(groups))
    if "match" in parameters.skymethod:
        differences = measure_differences(exposures, groups, parameters)
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
    own = own_levels(exposures, groups, parameters) - matched
    if parameters.skymethod == "local" or not np.isfinite(own).any():
        return own
    return matched + float(np.nanmin(own))


def measure_differences(
    exposures: list[Exposure], groups: list[list[int]], parameters: SkymatchParameters
) -> Any:
    """Return the level differences of all pairs of groups in the areas they share."""
    from calwebb_core.framework.threads import in_threads
    from calwebb_level3.imaging import cells

    statistic = statistic_of(parameters)
    vectors = [cells.directions(exposure) for exposure in exposures]
    frame = cells.common_frame(vectors)
    measured = in_threads(
        lambda i: cells.measure(exposures[i], vectors[i], frame, statistic, parameters.dqbits),
        range(len(exposures)),
    )
    group_of = {i: g for g, members in enumerate(groups) for i in members}
    members = [group_of[i] for i in range(len(exposures))]
    return cells.differences(measured, members, statistic)


def own_levels(
    exposures: list[Exposure], groups: list[list[int]], parameters: SkymatchParameters
) -> Levels:
    """Return each group's level from all of its pixels; NaN where unknown."""
    from calwebb_core.framework.threads import in_threads
    from calwebb_core.science.weights import good_mask

    statistic = statistic_of(parameters)

    def level(exposure: Exposure) -> tuple[float, int]:
        data, dq = exposure.plane("data"), exposure.plane("dq")
        assert data is not None  # noqa: S101 - every exposure has SCI
        return statistic.level(
            data.ravel() if dq is None else data[good_mask(dq, parameters.dqbits)]
        )

    found = np.array(in_threads(level, exposures))
    result = np.full(len(groups), np.nan)
    for group, members in enumerate(groups):
        levels, counts = found[members].T
        known = np.isfinite(levels)
        if known.any():
            result[group] = np.average(levels[known], weights=counts[known])
    return result


def user_levels(images: ImageSet) -> dict[int, float]:
    """Return the levels that the user gives, by index of the exposure.

    Raises
    ------
    InputError
        If there are none, or none for one of the exposures.
    """
    if not images.sky_levels:
        msg = "skymatch.skymethod is 'user' but there are no levels; give them with skylist"
        raise InputError(msg)
    result = {}
    for i, exposure in enumerate(images.exposures):
        root = root_of(exposure.metadata)
        if root not in images.sky_levels:
            msg = (
                f"{exposure.name}: skymatch.skylist has no level for it; expected a line with "
                f"'{root}' and a number"
            )
            raise InputError(msg)
        result[i] = images.sky_levels[root]
    return result


def statistic_of(parameters: SkymatchParameters) -> "Statistic":
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


def label(
    exposures: list[Exposure], levels: dict[int, float], parameters: SkymatchParameters
) -> None:
    """Write the keywords, and subtract where asked; an unknown level counts as 0."""
    for i, exposure in enumerate(exposures):
        level = levels.get(i, 0.0)
        if not np.isfinite(level):
            logger.warning(
                "skymatch: %s has too few good pixels; its level is taken as 0", exposure.name
            )
            level = 0.0
        if parameters.subtract:
            exposure.subtract(level)
        exposure.metadata["BKGMETH"] = parameters.skymethod
        exposure.metadata["BKGLEVEL"] = level
        exposure.metadata["BKGSUB"] = bool(parameters.subtract)
        logger.info("skymatch: %s: sky level %.6g", exposure.name, level)


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
