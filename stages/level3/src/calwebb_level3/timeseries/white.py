"""The white-light curve: the flux of all wavelengths together, integration by integration."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calwebb_core.framework.light_curves import LightCurve
from calwebb_core.framework.spectra import Spectra, Spectrum

Float64 = NDArray[np.float64]
# Spectra on two detectors of one instrument are light curves of their own.
WITH_DETECTORS = ("NRS1", "NRS2")
AT_ONCE = 1 << 19  # values of a series that are added up at a time


@dataclass(frozen=True)
class Range:
    """Wavelengths that count, micrometres; None for no limit."""

    low: float | None = None
    high: float | None = None

    def holds(self, wavelength: Float64) -> NDArray[np.bool_]:
        """Return which wavelengths are in the range; unknown ones are not."""
        inside = np.isfinite(wavelength)
        if self.low is not None:
            inside &= wavelength >= self.low
        if self.high is not None:
            inside &= wavelength <= self.high
        return inside


def sum_flux(
    flux: Float64, error: Float64, inside: NDArray[np.bool_], *, fill: bool = True
) -> tuple[Float64, Float64, int]:
    """Add up the flux of each integration.

    Where a flux is missing in some integrations only, leaving it out would dim these: its median
    over the others stands in, times the brightness of the integration relative to the medians.

    Parameters
    ----------
    flux, error : float64, (nints, nwave)
    inside : bool, (nints, nwave)
        Wavelengths that count.
    fill : bool
        Whether missing values are estimated; else they count as 0.

    Returns
    -------
    flux, error : float64, (nints,)
        NaN for an integration without any flux.
    filled : int
        Values that were estimated.
    """
    parts = parts_of(*flux.shape)
    seen = np.zeros(flux.shape[1], bool)
    for some in parts:
        seen |= (inside[some] & np.isfinite(flux[some])).any(axis=0)
    gaps = [int(np.sum(inside[some] & ~np.isfinite(flux[some]) & seen)) for some in parts]
    usual = doubt = None
    if fill and any(gaps):
        usual, doubt = median_of_known(flux, flux, inside), median_of_known(error, flux, inside)
    total, sigma = np.empty((2, len(flux)))
    for some in parts:
        total[some], sigma[some] = sum_part(flux[some], error[some], inside[some], usual, doubt)
    return total, sigma, sum(gaps) if fill else 0


def parts_of(nints: int, nwave: int) -> list[slice]:
    """Cut a series into parts whose sums need little memory."""
    step = max(1, AT_ONCE // max(1, nwave))
    return [slice(first, first + step) for first in range(0, nints, step)]


def sum_part(
    flux: Float64,
    error: Float64,
    inside: NDArray[np.bool_],
    usual: Float64 | None,
    doubt: Float64 | None,
) -> tuple[Float64, Float64]:
    """Add up the flux of some integrations; `usual` and `doubt` are medians of flux and error.

    What is missing is left out without them.
    """
    known = inside & np.isfinite(flux)
    values = np.where(known, flux, 0.0)
    variance = np.where(known & np.isfinite(error), error, 0.0) ** 2
    if usual is not None and doubt is not None:
        missing = inside & ~known & np.isfinite(usual)
        # of the same wavelengths, so that what is missing does not tell on the ratio
        expected = np.where(known, usual, 0.0).sum(axis=1)
        share = np.divide(
            values.sum(axis=1), expected, out=np.ones(len(flux)), where=expected != 0.0
        )
        values = np.where(missing, usual * share[:, None], values)
        variance = np.where(missing, 2 * doubt**2, variance)
    total, sigma = values.sum(axis=1), np.sqrt(variance.sum(axis=1))
    nothing = ~known.any(axis=1)
    total[nothing], sigma[nothing] = np.nan, np.nan
    return total, sigma


def median_of_known(values: Float64, flux: Float64, inside: NDArray[np.bool_]) -> Float64:
    """Return the median of `values` along time where the flux is known, NaN where it never is."""
    result = np.full(flux.shape[1], np.nan)
    for place in range(flux.shape[1]):
        known = inside[:, place] & np.isfinite(flux[:, place])
        if known.any():
            result[place] = np.median(values[known, place])
    return result


def detector_of(spectrum: Spectrum) -> str:
    """Return what tells a spectrum's light curve from those of other detectors."""
    detector = str(spectrum.metadata.get("DETECTOR", ""))
    return detector if detector in WITH_DETECTORS else ""


def order_of(spectrum: Spectrum) -> int:
    """Return the spectral order of a spectrum, 1 if none is given."""
    return spectrum.metadata.optional("SPORDER", int) or 1


def light_curves(spectra: Spectra, limits: Range, *, fill: bool = True) -> tuple[LightCurve, int]:
    """Make the table of light curves.

    Parameters
    ----------
    spectra : Spectra
        Of a time series.
    limits : Range
        Wavelengths that count.
    fill : bool
        See `sum_flux`.

    Returns
    -------
    curve : LightCurve
        MJD_UTC, BJD_TDB (days, in the middle of the integrations), whitelight_flux and its error,
        a set for each detector and a flux for each order.
    filled : int
        Missing values that were estimated.
    """
    columns: dict[str, Any] = {}
    orders = list(dict.fromkeys(order_of(spectrum) for spectrum in spectra.spectra))
    filled = 0
    for detector in dict.fromkeys(detector_of(spectrum) for spectrum in spectra.spectra):
        own = [spectrum for spectrum in spectra.spectra if detector_of(spectrum) == detector]
        numbers = np.unique(np.concatenate([s.columns["INT_NUM"] for s in own]))
        end = f"_{detector}" if detector else ""
        for column, name in (("MJD-AVG", "MJD_UTC"), ("TDB-MID", "BJD_TDB")):
            columns[name + end] = gathered(own, column, numbers)
        for order in orders:
            name = f"whitelight_flux_order_{order}{end}" if orders[1:] else f"whitelight_flux{end}"
            some = [spectrum for spectrum in own if order_of(spectrum) == order]
            flux, error, count = curve_of(some, numbers, limits, fill=fill)
            columns[name], columns[name.replace("_flux", "_flux_error", 1)] = flux, error
            filled += count
    longest = max(len(column) for column in columns.values())
    columns = {
        name: np.pad(column, (0, longest - len(column)), constant_values=np.nan)
        for name, column in columns.items()
    }
    unit = next((s.units["FLUX"] for s in spectra.spectra if s.units.get("FLUX")), None)
    units = {name: unit for name in columns if unit and name.startswith("whitelight")}
    return LightCurve(columns, units), filled


def gathered(spectra: list[Spectrum], name: str, numbers: NDArray[Any]) -> Float64:
    """Return a column of several spectra by the number of the integration."""
    result = np.full(len(numbers), np.nan)
    for spectrum in spectra:
        result[np.searchsorted(numbers, spectrum.columns["INT_NUM"])] = spectrum.columns[name]
    return result


def curve_of(
    spectra: list[Spectrum], numbers: NDArray[Any], limits: Range, *, fill: bool
) -> tuple[Float64, Float64, int]:
    """Return flux and error of an order at all integrations, NaN where it has none."""
    flux, error = np.full((2, len(numbers)), np.nan)
    filled = 0
    for spectrum in spectra:
        columns = spectrum.columns
        places = np.searchsorted(numbers, columns["INT_NUM"])
        inside = limits.holds(columns["WAVELENGTH"])
        total, sigma, count = sum_flux(columns["FLUX"], columns["FLUX_ERROR"], inside, fill=fill)
        flux[places], error[places] = total, sigma
        filled += count
    return flux, error, filled
