"""A picture of a series of spectra: a map of time against wavelength, and the white light."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from calwebb_core.framework.quicklook_curves import (
    Clock,
    clock_of,
    draw_curve,
    style_time,
)
from calwebb_core.framework.quicklook_figure import rgb, title
from calwebb_core.framework.quicklook_page import INK, MISSING
from calwebb_core.framework.quicklook_panels import (
    BOTTOM,
    COLUMNS,
    Panels,
    labels_of,
    new_panels,
    note,
    round_values,
    style,
    wavelength_ticks,
)
from calwebb_core.framework.quicklook_spectra import name_of
from calwebb_core.framework.spectra import Spectra, Spectrum

Float64 = NDArray[np.float64]
UInt8 = NDArray[np.uint8]

MOST: Final = 3  # spectra of a page
ROWS: Final = 120  # of a map: less noise in each, and the transit is seen
MAP, CURVE, NEAR, FAR = 360, 220, 14, 70  # pixels of the page
ROUNDS: Final = 4
DO_NOT_USE: Final = 1


@dataclass(frozen=True)
class Series:
    """A series of spectra as it is drawn.

    Attributes
    ----------
    wavelength : float64 (nwave,)
        Micrometres, that of the first integration.
    flux, error : float64 (nints, nwave)
        NaN where a point cannot be used.
    clock : Clock
    unit : str
    """

    wavelength: Float64
    flux: Float64
    error: Float64
    clock: Clock
    unit: str

    @cached_property
    def spectrum(self) -> Float64:
        """The median spectrum at the median brightness, float64 (nwave,), NaN if not positive.

        The median of what is left where points are missing depends on when they are missing: it
        is taken of spectra that were divided by their brightness, found in turns with it.
        """
        scale = np.ones(len(self.flux))
        for _ in range(ROUNDS):
            median = columns_median(self.flux / scale[:, None])
            found = self.brightness(np.where(median > 0, median, np.nan))[0]
            scale = np.where(found > 0, found, 1.0)
            scale /= np.median(scale)
        return np.where(median > 0, median, np.nan)

    def brightness(self, spectrum: Float64) -> tuple[Float64, Float64]:
        """Return the sum over wavelength over that of a spectrum, and its error.

        Points that cannot be used are left out of both sums.
        """
        used = np.isfinite(self.flux) & np.isfinite(spectrum)
        expected = np.where(used, spectrum, 0).sum(axis=1)
        found = np.where(used, self.flux, 0).sum(axis=1)
        total = np.sqrt((np.where(used & np.isfinite(self.error), self.error, 0) ** 2).sum(axis=1))
        known = expected > 0
        safe = np.where(known, expected, 1)
        return np.where(known, found / safe, np.nan), np.where(known, total / safe, np.nan)


def series_of(spectrum: Spectrum) -> Series:
    """Return what is drawn of a series of spectra."""
    columns = spectrum.columns
    flux = np.asarray(columns["FLUX"], np.float64)
    error = np.asarray(columns.get("FLUX_ERROR", np.full(flux.shape, np.nan)), np.float64)
    quality = np.asarray(columns.get("DQ", np.zeros(flux.shape, np.uint32)))
    bad = (quality & DO_NOT_USE) != 0
    wavelength = np.asarray(columns["WAVELENGTH"], np.float64)[0]
    order = np.argsort(wavelength, kind="stable")
    return Series(
        wavelength[order], np.where(bad, np.nan, flux)[:, order],
        np.where(bad, np.nan, error)[:, order], series_clock(spectrum),
        spectrum.units.get("FLUX", "no unit given"),
    )  # fmt: skip


def series_clock(spectrum: Spectrum) -> Clock:
    """Return the times of the integrations, at the barycentre where they are known."""
    count = spectrum.nints or 0
    for name, kind in (("TDB-MID", "TDB at the barycentre"), ("MJD-AVG", "UTC")):
        days = np.asarray(spectrum.columns.get(name, np.zeros(count)), np.float64)
        if np.all(np.isfinite(days) & (days != 0)):
            return clock_of(days, kind)
    return clock_of(np.zeros(count), "")


def columns_median(values: Float64) -> Float64:
    """Return the median of each column without NaN; NaN for an empty one."""
    count = np.isfinite(values).sum(axis=0)
    ordered = np.sort(values, axis=0)  # NaN comes last
    last = np.maximum(count - 1, 0)
    places = np.arange(values.shape[1])
    pair = ordered[last // 2, places] + ordered[(last + 1) // 2, places]
    return np.where(count > 0, pair / 2, np.nan)


def draw_series(spectra: Spectra) -> Any:
    """Return the figure of series of spectra: of each a map, and its light curve below."""
    shown = spectra.spectra[:MOST]
    notes = (
        "" if len(shown) == len(spectra.spectra) else f"{MOST} of {len(spectra.spectra)} spectra"
    )
    count = len(shown)
    gaps = (*(NEAR, FAR) * (count - 1), NEAR, BOTTOM)
    panels = Panels((MAP, CURVE) * count, gaps)
    figure, axes = new_panels(panels, title(spectra.metadata, notes))
    for number, spectrum in enumerate(shown):
        series = series_of(spectrum)
        pair = axes[2 * number : 2 * number + 2]
        bar = figure.add_axes(panels.bar(2 * number))
        draw_map(pair[0], bar, series)
        draw_curve(pair[1], series.clock.since, *series.brightness(series.spectrum))
        note(pair[1], "white light (all wavelengths)")
        style_time(pair, [series.clock])
        note(pair[0], name_of(spectrum))
    return figure


def draw_map(axes: Any, bar: Any, series: Series) -> None:
    """Draw how the flux at each wavelength changes with time, in percent of the median spectrum."""
    shown, along = averaged(series)
    limit = limit_of(shown)
    table = diverging()
    place = np.where(np.isfinite(shown), (shown / limit + 1) / 2, 0).clip(0, 1)
    picture = table[(place * (len(table) - 1) + 0.5).astype(np.intp)]
    picture[~np.isfinite(shown)] = rgb(MISSING)
    times = series.clock.since
    half = 0.5 * usual_step(times)
    rows = shown.shape[0]
    axes.imshow(
        picture, origin="lower", aspect="auto", interpolation="nearest",
        extent=(times.min() - half, times.max() + half, -0.5, rows - 0.5),
    )  # fmt: skip
    style(axes, "", "wavelength (µm)")
    ticks = wavelength_ticks(along, MAP, rows=True)
    axes.set_yticks([row for _, row in ticks], labels_of([value for value, _ in ticks]))
    add_percent(bar, table, limit)


def add_percent(axes: Any, table: UInt8, limit: float) -> None:
    """Draw the colour bar of a map."""
    axes.imshow(table[:, None], origin="lower", aspect="auto", extent=(0, 1, -limit, limit))
    axes.yaxis.tick_right()
    axes.yaxis.set_label_position("right")
    axes.set_xticks([])
    values = round_values(-100 * limit, 100 * limit, 6)
    axes.set_yticks(values / 100, [f"{value:+.6g}" if value else "0" for value in values])
    axes.set_ylim(-limit, limit)
    axes.tick_params(labelsize=8, colors=INK)
    axes.set_ylabel("less or more than the median spectrum (%)", fontsize=9, color=INK)


def diverging() -> UInt8:
    """Return colours from less (blue) over equal (white) to more (red), uint8 (101, 3)."""
    import matplotlib as mpl

    table = mpl.colormaps["RdBu_r"](np.linspace(0, 1, 101))[:, :3]
    return np.asarray((255 * table).round().astype(np.uint8))


def averaged(series: Series) -> tuple[Float64, Float64]:
    """Return means of neighbouring wavelengths and integrations, and the wavelength of each row.

    Points count by the median spectrum: a mean is that of the flux, not of its ratio.

    Returns
    -------
    float64 (rows, columns), float64 (rows,)
    """
    median = series.spectrum
    used = np.isfinite(series.flux) & np.isfinite(median)
    lit = np.flatnonzero(used.any(axis=0))
    if lit.size == 0:
        return np.full((1, 1), np.nan), np.full(1, np.nan)
    keep = slice(int(lit[0]), int(lit[-1]) + 1)
    found = np.where(used, series.flux, 0)[:, keep]
    expected = np.where(used, median, 0)[:, keep]
    wide = -(-found.shape[1] // ROWS)
    place = time_bins(series.clock.since)
    ratio = ratio_of(summed(summed(found, wide).T, place), summed(summed(expected, wide).T, place))
    starts = np.arange(0, found.shape[1], wide)
    along = series.wavelength[keep]
    middle = [float(np.nanmean(along[start : start + wide])) for start in starts]
    return ratio, np.array(middle)


def time_bins(times: Float64) -> NDArray[np.intp]:
    """Return the column of the map that each integration falls in; gaps stay empty."""
    step = usual_step(times)
    places = np.floor((times - times.min()) / step + 0.5).astype(np.intp)
    return np.asarray(places // (-(-(int(places.max()) + 1) // COLUMNS)), np.intp)


def usual_step(times: Float64) -> float:
    """Return the median distance of integrations in time."""
    steps = np.diff(np.sort(times))
    found = float(np.median(steps[steps > 0])) if np.any(steps > 0) else 1.0
    # integrations farther apart than a picture has columns fill it all the same
    return max(found, float(np.ptp(times)) / (50 * COLUMNS), 1e-9)


def summed(values: Float64, by: int | NDArray[np.intp]) -> Float64:
    """Return sums of columns: of so many neighbours, or of those with the same number."""
    if isinstance(by, int):
        by = np.arange(values.shape[1]) // by
    result = np.zeros((values.shape[0], int(by.max()) + 1))
    np.add.at(result.T, by, values.T)
    return result


def ratio_of(found: Float64, expected: Float64) -> Float64:
    """Return found over expected less 1, NaN where nothing is expected."""
    known = expected > 0
    return np.where(known, found / np.where(known, expected, 1) - 1, np.nan)


def limit_of(shown: Float64) -> float:
    """Return up to which change colours go: what all but a twentieth of the map needs."""
    known = np.abs(shown[np.isfinite(shown)])
    found = float(np.percentile(known, 97)) if known.size else 0.0
    return found or 0.01
