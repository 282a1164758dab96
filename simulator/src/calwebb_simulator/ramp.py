"""Let light fall on a detector and read it out: electron rates to raw counts."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from calwebb_simulator.cosmic_rays import HIT_DTYPE, Hits, draw_rain, record
from calwebb_simulator.detector import Properties
from calwebb_simulator.electronics import Electronics
from calwebb_simulator.geometry import Frame
from calwebb_simulator.kernels.readout import add_read
from calwebb_simulator.random import stream
from calwebb_simulator.readout import Timing
from calwebb_simulator.segments import Segment, cut_exposure

Float32 = NDArray[np.float32]
UInt16 = NDArray[np.uint16]
IPC = 0.006  # coupling to each of the four neighbours
NO_WELL = 1e9
FULL_SCALE = 65535


@dataclass(frozen=True)
class Exposed:
    """Raw counts and the cosmic rays in them.

    Attributes
    ----------
    data : uint16, (nints, ngroups, ny, nx), DN
    zeroframe : uint16, (nints, ny, nx), DN: the first frame of every integration
    hits : structured array, one row for each pixel of each track
    """

    data: UInt16
    zeroframe: UInt16
    hits: Hits


@dataclass(frozen=True)
class Chamber:
    """Everything an exposure of one detector needs.

    Attributes
    ----------
    frame : Frame
    properties : Properties
    timing : Timing
    effects : frozenset of str
    pitch : float
        Pixel size in um.
    cosmic_ray_flux : float
        Particles per cm2 and s.
    seed : (int, str)
        The run's seed and the exposure's name.
    segment : Segment, optional
        The integrations to simulate; all by default. An integration's noise depends on its
        number in the exposure, so that cutting does not change the counts.
    """

    frame: Frame
    properties: Properties
    timing: Timing
    effects: frozenset[str]
    pitch: float
    cosmic_ray_flux: float
    seed: tuple[int, str]
    segment: Segment | None = None

    @property
    def integrations(self) -> range:
        """The numbers of the integrations in the exposure, from 0."""
        part = self.segment or cut_exposure(self.timing.integrations, 1)[0]
        return part.integrations


@dataclass(frozen=True)
class Variable:
    """Light that changes from integration to integration.

    Attributes
    ----------
    rate : float32, (ny, nx)
        Electrons per second.
    light : float64, (nints,)
        What the rate is multiplied by.
    """

    rate: Float32
    light: NDArray[np.float64]


def expose(
    chamber: Chamber,
    rate: Float32,
    progress: Callable[[], None] = lambda: None,
    *,
    variable: Variable | None = None,
) -> Exposed:
    """Simulate the raw counts of an exposure.

    Parameters
    ----------
    chamber : Chamber
    rate : float32, (ny, nx)
        Electrons per second from light; dark current is added here.
    progress : callable
        Called once a group.
    variable : Variable, optional
        Light beside `rate` that changes between the integrations.
    """
    timing = chamber.timing
    shape = (len(chamber.integrations), timing.groups, *chamber.frame.shape)
    data = np.empty(shape, dtype=np.uint16)
    zeroframe = np.empty((shape[0], *shape[2:]), dtype=np.uint16)
    hits: list[Hits] = [np.zeros(0, dtype=HIT_DTYPE)]
    for row, integration in enumerate(chamber.integrations):
        seen = rate if variable is None else rate + variable.rate * variable.light[row]
        run = _Integration(chamber, seen, integration)
        for group in range(timing.groups):
            data[row, group] = run.group(group)
            if group == 0:
                zeroframe[row] = run.first
            progress()
        for rows in run.hits:
            rows["integration"] = row
        hits += run.hits
    return Exposed(data, zeroframe, np.concatenate(hits))


class _Integration:
    """Charge collected since the reset, and the reads of it."""

    def __init__(self, chamber: Chamber, rate: Float32, integration: int) -> None:
        self.chamber = chamber
        self.integration = integration
        properties = chamber.properties
        self.rate = (rate + properties.dark).astype(np.float64)
        self.charge = np.zeros(chamber.frame.shape, dtype=np.float32)
        limited = "saturation" in chamber.effects
        self.well = properties.well if limited else np.full_like(properties.well, NO_WELL)
        self.electronics = Electronics(
            chamber.frame, chamber.effects, properties.read_noise, chamber.seed
        )
        self.frame = 0
        self.tracks = 0
        self.hits: list[Hits] = []
        self.first: UInt16 = np.zeros(0, dtype=np.uint16)

    def group(self, group: int) -> UInt16:
        """Return the average of a group's reads."""
        reads = self.chamber.timing.reads(group)
        total = np.zeros_like(self.charge)
        for read in reads:
            self._collect(read)
            self._read(read, total)
            if read == 1:
                self.first = self._counts(total)
        return self._counts(total / np.float32(len(reads)))

    def _collect(self, read: int) -> None:
        """Collect charge up to a read."""
        frames, self.frame = read - self.frame, read
        expected = self.rate * (frames * self.chamber.timing.frame_time)
        if "photon_noise" in self.chamber.effects:
            rng = stream(*self.chamber.seed, "photons", self.integration, read)
            self.charge += rng.poisson(expected).astype(np.float32)
        else:
            self.charge += expected.astype(np.float32)
        if "cosmic_rays" in self.chamber.effects:
            for frame in range(read - frames + 1, read + 1):
                self._hit(frame)

    def _hit(self, frame: int) -> None:
        chamber = self.chamber
        rng = stream(*chamber.seed, "cosmic_rays", self.integration, frame)
        fluence = chamber.cosmic_ray_flux * chamber.timing.frame_time
        rain = draw_rain(rng, chamber.frame, chamber.pitch, fluence)
        seeing = chamber.properties.science[rain.y, rain.x]
        np.add.at(self.charge, (rain.y[seeing], rain.x[seeing]), rain.charge[seeing])
        rows = record(
            rain, self.integration, chamber.timing.group_of_frame(frame), frame, self.tracks
        )
        self.tracks += int(rain.track.max(initial=-1)) + 1
        self.hits.append(rows[seeing])

    def _read(self, read: int, total: Float32) -> None:
        properties = self.chamber.properties
        charge = self.charge
        if "ipc" in self.chamber.effects:
            charge = couple(np.minimum(charge, self.well))
        add_read(total, charge, self.well, properties.gain, properties.c2, properties.c3)
        total += properties.bias
        total += self.electronics.noise(self.integration, read)

    def _counts(self, value: Float32) -> UInt16:
        return np.clip(np.rint(value), 0, FULL_SCALE).astype(np.uint16)


def couple(charge: Float32) -> Float32:
    """Return charge as seen through the capacitance between neighbouring pixels."""
    kernel = np.array([[0, IPC, 0], [IPC, 1 - 4 * IPC, IPC], [0, IPC, 0]], dtype=np.float32)
    return np.asarray(ndimage.convolve(charge, kernel, mode="nearest"), dtype=np.float32)
