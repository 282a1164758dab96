"""What all ways of fitting ramps share: the times of an exposure and the arrays of a product."""

from dataclasses import dataclass

import numpy as np

from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.models import Float32, UInt32

Product = tuple[Float32, Float32, UInt32, Float32, Float32]


@dataclass(frozen=True)
class Timing:
    """Times of an exposure in seconds, and how many frames a group averages."""

    group_time: float
    frame_time: float
    nframes: int

    @classmethod
    def of(cls, metadata: Metadata) -> "Timing":
        """Read TGROUP, TFRAME and NFRAMES."""
        return cls(
            metadata.require("TGROUP", float),
            metadata.require("TFRAME", float),
            metadata.require("NFRAMES", int),
        )

    @property
    def first_group(self) -> float:
        """Mean exposure time of the frames in the first group."""
        return (self.nframes + 1.0) * self.frame_time / 2.0


def empty_product(shape: tuple[int, ...]) -> Product:
    """Return arrays for slope, err, dq, var_poisson, var_rnoise."""
    slope, err, var_poisson, var_rnoise = (np.empty(shape, np.float32) for _ in range(4))
    return slope, err, np.empty(shape, np.uint32), var_poisson, var_rnoise


def sigma_of_group(readnoise: Float32, gain: Float32, timing: Timing) -> Float32:
    """Return the noise of a group in electrons.

    `readnoise` is float32, DN, of the difference of two frames; `gain` electron/DN.
    """
    sigma: Float32 = readnoise * gain / np.float32(np.sqrt(2.0 * timing.nframes))
    return sigma
