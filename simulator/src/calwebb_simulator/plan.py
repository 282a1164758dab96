"""What a scenario amounts to: one entry for each file of raw counts, with its geometry."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from astropy.time import Time, TimeDelta
from numpy.typing import NDArray

from calwebb_core.framework.errors import InputError
from calwebb_core.framework.names import ExposureName
from calwebb_simulator.clocks import frame_time
from calwebb_simulator.geometry import Frame, Placement, aberration
from calwebb_simulator.instruments import Filter, Instrument, instrument_named
from calwebb_simulator.options import Exposures
from calwebb_simulator.pointing import Aim, PointingError, beside, cyclic
from calwebb_simulator.readout import Timing
from calwebb_simulator.scenario import Scenario, filter_for
from calwebb_simulator.segments import Segment, cut_exposure
from calwebb_simulator.siaf import Entry, aperture

SECONDS_PER_HOUR = 3600.0
# barycentric velocity and position of the observatory at L2, km/s and km, of a day in 2023
VELOCITY = (-4.47, -27.32, -11.84)
POSITION = (-148_520_000.0, 17_130_000.0, 7_400_000.0)
OVERHEAD = 60.0  # s between exposures
MOST_STEPS = 64
POINTING = ("V2Ref", "V3Ref", "V3IdlYAngle", "VIdlParity")  # of a slit's aperture
PIXEL = {"XSciRef": 326.13, "YSciRef": 300.7}
PIXELS = {"MIR_LRS-FIXEDSLIT": PIXEL, "MIR_TACONFIRM": PIXEL}  # where it falls
SLIT_APERTURES = {
    "MIR_LRS-FIXEDSLIT": "MIRIM_SLIT",
    "MIR_TACONFIRM": "MIRIM_SLIT",
    "NRS_FIXEDSLIT": "NRS_{slit}_SLIT",
    "NRS_BRIGHTOBJ": "NRS_S1600A1_SLIT",
}
BETWEEN_VISITS = 1800.0  # s more between visits
START_OF_VISIT = 1200.0  # s before the first exposure


@dataclass(frozen=True)
class Planned:
    """One exposure of one detector.

    Attributes
    ----------
    instrument : Instrument
    group : Exposures
        The entry of the scenario it belongs to.
    aim : Aim
        Where the telescope is told to point in the middle of the exposure.
    error : PointingError
        By how much it misses.
    placement : Placement
        Where the frame really is on the sky, in the middle of the exposure.
    commanded : Placement
        Where the telescope believes it is: what the headers say.
    optics : Filter
    timing : Timing
    name : ExposureName
    start : astropy.time.Time
        UTC, when the exposure begins.
    dither : int
        Number of the dither position, from 1.
    count : int
        Number of the exposure in the visit, from 1.
    sky : float
        Surface brightness of the sky in MJy/sr.
    gradient : (float, float)
        By how much the sky rises over the width and the height of the detector.
    motion : (float, float)
        Arcsec per second by which the target moves east and north.
    aberrated : (float, float)
        Apparent direction of the reference point, degrees.
    segment : Segment
        The integrations that are in this file; `timing` is about the whole exposure.
    """

    instrument: Instrument
    group: Exposures
    aim: Aim
    error: PointingError
    placement: Placement
    commanded: Placement
    optics: Filter
    timing: Timing
    name: ExposureName
    start: Time
    dither: int
    count: int
    aberrated: tuple[float, float]
    sky: float
    gradient: tuple[float, float]
    motion: tuple[float, float]
    segment: Segment

    @property
    def frame(self) -> Frame:
        """The detector's frame or subarray."""
        return self.placement.frame

    @property
    def steps(self) -> int:
        """In how many places of a moving exposure the sky is drawn: two a pixel."""
        length = float(np.hypot(*self.motion)) * self.timing.duration
        pixels = length / self.frame.distortion.pixel_area**0.5
        return min(int(np.ceil(2 * pixels)) + 1, MOST_STEPS) if pixels > 0 else 1

    def trail(self) -> tuple[Placement, ...]:
        """Return where the frame is at moments spread evenly over the exposure."""
        if self.steps == 1:
            return (self.placement,)
        seconds = ((np.arange(self.steps) + 0.5) / self.steps - 0.5) * self.timing.duration
        aims = [self.aim.moved(self.motion[0] * after, self.motion[1] * after) for after in seconds]
        return tuple(
            replace(self.placement, attitude=aim.missed(self.error).attitude) for aim in aims
        )

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
    began = start
    visits: dict[tuple[int, int], int] = {}  # exposures so far
    for activity, group in enumerate(scenario.exposures, start=1):
        key = (group.observation, group.visit)
        if visits and key not in visits:
            start = start + TimeDelta(BETWEEN_VISITS, format="sec")
        for dither in range(1, len(group.dithers) + 1):
            visits[key] = visits.get(key, 0) + 1
            moment = Moment(activity, dither, list(visits).index(key), visits[key], start, began)
            longest = 0.0
            for detector in group.detectors:
                entry = _one(scenario, instrument, group, detector, moment)
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


@dataclass(frozen=True)
class Moment:
    """The place of an exposure in the order of time.

    Attributes
    ----------
    activity, dither : int
        Numbers of the set of exposures and of the dither in it, from 1.
    visit : int
        Number of the visit, from 0.
    count : int
        Number of the exposure in the visit, from 1.
    start, began : astropy.time.Time
        Start of the exposure and of the first one of all.
    """

    activity: int
    dither: int
    visit: int
    count: int
    start: Time
    began: Time


def _one(
    scenario: Scenario,
    instrument: Instrument,
    group: Exposures,
    detector: str,
    moment: Moment,
) -> Planned:
    frame = frame_of(instrument, group, detector)
    optics = filter_for(group, instrument, detector)
    pattern = instrument.pattern(group.readpatt)
    timing = Timing(
        frame_time(instrument, frame, pattern), pattern, group.groups, group.integrations
    )
    elapsed = float((moment.start - moment.began).sec) + timing.duration / 2
    aim = aim_at(scenario, instrument, group, moment.dither, elapsed)
    error = scenario.pointing.of(scenario.seed, moment.visit, moment.count)
    v2, v3 = frame.aperture["V2Ref"], frame.aperture["V3Ref"]
    ra, dec = (float(angle) for angle in aim.attitude.sky(v2, v3))
    scale, *aberrated = aberration(VELOCITY, ra, dec)
    index = moment.dither - 1
    return Planned(
        instrument=instrument,
        group=group,
        aim=aim,
        error=error,
        placement=Placement(frame, aim.missed(error).attitude, optics.offset, scale),
        commanded=Placement(frame, aim.attitude, optics.offset, scale),
        optics=optics,
        timing=timing,
        name=_name(scenario, group, detector, moment),
        start=moment.start,
        dither=moment.dither,
        count=moment.count,
        aberrated=(aberrated[0], aberrated[1]),
        sky=cyclic(group.sky, index, scenario.scene.sky),
        gradient=cyclic(group.gradient, index, (0.0, 0.0)),
        motion=motion_of(scenario, group),
        segment=cut_exposure(timing.integrations, 1)[0],
    )


def frame_of(instrument: Instrument, group: Exposures, detector: str) -> Frame:
    """Return a group's frame on a detector; spectra are pointed through a slit's aperture."""
    frame = Frame.of(instrument, instrument.detector(detector), group.subarray)
    name = pointed_aperture(group.exp_type, group.slit)
    if not name:
        return frame
    slit = aperture(instrument.siaf, name)
    values = {key: slit[key] for key in POINTING}
    if group.exp_type in PIXELS:
        values |= PIXELS[group.exp_type]
    whole = frame.aperture
    return replace(frame, aperture=Entry(slit.name, whole.values | values))


def pointed_aperture(exp_type: str, slit: str) -> str:
    """Return the aperture of the SIAF that puts a star in a slit; empty without one."""
    return SLIT_APERTURES.get(exp_type, "").format(slit=slit or "S200A1")


def _name(scenario: Scenario, group: Exposures, detector: str, moment: Moment) -> ExposureName:
    return ExposureName(
        scenario.program,
        f"{group.observation:03d}",
        f"{group.visit:03d}",
        "02",
        "1",
        f"{moment.activity:02d}",
        f"{moment.dither:05d}",
        detector.lower(),
    )


def motion_of(scenario: Scenario, group: Exposures) -> tuple[float, float]:
    """Return arcsec per second by which a group's target moves; backgrounds stay in place."""
    if group.background:
        return 0.0, 0.0
    east, north = scenario.scene.motion
    return east / SECONDS_PER_HOUR, north / SECONDS_PER_HOUR


def target_at(scenario: Scenario, group: Exposures, elapsed: float) -> tuple[float, float]:
    """Return where a group's target is, `elapsed` seconds after the first exposure began."""
    motion = motion_of(scenario, group)
    east, north = (place + rate * elapsed for place, rate in zip(group.place, motion, strict=True))
    if east == north == 0:
        return scenario.ra, scenario.dec
    return beside(scenario.ra, scenario.dec, east, north)


def aim_at(
    scenario: Scenario, instrument: Instrument, group: Exposures, dither: int, elapsed: float
) -> Aim:
    """Return the aim that puts the target at a dither's place in the first detector's aperture."""
    prime = frame_of(instrument, group, group.detectors[0]).aperture
    angle, parity = np.radians(prime["V3IdlYAngle"]), prime["VIdlParity"]
    x, y = group.dithers[dither - 1]
    v2 = prime["V2Ref"] + parity * x * np.cos(angle) + y * np.sin(angle)
    v3 = prime["V3Ref"] - parity * x * np.sin(angle) + y * np.cos(angle)
    return Aim(float(v2), float(v3), *target_at(scenario, group, elapsed), scenario.roll)
