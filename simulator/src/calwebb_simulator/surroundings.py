"""The light that comes from no source: the sky, its slope, the glow of the telescope."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from calwebb_simulator.plan import Planned
from calwebb_simulator.scenario import Scenario

Float64 = NDArray[np.float64]
GLOW_PLACE = (0.15, 0.85)  # of the width and height of the detector
GLOW_WIDTH = 0.3


def sky_map(scenario: Scenario, entry: Planned) -> Float64:
    """Return the surface brightness of all that is no source, as an exposure's pixels see it.

    Returns
    -------
    float64, (ny, nx) or (1, 1)
        MJy/sr; a single value where it is the same everywhere.
    """
    glow, (across, up) = scenario.scene.glow, entry.gradient
    if glow == across == up == 0:
        return np.full((1, 1), entry.sky)
    ny, nx = entry.frame.full
    rows, columns = entry.frame.window
    x = (np.arange(nx)[columns] / (nx - 1))[None, :]
    y = (np.arange(ny)[rows] / (ny - 1))[:, None]
    distance2: Any = (x - GLOW_PLACE[0]) ** 2 + (y - GLOW_PLACE[1]) ** 2
    bump = np.exp(-distance2 / (2 * GLOW_WIDTH**2))
    return np.asarray(entry.sky + across * (x - 0.5) + up * (y - 0.5) + glow * bump)


def sky_level(scenario: Scenario, entry: Planned) -> float:
    """Return the mean surface brightness of the sky in an exposure's frame in MJy/sr."""
    return float(sky_map(scenario, entry).mean())
