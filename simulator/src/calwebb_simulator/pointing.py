"""Where the telescope points, where it was told to point, and how it follows a moving target.

Headers carry what was commanded. The telescope misses by an offset and a roll that are the same
for all exposures of a visit, which has its own guide star, and by a small offset of each dither.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self, TypeVar

import numpy as np

from calwebb_core.framework.errors import InputError
from calwebb_simulator.geometry import Attitude
from calwebb_simulator.random import stream
from calwebb_simulator.scene import offset

ARCSEC_PER_DEGREE = 3600.0
T = TypeVar("T")


@dataclass(frozen=True)
class PointingError:
    """By how much the telescope misses: mas east and north, arcsec of roll (north to east)."""

    east: float = 0.0
    north: float = 0.0
    roll: float = 0.0


@dataclass(frozen=True)
class PointingErrors:
    """Errors of all visits and exposures.

    Attributes
    ----------
    visits : tuple of (float, float, float)
        Those of the visits in the order of time: mas east and north, arcsec of roll.
    offset, roll : float
        Standard deviations of those that are not given: mas per axis, arcsec.
    dither : float
        Standard deviation of a further offset of each exposure, mas per axis.
    drift : float
        Standard deviation of where integrations of a spectrum are, mas per axis: half of it a
        slow wave over the exposure, half of it from one to the next.
    """

    visits: tuple[tuple[float, float, float], ...] = ()
    offset: float = 0.0
    roll: float = 0.0
    dither: float = 0.0
    drift: float = 0.0

    def of(self, seed: int, visit: int, exposure: int) -> PointingError:
        """Return the error of an exposure.

        Parameters
        ----------
        seed : int
        visit, exposure : int
            Number of the visit, from 0, and of the exposure in it, from 1, in the order of time.
        """
        if visit < len(self.visits):
            east, north, roll = self.visits[visit]
        else:
            drawn = stream(seed, "visit", visit).standard_normal(3)
            east, north, roll = drawn * [self.offset, self.offset, self.roll]
        step = stream(seed, "dither", visit, exposure).standard_normal(2) * self.dither
        return PointingError(float(east + step[0]), float(north + step[1]), float(roll))

    def check(self, source: str) -> None:
        """Refuse negative standard deviations.

        Raises
        ------
        InputError
            If there is one.
        """
        for name in ("offset", "roll", "dither", "drift"):
            value = getattr(self, name)
            if value < 0:
                msg = f"{source}: pointing: {name} is {value}; expected 0 or more"
                raise InputError(msg)


def beside(ra: float, dec: float, east: float, north: float) -> tuple[float, float]:
    """Return the place some arcsec east and north of another."""
    found = offset(ra, dec, np.array([east]), np.array([north]))
    return float(found[0][0]), float(found[1][0])


@dataclass(frozen=True)
class Aim:
    """V2, V3 (arcsec) at a place on the sky (degrees), V3 there at position angle `roll`."""

    v2: float
    v3: float
    ra: float
    dec: float
    roll: float

    @property
    def attitude(self) -> Attitude:
        """The telescope's orientation."""
        return Attitude.at(self.v2, self.v3, self.ra, self.dec, self.roll)

    def moved(self, east: float, north: float, roll: float = 0.0) -> Self:
        """Return the aim after a step of arcsec east and north, and of roll."""
        if east == north == roll == 0:
            return self
        turned = self.roll + roll / ARCSEC_PER_DEGREE
        return type(self)(self.v2, self.v3, *beside(self.ra, self.dec, east, north), turned)

    def missed(self, error: PointingError) -> Self:
        """Return where the telescope really points."""
        return self.moved(error.east / 1000, error.north / 1000, error.roll)


def cyclic(values: Sequence[T], index: int, default: T) -> T:
    """Return a value of a list that is repeated as often as needed; an empty one has a default."""
    return values[index % len(values)] if values else default
