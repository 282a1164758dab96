"""Reference files of detector1 and the flat: maps of a detector's properties."""

from collections.abc import Callable
from math import comb
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calwebb_core.science.dq import PixelDQ
from calwebb_simulator.detector import Properties, gain_factor
from calwebb_simulator.instruments import Filter
from calwebb_simulator.random import stream
from calwebb_simulator.readout import Timing
from calwebb_simulator.references.base import (
    Scope,
    dq_def,
    image,
    keywords,
    optical_keywords,
    write,
)

Float64 = NDArray[np.float64]
FLAT_ERROR = 0.002
NEXT_FLAT_CHANGE = 0.01
HISTORY = "Describes the simulated detector exactly; nothing was measured."


def write_mask(path: Path, scope: Scope, properties: Properties) -> Path:
    """Write the bad-pixel mask; reference pixels carry REFERENCE_PIXEL and nothing else."""
    header = keywords(scope, "mask", "MaskModel", "Bad pixels")
    dq = properties.dq
    return write(path, header, [image("DQ", dq), dq_def(dq)], HISTORY)


def write_saturation(path: Path, scope: Scope, properties: Properties) -> Path:
    """Write saturation thresholds in raw DN."""
    header = keywords(scope, "saturation", "SaturationModel", "Saturation thresholds")
    header["BUNIT"] = "DN"
    dq = np.where(properties.science, 0, int(PixelDQ.NO_SAT_CHECK)).astype(np.uint32)
    hdus = [image("SCI", properties.saturation), image("DQ", dq), dq_def(dq)]
    return write(path, header, hdus, HISTORY)


def write_superbias(path: Path, scope: Scope, properties: Properties) -> Path:
    """Write the bias in DN."""
    header = keywords(scope, "superbias", "SuperBiasModel", "Bias")
    header |= {"READPATT": "ANY", "BUNIT": "DN"}
    dq = np.zeros(properties.dq.shape, dtype=np.uint32)
    error = np.full(dq.shape, 0.3, dtype=np.float32)
    hdus = [image("SCI", properties.bias), image("ERR", error), image("DQ", dq), dq_def(dq)]
    return write(path, header, hdus, HISTORY)


def write_linearity(path: Path, scope: Scope, properties: Properties) -> Path:
    """Write the polynomial that turns measured into linear DN.

    It is 0, 1, c2, c3 of the signal above the bias. Where no bias file is subtracted (MIRI), it
    is the same polynomial of the raw signal and keeps the bias in it. The inverse polynomial
    comes from the reversed series.
    """
    header = keywords(scope, "linearity", "LinearityModel", "Linearity correction")
    c2, c3 = properties.c2.astype(float), properties.c3.astype(float)
    forward = np.stack([np.zeros_like(c2), np.ones_like(c2), c2, c3])
    inverse = reversed_series(c2, c3)
    if not scope.instrument.superbias:
        forward = about(forward, properties.bias)
        inverse = about(inverse, properties.bias)
    dq = np.where(properties.science, 0, int(PixelDQ.NO_LIN_CORR)).astype(np.uint32)
    hdus: list[Any] = [image("COEFFS", forward)]
    if scope.inverse:
        hdus.append(image("INV_COEFFS", inverse))
    return write(path, header, [*hdus, image("DQ", dq), dq_def(dq)], HISTORY)


def reversed_series(c2: Float64, c3: Float64) -> Float64:
    """Return the coefficients of F(L) where L = F + c2 F^2 + c3 F^3: (8, ny, nx).

    Lagrange's inversion to the seventh power: within 0.1 DN up to full well.
    """
    return np.stack(
        [
            np.zeros_like(c2),
            np.ones_like(c2),
            -c2,
            2 * c2**2 - c3,
            5 * (c2 * c3 - c2**3),
            14 * c2**4 - 21 * c2**2 * c3 + 3 * c3**2,
            -42 * c2**5 + 84 * c2**3 * c3 - 28 * c2 * c3**2,
            132 * c2**6 - 330 * c2**4 * c3 + 180 * c2**2 * c3**2 - 12 * c3**3,
        ]
    )


def about(coefficients: Float64, bias: NDArray[np.float32]) -> Float64:
    """Return the polynomial b + p(F - b) of a polynomial p: what keeps the bias b."""
    offset = bias.astype(float)
    shifted = np.zeros_like(coefficients)
    for power in range(len(coefficients)):
        for part in range(power + 1):
            shifted[part] += coefficients[power] * comb(power, part) * (-offset) ** (power - part)
    shifted[0] += offset
    return shifted


def write_dark(
    path: Path, scope: Scope, properties: Properties, timing: Timing, readpatt: str
) -> Path:
    """Write the dark signal in linear DN at the groups of a readout pattern.

    The frames are already averaged and dropped as the pattern does it, so that the file is as
    short as the exposures it is for.
    """
    header = keywords(scope, "dark", "DarkModel", "Dark signal")
    header |= dark_keywords(scope, timing, readpatt)
    rate = properties.dark / properties.gain
    signal = timing.group_times().astype(np.float32)[:, None, None] * rate
    dq = np.zeros(rate.shape, dtype=np.uint32)
    hdus = [image("SCI", signal), image("DQ", dq), image("AVDRKCUR", properties.dark), dq_def(dq)]
    return write(path, header, hdus, HISTORY)


def dark_keywords(scope: Scope, timing: Timing, readpatt: str) -> dict[str, Any]:
    """Return the keywords of a dark about its readout."""
    return {
        "EXP_TYPE": scope.instrument.image_type,
        "READPATT": readpatt,
        "NOUTPUTS": scope.frame.outputs,
        "NGROUPS": timing.groups,
        "NFRAMES": timing.pattern.frames,
        "GROUPGAP": timing.pattern.gap,
        "TGROUP": timing.group_time,
        "TFRAME": timing.frame_time,
        "BUNIT": "DN",
    }


def write_gain(path: Path, scope: Scope, properties: Properties) -> Path:
    """Write the gain in electrons per DN."""
    header = keywords(scope, "gain", "GainModel", "Gain")
    header["BUNIT"] = "electron/DN"
    factor = gain_factor(scope.instrument, scope.frame)
    if factor != 1:
        header["GAINFACT"] = factor
    return write(path, header, [image("SCI", properties.gain)], HISTORY)


def write_readnoise(path: Path, scope: Scope, properties: Properties) -> Path:
    """Write the noise of the difference of two reads (CDS) in DN."""
    header = keywords(scope, "readnoise", "ReadnoiseModel", "Read noise, CDS")
    header |= {"READPATT": "ANY", "BUNIT": "DN"}
    noise = properties.read_noise * np.float32(np.sqrt(2))
    return write(path, header, [image("SCI", noise)], HISTORY)


def write_flat(
    path: Path, scope: Scope, properties: Properties, optics: Filter, version: int = 1
) -> Path:
    """Write a flat field.

    Parameters
    ----------
    path : Path
    scope : Scope
    properties : Properties
    optics : Filter
    version : int
        1 is what the simulator applied; later ones differ by a slow change and some scatter.
    """
    header = keywords(scope, "flat", "FlatModel", f"Flat field, version {version}")
    header |= optical_keywords(optics)
    flat = properties.flat
    if version > 1:
        flat = flat * _change(flat.shape, version)
    blind = ~properties.science | (properties.sensitivity <= 0)
    flat = np.where(blind, 1.0, flat)
    bad = int(PixelDQ.NO_FLAT_FIELD | PixelDQ.DO_NOT_USE)
    dq = np.where(blind, bad, 0).astype(np.uint32)
    error = np.full(flat.shape, FLAT_ERROR, dtype=np.float32)
    hdus = [image("SCI", flat), image("ERR", error), image("DQ", dq), dq_def(dq)]
    return write(path, header, hdus, HISTORY)


def _change(shape: tuple[int, int], version: int) -> np.ndarray:
    """Return the factor between a later flat and the first one."""
    y, x = (np.linspace(-1, 1, size, dtype=np.float32) for size in shape)
    slow = NEXT_FLAT_CHANGE * (x[None, :] + 0.5 * y[:, None])
    rng = stream(version, "flat", "change")
    return np.asarray(1 + slow + 0.001 * rng.standard_normal(shape, dtype=np.float32))


WRITERS: dict[str, Callable[[Path, Scope, Properties], Path]] = {
    "mask": write_mask,
    "saturation": write_saturation,
    "superbias": write_superbias,
    "linearity": write_linearity,
    "gain": write_gain,
    "readnoise": write_readnoise,
}
