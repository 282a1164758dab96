"""A star whose light dips while a planet passes before it.

The dip is a trapezoid in time: ingress and egress are straight, the bottom is flat. Light is
constant within an integration, at the value of its middle.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Float64 = NDArray[np.float64]
TARGET_ID = 0  # of the target in the catalog of the sky


@dataclass(frozen=True)
class TargetStar:
    """A star at the target's position, with or without a transit.

    Attributes
    ----------
    magnitude : float
        AB, in all filters.
    depth : float
        Part of the light that is missing at the bottom of the transit; 0 for a steady star.
    middle, duration, ingress : float
        Middle, length from first to last contact, and length of the ingress, all as parts of
        the exposure's duration.
    slope : float
        Power of the wavelength that the flux goes with; of spectra only.
    lines : float
        Depth of the lines in a spectrum; every third is in emission.
    colour : float
        By how much the depth of the transit varies over a spectrum, as a part of it.
    """

    magnitude: float
    depth: float = 0.0
    middle: float = 0.5
    duration: float = 0.4
    ingress: float = 0.08
    slope: float = -1.0
    lines: float = 0.4
    colour: float = 0.15

    def shape(self, phase: ArrayLike) -> Float64:
        """Return how deep in the transit moments are, 0 to 1."""
        half, ramp = self.duration / 2, max(self.ingress, 1e-9)
        outside = np.abs(np.asarray(phase, dtype=float) - self.middle) - (half - ramp)
        return np.asarray(1 - np.clip(outside / ramp, 0, 1))

    def light(self, phase: ArrayLike) -> Float64:
        """Return the relative light at times given as parts of the exposure's duration."""
        return np.asarray(1 - self.depth * self.shape(phase))
