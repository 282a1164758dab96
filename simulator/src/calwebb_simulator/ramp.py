"""Let light fall on a detector and read it out: electron rates to raw counts."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from calwebb_core.framework.threads import in_threads, shares
from calwebb_simulator.aftermath import Aftermath, Legacy, TrapTruth
from calwebb_simulator.cosmic_rays import HIT_DTYPE, Hits, draw_rain, record
from calwebb_simulator.detector import Properties
from calwebb_simulator.electronics import Electronics
from calwebb_simulator.events import EventRows
from calwebb_simulator.geometry import Frame
from calwebb_simulator.kernels.readout import add_read
from calwebb_simulator.random import stream
from calwebb_simulator.readout import Timing
from calwebb_simulator.segments import Segment, cut_exposure
from calwebb_simulator.special import SpecialReadout

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
    events : structured array, one row for each large event
    traps : TrapTruth, optional: what charge traps did
    refout : uint16, (nints, ngroups, ny, nx // 4), DN: the reference output, if it is apart
    """

    data: UInt16
    zeroframe: UInt16
    hits: Hits
    refout: UInt16 | None = None
    events: EventRows | None = None
    traps: TrapTruth | None = None


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
    special : SpecialReadout, optional
        Peculiarities of the instrument's readout.
    legacy : Legacy
        Large events, and what earlier exposures left in traps.
    """

    frame: Frame
    properties: Properties
    timing: Timing
    effects: frozenset[str]
    pitch: float
    cosmic_ray_flux: float
    seed: tuple[int, str]
    segment: Segment | None = None
    special: SpecialReadout | None = None
    legacy: Legacy = field(default_factory=Legacy)

    def aftermath(self) -> Aftermath:
        """Return the state of what outlives resets, at the start of the exposure."""
        return Aftermath(
            self.legacy,
            self.frame,
            self.properties,
            self.timing,
            self.effects,
            self.pitch,
            self.seed,
        )

    @property
    def raw_shape(self) -> tuple[int, int]:
        """Rows and columns of the raw counts."""
        return self.frame.shape if self.special is None else self.special.shape

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
    rate : float32, (ny, nx) or (parts, ny, nx)
        Electrons per second.
    light : float64, (nints,) or (nints, parts)
        What the rate, or each of its parts, is multiplied by.
    """

    rate: Float32
    light: NDArray[np.float64]

    def at(self, row: int) -> Float32:
        """Return the light of an integration, counted from the first of the file."""
        return scaled(self.rate, self.light[row])


def scaled(rate: Float32, level: NDArray[np.float64] | float) -> Float32:
    """Return a rate, or the sum of its parts, at a level of each."""
    if rate.ndim == 2:
        return np.asarray(rate * np.float32(level), dtype=np.float32)
    parts = zip(rate, np.asarray(level, dtype=np.float32), strict=True)
    return np.asarray(sum(part * factor for part, factor in parts), dtype=np.float32)


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
    shape = (len(chamber.integrations), timing.groups, *chamber.raw_shape)
    data = np.empty(shape, dtype=np.uint16)
    zeroframe = np.empty((shape[0], *shape[2:]), dtype=np.uint16)
    hits: list[Hits] = [np.zeros(0, dtype=HIT_DTYPE)]
    refout: list[UInt16] = []
    aftermath = chamber.aftermath()
    for row, integration in enumerate(chamber.integrations):
        seen = rate if variable is None else rate + variable.at(row)
        run = _Integration(chamber, seen, integration, aftermath)
        for group in range(timing.groups):
            data[row, group] = run.group(group)
            refout += run.reference_output(group)
            if group == 0:
                zeroframe[row] = run.first
            progress()
        aftermath.end()
        for rows in run.hits:
            rows["integration"] = row
        hits += run.hits
    apart = np.stack(refout).reshape(*shape[:2], *refout[0].shape) if refout else None
    events = aftermath.event_rows(chamber.integrations[0])
    joined = np.concatenate(hits)
    return Exposed(data, zeroframe, joined, apart, events, aftermath.trap_truth())


class _Integration:
    """Charge collected since the reset, and the reads of it."""

    def __init__(
        self, chamber: Chamber, rate: Float32, integration: int, aftermath: Aftermath
    ) -> None:
        self.chamber = chamber
        self.aftermath = aftermath
        aftermath.begin()
        self.integration = integration
        properties = chamber.properties
        self.special = chamber.special
        dark = properties.dark
        if self.special is not None:
            dark = dark * np.float32(self.special.dark_factor(integration))
        self.rate = (rate + dark).astype(np.float64)
        if self.special is not None:
            self.special.begin(integration, self.rate)
        self.charge = np.zeros(chamber.frame.shape, dtype=np.float32)
        limited = "saturation" in chamber.effects
        self.well = properties.well if limited else np.full_like(properties.well, NO_WELL)
        own = frozenset() if self.special is None else self.special.own_noise
        self.electronics = Electronics(
            chamber.frame, chamber.effects - own, properties.read_noise, chamber.seed
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
            one = np.zeros_like(total)
            self._read(read, one)
            if read == 1:
                self.first = self._counts(one, [read])
            # frames are whole numbers before the electronics on board add them up
            total += counts(one) if len(reads) > 1 else one
        return self._counts(total / np.float32(len(reads)), reads)

    def reference_output(self, group: int) -> list[UInt16]:
        """Return what the reference output read for a group, if it is stored apart."""
        if self.special is None:
            return []
        value = self.special.reference_output(self.integration, self.chamber.timing.reads(group))
        return [] if value is None else [counts(value)]

    def _collect(self, read: int) -> None:
        """Collect charge up to a read."""
        frames, self.frame = read - self.frame, read
        before = self.charge.copy() if self.aftermath.active else self.charge
        expected = self.rate * (frames * self.chamber.timing.frame_time)
        if "photon_noise" in self.chamber.effects:
            rng = stream(*self.chamber.seed, "photons", self.integration, read)
            self.charge += rng.poisson(expected).astype(np.float32)
        else:
            self.charge += expected.astype(np.float32)
        if "cosmic_rays" in self.chamber.effects:
            for frame in range(read - frames + 1, read + 1):
                self._hit(frame)
        if self.aftermath.active:
            passed = range(read - frames + 1, read + 1)
            self.aftermath.collect(before, self.charge, self.integration, passed)

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
        given = (charge, self.well, properties.gain, properties.c2, properties.c3)
        if self.special is None:
            add_reads(total, *given)
        else:
            signal = np.zeros_like(total)
            add_reads(signal, *given)
            self.special.disturb(self.integration, read, signal)
            total += signal
        total += properties.bias
        total += self.electronics.noise(self.integration, read)

    def _counts(self, value: Float32, reads: list[int]) -> UInt16:
        if self.special is not None:
            value = self.special.raw(self.integration, reads, value)
        return counts(value)


def add_reads(total: Float32, *planes: Float32) -> None:
    """Add one read to `total` in place, rows shared among threads; see `add_read`."""
    in_threads(
        lambda rows: add_read(total[rows], *(plane[rows] for plane in planes)), shares(len(total))
    )


def counts(value: Float32) -> UInt16:
    """Return DN as the converter gives them."""
    return np.clip(np.rint(value), 0, FULL_SCALE).astype(np.uint16)


def couple(charge: Float32) -> Float32:
    """Return charge as seen through the capacitance between neighbouring pixels."""
    kernel = np.array([[0, IPC, 0], [IPC, 1 - 4 * IPC, IPC], [0, IPC, 0]], dtype=np.float32)
    return np.asarray(ndimage.convolve(charge, kernel, mode="nearest"), dtype=np.float32)
