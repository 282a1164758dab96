"""A picture of spectra in one dimension: flux against wavelength with errors and flagged points."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from calwebb_core.framework.quicklook_figure import title
from calwebb_core.framework.quicklook_page import save
from calwebb_core.framework.quicklook_panels import (
    BLUE,
    GREY,
    RED,
    new_panels,
    note,
    stacked,
    style,
)
from calwebb_core.framework.spectra import Spectra, Spectrum
from calwebb_core.framework.spectra_products import read_spectra

Float64 = NDArray[np.float64]

MOST: Final = 10  # panels of a page
HIGH, LOWEST, ALL = 380, 150, 1500  # pixels of the page: of a panel, of all together
GAP: Final = 52
DO_NOT_USE: Final = 1
# quantity, its error, and what it is called
QUANTITIES: Final = (
    ("FLUX", ("FLUX_ERROR", "ERROR"), "flux"),
    ("SURF_BRIGHT", ("SB_ERROR",), "surface brightness"),
)


@dataclass(frozen=True)
class Curve:
    """A spectrum as it is drawn, in order of wavelength.

    Attributes
    ----------
    name : str
    wavelength, value, error : float64 (n,)
        Micrometres, and the unit.
    flagged : bool (n,)
        Where DQ says DO_NOT_USE.
    quantity, unit : str
    """

    name: str
    wavelength: Float64
    value: Float64
    error: Float64
    flagged: NDArray[np.bool_]
    quantity: str
    unit: str

    @property
    def good(self) -> NDArray[np.bool_]:
        """Where there is a value that can be used."""
        return np.isfinite(self.wavelength) & np.isfinite(self.value) & ~self.flagged


def write_spectra_picture(product: Path, png: Path) -> None:
    """Draw spectra in one dimension, or a series of them, as a PNG file.

    Parameters
    ----------
    product : Path
        `_x1d`, `_c1d` or `_x1dints`.
    png : Path

    Raises
    ------
    InputError
        If the product cannot be read.
    """
    spectra = read_spectra(product)
    if spectra.kind == "x1dints":
        from calwebb_core.framework.quicklook_series import draw_series

        figure = draw_series(spectra)
    else:
        figure = draw_spectra(spectra)
    save(figure, png, [product])


def draw_spectra(spectra: Spectra) -> Any:
    """Return the figure of spectra, one below the other."""
    curves = [curve_of(spectrum) for spectrum in spectra.spectra[:MOST]]
    notes = (
        "" if len(curves) == len(spectra.spectra) else f"{MOST} of {len(spectra.spectra)} spectra"
    )
    height = max(LOWEST, min(HIGH, ALL // len(curves)))
    panels = stacked(len(curves), height, GAP)
    figure, axes = new_panels(panels, title(spectra.metadata, notes))
    for place, curve in zip(axes, curves, strict=True):
        draw(place, curve)
    return figure


def curve_of(spectrum: Spectrum) -> Curve:
    """Return what is drawn of a spectrum: its flux, or its brightness where it has no flux."""
    columns = spectrum.columns
    name, errors, quantity = chosen(columns)
    order = np.argsort(columns["WAVELENGTH"], kind="stable")
    error = next((columns[key] for key in errors if key in columns), None)
    value = np.asarray(columns[name], np.float64)
    found = np.full(value.shape, np.nan) if error is None else np.asarray(error, np.float64)
    quality = columns.get("DQ", np.zeros(value.shape, np.uint32))
    return Curve(
        name_of(spectrum), np.asarray(columns["WAVELENGTH"], np.float64)[order], value[order],
        found[order], (np.asarray(quality)[order] & DO_NOT_USE) != 0, quantity,
        spectrum.units.get(name, "no unit given"),
    )  # fmt: skip


def chosen(columns: Mapping[str, NDArray[Any]]) -> tuple[str, tuple[str, ...], str]:
    """Return the quantity to show: the first that has a value other than 0."""
    for found in QUANTITIES:
        values = columns.get(found[0])
        if values is not None and np.any(np.isfinite(values) & (values != 0)):
            return found
    return QUANTITIES[0]


def name_of(spectrum: Spectrum) -> str:
    """Return slit, source and its kind as far as they are known."""
    metadata = spectrum.metadata
    source = metadata.get("SOURCEID")
    order = metadata.get("SPORDER")
    parts = [
        str(metadata.get("SLTNAME") or metadata.get("NAME") or ""),
        "" if source is None else f"source {source}",
        str(metadata.get("SRCTYPE") or ""),
        "" if order is None else f"order {order}",
    ]
    return "   ".join(part for part in parts if part)


def draw(axes: Any, curve: Curve) -> None:
    """Draw a spectrum with the range of its errors; flagged points are marked."""
    good = curve.good
    value = np.where(good, curve.value, np.nan)
    error = np.where(good & np.isfinite(curve.error), curve.error, np.nan)
    axes.fill_between(
        curve.wavelength, value - error, value + error, step="mid", color=BLUE, alpha=0.3,
        linewidth=0,
    )  # fmt: skip
    axes.plot(curve.wavelength, value, drawstyle="steps-mid", color=BLUE, linewidth=0.9)
    style(axes, "wavelength (µm)", f"{curve.quantity} ({curve.unit})")
    low, high = span(value, error)
    axes.set_ylim(low, high)
    known = curve.wavelength[np.isfinite(curve.wavelength)]
    if known.size > 1:
        axes.set_xlim(known[0], known[-1])
    axes.axhline(0, color=GREY, linewidth=0.6, zorder=0)
    mark_flagged(axes, curve, low, high)
    note(axes, curve.name)
    beyond = int(np.count_nonzero((value < low) | (value > high)))
    note(axes, remarks(curve, beyond), right=True)


def span(value: Float64, error: Float64) -> tuple[float, float]:
    """Return the range to show: what all but a hundredth of the points need, and their errors."""
    known = value[np.isfinite(value)]
    if known.size == 0:
        return 0.0, 1.0
    low, high = (float(x) for x in np.percentile(known, (0.5, 99.5)))
    usual = error[np.isfinite(error)]
    margin = 0.06 * (high - low) + (float(np.median(usual)) if usual.size else 0.0)
    if not margin > 0:
        margin = abs(low) * 0.1 or 0.5
    # room for the names above
    return low - margin, high + margin + 0.08 * (high - low)


def mark_flagged(axes: Any, curve: Curve, low: float, high: float) -> None:
    """Mark points that cannot be used: where they are, or at the border."""
    bad = ~curve.good & np.isfinite(curve.wavelength)
    if not bad.any():
        return
    value = np.where(np.isfinite(curve.value[bad]), curve.value[bad], low)
    axes.plot(
        curve.wavelength[bad], value.clip(low, high), "x", color=RED, markersize=4,
        markeredgewidth=0.9, clip_on=False, zorder=5,
    )  # fmt: skip


def remarks(curve: Curve, beyond: int) -> str:
    """Return the signal over noise, and how many points are flagged or outside of the picture."""
    good = curve.good & (curve.error > 0)
    parts = []
    if good.any():
        ratio = float(np.median(curve.value[good] / curve.error[good]))
        parts.append(f"median signal/noise {ratio:.3g}")
    flagged = int(np.count_nonzero(~curve.good & np.isfinite(curve.wavelength)))
    if flagged:
        parts.append(f"{flagged} of {curve.value.size} points flagged (x)")
    if beyond:
        parts.append(f"{beyond} outside of the picture")
    return "   ".join(parts)
