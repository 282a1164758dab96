"""Run a scenario: the sky, the reference files, the raw counts, and the truth about them."""

import json
import logging
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from astropy.table import Table
from numpy.typing import NDArray

from calwebb_core.framework.atomic import atomic_path, check_writable, write_text
from calwebb_core.framework.errors import InputError
from calwebb_core.framework.products import write_image
from calwebb_simulator.calibrated import calibrated_image
from calwebb_simulator.detector import Properties, detector_properties
from calwebb_simulator.exposure import simulate
from calwebb_simulator.geometry import Frame
from calwebb_simulator.instruments import instrument_named
from calwebb_simulator.light import exposure_psf, sky_electrons
from calwebb_simulator.photometry import MJY_PER_UJY, electrons_per_mjy
from calwebb_simulator.plan import Planned, plan
from calwebb_simulator.references.build import Builder
from calwebb_simulator.scenario import Scenario
from calwebb_simulator.scene import generate, read_catalog, with_target
from calwebb_simulator.spectra.acquisition import is_acquisition
from calwebb_simulator.spectra.choice import is_spectrum
from calwebb_simulator.spectra.truth import write_spectral_summary
from calwebb_simulator.surroundings import sky_level
from calwebb_simulator.traps import TrapMemory
from calwebb_simulator.truth import write_truth
from calwebb_simulator.watcher import Watcher

logger = logging.getLogger(__name__)
Float64 = NDArray[np.float64]


@dataclass(frozen=True)
class Outcome:
    """What was written: raw counts, folder of the truth, folder of the CRDS cache."""

    raw: tuple[Path, ...]
    truth: Path
    cache: Path


def run(
    scenario: Scenario,
    output_dir: Path,
    *,
    references: bool = True,
    watcher: Watcher | None = None,
) -> Outcome:
    """Simulate a scenario into `uncal/`, `truth/` and `crds_cache/` of a folder.

    Parameters
    ----------
    scenario : Scenario
    output_dir : Path
    references : bool
        Whether the reference files are written.
    watcher : Watcher, optional

    Raises
    ------
    InputError
        If the scenario does not make sense or the folder cannot be written.
    """
    watcher = watcher or Watcher()
    output_dir = Path(output_dir)
    for name in ("uncal", "truth"):
        check_writable(output_dir / name)
    entries = plan(scenario)
    if any(map(is_spectrum, entries)) and any(map(is_acquisition, entries)):
        msg = f"scenario {scenario.name}: has an image of a spectrum's target; only rates makes it"
        raise InputError(msg)
    catalog = make_catalog(scenario)
    known: dict[tuple[str, str], Properties] = {}
    if references:
        build = Builder(scenario, entries, output_dir / "crds_cache", watcher.begin)
        build.build()
        known = build.known
    raw = expose_all(scenario, catalog, entries, output_dir, watcher, known)
    if all(is_spectrum(entry) for entry in entries):
        write_spectral_summary(output_dir / "truth" / "truth.json", scenario, entries)
        return Outcome(raw, output_dir / "truth", output_dir / "crds_cache")
    if not instrument_named(scenario.instrument).spectral:
        write_catalog(output_dir / "truth" / "scene.ecsv", catalog, scenario, entries)
    write_summary(output_dir / "truth" / "truth.json", scenario, entries)
    return Outcome(raw, output_dir / "truth", output_dir / "crds_cache")


def run_calibrated(
    scenario: Scenario,
    output_dir: Path,
    *,
    references: bool = True,
    truth: bool = True,
    watcher: Watcher | None = None,
) -> Outcome:
    """Make the calibrated images of a scenario without its ramps: `cal/` instead of `uncal/`.

    The CRDS cache holds only what stage 3 needs. Without `truth` none is written of each image.

    Raises
    ------
    InputError
        If the scenario has no images of the sky, or the folder cannot be written.
    """
    watcher = watcher or Watcher()
    output_dir = Path(output_dir)
    instrument = instrument_named(scenario.instrument)
    if instrument.spectral:
        msg = f"scenario {scenario.name}: {instrument.name} sees no sky; cal needs images"
        raise InputError(msg)
    for name in ("cal", "truth"):
        check_writable(output_dir / name)
    entries = plan(scenario)
    catalog = make_catalog(scenario)
    if references:
        build = Builder(scenario, entries, output_dir / "crds_cache", watcher.begin)
        build.build_for_images()
    images = calibrate_all(scenario, catalog, entries, output_dir, watcher, truth=truth)
    write_catalog(output_dir / "truth" / "scene.ecsv", catalog, scenario, entries)
    write_summary(output_dir / "truth" / "truth.json", scenario, entries)
    return Outcome(images, output_dir / "truth", output_dir / "crds_cache")


def calibrate_all(
    scenario: Scenario,
    catalog: Table,
    entries: tuple[Planned, ...],
    output_dir: Path,
    watcher: Watcher,
    *,
    truth: bool = True,
) -> tuple[Path, ...]:
    """Make all calibrated images, detector by detector, whose properties are large."""
    instrument = instrument_named(scenario.instrument)
    frames = dict.fromkeys((entry.frame.detector.name, entry.frame.subarray) for entry in entries)
    paths = []
    for key in frames:
        mine = [e for e in entries if (e.frame.detector.name, e.frame.subarray) == key]
        properties = detector_properties(
            instrument, mine[0].frame, scenario.realisation, scenario.effects
        )
        for entry in mine:
            watcher.begin(entry.root)
            image, light, hits = calibrated_image(scenario, catalog, entry, properties)
            path = output_dir / "cal" / f"{entry.root}_cal.fits"
            write_image(image, path)
            if truth:
                known = output_dir / "truth" / f"{entry.root}_truth.fits"
                write_truth(known, scenario, entry, light, hits, properties.gain)
            watcher.advance()
            paths.append(path)
    return tuple(paths)


def make_catalog(scenario: Scenario) -> Table:
    """Return the catalog of a scenario's sky, read or drawn."""
    scene, place = scenario.scene, (scenario.ra, scenario.dec)
    if scene.catalog:
        catalog = read_catalog(scenario.folder / scene.catalog, scenario.optics)
    else:
        catalog = generate(
            scene.stars, scene.galaxies, scenario.optics, place, scene.radius, scenario.seed
        )
    if scene.target is None:
        return catalog
    return with_target(catalog, scene.target.magnitude, scenario.optics, place)


def expose_all(
    scenario: Scenario,
    catalog: Table,
    entries: tuple[Planned, ...],
    output_dir: Path,
    watcher: Watcher,
    known: dict[tuple[str, str], Properties],
) -> tuple[Path, ...]:
    """Simulate all exposures; a detector's properties are drawn once, if not `known` already."""
    instrument = instrument_named(scenario.instrument)
    memory = TrapMemory()
    paths = []
    for entry in entries:
        key = (entry.frame.detector.name, entry.frame.subarray)
        if key not in known:
            known[key] = detector_properties(
                instrument, entry.frame, scenario.realisation, scenario.effects
            )
        watcher.begin(entry.root)
        path = simulate(scenario, catalog, entry, known[key], output_dir, watcher.advance, memory)
        logger.debug("wrote %s", path)
        paths.append(path)
    return tuple(paths)


def write_catalog(
    path: Path, catalog: Table, scenario: Scenario, entries: tuple[Planned, ...]
) -> None:
    """Write the catalog with what can be expected of every source.

    exposures_<FILTER> counts the exposures whose detector sees the source's centre,
    snr_<FILTER> is the signal-to-noise ratio of PSF-weighted photometry in all of them together,
    saturates_<FILTER> tells stars that may fill a pixel.
    """
    result = catalog.copy()
    for optics in scenario.optics:
        seen = np.zeros(len(result), dtype=np.int32)
        weight = np.zeros(len(result))
        flux = np.asarray(result[f"flux_{optics.name}"]) * MJY_PER_UJY * electrons_per_mjy(optics)
        full = np.zeros(len(result), dtype=bool)
        for entry in entries:
            if entry.optics == optics and entry.segment.number == 1:
                borders = instrument_named(scenario.instrument).borders
                inside = on_detector(result, entry, borders)
                seen += inside
                weight += np.where(inside, flux**2 / variance(scenario, entry, flux), 0.0)
                full |= inside & saturates(entry, flux)
        result[f"exposures_{optics.name}"] = seen
        result[f"snr_{optics.name}"] = np.sqrt(weight)
        result[f"saturates_{optics.name}"] = full
    result.meta = {"scenario": scenario.name, "seed": scenario.seed}
    with atomic_path(path) as temporary:
        result.write(temporary, format="ascii.ecsv", overwrite=True)


def on_detector(
    catalog: Table, entry: Planned, borders: tuple[int, int, int, int]
) -> NDArray[np.bool_]:
    """Tell which sources' centres fall on pixels that see light."""
    x, y = entry.placement.pixel(np.asarray(catalog["ra"]), np.asarray(catalog["dec"]))
    size = border_of(entry.frame, borders)
    ny, nx = entry.frame.shape
    return np.asarray(
        (x > size[0] - 0.5)
        & (x < nx - size[1] - 0.5)
        & (y > size[2] - 0.5)
        & (y < ny - size[3] - 0.5)
    )


def border_of(frame: Frame, borders: tuple[int, int, int, int]) -> tuple[int, ...]:
    """Return how many reference pixels a frame has left, right, below, above."""
    left, below = frame.x_start - 1, frame.y_start - 1
    right, above = frame.full[1] - left - frame.nx, frame.full[0] - below - frame.ny
    cut = (left, right, below, above)
    return tuple(max(border - n, 0) for border, n in zip(borders, cut, strict=True))


def saturates(entry: Planned, flux: Float64) -> NDArray[np.bool_]:
    """Tell which point sources fill a pixel, were they in its middle, before an exposure ends."""
    peak = float(exposure_psf(entry).data.max())
    return np.asarray(flux * peak * entry.timing.integration_time > entry.frame.detector.well)


def variance(scenario: Scenario, entry: Planned, flux: Float64) -> Float64:
    """Return the variance in (electrons/s)^2 of PSF-weighted photometry in one exposure."""
    timing, detector = entry.timing, entry.frame.detector
    area = exposure_psf(entry).effective_area
    time = timing.integration_time * timing.integrations
    background = sky_electrons(scenario, entry) + detector.dark
    n = max(timing.groups, 2)
    read = detector.cds_noise**2 / 2 / timing.pattern.frames
    slope = 12 * read / (timing.group_time**2 * (n**3 - n)) / timing.integrations
    return flux / time + area * (background / time + slope)


def write_summary(path: Path, scenario: Scenario, entries: tuple[Planned, ...]) -> None:
    """Write what was simulated, for people and for scoring."""
    exposures = [
        {
            "root": entry.root,
            "detector": entry.frame.detector.name,
            "filter": entry.optics.name,
            "subarray": entry.frame.subarray,
            "groups": entry.timing.groups,
            "integrations": entry.timing.integrations,
            "segment": [entry.segment.number, entry.segment.total],
            "first_integration": entry.segment.first + 1,
            "group_time": entry.timing.group_time,
            "visit": entry.name.visit,
            "background": entry.group.background,
            "moving": any(entry.motion),
            "sky_mjy_sr": sky_level(scenario, entry),
            "pointing_error": [entry.error.east, entry.error.north, entry.error.roll],
            "pixel_scale": round(entry.frame.distortion.pixel_area**0.5, 6),
        }
        for entry in entries
    ]
    content = {
        "format": 1,
        "scenario": scenario.name,
        "seed": scenario.seed,
        "effects": sorted(scenario.effects),
        "sky_mjy_sr": scenario.scene.sky,
        "exposures": exposures,
    }
    write_text(path, json.dumps(content, indent=1) + "\n")
