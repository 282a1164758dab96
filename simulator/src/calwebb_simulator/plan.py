"""What a scenario amounts to: one entry for each file of raw counts, with its geometry."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from astropy.time import Time, TimeDelta
from numpy.typing import NDArray

from calwebb_core.framework.errors import InputError
from calwebb_core.framework.names import ExposureName
from calwebb_simulator.clocks import frame_time
from calwebb_simulator.geometry import Attitude, Frame, Placement, aberration
from calwebb_simulator.instruments import Filter, Instrument, instrument_named
from calwebb_simulator.readout import Timing
from calwebb_simulator.scenario import Exposures, Scenario, filter_for
from calwebb_simulator.segments import Segment, cut_exposure

# barycentric velocity and position of the observatory at L2, km/s and km, of a day in 2023
VELOCITY = (-4.47, -27.32, -11.84)
POSITION = (-148_520_000.0, 17_130_000.0, 7_400_000.0)
OVERHEAD = 60.0  # s between exposures
START_OF_VISIT = 1200.0  # s before the first exposure


@dataclass(frozen=True)
class Planned:
    """One exposure of one detector.

    Attributes
    ----------
    group : Exposures
        The entry of the scenario it belongs to.
    placement : Placement
    optics : Filter
    timing : Timing
    name : ExposureName
    start : astropy.time.Time
        UTC, when the exposure begins.
    dither : int
        Number of the dither position, from 1.
    count : int
        Number of the exposure in the visit, from 1.
    aberrated : (float, float)
        Apparent direction of the reference point, degrees.
    segment : Segment
        The integrations that are in this file; `timing` is about the whole exposure.
    """

    group: Exposures
    placement: Placement
    optics: Filter
    timing: Timing
    name: ExposureName
    start: Time
    dither: int
    count: int
    aberrated: tuple[float, float]
    segment: Segment

    @property
    def frame(self) -> Frame:
        """The detector's frame or subarray."""
        return self.placement.frame

    @property
    def root(self) -> str:
        """File name up to the detector."""
        return self.name.root

    @property
    def exposure_root(self) -> str:
        """The same without the segment: one name for the whole exposure."""
        return replace(self.name, segment=None).root

    def phase(self) -> NDArray[np.float64]:
        """Return the middles of the file's integrations as parts of the exposure's duration."""
        starts = self.timing.starts()[list(self.segment.integrations)]
        middle = starts + self.timing.integration_time / 2
        return np.asarray(middle / self.timing.duration)


def plan(scenario: Scenario) -> tuple[Planned, ...]:
    """Plan all exposures of a scenario in the order of time."""
    instrument = instrument_named(scenario.instrument)
    return tuple(_plan(scenario, instrument))


def _plan(scenario: Scenario, instrument: Instrument) -> Iterator[Planned]:
    start = first_moment(scenario)
    count = 0
    for activity, group in enumerate(scenario.exposures, start=1):
        for dither in range(1, len(group.dithers) + 1):
            count += 1
            longest = 0.0
            for detector in group.detectors:
                entry = _one(
                    scenario, instrument, group, detector, (activity, dither, count), start
                )
                longest = max(longest, entry.timing.duration)
                yield from _segments(entry)
            start = start + TimeDelta(longest + OVERHEAD, format="sec")


def _segments(entry: Planned) -> Iterator[Planned]:
    for segment in cut_exposure(entry.timing.integrations, entry.group.segments):
        yield replace(entry, segment=segment, name=replace(entry.name, segment=segment.label))


def first_moment(scenario: Scenario) -> Time:
    """Return the start of the first exposure."""
    try:
        return Time(scenario.start, scale="utc", format="isot")
    except ValueError as error:
        msg = f"scenario {scenario.name}: start is {scenario.start!r}; expected YYYY-MM-DDThh:mm:ss"
        raise InputError(msg) from error


def _one(
    scenario: Scenario,
    instrument: Instrument,
    group: Exposures,
    detector: str,
    numbers: tuple[int, int, int],
    start: Time,
) -> Planned:
    activity, dither, count = numbers
    frame = Frame.of(instrument, instrument.detector(detector), group.subarray)
    optics = filter_for(group, instrument, detector)
    attitude = point(scenario, instrument, group, group.dithers[dither - 1])
    v2, v3 = frame.aperture["V2Ref"], frame.aperture["V3Ref"]
    ra, dec = (float(angle) for angle in attitude.sky(v2, v3))
    scale, *aberrated = aberration(VELOCITY, ra, dec)
    pattern = instrument.pattern(group.readpatt)
    timing = Timing(
        frame_time(instrument, frame, pattern),
        pattern,
        group.groups,
        group.integrations,
    )
    name = ExposureName(
        scenario.program,
        "001",
        "001",
        "02",
        "1",
        f"{activity:02d}",
        f"{dither:05d}",
        detector.lower(),
    )
    placement = Placement(frame, attitude, optics.offset, scale)
    whole = cut_exposure(timing.integrations, 1)[0]
    apparent = (aberrated[0], aberrated[1])
    return Planned(group, placement, optics, timing, name, start, dither, count, apparent, whole)


def point(
    scenario: Scenario, instrument: Instrument, group: Exposures, dither: tuple[float, float]
) -> Attitude:
    """Return the attitude that puts the target at a place in the first detector's aperture."""
    detector = instrument.detector(group.detectors[0])
    prime = Frame.of(instrument, detector, group.subarray).aperture
    angle, parity = np.radians(prime["V3IdlYAngle"]), prime["VIdlParity"]
    x, y = dither
    v2 = prime["V2Ref"] + parity * x * np.cos(angle) + y * np.sin(angle)
    v3 = prime["V3Ref"] - parity * x * np.sin(angle) + y * np.cos(angle)
    return Attitude.at(float(v2), float(v3), scenario.ra, scenario.dec, scenario.roll)
