"""Where the exposures of a target lie on the sky: outlines over lines of equal RA and Dec.

The tangent plane and its grid are those of the quick-look pictures; north is up, east left.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from calwebb_associate.summary.colours import Colour, colour_key, legend
from calwebb_associate.summary.observed import Exposure, Target
from calwebb_associate.summary.text import counted
from calwebb_core.framework.quicklook_grid import Frame, Line, make_grid
from calwebb_core.framework.quicklook_page import BARS
from calwebb_core.framework.quicklook_sky import Sky

Float64 = NDArray[np.float64]

WIDTH: Final = 620.0
LEFT, RIGHT, TOP, BOTTOM = 92.0, 64.0, 14.0, 46.0
FARTHEST: Final = 0.5  # degrees between exposures of one picture
SMALLEST: Final = 4.0  # arcsec that a picture shows at least
MARGIN: Final = 0.08
MOST_OUTLINES: Final = 300  # with a name each; more of them are drawn by colour and detector
ROUND_BARS: Final = (*(step * 10.0**p for p in (-2, -1) for step in (1, 2, 5)), *BARS, 7200, 18000)


@dataclass(frozen=True)
class Shape:
    """Outlines of one colour.

    Attributes
    ----------
    path : str
        Of SVG.
    colour : Colour
    title : str
    """

    path: str
    colour: Colour
    title: str


@dataclass(frozen=True)
class Tick:
    """A label of the border."""

    x: float
    y: float
    text: str


@dataclass(frozen=True)
class Field:
    """A picture of the sky.

    Attributes
    ----------
    title, summary : str
        What it shows, in a few words and in a sentence.
    width, height : float
    box : (float, float, float, float)
        x, y, width and height of the framed part.
    grid : list of str
        Paths of the lines.
    below, beside : list of Tick
    shapes : list of Shape
    bar : (float, str)
        Length and meaning of the scale bar.
    opacity, stroke : float
        Of each outline's inside, and how wide its line is.
    colours : list of Colour
    """

    title: str
    summary: str
    width: float
    height: float
    box: tuple[float, float, float, float]
    grid: list[str]
    below: list[Tick]
    beside: list[Tick]
    shapes: list[Shape]
    bar: tuple[float, str]
    opacity: float
    stroke: float
    colours: list[Colour]


def fields_of(target: Target, colours: Mapping[str, Colour]) -> list[Field]:
    """Return the pictures of a target's exposures: one for each place on the sky."""
    groups = near(target.exposures)
    return [
        field_of(group, colours, f"{target.name}{f', field {n}' if len(groups) > 1 else ''}")
        for n, group in enumerate(groups, 1)
    ]


def near(exposures: Sequence[Exposure]) -> list[list[Exposure]]:
    """Return groups of exposures that lie together, those without a position left out."""
    groups: list[tuple[Float64, list[Exposure]]] = []
    for item in exposures:
        place = item.corners[0] if item.corners else item.position
        if place is None:
            continue
        vector = unit(*place)
        nearest = max(groups, key=lambda group: float(group[0] @ vector), default=None)
        if nearest is not None and nearest[0] @ vector > np.cos(np.radians(FARTHEST)):
            nearest[1].append(item)
        else:
            groups.append((vector, [item]))
    return [group for _, group in groups]


def unit(ra: float, dec: float) -> Float64:
    """Return the unit vector of a position in degrees."""
    a, d = np.radians([ra, dec])
    return np.array([np.cos(d) * np.cos(a), np.cos(d) * np.sin(a), np.sin(d)])


def field_of(exposures: Sequence[Exposure], colours: Mapping[str, Colour], title: str) -> Field:
    """Return the picture of some exposures."""
    outlines = [np.array(_points(item)) for item in exposures]
    sky = plane(np.concatenate(outlines))
    places = [np.stack(sky.pixels(*outline.T), axis=-1) for outline in outlines]
    frame = frame_of(np.concatenate(places))
    inner = WIDTH - LEFT - RIGHT
    height = inner * (frame[3] - frame[2]) / (frame[1] - frame[0])
    view = View(frame, inner, height)
    grid = make_grid(sky, frame, inner / 130, max(height / 80, 2.5))
    found = legend(exposures, colours)
    outlined = sum(bool(item.corners) for item in exposures)
    points = len(exposures) - outlined
    only = f"; of {points} only the position is known" if points else ""
    shapes = shapes_of(exposures, places, view, colours)
    names = ", ".join(colour.name for colour in found[:12])
    return Field(
        title=title,
        summary=f"{counted(len(exposures), 'exposure')} of {title} on the sky: {names}{only}.",
        width=WIDTH,
        height=height + TOP + BOTTOM,
        box=(LEFT, TOP, inner, height),
        grid=[view.path(line.x[::8], line.y[::8]) for line in (*grid.meridians, *grid.parallels)],
        below=view.ticks(grid.meridians, bottom=True),
        beside=view.ticks(grid.parallels, bottom=False),
        shapes=shapes,
        bar=scale_bar(view),
        opacity=round(min(0.1, max(0.004, 0.5 / len(shapes))), 4),
        stroke=round(min(1.5, max(0.4, 15 / len(exposures) ** 0.5)), 2),
        colours=found,
    )


def _points(exposure: Exposure) -> list[tuple[float, float]]:
    if exposure.corners:
        return list(exposure.corners)
    return [exposure.position] if exposure.position is not None else []


def plane(points: Float64) -> Sky:
    """Return a tangent plane in the middle of positions (n, 2), one arcsec a pixel."""
    middle = np.mean([unit(ra, dec) for ra, dec in points], axis=0)
    ra = np.degrees(np.arctan2(middle[1], middle[0])) % 360
    dec = np.degrees(np.arctan2(middle[2], np.hypot(*middle[:2])))
    matrix = np.array([[-1.0, 0.0], [0.0, 1.0]]) / 3600
    return Sky((0.0, 0.0), (float(ra), float(dec)), matrix)


def frame_of(points: Float64) -> Frame:
    """Return the borders of a picture of points in arcsec: at most twice as wide as high."""
    points = points[np.isfinite(points).all(axis=1)]
    low, high = points.min(axis=0), points.max(axis=0)
    size = np.maximum((high - low) * (1 + 2 * MARGIN), SMALLEST)
    size = np.maximum(size, [size[1] / 1.1, size[0] / 2])
    middle = (low + high) / 2
    left, bottom = middle - size / 2
    right, top = middle + size / 2
    return float(left), float(right), float(bottom), float(top)


@dataclass(frozen=True)
class View:
    """From arcsec on the plane to the picture."""

    frame: Frame
    width: float
    height: float

    @property
    def scale(self) -> float:
        """Units of the picture in an arcsec."""
        return self.width / (self.frame[1] - self.frame[0])

    def place(self, x: float, y: float) -> tuple[float, float]:
        """Return where a point of the plane is in the picture."""
        return LEFT + (x - self.frame[0]) * self.scale, TOP + (self.frame[3] - y) * self.scale

    def path(self, x: Float64, y: Float64, *, closed: bool = False) -> str:
        """Return a path through points."""
        places = (self.place(float(a), float(b)) for a, b in zip(x, y, strict=True))
        words = " ".join(f"{a:.1f},{b:.1f}" for a, b in places if np.isfinite([a, b]).all())
        return f"M{words}{'Z' if closed else ''}" if words else ""

    def ticks(self, lines: Sequence[Line], *, bottom: bool) -> list[Tick]:
        """Return the labels where lines meet the lower or the left border."""
        found = []
        for line in lines:
            at = line.crossing(self.frame, bottom=bottom)
            if at is None:
                continue
            x, y = self.place(*((at, self.frame[2]) if bottom else (self.frame[0], at)))
            found.append(Tick(round(x, 1), round(y, 1), line.label))
        return found


def shapes_of(
    exposures: Sequence[Exposure],
    places: Sequence[Float64],
    view: View,
    colours: Mapping[str, Colour],
) -> list[Shape]:
    """Return the outlines: each with its name, or by colour and detector where they are many."""
    groups: dict[tuple[str, str], list[str]] = defaultdict(list)
    few = len(exposures) <= MOST_OUTLINES
    for item, place in zip(exposures, places, strict=True):
        name = item.root if few else item.detector
        groups[colour_key(item), name].append(_outline(place, view))
    return [
        Shape("".join(groups[pair]), colours[pair[0]], _title(*pair, len(groups[pair]), few=few))
        for pair in sorted(groups)
    ]


def _title(key: str, name: str, count: int, *, few: bool) -> str:
    return f"{name}: {key}" if few else f"{name}: {key}, {counted(count, 'exposure')}"


def _outline(place: Float64, view: View) -> str:
    """Return the path of an outline, a cross for a single point."""
    if len(place) > 1:
        return view.path(place[:, 0], place[:, 1], closed=True)
    x, y = view.place(float(place[0, 0]), float(place[0, 1]))
    return f"M{x - 6:.1f},{y:.1f}h12M{x:.1f},{y - 6:.1f}v12"


def scale_bar(view: View) -> tuple[float, str]:
    """Return length and meaning of a bar of at most a quarter of the picture."""
    longest = 0.25 * view.width / view.scale
    length = max((float(x) for x in ROUND_BARS if x <= longest), default=longest)
    if length >= 3600:
        text = f"{length / 3600:g}\N{DEGREE SIGN}"
    else:
        text = f"{length / 60:g}\N{PRIME}" if length >= 60 else f"{length:g}\N{DOUBLE PRIME}"
    return round(length * view.scale, 1), text
