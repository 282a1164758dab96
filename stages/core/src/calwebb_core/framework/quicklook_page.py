"""The page of a picture: size, sky or pixel axes, scale bar, compass, and the PNG's bytes.

Image pixels fall on whole pixels of the page: nothing is interpolated, and the file stays small.
"""

import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calwebb_core.framework.atomic import atomic_path
from calwebb_core.framework.metadata import PROVENANCE
from calwebb_core.framework.provenance import picture_record
from calwebb_core.framework.quicklook_grid import Frame, Grid, Line, make_grid
from calwebb_core.framework.quicklook_sky import Sky

UInt8 = NDArray[np.uint8]

DPI = 100
LONGEST = 760  # pixels of the page along the longer side of an image
NARROWEST = 60  # pixels of the page that a strip is wide
LEFT, RIGHT, BOTTOM, TOP = 120, 120, 75, 62  # margins; the colour bar is in RIGHT
PAGE = 800  # least width: room for the title
MISSING = "#7a8a99"
INK = "#202830"
BARS = (1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600)
STROKE = 2.2


@dataclass(frozen=True)
class Layout:
    """Where things are on a page, in its pixels from the lower left corner.

    Attributes
    ----------
    width, height : int
        Of the page.
    left : int
        Of the image.
    columns, rows : int
        Size of the image.
    repeat : (int, int)
        How often each of the data's columns and rows is repeated.
    """

    width: int
    height: int
    left: int
    columns: int
    rows: int
    repeat: tuple[int, int]

    @classmethod
    def of(cls, ny: int, nx: int) -> "Layout":
        """Return the layout for an image of ny rows and nx columns."""
        zoom = max(1, LONGEST // max(ny, nx))
        repeat = tuple(max(zoom, -(-NARROWEST // count)) for count in (nx, ny))
        columns, rows = nx * repeat[0], ny * repeat[1]
        left = max(LEFT, (PAGE - columns) // 2)
        width = max(left + columns + RIGHT, PAGE)
        return cls(width, BOTTOM + rows + TOP, left, columns, rows, (repeat[0], repeat[1]))

    def box(self, x: int, y: int, width: int, height: int) -> tuple[float, float, float, float]:
        """Return a box as parts of the page."""
        return x / self.width, y / self.height, width / self.width, height / self.height

    @property
    def image(self) -> tuple[float, float, float, float]:
        """The image as parts of the page."""
        return self.box(self.left, BOTTOM, self.columns, self.rows)

    @property
    def bar(self) -> tuple[float, float, float, float]:
        """The colour bar as parts of the page."""
        return self.box(self.left + self.columns + 16, BOTTOM, 20, self.rows)


def new_page(layout: Layout, lines: list[str]) -> tuple[Any, Any]:
    """Return an empty figure with its title, and the axes of the image."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(layout.width / DPI, layout.height / DPI), dpi=DPI)
    FigureCanvasAgg(figure)
    for number, line in enumerate(lines):
        size = min(9.0, 9.0 * (layout.width - 20) / max(6.4 * len(line), 1))
        figure.text(
            0.5, 1 - (16 + 19 * number) / layout.height, line, ha="center", va="center",
            fontsize=size, color=INK, fontweight="bold" if number == 0 else "normal",
            parse_math=False,  # names may hold dollars, and are no formulas
        )  # fmt: skip
    return figure, figure.add_axes(layout.image)


def show(axes: Any, colours: UInt8, layout: Layout, frame: Frame) -> None:
    """Draw an RGB image, uint8 (ny, nx, 3), row 0 at the bottom, over the pixels of `frame`."""
    x, y = layout.repeat
    axes.imshow(
        np.repeat(np.repeat(colours, y, 0), x, 1), origin="lower", interpolation="nearest",
        extent=frame, aspect="auto",
    )  # fmt: skip
    limit(axes, frame)


def limit(axes: Any, frame: Frame) -> None:
    """Set the borders of the axes."""
    axes.set(xlim=frame[:2], ylim=frame[2:])


def pixel_axes(axes: Any) -> None:
    """Label the axes with pixels."""
    axes.set_xlabel("column (0-based pixel)", fontsize=9)
    axes.set_ylabel("row (0-based pixel)", fontsize=9)
    axes.tick_params(labelsize=8, colors=INK)


def sky_axes(axes: Any, sky: Sky, frame: Frame, layout: Layout, *, dark: bool = True) -> None:
    """Draw lines of right ascension and declination, scale bar and compass.

    `dark` says that they are drawn on a dark image.
    """
    grid = make_grid(sky, frame, max(layout.columns / 130, 2), max(layout.rows / 90, 2))
    colour, alpha = ("white", 0.28) if dark else ("black", 0.15)
    for line in (*grid.meridians, *grid.parallels):
        axes.plot(
            line.x, line.y, color=colour, alpha=alpha, linewidth=0.6, scalex=False, scaley=False
        )
    label_axes(axes, grid, frame)
    if layout.columns >= 250 and layout.rows >= 120:
        scale_bar(axes, sky, frame, layout, dark=dark)
        compass(axes, sky, frame, layout, dark=dark)


def label_axes(axes: Any, grid: Grid, frame: Frame) -> None:
    """Write right ascension and declination where the lines meet the bottom and the left."""
    names = ("right ascension (ICRS)", "declination (ICRS)")
    below, beside = (grid.meridians, grid.parallels), names
    if grid.turned:
        below, beside = below[::-1], names[::-1]
    set_ticks(axes.xaxis, below[0], frame, bottom=True)
    set_ticks(axes.yaxis, below[1], frame, bottom=False)
    axes.set_xlabel(beside[0], fontsize=9, color=INK)
    axes.set_ylabel(beside[1], fontsize=9, color=INK)
    axes.tick_params(labelsize=8, colors=INK)


def set_ticks(axis: Any, lines: list[Line], frame: Frame, *, bottom: bool) -> None:
    """Put the ticks of an axis where lines meet it."""
    places = [(line.crossing(frame, bottom=bottom), line.label) for line in lines]
    found = [(place, text) for place, text in places if place is not None]
    axis.set_ticks([place for place, _ in found], [text for _, text in found])


def outlined(dark: bool) -> dict[str, Any]:
    """Return colour and outline of what is drawn over an image."""
    from matplotlib.patheffects import withStroke

    front, back = ("white", "black") if dark else ("black", "white")
    return {"color": front, "path_effects": [withStroke(linewidth=STROKE, foreground=back)]}


def scale_bar(axes: Any, sky: Sky, frame: Frame, layout: Layout, *, dark: bool) -> None:
    """Draw a bar of a round number of arcsec, about a fifth of the image long, lower right."""
    width = frame[1] - frame[0]
    longest = 0.26 * width * sky.scale
    small = [step * 10.0**power for power in (-3, -2, -1) for step in (1, 2, 5)]
    length = max((x for x in (*small, *BARS) if x <= longest), default=longest)
    part = length / sky.scale / width
    text = f"{length / 60:g}\u2032" if length >= 60 else f"{length:g}\u2033"
    right, up = 1 - 18 / layout.columns, 18 / layout.rows
    style = outlined(dark)
    axes.plot(
        [right - part, right], [up, up], transform=axes.transAxes, linewidth=2.0,
        solid_capstyle="butt", zorder=6, **style,
    )  # fmt: skip
    axes.text(
        right - part / 2, up + 6 / layout.rows, text, transform=axes.transAxes, fontsize=9,
        ha="center", va="bottom", zorder=6, **style,
    )  # fmt: skip


def compass(axes: Any, sky: Sky, frame: Frame, layout: Layout, *, dark: bool) -> None:
    """Draw arrows to north and east in the upper right corner."""
    vectors = sky.directions((frame[0] + frame[1]) / 2, (frame[2] + frame[3]) / 2)
    shapes = np.array([layout.columns / (frame[1] - frame[0]), layout.rows / (frame[3] - frame[2])])
    page = [vector * shapes / np.hypot(*(vector * shapes)) for vector in vectors]
    size = np.array([layout.columns, layout.rows], float)
    # both tips and letters stay inside of a square of 84 pixels
    low = np.min([[0, 0], *page], axis=0)
    high = np.max([[0, 0], *page], axis=0)
    start = size - 16 - 12 - (high * 36) - np.where(high > 0, 8, 0)
    start = np.maximum(start, 16 - low * 36)
    style = outlined(dark)
    for letter, arrow in zip("NE", page, strict=True):
        ends = np.stack([start, start + 36 * arrow]) / size
        axes.plot(*ends.T, transform=axes.transAxes, linewidth=1.6, zorder=6, **style)
        axes.text(
            *((start + 46 * arrow) / size), letter, transform=axes.transAxes, fontsize=9,
            ha="center", va="center", fontweight="bold", zorder=6, **style,
        )  # fmt: skip


def save(figure: Any, png: Path, sources: Sequence[Path], colours: UInt8 | None = None) -> None:
    """Write a figure as a PNG, whole or not at all.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
    png : Path
    sources : sequence of Path
        What is shown: names and checksums are noted in the file.
    colours : uint8 (n, 3), optional
        Colours of the image, at most 160: the picture gets a palette of these, of greys and of
        some others. Without, it keeps all its colours.
    """
    from PIL import Image

    figure.canvas.draw()
    pixels = np.asarray(figure.canvas.buffer_rgba())[..., :3]
    picture = Image.fromarray(np.ascontiguousarray(pixels))
    if colours is not None:
        picture = picture.quantize(palette=palette(colours), dither=Image.Dither.NONE)
    buffer = io.BytesIO()
    picture.save(buffer, format="png", compress_level=7, pnginfo=origin(sources))
    with atomic_path(Path(png)) as temporary:
        temporary.write_bytes(buffer.getvalue())


def origin(sources: Sequence[Path]) -> Any:
    """Return the texts of a PNG that say what drew it, and of which files."""
    from PIL.PngImagePlugin import PngInfo

    texts = PngInfo()
    texts.add_text(PROVENANCE, json.dumps(picture_record(sources), sort_keys=True))
    return texts


def palette(colours: UInt8) -> Any:
    """Return a palette of an image's colours, greys, and the colour of missing pixels."""
    from PIL import Image

    missing = [int(MISSING[i : i + 2], 16) for i in (1, 3, 5)]
    greys = np.linspace(0, 255, 254 - len(colours)).round()[:, None].repeat(3, 1)
    ink = [int(INK[i : i + 2], 16) for i in (1, 3, 5)]
    table = np.concatenate([colours, [missing, ink], greys]).astype(np.uint8)
    holder = Image.new("P", (1, 1))
    holder.putpalette(table.tobytes())
    return holder
