"""White light curves and the spectra of stage 3 against the truth of their exposures."""

from pathlib import Path
from typing import Any, Final

import numpy as np
from astropy.io import fits
from astropy.table import Table
from numpy.typing import NDArray

from calwebb_core.framework.errors import InputError
from calwebb_simulator.score_series import PPM, fit_depth
from calwebb_simulator.spectra.truth_file import TrueSpectrum, read_rows
from calwebb_simulator.statistics import median

Float64 = NDArray[np.float64]
FLUX: Final = "whitelight_flux"
ERROR: Final = "whitelight_flux_error"
TIME: Final = "MJD_UTC"


def white_curves(path: Path, known: dict[str, TrueSpectrum]) -> dict[str, dict[str, float]]:
    """Return the figures of the light curves of a table, one for each of its columns of fluxes.

    Parameters
    ----------
    path : Path
        `_whtlt.ecsv`. The `_x1dints` beside it, if there is one, tells which wavelengths were
        added up.
    known : dict
        Truths of all exposures by root.

    Returns
    -------
    dict
        See `score_series.fit_depth`, by the table's name, and the column's where there are
        several; `depth_true` is that of the wavelengths together, `expected_ppm` follows from the
        errors in the table.

    Raises
    ------
    InputError
        If the table has no times or fluxes.
    """
    table = Table.read(path, format="ascii.ecsv")
    names = [str(name) for name in table.colnames]
    fluxes = [name for name in names if name.startswith(FLUX) and ERROR not in name]
    clocks = [clock_of(name, names) for name in fluxes]
    if not fluxes or not all(clocks):
        msg = f"{path}: has columns {', '.join(names)}; expected {TIME} and {FLUX}"
        raise InputError(msg)
    figures = {}
    for name, clock in zip(fluxes, clocks, strict=True):
        label = path.name if len(fluxes) == 1 else f"{path.name} {name}"
        error_name = name.replace(FLUX, ERROR, 1)
        error = numbers(table, error_name) if error_name in names else None
        mine = of_detector(known, clock.removeprefix(TIME).strip("_"))
        figures[label] = white_curve(path, mine, numbers(table, clock), numbers(table, name), error)
    return figures


def numbers(table: Table, name: str) -> Float64:
    """Return a column; what is masked in it is NaN."""
    return np.ma.MaskedArray(table[name], dtype=float).filled(np.nan)


def clock_of(flux: str, names: list[str]) -> str:
    """Return the column with the times of a column of fluxes; empty if there is none."""
    detector = flux.rpartition("_")[2]
    wanted = (f"{TIME}_{detector}", TIME)
    return next((name for name in wanted if name in names), "")


def of_detector(known: dict[str, TrueSpectrum], detector: str) -> dict[str, TrueSpectrum]:
    """Return the truths of a detector; all of them where it has no name."""
    ending = f"_{detector.lower()}"
    return {root: truth for root, truth in known.items() if not detector or root.endswith(ending)}


def white_curve(
    path: Path,
    known: dict[str, TrueSpectrum],
    time: Float64,
    flux: Float64,
    error: Float64 | None,
) -> dict[str, float]:
    """Return the figures of a light curve, whose integrations are found by their times."""
    curve = np.concatenate([truth.curve for truth in known.values()])
    order = np.argsort(curve["mjd_utc"])
    good = np.isfinite(time) & np.isfinite(flux)
    time, flux = time[good], flux[good]
    shape = np.interp(time, curve["mjd_utc"][order], curve["shape"][order])
    depth = summed_depth(path, next(iter(known.values())))
    steps = float(np.std(np.diff(flux)) / np.sqrt(2))
    noise = np.full(flux.shape, steps) if error is None else error[good]
    figures = fit_depth(1 - depth * shape, flux, noise, depth)
    return figures | {"scatter_of_steps_ppm": PPM * steps / median(flux)}


def summed_depth(path: Path, truth: TrueSpectrum) -> float:
    """Return the depth in the light of all wavelengths that were added up.

    Each counts by its flux and by how many elements of the spectrum it fills.
    """
    spectra = path.with_name(path.name.replace("_whtlt.ecsv", "_x1dints.fits"))
    wave, weight = truth.wavelength, truth.flux
    if spectra.is_file():
        wave, cube, _ = read_rows(spectra)
        some = np.isfinite(cube).any(axis=0) & np.isfinite(wave)
        wave, weight = wave[some], np.nanmedian(cube[:, some], axis=0)
    depth = np.interp(wave, truth.wavelength, truth.depth)
    return float(np.sum(weight * depth) / np.sum(weight))


def combined(results: Path, roots: dict[str, Any], slit: str) -> dict[str, Path]:
    """Return the spectra of the star that stage 3 made of several exposures, by their names.

    Those of slits without the star are left out.
    """
    programs = {root[:7] for root in roots}
    found = {}
    for suffix in ("x1d", "x1dints", "c1d"):
        for path in sorted(results.rglob(f"*_{suffix}.fits")):
            alone = path.name.removesuffix(f"_{suffix}.fits") in roots
            if not alone and path.name[:7] in programs and slit_of(path) in ("", slit):
                found[path.name] = path
    return found


def slit_of(path: Path) -> str:
    """Return the slit of the first spectrum of a product, empty without."""
    with fits.open(path) as hdus:
        header: Any = hdus[1].header
        return str(header.get("SLTNAME") or "").strip()
