"""Which leakage calibrations belong to a spectrum.

They are taken with the science exposures, the background exposures or both, and not at every
dither position. Those of the same kind and target come first, then those of the same dither
position if there are more than science exposures.
"""

from collections.abc import Sequence

from calwebb_associate.conditions import Exposure
from calwebb_associate.pool import flag


def choose_imprints(science: Sequence[Exposure], imprints: Sequence[Exposure]) -> list[Exposure]:
    """Return the leakage calibrations that go with science exposures.

    Parameters
    ----------
    science : sequence of Exposure
        Those that share them.
    imprints : sequence of Exposure
        Those that were taken the same way.
    """
    of_background = any(flag(exposure.row, "bkgdtarg") for exposure in science)
    same_kind = [one for one in imprints if flag(one.row, "bkgdtarg") == of_background]
    targets = {exposure.first("targetid") for exposure in science}
    of_target = [one for one in same_kind if one.first("targetid") in targets]
    checked = of_target or same_kind
    dropped = {one.root for one in same_kind if of_target and one not in of_target}
    if len(science) < len(checked):
        positions = {exposure.first("dithptin") for exposure in science} - {""}
        kept = [one for one in checked if one.first("dithptin") in positions]
        if kept:
            dropped |= {one.root for one in checked if one not in kept}
    return [one for one in imprints if one.root not in dropped]
