"""Families of charge traps: what they catch and let go in the course of an exposure.

The formulas are those in the description of `calwebb_detector1.steps.persistence`; all that
depends on times and families only is tabulated here.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calwebb_core.framework.errors import ReferenceFileError
from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.models import Float32, UInt8, UInt32
from calwebb_core.framework.reference_data import Reference
from calwebb_core.framework.references import References
from calwebb_core.science.dq import PixelDQ
from calwebb_detector1.arrays import (
    check_array,
    check_ramps,
    label,
    reference_array,
    reference_dq,
)
from calwebb_detector1.detector_state import SECONDS
from calwebb_detector1.integrations import first_integration
from calwebb_detector1.kernels import persistence as kernels

Float64 = NDArray[np.float64]
COLUMNS = ("capture0", "capture1", "capture2", "decay_param")
EPOCH = 40587.0  # MJD of 1970-01-01


@dataclass(frozen=True)
class Families:
    """Families of traps, one value each.

    Attributes
    ----------
    slow : float64 (nfamilies,), DN caught in time by a full pixel of density 1 (capture0)
    capture_rate : float64 (nfamilies,), 1/s (|capture1|)
    at_once : float64 (nfamilies,), DN caught at once (capture2)
    decay_rate : float64 (nfamilies,), 1/s (|decay_param|)
    """

    slow: Float64
    capture_rate: Float64
    at_once: Float64
    decay_rate: Float64

    @property
    def holds(self) -> Float64:
        """DN that a family holds at most in a pixel of density 1."""
        return self.slow + self.at_once

    def __len__(self) -> int:
        return int(self.slow.size)


def families_of(reference: Reference) -> Families:
    """Read the families from a TRAPPARS reference.

    Raises
    ------
    ReferenceFileError
        If the table or a column is missing, it has no rows, or a value is not finite.
    """
    table = reference.tables.get("TRAPPARS")
    names = {} if table is None else {name.lower(): name for name in table.data.dtype.names or ()}
    if table is None or not set(COLUMNS) <= set(names) or not len(table.data):
        msg = (
            f"{label(reference)} has no table TRAPPARS with a row for each family of traps and "
            f"the columns {', '.join(COLUMNS)}"
        )
        raise ReferenceFileError(msg)
    columns = [np.asarray(table.data[names[name]], np.float64) for name in COLUMNS]
    if not all(np.isfinite(column).all() for column in columns):
        msg = f"{label(reference)}: the table TRAPPARS holds values that are not finite"
        raise ReferenceFileError(msg)
    slow, capture_rate, at_once, decay_rate = columns
    return Families(slow, np.abs(capture_rate), at_once, np.abs(decay_rate))


@dataclass(frozen=True)
class Course:
    """Times of an exposure.

    Attributes
    ----------
    ngroups : int
    group_time, frame_time : float, s
    resets : float64 (nints,), s, time of the resets before each integration
    nframes : int, frames that a group averages
    """

    ngroups: int
    group_time: float
    frame_time: float
    resets: Float64
    nframes: int = 1

    @property
    def first(self) -> float:
        """Mean time of the first group after the reset, s."""
        return (self.nframes + 1) / 2 * self.frame_time

    @property
    def length(self) -> float:
        """Time from the reset to the last frame, s."""
        return (self.ngroups - 1) * self.group_time + self.nframes * self.frame_time

    @classmethod
    def of(cls, metadata: Metadata, nints: int, ngroups: int) -> "Course":
        """Read TGROUP, TFRAME, and NFRAMES, NRSTSTRT, NRESETS, 1 where they are missing.

        Raises
        ------
        InputError
            If TGROUP or TFRAME is missing.
        """
        frame = metadata.require("TFRAME", float)
        first, others = (count_of(metadata, keyword) for keyword in ("NRSTSTRT", "NRESETS"))
        resets = np.full(nints, others * frame)
        if first_integration(metadata) == 1:
            resets[0] = first * frame
        nframes = count_of(metadata, "NFRAMES")
        return cls(ngroups, metadata.require("TGROUP", float), frame, resets, nframes)

    def group_times(self, metadata: Metadata) -> Float64:
        """Return when each group ends, float64 (nints, ngroups), s since 1970.

        Raises
        ------
        InputError
            If EXPSTART is missing.
        """
        start = (metadata.require("EXPSTART", float) - EPOCH) * SECONDS
        reading = self.ngroups * self.group_time
        others = count_of(metadata, "NRESETS") * self.frame_time
        start += count_of(metadata, "NRSTSTRT") * self.frame_time
        order = first_integration(metadata) - 1 + np.arange(self.resets.size)
        starts = start + order * (reading + others)
        return starts[:, None] + self.group_time * np.arange(1, self.ngroups + 1)


def count_of(metadata: Metadata, keyword: str) -> int:
    """Return a number of frames or resets; 1 where the keyword is missing."""
    return 1 if metadata.get(keyword) in (None, "") else metadata.require(keyword, int)


def decay_tables(families: Families, course: Course) -> tuple[Float64, Float64, Float64, Float64]:
    """Return parts of a state, in float64.

    Returns
    -------
    kept : (nints, nfamilies), left after the resets of each integration
    in_frame : (nfamilies,), let go until the first frame
    released : (nfamilies, ngroups), let go until each group
    left : (nfamilies,), left after the last group
    """
    rate = families.decay_rate
    times = course.first + course.group_time * np.arange(course.ngroups)
    kept = np.exp(-course.resets[:, None] * rate)
    in_frame = -np.expm1(-course.frame_time * rate)
    released = -np.expm1(-rate[:, None] * times)
    return kept, in_frame, released, np.exp(-rate * course.length)


def capture_tables(
    families: Families, course: Course
) -> tuple[tuple[float, float], Float64, Float64, Float64, Float64, Float64]:
    """Return what pixels of density 1 catch, in float64.

    Returns
    -------
    first, length : mean time of the first group and length of the integration, in group times
    steady : (nfamilies,), part of the slow traps filled while a pixel fills up all the time
    rate : (nfamilies,), capture rate by group time
    hit : (nfamilies, ngroups), DN caught of a hit that fills an empty pixel, by group
    slow, at_once : (nfamilies,), DN
    """
    rate = families.capture_rate * course.group_time
    times = (course.first / course.group_time, course.length / course.group_time)
    steady = np.array([kernels.slow_part(one * times[1]) for one in rate])
    since = course.ngroups - np.arange(course.ngroups) - 0.5
    hit = families.slow[:, None] * -np.expm1(-rate[:, None] * since) + families.at_once[:, None]
    return times, steady, rate, hit, families.slow, families.at_once


def correct_traps(
    data: Float32,
    groupdq: UInt8,
    pixeldq: UInt32,
    zeroframe: Float32 | None,
    state: Float32,
    *,
    density: Float32,
    full: Float32,
    families: Families,
    course: Course,
    cutoff: float | None = 40.0,
) -> int:
    """Subtract what traps let go from `data` and `zeroframe` and bring `state` up to date.

    Parameters
    ----------
    data : float32, (nints, ngroups, ny, nx), DN; changed
    groupdq : uint8, shape of `data`
    pixeldq : uint32, (ny, nx); gets PERSISTENCE
    zeroframe : float32, (nints, ny, nx), DN, or None; changed
    state : float32, (nfamilies, ny, nx), DN in traps at the start; at the end of the exposure
    density : float32, (ny, nx), of traps, 0 where there are none
    full : float32, (ny, nx), DN at which a pixel is full
    families : Families
    course : Course
    cutoff : DN from which pixels are flagged, or None

    Returns
    -------
    int
        How many pixels are flagged.

    Raises
    ------
    ValueError
        If an array has another type or shape.
    """
    check_ramps(data, groupdq)
    shape = data.shape[2:]
    check_array("pixeldq", pixeldq, np.uint32, shape)
    check_array("state", state, np.float32, (len(families), *shape))
    check_array("density", density, np.float32, shape)
    check_array("full", full, np.float32, shape)
    flagged = np.zeros(shape, np.bool_)
    kernels.correct_ramps(
        data,
        groupdq,
        np.empty((0, *shape), np.float32) if zeroframe is None else zeroframe,
        state,
        (density, full),
        decay_tables(families, course),
        capture_tables(families, course),
        np.inf if cutoff is None else float(cutoff),
        flagged,
    )
    pixeldq[flagged] |= np.uint32(PixelDQ.PERSISTENCE)
    return int(np.count_nonzero(flagged))


def trapping_pixels(
    references: References, metadata: Metadata, pixeldq: UInt32
) -> tuple[Float32, Float32]:
    """Return the density of traps, 0 where nothing is caught, and the DN at which pixels are full.

    Raises
    ------
    ReferenceFileError
        If TRAPDENSITY or PERSAT is of another size.
    """
    arrays, good = [], pixeldq & PixelDQ.REFERENCE_PIXEL == 0
    for kind in ("trapdensity", "persat"):
        reference = references.load(kind, metadata)
        assert reference is not None  # noqa: S101 - N/A was looked for before
        array = reference_array(reference, "SCI", pixeldq.shape)
        good &= np.isfinite(array) & (array > 0)
        good &= reference_dq(reference, pixeldq.shape) & PixelDQ.DO_NOT_USE == 0
        arrays.append(array)
    density, full = arrays
    return np.where(good, density, np.float32(0)), np.where(good, full, np.float32(np.inf))
