"""When the exposures were taken: a line a detector, the time between visits pressed together."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from calwebb_associate.summary.colours import Colour, colour_key, legend
from calwebb_associate.summary.observed import Exposure
from calwebb_associate.summary.text import clean, counted, duration, moment

DAY: Final = 86400.0
GAP: Final = 3600.0  # seconds without exposures that are pressed together, at first
MOST_BLOCKS: Final = 60
LEFT: Final = 136.0
ROW, BAR = 20.0, 12.0
TOP: Final = 10.0
BOTTOM: Final = 44.0
SPACE: Final = 46.0  # width of what was pressed together
NARROWEST: Final = 128.0  # a block: room for its date
WHOLE: Final = 1120.0
THINNEST: Final = 1.5


@dataclass(frozen=True)
class Bar:
    """An exposure."""

    x: float
    y: float
    width: float
    colour: Colour
    title: str


@dataclass(frozen=True)
class Block:
    """A stretch of time with exposures: place, and when and how long it was."""

    x: float
    width: float
    start: str
    length: str


@dataclass(frozen=True)
class Gap:
    """A stretch of time without exposures, pressed together."""

    x: float
    text: str


@dataclass(frozen=True)
class Timeline:
    """A picture of the time line.

    Attributes
    ----------
    width, height, base : float
        Size, and where the axis is.
    rows : list of (float, str)
        Where each detector's line is.
    bars : list of Bar
    blocks : list of Block
    gaps : list of Gap
    colours : list of Colour
    summary : str
    undated : int
        Exposures whose time is not known.
    """

    width: float
    height: float
    base: float
    rows: list[tuple[float, str]]
    bars: list[Bar]
    blocks: list[Block]
    gaps: list[Gap]
    colours: list[Colour]
    summary: str
    undated: int


@dataclass(frozen=True)
class _Span:
    """A stretch of time in days and where it is in the picture."""

    start: float
    end: float
    x: float = 0.0
    width: float = 0.0

    def place(self, mjd: float) -> float:
        """Return where a moment is."""
        length = self.end - self.start
        return self.x + (self.width * (mjd - self.start) / length if length else 0.0)


def timeline_of(exposures: Sequence[Exposure], colours: Mapping[str, Colour]) -> Timeline | None:
    """Return the time line, or None without a single time."""
    dated = [item for item in exposures if item.start is not None]
    if not dated:
        return None
    spans = placed(stretches([times(item) for item in dated]))
    lines = sorted({line(item) for item in dated})
    rows = {name: TOP + ROW * number for number, name in enumerate(lines)}
    base = TOP + ROW * len(lines) + 2
    width = spans[-1].x + spans[-1].width + 14
    first, last = spans[0].start, spans[-1].end
    return Timeline(
        width=round(width, 1),
        height=base + BOTTOM,
        base=base,
        rows=[(y + BAR / 2, name) for name, y in rows.items()],
        bars=[_bar(item, spans, rows[line(item)], colours) for item in dated],
        blocks=[
            Block(
                round(span.x, 1),
                round(span.width, 1),
                moment(span.start)[:16],
                duration((span.end - span.start) * DAY),
            )
            for span in spans
        ],
        gaps=[
            Gap(
                round(before.x + before.width + SPACE / 2, 1),
                duration((after.start - before.end) * DAY),
            )
            for before, after in pairwise(spans)
        ],
        colours=legend(dated, colours),
        summary=f"From {moment(first)} to {moment(last)} UTC, "
        f"{counted(len(dated), 'exposure')} in {counted(len(spans), 'stretch')} of time.",
        undated=len(exposures) - len(dated),
    )


def line(exposure: Exposure) -> str:
    """Return the line of an exposure: its detector."""
    return clean(f"{exposure.instrument} {exposure.detector}"[:24])


def times(exposure: Exposure) -> tuple[float, float]:
    """Return start and end of an exposure."""
    start = exposure.start or 0.0
    end = exposure.end
    if end is None or not start <= end < start + 30:
        end = start + (exposure.seconds or 0.0) / DAY
    return start, end


def stretches(moments: Sequence[tuple[float, float]]) -> list[_Span]:
    """Return the stretches of time with exposures; not more than fit into the picture."""
    gap = GAP / DAY
    found = _together(moments, gap)
    while len(found) > MOST_BLOCKS:
        gap *= 2
        found = _together(moments, gap)
    return found


def _together(moments: Sequence[tuple[float, float]], gap: float) -> list[_Span]:
    """Join what is not farther apart than `gap` days."""
    found: list[_Span] = []
    for start, end in sorted(moments):
        if found and start - found[-1].end <= gap:
            found[-1] = _Span(found[-1].start, max(end, found[-1].end))
        else:
            found.append(_Span(start, end))
    return found


def placed(spans: Sequence[_Span]) -> list[_Span]:
    """Give each stretch its place: as wide as it is long, but never too narrow for its date."""
    total = math.fsum(span.end - span.start for span in spans) or 1.0
    room = max(WHOLE - LEFT - SPACE * (len(spans) - 1), NARROWEST)
    x, found = LEFT, []
    for span in spans:
        width = max(NARROWEST, room * (span.end - span.start) / total)
        found.append(_Span(span.start, span.end, x, width))
        x += width + SPACE
    return found


def _bar(
    exposure: Exposure, spans: Sequence[_Span], y: float, colours: Mapping[str, Colour]
) -> Bar:
    start, end = times(exposure)
    span = next(span for span in spans if span.start <= start <= span.end)
    x = span.place(start)
    key = colour_key(exposure)
    return Bar(
        x=round(x, 2),
        y=y,
        width=round(max(span.place(end) - x, THINNEST), 2),
        colour=colours[key],
        title=f"{exposure.root}: {key}, {moment(start)} UTC, {duration((end - start) * DAY)}",
    )
