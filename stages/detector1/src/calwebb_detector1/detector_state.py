"""What an exposure leaves behind in a detector for the next one, whatever part of it each reads."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from calwebb_core.framework.errors import InputError
from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.reference_data import LONG_NAMES, Window, science_window

SECONDS = 86400.0
CLOCK = 1.0  # s by which EXPEND and EXPSTART of neighbouring exposures may overlap


def window_of(metadata: Metadata, shape: tuple[int, ...]) -> Window:
    """Return the part of the detector that an array with these last axes covers.

    Raises
    ------
    InputError
        If SUBSIZE1 and SUBSIZE2 contradict the array.
    """
    ny, nx = shape[-2:]
    window = science_window(metadata) or Window(1, 1, nx, ny)
    if (window.ny, window.nx) != (ny, nx):
        msg = (
            f"{metadata.source}: SUBSIZE1, SUBSIZE2 are {window.nx}, {window.ny}, the array has "
            f"{nx} columns and {ny} rows"
        )
        raise InputError(msg)
    return window


def hull(first: Window, second: Window) -> Window:
    """Return the smallest rectangle that holds both."""
    x, y = min(first.x, second.x), min(first.y, second.y)
    last_x = max(first.x + first.nx, second.x + second.nx)
    last_y = max(first.y + first.ny, second.y + second.ny)
    return Window(x, y, last_x - x, last_y - y)


def part(inner: Window, outer: Window) -> tuple[slice, slice]:
    """Return the rows and columns of an outer window that an inner one is."""
    y, x = inner.y - outer.y, inner.x - outer.x
    return slice(y, y + inner.ny), slice(x, x + inner.nx)


def spread(values: NDArray[Any], inner: Window, outer: Window) -> NDArray[Any]:
    """Return an array (..., ny, nx) of the outer window: zero outside the inner one."""
    found = np.zeros((*values.shape[:-2], outer.ny, outer.nx), values.dtype)
    found[..., *part(inner, outer)] = values
    return found


def check_detector(earlier: Metadata, metadata: Metadata) -> None:
    """Check that what was handed over is of the exposure's detector.

    Raises
    ------
    InputError
        If INSTRUME or DETECTOR differ.
    """
    for keyword in ("INSTRUME", "DETECTOR"):
        found, wanted = (str(item.get(keyword, "")).upper() for item in (earlier, metadata))
        if LONG_NAMES.get(found, found) != LONG_NAMES.get(wanted, wanted):
            msg = (
                f"{earlier.source}: {keyword} is {found or 'missing'}, but the exposure "
                f"{metadata.source} is of {wanted}; give what was made for {wanted}"
            )
            raise InputError(msg)


def seconds_between(earlier: Metadata, metadata: Metadata) -> float:
    """Return how long after the end of an earlier exposure another one starts, s.

    Segments of one exposure follow one another without a gap.

    Raises
    ------
    InputError
        If the other exposure is not the later one, or EXPSTART or EXPEND is missing.
    """
    starts = [item.require("EXPSTART", float) for item in (earlier, metadata)]
    segments = [item.get("EXSEGNUM") or 1 for item in (earlier, metadata)]
    if starts[0] == starts[1] and segments[0] < segments[1]:
        return 0.0
    end = earlier.require("EXPEND", float)
    seconds = (starts[1] - end) * SECONDS
    if seconds < -CLOCK:
        msg = (
            f"{earlier.source}: ends (EXPEND {end}) after the exposure {metadata.source} starts "
            f"(EXPSTART {starts[1]}); give what an earlier exposure of the detector left"
        )
        raise InputError(msg)
    return max(seconds, 0.0)
