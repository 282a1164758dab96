"""The truth of a spectrum: what the star is, and what each exposure would show without noise."""

import json
from pathlib import Path
from typing import Any, Final

import numpy as np
from astropy.io import fits
from numpy.typing import NDArray

from calwebb_core.framework.atomic import atomic_path, write_text
from calwebb_simulator.cosmic_rays import Hits
from calwebb_simulator.header_tables import raw_tables
from calwebb_simulator.plan import Planned
from calwebb_simulator.scenario import Scenario
from calwebb_simulator.spectra.acquisition import is_acquisition, star_pixel
from calwebb_simulator.spectra.light import SpectralLight, drifts, factors
from calwebb_simulator.spectra.modes import SpectralMode
from calwebb_simulator.spectra.star import Star
from calwebb_simulator.transit import TargetStar

GRID: Final = 4000  # wavelengths of the true spectrum
CURVE_DTYPE: Final = np.dtype(
    [
        ("integration", "i4"),
        ("mjd_utc", "f8"),
        ("bjd_tdb", "f8"),
        ("shape", "f8"),
        ("drift", "f8"),
    ]
)


def write_spectral_truth(
    path: Path,
    scenario: Scenario,
    mode: SpectralMode,
    entry: Planned,
    light: SpectralLight,
    hits: Hits | None = None,
) -> None:
    """Write the truth of an exposure of a spectrum.

    STAR is the noise-free rate of the star in DN/s outside of a transit, SKY that of the sky,
    WAVELENGTH (um) that of each pixel. SPECTRUM has wavelength (um), flux (Jy; MJy is a millionth
    of it), continuum (Jy) and depth of the transit; LINES middle, width (um, sigma) and strength
    of each line; LIGHT_CURVE the integrations of the file with the shape of the transit (0
    outside, 1 at the bottom) and the drift in pixels across the spectrum. Ramps have COSMIC_RAYS,
    as those of images.
    """
    star = Star(mode, scenario.scene.target or TargetStar(magnitude=99.0))
    header = fits.Header()
    for keyword, value in _keywords(scenario, mode, entry, star).items():
        header[keyword] = value
    images = {"STAR": light.star, "SKY": light.sky, "WAVELENGTH": light.wavelength}
    hdus: list[Any] = [fits.PrimaryHDU(header=header)]
    for name, array in images.items():
        hdus.append(fits.ImageHDU(array.astype(np.float32), name=name))
        hdus[-1].header["BUNIT"] = "um" if name == "WAVELENGTH" else "DN/s"
    hdus.append(fits.BinTableHDU(spectrum_rows(star), name="SPECTRUM"))
    hdus.append(fits.BinTableHDU(line_rows(star), name="LINES"))
    hdus.append(fits.BinTableHDU(curve_rows(scenario, mode, entry), name="LIGHT_CURVE"))
    if hits is not None:
        hdus.append(fits.BinTableHDU(hits, name="COSMIC_RAYS"))
    with atomic_path(path) as temporary:
        fits.HDUList(hdus).writeto(temporary, overwrite=True)


def _keywords(scenario: Scenario, mode: SpectralMode, entry: Planned, star: Star) -> dict[str, Any]:
    return {
        "ROOT": entry.root,
        "SCENARIO": scenario.name,
        "SEED": scenario.seed,
        "SPECMODE": mode.name,
        "EXP_TYPE": mode.exp_type,
        "FILTER": mode.filter,
        "GRATING": mode.grating,
        "SLIT": mode.slit,
        "TSERIES": mode.series,
        "DEPTH": star.target.depth,
        "WAVELOW": mode.low,
        "WAVEHIGH": mode.high,
        "SKY": scenario.scene.sky,
        "INTSTART": entry.segment.first + 1,
        "BKGDTARG": entry.group.background,
    }


def spectrum_rows(star: Star) -> NDArray[np.void]:
    """Return the table of the true spectrum."""
    wave = np.linspace(star.mode.low, star.mode.high, GRID)
    names = ("wavelength", "flux", "continuum", "depth")
    rows = np.zeros(GRID, dtype=[(name, "f8") for name in names])
    columns = (wave, star.flux(wave), star.continuum(wave), star.depth(wave))
    for name, column in zip(names, columns, strict=True):
        rows[name] = column
    return rows


def line_rows(star: Star) -> NDArray[np.void]:
    """Return the table of the lines."""
    names = ("wavelength", "width", "strength")
    rows = np.zeros(len(star.lines), dtype=[(name, "f8") for name in names])
    for name, column in zip(names, (star.lines, star.widths, star.strengths), strict=True):
        rows[name] = column
    return rows


def curve_rows(scenario: Scenario, mode: SpectralMode, entry: Planned) -> NDArray[np.void]:
    """Return the table of a file's integrations."""
    times = raw_tables(entry)["INT_TIMES"].data
    rows = np.zeros(len(times), dtype=CURVE_DTYPE)
    rows["integration"] = times["integration_number"]
    rows["mjd_utc"] = times["int_mid_MJD_UTC"]
    rows["bjd_tdb"] = times["int_mid_BJD_TDB"]
    rows["shape"] = -factors(scenario, mode, entry)[:, 0]
    rows["drift"] = drifts(scenario, mode, entry)
    return rows


def summary_of(entry: Planned, *, star: bool) -> dict[str, Any]:
    """Return what an exposure is, and where its star is without a prism."""
    return {
        "root": entry.root,
        "detector": entry.frame.detector.name,
        "filter": entry.optics.name,
        "subarray": entry.frame.subarray,
        "exp_type": entry.group.exp_type,
        "dither": list(entry.group.dithers[entry.dither - 1]),
        "integrations": entry.timing.integrations,
        "segment": [entry.segment.number, entry.segment.total],
        **({"star": star_pixel(entry)} if star else {}),
    }


def write_spectral_summary(path: Path, scenario: Scenario, entries: tuple[Planned, ...]) -> None:
    """Write what was simulated, for people and for scoring."""
    stars = any(map(is_acquisition, entries))
    images = [entry for entry in entries if is_acquisition(entry)]
    spectra = [entry for entry in entries if not is_acquisition(entry)]
    content = {
        "format": 1,
        "scenario": scenario.name,
        "seed": scenario.seed,
        "effects": sorted(scenario.effects),
        "spectra": True,
        "exposures": [summary_of(entry, star=stars) for entry in spectra],
        **({"acquisitions": [summary_of(entry, star=True) for entry in images]} if stars else {}),
    }
    write_text(path, json.dumps(content, indent=1) + "\n")
