"""Where the samples of an IRS2 frame lie, in the image and in time.

A frame has 3200 rows of 2048 columns. Along y, which is the detector's fast axis, lie five
sections of 640 samples: the reference output and the four outputs. Each holds 512 pixels, and
after 8, 24, 40, ... of them four samples of reference pixels. All sections are read at the same
time; the reference output and outputs 2 and 4 run backwards. Along x lie the lines, read one
after the other. NRS2 is turned by 180 degrees in its images.

In time a line takes 712 samples: one is lost at each jump to the reference pixels and back, and
eight at the end of the line.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calwebb_core.framework.errors import InputError
from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.models import Float32

LINES = 2048
SECTIONS = 5
SECTION = 640
ROWS = SECTIONS * SECTION
NORMAL, REFERENCE = 16, 4
PERIOD = NORMAL + REFERENCE
LOST_AT_JUMP, LOST_AT_END = 1, 8
STEPS = SECTION // PERIOD
TIMES = STEPS * (PERIOD + 2 * LOST_AT_JUMP) + LOST_AT_END
BACKWARDS = (0, 2, 4)

Indices = NDArray[np.int64]
Mask = NDArray[np.bool_]

_SAMPLE = np.arange(SECTION)
# Of a section, in the order of time: which samples are of reference pixels, and when each is read.
IS_REFERENCE: Mask = (_SAMPLE - NORMAL // 2) % PERIOD < REFERENCE
TIME: Indices = (
    _SAMPLE
    + LOST_AT_JUMP * ((_SAMPLE + PERIOD - NORMAL // 2) // PERIOD)
    + LOST_AT_JUMP * ((_SAMPLE + NORMAL // 2) // PERIOD)
)


def section_rows(section: int) -> Indices:
    """Return the places along the fast axis of a section's samples in the order of time."""
    rows = section * SECTION + np.arange(SECTION)
    return rows[::-1] if section in BACKWARDS else rows


def interleaved_rows() -> Mask:
    """Return which of the 3200 places along the fast axis are of reference pixels."""
    mask = np.zeros(ROWS, np.bool_)
    for section in range(SECTIONS):
        mask[section_rows(section)[IS_REFERENCE]] = True
    return mask


@dataclass(frozen=True)
class Layout:
    """Orientation of an IRS2 exposure.

    Attributes
    ----------
    reverse : whether the image is turned by 180 degrees against the order of reading (NRS2)
    """

    reverse: bool

    def rows(self, places: Indices) -> Indices:
        """Return the rows of the image that hold these places along the fast axis."""
        return ROWS - 1 - places if self.reverse else places

    def columns(self, lines: Indices) -> Indices:
        """Return the columns of the image that hold these lines."""
        return LINES - 1 - lines if self.reverse else lines

    @property
    def science_rows(self) -> Indices:
        """The rows of the image that hold pixels, ascending."""
        science = ~interleaved_rows()
        science[:SECTION] = False
        return np.sort(self.rows(np.flatnonzero(science)))


def is_irs2(metadata: Metadata) -> bool:
    """Say whether an exposure was read out with IRS2."""
    return "IRS2" in str(metadata.get("READPATT", "")).upper()


def layout_of(metadata: Metadata, shape: tuple[int, int]) -> Layout:
    """Return the layout of an IRS2 exposure's frames.

    Parameters
    ----------
    metadata : Metadata
        With DETECTOR; NRS_NORM and NRS_REF if they are there.
    shape : (ny, nx)

    Raises
    ------
    InputError
        If the frames are of another size or pattern.
    """
    if shape != (ROWS, LINES):
        msg = (
            f"{metadata.source}: frames have {shape[0]} rows and {shape[1]} columns; expected "
            f"{ROWS} and {LINES}, as the IRS2 readout (READPATT {metadata.get('READPATT')}) makes"
        )
        raise InputError(msg)
    for keyword, expected in (("NRS_NORM", NORMAL), ("NRS_REF", REFERENCE)):
        if metadata.get(keyword, expected) != expected:
            msg = f"{metadata.source}: {keyword} is {metadata[keyword]!r}; expected {expected}"
            raise InputError(msg)
    detector = metadata.require("DETECTOR", str).upper()
    if detector not in ("NRS1", "NRS2"):
        msg = f"{metadata.source}: DETECTOR is {detector!r}; expected NRS1 or NRS2 for IRS2"
        raise InputError(msg)
    return Layout(reverse=detector == "NRS2")


def pack(data: Float32, height: int) -> Float32:
    """Return the first rows of every plane, moved together within the memory of `data`."""
    nints, ngroups, _, nx = data.shape
    planes = data.reshape(nints * ngroups, -1)
    size = height * nx
    flat = data.reshape(-1)
    for k, plane in enumerate(planes):
        flat[k * size : (k + 1) * size] = plane[:size].copy() if k else plane[:size]
    return flat[: nints * ngroups * size].reshape(nints, ngroups, height, nx)
