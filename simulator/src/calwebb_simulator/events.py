"""Large events: snowballs of near-infrared detectors, showers of MIRI.

A snowball saturates a round core at once; around it charge falls off steeply (the ring) and then
slowly (the halo). Half of them leave a core that glows on, also after the reset, so that the
next integration begins with a jump there. A shower spreads a few electrons a pixel over a large
ellipse and glows for seconds. Sizes and rates are of the order that Regan et al. and the user
documentation describe, with distributions of our own.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calwebb_simulator.geometry import Frame
from calwebb_simulator.random import stream

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]
EVENT_DTYPE = np.dtype(
    [
        ("kind", "S8"),
        ("integration", "i4"),
        ("group", "i4"),
        ("frame", "i4"),
        ("x", "f4"),
        ("y", "f4"),
        ("core", "f4"),
        ("ring", "f4"),
        ("halo", "f4"),
        ("ratio", "f4"),
        ("angle", "f4"),
        ("charge", "f4"),
        ("glow", "f4"),
        ("lifetime", "f4"),
    ]
)
EventRows = NDArray[np.void]
CORE_MEDIAN, CORE_SPREAD, CORE_LIMITS = 3.5, 0.5, (1.5, 12.0)  # pixels
CORE_FILL = 1.5  # of the full well: saturated whatever was there before
RING_START = 0.4  # of the full well, just outside the core
RING_LEVEL, HALO_LEVEL = 100.0, 10.0  # electrons, where the truth says ring and halo end
GLOWING = 0.5  # of the snowballs
FARTHEST = 150.0  # pixels


@dataclass(frozen=True)
class EventRates:
    """Events per cm2 and s."""

    snowballs: float = 0.004
    showers: float = 0.004


@dataclass
class Glow:
    """A place that goes on giving charge, less and less.

    Attributes
    ----------
    window : (slice, slice)
    rate : float64
        Electrons per second now.
    lifetime : float
        Seconds until a part 1/e is left.
    """

    window: tuple[slice, slice]
    rate: Float64
    lifetime: float

    def give(self, seconds: float) -> Float64:
        """Return the electrons of the next seconds, and age by them."""
        left = float(np.exp(-seconds / self.lifetime))
        electrons = self.rate * (self.lifetime * (1 - left))
        self.rate = self.rate * left
        return electrons


class Events:
    """The large events of an exposure, in the order of time.

    Parameters
    ----------
    frame : Frame
    science : bool, (ny, nx)
        Pixels that collect charge.
    well : float32, (ny, nx)
        Electrons.
    rates : EventRates
        0 for what is off.
    area : float
        Of the frame in cm2.
    seed : (int, str)
    noisy : bool
        Whether the charge has Poisson noise.
    """

    def __init__(
        self,
        frame: Frame,
        science: NDArray[np.bool_],
        well: Float32,
        rates: EventRates,
        area: float,
        seed: tuple[int, str],
        noisy: bool,
    ) -> None:
        self.frame, self.science, self.noisy = frame, science, noisy
        self.well = float(np.mean(well[science])) if science.any() else float(np.mean(well))
        self.expected = {"snowball": rates.snowballs * area, "shower": rates.showers * area}
        self.seed = seed
        self.noise = stream(*seed, "noise of events")
        self.glows: list[Glow] = []
        self.rows: list[EventRows] = []

    def rest(self, seconds: float) -> None:
        """Let time pass in which charge is not kept."""
        for glow in self.glows:
            glow.give(seconds)

    def fall(
        self, charge: Float32, integration: int, frame: int, seconds: float, group: int
    ) -> None:
        """Add to the charge what comes within a frame, in place."""
        rng = stream(*self.seed, "events", integration, frame)
        self.noise = stream(*self.seed, "noise of events", integration, frame)
        for glow in self.glows:
            self._add(charge, glow.window, glow.give(seconds))
        for kind, draw in (("snowball", self._snowball), ("shower", self._shower)):
            for _ in range(rng.poisson(self.expected[kind] * seconds)):
                row = draw(charge, rng)
                row["kind"], row["integration"] = kind.encode(), integration
                row["frame"], row["group"] = frame, group
                self.rows.append(row)

    def _add(self, charge: Float32, window: tuple[slice, slice], electrons: Float64) -> None:
        amount = self.noise.poisson(electrons) if self.noisy else electrons
        charge[window] += np.where(self.science[window], amount, 0).astype(np.float32)

    def _snowball(self, charge: Float32, rng: np.random.Generator) -> EventRows:
        x, y = (rng.uniform(-0.5, size - 0.5) for size in self.frame.shape[::-1])
        core = float(np.clip(CORE_MEDIAN * np.exp(CORE_SPREAD * rng.normal()), *CORE_LIMITS))
        halo = rng.uniform(40.0, 160.0)
        glow = 10 ** rng.uniform(1.0, 2.5) if rng.random() < GLOWING else 0.0
        lifetime = 10 ** rng.uniform(2.0, 3.3)
        steep, slow, start = 0.2 * core + 0.2, 1.5 * core + 1.0, RING_START * self.well

        def profile(radius: Float64) -> Float64:
            out = np.maximum(radius - core, 0)
            return np.asarray(start * np.exp(-out / steep) + halo * np.exp(-out / slow))

        reach = _radius_at(profile, HALO_LEVEL)
        window, radius = self._around(x, y, reach + 1, 1.0, 0.0)
        inside = radius <= core
        electrons = np.where(inside, CORE_FILL * self.well, profile(radius))
        self._add(charge, window, electrons)
        if glow:
            self.glows.append(Glow(window, np.where(inside, glow, 0.0), lifetime))
        ring = _radius_at(profile, RING_LEVEL)
        sizes = {"core": core, "ring": ring, "halo": reach, "ratio": 1.0}
        return _row(x=x, y=y, **sizes, charge=start, glow=glow, lifetime=lifetime if glow else 0.0)

    def _shower(self, charge: Float32, rng: np.random.Generator) -> EventRows:
        x, y = (rng.uniform(-0.5, size - 0.5) for size in self.frame.shape[::-1])
        width, ratio = np.exp(rng.uniform(np.log(8.0), np.log(40.0))), rng.uniform(0.4, 1.0)
        angle, peak = rng.uniform(0, np.pi), rng.uniform(15.0, 60.0)
        share, lifetime = rng.uniform(0.2, 0.6), rng.uniform(5.0, 20.0)
        window, radius = self._around(x, y, 4 * width, ratio, angle)
        electrons = peak * np.exp(-0.5 * (radius / width) ** 2)
        self._add(charge, window, electrons)
        rate = share * peak / lifetime
        self.glows.append(Glow(window, electrons * (rate / peak), lifetime))
        half, tenth = (width * np.sqrt(2 * np.log(part)) for part in (2.0, 10.0))
        shape = {"ring": half, "halo": tenth, "ratio": ratio, "angle": np.degrees(angle)}
        return _row(x=x, y=y, **shape, charge=peak, glow=rate, lifetime=lifetime)

    def _around(
        self, x: float, y: float, reach: float, ratio: float, angle: float
    ) -> tuple[tuple[slice, slice], Float64]:
        """Return the window within reach of a place, and its pixels' elliptical radii."""
        ny, nx = self.frame.shape
        size = int(np.ceil(min(reach, FARTHEST)))
        rows = slice(max(int(y) - size, 0), min(int(y) + size + 2, ny))
        columns = slice(max(int(x) - size, 0), min(int(x) + size + 2, nx))
        dy, dx = np.mgrid[rows, columns].astype(float)
        return (rows, columns), elliptical_radius(dx - x, dy - y, ratio, angle)


def elliptical_radius(dx: Float64, dy: Float64, ratio: float, angle: float) -> Float64:
    """Return distances in units of the major axis of an ellipse at an angle (rad) to x."""
    along = dx * np.cos(angle) + dy * np.sin(angle)
    across = dy * np.cos(angle) - dx * np.sin(angle)
    return np.asarray(np.hypot(along, across / ratio))


def _radius_at(profile: Callable[[Float64], Float64], level: float) -> float:
    """Return the radius at which a falling profile crosses a level."""
    radius = np.linspace(0, FARTHEST, 3001)
    return float(radius[np.argmax(profile(radius) < level)])


def _row(**values: Any) -> EventRows:
    row = np.zeros(1, dtype=EVENT_DTYPE)
    for name, value in values.items():
        row[name] = value
    return row
