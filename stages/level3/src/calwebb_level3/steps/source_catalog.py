"""source_catalog: find the sources of a mosaic and measure them.

Background (clipped medians of boxes), matched filter of the width of a star, threshold in
units of the filtered image's own noise, deblending (`calwebb_level3.imaging.detection`);
windowed centroids, fluxes in the apertures that the APCORR reference gives for 30, 50 and 70 %
encircled energy, the last one corrected to the total, AB and Vega magnitudes (ABVEGAOFFSET),
concentrations, shapes (`calwebb_level3.imaging.catalog`). Fluxes are in Jy, which needs
MJy/sr and PIXAR_SR.

Without an APCORR reference (N/A) typical radii are used and the total flux is NaN; without
ABVEGAOFFSET Vega magnitudes are NaN: both with a warning. Where there is no source, as in an
empty background field, the catalog has no rows, with a warning.
"""

import logging
import math
import tempfile
from dataclasses import dataclass
from typing import Any

import numpy as np

from calwebb_core.framework.atomic import reserve
from calwebb_core.framework.errors import InputError, ReferenceFileError
from calwebb_core.framework.exposures import Exposure, StoredImage
from calwebb_core.framework.models import Segmentation
from calwebb_core.framework.parameters import option
from calwebb_core.framework.step import COMPLETE, Status, Step, skipped
from calwebb_level3.imageset import ImageSet

logger = logging.getLogger(__name__)

# Drizzling convolves with the input and the output pixel: their variances, 1/12 each.
DRIZZLE_FWHM = 2.3548 * math.sqrt(2.0 / 12.0)
# Pixels from which on the map of segments is kept in a file.
LARGE = 25_000_000
STAR_EXCESS = 1.1
OFFICIAL_LIMITS = (2.0, 1.8)


@dataclass(frozen=True)
class SourceCatalogParameters:
    """Options of source_catalog; names as in the official step."""

    aperture_ee1: int = option(30, "Encircled energy of the first aperture.", unit="percent")
    aperture_ee2: int = option(50, "Encircled energy of the second aperture.", unit="percent")
    aperture_ee3: int = option(70, "Encircled energy of the third aperture.", unit="percent")
    ci1_star_threshold: float | None = option(
        None, "Greatest second over first flux of a star; from the aperture corrections if empty."
    )
    ci2_star_threshold: float | None = option(
        None, "Greatest third over second flux of a star; from the aperture corrections if empty."
    )
    snr_threshold: float = option(4.5, "Threshold over the noise of the filtered image.", minimum=0)
    bkg_boxsize: int = option(200, "Side of the background's boxes.", minimum=10, unit="pixel")
    kernel_fwhm: float | None = option(
        None, "Width of a star; from the filter if empty.", minimum=0.5, unit="pixel"
    )
    npixels: int = option(5, "Least pixels of a source.", minimum=1, unit="pixel")
    connectivity: int = option(8, "Neighbours of a pixel in a source, 4 or 8.", minimum=4)
    contrast: float = option(0.001, "Least share of a blend.", minimum=0, maximum=1)
    localbkg_width: int = option(
        0, "Width of the annulus around segments; none if 0.", minimum=0, unit="pixel"
    )
    deblend: bool = option(True, "Separate overlapping sources.")


def run(
    images: ImageSet, references: Any, parameters: SourceCatalogParameters
) -> tuple[ImageSet, Status]:
    """Make the catalog and the segmentation map of a set's mosaic."""
    from calwebb_level3.imaging.measuring import catalogued
    from calwebb_level3.imaging.pixels import Pixels

    mosaic = images.mosaic
    if mosaic is None:
        return images, skipped("there is no mosaic: resample did not run")
    jansky = jansky_per_pixel(mosaic)
    how = detection(mosaic, parameters)
    apertures = apertures_for(mosaic, references, parameters, how.fwhm)
    segments = segments_of(mosaic.shape, images)
    measured = catalogued(Pixels.of_mosaic(mosaic), how, apertures, segments)
    if measured is None:
        logger.warning("source_catalog: no source in %s", images.product)
    fill(images, (measured, segments), apertures, references, parameters, jansky)
    logger.info("source_catalog: %d sources", 0 if measured is None else len(images.catalog or ()))
    return images, COMPLETE


def detection(mosaic: StoredImage | Exposure, parameters: SourceCatalogParameters) -> Any:
    """Return how sources are found."""
    from calwebb_level3.imaging.detection import Detection

    return Detection(
        star_width_of(mosaic, parameters),
        parameters.snr_threshold,
        parameters.npixels,
        parameters.connectivity,
        parameters.contrast,
        parameters.deblend,
        parameters.bkg_boxsize,
        parameters.localbkg_width,
    )


def segments_of(shape: tuple[int, int], images: ImageSet) -> Any:
    """Return zeros for the map of segments, int32: in a file for large mosaics."""
    if shape[0] * shape[1] <= LARGE:
        return np.zeros(shape, np.int32)
    with tempfile.TemporaryFile(dir=images.store.folder) as file:
        # touching a page for which the disk has no room would end the process
        reserve(file.fileno(), 4 * shape[0] * shape[1])
        return np.memmap(file, np.int32, "r+", shape=shape)


def jansky_per_pixel(mosaic: StoredImage | Exposure) -> float:
    """Return Jy per unit of a pixel.

    Raises
    ------
    InputError
        If the mosaic isn't in MJy/sr or PIXAR_SR is missing.
    """
    unit = mosaic.metadata.get("BUNIT")
    if unit != "MJy/sr":
        msg = f"{mosaic.metadata.source}: BUNIT is {unit!r}; source_catalog needs MJy/sr"
        raise InputError(msg)
    area = mosaic.metadata.require("PIXAR_SR", float)
    if not area > 0:
        msg = f"{mosaic.metadata.source}: PIXAR_SR is {area}; expected a positive solid angle"
        raise InputError(msg)
    return 1e6 * area


def star_width_of(mosaic: StoredImage | Exposure, parameters: SourceCatalogParameters) -> float:
    """Return the full width at half maximum of a drizzled star in pixels."""
    from calwebb_level3.imaging.psf import star_width

    if parameters.kernel_fwhm is not None:
        return parameters.kernel_fwhm
    width = star_width(mosaic.metadata, mosaic.wcs, mosaic.shape)
    return math.hypot(width, DRIZZLE_FWHM)


def fill(
    images: ImageSet,
    result: tuple[Any, Any],
    apertures: Any,
    references: Any,
    parameters: SourceCatalogParameters,
    jansky: float,
) -> None:
    """Put catalog and segmentation map of measured sources, or of none, in the set."""
    from calwebb_level3.imaging.catalog import Calibration, make_catalog
    from calwebb_level3.imaging.warming import example_catalog

    measured, segments = result
    mosaic = images.mosaic
    assert mosaic is not None  # noqa: S101 - run has looked
    vega = vega_offset_for(mosaic, references)
    limits = star_limits(parameters, apertures)
    calibration = Calibration(jansky, vega, limits)
    if measured is None:
        table = example_catalog(apertures, calibration)[:0]
    else:
        table = make_catalog(measured, mosaic.wcs, apertures=apertures, calibration=calibration)
    table.meta["aperture_params"] = {
        "aperture_ee": list(apertures.energies),
        "aperture_radii": list(apertures.radii),
        "aperture_corrections": [
            None if math.isnan(value) else value for value in apertures.corrections
        ],
        "bkg_aperture_inner_radius": apertures.sky[0],
        "bkg_aperture_outer_radius": apertures.sky[1],
    }
    table.meta["abvega_offset"] = None if math.isnan(vega) else vega
    images.catalog = table
    table.meta["star_thresholds"] = list(limits)
    saturated = () if measured is None else table["label"][measured.saturated]
    table.meta["saturated"] = [int(label) for label in saturated]
    segments = segments if measured is None else measured.found.segments
    metadata = mosaic.metadata.copy()
    images.segmentation = Segmentation(metadata, segments.view(np.uint32), mosaic.wcs)


def star_limits(parameters: SourceCatalogParameters, apertures: Any) -> tuple[float, float]:
    """Return the greatest concentrations of a star.

    By default somewhat above what the aperture corrections say of a star; the official ones
    without corrections.
    """
    corrections = apertures.corrections
    usual = (corrections[0] / corrections[1], corrections[1] / corrections[2])
    given = (parameters.ci1_star_threshold, parameters.ci2_star_threshold)
    chosen = [
        limit if limit is not None else fallback if math.isnan(ratio) else STAR_EXCESS * ratio
        for limit, fallback, ratio in zip(given, OFFICIAL_LIMITS, usual, strict=True)
    ]
    return chosen[0], chosen[1]


def apertures_for(
    mosaic: StoredImage | Exposure,
    references: Any,
    parameters: SourceCatalogParameters,
    fwhm: float,
) -> Any:
    """Return the apertures of the APCORR reference, or typical ones with a warning."""
    from calwebb_level3.imaging.aperture_reference import find_apertures, typical_apertures

    energies = (parameters.aperture_ee1, parameters.aperture_ee2, parameters.aperture_ee3)
    reference = references.load("apcorr", mosaic.metadata, cutout=False)
    if reference is not None:
        table = reference.tables.get("APCORR")
        if table is None:
            msg = f"{reference.name}: has no table APCORR; expected an aperture correction file"
            raise ReferenceFileError(msg)
        ratio = float(mosaic.metadata.get("PXSCLRT") or 1.0)
        found = find_apertures(table.data, mosaic.metadata, energies, ratio)
        if found is not None:
            return found
    keys = ", ".join(
        f"{key} {mosaic.metadata.get(key)}"
        for key in ("INSTRUME", "FILTER", "PUPIL", "SUBARRAY")
        if mosaic.metadata.get(key)
    )
    logger.warning(
        "source_catalog: %s for %s; typical apertures are used and total fluxes are NaN",
        "no APCORR reference" if reference is None else f"{reference.name} has no row",
        keys,
    )
    return typical_apertures(fwhm, energies)


def vega_offset_for(mosaic: StoredImage | Exposure, references: Any) -> float:
    """Return AB minus Vega magnitude, NaN if it is unknown."""
    from calwebb_level3.imaging.aperture_reference import find_vega_offset

    reference = references.load("abvegaoffset", mosaic.metadata, cutout=False)
    return find_vega_offset(None if reference is None else reference.tree, mosaic.metadata)


def warm() -> None:
    """Load the step's kernels and libraries."""
    from calwebb_level3.imaging.warming import warm_catalog

    warm_catalog()


STEP = Step(
    name="source_catalog",
    keyword="S_SRCCAT",
    meaning="Find and measure the sources of the mosaic.",
    parameters=SourceCatalogParameters,
    run=run,
    references=("apcorr", "abvegaoffset"),
    warm=warm,
)
