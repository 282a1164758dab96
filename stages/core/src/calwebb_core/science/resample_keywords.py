"""Keywords of a resampled image: its grid, its exposure times and how it was made."""

import math
import re
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calwebb_core.framework.errors import InputError
from calwebb_core.framework.metadata import Metadata
from calwebb_core.science.footprint import footprint, s_region
from calwebb_core.science.output_grid import grid_keywords, output_pixel_area
from calwebb_core.science.transforms.sphere import FitsImage

Float64 = NDArray[np.float64]

ARCSEC2_PER_STERADIAN = math.degrees(1.0) ** 2 * 3600.0**2
# Detectors that expose together differ only in DETECTOR, and count as one exposure.
EXPOSURE_KEYWORDS = (
    "PROGRAM", "OBSERVTN", "VISIT", "VISITGRP", "SEQ_ID", "ACT_ID", "EXPOSURE", "EXSEGNUM",
)  # fmt: skip
SUMMED_KEYWORDS = ("XPOSURE", "EFFEXPTM", "TMEASURE", "DURATION", "TELAPSE")
# Of the detector's own geometry, which a tangent plane no longer has.
DETECTOR_KEYWORDS = re.compile(
    r"^(CD[12]_[12]|[AB]P?_\d_\d|[AB]P?_ORDER|[AB]_DMAX|SIPMXERR|SIPIVERR|V2_REF|V3_REF|RA_REF|"
    r"DEC_REF|ROLL_REF|V3I_YANG|VPARITY|LONPOLE|LATPOLE)$"
)


@dataclass
class Exposures:
    """What is remembered of the images that went into a mosaic."""

    count: int = 0
    groups: list[tuple[Any, ...]] = field(default_factory=list)
    totals: dict[str, float] = field(default_factory=dict)
    start: float | None = None
    end: float | None = None
    places: list[tuple[Any, tuple[int, ...]]] = field(default_factory=list)

    def scale_ratio(self, metadata: Metadata, output_wcs: Any) -> float:
        """Return the output over the input pixel scale, 1 where PIXAR_SR is absent."""
        area = metadata.get("PIXAR_SR")
        return math.sqrt(output_pixel_area(output_wcs) / area) if area else 1.0

    def add(self, image: Any) -> None:
        """Remember one exposure; times count once for detectors that expose together.

        Parameters
        ----------
        image : Exposure
        """
        self.count += 1
        if image.wcs is not None:
            self.places.append((image.wcs, image.shape))
        metadata = image.metadata
        group = tuple(metadata.get(key) for key in EXPOSURE_KEYWORDS)
        if group in self.groups and any(value is not None for value in group):
            return
        self.groups.append(group)
        for key in SUMMED_KEYWORDS:
            if metadata.get(key) is not None:
                self.totals[key] = self.totals.get(key, 0.0) + metadata.require(key, float)
        if metadata.get("EXPSTART") is not None:
            value = metadata.require("EXPSTART", float)
            self.start = value if self.start is None else min(self.start, value)
        if metadata.get("EXPEND") is not None:
            value = metadata.require("EXPEND", float)
            self.end = value if self.end is None else max(self.end, value)

    def keywords(self) -> dict[str, Any]:
        """Return the exposure keywords of the mosaic."""
        result: dict[str, Any] = dict(self.totals)
        if self.start is not None:
            result["EXPSTART"] = self.start
        if self.end is not None:
            result["EXPEND"] = self.end
        if self.start is not None and self.end is not None and len(self.groups) > 1:
            result["EXPMID"] = 0.5 * (self.start + self.end)
        result["NDRIZ"] = len(self.groups)
        return result


def product_keywords(
    metadata: Metadata,
    exposures: Exposures,
    wcs: Any,
    *,
    pixfrac: float,
    weight_type: str | None,
    pixel_scale_ratio: float,
) -> Metadata:
    """Return a copy of keywords with those of the resampled image set.

    Parameters
    ----------
    metadata : Metadata
        Keywords to start from.
    exposures : Exposures
        The images that were added.
    wcs : gwcs.WCS
        The output grid.
    pixfrac, weight_type, pixel_scale_ratio
        How it was drizzled: PIXFRAC, RESWHT, PXSCLRT.
    """
    result = metadata.copy()
    for key in [key for key in result if DETECTOR_KEYWORDS.match(key)]:
        del result[key]
    if isinstance(wcs.forward_transform, FitsImage):
        result.update(grid_keywords(wcs))
    area = output_pixel_area(wcs)
    result["PIXAR_SR"] = area
    result["PIXAR_A2"] = area * ARCSEC2_PER_STERADIAN
    result["S_REGION"] = combined_region(exposures, wcs)
    result.update(exposures.keywords())
    result["PIXFRAC"] = float(pixfrac)
    if weight_type is not None:
        result["RESWHT"] = weight_type
    elif "RESWHT" in result:
        del result["RESWHT"]
    result["PXSCLRT"] = float(pixel_scale_ratio)
    return result


def combined_region(exposures: Exposures, wcs: Any) -> str:
    """Return S_REGION: the input's own, or the convex hull of several inputs' corners."""
    nx, ny = wcs.pixel_shape
    if len(exposures.places) == 1:
        return s_region(*exposures.places[0])
    if not exposures.places:
        return s_region(wcs, (ny, nx))
    positions = np.concatenate([footprint(*place) for place in exposures.places])
    pixels = np.stack(wcs.backward_transform(*positions.T, with_bounding_box=False), axis=1)
    corners = positions[convex_hull(pixels)]
    return "POLYGON ICRS  " + " ".join(f"{value:.9f}" for value in corners.ravel())


def convex_hull(points: Float64) -> list[int]:
    """Return the indices of the convex hull's corners in order (Andrew 1979, IPL 9, 216).

    Raises
    ------
    InputError
        If there are fewer than three points.
    """
    if len(points) < 3:
        msg = f"{len(points)} points have no hull; expected at least 3"
        raise InputError(msg)
    order = [int(index) for index in np.lexsort((points[:, 1], points[:, 0]))]
    lower, upper = half_hull(points, order), half_hull(points, order[::-1])
    return lower[:-1] + upper[:-1]


def half_hull(points: Float64, order: list[int]) -> list[int]:
    """Return one side of the hull of points visited in order."""
    side: list[int] = []
    for index in order:
        while len(side) >= 2 and not turns_left(points[side[-2]], points[side[-1]], points[index]):
            side.pop()
        side.append(index)
    return side


def turns_left(first: Float64, second: Float64, third: Float64) -> bool:
    """Say whether the way over three points bends to the left."""
    a, b = second - first, third - second
    return bool(a[0] * b[1] - a[1] * b[0] > 0)
