"""The grid of a mosaic and where its exposures lie on it, made once for all steps."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from calwebb_core.framework.exposures import Exposure
from calwebb_core.framework.threads import in_threads

if TYPE_CHECKING:
    # its kernels load numba, which a list of the steps doesn't need
    from calwebb_core.science.pixelmap import PixelMap


@dataclass(eq=False)
class Geometry:
    """What was made last; made anew where the WCS of an exposure has changed."""

    _grid: tuple[Any, list[Any], Any] | None = None
    _maps: tuple[Any, list[Any], list[PixelMap]] | None = field(default=None, repr=False)

    def grid(self, exposures: Sequence[Exposure], key: Any, make: Callable[[], Any]) -> Any:
        """Return the grid of some exposures.

        Parameters
        ----------
        exposures : sequence of Exposure
        key : object
            The options that define the grid.
        make : callable
            Makes it.
        """
        wcses = [exposure.wcs for exposure in exposures]
        if self._grid is None or self._grid[0] != key or not same(self._grid[1], wcses):
            self._grid = (key, wcses, make())
        return self._grid[2]

    def maps(self, exposures: Sequence[Exposure], grid: Any) -> list[PixelMap]:
        """Return where the pixels of each exposure fall on a grid."""
        wcses = [exposure.wcs for exposure in exposures]
        if self._maps is None or self._maps[0] is not grid or not same(self._maps[1], wcses):
            found = in_threads(lambda e: map_of(e, grid), exposures)
            self._maps = (grid, wcses, found)
        return self._maps[2]


def map_of(exposure: Exposure, grid: Any) -> PixelMap:
    """Return where the pixels of an exposure fall on a grid, ready for several threads."""
    from calwebb_core.science.pixelmap import PixelMap

    found = PixelMap.of(exposure.wcs, grid, exposure.shape)
    found.prepare()
    return found


def same(first: list[Any], second: list[Any]) -> bool:
    """Say whether two lists hold the same objects."""
    return len(first) == len(second) and all(a is b for a, b in zip(first, second, strict=True))
