"""The figure of a quick look: stretch, colours, colour bar and title."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calwebb_core.framework.fits_layout import Hdu
from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.quicklook_grid import Frame
from calwebb_core.framework.quicklook_page import (
    INK,
    MISSING,
    Layout,
    new_page,
    outlined,
    pixel_axes,
    show,
    sky_axes,
)
from calwebb_core.framework.quicklook_sky import Sky

Float32 = NDArray[np.float32]
UInt8 = NDArray[np.uint8]

LEVELS = 96  # colours of the map: more cannot be told apart
Sources = Iterable[tuple[float, float, bool]]


def limits(image: Float32) -> tuple[float, float, float]:
    """Return the darkest and brightest value to show and the width of the linear range.

    The background keeps a tenth of the range: from 3 sigma (from the median absolute
    deviation) below the median to the 99.7th percentile, linear within 3 sigma.
    """
    good = image[np.isfinite(image)]
    if good.size == 0:
        return 0.0, 1.0, 1.0
    middle = float(np.median(good))
    sigma = 1.4826 * float(np.median(np.abs(good - middle)))
    low = max(float(good.min()), middle - 3 * sigma)
    high = max(float(np.percentile(good, 99.7)), middle + 5 * sigma)
    if not high > low:
        low, high = low - 0.5, low + 0.5
    return low, high, max(3 * sigma, (high - low) / 1000)


def colour_map() -> UInt8:
    """Return the colours from dark to bright, uint8 (LEVELS, 3): seen the same by everybody."""
    import matplotlib as mpl

    table = mpl.colormaps["inferno"](np.linspace(0, 1, LEVELS))[:, :3]
    return np.asarray((255 * table).round().astype(np.uint8))


def stretched(image: Float32, low: float, high: float, width: float) -> Float32:
    """Return 0 to 1, linear within `width` of the darkest value and logarithmic above.

    The logarithm is taken in double precision: in single, C libraries round it otherwise.
    """
    top = np.arcsinh((high - low) / width)
    above = (image - np.float32(low)) / np.float32(width)
    scaled = np.arcsinh(above, dtype=np.float64) / top
    return np.asarray(scaled.clip(0, 1), np.float32)


def rgb(name: str) -> UInt8:
    """Return "#rrggbb" as uint8 (3,)."""
    return np.array([int(name[i : i + 2], 16) for i in (1, 3, 5)], np.uint8)


def coloured(image: Float32, table: UInt8) -> tuple[UInt8, tuple[float, float, float]]:
    """Return the picture of an image, uint8 (ny, nx, 3), and its limits."""
    found = limits(image)
    good = np.isfinite(image)
    index = np.where(good, stretched(image, *found), 0) * (len(table) - 1)
    picture = table[(index + np.float32(0.5)).astype(np.intp)]
    picture[~good] = rgb(MISSING)
    return picture, found


def coloured_labels(image: Float32) -> UInt8:
    """Return a segmentation map: neighbouring labels in different colours, black elsewhere."""
    import matplotlib as mpl

    table = (255 * mpl.colormaps["tab20"](np.arange(20))[:, :3]).round().astype(np.uint8)
    labels = image.astype(np.int64)
    return np.where((labels > 0)[..., None], table[labels * 7 % 20], np.uint8(0))


def draw(
    image: Float32,
    factor: int,
    science: Hdu,
    metadata: Metadata,
    *,
    labels: bool,
    sources: Sources = (),
    notes: str = "",
) -> tuple[Any, UInt8 | None]:
    """Return the matplotlib figure of an image and the colours for its palette.

    Parameters
    ----------
    image : float32 (ny, nx)
    factor : int
        Pixels averaged along each axis.
    science : Hdu
    metadata : Metadata
    labels : bool
        Whether it is a segmentation map.
    sources : iterable of (x, y, extended)
        To mark, in pixels.
    notes : str
        Put behind the second line of the title.
    """
    layout = Layout.of(*image.shape)
    figure, axes = new_page(layout, title(metadata, notes))
    frame = frame_of(image, factor)
    sky = Sky.of(science.header)
    table = colour_map()
    if labels:
        show(axes, coloured_labels(image), layout, frame)
    else:
        picture, found = coloured(image, table)
        show(axes, picture, layout, frame)
        add_bar(figure.add_axes(layout.bar), table, found, quantity(science, metadata))
    if sky is None:
        pixel_axes(axes)
    else:
        sky_axes(axes, sky, frame, layout)
    mark(axes, sources)
    return figure, None if labels else table


def frame_of(image: Float32, factor: int) -> Frame:
    """Return the borders of an image in pixels of the product."""
    ny, nx = image.shape
    return -0.5, factor * nx - 0.5, -0.5, factor * ny - 0.5


def mark(axes: Any, sources: Sources) -> None:
    """Draw crosses on point sources and circles around extended ones."""
    found = list(sources)
    size = 2.5 if len(found) > 400 else 5.5
    for extended, form, name in ((False, "+", "point source"), (True, "o", "extended source")):
        places = np.array([(x, y) for x, y, kind in found if kind == extended])
        if places.size:
            axes.plot(
                *places.T, form, markersize=size, markerfacecolor="none", scalex=False,
                scaley=False, label=f"{len(places)} {name}{'s' * (len(places) > 1)}",
                markeredgewidth=0.8, **outlined(dark=True),
            )  # fmt: skip
    if found:
        axes.legend(loc="lower left", fontsize=8, facecolor="#404850", labelcolor="white")


def add_bar(axes: Any, table: UInt8, found: tuple[float, float, float], text: str) -> None:
    """Draw the colour bar with round numbers at even steps of colour."""
    low, high, width = found
    axes.imshow(table[:, None], origin="lower", aspect="auto", extent=(0, 1, 0, 1))
    top = np.arcsinh((high - low) / width)
    steps = low + width * np.sinh(np.linspace(0.02, 0.98, 7) * top)
    span = float(np.min(np.diff(steps)))
    digits = int(np.ceil(-np.log10(span))) if span > 0 else 0
    values = [round(float(step), digits) + 0.0 for step in steps]
    places = np.arcsinh((np.array(values) - low) / width) / top
    axes.yaxis.tick_right()
    axes.yaxis.set_label_position("right")
    axes.set_xticks([])
    axes.set_yticks(list(places), [f"{value:.6g}" for value in values])
    axes.set_ylim(0, 1)
    axes.tick_params(labelsize=8, colors=INK)
    axes.set_ylabel(text, fontsize=9, color=INK, parse_math=False)


def title(metadata: Metadata, notes: str = "") -> list[str]:
    """Return product, then target, optical elements and detector as far as they are known."""
    target = metadata.get("TARGPROP") or metadata.get("TARGNAME")
    elements = [str(metadata[key]) for key in ("FILTER", "PUPIL", "GRATING") if metadata.get(key)]
    parts = [
        target, metadata.get("INSTRUME"), metadata.get("DETECTOR"), " + ".join(elements),
        metadata.get("SUBARRAY"), notes,
    ]  # fmt: skip
    second = "   ".join(str(part) for part in parts if part)
    return [Path(metadata.source).name, *([second] if second else [])]


def quantity(science: Hdu, metadata: Metadata) -> str:
    """Return the text beside the colour bar: what is shown and its unit."""
    what = {2: "", 3: f"mean of {science.shape[0]} integrations, "}.get(
        len(science.shape), "last minus first group, "
    )
    unit = str(metadata.get("BUNIT") or "no unit given")
    return f"{what}{unit} (asinh stretch)"
