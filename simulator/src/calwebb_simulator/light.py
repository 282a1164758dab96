"""What falls on a detector: the sky as its pixels see it, in electrons, DN and MJy/sr."""

from dataclasses import dataclass

import numpy as np
from astropy.table import Table as SkyTable
from numpy.typing import NDArray

from calwebb_simulator.detector import Properties, gain_factor
from calwebb_simulator.photometry import MJY_PER_UJY, electrons_per_mjy, photmjsr, pixel_steradian
from calwebb_simulator.plan import Planned
from calwebb_simulator.psf import Psf, filter_psf
from calwebb_simulator.ramp import Variable
from calwebb_simulator.render import draw_sources
from calwebb_simulator.scenario import Scenario
from calwebb_simulator.surroundings import sky_level, sky_map
from calwebb_simulator.throughput import throughput
from calwebb_simulator.traces import trace_rates
from calwebb_simulator.transit import TARGET_ID

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


def throughput_of(entry: Planned) -> float:
    """Return the relative throughput in the middle of an exposure."""
    middle = entry.start.mjd + entry.timing.duration / 2 / 86400
    return throughput(entry.instrument, entry.optics, middle)


def sky_electrons(scenario: Scenario, entry: Planned) -> float:
    """Return the sky's mean electrons per second in a nominal pixel."""
    if entry.instrument.spectral:
        return scenario.scene.sky
    steradian = pixel_steradian(entry.frame.distortion)
    sensitivity = electrons_per_mjy(entry.optics) * throughput_of(entry)
    return sky_level(scenario, entry) * sensitivity * steradian


def light_on(
    scenario: Scenario, catalog: SkyTable, entry: Planned, properties: Properties
) -> Light:
    """Draw the sky as the pixels of an exposure see it."""
    optics, distortion = entry.optics, entry.frame.distortion
    sensitivity = electrons_per_mjy(optics) * throughput_of(entry)
    flux = np.asarray(catalog[f"flux_{optics.name}"]) * MJY_PER_UJY * sensitivity
    target = np.zeros(len(catalog), dtype=bool)
    if scenario.scene.target is not None:
        target = np.asarray(catalog["id"] == TARGET_ID)
    seen = draw_field(catalog[~target], flux[~target], entry)
    surroundings = sky_map(scenario, entry) * (sensitivity * pixel_steradian(distortion))
    seen = seen + surroundings * properties.area
    seen = np.where(properties.science, seen, 0.0)
    electrons = seen * properties.sensitivity
    variable = None
    if scenario.scene.target is not None and not entry.group.background:
        star = draw_target(catalog[target], flux[target], entry)
        star = np.where(properties.science, star, 0.0)
        light = scenario.scene.target.light(entry.phase())
        variable = Variable((star * properties.sensitivity).astype(np.float32), light)
        seen = seen + star * light.mean()
    rate = seen * properties.sensitivity / properties.gain
    conversion = photmjsr(optics, entry.frame.detector, distortion) / throughput_of(entry)
    surface = seen / properties.area / properties.mean_gain * conversion
    surface = np.where(properties.science & (properties.sensitivity > 0), surface, np.nan)
    maps = [np.asarray(item, dtype=np.float32) for item in (electrons, rate, surface)]
    return Light(maps[0], maps[1], maps[2], variable)


def draw_field(catalog: SkyTable, flux: Float64, entry: Planned) -> Float64:
    """Draw what stays in its place on the sky; it trails when the telescope follows a target."""
    psf, trail = exposure_psf(entry), entry.trail()
    parts = [draw_sources(catalog, flux / len(trail), place, psf) for place in trail]
    return np.sum(parts, axis=0) if len(parts) > 1 else parts[0]


def draw_target(catalog: SkyTable, flux: Float64, entry: Planned) -> Float64:
    """Draw the star at the target, which the telescope follows where it moves."""
    moved = catalog.copy()
    if any(entry.motion):
        moved["ra"], moved["dec"] = entry.aim.ra, entry.aim.dec
    return draw_sources(moved, flux, entry.placement, exposure_psf(entry))


def dispersed_light(scenario: Scenario, entry: Planned, properties: Properties) -> Light:
    """Draw the traces on a spectrograph's detector; `sky` counts in electrons per second."""
    seen = np.where(properties.science, trace_rates(entry.frame, scenario.scene.sky), 0.0)
    electrons = seen * properties.sensitivity
    factor = gain_factor(entry.instrument, entry.frame)
    rate = electrons / properties.gain * factor
    nothing = np.full(rate.shape, np.nan, dtype=np.float32)
    return Light(electrons.astype(np.float32), rate.astype(np.float32), nothing)
