"""The figure of a quick look: stretch, sky axes, colour bar and title."""

import warnings
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calwebb_core.framework.fits_layout import Hdu
from calwebb_core.framework.metadata import Metadata

Float32 = NDArray[np.float32]
Box = tuple[float, float, float, float]

DPI = 110
INCHES = 7.0  # longer side of the image
LEFT, RIGHT, BOTTOM, TOP = 1.1, 1.3, 0.7, 0.6  # margins in inches; the colour bar is in RIGHT
NARROWEST = 7.5  # inches: room for the title


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


def sky_axes(header: Any) -> Any:
    """Return the celestial WCS of a SCI header, or None without one."""
    from astropy.utils.exceptions import AstropyWarning
    from astropy.wcs import WCS, WcsError

    if not str(header.get("CTYPE1", "")).startswith("RA---"):
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", AstropyWarning)
        try:
            wcs = WCS(header, naxis=2)
        except (WcsError, ValueError, KeyError):
            return None
    return wcs if wcs.has_celestial else None


def draw(image: Float32, factor: int, science: Hdu, metadata: Metadata, *, labels: bool) -> Any:
    """Return the matplotlib figure of an image."""
    import matplotlib as mpl
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    with mpl.rc_context():
        mpl.rcdefaults()
        ny, nx = science.shape[-2:]
        size, box, bar_box = page(ny, nx)
        figure = Figure(figsize=size)
        FigureCanvasAgg(figure)
        wcs = sky_axes(science.header)
        axes = figure.add_axes(box, projection=wcs)
        shown = show_labels(axes, image) if labels else show_image(axes, image)
        shown.set_extent((-0.5, factor * image.shape[1] - 0.5, -0.5, factor * image.shape[0] - 0.5))
        axes.set(xlim=(-0.5, nx - 0.5), ylim=(-0.5, ny - 0.5), aspect="auto")
        decorate(axes, sky=wcs is not None)
        figure.suptitle("\n".join(title(metadata)), fontsize=9, y=1 - 0.12 / size[1])
        if not labels:
            add_bar(figure, figure.add_axes(bar_box), shown, quantity(science, metadata))
        figure.draw_without_rendering()
    return figure


def page(ny: int, nx: int) -> tuple[tuple[float, float], Box, Box]:
    """Return the size of the page in inches and the boxes of image and colour bar in parts of it.

    Pixels are square, but a strip is at least a twelfth of its length wide.
    """
    scale = INCHES / max(ny, nx)
    width, height = (max(scale * count, INCHES / 12) for count in (nx, ny))
    left = max(LEFT, (NARROWEST - width) / 2)
    page_width = max(left + width + RIGHT, NARROWEST)
    page_height = BOTTOM + height + TOP
    bottom, part = BOTTOM / page_height, height / page_height
    box = (left / page_width, bottom, width / page_width, part)
    bar = ((left + width + 0.15) / page_width, bottom, 0.2 / page_width, part)
    return (page_width, page_height), box, bar


def add_bar(figure: Any, axes: Any, shown: Any, text: str) -> None:
    """Draw the colour bar with round numbers at even steps of colour."""
    from matplotlib.ticker import FixedLocator, FormatStrFormatter, NullLocator

    steps = np.asarray(shown.norm.inverse(np.linspace(0.02, 0.98, 7)))
    span = float(np.min(np.diff(steps)))
    digits = int(np.ceil(-np.log10(span))) if span > 0 else 0
    bar = figure.colorbar(shown, cax=axes)
    bar.ax.yaxis.set_major_locator(
        FixedLocator([round(float(step), digits) + 0.0 for step in steps])
    )
    bar.ax.yaxis.set_minor_locator(NullLocator())
    bar.ax.yaxis.set_major_formatter(FormatStrFormatter("%.6g"))
    bar.ax.tick_params(labelsize=8)
    bar.set_label(text, fontsize=9)


def show_image(axes: Any, image: Float32) -> Any:
    """Draw an image with a stretch that is linear in the background and logarithmic above."""
    import matplotlib as mpl
    from matplotlib.colors import AsinhNorm

    low, high, width = limits(image)
    norm = AsinhNorm(linear_width=width, vmin=low, vmax=high)
    colours = mpl.colormaps["inferno"].with_extremes(bad="#7a8a99")
    return axes.imshow(image, origin="lower", norm=norm, cmap=colours, interpolation="nearest")


def show_labels(axes: Any, image: Float32) -> Any:
    """Draw a segmentation map: neighbouring labels in different colours, black without source."""
    import matplotlib as mpl

    colours = mpl.colormaps["tab20"](np.arange(20))[:, :3]
    labels = image.astype(np.int64)
    picture = np.where((labels > 0)[..., None], colours[labels % 20], 0.0)
    return axes.imshow(picture, origin="lower", interpolation="nearest")


def decorate(axes: Any, *, sky: bool) -> None:
    """Label the axes: right ascension and declination, or pixels."""
    if not sky:
        axes.set_xlabel("column (0-based pixel)", fontsize=9)
        axes.set_ylabel("row (0-based pixel)", fontsize=9)
        axes.tick_params(labelsize=8)
        return
    for coordinate, label in zip(axes.coords, ("right ascension", "declination"), strict=True):
        coordinate.set_axislabel(f"{label} (ICRS)", fontsize=9)
        coordinate.set_ticklabel(size=8, exclude_overlapping=True)
    axes.coords.grid(color="white", alpha=0.25, linewidth=0.5)


def title(metadata: Metadata) -> list[str]:
    """Return product, then target, optical elements and detector as far as they are known."""
    target = metadata.get("TARGPROP") or metadata.get("TARGNAME")
    elements = [str(metadata[key]) for key in ("FILTER", "PUPIL", "GRATING") if metadata.get(key)]
    parts = [target, " + ".join(elements), metadata.get("DETECTOR"), metadata.get("SUBARRAY")]
    second = "   ".join(str(part) for part in parts if part)
    return [Path(metadata.source).name, *([second] if second else [])]


def quantity(science: Hdu, metadata: Metadata) -> str:
    """Return the text beside the colour bar: what is shown and its unit."""
    what = {2: "", 3: f"mean of {science.shape[0]} integrations, "}.get(
        len(science.shape), "last minus first group, "
    )
    unit = str(metadata.get("BUNIT") or "no unit given")
    return f"{what}{unit} (asinh stretch)"
