"""tweakreg: align exposures with one another, and with a catalog, by their stars.

The guide-star catalog, the fine guidance and the roll leave errors of up to 0.1 arcsec
between exposures. Stars are found in each exposure; exposures that overlap are matched in a
tangent plane and moved by a shift and a small rotation (`calwebb_level3.imaging.alignment`).
The detectors of one exposure move together. With `abs_refcat` all exposures are then moved as
one onto that catalog; without it the first exposure's pointing defines the frame.

A correction that can't be right (larger than the search radius, rotated by more than
`maximum_rotation`, too few stars) is refused and the exposure keeps its WCS, with a warning.
The step is skipped if there is a single exposure and no catalog, or too few stars.
"""

import logging
from dataclasses import dataclass, replace
from typing import Any

from calwebb_core.framework.exposures import Exposure
from calwebb_core.framework.parameters import option
from calwebb_core.framework.step import COMPLETE, Status, Step, skipped
from calwebb_core.framework.threads import in_threads
from calwebb_core.science.footprint import s_region
from calwebb_level3.imageset import ImageSet, usable_pixels

logger = logging.getLogger(__name__)

FINDERS = ("iraf", "dao", "segmentation")
GEOMETRIES = ("shift", "rshift", "rscale", "general")
# What each star finder keeps when the user names no limits: (sharpness, roundness).
RANGES: dict[str, tuple[tuple[float, float], tuple[float, float]]] = {
    "iraf": ((0.5, 2.0), (0.0, 0.2)),
    "dao": ((0.2, 1.0), (-1.0, 1.0)),
    "segmentation": ((0.0, 1.0), (-1.0, 1.0)),
}


@dataclass(frozen=True)
class TweakregParameters:
    """Options of tweakreg; names as in the official step."""

    starfinder: str = option("iraf", "How stars are found.", choices=FINDERS)
    snr_threshold: float = option(10.0, "Peak of a star over the noise.", minimum=0)
    kernel_fwhm: float | None = option(
        None, "Width of a star; from the filter if empty.", minimum=0.5, unit="pixel"
    )
    bkg_boxsize: int = option(400, "Side of the background's boxes.", minimum=10, unit="pixel")
    sharplo: float | None = option(None, "Least sharpness; the finder's own if empty.")
    sharphi: float | None = option(None, "Greatest sharpness; the finder's own if empty.")
    roundlo: float | None = option(None, "Least roundness; the finder's own if empty.")
    roundhi: float | None = option(None, "Greatest roundness; the finder's own if empty.")
    sigma_radius: float = option(1.5, "Truncation of the finder's kernel.", minimum=0.5)
    minsep_fwhm: float = option(0.0, "Least distance of two stars in widths.", minimum=0)
    brightest: int | None = option(200, "Keep so many stars of an exposure.", minimum=3)
    peakmax: float | None = option(None, "Leave out stars with a brighter pixel.", unit="MJy/sr")
    npixels: int = option(5, "Least pixels of a segment.", minimum=1, unit="pixel")
    connectivity: int = option(8, "Neighbours of a pixel in a segment, 4 or 8.", minimum=4)
    contrast: float = option(0.001, "Least share of a blend.", minimum=0, maximum=1)
    expand_refcat: bool = option(True, "Let stars of aligned exposures join the reference.")
    minobj: int = option(5, "Fewest matched stars.", minimum=1)
    fitgeometry: str = option("rshift", "What is fitted.", choices=GEOMETRIES)
    nclip: int = option(3, "Clipping iterations of the fit.", minimum=0)
    sigma: float = option(3.0, "Clipping limit in units of the scatter.", minimum=0)
    searchrad: float = option(2.0, "Search radius.", minimum=0, unit="arcsec")
    use2dhist: bool = option(True, "Guess the shift from the histogram of pair offsets.")
    separation: float = option(0.5, "Leave out stars with a nearer neighbour.", unit="arcsec")
    tolerance: float = option(0.2, "Greatest distance of a match.", minimum=0, unit="arcsec")
    xoffset: float = option(0.0, "First guess without histogram.", unit="arcsec")
    yoffset: float = option(0.0, "First guess without histogram.", unit="arcsec")
    maximum_rotation: float = option(0.1, "Refuse larger rotations.", minimum=0, unit="degree")
    abs_refcat: str = option("", "File with columns RA, DEC to align to; none if empty.")
    abs_minobj: int = option(5, "As minobj, for the catalog.", minimum=1)
    abs_fitgeometry: str = option("rshift", "As fitgeometry, for the catalog.", choices=GEOMETRIES)
    abs_nclip: int = option(3, "As nclip, for the catalog.", minimum=0)
    abs_sigma: float = option(3.0, "As sigma, for the catalog.", minimum=0)
    abs_searchrad: float = option(6.0, "As searchrad, for the catalog.", minimum=0, unit="arcsec")
    abs_use2dhist: bool = option(True, "As use2dhist, for the catalog.")
    abs_separation: float = option(0.5, "As separation, for the catalog.", unit="arcsec")
    abs_tolerance: float = option(0.2, "As tolerance, for the catalog.", minimum=0, unit="arcsec")


def run(
    images: ImageSet,
    references: Any,  # noqa: ARG001
    parameters: TweakregParameters,
) -> tuple[ImageSet, Status]:
    """Align the exposures of a set; their WCS and S_REGION are replaced.

    Parameters
    ----------
    images : ImageSet
        `reference_catalog` is used when there is one.
    references : None
    parameters : TweakregParameters
    """
    images.require_exposures("tweakreg")
    groups = images.groups()
    catalog = images.reference_catalog
    if len(groups) < 2 and catalog is None:
        return images, skipped("one exposure, and no catalog (abs_refcat) to align it to")
    pointings = find_pointings(images, groups, parameters)
    if not pointings:
        reason = f"no exposure has {parameters.minobj} stars (minobj)"
        logger.warning("tweakreg: %s; the WCS stay as they are", reason)
        return images, skipped(reason)
    moved = align(images, pointings, parameters)
    if moved:
        return images, COMPLETE
    return images, skipped("no exposure could be aligned; see the log")


def find_pointings(
    images: ImageSet, groups: dict[str, list[int]], parameters: TweakregParameters
) -> dict[int, Any]:
    """Return the pointings, by index, of the groups that have enough stars."""
    from calwebb_level3.imaging.alignment import Pointing
    from calwebb_level3.imaging.correction import as_world

    def find(exposure: Exposure) -> Any:
        return find_in(exposure, parameters)

    found = in_threads(find, images.exposures)
    result: dict[int, Any] = {}
    for group, members in groups.items():
        stars = {i: found[i] for i in members}
        count = sum(map(len, stars.values()))
        if count < parameters.minobj:
            logger.warning(
                "tweakreg: exposure %s has %d stars, fewer than minobj = %d; it isn't moved",
                group,
                count,
                parameters.minobj,
            )
            continue
        for i, table in stars.items():
            image = images.exposures[i]
            wcs = as_world(image.wcs, image.metadata)
            result[i] = Pointing(wcs, image.metadata, table, group)
    return result


def find_in(exposure: Exposure, parameters: TweakregParameters) -> Any:
    """Return the stars of one exposure."""
    from calwebb_level3.imaging.stars import Stars, find_stars

    data, err = exposure.plane("data"), exposure.plane("err")
    if data is None:
        return Stars.none()
    good = usable_pixels(data, exposure.plane("dq"))
    stars = find_stars(data, err, good, make_finder(exposure, parameters))
    logger.info("tweakreg: %s: %d stars", exposure.name, len(stars))
    return stars


def make_finder(exposure: Exposure, parameters: TweakregParameters) -> Any:
    """Return how the stars of an exposure are found."""
    from calwebb_level3.imaging.psf import seen_width, star_width
    from calwebb_level3.imaging.stars import Finder

    optical = star_width(exposure.metadata, exposure.wcs, exposure.shape)
    fwhm = parameters.kernel_fwhm or seen_width(optical)
    sharpness, roundness = RANGES[parameters.starfinder]
    return Finder(
        parameters.starfinder,
        fwhm,
        snr_threshold=parameters.snr_threshold,
        sharpness=limits(parameters.sharplo, parameters.sharphi, sharpness),
        roundness=limits(parameters.roundlo, parameters.roundhi, roundness),
        sigma_radius=parameters.sigma_radius,
        separation=parameters.minsep_fwhm * fwhm,
        brightest=parameters.brightest,
        peakmax=parameters.peakmax,
        bkg_boxsize=parameters.bkg_boxsize,
        npixels=parameters.npixels,
        connectivity=parameters.connectivity,
        contrast=parameters.contrast,
        psf_fwhm=optical,
    )


def limits(
    low: float | None, high: float | None, default: tuple[float, float]
) -> tuple[float, float]:
    """Return a range, with the default where the user names no limit."""
    return (default[0] if low is None else low, default[1] if high is None else high)


def align(images: ImageSet, pointings: dict[int, Any], parameters: TweakregParameters) -> bool:
    """Align relative, then absolute; put the new WCS in the exposures; say if any was moved."""
    from calwebb_level3.imaging.alignment import Positions, align_group, align_relative

    wcses, outcomes = align_relative(list(pointings.values()), relative_matching(parameters))
    for group, outcome in outcomes.items():
        level = logging.WARNING if outcome.status == "failed" else logging.INFO
        logger.log(level, "tweakreg: exposure %s: %s", group, outcome)
    moved = any(outcome.status == "aligned" for outcome in outcomes.values())
    aligned = [replace(p, wcs=w) for p, w in zip(pointings.values(), wcses, strict=True)]
    if images.reference_catalog is not None:
        matching = absolute_matching(parameters)
        wcses, outcome = align_group(
            aligned, Positions.of_table(images.reference_catalog), matching
        )
        level = logging.WARNING if outcome.status == "failed" else logging.INFO
        logger.log(level, "tweakreg: all exposures to the catalog: %s", outcome)
        moved |= outcome.status == "aligned"
    for index, wcs in zip(pointings, wcses, strict=True):
        place(images, index, wcs)
    return moved


def place(images: ImageSet, index: int, wcs: Any) -> None:
    """Give an exposure a new WCS, and the keywords that follow from it."""
    image = images.exposures[index]
    if wcs is not image.wcs:
        image.wcs = wcs
        image.metadata["S_REGION"] = s_region(wcs, image.shape)


def relative_matching(parameters: TweakregParameters) -> Any:
    """Return the options of the relative alignment."""
    from calwebb_level3.imaging.alignment import Matching

    names = Matching.__dataclass_fields__
    return Matching(**{name: getattr(parameters, name) for name in names})


def absolute_matching(parameters: TweakregParameters) -> Any:
    """Return the options of the absolute alignment."""
    names = ("minobj", "fitgeometry", "nclip", "sigma", "searchrad", "use2dhist", "separation")
    values = {name: getattr(parameters, f"abs_{name}") for name in (*names, "tolerance")}
    return replace(relative_matching(parameters), **values)


STEP = Step(
    name="tweakreg",
    keyword="S_TWKREG",
    meaning="Align exposures by their stars.",
    parameters=TweakregParameters,
    run=run,
)
