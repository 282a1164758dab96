"""What falls on a detector: the sky as its pixels see it, in electrons, DN and MJy/sr."""

from dataclasses import dataclass

import numpy as np
from astropy.table import Table as SkyTable
from numpy.typing import NDArray

from calwebb_simulator.detector import Properties, gain_factor
from calwebb_simulator.instruments import instrument_named
from calwebb_simulator.photometry import MJY_PER_UJY, electrons_per_mjy, photmjsr, pixel_steradian
from calwebb_simulator.plan import Planned
from calwebb_simulator.psf import Psf, filter_psf
from calwebb_simulator.ramp import Variable
from calwebb_simulator.render import draw_sources
from calwebb_simulator.scenario import Scenario
from calwebb_simulator.traces import trace_rates
from calwebb_simulator.transit import TARGET_ID

Float32 = NDArray[np.float32]


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
    if instrument_named(scenario.instrument).spectral:
        return scenario.scene.sky
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


def dispersed_light(scenario: Scenario, entry: Planned, properties: Properties) -> Light:
    """Draw the traces on a spectrograph's detector; `sky` counts in electrons per second."""
    seen = np.where(properties.science, trace_rates(entry.frame, scenario.scene.sky), 0.0)
    electrons = seen * properties.sensitivity
    factor = gain_factor(instrument_named(scenario.instrument), entry.frame)
    rate = electrons / properties.gain * factor
    nothing = np.full(rate.shape, np.nan, dtype=np.float32)
    return Light(electrons.astype(np.float32), rate.astype(np.float32), nothing)
