"""A picture of light curves: relative flux with errors against time in hours."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from calwebb_core.framework.catalogs import read_catalog
from calwebb_core.framework.errors import InputError
from calwebb_core.framework.quicklook_page import INK, save
from calwebb_core.framework.quicklook_panels import (
    BLUE,
    BOTTOM,
    GREY,
    Panels,
    new_panels,
    note,
    style,
)

Float64 = NDArray[np.float64]

BINS: Final = 60
MANY: Final = 150  # points from which means of bins are drawn over them
HOURS: Final = 24.0
ERRORS: Final = (("_flux", "error"), ("_sum", "err"))
DETECTOR: Final = "detector"  # column that tells rows of several detectors apart
SHORT: Final = 0.5
# columns of times, the better first, and what they are
CLOCKS: Final = (
    ("BJD_TDB", "TDB at the barycentre"),
    ("MJD_UTC", "UTC"),
    ("MJD", "UTC"),
)
# columns of fluxes by their endings, and where their errors are
FLUXES: Final = ("net_aperture_sum", "whitelight_flux")
# what is drawn below the fluxes: columns, name, and whether the median is taken off
BELOW: Final = (
    (("centroid_x", "centroid_y"), "shift (pixel)", True),
    (("psf_width_x", "psf_width_y"), "width (pixel)", False),
)
HEAD: Final = ("target_name", "instrument", "filter", "pupil", "subarray")
HIGH, LOW, GAP = 300, 120, 16


@dataclass(frozen=True)
class Clock:
    """Times of integrations.

    Attributes
    ----------
    since : float64 (n,)
        The first; hours, or minutes of a short series.
    label : str
        What they are counted in, and from.
    """

    since: Float64
    label: str


def clock_of(days: Float64, name: str) -> Clock:
    """Return times in days as hours since the first; where there are none, integrations counted.

    What takes less than half an hour is counted in minutes.
    """
    known = np.isfinite(days) & (days != 0)
    if not known.all() or days.size == 0:
        return Clock(np.arange(1.0, days.size + 1), "integration")
    first = float(days.min())
    kind = "JD" if first > 1e6 else "MJD"
    hours = (days - first) * HOURS
    short = float(hours.max()) < SHORT
    unit = "minutes" if short else "hours"
    return Clock(hours * 60 if short else hours, f"{unit} since {kind} {first:.6f} ({name})")


def write_curves(table: Path, png: Path) -> None:
    """Draw a light curve (`_whtlt.ecsv`, `_phot.ecsv`) as a PNG file.

    Raises
    ------
    InputError
        If it cannot be read, or has no time or no flux.
    """
    table = Path(table)
    content = read_catalog(table)
    columns = numbers_of(content)
    fluxes = [name for name in columns if is_flux(name)]
    if not fluxes:
        found = ", ".join(columns)
        msg = f"{table}: has no column of fluxes such as {' or '.join(FLUXES)}; found {found}"
        raise InputError(msg)
    masks, clocks = clocks_of([times_of(table, columns, name) for name in fluxes])
    below = [item for item in BELOW if any(name in columns for name in item[0])]
    heights = (*(HIGH,) * len(fluxes), *(LOW,) * len(below))
    panels = Panels(heights, (*(GAP,) * (len(heights) - 1), BOTTOM))
    figure, axes = new_panels(panels, [table.name, head_of(content)])
    for place, name, mask, clock in zip(axes, fluxes, masks, clocks, strict=False):
        flux, error = relative(columns[name], error_of(columns, name))
        draw_curve(place, clock.since, flux[mask], error[mask])
        if len(fluxes) > 1:
            note(place, name)
    for place, item in zip(axes[len(fluxes) :], below, strict=True):
        draw_below(place, clocks[0].since, columns, masks[0], item)
    style_time(axes, clocks)
    save(figure, png, [table])


def head_of(table: Any) -> str:
    """Return target, instrument and optical elements as far as the table's head says them."""
    return "   ".join(str(table.meta[name]) for name in HEAD if table.meta.get(name))


def numbers_of(table: Any) -> dict[str, Float64]:
    """Return the columns of numbers of a table, without their units.

    Where rows are of several detectors, each has columns of its own whose names end in it.
    """
    found = columns_of(table)
    detectors = list(dict.fromkeys(map(str, table[DETECTOR]))) if DETECTOR in table.colnames else []
    if len(detectors) < 2:
        return found
    rows = {name: np.asarray(table[DETECTOR]) == name for name in detectors}
    return {
        f"{name}_{detector}": values[rows[detector]]
        for detector in detectors
        for name, values in found.items()
    }


def columns_of(table: Any) -> dict[str, Float64]:
    """Return the columns of numbers of a table as they are, without their units."""
    found = {}
    for name in table.colnames:
        column = table[name]
        values = np.ma.asarray(getattr(column, "value", column))
        if values.dtype.kind in "fiu" and values.ndim == 1:
            found[name] = np.ma.filled(values.astype(np.float64), np.nan)
    return found


def times_of(table: Path, columns: dict[str, Float64], flux: str) -> tuple[Float64, str]:
    """Return the times in days of a column of fluxes, and what they are.

    Where several detectors have columns of their own, both end in the detector's name.

    Raises
    ------
    InputError
        If it has none, or no rows.
    """
    detector = flux.rpartition("_")[2]
    for name, kind in CLOCKS:
        for column in (f"{name}_{detector}", name):
            if column in columns and columns[column].size:
                return columns[column], kind
    msg = f"{table}: has no times; expected a light curve with rows and a column BJD_TDB or MJD"
    raise InputError(msg)


def clocks_of(times: list[tuple[Float64, str]]) -> tuple[list[NDArray[np.bool_]], list[Clock]]:
    """Return which rows have a time, and these times from the first of all columns on.

    Columns of detectors may be of different length: rows without time fill the shorter.
    """
    masks = [np.isfinite(days) & (days != 0) for days, _ in times]
    if not all(mask.any() for mask in masks):
        return [np.ones(days.shape, bool) for days, _ in times], [
            clock_of(np.zeros(days.shape), "") for days, _ in times
        ]
    known = [days[mask] for (days, _), mask in zip(times, masks, strict=True)]
    joint = clock_of(np.concatenate(known), times[0][1])
    ends = np.cumsum([days.size for days in known])[:-1]
    return masks, [Clock(part, joint.label) for part in np.split(joint.since, ends)]


def is_flux(name: str) -> bool:
    """Say whether a column holds fluxes."""
    return name.startswith(FLUXES) and "_err" not in name


def error_of(columns: dict[str, Float64], name: str) -> Float64:
    """Return the errors of a column; NaN without."""
    replaced = (name.replace(part, f"{part}_{end}", 1) for part, end in ERRORS)
    for error in (f"{name}_err", *replaced):
        if error in columns and error != name:
            return columns[error]
    return np.full(columns[name].shape, np.nan)


def relative(flux: Float64, error: Float64) -> tuple[Float64, Float64]:
    """Return fluxes and errors in units of the median flux; as they are, where that is 0."""
    known = flux[np.isfinite(flux)]
    middle = float(np.median(known)) if known.size else 0.0
    return (flux / middle, error / abs(middle)) if middle else (flux, error)


def draw_curve(axes: Any, time: Float64, flux: Float64, error: Float64) -> None:
    """Draw a light curve; of many points means of bins over them.

    The scatter that is noted is that of neighbours: a transit and slow drifts are not in it.
    """
    known = np.isfinite(flux)
    many = int(np.count_nonzero(known)) > MANY
    axes.errorbar(
        time[known], flux[known], yerr=np.where(np.isfinite(error), error, 0)[known], fmt=".",
        color=GREY if many else BLUE, ecolor="#b8c2cc" if many else BLUE,
        markersize=2.5 if many else 5, elinewidth=0.6, zorder=2,
    )  # fmt: skip
    if many:
        x, y, spread = binned_curve(time[known], flux[known])
        axes.errorbar(
            x, y, yerr=spread, fmt="o", color=BLUE, markersize=3.5, elinewidth=1.1, zorder=4
        )
    style(axes, "", "relative flux")
    axes.set_ylim(*limits_of(flux[known], error[known]))
    found = scatter(flux)
    if np.isfinite(found):
        note(axes, f"scatter of neighbours {1e6 * found:.3g} ppm", right=True)


def limits_of(flux: Float64, error: Float64) -> tuple[float, float]:
    """Return the range to show: all but far outliers, with their errors and room for a note."""
    if flux.size == 0:
        return 0.0, 1.0
    low, high = (float(x) for x in np.percentile(flux, (0.3, 99.7)))
    usual = error[np.isfinite(error)]
    margin = 0.08 * (high - low) + (float(np.median(usual)) if usual.size else 0.0)
    margin = margin or 1e-3
    return low - margin, high + margin + 0.1 * (high - low)


def binned_curve(time: Float64, flux: Float64) -> tuple[Float64, Float64, Float64]:
    """Return mean times, mean fluxes and their errors (from the scatter) of `BINS` bins in time."""
    edges = np.linspace(time.min(), time.max(), BINS + 1)
    place = np.clip(np.searchsorted(edges, time, side="right") - 1, 0, BINS - 1)
    count = np.bincount(place, minlength=BINS).astype(np.float64)
    some = count > 1
    middle = np.bincount(place, time, BINS)[some] / count[some]
    mean = np.bincount(place, flux, BINS)[some] / count[some]
    square = np.bincount(place, flux**2, BINS)[some] / count[some]
    spread = np.sqrt(np.maximum(square - mean**2, 0) / (count[some] - 1))
    return middle, mean, spread


def scatter(flux: Float64) -> float:
    """Return the standard deviation that differences of neighbours show, against outliers firm."""
    steps = np.diff(flux[np.isfinite(flux)])
    if steps.size < 3:
        return float("nan")
    return float(1.4826 * np.median(np.abs(steps - np.median(steps))) / np.sqrt(2))


def draw_below(
    axes: Any,
    time: Float64,
    columns: dict[str, Float64],
    mask: NDArray[np.bool_],
    item: tuple[tuple[str, ...], str, bool],
) -> None:
    """Draw what goes with a light curve: where the star is, and how wide."""
    names, label, from_median = item
    for name, colour in zip(names, (BLUE, "#d55e00"), strict=True):
        values = columns.get(name)
        if values is None or not np.isfinite(values).any():
            continue
        shown = (values - np.nanmedian(values) if from_median else values)[mask]
        axes.plot(time, shown, ".", color=colour, markersize=2.5, label=name[-1])
    style(axes, "", label)
    axes.legend(
        loc="upper left", bbox_to_anchor=(1.0, 1.0), fontsize=8, markerscale=2, labelcolor=INK,
        frameon=False,
    )  # fmt: skip


def style_time(axes: list[Any], clocks: list[Clock]) -> None:
    """Give panels of one time axis the same range, and the lowest its numbers."""
    first = min(float(clock.since.min()) for clock in clocks)
    last = max(float(clock.since.max()) for clock in clocks)
    margin = 0.01 * (last - first) or 0.5
    for place in axes:
        place.set_xlim(first - margin, last + margin)
        place.tick_params(labelbottom=place is axes[-1])
    axes[-1].set_xlabel(clocks[0].label, fontsize=9, color=INK, parse_math=False)
