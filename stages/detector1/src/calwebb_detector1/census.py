"""Which groups some pixel of an exposure can use: assumed beforehand, counted on the way.

How jumps are searched and ramps are fitted depends on the groups that no pixel can use. That is
a property of the whole exposure, known for certain only once all its blocks were seen. Steps
that flag whole groups say so (`Exposure.flag_group`), which is nearly always the whole truth;
where it is not, the chain runs once more with what was found.
"""

import threading
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calwebb_detector1.blocks import Block, Exposure, Reshaped
from calwebb_detector1.kernels.flags import DO_NOT_USE

Groups = NDArray[np.bool_]


class Census:
    """Groups of which every pixel has a property, such as being DO_NOT_USE.

    Parameters
    ----------
    exposure : Exposure
    name : str
        Who asks, and for what; what was found under this name in an earlier run is assumed.
    bits : int
        A group counts when every pixel has one of these flags.

    Attributes
    ----------
    assumed : bool, (nints, ngroups)
    """

    def __init__(self, exposure: Exposure, name: str, bits: Any = DO_NOT_USE) -> None:
        self.assumed: Groups = exposure.found.get(name, exposure.unusable_groups).copy()
        self._exposure, self._name, self._bits = exposure, name, bits
        self._some = np.zeros_like(self.assumed)
        self._lock = threading.Lock()

    def add(self, block: Block) -> None:
        """Look at a block; groups of which a pixel without the flags was seen are not looked at."""
        flags = block.inner(block.groupdq)
        some = [(i, g) for i, g in np.argwhere(~self._some) if not np.all(flags[i, g] & self._bits)]
        with self._lock:
            for group in some:
                self._some[group] = True

    def check(self) -> None:
        """Compare with what was assumed.

        Raises
        ------
        Reshaped
            If it is otherwise; the exposure now knows.
        """
        found = ~self._some
        if not np.array_equal(found, self.assumed):
            self._exposure.found[self._name] = found
            raise Reshaped


def checked(census: Census, finish: Callable[[int], None]) -> Callable[[int], None]:
    """Return a `finish` function that checks a census first."""

    def check(total: int) -> None:
        census.check()
        finish(total)

    return check
