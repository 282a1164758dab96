"""One exposure of one detector: raw counts and the truth they were made from."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from astropy.io import fits
from astropy.table import Table as SkyTable
from numpy.typing import NDArray

from calwebb_core.framework.atomic import atomic_path
from calwebb_core.framework.products import write_raw
from calwebb_simulator.detector import Properties
from calwebb_simulator.header import raw_metadata
from calwebb_simulator.header_tables import raw_tables
from calwebb_simulator.instruments import instrument_named
from calwebb_simulator.photometry import MJY_PER_UJY, electrons_per_mjy, photmjsr, pixel_steradian
from calwebb_simulator.plan import Planned
from calwebb_simulator.psf import Psf, filter_psf
from calwebb_simulator.ramp import Chamber, Exposed, expose
from calwebb_simulator.render import draw_sources
from calwebb_simulator.scenario import Scenario

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]


@dataclass(frozen=True)
class Light:
    """What falls on a detector.

    Attributes
    ----------
    electrons : float32, (ny, nx)
        Electrons per second from sources and sky, as the pixels respond; no dark current.
    rate : float32, (ny, nx)
        The same in DN/s: what a perfect rate image holds before flat-fielding.
    surface : float32, (ny, nx)
        MJy/sr: what a perfect calibrated image holds; NaN where a pixel sees nothing.
    """

    electrons: Float32
    rate: Float32
    surface: Float32


def exposure_psf(entry: Planned) -> Psf:
    """Return the PSF of an exposure."""
    return filter_psf(entry.optics, round(entry.frame.distortion.pixel_area**0.5, 6))


def sky_electrons(scenario: Scenario, entry: Planned) -> float:
    """Return the sky's electrons per second in a nominal pixel."""
    steradian = pixel_steradian(entry.frame.distortion)
    return scenario.scene.sky * electrons_per_mjy(entry.optics) * steradian


def light_on(
    scenario: Scenario, catalog: SkyTable, entry: Planned, properties: Properties
) -> Light:
    """Draw the sky as the pixels of an exposure see it."""
    optics, distortion = entry.optics, entry.frame.distortion
    flux = np.asarray(catalog[f"flux_{optics.name}"]) * MJY_PER_UJY * electrons_per_mjy(optics)
    seen = draw_sources(catalog, flux, entry.placement, exposure_psf(entry))
    seen = seen + sky_electrons(scenario, entry) * properties.area
    seen = np.where(properties.science, seen, 0.0)
    electrons = seen * properties.sensitivity
    rate = electrons / properties.gain
    conversion = photmjsr(optics, entry.frame.detector, distortion)
    surface = seen / properties.area / properties.mean_gain * conversion
    surface = np.where(properties.science & (properties.sensitivity > 0), surface, np.nan)
    return Light(*(np.asarray(item, dtype=np.float32) for item in (electrons, rate, surface)))


def simulate(
    scenario: Scenario,
    catalog: SkyTable,
    entry: Planned,
    properties: Properties,
    output_dir: Path,
    progress: Callable[[], None] = lambda: None,
) -> Path:
    """Simulate an exposure; write its raw counts and its truth.

    Parameters
    ----------
    scenario : Scenario
    catalog : Table
        Of the sky, see `scene`.
    entry : Planned
    properties : Properties
        Of the exposure's frame.
    output_dir : Path
        `uncal/` and `truth/` in it must exist.
    progress : callable
        Called once a group.

    Returns
    -------
    Path
        The file of raw counts.
    """
    instrument = instrument_named(scenario.instrument)
    light = light_on(scenario, catalog, entry, properties)
    chamber = Chamber(
        entry.frame,
        properties,
        entry.timing,
        scenario.effects,
        instrument.pixel_pitch,
        scenario.cosmic_ray_flux,
        (scenario.seed, entry.root),
    )
    exposed = expose(chamber, light.electrons, progress)
    path = output_dir / "uncal" / f"{entry.root}_uncal.fits"
    write_raw(
        path,
        raw_metadata(scenario, instrument, entry),
        exposed.data,
        zeroframe=exposed.zeroframe if entry.group.zeroframe else None,
        tables=raw_tables(entry),
    )
    write_truth(output_dir / "truth" / f"{entry.root}_truth.fits", scenario, entry, light, exposed)
    return path


def write_truth(
    path: Path, scenario: Scenario, entry: Planned, light: Light, exposed: Exposed
) -> None:
    """Write the truth of an exposure.

    SCI is the noise-free rate in DN/s with the pixels' sensitivity in it and without dark
    current; CAL the noise-free image in MJy/sr; COSMIC_RAYS has a row for every pixel of every
    track: integration and group (from 0; the first group that holds it), frame (from 1), track,
    x, y (from 0), charge in electrons.
    """
    header = fits.Header()
    for keyword, value in _truth_keywords(scenario, entry).items():
        header[keyword] = value
    hdus = fits.HDUList(
        [
            fits.PrimaryHDU(header=header),
            fits.ImageHDU(light.rate, name="SCI"),
            fits.ImageHDU(light.surface, name="CAL"),
            fits.BinTableHDU(exposed.hits, name="COSMIC_RAYS"),
        ]
    )
    hdus["SCI"].header["BUNIT"] = "DN/s"
    hdus["CAL"].header["BUNIT"] = "MJy/sr"
    with atomic_path(path) as temporary:
        hdus.writeto(temporary, overwrite=True)


def _truth_keywords(scenario: Scenario, entry: Planned) -> dict[str, Any]:
    frame, timing = entry.frame, entry.timing
    return {
        "ROOT": entry.root,
        "SCENARIO": scenario.name,
        "SEED": scenario.seed,
        "INSTRUME": scenario.instrument,
        "DETECTOR": frame.detector.name,
        "FILTER": entry.optics.name,
        "SUBARRAY": frame.subarray,
        "NINTS": timing.integrations,
        "NGROUPS": timing.groups,
        "TGROUP": timing.group_time,
        "SKY": scenario.scene.sky,
        "SKYRATE": sky_electrons(scenario, entry) / frame.detector.gain,
        "PHOTMJSR": photmjsr(entry.optics, frame.detector, frame.distortion),
    }
