"""Where the exposures of a mosaic lie on the sky: their outlines over that of the mosaic."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calwebb_core.framework.errors import InputError
from calwebb_core.framework.fits_headers import metadata_from
from calwebb_core.framework.fits_layout import find, require, scan
from calwebb_core.framework.fits_read import read_tables
from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.quicklook_figure import title
from calwebb_core.framework.quicklook_grid import Frame
from calwebb_core.framework.quicklook_page import (
    LONGEST,
    Layout,
    limit,
    new_page,
    save,
    sky_axes,
)
from calwebb_core.framework.quicklook_sky import Sky

Float64 = NDArray[np.float64]

# Okabe and Ito's colours: told apart by everybody.
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000", "#b5a800")
STYLES = ("-", "--", ":", "-.")
MARGIN = 0.06
MOST_NAMES = 20
REGION = "S_REGION"


@dataclass(frozen=True)
class Outline:
    """The outline of an exposure.

    Attributes
    ----------
    name : str
        File name up to the suffix.
    detector : str
    corners : float64 (n, 2)
        Right ascension and declination, degrees.
    """

    name: str
    detector: str
    corners: Float64


def write_footprint(mosaic: Path, png: Path) -> None:
    """Draw the outlines of a mosaic's exposures, from its HDRTAB table, as a PNG file.

    Parameters
    ----------
    mosaic : Path
        `_i2d` product.
    png : Path
        File to write, whole or not at all.

    Raises
    ------
    InputError
        If it has no sky coordinates or no table of its exposures.
    """
    mosaic = Path(mosaic)
    hdus = scan(mosaic)
    science = require(mosaic, hdus, "SCI")
    sky = Sky.of(science.header)
    if sky is None or find(hdus, "HDRTAB") is None:
        msg = f"{mosaic}: has no sky coordinates or no table HDRTAB; expected a mosaic (_i2d)"
        raise InputError(msg)
    outlines = read_outlines(mosaic)
    metadata = metadata_from(mosaic, {hdu.name: hdu.header for hdu in hdus})
    save(page(sky, (science.shape[-2], science.shape[-1]), outlines, metadata), png, [mosaic])


def read_outlines(mosaic: Path) -> list[Outline]:
    """Read the outlines of a mosaic's exposures.

    Raises
    ------
    InputError
        If none has an S_REGION.
    """
    table = read_tables(mosaic, ["HDRTAB"])["HDRTAB"].data
    columns = table.dtype.names or ()
    texts = {
        name: [text_of(value) for value in table[name]]
        for name in ("FILENAME", "DETECTOR", REGION)
        if name in columns
    }
    empty = [""] * len(table)
    rows = zip(*(texts.get(name, empty) for name in ("FILENAME", "DETECTOR", REGION)), strict=True)
    found = [
        Outline(name.rpartition("_")[0] or name, detector, corners(region))
        for name, detector, region in rows
        if region
    ]
    if not found:
        msg = (
            f"{mosaic}: HDRTAB has no {REGION} of any exposure; run calwebb-image2 and image3 again"
        )
        raise InputError(msg)
    return found


def text_of(value: Any) -> str:
    """Return a table's text."""
    return (value.decode("ascii", "replace") if isinstance(value, bytes) else str(value)).strip()


def corners(region: str) -> Float64:
    """Return the corners that "POLYGON ICRS ra dec ra dec ..." names, float64 (n, 2)."""
    words = [word for word in region.split() if word[0] in "+-.0123456789"]
    return np.array(words, np.float64).reshape(-1, 2)


def page(sky: Sky, shape: tuple[int, int], outlines: list[Outline], metadata: Metadata) -> Any:
    """Return the figure of outlines."""
    ny, nx = shape
    border = np.array([(-0.5, -0.5), (nx - 0.5, -0.5), (nx - 0.5, ny - 0.5), (-0.5, ny - 0.5)])
    places = [np.stack(sky.pixels(*outline.corners.T), axis=-1) for outline in outlines]
    frame = frame_around(np.concatenate([border, *places]))
    layout = layout_of(frame)
    count = f"{len(outlines)} exposure{'s' * (len(outlines) > 1)}"
    figure, axes = new_page(layout, title(metadata, count))
    axes.set_facecolor("#f6f6f2")
    limit(axes, frame)
    sky_axes(axes, sky, frame, layout, dark=False)
    axes.fill(*border.T, facecolor="white", edgecolor="#505860", linewidth=1.2, zorder=1.5)
    draw_outlines(axes, outlines, places)
    legend(figure, axes, layout)
    limit(axes, frame)
    return figure


def draw_outlines(axes: Any, outlines: list[Outline], places: list[Float64]) -> None:
    """Draw each outline in the colour of its detector, or of its exposure if all are of one."""
    detectors = sorted({outline.detector for outline in outlines})
    by_detector = len(detectors) > 1
    keys = detectors if by_detector else [outline.name for outline in outlines]
    named = set()
    for outline, place in zip(outlines, places, strict=True):
        key = outline.detector if by_detector else outline.name
        number = keys.index(key)
        colour = COLOURS[number % len(COLOURS)]
        style = STYLES[number // len(COLOURS) % len(STYLES)]
        closed = np.concatenate([place, place[:1]])
        axes.fill(*place.T, facecolor=colour, alpha=max(0.04, 0.25 / len(outlines)), zorder=2)
        axes.plot(
            *closed.T, color=colour, linestyle=style, linewidth=1.2, zorder=3,
            label=None if key in named else short(key, keys),
        )  # fmt: skip
        named.add(key)


def short(name: str, others: Iterable[str]) -> str:
    """Return the parts of an exposure's name that differ from those of others."""
    parts = name.split("_")
    columns = list(zip(*(other.split("_") for other in others), strict=False))
    differing = [part for part, column in zip(parts, columns, strict=False) if len(set(column)) > 1]
    return " ".join(differing) or name


def legend(figure: Any, axes: Any, layout: Layout) -> None:
    """Name the colours to the right of the picture, unless they are too many."""
    handles, names = axes.get_legend_handles_labels()
    if len(names) > MOST_NAMES:
        handles, names = handles[:MOST_NAMES], [*names[: MOST_NAMES - 1], "..."]
    x, y, _, height = layout.bar
    drawn = figure.legend(
        handles, names, loc="upper left", bbox_to_anchor=(x - 6 / layout.width, y + height),
        fontsize=8, frameon=False, handlelength=1.4, borderaxespad=0,
    )  # fmt: skip
    for text in drawn.get_texts():
        text.set_parse_math(False)


def frame_around(points: Float64) -> Frame:
    """Return the borders of a picture of all points, with a margin, at most 3 to 1."""
    points = points[np.isfinite(points).all(axis=1)]
    low, high = points.min(axis=0), points.max(axis=0)
    size = (high - low) * (1 + 2 * MARGIN)
    size = np.maximum(size, size.max() / 3)
    middle = (low + high) / 2
    left, bottom = middle - size / 2
    right, top = middle + size / 2
    return float(left), float(right), float(bottom), float(top)


def layout_of(frame: Frame) -> Layout:
    """Return the layout for borders in pixels."""
    width, height = frame[1] - frame[0], frame[3] - frame[2]
    scale = LONGEST / max(width, height)
    return Layout.of(max(1, round(height * scale)), max(1, round(width * scale)))
