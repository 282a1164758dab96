"""A grid of rectified spectra that the user brings along, and grids of another shape."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from calwebb_core.framework.errors import InputError
from calwebb_core.science.custom_grid import stated_shape
from calwebb_core.science.spectral.extraction import VERTICAL, oriented
from calwebb_core.science.spectral.rectified_grid import MOST_PIXELS, RectifiedGrid
from calwebb_core.science.spectral.slit_footprints import Footprint, Line
from calwebb_core.science.transforms import NoInverseError, UnknownTransformError
from calwebb_core.science.world import World

Float64 = NDArray[np.float64]

SHORTEST: Final = 2
STRAIGHT: Final = 0.01  # of a pixel
EXPECTED: Final = "expected that of a rectified spectrum, such as an _s2d has"


def custom_grid(
    tree: Mapping[str, Any], source: str, axis: int, shape: tuple[int, int] | None = None
) -> RectifiedGrid:
    """Return a grid from the tree of an ASDF file.

    Parameters
    ----------
    tree : mapping
        With ``wcs``, a World or gwcs.WCS of right ascension, declination and wavelength, whose
        shape it tells as for images (see `calwebb_core.science.custom_grid`).
    source : str
        Name of the file for messages.
    axis : 1 or 2
        Of the dispersion.
    shape : (ny, nx), optional
        Goes before what the tree says.

    Raises
    ------
    InputError
        If there is no WCS, no shape, or the WCS is not that of a straight grid.
    """
    if tree.get("wcs") is None:
        msg = f"{source}: no 'wcs' in the ASDF tree; {EXPECTED}"
        raise InputError(msg)
    try:
        world = World.of(tree["wcs"])
    except (UnknownTransformError, NoInverseError, AttributeError) as error:
        msg = f"{source}: the WCS cannot be read ({error}); {EXPECTED}"
        raise InputError(msg) from error
    found = shape or stated_shape(world, tree)
    if found is None or min(found) < SHORTEST or found[0] * found[1] > MOST_PIXELS:
        msg = f"{source}: the shape of the grid is {found}; expected rows and columns, at least 2"
        raise InputError(msg)
    y, x = np.mgrid[: found[0], : found[1]].astype(np.float64)
    values = world(x, y, with_bounding_box=False)
    if len(values) != 3:
        msg = f"{source}: the WCS gives {len(values)} coordinates, not three; {EXPECTED}"
        raise InputError(msg)
    sky = [np.ascontiguousarray(oriented(np.asarray(part), axis)) for part in values]
    if not all(np.isfinite(part).all() for part in sky):
        msg = f"{source}: the WCS is not finite in all pixels; {EXPECTED}"
        raise InputError(msg)
    return straight_grid(Footprint(*sky), source, axis)


def straight_grid(footprint: Footprint, source: str, axis: int) -> RectifiedGrid:
    """Return the grid whose pixels are a footprint.

    Raises
    ------
    InputError
        If the pixels are no straight grid.
    """
    waves = footprint.wavelength[:, 0].copy()
    steps = np.diff(waves)
    if not (np.all(steps > 0) or np.all(steps < 0)):
        msg = f"{source}: wavelengths neither rise nor fall along axis {axis}; {EXPECTED}"
        raise InputError(msg)
    line = Line.of(footprint, source)
    nacross = footprint.ra.shape[1]
    origin = 0.5 * (nacross - 1)
    grid = RectifiedGrid(line.crval, line.direction, line.step, origin, nacross, waves, axis)
    along, across = grid.positions(footprint)
    east, north = footprint.on_plane(line.crval)
    beside = (north * line.direction[0] - east * line.direction[1]) / line.step
    wrong = max(
        float(np.abs(along - np.arange(len(waves))[:, None]).max()),
        float(np.abs(across - np.arange(nacross)).max()),
        float(np.abs(beside).max()),
    )
    if wrong > STRAIGHT:
        msg = f"{source}: the grid is not straight, by up to {wrong:.2g} pixels; {EXPECTED}"
        raise InputError(msg)
    return grid


def resized(grid: RectifiedGrid, shape: tuple[int, int]) -> RectifiedGrid:
    """Return a grid of another shape (ny, nx).

    The middle of the slit stays in the middle. Wavelengths begin with the same; they are cut off,
    or go on in steps of the last.

    Raises
    ------
    InputError
        If the shape is no sensible one.
    """
    ny, nx = shape
    nalong, nacross = (ny, nx) if grid.axis == VERTICAL else (nx, ny)
    if min(shape) < SHORTEST or ny * nx > MOST_PIXELS:
        msg = f"output_shape is {nx} {ny}; expected columns and rows, at least {SHORTEST} of each"
        raise InputError(msg)
    waves = grid.wavelengths[:nalong]
    if nalong > len(waves):
        more = np.arange(1, nalong - len(waves) + 1)
        waves = np.concatenate([waves, waves[-1] + (waves[-1] - waves[-2]) * more])
    origin = grid.origin + 0.5 * (nacross - grid.nacross)
    return replace(grid, wavelengths=waves, nacross=nacross, origin=origin)
