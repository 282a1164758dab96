"""Persistence: traps that bright light fills, and that let the charge go for minutes to hours.

The model is that of the public documentation of the persistence step (jwst until 2.x), followed
in time frame by frame. A family of traps f has c0 and c2 (DN), a capture time tau and a rate of
release lambda; a pixel has a relative density D of traps and is full at F (linear DN).

- Each frame of length t: S_f (1 - exp(-lambda t)) is let go and joins the pixel's charge.
- While the signal rises from u to u + du of F at a time t after the reset, D d(u^2)
  (c0 (1 - exp(-t / tau)) + c2) is caught; while it is at F, the free room D (c0 + c2) - N shrinks
  by exp(-dt / tau).
- What an integration caught joins the state at its end, D (c0 + c2) at the most. Charge is not
  missed where it is caught: that is part of the response to light, as the linearity correction
  has it.
- During a reset and between exposures traps release without a trace.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from calwebb_simulator.detector import Properties
from calwebb_simulator.geometry import Frame
from calwebb_simulator.instruments import Instrument
from calwebb_simulator.kernels.traps import capture, release
from calwebb_simulator.maps import Maps

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]
FULL_SHARE = 0.9  # of the full well, where all traps are reached
DAY = 86400.0


@dataclass(frozen=True)
class Families:
    """Kinds of traps: c0 and c2 in DN, capture times in s, rates of release in 1/s."""

    c0: Float64
    tau: Float64
    c2: Float64
    rate: Float64

    @property
    def most(self) -> Float64:
        """DN that traps of density 1 hold."""
        return self.c0 + self.c2


FAMILIES = Families(
    np.array([160.0, 240.0, 90.0]),
    np.array([25.0, 200.0, 1500.0]),
    np.array([40.0, 15.0, 5.0]),
    np.array([1 / 40, 1 / 400, 1 / 3000]),
)


@dataclass(frozen=True)
class TrapMaps:
    """Maps of a frame, float32 (ny, nx): density of traps, DN at which a pixel is full."""

    density: Float32
    full: Float32


def trap_maps(
    instrument: Instrument, frame: Frame, properties: Properties, realisation: int
) -> TrapMaps:
    """Draw the traps of a frame's pixels; reference pixels have none."""
    make = Maps(instrument, frame.detector, realisation, Frame.of(instrument, frame.detector))
    whole = np.maximum(make.white("traps", 0.15), np.float32(0.2)) * make.smooth("traps_slow", 0.1)
    density = np.where(properties.science, whole[frame.window], 0)
    full = FULL_SHARE * properties.well / properties.gain
    return TrapMaps(
        np.ascontiguousarray(density, dtype=np.float32), np.asarray(full, dtype=np.float32)
    )


def uniform_traps(properties: Properties) -> TrapMaps:
    """Return traps that are the same in all pixels that see light."""
    full = FULL_SHARE * properties.well / properties.gain
    return TrapMaps(properties.science.astype(np.float32), np.asarray(full, dtype=np.float32))


class Traps:
    """The traps of a frame as time goes by.

    Parameters
    ----------
    maps : TrapMaps
    gain : float32, (ny, nx)
        Electrons per DN.
    frame_time : float
        Seconds.
    filled : float32, (nfamilies, ny, nx), optional
        DN in traps at the start; none by default. Changed in place.
    families : Families
    """

    def __init__(
        self,
        maps: TrapMaps,
        gain: Float32,
        frame_time: float,
        filled: Float32 | None = None,
        families: Families = FAMILIES,
    ) -> None:
        self.maps, self.gain, self.frame_time, self.families = maps, gain, frame_time, families
        shape = (len(families.c0), *maps.density.shape)
        self.filled = np.zeros(shape, np.float32) if filled is None else filled
        self.caught = np.zeros(shape, np.float32)
        self.scratch = np.zeros(shape[1:], np.float32)
        self.released = np.zeros(shape[1:], np.float32)

    def wait(self, seconds: float) -> None:
        """Let time pass in which charge is not kept."""
        left = np.exp(-self.families.rate * seconds)
        self.filled *= left.astype(np.float32)[:, None, None]

    def begin(self) -> None:
        """Begin an integration with a reset of one frame."""
        self.wait(self.frame_time)
        self.caught[:] = 0
        self.released[:] = 0

    def let_go(self) -> Float32:
        """Return the electrons that traps let go within a frame, (ny, nx)."""
        release(self.scratch, self.filled, -np.expm1(-self.families.rate * self.frame_time))
        self.released += self.scratch
        return self.scratch * self.gain

    def fill(self, before: Float32, after: Float32, frame: int) -> None:
        """Catch charge within a frame.

        Parameters
        ----------
        before, after : float32, (ny, nx)
            Electrons at its begin and end.
        frame : int
            From 1.
        """
        families, time = self.families, (frame - 0.5) * self.frame_time
        rising = families.c0 * -np.expm1(-time / families.tau) + families.c2
        keeping = np.exp(-self.frame_time / families.tau)
        full = self.gain * self.maps.full
        capture(
            self.caught,
            before / full,
            after / full,
            self.maps.density,
            rising,
            families.most,
            keeping,
        )

    def end(self) -> None:
        """End an integration: what it caught joins what traps hold."""
        most = self.families.most.astype(np.float32)[:, None, None] * self.maps.density
        np.minimum(self.filled + self.caught, most, out=self.filled)


@dataclass
class TrapMemory:
    """What the traps of whole detectors hold between exposures.

    Attributes
    ----------
    states : dict of str to (float, float32 (nfamilies, size, size))
        End of the last exposure (MJD) and DN in traps, by detector.
    """

    states: dict[str, tuple[float, Float32]] = field(default_factory=dict)

    def recall(self, frame: Frame, start: float) -> Float32 | None:
        """Return what a frame's traps hold when an exposure starts, or None for nothing.

        Segments of one exposure follow each other without a pause.
        """
        if frame.detector.name not in self.states:
            return None
        end, filled = self.states[frame.detector.name]
        left = np.exp(-FAMILIES.rate * max(start - end, 0.0) * DAY)
        window = filled[(slice(None), *frame.window)]
        return np.ascontiguousarray(window * left[:, None, None], dtype=np.float32)

    def keep(self, frame: Frame, end: float, filled: Float32, shape: tuple[int, int]) -> None:
        """Remember what a frame's traps hold at a time; other pixels of the detector decay."""
        name = frame.detector.name
        last, whole = self.states.get(name, (end, np.zeros((len(filled), *shape), np.float32)))
        left = np.exp(-FAMILIES.rate * max(end - last, 0.0) * DAY).astype(np.float32)
        whole *= left[:, None, None]
        whole[(slice(None), *frame.window)] = filled
        self.states[name] = (end, whole)
