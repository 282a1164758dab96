"""Cut the spectra of slits out of an exposure, each with a WCS and wavelengths of its own."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calwebb_core.framework.errors import InputError
from calwebb_core.framework.keywords import find_keyword
from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.models import Image, Slit
from calwebb_core.science.spectral.wavelengths import PLANE
from calwebb_core.science.transforms.elementary import Shift
from calwebb_core.science.world import Box, World

MICROMETRES = 1e6
PLACE = ("SLTSTRT1", "SLTSIZE1", "SLTSTRT2", "SLTSIZE2")
ARRAYS = ("data", "err", "dq", "var_poisson", "var_rnoise", "var_flat")


def window(box: Box, shape: tuple[int, ...]) -> tuple[slice, slice]:
    """Return rows and columns of an exposure's pixels that are within a bounding box."""
    (x0, x1), (y0, y1) = (tuple(int(np.floor(edge + 0.5)) for edge in pair) for pair in box)
    return slice(max(y0, 0), min(y1, shape[-2])), slice(max(x0, 0), min(x1, shape[-1]))


def cut(image: Image, world: World, keywords: Mapping[str, Any]) -> Slit:
    """Return the spectrum of one slit, with copies of its pixels.

    Parameters
    ----------
    image : Image
        The exposure, of one or several integrations.
    world : World
        WCS of the slit on the exposure's pixels, with its bounding box.
    keywords : mapping
        Keywords of the slit. Its place (SLTSTRT1, SLTSTRT2, SLTSIZE1, SLTSIZE2, 1-based on the
        exposure's pixels) is added.

    Returns
    -------
    Slit
        With the plane WAVELENGTH, float32 (ny, nx), micrometres.

    Raises
    ------
    InputError
        If the WCS has no bounding box.
    """
    if world.bounding_box is None:
        msg = f"{image.metadata.source}: the WCS of {keywords.get('SLTNAME')} has no bounding box"
        raise InputError(msg)
    rows, columns = window(world.bounding_box, image.data.shape)
    own = moved(world, rows, columns)
    ny, nx = rows.stop - rows.start, columns.stop - columns.start
    place = (columns.start + 1, nx, rows.start + 1, ny)
    metadata = Metadata(science_keywords(image.metadata), image.metadata.source)
    metadata.update(keywords)
    metadata.update(zip(PLACE, place, strict=True))
    metadata.homes = dict.fromkeys(metadata, "SCI")
    arrays: dict[str, Any] = {
        name: np.array(getattr(image, name)[..., rows, columns], order="C")
        for name in ARRAYS
        if getattr(image, name) is not None
    }
    planes = {PLANE: slit_wavelengths(own, (ny, nx)).astype(np.float32)}
    return Slit(metadata, **arrays, wcs=own, planes=planes)


def science_keywords(metadata: Metadata) -> dict[str, Any]:
    """Return the keywords of an exposure that stand in the header of SCI: each slit has its own."""
    entries = ((name, find_keyword(name, metadata.homes.get(name, ""))) for name in metadata)
    return {name: metadata[name] for name, entry in entries if entry and entry.hdu == "SCI"}


def moved(world: World, rows: slice, columns: slice) -> World:
    """Return the WCS of a part of the pixels, with their edges as bounding box."""
    ny, nx = rows.stop - rows.start, columns.stop - columns.start
    start = Shift(columns.start) & Shift(rows.start)
    first = (start | world.transforms[0]).named(world.transforms[0].name or "dms2sca")
    return replace(
        world,
        transforms=(first, *world.transforms[1:]),
        bounding_box=Box(((-0.5, nx - 0.5), (-0.5, ny - 0.5))),
        pixel_shape=(nx, ny),
        _cache={},
    )


def slit_wavelengths(world: World, shape: tuple[int, int]) -> NDArray[np.float64]:
    """Return the wavelengths of a slit's pixels, float64 (ny, nx), micrometres.

    They are NaN where there is no light of the slit. The way on to the sky isn't gone.
    """
    y, x = np.mgrid[: shape[0], : shape[1]].astype(np.float64)
    found = world.get_transform("detector", "slit_frame")(x, y)
    return np.asarray(found[2] * MICROMETRES)
