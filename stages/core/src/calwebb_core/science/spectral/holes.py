"""Holes of a rectified spectrum: places where the exposures have lost the light.

The core of a bright star may be saturated in many columns on end: nothing tells then what its
pixels would have shown. Drizzling closes such a gap with the flanks beside it, so that the star
seems fainter than it is, and with a small error. Where a tenth of what falls on a pixel of the
grid is lost, it has no value instead.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from calwebb_core.framework.models import Image
from calwebb_core.science.drizzling import drizzle_planes
from calwebb_core.science.drop_shapes import Drop
from calwebb_core.science.spectral.extraction import oriented
from calwebb_core.science.spectral.rectified_grid import RectifiedGrid
from calwebb_core.science.spectral.rectified_sums import TYPICAL, Pixels
from calwebb_core.science.spectral.slit_footprints import Footprint

MOST: Final = 0.1


def holes(
    parts: Sequence[Image], prints: Sequence[Footprint], grid: RectifiedGrid, drop: Drop
) -> NDArray[np.bool_]:
    """Return which pixels of a grid the exposures cannot speak of.

    Parameters
    ----------
    parts : sequence of Image
        Lost pixels are estimated in them as far as can be.
    prints : sequence of Footprint
        Of the parts.
    grid : RectifiedGrid
    drop : Drop

    Returns
    -------
    bool, of the grid's shape
    """
    lost, whole = np.zeros((2, *grid.shape))
    for part, footprint in zip(parts, prints, strict=True):
        pixels = Pixels(part, footprint, grid, TYPICAL)
        lit = oriented(np.isfinite(footprint.wavelength), grid.axis)[pixels.box]
        gone = (lit & ~(pixels.weight > 0.0)).astype(np.float32)
        found, weight = drizzle_planes(
            gone[None], lit.astype(np.float32), pixels.pixmap, grid.shape, drop
        )
        lost += found[0]
        whole += weight[0]
    return np.asarray(lost > MOST * whole)
