"""tso_photometry: the brightness of the star in every integration of a series of images.

The star is searched around the place where it was planned to be (XREF_SCI, YREF_SCI): the centre
of the light in a window of `search_box_width` pixels, then in one of `fit_box_width`. The median
over all integrations of all segments is the centre of the apertures (with `moving_centroid` each
integration's own). The flux in a circle of `radius` pixels less the mean of the ring between
`radius_inner` and `radius_outer` is the star's, in Jy by the pixels' nominal solid angle
(PIXAR_SR). No correction is made for light outside the circle. Images of several detectors, as
those of NIRCam's short channel beside a grism, are rows of one table with the detector's name.

An unusable pixel in the circle would take its light away; its median along time, scaled to the
star's brightness, stands in (`fill`). With ``fill = false`` such pixels are left out, as in the
official step.
"""

import logging
from dataclasses import dataclass, replace
from typing import Any

from calwebb_core.framework.errors import InputError
from calwebb_core.framework.parameters import option
from calwebb_core.framework.step import COMPLETE, Status, Step
from calwebb_level3.timeseries.lightcurve import Settings, measure
from calwebb_level3.timeseries.photometry import Aperture
from calwebb_level3.timeseries.series import TimeSeries

logger = logging.getLogger(__name__)
HEAD = {
    "instrument": "INSTRUME",
    "detector": "DETECTOR",
    "channel": "CHANNEL",
    "subarray": "SUBARRAY",
    "filter": "FILTER",
    "pupil": "PUPIL",
    "target_name": "TARGNAME",
}


@dataclass(frozen=True)
class TsoPhotometryParameters:
    """Options of tso_photometry; names as in the official step."""

    radius: float = option(3.0, "Radius of the circle, pixels.", minimum=0)
    radius_inner: float = option(4.0, "Inner radius of the background's ring, pixels.", minimum=0)
    radius_outer: float = option(5.0, "Outer radius of the background's ring, pixels.", minimum=0)
    centroid_source: bool = option(True, "Look for the star around its planned place.")
    search_box_width: int = option(41, "Width of the window to search it in, pixels.", minimum=3)
    fit_box_width: int = option(11, "Width of the window to centre it in, pixels.", minimum=3)
    moving_centroid: bool = option(False, "Move the apertures with the star.")
    fill: bool = option(True, "Estimate unusable pixels from other integrations.")


def run(
    series: TimeSeries,
    references: Any,  # noqa: ARG001
    parameters: TsoPhotometryParameters,
) -> tuple[TimeSeries, Status]:
    """Measure the star; the table is put in the series.

    Raises
    ------
    InputError
        As `settings_of`.
    """
    tables, filled = [], 0
    for own in on_detectors(series):
        table, count = measure(own, settings_of(own, parameters))
        tables.append((str(own.metadata.get("DETECTOR", "")), table))
        filled += count
    if filled:
        logger.warning(
            "tso_photometry: %d unusable pixels in the circle were estimated from others", filled
        )
    table = stacked(tables)
    table.meta.update({name: series.metadata.get(key) for name, key in HEAD.items()})
    table.meta["apertures"] = (
        f"Circle of r={parameters.radius} pixels; background is the mean of the ring between "
        f"{parameters.radius_inner} and {parameters.radius_outer} pixels."
    )
    series.photometry = table
    return series, COMPLETE


def on_detectors(series: TimeSeries) -> list[TimeSeries]:
    """Return the series of each detector, without those that the star is not on.

    One that is alone is kept.
    """
    parts = [
        replace(series, metadata=part.segments[0].metadata, segments=part.segments)
        for part in series.parts()
    ]
    seen = [own for own in parts if is_in_image(own)]
    if len(parts) < 2 or not seen:
        return parts
    for own in parts:
        if not is_in_image(own):
            logger.warning(
                "%s: the star's planned place (XREF_SCI, YREF_SCI) is not in the image; detector "
                "%s is left out",
                own.metadata.source, own.metadata.get("DETECTOR"),
            )  # fmt: skip
    return seen


def planned_place(series: TimeSeries) -> tuple[float, float]:
    """Return the pixel from 0 where the star should be."""
    metadata = series.metadata
    return metadata.require("XREF_SCI", float) - 1, metadata.require("YREF_SCI", float) - 1


def is_in_image(series: TimeSeries) -> bool:
    """Say whether the star should be in the image."""
    x, y = planned_place(series)
    _, ny, nx = series.segments[0].shape
    return 0 <= x <= nx - 1 and 0 <= y <= ny - 1


def stacked(tables: list[tuple[str, Any]]) -> Any:
    """Return the tables of detectors one below the other, with their names if there are several."""
    if len(tables) == 1:
        return tables[0][1]
    from astropy.table import vstack

    for name, table in tables:
        table["detector"] = [name] * len(table)
    return vstack([table for _, table in tables], metadata_conflicts="silent")


def settings_of(series: TimeSeries, parameters: TsoPhotometryParameters) -> Settings:
    """Return what is to be measured where.

    Raises
    ------
    InputError
        If the radii are in disorder, or the planned place is unknown or outside the image.
    """
    if not parameters.radius > 0 or not 0 <= parameters.radius_inner < parameters.radius_outer:
        msg = (
            f"tso_photometry: radius is {parameters.radius}, radius_inner "
            f"{parameters.radius_inner}, radius_outer {parameters.radius_outer}; expected a "
            "circle and a ring of some width"
        )
        raise InputError(msg)
    metadata = series.metadata
    x, y = planned_place(series)
    _, ny, nx = series.segments[0].shape
    if not is_in_image(series):
        msg = (
            f"{metadata.source}: XREF_SCI, YREF_SCI are {x + 1}, {y + 1}; expected a place in the "
            f"image of {nx} x {ny} pixels"
        )
        raise InputError(msg)
    to_jy = 1e6 * solid_angle(series)
    aperture = Aperture(parameters.radius, parameters.radius_inner, parameters.radius_outer)
    return Settings(
        (x, y),
        aperture,
        to_jy,
        parameters.centroid_source,
        parameters.search_box_width,
        parameters.fit_box_width,
        parameters.moving_centroid,
        parameters.fill,
    )


def solid_angle(series: TimeSeries) -> float:
    """Return the nominal solid angle of a pixel in steradian.

    Raises
    ------
    InputError
        If it is missing or not positive, or the images are not in MJy/sr.
    """
    metadata = series.metadata
    unit = metadata.require("BUNIT", str)
    if unit != "MJy/sr":
        msg = f"{metadata.source}: BUNIT is {unit}; expected MJy/sr: run calwebb-image2 first"
        raise InputError(msg)
    result = metadata.require("PIXAR_SR", float)
    if not result > 0:
        msg = f"{metadata.source}: PIXAR_SR is {result}; expected a positive solid angle"
        raise InputError(msg)
    return result


STEP = Step(
    name="tso_photometry",
    keyword="S_TSPHOT",
    meaning="Measure the brightness of the star in every integration.",
    parameters=TsoPhotometryParameters,
    run=run,
)
