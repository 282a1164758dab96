"""Lines of right ascension and declination on a picture, and where they meet its borders."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calwebb_core.framework.quicklook_sky import Sky

Float64 = NDArray[np.float64]
Frame = tuple[float, float, float, float]  # left, right, bottom, top in pixels

STEPS = (1, 2, 5, 10, 20, 30)
POINTS = 65  # of a line
SECONDS_PER_DEGREE = 240.0  # of time
ARCSEC_PER_DEGREE = 3600.0


@dataclass(frozen=True)
class Line:
    """A line of constant right ascension or declination.

    Attributes
    ----------
    label : str
    x, y : float64 (POINTS,)
        Pixels.
    """

    label: str
    x: Float64
    y: Float64

    def crossing(self, frame: Frame, *, bottom: bool) -> float | None:
        """Return where it meets the bottom (x) or the left border (y), or None."""
        along, across = (self.x, self.y) if bottom else (self.y, self.x)
        border = frame[2] if bottom else frame[0]
        first, last = frame[:2] if bottom else frame[2:]
        distance = across - border
        for i in np.flatnonzero(distance[:-1] * distance[1:] <= 0):
            gap = distance[i] - distance[i + 1]
            part = distance[i] / gap if gap else 0.0
            place = float(along[i] + part * (along[i + 1] - along[i]))
            if first <= place <= last:
                return place
        return None


@dataclass(frozen=True)
class Grid:
    """Lines of a picture; `turned` if right ascension is read off the left border."""

    meridians: list[Line]
    parallels: list[Line]
    turned: bool


def make_grid(sky: Sky, frame: Frame, across: float, along: float) -> Grid:
    """Return the grid of a picture.

    Parameters
    ----------
    sky : Sky
    frame : (left, right, bottom, top)
        Its borders in pixels.
    across, along : float
        Most lines that may cross the bottom and the left border.
    """
    ra, dec = sky.sky(*border(frame))
    middle = sky.sky((frame[0] + frame[1]) / 2, (frame[2] + frame[3]) / 2)
    east = (ra - middle[0] + 180) % 360 - 180
    north, _ = sky.directions((frame[0] + frame[1]) / 2, (frame[2] + frame[3]) / 2)
    turned = bool(abs(north[0]) > abs(north[1]))
    counts = (along, across) if turned else (across, along)
    decs, ras = (dec.min(), dec.max()), (middle[0] + east.min(), middle[0] + east.max())
    wide = np.linspace(*stretched(ras), POINTS)
    high = np.linspace(*stretched(decs), POINTS).clip(-90, 90)
    meridians = [
        Line(text, *sky.pixels(np.full(POINTS, value), high))
        for value, text in ticks(ras, SECONDS_PER_DEGREE, counts[0], "hms")
    ]
    parallels = [
        Line(text, *sky.pixels(wide, np.full(POINTS, value)))
        for value, text in ticks(decs, ARCSEC_PER_DEGREE, counts[1], "dms")
    ]
    return Grid(meridians, parallels, turned)


def stretched(ends: tuple[float, float]) -> tuple[float, float]:
    """Return a range and a fifth more at both ends."""
    more = (ends[1] - ends[0]) / 5
    return ends[0] - more, ends[1] + more


def border(frame: Frame) -> tuple[Float64, Float64]:
    """Return pixels along the border of a picture."""
    left, right, bottom, top = frame
    wide, high = np.linspace(left, right, 33), np.linspace(bottom, top, 33)
    x = np.concatenate([wide, wide, np.full(33, left), np.full(33, right)])
    y = np.concatenate([np.full(33, bottom), np.full(33, top), high, high])
    return x, y


def nice_steps() -> Iterable[float]:
    """Yield round numbers of seconds: decimal below one, then of seconds, minutes, degrees."""
    for power in (0.001, 0.01, 0.1):
        yield from (power * number for number in (1, 2, 5))
    for unit in (1, 60, 3600):
        yield from (unit * number for number in STEPS)


def ticks(
    ends: tuple[float, float], per_degree: float, most: float, form: str
) -> list[tuple[float, str]]:
    """Return round values in a range of degrees, with their labels; not more than `most`."""
    low, high = ends[0] * per_degree, ends[1] * per_degree
    fitting = (step for step in nice_steps() if (high - low) / step <= most)
    step = next(fitting, 3600.0 * STEPS[-1])
    digits = max(0, int(np.ceil(-np.log10(step) - 1e-9)))
    numbers = np.arange(np.ceil(low / step), np.floor(high / step) + 1) * step
    return [(float(n) / per_degree, label(float(n), digits, form, step)) for n in numbers]


def label(seconds: float, digits: int, form: str, step: float) -> str:
    """Return seconds (of time or of arc) in hours or degrees, minutes and seconds."""
    sign = "\u2212" if seconds < 0 else ""
    if form == "hms":
        seconds, sign = seconds % 86400, ""
    units = ("h", "m", "s") if form == "hms" else ("\u00b0", "\u2032", "\u2033")
    whole = round(abs(seconds) * 10**digits)
    rest, part = divmod(whole, 10**digits)
    minutes, second = divmod(rest, 60)
    first, minute = divmod(minutes, 60)
    text = f"{sign}{first:02d}{units[0]}{minute:02d}{units[1]}"
    if step >= 60:
        return text
    decimals = f".{part:0{digits}d}" if digits else ""
    return f"{text}{second:02d}{decimals}{units[2]}"
