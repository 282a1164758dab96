"""From programs to the files they leave: names and times.

Exposures of one program follow one another; set-ups of an activity expose together. Every copy
of a program begins on a day of its own, so that no detector exposes twice at a time.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from calwebb_simulator.programs.detectors import DETECTORS, Timing, timing
from calwebb_simulator.programs.model import Activity, Observation, Offset, Program, Setup

FIRST_NUMBER: Final = 10000
COPY_STEP: Final = 100  # between program numbers of copies, and days between their starts
EPOCH: Final = datetime(2024, 1, 1)  # UTC, as all times here
TO_TARGET: Final = timedelta(minutes=25)  # slew, guide stars
BETWEEN_ACTIVITIES: Final = timedelta(seconds=150)
BETWEEN_POSITIONS: Final = timedelta(seconds=70)
DIGITS: Final = "0123456789abcdefghijklmnopqrstuvwxyz"
BEFORE_SCIENCE: Final = ("ACQ", "CONFIRM", "NRS_MSATA", "NRS_WATA")


@dataclass(frozen=True)
class Raw:
    """One raw file: a segment of an exposure of one detector.

    Attributes
    ----------
    program : Program
    number : int
        Program number of this copy.
    observation : Observation
    tile : int
        From 1; the visit's number too.
    began : datetime
        Start of the visit.
    group, activity : str
        Visit group and activity as in the name.
    doing : Activity
    setup : Setup
    detector, aperture : str
    position : int
        From 1, of the dither pattern.
    offset : (float, float)
        Of the dither, arcsec.
    count, total : int
        EXPCOUNT and NEXPOSUR.
    specification : int
        Number of the exposure specification.
    start : datetime
    timing : Timing
    segment : int
        From 1.
    """

    program: Program
    number: int
    observation: Observation
    tile: int
    began: datetime
    group: str
    activity: str
    doing: Activity
    setup: Setup
    detector: str
    aperture: str
    position: int
    offset: Offset
    count: int
    total: int
    specification: int
    start: datetime
    timing: Timing
    segment: int

    @property
    def visit(self) -> str:
        """Program, observation and visit: 11 digits."""
        return f"{self.number:05d}{self.observation.number:03d}{self.tile:03d}"

    @property
    def root(self) -> str:
        """The file's name without suffix."""
        part = f"-seg{self.segment:03d}" if self.setup.readout.segments > 1 else ""
        where = f"{self.group}1{self.activity}_{self.position:05d}{part}"
        return f"jw{self.visit}_{where}_{self.detector.lower()}"


@dataclass(frozen=True)
class Step:
    """An activity with its numbers: visit group, activity, exposure specification."""

    group: str
    activity: str
    specification: int
    doing: Activity


def numbered(observation: Observation) -> list[Step]:
    """Return the activities of a visit: acquisitions are visit group 02, the rest 03."""
    steps: list[Step] = []
    specifications = [activity.specification for activity in observation.activities]
    following = max(specifications, default=0)
    for activity in observation.activities:
        first = any(word in activity.setups[0].exp_type for word in BEFORE_SCIENCE)
        group = "02" if first else "03"
        place = sum(step.group == group for step in steps) + 1
        following += not activity.specification
        number = activity.specification or following
        steps.append(Step(group, DIGITS[place // 36] + DIGITS[place % 36], number, activity))
    return steps


def raw_files(program: Program, copy: int = 0) -> Iterator[Raw]:
    """Yield the files of a copy of a program in the order of time."""
    number = program.number + COPY_STEP * copy
    clock = EPOCH + timedelta(days=number - FIRST_NUMBER)
    for observation in program.observations:
        for tile in range(1, len(observation.tiles) + 1):
            for raw in visit_files(program, number, observation, tile, clock):
                end = raw.start + timedelta(seconds=raw.timing.duration)
                clock = max(clock, end)
                yield raw


def visit_files(
    program: Program, number: int, observation: Observation, tile: int, began: datetime
) -> Iterator[Raw]:
    """Yield the files of a visit."""
    total = sum(len(activity.dither.positions) for activity in observation.activities)
    count, clock = 0, began + TO_TARGET
    for step in numbered(observation):
        for position, offset in enumerate(step.doing.dither.positions, 1):
            count += 1
            longest = 0.0
            for setup in step.doing.setups:
                for detector in setup.detectors:
                    aperture = setup.aperture.format(DETECTORS[detector].prefix)
                    times = timing(detector, aperture, setup.subarray, setup.readout)
                    longest = max(longest, times.duration)
                    for segment in range(1, setup.readout.segments + 1):
                        yield Raw(
                            program=program,
                            number=number,
                            observation=observation,
                            tile=tile,
                            began=began,
                            group=step.group,
                            activity=step.activity,
                            doing=step.doing,
                            setup=setup,
                            detector=detector,
                            aperture=aperture,
                            position=position,
                            offset=offset,
                            count=count,
                            total=total,
                            specification=step.specification,
                            start=clock,
                            timing=times,
                            segment=segment,
                        )
            clock += timedelta(seconds=longest) + BETWEEN_POSITIONS
        clock += BETWEEN_ACTIVITIES
