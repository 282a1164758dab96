"""The grid of a resampled image: a tangent plane over the union of its inputs' footprints.

The tangent point is the middle of the box around all corners as unit vectors, the scale is
that of the first image at its pointing, and +y points at the position angle
ROLL_REF - VPARITY * V3I_YANG of the first image, so that the axes keep the detector's
directions; `rotation` sets the position angle of +y instead.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calwebb_core.framework.errors import InputError
from calwebb_core.framework.metadata import Metadata
from calwebb_core.science.footprint import (
    footprint,
    mean_pixel_area,
    sky,
    unit_vectors,
)
from calwebb_core.science.footprint import (
    pixel_scale as scale_at,
)
from calwebb_core.science.grid_checks import (
    LARGEST_GROWTH,
    check_growth,
    check_places,
)
from calwebb_core.science.transforms.sphere import FitsImage
from calwebb_core.science.world import Box, Frame, World

Float64 = NDArray[np.float64]


@dataclass(frozen=True)
class Grid:
    """Numbers of a tangent-plane grid.

    Attributes
    ----------
    crval : right ascension and declination of the tangent point, degrees
    crpix : 0-based pixel of the tangent point, (x, y)
    scale : degrees per pixel
    pc : rotation and parity, float64 (2, 2)
    shape : (ny, nx)
    """

    crval: tuple[float, float]
    crpix: tuple[float, float]
    scale: float
    pc: Float64
    shape: tuple[int, int]


def output_wcs(
    wcses: Sequence[Any],
    shapes: Sequence[tuple[int, ...]],
    *,
    reference: Metadata | None = None,
    pixel_scale: float | None = None,
    pixel_scale_ratio: float = 1.0,
    rotation: float | None = None,
    crval: tuple[float, float] | None = None,
    crpix: tuple[float, float] | None = None,
    output_shape: tuple[int, int] | None = None,
    names: Sequence[str] = (),
    largest_growth: float = LARGEST_GROWTH,
) -> World:
    """Return the tangent-plane WCS that holds all inputs: one FitsImage (TAN) with `pixel_shape`.

    Parameters
    ----------
    wcses : sequence of World or gwcs.WCS
        The first is the reference for scale and orientation.
    shapes : sequence of (..., ny, nx)
    reference : Metadata, optional
        Keywords of the first image, for scale and orientation; measured at its centre otherwise.
    pixel_scale, pixel_scale_ratio : float
        Arcsec per output pixel, or else how many times that of the first image.
    rotation : float, optional
        Position angle of the output's +y axis, degrees east of north.
    crval, crpix : pair of float, optional
        Sky position (degrees) and the 0-based (x, y) pixel it falls on.
    output_shape : (ny, nx), optional
        From the footprints otherwise.
    names, largest_growth
        Of the inputs for messages, and as in `calwebb_core.science.grid_checks.check_growth`.

    Raises
    ------
    InputError
        If there is no input, the scale is not positive, an exposure has no sensible place or
        pixel size, or the output would be absurdly large: the message names the exposure.
    """
    if not wcses or len(wcses) != len(shapes):
        msg = f"{len(wcses)} WCS and {len(shapes)} shapes given; expected one of each per image"
        raise InputError(msg)
    # nine decimals, as S_REGION has them: the grid follows from what the headers say
    corners = [footprint(*one).round(9) for one in zip(wcses, shapes, strict=True)]
    check_places(corners, shapes, names)
    centre = tuple(crval) if crval is not None else middle(np.concatenate(corners))
    scale = choose_scale(wcses[0], shapes[0], reference, pixel_scale, pixel_scale_ratio)
    pc = orientation(wcses[0], shapes[0], reference, rotation)
    grid = fit_grid(corners, (centre[0], centre[1]), scale, pc, crpix, output_shape)
    check_growth(grid.shape, corners, shapes, names, largest_growth)
    return grid_wcs(grid, wcses[0])


def middle(corners: Float64) -> tuple[float, float]:
    """Return the centre (degrees) of the box around positions taken as unit vectors."""
    vectors = unit_vectors(corners[:, 0], corners[:, 1])
    x, y, z = (vectors.max(axis=0) + vectors.min(axis=0)) / 2.0
    return math.degrees(math.atan2(y, x)) % 360.0, math.degrees(math.atan2(z, math.hypot(x, y)))


def choose_scale(
    wcs: Any,
    shape: tuple[int, ...],
    reference: Metadata | None,
    wanted_arcsec: float | None,
    ratio: float,
) -> float:
    """Return degrees per output pixel."""
    if wanted_arcsec is not None:
        scale = wanted_arcsec / 3600.0
    else:
        scale = ratio * input_scale(wcs, shape, reference)
    if not scale > 0 or not math.isfinite(scale):
        msg = f"the output pixel scale is {3600 * scale} arcsec; expected a positive number"
        raise InputError(msg)
    return scale


def scale_ratio(
    wcs: Any,
    shape: tuple[int, ...],
    reference: Metadata | None,
    pixel_scale: float | None,
    pixel_scale_ratio: float,
) -> float:
    """Return the output over the input pixel scale, both where the exposure points.

    PIXAR_SR is the area in the middle of the detector: distortion makes it another one, by up to
    some percent, where a subarray lies.
    """
    if pixel_scale is None:
        return pixel_scale_ratio
    return pixel_scale / 3600.0 / input_scale(wcs, shape, reference)


def input_scale(wcs: Any, shape: tuple[int, ...], reference: Metadata | None) -> float:
    """Return degrees per input pixel at its pointing, or at its centre without keywords."""
    if reference is not None and "RA_REF" in reference:
        return scale_at(wcs, *(reference.require(key, float) for key in ("RA_REF", "DEC_REF")))
    ra, dec = sky(wcs, (shape[-1] - 1) / 2.0, (shape[-2] - 1) / 2.0)
    return scale_at(wcs, float(ra), float(dec))


def orientation(
    wcs: Any, shape: tuple[int, ...], reference: Metadata | None, rotation: float | None
) -> Float64:
    """Return the PC matrix: columns are x and y steps, rows are east and north."""
    parity, angle = measured_orientation(wcs, shape)
    if reference is not None and "V3I_YANG" in reference:
        parity = -1 if reference.get("VPARITY", -1) < 0 else 1
        angle = reference.require("ROLL_REF", float) - parity * reference.require("V3I_YANG", float)
    if rotation is not None:
        angle = rotation
    cos, sin = math.cos(math.radians(angle)), math.sin(math.radians(angle))
    return np.array([[parity * cos, sin], [-parity * sin, cos]])


def measured_orientation(wcs: Any, shape: tuple[int, ...]) -> tuple[int, float]:
    """Return parity (-1 where east is to the left of north) and position angle of +y."""
    x, y = (shape[-1] - 1) / 2.0, (shape[-2] - 1) / 2.0
    ra, dec = sky(wcs, [x, x + 1.0, x], [y, y, y + 1.0])
    east = np.mod(ra[1:] - ra[0] + 180.0, 360.0) - 180.0
    east = east * math.cos(math.radians(float(dec[0])))
    north = dec[1:] - dec[0]
    parity = 1 if east[0] * north[1] - east[1] * north[0] > 0 else -1
    return parity, math.degrees(math.atan2(float(east[1]), float(north[1])))


def plane(sky_positions: Float64, crval: tuple[float, float], scale: float, pc: Float64) -> Float64:
    """Project positions (n, 2) in degrees to pixels (n, 2) about the tangent point."""
    transform = FitsImage(crpix=[0.0, 0.0], crval=crval, cdelt=[scale, scale], pc=pc)
    return np.stack(transform.inverse(*sky_positions.T), axis=1)


def fit_grid(
    corners: Sequence[Float64],
    crval: tuple[float, float],
    scale: float,
    pc: Float64,
    crpix: tuple[float, float] | None,
    output_shape: tuple[int, int] | None,
) -> Grid:
    """Place the grid so that the lowest corner falls on pixel 0 of both axes.

    Raises
    ------
    InputError
        If the resulting image would have no pixels.
    """
    pixels = plane(np.concatenate(corners), crval, scale, pc)
    offset = -pixels.min(axis=0) if crpix is None else np.asarray(crpix, float)
    upper = pixels.max(axis=0) + offset
    shape = output_shape or (int(upper[1] + 0.5), int(upper[0] + 0.5))
    if min(shape) < 2:
        msg = f"the output image would have shape {shape}; check crpix, crval and pixel_scale"
        raise InputError(msg)
    return Grid(crval, (float(offset[0]), float(offset[1])), scale, pc, (shape[0], shape[1]))


def grid_wcs(grid: Grid, like: Any) -> World:
    """Return the WCS of a grid, with the first and last frame of another WCS."""
    transform = FitsImage(grid.crpix, grid.crval, [grid.scale, grid.scale], grid.pc)
    frames = Frame.plane("detector", ("x", "y"), "pixel"), Frame.sky()
    if isinstance(like, World):
        frames = like.input_frame, like.output_frame
    ny, nx = grid.shape
    return World(frames, (transform,), Box(((-0.5, nx - 0.5), (-0.5, ny - 0.5))), (nx, ny))


def grid_keywords(wcs: Any) -> dict[str, Any]:
    """Return the FITS keywords of an output WCS: exact, since it is a FITS projection."""
    transform = wcs.forward_transform
    pc = transform.pc
    keywords: dict[str, Any] = {"WCSAXES": 2}
    for axis in (0, 1):
        keywords[f"CRPIX{axis + 1}"] = float(transform.crpix[axis]) + 1.0
        keywords[f"CRVAL{axis + 1}"] = float(transform.crval[axis])
        keywords[f"CDELT{axis + 1}"] = float(transform.cdelt[axis])
        keywords[f"CTYPE{axis + 1}"] = ("RA---TAN", "DEC--TAN")[axis]
        keywords[f"CUNIT{axis + 1}"] = "deg"
        for other in (0, 1):
            keywords[f"PC{axis + 1}_{other + 1}"] = float(pc[axis, other])
    keywords["RADESYS"] = "ICRS"
    return keywords


def output_pixel_area(wcs: Any) -> float:
    """Return the mean solid angle of an output pixel in steradian."""
    nx, ny = wcs.pixel_shape
    return mean_pixel_area(wcs, (ny, nx))
