"""Extracted spectra and light curves of a star against the truth."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from astropy.io import fits
from astropy.table import Table
from numpy.typing import NDArray

from calwebb_core.framework.errors import InputError
from calwebb_simulator.score_series import PPM, fit_depth
from calwebb_simulator.statistics import mean, median, scatter

Float64 = NDArray[np.float64]
AWAY: Final = 5.0  # widths of a line from which the spectrum counts as clean
WINDOW: Final = 4.0  # widths of a line about it in which its place is fitted
ELEMENT: Final = 4.0  # pixels, full width at half maximum of a line
EDGE: Final = 0.01  # of the range at either end that does not count
SAMPLES: Final = (-0.4, -0.2, 0.0, 0.2, 0.4)  # of a pixel
SUFFIXES: Final = ("x1d", "x1dints")


@dataclass(frozen=True)
class TrueSpectrum:
    """The truth of an exposure or of all its segments.

    Attributes
    ----------
    wavelength, flux, depth : float64, (n,)
        um, Jy, part of the light that a transit takes.
    lines : structured array
        wavelength, width (um) and strength.
    curve : structured array
        Of the integrations: integration, mjd_utc, shape of the transit.
    """

    wavelength: Float64
    flux: Float64
    depth: Float64
    lines: NDArray[Any]
    curve: NDArray[Any]

    def at(self, wave: Float64, shape: float = 0.0) -> Float64:
        """Return the flux in pixels at wavelengths, so deep in a transit."""
        step = np.gradient(wave)
        whole = self.flux * (1 - shape * self.depth)
        parts = [np.interp(wave + part * step, self.wavelength, whole) for part in SAMPLES]
        return np.asarray(np.mean(parts, axis=0))

    def clean(self, wave: Float64) -> NDArray[np.bool_]:
        """Tell wavelengths that are inside of the range and away from lines."""
        low, high = self.wavelength[0], self.wavelength[-1]
        margin = EDGE * (high - low)
        good = (wave > low + margin) & (wave < high - margin)
        for line in self.lines:
            good &= np.abs(wave - line["wavelength"]) > AWAY * line["width"]
        return np.asarray(good)


def read_truth(path: Path) -> TrueSpectrum:
    """Read the truth of an exposure."""
    with fits.open(path) as hdus:
        rows = hdus["SPECTRUM"].data
        wave, flux, depth = (
            np.array(rows[name], dtype=float) for name in ("wavelength", "flux", "depth")
        )
        lines, curve = (np.array(hdus[name].data) for name in ("LINES", "LIGHT_CURVE"))
    return TrueSpectrum(wave, flux, depth, lines, curve)


def score_spectra(truth: Path, results: Path, roots: dict[str, Any]) -> dict[str, Any]:
    """Compare spectra and light curves with the truth.

    Parameters
    ----------
    truth : Path
        Folder of the truth.
    results : Path
        Folder below which `_x1d`, `_x1dints` and `_whtlt.ecsv` products are looked for.
    roots : dict
        Simulated exposures by root.

    Returns
    -------
    dict
        "spectra" by root: points, flux_bias, flux_scatter, chi2 in clean regions, line_offset in
        resolution elements; "light_curves" by exposure: see `score_series`.

    Raises
    ------
    InputError
        If there is none.
    """
    found = {
        root: path
        for root in roots
        for suffix in SUFFIXES
        for path in sorted(results.rglob(f"{root}_{suffix}.fits"))
    }
    whites = sorted(results.rglob("*_whtlt.ecsv"))
    if not found and not whites:
        msg = f"{results}: no _x1d, _x1dints or _whtlt product of the simulated spectra is below it"
        raise InputError(msg)
    known = {root: read_truth(truth / f"{root}_truth.fits") for root in roots}
    curves = series_curves(known, found)
    curves |= {path.name: white_curve(path, known) for path in whites}
    return {
        "spectra": {root: score_spectrum(known[root], path) for root, path in found.items()},
        "light_curves": curves,
    }


def read_spectra(path: Path) -> tuple[Float64, Float64, Float64]:
    """Return wavelengths (n,), fluxes and errors (nints, n) of the first spectrum of a product."""
    with fits.open(path) as hdus:
        rows = hdus["EXTRACT1D"].data
        columns = [np.array(rows[name], dtype=float) for name in ("WAVELENGTH", "FLUX")]
        columns.append(np.array(rows["FLUX_ERROR"], dtype=float))
    wave, flux, error = (np.atleast_2d(column) for column in columns)
    return wave[0], flux, error


def score_spectrum(known: TrueSpectrum, path: Path) -> dict[str, float]:
    """Return how well a spectrum, or the mean of a file's integrations, is recovered."""
    wave, cube, errors = read_spectra(path)
    shape = float(known.curve["shape"].mean()) if len(cube) > 1 else 0.0
    count = np.count_nonzero(np.isfinite(cube), axis=0)
    full = count == len(cube)
    flux, error = cube.mean(axis=0), np.sqrt((errors**2).sum(axis=0)) / len(cube)
    true = known.at(wave, shape)
    good = full & known.clean(wave) & (error > 0)
    ratio = flux[good] / true[good]
    pulls = (flux[good] - true[good]) / error[good]
    offsets = line_offsets(known, wave, np.where(full, flux, np.nan), shape)
    return {
        "points": int(np.count_nonzero(good)),
        "flux_bias": median(ratio) - 1,
        "flux_scatter": scatter(ratio),
        "expected_scatter": median(error[good] / true[good]),
        "chi2": mean(pulls**2),
        "lines": len(offsets),
        "line_offset": float(np.sqrt(mean(offsets**2))) if len(offsets) else float("nan"),
    }


def line_offsets(known: TrueSpectrum, wave: Float64, flux: Float64, shape: float) -> Float64:
    """Return by how many resolution elements lines are beside their true places.

    Flux is fitted by a times the true spectrum and its slope.
    """
    true = known.at(wave, shape)
    step = np.abs(np.gradient(wave))
    slope = np.gradient(true, wave)
    found = []
    for line in known.lines:
        near = np.abs(wave - line["wavelength"]) < WINDOW * line["width"]
        near &= np.isfinite(flux)
        if np.count_nonzero(near) > ELEMENT and line["strength"] != 0:
            columns = np.stack([true[near], -slope[near]], axis=1)
            level, moved = np.linalg.lstsq(columns, flux[near], rcond=None)[0]
            found.append(moved / level / median(step[near]) / ELEMENT)
    return np.array(found)


def series_curves(
    known: dict[str, TrueSpectrum], found: dict[str, Path]
) -> dict[str, dict[str, float]]:
    """Return the figures of the light curves of series, all segments together."""
    parts: dict[str, list[tuple[Float64, ...]]] = {}
    depths: dict[str, float] = {}
    for root, path in sorted(found.items()):
        wave, cube, errors = read_spectra(path)
        if len(cube) < 2:
            continue
        truth = known[root]
        good = truth.clean(wave) & np.all(np.isfinite(cube), axis=0)
        flux = cube[:, good].sum(axis=1)
        error = np.sqrt((errors[:, good] ** 2).sum(axis=1))
        name = "_".join(part.split("-seg")[0] for part in root.split("_"))
        depths[name] = white_depth(truth, wave[good])
        parts.setdefault(name, []).append((truth.curve["shape"], flux, error))
    curves = {}
    for name, rows in parts.items():
        shape, flux, error = (np.concatenate(item) for item in zip(*rows, strict=True))
        curves[name] = fit_depth(1 - depths[name] * shape, flux, error, depths[name])
    return curves


def white_depth(truth: TrueSpectrum, wave: Float64) -> float:
    """Return the depth of the transit in the light of some wavelengths together."""
    flux = truth.at(wave)
    depth = np.interp(wave, truth.wavelength, truth.depth)
    return float(np.sum(flux * depth) / np.sum(flux))


def white_curve(path: Path, known: dict[str, TrueSpectrum]) -> dict[str, float]:
    """Return the figures of a white light curve, whose integrations are found by their times."""
    table = Table.read(path, format="ascii.ecsv")
    curve = np.concatenate([truth.curve for truth in known.values()])
    order = np.argsort(curve["mjd_utc"])
    time = np.asarray(table["MJD_UTC"], dtype=float)
    shape = np.interp(time, curve["mjd_utc"][order], curve["shape"][order])
    names = [name for name in table.colnames if "flux" in name.lower()]
    flux = np.asarray(table[names[0]], dtype=float)
    truth = next(iter(known.values()))
    depth = white_depth(truth, truth.wavelength)
    noise = np.full(flux.shape, np.std(np.diff(flux)) / np.sqrt(2))
    figures = fit_depth(1 - depth * shape, flux, noise, depth)
    return figures | {"scatter_of_steps_ppm": float(PPM * noise[0] / np.median(flux))}
