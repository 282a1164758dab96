"""Extracted spectra and light curves of a star against the truth."""

from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from astropy.io import fits
from numpy.typing import NDArray

from calwebb_core.framework.errors import InputError
from calwebb_simulator.score_series import fit_depth
from calwebb_simulator.score_white import combined, white_curves
from calwebb_simulator.spectra.truth_file import TrueSpectrum, read_rows, read_truth
from calwebb_simulator.statistics import mean, median, scatter

Float64 = NDArray[np.float64]
WINDOW: Final = 4.0  # widths of a line about it in which its place is fitted
ELEMENT: Final = 4.0  # pixels, full width at half maximum of a line
SUFFIXES: Final = ("x1d", "x1dints")


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
        "spectra" by root, and by name where stage 3 made one of several exposures: points,
        flux_bias, flux_scatter, chi2 in clean regions, line_offset in resolution elements;
        "light_curves" by exposure and by table: see `score_series`.

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
    several = combined(results, roots, slit_with_star(truth, roots))
    if not found and not whites and not several:
        msg = f"{results}: no _x1d, _x1dints or _whtlt product of the simulated spectra is below it"
        raise InputError(msg)
    known = {root: read_truth(truth / f"{root}_truth.fits") for root in roots}
    curves = series_curves(known, found)
    for path in whites:
        curves |= white_curves(path, known)
    scores = {root: score_spectrum(known[root], path) for root, path in found.items()}
    scores |= {name: score_spectrum(together(known), path) for name, path in several.items()}
    return {"spectra": scores, "light_curves": curves}


def slit_with_star(truth: Path, roots: dict[str, Any]) -> str:
    """Return the slit in which the star is."""
    path = truth / f"{next(iter(roots))}_truth.fits"
    return str(fits.getheader(path)["SLIT"]).strip()


def together(known: dict[str, TrueSpectrum]) -> TrueSpectrum:
    """Return the truth of several exposures of the same star."""
    curve = np.concatenate([truth.curve for truth in known.values()])
    return replace(next(iter(known.values())), curve=curve)


def score_spectrum(known: TrueSpectrum, path: Path) -> dict[str, float]:
    """Return how well a spectrum, or the mean of a file's integrations, is recovered."""
    wave, cube, errors = read_rows(path)
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
        wave, cube, errors = read_rows(path)
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
