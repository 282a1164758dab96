"""Where the light of a slit falls on the detector, and at which wavelengths.

The wavelengths of a point source beside the slit's centre are not those of light that fills the
slit: step wavecorr corrects the former, and keeps what it added to the WCS in a frame of its own.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from calwebb_core.framework.errors import InputError
from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.models import Image, Slit
from calwebb_core.science.spectral.wavelengths import wavelengths, world_of_pixels
from calwebb_core.science.world import World

Float64 = NDArray[np.float64]
CORRECTED = "wavecorr_frame"


def uniform_wavelengths(slit: Slit) -> Float64:
    """Return the wavelengths of light that fills a slit, whatever its source's are.

    Parameters
    ----------
    slit : Slit

    Returns
    -------
    float64, (ny, nx), micrometres
    """
    wcs = slit.wcs
    if wcs is None or CORRECTED not in wcs.available_frames:
        return wavelengths(slit)
    world = World.of(wcs)
    place = world.available_frames.index(CORRECTED)
    plain = replace(
        world,
        frames=(*world.frames[:place], *world.frames[place + 1 :]),
        transforms=(*world.transforms[: place - 1], *world.transforms[place:]),
        _cache={},
    )
    return world_of_pixels(plain, slit.data.shape)[2]


def window_of(slit: Slit) -> tuple[slice, slice]:
    """Return rows and columns of the exposure's subarray that a slit was cut out of.

    Raises
    ------
    InputError
        If the slit does not say so (SLTSTRT1, SLTSTRT2).
    """
    ny, nx = slit.data.shape[-2:]
    x, y = (slit.metadata.require(name, int) - 1 for name in ("SLTSTRT1", "SLTSTRT2"))
    if x < 0 or y < 0:
        msg = f"{slit.metadata.source}: SLTSTRT1, SLTSTRT2 are {x + 1}, {y + 1}; expected above 0"
        raise InputError(msg)
    return slice(y, y + ny), slice(x, x + nx)


def whole(image: Image) -> tuple[slice, slice]:
    """Return all rows and columns of an exposure's subarray."""
    ny, nx = image.data.shape[-2:]
    return slice(0, ny), slice(0, nx)


def is_target(keywords: Metadata) -> bool:
    """Say whether a fixed slit has a point source where the observer aimed.

    Parameters
    ----------
    keywords : Metadata
        Of the exposure and the slit.
    """
    return (
        keywords.get("EXP_TYPE") == "NRS_FIXEDSLIT"
        and keywords.get("SRCTYPE") == "POINT"
        and keywords.get("SLTNAME") == keywords.get("FXD_SLIT")
    )
