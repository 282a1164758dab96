"""tweakreg: align exposures with one another, and with a catalog, by their stars.

The guide-star catalog, the fine guidance and the roll leave errors of up to 0.1 arcsec
between exposures. Stars are found in each exposure; exposures that overlap are matched in a
tangent plane and moved by a shift and a small rotation (`calwebb_level3.imaging.alignment`).
The detectors of one exposure move together. With `abs_refcat` all exposures are then moved as
one onto that catalog, a file or the stars of Gaia at the epoch of the exposures; without it the
exposure that shares most stars with the others defines the frame.

A correction that can't be right (larger than the search radius, rotated by more than
`maximum_rotation`, too few stars) is refused and the exposure keeps its WCS, with a warning.
The step is skipped if there is a single exposure and no catalog, or too few stars.
"""

import logging
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from calwebb_core.framework.exposures import Exposure
from calwebb_core.framework.parameters import option
from calwebb_core.framework.step import COMPLETE, Status, Step, skipped
from calwebb_core.framework.threads import in_threads
from calwebb_level3.imageset import ImageSet, usable_pixels

if TYPE_CHECKING:
    from calwebb_core.science.world import World
    from calwebb_level3.imaging.alignment import Pointing
    from calwebb_level3.imaging.finders import Finder
    from calwebb_level3.imaging.star_matching import Matching, Outcome
    from calwebb_level3.imaging.stars import Stars

logger = logging.getLogger(__name__)

# The archive of the European Space Agency.
SERVICE = "https://gea.esac.esa.int/tap-server/tap"

FINDERS = ("iraf", "dao", "segmentation")
FORMATS = ("ecsv", "fits")
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

    save_catalogs: bool = option(False, "Write the stars of each exposure.")
    use_custom_catalogs: bool = option(False, "Take stars from the catalogs listed in catfile.")
    catalog_format: str = option("ecsv", "Format of the catalogs written.", choices=FORMATS)
    catfile: str = option(
        "", "List of exposures and their catalogs, two names a line.", names_file=True
    )
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
    abs_refcat: str = option(
        "",
        "What to align to: a file with columns RA, DEC, or GAIAREFCAT, GAIADR3, GAIADR2, GAIADR1; "
        "nothing if empty.",
        names_file=True,
    )
    save_abs_catalog: bool = option(False, "Write the catalog that was aligned to.")
    abs_service: str = option(SERVICE, "Address (TAP) of the archive with the Gaia catalogs.")
    abs_timeout: float = option(30.0, "Longest wait for that archive.", minimum=1, unit="s")
    abs_minobj: int = option(5, "As minobj, for the catalog.", minimum=1)
    abs_fitgeometry: str = option("rshift", "As fitgeometry, for the catalog.", choices=GEOMETRIES)
    abs_nclip: int = option(3, "As nclip, for the catalog.", minimum=0)
    abs_sigma: float = option(3.0, "As sigma, for the catalog.", minimum=0)
    abs_searchrad: float = option(6.0, "As searchrad, for the catalog.", minimum=0, unit="arcsec")
    abs_use2dhist: bool = option(True, "As use2dhist, for the catalog.")
    abs_separation: float = option(0.5, "As separation, for the catalog.", unit="arcsec")
    abs_tolerance: float = option(0.2, "As tolerance, for the catalog.", minimum=0, unit="arcsec")
    sip_approx: bool = option(True, "Renew the FITS approximation of the WCS in the header.")
    sip_max_pix_error: float = option(
        0.01, "Greatest error of that approximation.", minimum=1e-6, unit="pixel"
    )
    sip_degree: int | None = option(
        None, "Degree of the polynomial; the lowest that fits by default.", minimum=1, maximum=6
    )
    sip_max_inv_pix_error: float = option(
        0.01, "Greatest error of the inverse polynomial.", minimum=1e-6, unit="pixel"
    )
    sip_inv_degree: int | None = option(
        None, "Degree of the inverse polynomial.", minimum=1, maximum=6
    )
    sip_npoints: int = option(12, "Points per axis of the fit.", minimum=3)


def run(
    images: ImageSet,
    references: Any,  # noqa: ARG001
    parameters: TweakregParameters,
) -> tuple[ImageSet, Status]:
    """Align the exposures of a set; their WCS, S_REGION and FITS WCS keywords are replaced.

    Parameters
    ----------
    images : ImageSet
        `reference_catalog` and `custom_stars` are used when there are any; `tables` gets the
        stars of the exposures if they are to be saved.
    references : None
    parameters : TweakregParameters
    """
    images.require_exposures("tweakreg")
    if len(images.groups()) < 2 and images.reference_catalog is None:
        if parameters.save_catalogs:
            keep_stars(images, find_all(images, parameters), parameters)
        return images, skipped("one exposure, and no catalog (abs_refcat) to align it to")
    stars = find_all(images, parameters)
    pointings = find_pointings(images, stars, parameters)
    moved = bool(pointings) and align(images, pointings, parameters)
    if parameters.save_catalogs:
        keep_stars(images, stars, parameters)
    if moved:
        return images, COMPLETE
    if pointings:
        return images, skipped("no exposure could be aligned; see the log")
    reason = f"no exposure has {parameters.minobj} stars (minobj)"
    logger.warning("tweakreg: %s; the WCS stay as they are", reason)
    return images, skipped(reason)


def find_all(images: ImageSet, parameters: TweakregParameters) -> "list[Stars]":
    """Return the stars of all exposures, the user's where there are any."""

    def find(index: int) -> "Stars":
        if index in images.custom_stars:
            return brightest(images.custom_stars[index], parameters)
        return find_in(images.exposures[index], parameters)

    stars = in_threads(find, range(len(images.exposures)))
    for exposure, found in zip(images.exposures, stars, strict=True):
        logger.info("tweakreg: %s: %d stars", exposure.name, len(found))
    return stars


def brightest(stars: "Stars", parameters: TweakregParameters) -> "Stars":
    """Return the brightest stars of a catalog, as many as are wanted."""
    return stars[np.argsort(-stars.flux, kind="stable")[: parameters.brightest]]


def keep_stars(images: ImageSet, stars: "list[Stars]", parameters: TweakregParameters) -> None:
    """Put the stars of all exposures among the tables to be written, with their new places."""
    from calwebb_level3.imaging.reference_catalogs import star_table, table_name

    for exposure, found in zip(images.exposures, stars, strict=True):
        name = table_name(exposure, parameters.catalog_format)
        images.tables[name] = star_table(found, exposure)


def find_pointings(
    images: ImageSet, stars: "list[Stars]", parameters: TweakregParameters
) -> "dict[int, Pointing]":
    """Return the pointings, by index, of the groups that have enough stars."""
    from calwebb_level3.imaging.alignment import Pointing
    from calwebb_level3.imaging.correction import as_world
    from calwebb_level3.imaging.psf import arcsec_per_pixel

    result: dict[int, Pointing] = {}
    for group, members in images.groups().items():
        count = sum(len(stars[i]) for i in members)
        if count < parameters.minobj:
            logger.warning(
                "tweakreg: exposure %s has %d stars, fewer than minobj = %d; it isn't moved",
                group,
                count,
                parameters.minobj,
            )
            continue
        for i in members:
            exposure = images.exposures[i]
            wcs = as_world(exposure.wcs, exposure.metadata)
            scale = arcsec_per_pixel(wcs, exposure.shape)
            result[i] = Pointing(wcs, exposure.metadata, stars[i], group, scale)
    return result


def find_in(exposure: Exposure, parameters: TweakregParameters) -> "Stars":
    """Return the stars of one exposure."""
    from calwebb_level3.imaging.stars import Stars, find_stars

    data, err = exposure.plane("data"), exposure.plane("err")
    if data is None:
        return Stars.none()
    good = usable_pixels(data, exposure.plane("dq"))
    return find_stars(data, err, good, make_finder(exposure, parameters))


def make_finder(exposure: Exposure, parameters: TweakregParameters) -> "Finder":
    """Return how the stars of an exposure are found."""
    from calwebb_level3.imaging.finders import Finder
    from calwebb_level3.imaging.psf import seen_width, star_width

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


def align(
    images: ImageSet, pointings: "dict[int, Pointing]", parameters: TweakregParameters
) -> bool:
    """Align relative, then absolute; put the new WCS in the exposures; say if any was moved."""
    from calwebb_level3.imaging.alignment import align_absolute, align_relative
    from calwebb_level3.imaging.placing import place
    from calwebb_level3.imaging.star_matching import Positions

    wcses, outcomes = align_relative(list(pointings.values()), relative_matching(parameters))
    moved = report({f"exposure {group}": outcome for group, outcome in outcomes.items()})
    if images.reference_catalog is not None:
        aligned = [replace(p, wcs=w) for p, w in zip(pointings.values(), wcses, strict=True)]
        catalog = Positions.of_table(images.reference_catalog)
        matching = absolute_matching(parameters)
        wcses, found = align_absolute(aligned, outcomes, catalog, matching)
        moved |= report({f"{name} to the catalog": outcome for name, outcome in found.items()})

    def put(pair: "tuple[int, World]") -> None:
        place(images.exposures[pair[0]], pair[1], parameters)

    in_threads(put, zip(pointings, wcses, strict=True))
    return moved


def report(outcomes: "dict[str, Outcome]") -> bool:
    """Log what became of the alignments; say if any moved something."""
    for name, outcome in outcomes.items():
        level = logging.WARNING if outcome.status == "failed" else logging.INFO
        logger.log(level, "tweakreg: %s: %s", name, outcome)
    return any(outcome.status == "aligned" for outcome in outcomes.values())


def relative_matching(parameters: TweakregParameters) -> "Matching":
    """Return the options of the relative alignment."""
    from calwebb_level3.imaging.star_matching import Matching

    names = Matching.__dataclass_fields__
    return Matching(**{name: getattr(parameters, name) for name in names})


def absolute_matching(parameters: TweakregParameters) -> "Matching":
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
