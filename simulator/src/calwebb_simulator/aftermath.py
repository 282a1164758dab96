"""What outlives a reset: the glow of large events, and charge in traps."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from calwebb_simulator.detector import Properties
from calwebb_simulator.events import EVENT_DTYPE, EventRates, EventRows, Events
from calwebb_simulator.geometry import Frame
from calwebb_simulator.random import stream
from calwebb_simulator.readout import Timing
from calwebb_simulator.traps import TrapMaps, Traps, uniform_traps

Float32 = NDArray[np.float32]


@dataclass(frozen=True)
class Legacy:
    """What large events and traps do in an exposure.

    Attributes
    ----------
    rates : EventRates
        Of large events, where they are on.
    traps : TrapMaps, optional
        Of the frame; the same everywhere by default.
    filled : float32, (nfamilies, ny, nx), optional
        DN in traps when the exposure starts; none by default.
    """

    rates: EventRates = field(default_factory=EventRates)
    traps: TrapMaps | None = None
    filled: Float32 | None = None


@dataclass
class TrapTruth:
    """What traps did.

    Attributes
    ----------
    before, after : float32, (nfamilies, ny, nx)
        DN in traps at the start and the end of the exposure.
    released : list of float32 (ny, nx)
        DN that joined the pixels in each integration until its last read.
    """

    before: Float32
    after: Float32
    released: list[Float32]


class Aftermath:
    """Follows large events and traps through the integrations of an exposure.

    Parameters
    ----------
    legacy : Legacy
    frame : Frame
    properties : Properties
    timing : Timing
    effects : frozenset of str
    pitch : float
        Pixel size in um.
    seed : (int, str)
    """

    def __init__(
        self,
        legacy: Legacy,
        frame: Frame,
        properties: Properties,
        timing: Timing,
        effects: frozenset[str],
        pitch: float,
        seed: tuple[int, str],
    ) -> None:
        self.timing, self.seed = timing, seed
        self.noisy = "photon_noise" in effects
        self.events: Events | None = None
        self.traps: Traps | None = None
        if effects & {"snowballs", "showers"}:
            rates = EventRates(
                legacy.rates.snowballs if "snowballs" in effects else 0.0,
                legacy.rates.showers if "showers" in effects else 0.0,
            )
            area = frame.nx * frame.ny * (pitch * 1e-4) ** 2
            self.events = Events(
                frame, properties.science, properties.well, rates, area, seed, self.noisy
            )
        if "persistence" in effects:
            maps = legacy.traps or uniform_traps(properties)
            filled = None if legacy.filled is None else legacy.filled.copy()
            self.traps = Traps(maps, properties.gain, timing.frame_time, filled)
            before = self.traps.filled.copy()
            self.truth = TrapTruth(before, self.traps.filled, [])

    @property
    def active(self) -> bool:
        """Whether there is anything to follow."""
        return self.events is not None or self.traps is not None

    def begin(self) -> None:
        """Begin an integration with its reset."""
        if self.events is not None:
            self.events.rest(self.timing.frame_time)
        if self.traps is not None:
            self.traps.begin()

    def collect(self, before: Float32, charge: Float32, integration: int, frames: range) -> None:
        """Add to the charge what comes within some frames, in place.

        Parameters
        ----------
        before : float32, (ny, nx)
            Electrons at their begin.
        charge : float32, (ny, nx)
            Electrons at their end; changed.
        integration : int
            From 0.
        frames : range
            Their numbers, from 1.
        """
        if self.events is not None:
            for frame in frames:
                group = self.timing.group_of_frame(frame)
                self.events.fall(charge, integration, frame, self.timing.frame_time, group)
        if self.traps is not None:
            step = (charge - before) / np.float32(len(frames))
            for number, frame in enumerate(frames):
                start = before + step * np.float32(number)
                self.traps.fill(start, start + step, frame)
                charge += self._given(self.traps.let_go(), integration, frame)

    def _given(self, electrons: Float32, integration: int, frame: int) -> Float32:
        if not self.noisy:
            return electrons
        rng = stream(*self.seed, "persistence", integration, frame)
        return rng.poisson(electrons).astype(np.float32)

    def end(self) -> None:
        """End an integration."""
        if self.traps is not None:
            self.truth.released.append(self.traps.released.copy())
            self.traps.end()

    def event_rows(self, first: int) -> EventRows:
        """Return the events; integrations are counted from `first` on."""
        rows = self.events.rows if self.events is not None else []
        table = np.concatenate([np.zeros(0, dtype=EVENT_DTYPE), *rows])
        table["integration"] -= first
        return table

    def trap_truth(self) -> TrapTruth | None:
        """Return what traps did, if they are on."""
        return None if self.traps is None else self.truth
