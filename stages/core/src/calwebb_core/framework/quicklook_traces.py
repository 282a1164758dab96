"""A picture of spectra in two dimensions: slits one below the other, with axes of wavelength.

The dispersion runs from left to right, in the order of the pixels. A cube is shown as the mean of
its integrations. Where the spectra that were extracted are given, their apertures are drawn.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from calwebb_core.framework.errors import InputError
from calwebb_core.framework.fits_headers import metadata_from
from calwebb_core.framework.fits_layout import Hdu
from calwebb_core.framework.quicklook_dispersed import (
    Box,
    Float32,
    Float64,
    Trace,
    apertures_of,
    trace_of,
    wavelengths_of,
)
from calwebb_core.framework.quicklook_figure import add_bar, colour_map, coloured, title
from calwebb_core.framework.quicklook_image import divide
from calwebb_core.framework.quicklook_page import INK
from calwebb_core.framework.quicklook_panels import (
    BOTTOM,
    COLUMNS,
    Panels,
    labels_of,
    new_panels,
    note,
    wavelength_ticks,
)

MOST: Final = 12  # panels of a page
TALLEST, ALL = 420, 900  # pixels of the page: of a panel, of all together
LOWEST: Final = 120
GAP: Final = 88  # axes of pixels and of wavelength between two panels
ABOVE: Final = 38


def draw_traces(
    product: Path, hdus: list[Hdu], spectra: Path | None = None
) -> tuple[Any, NDArray[np.uint8]]:
    """Return the figure of a product of spectra in two dimensions, and the colours it uses.

    Parameters
    ----------
    product : Path
    hdus : list of Hdu
    spectra : Path, optional
        What was extracted of it (`_x1d`, `_x1dints`), for the apertures.

    Raises
    ------
    InputError
        If an array is none of a spectrum, or the product is damaged.
    """
    science = [hdu for hdu in hdus if hdu.name == "SCI" and hdu.is_image]
    for hdu in science:
        check_shape(product, hdu)
    metadata = metadata_from(product, {"PRIMARY": hdus[0].header, "SCI": science[0].header})
    found = wavelengths_of(product, hdus, science)
    boxes: list[tuple[Box, ...]] = [()] * len(science)
    if spectra is not None:
        boxes = apertures_of(spectra, science)
    shown = list(zip(science, found, boxes, strict=True))[:MOST]
    traces = [trace_of(product, hdus, *parts) for parts in shown]
    return page(traces, title(metadata, remarks(science))), colour_map()


def check_shape(product: Path, science: Hdu) -> None:
    """Refuse an array that is neither a spectrum nor a cube of them."""
    if len(science.shape) not in (2, 3) or 0 in science.shape:
        msg = (
            f"{product}: SCI {science.version} has shape {science.shape}; expected a spectrum "
            "(2-D) or one per integration (3-D)"
        )
        raise InputError(msg)


def remarks(science: Sequence[Hdu]) -> str:
    """Return what is said about the picture beside the target."""
    shape = science[0].shape
    parts = [
        f"mean of {shape[0]} integrations" if len(shape) > 2 else "",
        f"{MOST} of {len(science)} spectra" if len(science) > MOST else "",
    ]
    return "   ".join(part for part in parts if part)


def page(traces: Sequence[Trace], lines: Sequence[str]) -> Any:
    """Return the figure of spectra, one below the other."""
    tallest = min(TALLEST, ALL // len(traces))
    heights = tuple(min(max(rows_high(trace), LOWEST), max(tallest, LOWEST)) for trace in traces)
    panels = Panels(heights, (*(GAP,) * (len(traces) - 1), BOTTOM), ABOVE)
    figure, axes = new_panels(panels, lines)
    for number, trace in enumerate(traces):
        found = draw(axes[number], trace)
        add_bar(figure.add_axes(panels.bar(number)), colour_map(), found, trace.unit)
    return figure


def rows_high(trace: Trace) -> int:
    """Return how high a spectrum is on the page: rows up to 8 pixels high."""
    ny, nx = trace.image.shape
    return int(ny * max(1, min(8, 2 * COLUMNS // nx)))


def draw(axes: Any, trace: Trace) -> tuple[float, float, float]:
    """Draw a spectrum, its axes, lines of equal wavelength, and the apertures.

    Returns darkest and brightest value and the width of the linear range.
    """
    ny, nx = trace.image.shape
    factor = -(-nx // COLUMNS)
    x0, y0 = (start - 0.5 for start in trace.start)
    shown = along_means(trace.image, factor)
    picture, found = coloured(shown, colour_map())
    axes.imshow(
        picture, origin="lower", interpolation="nearest", aspect="auto",
        extent=(x0, x0 + factor * shown.shape[1], y0, y0 + ny),
    )  # fmt: skip
    axes.set(xlim=(x0, x0 + nx), ylim=(y0, y0 + ny))
    axes.set_xlabel(trace.axes[0], fontsize=9, color=INK)
    axes.set_ylabel(trace.axes[1], fontsize=9, color=INK)
    axes.tick_params(labelsize=8, colors=INK)
    if trace.name:
        note(axes, trace.name, dark=True)
    add_wavelengths(axes, trace)
    for box in trace.apertures:
        outline(axes, box)
    return found


def along_means(image: Float32, factor: int) -> Float32:
    """Return the means of `factor` pixels along the dispersion; NaN where none can be used."""
    ny, nx = image.shape
    wide = np.full((ny, -(-nx // factor) * factor), np.nan, np.float32)
    wide[:, :nx] = image
    blocks = wide.reshape(ny, -1, factor)
    good = np.isfinite(blocks)
    return divide(np.where(good, blocks, 0).sum(axis=2), good.sum(axis=2))


def add_wavelengths(axes: Any, trace: Trace) -> None:
    """Draw an axis of wavelength above, and lines of equal wavelength."""
    along = middle(trace.wavelength)
    ticks = wavelength_ticks(along, COLUMNS)
    above = axes.secondary_xaxis("top")
    places = [trace.start[0] + place for _, place in ticks]
    above.set_xticks(places, labels_of([value for value, _ in ticks]))
    above.tick_params(labelsize=8, colors=INK)
    text = "wavelength (µm)" if ticks else "no wavelengths: neither WAVELENGTH nor a WCS"
    above.set_xlabel(text, fontsize=9, color=INK)
    rows = np.arange(len(trace.wavelength))
    for value, _ in ticks:
        x = np.array([crossing(row, value) for row in trace.wavelength])
        axes.plot(
            trace.start[0] + x, trace.start[1] + rows, color="white", alpha=0.3, linewidth=0.7,
            scalex=False, scaley=False,
        )  # fmt: skip


def middle(wavelength: Float64) -> Float64:
    """Return the wavelength along the row in the middle of those that have any, column by column.

    float64 (nx,): NaN where a column has none.
    """
    known = np.isfinite(wavelength)
    count = known.sum(axis=0)
    ordered = np.sort(wavelength, axis=0)  # NaN comes last
    place = np.maximum(count - 1, 0) // 2
    return np.where(count > 0, ordered[place, np.arange(wavelength.shape[1])], np.nan)


def crossing(row: Float64, value: float) -> float:
    """Return where a row of pixels has a wavelength, NaN if nowhere."""
    places = np.flatnonzero(np.isfinite(row))
    if len(places) < 2:
        return float("nan")
    order = np.argsort(row[places], kind="stable")
    known = row[places][order]
    found = np.interp(value, known, places[order].astype(float), left=np.nan, right=np.nan)
    return float(found)


def outline(axes: Any, box: Box) -> None:
    """Draw the borders of an aperture."""
    from matplotlib.patheffects import withStroke

    x0, x1, y0, y1 = box
    axes.plot(
        [x0, x1, x1, x0, x0], [y0, y0, y1, y1, y0], color="white", linewidth=1.2, zorder=6,
        scalex=False, scaley=False, path_effects=[withStroke(linewidth=2.6, foreground="black")],
    )  # fmt: skip
