"""Calibrated images straight from the sky, as stages 1 and 2 would leave them: `_cal` files.

For tests and benchmarks of mosaics, where ramps would cost hours. Noise is white: photons, dark
current and reads of a ramp fitted up to saturation. Of cosmic rays, those that leave more than
some electrons are taken out of the ramp, which costs their pixel some signal-to-noise; fainter
ones and a few of the others stay in the image, as outliers for later steps to find.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from astropy.table import Table as SkyTable
from numpy.typing import NDArray
from scipy import ndimage

from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.models import Image
from calwebb_core.science.dq import PixelDQ
from calwebb_core.science.photom import UJA2_PER_MJSR
from calwebb_core.science.sip import renew_keywords
from calwebb_core.science.wcs import imaging_wcs
from calwebb_simulator.cosmic_rays import HIT_DTYPE, Hits, draw_rain, record
from calwebb_simulator.detector import Properties
from calwebb_simulator.header import raw_metadata
from calwebb_simulator.light import Light, light_on, throughput_of
from calwebb_simulator.photometry import STERADIAN_PER_ARCSEC2, photmjsr, pixel_steradian
from calwebb_simulator.plan import Planned
from calwebb_simulator.random import stream
from calwebb_simulator.references.detector import FLAT_ERROR
from calwebb_simulator.references.optics import distortion_model
from calwebb_simulator.scenario import Scenario

Float32 = NDArray[np.float32]
FOUND_CHARGE = 90.0  # electrons from which a jump is found
MISSED = 0.03  # of the tracks that stay in the image whatever they leave
JUMP_COST = 1.7  # variance of a ramp with a jump over that of a whole one
DONE = (
    *("S_DQINIT", "S_SATURA", "S_SUPERB", "S_REFPIX", "S_LINEAR", "S_DARK", "S_JUMP", "S_RAMP"),
    *("S_WCS", "S_FLAT", "S_PHOTOM"),
)


@dataclass(frozen=True)
class Fitted:
    """A slope image in electrons per second.

    Attributes
    ----------
    noise : float32, (ny, nx)
        What is not light: noise and cosmic rays.
    var_poisson, var_rnoise : float32, (ny, nx)
    dq : uint32, (ny, nx)
    hits : structured array of all cosmic rays
    """

    noise: Float32
    var_poisson: Float32
    var_rnoise: Float32
    dq: NDArray[np.uint32]
    hits: Hits


def calibrated_image(
    scenario: Scenario, catalog: SkyTable, entry: Planned, properties: Properties
) -> tuple[Image, Light, Hits]:
    """Make the calibrated image of an exposure.

    Returns
    -------
    image : Image
        In MJy/sr, with variances, flags, pixel areas and WCS.
    light : Light
        What it would be without noise.
    hits : structured array
        All cosmic rays, those that stages before took out among them.
    """
    light = light_on(scenario, catalog, entry, properties)
    electrons = light.electrons
    if light.variable is not None:
        electrons = electrons + light.variable.rate * np.float32(light.variable.light.mean())
    fitted = fit_ramps(scenario, entry, properties, electrons)
    # MJy/sr of an electron per second in a pixel, after the flat field
    flat = properties.sensitivity * properties.area * np.float32(properties.mean_gain)
    with np.errstate(divide="ignore"):
        factor = (np.float32(conversion(entry)) / flat).astype(np.float32)
    bad = (fitted.dq & np.uint32(PixelDQ.DO_NOT_USE)) != 0
    data = light.surface + fitted.noise * factor
    var_poisson, var_rnoise = fitted.var_poisson * factor**2, fitted.var_rnoise * factor**2
    var_flat = (light.surface * np.float32(FLAT_ERROR)) ** 2
    err = np.sqrt(var_poisson + var_rnoise + var_flat)
    for plane in (data, err, var_poisson, var_rnoise, var_flat):
        plane[bad] = np.nan
    image = Image(
        metadata=calibrated_metadata(scenario, entry),
        data=data,
        err=err,
        dq=fitted.dq,
        var_poisson=var_poisson,
        var_rnoise=var_rnoise,
        var_flat=var_flat,
        area=properties.area,
    )
    attach_wcs(image, entry)
    return image, light, fitted.hits


def conversion(entry: Planned) -> float:
    """Return PHOTMJSR of an exposure."""
    frame = entry.frame
    return photmjsr(entry.optics, frame.detector, frame.distortion) / throughput_of(entry)


def fit_ramps(
    scenario: Scenario, entry: Planned, properties: Properties, electrons: Float32
) -> Fitted:
    """Draw the slopes that ramps of some light would have."""
    timing, effects = entry.timing, scenario.effects
    rate = electrons + properties.dark
    groups = good_groups(entry, properties, rate, effects)
    used = np.maximum(groups, 2)
    count = np.float32(timing.integrations)
    step = np.float32(timing.group_time)
    read = properties.read_noise * properties.gain / np.float32(timing.pattern.frames**0.5)
    if "read_noise" not in effects:
        read = read * np.float32(0)
    var_rnoise = 12 * read**2 / (step**2 * (used**3 - used) * count)
    var_poisson = rate / (step * (used - 1) * count)
    if "photon_noise" not in effects:
        var_poisson *= 0
    dq = properties.dq.copy()
    full = np.float32(timing.groups)
    dq[groups < full] |= np.uint32(PixelDQ.SATURATED)
    dq[groups < 2] |= np.uint32(PixelDQ.DO_NOT_USE)
    dq[~properties.science] |= np.uint32(PixelDQ.DO_NOT_USE)
    left, jumps, hits = cosmic_rays(scenario, entry)
    dq[jumps] |= np.uint32(PixelDQ.JUMP_DET)
    for variance in (var_rnoise, var_poisson):
        variance[jumps] *= np.float32(JUMP_COST)
    rng = stream(scenario.seed, entry.exposure_root, "slopes")
    noise = rng.standard_normal(rate.shape, dtype=np.float32) * np.sqrt(var_rnoise + var_poisson)
    noise += left
    return Fitted(noise, var_poisson, var_rnoise, dq, hits)


def good_groups(
    entry: Planned, properties: Properties, rate: Float32, effects: frozenset[str]
) -> Float32:
    """Return how many groups come before a pixel is full; 1 where not even two do."""
    most = np.float32(max(entry.timing.groups, 2))
    if "saturation" not in effects:
        return np.full(rate.shape, most, dtype=np.float32)
    step = np.float32(entry.timing.group_time)
    found = np.floor(properties.well / np.maximum(rate * step, 1e-6))
    return np.asarray(np.clip(found, 1, most), dtype=np.float32)


def cosmic_rays(scenario: Scenario, entry: Planned) -> tuple[Float32, NDArray[np.bool_], Hits]:
    """Draw the cosmic rays of an exposure.

    Returns
    -------
    left : float32, (ny, nx)
        Electrons per second that they leave in the slopes.
    jumps : bool, (ny, nx)
        Where the jump was found.
    hits : structured array
    """
    shape, timing = entry.frame.shape, entry.timing
    left, jumps = np.zeros(shape, dtype=np.float32), np.zeros(shape, dtype=bool)
    if "cosmic_rays" not in scenario.effects:
        return left, jumps, np.zeros(0, dtype=HIT_DTYPE)
    rng = stream(scenario.seed, entry.exposure_root, "calibrated_rays")
    fluence = scenario.cosmic_ray_flux * timing.exposure_time
    rain = draw_rain(rng, entry.frame, entry.instrument.pixel_pitch, fluence)
    count = int(rain.track.max()) + 1 if len(rain.track) else 0
    when = rng.uniform(0, 1, count)[rain.track]
    missed = rng.uniform(0, 1, count)[rain.track] < MISSED
    found = (rain.charge > FOUND_CHARGE) & ~missed
    jumps[rain.y[found], rain.x[found]] = True
    # the jump step flags the four neighbours, too
    jumps = ndimage.binary_dilation(jumps)
    # weight of a step at some moment of a ramp in the slope of a straight line
    slope = 6 * when * (1 - when) / timing.integration_time / timing.integrations
    stays = ~found
    np.add.at(left, (rain.y[stays], rain.x[stays]), (rain.charge * slope)[stays])
    left[jumps] = 0
    hits = record(rain, 0, 0, 1, 0)
    hits["group"] = np.minimum((when * timing.groups).astype(int) + 1, timing.groups - 1)
    hits["frame"] = 0
    return left, jumps, hits


def calibrated_metadata(scenario: Scenario, entry: Planned) -> Metadata:
    """Return the keywords of a calibrated image."""
    metadata = raw_metadata(scenario, entry.instrument, entry)
    steradian = pixel_steradian(entry.frame.distortion)
    value = conversion(entry)
    added: dict[str, Any] = {
        "FILENAME": f"{entry.root}_cal.fits",
        "BUNIT": "MJy/sr",
        "PHOTMJSR": value,
        "PHOTUJA2": value * UJA2_PER_MJSR,
        "PIXAR_SR": steradian,
        "PIXAR_A2": steradian / STERADIAN_PER_ARCSEC2,
        **dict.fromkeys(DONE, "COMPLETE"),
    }
    for keyword, item in added.items():
        metadata[keyword] = item
    metadata.source = f"{entry.root}_cal.fits"
    return metadata


def attach_wcs(image: Image, entry: Planned) -> None:
    """Attach the WCS that the exposure's headers and reference files give."""
    offset = entry.optics.offset if any(entry.optics.offset) else None
    model = distortion_model(entry.frame.distortion)
    image.wcs = imaging_wcs(image.metadata, model, offset)
    renew_keywords(image.metadata, image.wcs, image.data.shape)
