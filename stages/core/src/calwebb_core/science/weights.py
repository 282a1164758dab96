"""How much each pixel of an image counts in a mosaic, and which pixels don't count at all."""

import numpy as np
from astropy.nddata.bitmask import interpret_bit_flags
from numpy.typing import NDArray

from calwebb_core.framework.errors import InputError
from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.models import Float32, Image, UInt32
from calwebb_core.science.dq import PixelDQ

GOOD_BITS = "~DO_NOT_USE+NON_SCIENCE"
WEIGHT_TYPES = ("ivm", "exptime")


def good_mask(dq: UInt32, good_bits: int | str = GOOD_BITS) -> NDArray[np.bool_]:
    """Return where no flag is set other than those that are ignored.

    Parameters
    ----------
    dq : uint32, any shape
    good_bits : int or str
        Flags to ignore, as a number or by names as in ``"~DO_NOT_USE+NON_SCIENCE"`` (all but
        these).

    Raises
    ------
    InputError
        If a name is not a flag.
    """
    names = {flag.name: int(flag) for flag in PixelDQ}
    try:
        ignored = interpret_bit_flags(good_bits, flag_name_map=names)
    except (KeyError, ValueError) as error:
        msg = f"good_bits is {good_bits!r}; expected flag names of PixelDQ or a number ({error})"
        raise InputError(msg) from None
    counted = np.uint32(~(0 if ignored is None else int(ignored)) & 0xFFFFFFFF)
    return np.asarray((dq & counted) == 0)


def input_weight(
    image: Image, weight_type: str = "ivm", good_bits: int | str = GOOD_BITS
) -> Float32:
    """Return the weight of each pixel of an image in a mosaic.

    Parameters
    ----------
    image : Image
        Needs DQ; ``ivm`` uses VAR_RNOISE (all pixels weigh 1 without it).
    weight_type : {"ivm", "exptime"}
        1 / VAR_RNOISE, or the measuring time TMEASURE (XPOSURE where absent) in seconds.
    good_bits : int or str
        See `good_mask`; other flagged pixels and NaN pixels weigh 0.

    Returns
    -------
    float32, (ny, nx)

    Raises
    ------
    InputError
        If the image is not 2-D or the weight type is unknown.
    """
    if image.data.ndim != 2:
        msg = f"{image.metadata.source}: SCI has {image.data.ndim} axes; resampling needs 2"
        raise InputError(msg)
    use = np.isfinite(image.data)
    if image.dq is not None:
        use &= good_mask(image.dq, good_bits)
    if weight_type == "exptime":
        return np.where(use, np.float32(measuring_time(image.metadata)), np.float32(0))
    if weight_type != "ivm":
        msg = f"weight_type is {weight_type!r}; expected one of {', '.join(WEIGHT_TYPES)}"
        raise InputError(msg)
    if image.var_rnoise is None:
        return use.astype(np.float32)
    use &= np.isfinite(image.var_rnoise) & (image.var_rnoise > 0)
    weight = np.zeros(image.data.shape, np.float32)
    np.divide(np.float32(1), image.var_rnoise, out=weight, where=use)
    return weight


def measuring_time(metadata: Metadata) -> float:
    """Return TMEASURE, or XPOSURE where it is absent, in seconds."""
    key = "TMEASURE" if metadata.get("TMEASURE") is not None else "XPOSURE"
    return metadata.require(key, float)
