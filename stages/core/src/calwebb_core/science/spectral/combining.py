"""Spectra of one source as one: the weighted mean on a common set of wavelengths (combine_1d).

All wavelengths are sorted and averaged N at a time, where N is the number of spectra that reach
there: spectra with the same wavelengths keep them. A value of a spectrum counts at the nearest of
these. ``F = sum(w f) / sum(w)``, ``sigma = sqrt(sum(w^2 e^2)) / sum(w)`` with the exposure time as
weight. Values that are NaN or DO_NOT_USE are left out. Source: the documentation of the official
step.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from calwebb_core.framework.errors import InputError
from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.spectra import Spectra, Spectrum
from calwebb_core.science.dq import PixelDQ

Float64 = NDArray[np.float64]

# what a spectrum may be weighted with, and the keyword that says it
WEIGHTS: Final = {
    "exposure_time": "EFFEXPTM",
    "integration_time": "EFFINTTM",
    "unit_weight": "",
}
VALUES: Final = ("FLUX", "SURF_BRIGHT")
ERRORS: Final = ("FLUX_ERROR", "SB_ERROR")
CLIPPED_FROM: Final = 3  # values that a median needs to tell which of them is wrong
SIGMA_OF_MAD: Final = 1.4826


@dataclass(frozen=True)
class Member:
    """One spectrum that is to be combined: wavelengths in order, one weight."""

    wavelength: Float64
    columns: dict[str, NDArray[Any]]
    good: NDArray[np.bool_]
    weight: float


def combine(
    products: Sequence[Spectra],
    *,
    exptime_key: str = "exposure_time",
    sigma_clip: float | None = None,
) -> Spectra:
    """Return the mean spectrum of each spectral order.

    Parameters
    ----------
    products : sequence of Spectra
        Of one source; each integration of a time series counts as a spectrum.
    exptime_key : str
        One of `WEIGHTS`.
    sigma_clip : float, optional
        Leave values out that are so many times the scatter away from the median of all spectra.

    Raises
    ------
    InputError
        If there is no spectrum with a usable value, `exptime_key` is unknown, or a time missing.
    """
    if exptime_key not in WEIGHTS:
        msg = f"exptime_key is {exptime_key!r}; expected one of {', '.join(WEIGHTS)}"
        raise InputError(msg)
    orders: dict[int, list[Member]] = {}
    first: dict[int, Spectrum] = {}
    for product in products:
        weight = weight_of(product.metadata, exptime_key)
        for spectrum in product.spectra:
            order = int(spectrum.metadata.get("SPORDER") or 1)
            found = list(members_of(spectrum, weight))
            if found:
                orders.setdefault(order, []).extend(found)
                first.setdefault(order, spectrum)
    if not orders:
        source = products[0].metadata.source if products else "combine_1d"
        msg = f"{source}: no spectrum has a value that can be used"
        raise InputError(msg)
    spectra = [mean_of(orders[order], first[order], sigma_clip) for order in sorted(orders)]
    return Spectra(products[0].metadata.copy(), spectra, {}, "c1d")


def weight_of(metadata: Metadata, exptime_key: str) -> float:
    """Return the weight of the spectra of a product."""
    keyword = WEIGHTS[exptime_key]
    return metadata.require(keyword, float) if keyword else 1.0


def members_of(spectrum: Spectrum, weight: float) -> Iterator[Member]:
    """Yield the spectra of a table that have a usable value, one for each integration."""
    columns = {name: np.atleast_2d(spectrum.columns[name]) for name in (*VALUES, *ERRORS, "DQ")}
    for row, wavelength in enumerate(np.atleast_2d(spectrum.columns["WAVELENGTH"])):
        lit = np.isfinite(wavelength)
        order = np.flatnonzero(lit)[np.argsort(wavelength[lit], kind="stable")]
        own = {name: column[row][order] for name, column in columns.items()}
        bad = (own["DQ"].astype(np.uint32) & np.uint32(PixelDQ.DO_NOT_USE)) > 0
        good = ~bad & np.isfinite(own["FLUX"])
        if good.any():
            yield Member(np.asarray(wavelength[order], np.float64), own, good, weight)


def mean_of(members: list[Member], first: Spectrum, sigma_clip: float | None) -> Spectrum:
    """Return the mean of spectra on common wavelengths."""
    grid = common_wavelengths([member.wavelength for member in members])
    shape = (len(members), len(grid))
    weights, counts = np.zeros(shape), np.zeros(shape)
    sums = {name: np.zeros(shape) for name in (*VALUES, *ERRORS)}
    dq = np.zeros(len(grid), np.uint32)
    for row, member in enumerate(members):
        place = nearest(grid, member.wavelength)[member.good]
        np.add.at(weights[row], place, member.weight)
        np.add.at(counts[row], place, 1.0)
        np.bitwise_or.at(dq, place, member.columns["DQ"][member.good].astype(np.uint32))
        for name in VALUES:
            np.add.at(sums[name][row], place, member.weight * member.columns[name][member.good])
        for name in ERRORS:
            squares = np.square(member.weight * member.columns[name][member.good])
            np.add.at(sums[name][row], place, squares)
    if sigma_clip is not None:
        kept = within(sums["FLUX"], weights, sigma_clip)
        for array in (weights, counts, *sums.values()):
            array *= kept
    total = weights.sum(axis=0)
    known = total > 0.0
    columns = {name: quotient(sums[name].sum(axis=0), total) for name in VALUES}
    errors = [quotient(np.sqrt(sums[name].sum(axis=0)), total) for name in ERRORS]
    dq[~known] |= np.uint32(PixelDQ.DO_NOT_USE)
    table = {
        "WAVELENGTH": grid, "FLUX": columns["FLUX"], "ERROR": errors[0],
        "SURF_BRIGHT": columns["SURF_BRIGHT"], "SB_ERROR": errors[1], "DQ": dq,
        "WEIGHT": total, "N_INPUT": counts.sum(axis=0),
    }  # fmt: skip
    names = {"FLUX": "FLUX", "ERROR": "FLUX_ERROR", "SURF_BRIGHT": "SURF_BRIGHT"}
    names |= {"SB_ERROR": "SB_ERROR", "WAVELENGTH": "WAVELENGTH"}
    units = {new: first.units[old] for new, old in names.items() if old in first.units}
    return Spectrum(header_of(first.metadata), table, units)


def header_of(metadata: Metadata) -> Metadata:
    """Return the keywords that the mean has in common with its members."""
    names = ("SLTNAME", "SOURCEID", "SRCTYPE", "SPORDER", "SRCRA", "SRCDEC", "DISPAXIS")
    return Metadata({name: metadata[name] for name in names if name in metadata}, metadata.source)


def within(sums: Float64, weights: Float64, sigma_clip: float) -> NDArray[np.bool_]:
    """Return which values (spectra, wavelengths) are near the median of all spectra."""
    seen = weights > 0.0
    kept = np.ones(sums.shape, bool)
    columns = np.flatnonzero(np.count_nonzero(seen, axis=0) >= CLIPPED_FROM)
    if columns.size:
        some = seen[:, columns]
        values = np.where(some, quotient(sums, weights)[:, columns], np.nan)
        offset = np.abs(values - np.nanmedian(values, axis=0))
        limit = sigma_clip * SIGMA_OF_MAD * np.nanmedian(offset, axis=0)
        kept[:, columns] = ~(some & (offset > limit))
    return kept


def quotient(value: Float64, divisor: Float64) -> Float64:
    """Return a quotient, NaN where the divisor is 0."""
    result: Float64 = np.full(value.shape, np.nan)
    np.divide(value, divisor, out=result, where=divisor > 0.0)
    return result


def nearest(grid: Float64, values: Float64) -> NDArray[np.intp]:
    """Return the place of the nearest of rising wavelengths."""
    edges = 0.5 * (grid[1:] + grid[:-1])
    return np.searchsorted(edges, values)


def common_wavelengths(waves: Sequence[Float64]) -> Float64:
    """Return the wavelengths of several spectra, averaged as many at a time as overlap there.

    Parameters
    ----------
    waves : sequence of float64 (n,)
        Rising.
    """
    merged = np.sort(np.concatenate(waves))
    number = np.zeros(len(merged), np.intp)
    for wave in waves:
        low, high = reach(wave)
        number += (merged >= low) & (merged <= high)
    result: list[float] = []
    start = 0
    while start < len(merged):
        stop = min(start + max(1, int(number[start])), len(merged))
        result.append(float(merged[start:stop].mean()))
        start = stop
    return np.unique(np.array(result))


def reach(wave: Float64) -> tuple[float, float]:
    """Return the outer edges of the first and the last pixel of a spectrum."""
    if len(wave) == 1:
        return float(wave[0]), float(wave[0])
    left, right = 0.5 * (wave[1] - wave[0]), 0.5 * (wave[-1] - wave[-2])
    return float(wave[0] - left), float(wave[-1] + right)
