"""A page of panels one below the other, for spectra and light curves."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from calwebb_core.framework.quicklook_page import DPI, INK

Float64 = NDArray[np.float64]

WIDTH: Final = 1024  # pixels of the page
LEFT, RIGHT, BOTTOM, TOP = 110, 134, 64, 56
COLUMNS: Final = WIDTH - LEFT - RIGHT
BLUE, RED, GREY = "#0072b2", "#d55e00", "#7a8a99"  # told apart by everybody
NICE: Final = (1.0, 2.0, 2.5, 5.0)


@dataclass(frozen=True)
class Panels:
    """Where panels are on a page, in its pixels from the lower left corner.

    Attributes
    ----------
    heights : tuple of int
        Of the panels, from top to bottom.
    gaps : tuple of int
        Free pixels below each panel; the last has the page's margin.
    above : int
        Free pixels between title and first panel.
    columns : int
        Width of the panels.
    """

    heights: tuple[int, ...]
    gaps: tuple[int, ...]
    above: int = 0
    columns: int = COLUMNS

    @property
    def height(self) -> int:
        """Height of the page."""
        return TOP + self.above + sum(self.heights) + sum(self.gaps)

    @property
    def left(self) -> int:
        """Left border of the panels."""
        return LEFT + (COLUMNS - self.columns) // 2

    def box(self, number: int) -> tuple[int, int, int, int]:
        """Return x, y, width and height of a panel in pixels."""
        above = sum(self.heights[: number + 1]) + sum(self.gaps[:number])
        y = self.height - TOP - self.above - above
        return self.left, y, self.columns, self.heights[number]

    def part(self, box: tuple[int, int, int, int]) -> tuple[float, float, float, float]:
        """Return a box of pixels as parts of the page."""
        x, y, width, height = box
        return x / WIDTH, y / self.height, width / WIDTH, height / self.height

    def bar(self, number: int) -> tuple[float, float, float, float]:
        """Return the place of a panel's colour bar as parts of the page."""
        x, y, width, height = self.box(number)
        return self.part((x + width + 14, y, 16, height))


def stacked(count: int, height: int, gap: int, above: int = 0, columns: int = COLUMNS) -> Panels:
    """Return panels of the same height and distance."""
    return Panels((height,) * count, (*(gap,) * (count - 1), BOTTOM), above, columns)


def new_panels(panels: Panels, lines: Sequence[str]) -> tuple[Any, list[Any]]:
    """Return an empty figure with its title, and the axes of its panels."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(WIDTH / DPI, panels.height / DPI), dpi=DPI)
    FigureCanvasAgg(figure)
    for number, line in enumerate(lines):
        size = min(9.0, 9.0 * (WIDTH - 20) / max(6.4 * len(line), 1))
        figure.text(
            0.5, 1 - (16 + 19 * number) / panels.height, line, ha="center", va="center",
            fontsize=size, color=INK, fontweight="bold" if number == 0 else "normal",
            parse_math=False,  # names may hold dollars, and are no formulas
        )  # fmt: skip
    places = range(len(panels.heights))
    return figure, [figure.add_axes(panels.part(panels.box(place))) for place in places]


def style(axes: Any, below: str, beside: str) -> None:
    """Label the axes of a panel; "" leaves out the numbers below it."""
    axes.set_ylabel(beside, fontsize=9, color=INK, parse_math=False)
    if below:
        axes.set_xlabel(below, fontsize=9, color=INK, parse_math=False)
    axes.tick_params(labelsize=8, colors=INK, labelbottom=bool(below))
    axes.ticklabel_format(axis="both", useOffset=False)


def note(axes: Any, text: str, *, right: bool = False, dark: bool = False) -> None:
    """Write a line into the upper left or right corner of a panel."""
    from matplotlib.patheffects import withStroke

    front, back = ("white", "black") if dark else (INK, "white")
    width, height = axes.get_window_extent().bounds[2:]
    axes.text(
        1 - 7 / width if right else 7 / width, 1 - 6 / height, text, transform=axes.transAxes,
        fontsize=8, ha="right" if right else "left", va="top", color=front, zorder=8,
        path_effects=[withStroke(linewidth=2.2, foreground=back)], parse_math=False,
    )  # fmt: skip


def round_values(low: float, high: float, count: int) -> Float64:
    """Return at most about `count` round numbers from `low` to `high`."""
    if not high > low:
        return np.array([low])
    rough = (high - low) / max(count, 1)
    power = 10.0 ** np.floor(np.log10(rough))
    step = next((nice * power for nice in NICE if nice * power >= rough), 10 * power)
    first, last = np.ceil(low / step - 1e-9), np.floor(high / step + 1e-9)
    return np.asarray(np.arange(first, last + 1) * step)


def readable(values: Float64, places: Float64, least: float) -> list[tuple[float, float]]:
    """Return values and places without those nearer than `least` to one before, in order of place.

    Where the dispersion changes along a spectrum, round wavelengths crowd on one side.
    """
    kept: list[tuple[float, float]] = []
    for place, value in sorted(zip(places.tolist(), values.tolist(), strict=True)):
        if not kept or place - kept[-1][1] >= least:
            kept.append((value, place))
    return kept


def wavelength_ticks(along: Float64, width: int, rows: bool = False) -> list[tuple[float, float]]:
    """Return round wavelengths and where they are along an axis of pixels.

    Parameters
    ----------
    along : float64 (n,)
        Wavelength at each place, rising or falling; NaN where there is none.
    width : int
        Of the axis on the page.
    rows : bool
        Whether the numbers stand one above the other.
    """
    places = np.flatnonzero(np.isfinite(along))
    if len(places) < 2:
        return []
    found = along[places]
    order = np.argsort(found, kind="stable")
    space = 22 if rows else 44
    # many to choose from: what is too near to the one before is dropped
    values = round_values(float(found.min()), float(found.max()), max(width // space, 2))
    at = np.interp(values, found[order], places[order].astype(np.float64))
    return readable(values, at, space * (len(along) / max(width, 1)))


def labels_of(values: Sequence[float]) -> list[str]:
    """Return round numbers as text, all with as many decimals as one of them needs."""
    texts = [f"{value:.6g}" for value in values]
    digits = max((len(text.partition(".")[2]) for text in texts), default=0)
    return [f"{value:.{digits}f}" for value in values]
