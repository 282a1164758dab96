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
from calwebb_simulator.ramp import Chamber, Exposed, Variable, expose
from calwebb_simulator.render import draw_sources
from calwebb_simulator.repeat import expose_repeated
from calwebb_simulator.scenario import Scenario
from calwebb_simulator.transit import TARGET_ID

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]
UNITS = {"SCI": "DN/s", "CAL": "MJy/sr", "TARGET": "DN/s"}
LIGHT_CURVE_DTYPE = np.dtype(
    [("integration", "i4"), ("mjd_utc", "f8"), ("bjd_tdb", "f8"), ("light", "f8")]
)


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
    variable : Variable, optional
        The target's light, which `electrons` does not hold then; `rate` and `surface` hold its
        mean over the file's integrations.
    """

    electrons: Float32
    rate: Float32
    surface: Float32
    variable: Variable | None = None


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
    psf = exposure_psf(entry)
    varies = np.zeros(len(catalog), dtype=bool)
    if scenario.scene.target is not None:
        varies = np.asarray(catalog["id"] == TARGET_ID)
    seen = draw_sources(catalog[~varies], flux[~varies], entry.placement, psf)
    seen = seen + sky_electrons(scenario, entry) * properties.area
    seen = np.where(properties.science, seen, 0.0)
    electrons = seen * properties.sensitivity
    variable = None
    if scenario.scene.target is not None:
        star = draw_sources(catalog[varies], flux[varies], entry.placement, psf)
        star = np.where(properties.science, star, 0.0)
        light = scenario.scene.target.light(entry.phase())
        variable = Variable((star * properties.sensitivity).astype(np.float32), light)
        seen = seen + star * light.mean()
    rate = seen * properties.sensitivity / properties.gain
    conversion = photmjsr(optics, entry.frame.detector, distortion)
    surface = seen / properties.area / properties.mean_gain * conversion
    surface = np.where(properties.science & (properties.sensitivity > 0), surface, np.nan)
    maps = [np.asarray(item, dtype=np.float32) for item in (electrons, rate, surface)]
    return Light(maps[0], maps[1], maps[2], variable)


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
        (scenario.seed, entry.exposure_root),
        entry.segment,
    )
    if 0 < entry.group.distinct < entry.timing.integrations:
        exposed = expose_repeated(
            chamber, light.electrons, entry.group.distinct, progress, variable=light.variable
        )
    else:
        exposed = expose(chamber, light.electrons, progress, variable=light.variable)
    path = output_dir / "uncal" / f"{entry.root}_uncal.fits"
    write_raw(
        path,
        raw_metadata(scenario, instrument, entry),
        exposed.data,
        zeroframe=exposed.zeroframe if entry.group.zeroframe else None,
        tables=raw_tables(entry),
    )
    truth = output_dir / "truth" / f"{entry.root}_truth.fits"
    write_truth(truth, scenario, entry, light, exposed, properties.gain)
    return path


def write_truth(
    path: Path,
    scenario: Scenario,
    entry: Planned,
    light: Light,
    exposed: Exposed,
    gain: Float32,
) -> None:
    """Write the truth of an exposure.

    SCI is the noise-free rate in DN/s with the pixels' sensitivity in it and without dark
    current; CAL the noise-free image in MJy/sr; COSMIC_RAYS has a row for every pixel of every
    track: integration (of the file) and group (from 0; the first group that holds it), frame
    (from 1), track, x, y (from 0), charge in electrons. With a star at the target there are
    TARGET, its rate in DN/s outside a transit, in the units of SCI, and LIGHT_CURVE: relative
    light at the middle of every integration.
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
    if light.variable is not None:
        hdus.append(fits.ImageHDU((light.variable.rate / gain).astype(np.float32), name="TARGET"))
        hdus.append(fits.BinTableHDU(light_curve(entry, light.variable), name="LIGHT_CURVE"))
    for hdu in hdus[1:]:
        if hdu.name in UNITS:
            hdu.header["BUNIT"] = UNITS[hdu.name]
    with atomic_path(path) as temporary:
        hdus.writeto(temporary, overwrite=True)


def light_curve(entry: Planned, variable: Variable) -> NDArray[Any]:
    """Return the relative light of a file's integrations, which are numbered from 1."""
    times = raw_tables(entry)["INT_TIMES"].data
    rows = np.zeros(len(times), dtype=LIGHT_CURVE_DTYPE)
    rows["integration"] = times["integration_number"]
    rows["mjd_utc"] = times["int_mid_MJD_UTC"]
    rows["bjd_tdb"] = times["int_mid_BJD_TDB"]
    rows["light"] = variable.light
    return rows


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
        "INTSTART": entry.segment.first + 1,
        "INTEND": entry.segment.first + entry.segment.count,
        "DEPTH": scenario.scene.target.depth if scenario.scene.target else 0.0,
        "NGROUPS": timing.groups,
        "TGROUP": timing.group_time,
        "SKY": scenario.scene.sky,
        "SKYRATE": sky_electrons(scenario, entry) / frame.detector.gain,
        "PHOTMJSR": photmjsr(entry.optics, frame.detector, frame.distortion),
    }
