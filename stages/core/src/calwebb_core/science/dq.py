"""Data quality bits of JWST products (PIXELDQ/DQ as uint32, GROUPDQ as uint8).

The values are those of the product definition; kernels import the constants by name.
"""

import re
from enum import IntFlag


class PixelDQ(IntFlag):
    """Bits of PIXELDQ and DQ, uint32."""

    GOOD = 0
    DO_NOT_USE = 1
    SATURATED = 2
    JUMP_DET = 4
    DROPOUT = 8
    OUTLIER = 16
    PERSISTENCE = 32
    AD_FLOOR = 64
    CHARGELOSS = 128
    RESERVED = 256
    NON_SCIENCE = 512
    DEAD = 1024
    HOT = 2048
    WARM = 4096
    LOW_QE = 8192
    RC = 16384
    TELEGRAPH = 32768
    NONLINEAR = 65536
    BAD_REF_PIXEL = 131072
    NO_FLAT_FIELD = 262144
    NO_GAIN_VALUE = 524288
    NO_LIN_CORR = 1048576
    NO_SAT_CHECK = 2097152
    UNRELIABLE_BIAS = 4194304
    UNRELIABLE_DARK = 8388608
    UNRELIABLE_SLOPE = 16777216
    UNRELIABLE_FLAT = 33554432
    OPEN = 67108864
    ADJ_OPEN = 134217728
    FLUX_ESTIMATED = 268435456
    MSA_FAILED_OPEN = 536870912
    OTHER_BAD_PIXEL = 1073741824
    REFERENCE_PIXEL = 2147483648


class GroupDQ(IntFlag):
    """Bits of GROUPDQ, uint8; the same values as the low bits of PIXELDQ."""

    GOOD = 0
    DO_NOT_USE = 1
    SATURATED = 2
    JUMP_DET = 4
    DROPOUT = 8
    PERSISTENCE = 32
    AD_FLOOR = 64
    CHARGELOSS = 128


# Plain integers for numba kernels, which cannot use enumerations in bit arithmetic.
DO_NOT_USE = int(PixelDQ.DO_NOT_USE)
SATURATED = int(PixelDQ.SATURATED)
JUMP_DET = int(PixelDQ.JUMP_DET)
OUTLIER = int(PixelDQ.OUTLIER)
AD_FLOOR = int(PixelDQ.AD_FLOOR)
CHARGELOSS = int(PixelDQ.CHARGELOSS)
NON_SCIENCE = int(PixelDQ.NON_SCIENCE)
NO_FLAT_FIELD = int(PixelDQ.NO_FLAT_FIELD)
NO_GAIN_VALUE = int(PixelDQ.NO_GAIN_VALUE)
NO_LIN_CORR = int(PixelDQ.NO_LIN_CORR)
NO_SAT_CHECK = int(PixelDQ.NO_SAT_CHECK)
FLUX_ESTIMATED = int(PixelDQ.FLUX_ESTIMATED)
REFERENCE_PIXEL = int(PixelDQ.REFERENCE_PIXEL)


def bits_of(flags: int | str | None) -> int:
    """Return bits of PixelDQ that are given by name or number.

    Parameters
    ----------
    flags : int or str or None
        A number, or names and numbers joined by ``+``, ``,`` or ``|``, all of them negated by
        ``~`` before them: ``"~DO_NOT_USE+NON_SCIENCE"`` is everything but these two, as in
        astropy's `interpret_bit_flags`. None, "None" and an empty text are 0.

    Raises
    ------
    ValueError
        If a name is not a flag.
    """
    if flags is None or isinstance(flags, int):
        return flags or 0
    text = flags.strip()
    if text.lower() == "none":
        return 0
    negated = text.startswith("~")
    text = text.removeprefix("~").strip()
    if text.startswith("(") and text.endswith(")"):
        text = text[1:-1]
    total = 0
    for word in filter(None, re.split(r"\s*[+,|]\s*", text.strip())):
        if word.upper() not in PixelDQ.__members__ and not word.isdigit():
            msg = f"no flag is called {word}"
            raise ValueError(msg)
        total |= int(word) if word.isdigit() else int(PixelDQ[word.upper()])
    return ~total if negated else total
