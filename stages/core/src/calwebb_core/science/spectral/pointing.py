"""Where the target is, by the pointing and its offsets.

A dither moves the target by XOFFSET, YOFFSET (arcsec along the axes of the aperture's ideal frame)
from the aperture's reference point V2_REF, V3_REF. Target acquisition puts it there, however much
the coordinates of guide stars are off; the place that TARG_RA, TARG_DEC have in the WCS is not.
"""

import math

from calwebb_core.framework.metadata import Metadata
from calwebb_core.science.world import World


def dithered_place(metadata: Metadata) -> tuple[float, float]:
    """Return V2, V3 of the target, arcsec.

    Parameters
    ----------
    metadata : Metadata
        V2_REF, V3_REF; XOFFSET, YOFFSET (0 where they are absent), and where these are not 0
        V3I_YANG (degrees) and VPARITY.

    Raises
    ------
    InputError
        If a keyword is missing or no number.
    """
    v2, v3 = (metadata.require(key, float) for key in ("V2_REF", "V3_REF"))
    dx, dy = (number_or_zero(metadata, key) for key in ("XOFFSET", "YOFFSET"))
    if dx == 0.0 and dy == 0.0:
        return v2, v3
    angle = math.radians(metadata.require("V3I_YANG", float))
    dx *= metadata.require("VPARITY", int)
    sine, cosine = math.sin(angle), math.cos(angle)
    return v2 + dx * cosine + dy * sine, v3 - dx * sine + dy * cosine


def dithered_sky(metadata: Metadata, wcs: World) -> tuple[float, float]:
    """Return right ascension and declination that a WCS gives the target's place, degrees.

    Parameters
    ----------
    metadata : Metadata
        As for `dithered_place`.
    wcs : World
        Of a spectrum, with the frames ``v2v3`` and ``world``.
    """
    ra, dec, _ = wcs.get_transform("v2v3", "world")(*dithered_place(metadata), 0.0)
    return float(ra) % 360.0, float(dec)


def number_or_zero(metadata: Metadata, keyword: str) -> float:
    """Return a number of a header, 0 where it is absent."""
    return 0.0 if metadata.get(keyword) is None else metadata.require(keyword, float)
