"""Which nods of a NIRSpec target may serve as background of one another.

Exposures at the same primary dither position see the source in the same place and would
subtract it; those of another target have a source of their own. In the square aperture S1600A1
the neighbouring positions of a five-point nod overlap as well.
"""

from typing import Final

from calwebb_associate.conditions import Exposure

SUBPIXELS: Final = ("subpxpts", "subpxpns")


def apart(science: Exposure, other: Exposure) -> bool:
    """Tell whether the source is elsewhere in the other exposure.

    Parameters
    ----------
    science, other : Exposure
        Of one nod pattern. Fixed slits without numbers of their positions are never apart,
        other modes without them always.
    """
    if science.first("targetid") != other.first("targetid"):
        return False
    if science.exp_type not in ("nrs_fixedslit", "nrs_msaspec"):
        number = science.first("patt_num")
        return not number or number != other.first("patt_num")
    fixed_slit = science.exp_type == "nrs_fixedslit"
    here, there = _position(science), _position(other)
    if here is None or there is None:
        return not fixed_slit
    if here == there:
        return False
    return not (fixed_slit and _five_in_square_aperture(science) and abs(here - there) <= 1)


def _position(exposure: Exposure) -> int | None:
    """Return the number of the primary dither position, from 0, or None."""
    number, points = _number(exposure.first("patt_num")), _number(exposure.get(SUBPIXELS))
    if number is None or not points or _number(exposure.first("numdthpt")) is None:
        return None
    return (number - 1) // points


def _five_in_square_aperture(exposure: Exposure) -> bool:
    """Tell whether a nod has five primary positions in S1600A1."""
    dithers, points = _number(exposure.first("numdthpt")), _number(exposure.get(SUBPIXELS))
    return exposure.first("fxd_slit") == "s1600a1" and dithers == 5 * (points or 0)


def _number(text: str) -> int | None:
    """Return a whole number, or None."""
    return int(text) if text.isdecimal() else None
