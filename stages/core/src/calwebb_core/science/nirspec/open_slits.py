"""Which of NIRSpec's fixed slits an exposure shows, and what their headers say."""

from typing import Any, Final

import numpy as np

from calwebb_core.framework.errors import InputError
from calwebb_core.framework.metadata import Metadata
from calwebb_core.science.nirspec.apertures import FIXED_SLITS, Aperture, fixed_slit
from calwebb_core.science.spectral.pointing import dithered_place
from calwebb_core.science.world import World

BRIGHT_OBJECT: Final = "NRS_BRIGHTOBJ"
BRIGHT_SLIT: Final = "S1600A1"
EVERY_SLIT: Final = ("FULL", "ALLSLITS", "SUB32")
REGION_WAVELENGTH: Final = 2e-6  # metres, for which S_REGION holds
SOURCE_WAVELENGTH: Final = 2.0  # micrometres, for which the source's place in its slit holds


def open_slits(metadata: Metadata, limits: tuple[float, float] = (-0.55, 0.55)) -> list[Aperture]:
    """Return the fixed slits whose light an exposure may show.

    The slits are always open; a subarray that is made for one shows this one alone. Time series
    of bright objects are taken in the widest.

    Parameters
    ----------
    metadata : Metadata
        SUBARRAY, EXP_TYPE, FXD_SLIT.
    limits : (float, float)
        Ends of the spectrum along the slit, in heights of the slit from its middle.

    Raises
    ------
    InputError
        If SUBARRAY is none that shows fixed slits.
    """
    subarray = metadata.require("SUBARRAY", str)
    primary = metadata.get("FXD_SLIT")
    names = [name for name in FIXED_SLITS if subarray == f"SUB{name}"]
    if metadata.get("EXP_TYPE") == BRIGHT_OBJECT:
        names = [BRIGHT_SLIT]
    elif subarray in EVERY_SLIT:
        names = list(FIXED_SLITS)
    elif subarray.startswith(("SUB512", "SUB1024", "SUB2048")):
        names = [BRIGHT_SLIT]
    if not names:
        msg = (
            f"{metadata.source}: SUBARRAY is {subarray}; expected one of NIRSpec that shows fixed "
            f"slits"
        )
        raise InputError(msg)
    return [fixed_slit(name, primary, limits) for name in names]


def region(world: World, aperture: Aperture) -> str:
    """Return the slit's outline on the sky, as S_REGION has it."""
    to_sky = world.get_transform("slit_frame", "world")
    x, y = [-0.5, -0.5, 0.5, 0.5], [aperture.low, aperture.high, aperture.high, aperture.low]
    ra, dec, _ = to_sky(np.array(x), np.array(y), np.full(4, REGION_WAVELENGTH))
    corners = " ".join(f"{value:.9f}" for pair in zip(ra, dec, strict=True) for value in pair)
    return f"POLYGON ICRS  {corners}"


def place_of_source(metadata: Metadata, world: World) -> tuple[float, float]:
    """Return where in its slit the source is: from -0.5 to 0.5 across width and height.

    It is where the dither (XOFFSET, YOFFSET, arcsec along the aperture's ideal axes) moves it from
    the reference point. Without dither that is the point itself.
    """
    v2, v3 = dithered_place(metadata)
    across, along, _ = world.get_transform("v2v3", "slit_frame")(v2, v3, SOURCE_WAVELENGTH)
    return float(across), float(along)


def slit_keywords(metadata: Metadata, world: World, aperture: Aperture) -> dict[str, Any]:
    """Return the keywords of a slit that follow from its place."""
    primary = aperture.source == 1
    across, along = place_of_source(metadata, world) if primary else (0.0, 0.0)
    return {
        "SLTNAME": aperture.name,
        "SHUTTRID": aperture.number,
        "SOURCEID": aperture.source,
        "SRCXPOS": across,
        "SRCYPOS": along,
        "S_REGION": region(world, aperture),
    }
