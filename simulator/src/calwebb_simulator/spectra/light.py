"""What a star's spectrum puts on the pixels of an exposure, in DN per second and in electrons.

Everything that the pipeline takes out is put in here: the slit's losses, the flat field, the
response. Light is the mean over each pixel along the dispersion and its integral across.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from calwebb_simulator.detector import Properties, gain_factor
from calwebb_simulator.header import raw_metadata
from calwebb_simulator.light import Light
from calwebb_simulator.plan import Planned
from calwebb_simulator.ramp import Variable
from calwebb_simulator.random import stream
from calwebb_simulator.scenario import Scenario
from calwebb_simulator.spectra.flats import whole_flat
from calwebb_simulator.spectra.losses import SLITS, point_throughput, uniform_throughput
from calwebb_simulator.spectra.modes import SpectralMode
from calwebb_simulator.spectra.profile import share_between
from calwebb_simulator.spectra.response import conversion, diffuse_rate, point_rate
from calwebb_simulator.spectra.star import Star
from calwebb_simulator.spectra.worlds import SlitView, views
from calwebb_simulator.transit import TargetStar

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]
SAMPLES: Final = 5  # of a pixel along the dispersion
SHIFT: Final = 0.05  # pixels over which the change of light with a drift is measured
WAVES: Final = 2.0  # of the slow drift over an exposure
SKY_POWER: Final = 1.5  # of the wavelength that the sky's brightness goes with


@dataclass(frozen=True)
class SpectralLight:
    """Light on the pixels of an exposure.

    Attributes
    ----------
    star : float64, (ny, nx)
        DN per second of the star outside of a transit.
    missing : float64, (ny, nx)
        What is missing of it at the bottom of the transit.
    moved : float64, (ny, nx)
        By how much it changes for a drift of one pixel across the spectrum.
    sky : float64, (ny, nx)
    wavelength : float64, (ny, nx)
        um, of the slit whose light is there; NaN elsewhere.
    """

    star: Float64
    missing: Float64
    moved: Float64
    sky: Float64
    wavelength: Float64


def spectral_light(
    scenario: Scenario, mode: SpectralMode, entry: Planned, properties: Properties
) -> SpectralLight:
    """Draw the spectra of an exposure, without noise.

    Parameters
    ----------
    scenario : Scenario
        Its target is the star; its sky is in MJy/sr in the middle of the range.
    mode : SpectralMode
    entry : Planned
    properties : Properties
        Of its frame.
    """
    target = scenario.scene.target or TargetStar(magnitude=99.0)
    star = Star(mode, target)
    flat = np.where(properties.science, properties.flat, 0.0)
    start = entry.frame.x_start, entry.frame.y_start
    total = {name: np.zeros(flat.shape) for name in ("star", "missing", "moved", "sky")}
    wavelength = np.full(flat.shape, np.nan)
    metadata = raw_metadata(scenario, entry.instrument, entry)
    for view in views(mode, entry, metadata, scenario.real_cache):
        response = np.where(
            view.open, whole_flat(mode, view.slit, view.wavelength, flat, start), 0.0
        )
        wavelength = np.where(view.open, view.wavelength, wavelength)
        total["sky"] += response * sky_rate(scenario.scene.sky, mode, view)
        if view.holds_star and not entry.group.background:
            spectrum = dispersed(star, view)
            shapes = [across(mode, view, shift) for shift in (0.0, -SHIFT, SHIFT)]
            total["star"] += response * spectrum[0] * shapes[0]
            total["missing"] += response * spectrum[1] * shapes[0]
            total["moved"] += response * spectrum[0] * (shapes[2] - shapes[1]) / (2 * SHIFT)
    return SpectralLight(wavelength=wavelength, **total)


def across(mode: SpectralMode, view: SlitView, shift: float) -> Float64:
    """Return each pixel's part of the star's light across the spectrum."""
    place = np.where(view.open, view.distance - shift, 1e6)
    wave = np.where(view.open, view.wavelength, mode.high)
    return share_between(mode, wave, place - 0.5, place + 0.5)


def dispersed(star: Star, view: SlitView) -> tuple[Float64, Float64]:
    """Return the star's DN per second at each pixel's wavelength, and what a transit takes."""
    mode = star.mode
    wave = np.where(view.open, view.wavelength, mode.high)
    step = np.gradient(view.wavelength, axis=2 - mode.axis)
    step = np.where(np.isfinite(step), step, 0.0)
    through: Float64 | float = 1.0
    if view.slit in SLITS and not mode.series:
        through = point_throughput(view.slit, wave, *view.place)
    # series through the wide slit lose light, too, but have no pathloss step: none is put in
    whole, missing = np.zeros(wave.shape), np.zeros(wave.shape)
    for part in (np.arange(SAMPLES) + 0.5) / SAMPLES - 0.5:
        near = wave + part * step
        flux = star.flux(near)
        whole += flux / SAMPLES
        missing += flux * star.depth(near) / SAMPLES
    factor = point_rate(mode, wave, 1.0, view.slit) * through
    return whole * factor, missing * factor


def sky_rate(level: float, mode: SpectralMode, view: SlitView) -> Float64:
    """Return DN per second of the sky: dispersed behind a slit, even without one."""
    middle = (mode.low + mode.high) / 2
    if mode.slit not in SLITS:
        return np.full(view.wavelength.shape, level / float(conversion(mode, middle)))
    wave = np.where(view.open, view.wavelength, middle)
    bright = level * (wave / middle) ** SKY_POWER
    lost = uniform_throughput(wave) if mode.instrument == "NIRSPEC" and not mode.series else 1.0
    return diffuse_rate(mode, wave, bright, view.slit) * lost


def drifts(scenario: Scenario, mode: SpectralMode, entry: Planned) -> Float64:
    """Return by how many pixels the star is off across the spectrum in each integration."""
    size = scenario.pointing.drift / 1000 / mode.scale
    count = entry.timing.integrations
    rng = stream(scenario.seed, entry.exposure_root, "drift")
    phase = rng.uniform(0, 2 * np.pi)
    slow = np.sin(2 * np.pi * WAVES * np.arange(count) / max(count, 1) + phase)
    moved = size * (slow + rng.standard_normal(count) * np.sqrt(0.5))
    return np.asarray(moved[list(entry.segment.integrations)])


def factors(scenario: Scenario, mode: SpectralMode, entry: Planned) -> Float64:
    """Return what the parts of the light that change are multiplied by: (nints, parts).

    The first part is what a transit takes, the second the change with a drift.
    """
    target = scenario.scene.target
    phase = entry.phase()
    shape = np.zeros(len(phase)) if target is None else target.shape(phase)
    if not mode.series:
        shape = np.zeros(len(phase))
    return np.stack([-shape, drifts(scenario, mode, entry)], axis=1)


def electrons(
    light: SpectralLight, entry: Planned, properties: Properties
) -> tuple[Float32, Float32]:
    """Return electrons per second of steady light, and of the parts that change (2, ny, nx)."""
    factor = properties.gain / gain_factor(entry.instrument, entry.frame)
    steady = ((light.star + light.sky) * factor).astype(np.float32)
    parts = np.stack([light.missing * factor, light.moved * factor]).astype(np.float32)
    return steady, parts


def spectrum_on(
    light: SpectralLight,
    scenario: Scenario,
    mode: SpectralMode,
    entry: Planned,
    properties: Properties,
) -> Light:
    """Return the light of an exposure as ramps take it; what changes is apart."""
    steady, parts = electrons(light, entry, properties)
    levels = factors(scenario, mode, entry)
    variable = Variable(parts, levels)
    if scenario.pointing.drift == 0:
        variable = Variable(parts[0], levels[:, 0])
    rate = (light.star + light.sky).astype(np.float32)
    nothing = np.full(rate.shape, np.nan, dtype=np.float32)
    return Light(steady, rate, nothing, variable)
