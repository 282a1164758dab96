"""Count rates of spectra straight from the truth, as stage 1 would leave them.

Noise is white: photons, dark current and reads of a ramp fitted up to saturation. Bad pixels are
NaN; a few pixels of each integration carry a jump that was found, and some cosmic rays that were
not found stay.
"""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.models import Image
from calwebb_core.science.dq import PixelDQ
from calwebb_simulator.calibrated import JUMP_COST, good_groups
from calwebb_simulator.detector import Properties, gain_factor
from calwebb_simulator.header import raw_metadata
from calwebb_simulator.header_tables import raw_tables
from calwebb_simulator.plan import Planned
from calwebb_simulator.ramp import scaled
from calwebb_simulator.random import stream
from calwebb_simulator.scenario import Scenario
from calwebb_simulator.spectra.light import SpectralLight, electrons, factors
from calwebb_simulator.spectra.modes import SpectralMode

Float32 = NDArray[np.float32]
DONE: Final = (
    *("S_DQINIT", "S_SATURA", "S_SUPERB", "S_REFPIX", "S_LINEAR", "S_DARK", "S_JUMP", "S_RAMP"),
)
JUMPS: Final = 2e-3  # of the pixels of an integration that carry a jump
MISSED: Final = 2e-4  # and a cosmic ray that was not found
CHARGE: Final = (100.0, 3000.0)  # electrons of those


def count_rates(
    scenario: Scenario,
    mode: SpectralMode,
    entry: Planned,
    properties: Properties,
    light: SpectralLight,
) -> Image:
    """Make the count rates of an exposure: (ny, nx), or one image an integration in a series.

    Returns
    -------
    Image
        In DN per second, with variances, flags, times of the integrations and keywords.
    """
    steady, parts = electrons(light, entry, properties)
    levels = factors(scenario, mode, entry)
    rows = range(len(levels)) if mode.series else (0,)
    planes = [
        plane(scenario, entry, properties, steady + scaled(parts, levels[row]), number)
        for row, number in zip(rows, entry.segment.integrations, strict=False)
    ]
    stacked = [np.stack(arrays) for arrays in zip(*planes, strict=True)]
    if not mode.series:
        stacked = [array[0] for array in stacked]
    data, err, dq, var_poisson, var_rnoise = stacked
    suffix = "rateints" if mode.series else "rate"
    return Image(
        metadata=rate_metadata(scenario, entry, suffix),
        data=data,
        err=err,
        dq=dq,
        var_poisson=var_poisson,
        var_rnoise=var_rnoise,
        tables={"INT_TIMES": raw_tables(entry)["INT_TIMES"]} if mode.series else {},
    )


def plane(
    scenario: Scenario, entry: Planned, properties: Properties, light: Float32, number: int
) -> tuple[Any, ...]:
    """Return data, error, flags and variances of an integration, in DN per second."""
    timing = entry.timing
    count = np.float32(1 if entry.group.time_series else timing.integrations)
    rate = np.maximum(light + properties.dark, 0)
    groups = good_groups(entry, properties, rate, scenario.effects)
    used = np.maximum(groups, 2)
    step = np.float32(timing.group_time)
    read = properties.read_noise * properties.gain / np.float32(timing.pattern.frames**0.5)
    read = read * np.float32("read_noise" in scenario.effects)
    var_rnoise = 12 * read**2 / (step**2 * (used**3 - used) * count)
    var_poisson = rate / (step * (used - 1) * count)
    var_poisson = var_poisson * np.float32("photon_noise" in scenario.effects)
    rng = stream(scenario.seed, entry.exposure_root, "rates", number)
    dq = flags(properties, groups, timing.groups)
    found = light + _rays(scenario, rng, dq, (var_poisson, var_rnoise), timing.integration_time)
    sigma = np.sqrt(var_poisson + var_rnoise)
    found = found + rng.standard_normal(rate.shape, dtype=np.float32) * sigma
    factor = np.float32(gain_factor(entry.instrument, entry.frame)) / properties.gain
    arrays = [found * factor, sigma * factor]
    arrays += [variance * factor**2 for variance in (var_poisson, var_rnoise)]
    bad = (dq & np.uint32(PixelDQ.DO_NOT_USE)) != 0
    for array in arrays:
        array[bad] = np.nan
    data, err, *variances = (array.astype(np.float32) for array in arrays)
    return data, err, dq, *variances


def flags(properties: Properties, groups: Float32, whole: int) -> NDArray[np.uint32]:
    """Return the flags of an integration before cosmic rays."""
    dq = properties.dq.copy()
    dq[groups < whole] |= np.uint32(PixelDQ.SATURATED)
    dq[groups < 2] |= np.uint32(PixelDQ.DO_NOT_USE)
    dq[~properties.science] |= np.uint32(PixelDQ.DO_NOT_USE)
    return dq


def _rays(
    scenario: Scenario,
    rng: np.random.Generator,
    dq: NDArray[np.uint32],
    variances: tuple[Float32, Float32],
    time: float,
) -> Float32:
    """Flag pixels with a jump, raise their variances, and return what was missed."""
    left = np.zeros(dq.shape, dtype=np.float32)
    if "cosmic_rays" not in scenario.effects:
        return left
    chance = rng.random(dq.shape, dtype=np.float32)
    jumps = chance < JUMPS
    dq[jumps] |= np.uint32(PixelDQ.JUMP_DET)
    for variance in variances:
        variance[jumps] *= np.float32(JUMP_COST)
    missed = chance > 1 - MISSED
    low, high = (float(np.log(charge)) for charge in CHARGE)
    left[missed] = np.exp(rng.uniform(low, high, np.count_nonzero(missed))) / time
    return left


def rate_metadata(scenario: Scenario, entry: Planned, suffix: str) -> Metadata:
    """Return the keywords of count rates."""
    metadata = raw_metadata(scenario, entry.instrument, entry)
    name = f"{entry.root}_{suffix}.fits"
    for keyword, value in {
        "FILENAME": name,
        "BUNIT": "DN/s",
        **dict.fromkeys(DONE, "COMPLETE"),
    }.items():
        metadata[keyword] = value
    metadata.source = name
    return metadata
