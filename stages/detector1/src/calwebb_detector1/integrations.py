"""Where the integrations of a file stand within their exposure."""

import numpy as np
from numpy.typing import NDArray

from calwebb_core.framework.errors import InputError
from calwebb_core.framework.metadata import Metadata


def first_integration(metadata: Metadata) -> int:
    """Return the number of an exposure's or segment's first integration, from 1.

    Raises
    ------
    InputError
        If INTSTART is no number from 1 on.
    """
    if metadata.get("INTSTART") in (None, ""):
        return 1
    first = metadata.require("INTSTART", int)
    if first < 1:
        msg = f"{metadata.source}: INTSTART is {first}; integrations are counted from 1"
        raise InputError(msg)
    return first


def plane_of_integrations(nplanes: int, nints: int, first: int) -> NDArray[np.int64]:
    """Return which of a reference's planes belongs to each integration from number `first` on.

    Integrations beyond the last plane take the last.
    """
    return np.minimum(np.arange(nints, dtype=np.int64) + first - 1, nplanes - 1)
