"""An output grid that the user brings along: the WCS in an ASDF file."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from calwebb_core.framework.errors import InputError
from calwebb_core.science.grid_checks import MOST_PIXELS
from calwebb_core.science.transforms import NoInverseError, UnknownTransformError
from calwebb_core.science.world import Box, World


def custom_wcs(
    tree: Mapping[str, Any], source: str, output_shape: tuple[int, int] | None = None
) -> World:
    """Return the WCS of an output grid from the tree of an ASDF file.

    Parameters
    ----------
    tree : mapping
        With ``wcs``, a World or gwcs.WCS of two celestial axes. Where that has no
        ``pixel_shape``: ``pixel_shape`` (nx, ny) or ``array_shape`` (ny, nx), else the bounding
        box of the WCS tells the shape.
    source : str
        Name of the file for messages.
    output_shape : (ny, nx), optional
        Goes before what the tree says.

    Raises
    ------
    InputError
        If there is no WCS, no shape, or the WCS is not one of an image on the sky.
    """
    if tree.get("wcs") is None:
        msg = f"{source}: no 'wcs' in the ASDF tree; expected the WCS of an output grid"
        raise InputError(msg)
    try:
        world = World.of(tree["wcs"])
        assert world.backward_transform  # noqa: S101 - found out here, not while drizzling
    except (UnknownTransformError, NoInverseError, AttributeError) as error:
        msg = f"{source}: the WCS cannot be that of an output grid ({error})"
        raise InputError(msg) from error
    shape = output_shape or stated_shape(world, tree)
    if shape is None:
        msg = (
            f"{source}: neither the WCS nor the tree tell the shape of the output; add "
            "'array_shape' (ny, nx), or set output_shape"
        )
        raise InputError(msg)
    ny, nx = shape
    if min(ny, nx) < 2 or ny * nx > MOST_PIXELS:
        msg = f"{source}: the output image would have shape {(ny, nx)}"
        raise InputError(msg)
    box = Box(((-0.5, nx - 0.5), (-0.5, ny - 0.5)))
    return replace(world, pixel_shape=(nx, ny), bounding_box=box, _cache={})


def stated_shape(world: World, tree: Mapping[str, Any]) -> tuple[int, int] | None:
    """Return the shape (ny, nx) that a WCS or the tree around it tells, or None."""
    if world.pixel_shape is not None:
        return int(world.pixel_shape[1]), int(world.pixel_shape[0])
    if tree.get("pixel_shape") is not None:
        nx, ny = tree["pixel_shape"]
        return int(ny), int(nx)
    if tree.get("array_shape") is not None:
        ny, nx = tree["array_shape"]
        return int(ny), int(nx)
    if world.bounding_box is not None:
        (_, x1), (_, y1) = world.bounding_box
        return int(y1 + 0.5), int(x1 + 0.5)
    return None
