"""When MIRI's pixels are read, and the waves that disturb them: the EMICORR reference."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from calwebb_core.framework.errors import InputError, ReferenceFileError
from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.reference_data import Reference, science_window
from calwebb_detector1.arrays import label

CLOCK = 10.0e-6  # seconds
ROWS, COLUMNS = 1024, 1032
CLOCKS_OF_SKIPPED_ROW = 7
CLOCKS_OF_REFERENCE_PIXEL = 3
OUTPUTS = 4
FULL = "FULL"
# Patterns that reset once more between integrations.
EXTRA_RESET = ("FASTR1", "SLOWR1")
PATTERNS = ("FAST", "FASTR1", "SLOW", "SLOWR1")


class Clocks(NamedTuple):
    """Clock cycles from one row to the next, and of a whole frame."""

    row: int
    frame: int


# For frequencies that are given without a reference file.
KNOWN_CLOCKS = {
    "FULL_FAST": Clocks(271, 277504),
    "FULL_SLOW": Clocks(2333, 2388992),
    "BRIGHTSKY": Clocks(162, 86528),
    "SUB256": Clocks(96, 29952),
    "SUB128": Clocks(44, 11904),
    "SUB64": Clocks(28, 8512),
    "SLITLESSPRISM": Clocks(28, 15904),
    "MASKLYOT": Clocks(90, 32400),
    "MASK1065": Clocks(82, 23968),
    "MASK1140": Clocks(82, 23968),
    "MASK1550": Clocks(82, 23968),
}


@dataclass(frozen=True)
class Wave:
    """A wave: its name, frequency in Hz, and one period of it, or None if that is not known."""

    name: str
    frequency: float
    shape: NDArray[np.float64] | None

    @property
    def period(self) -> float:
        """Clock cycles of a period."""
        return 1.0 / self.frequency / CLOCK


@dataclass(frozen=True)
class Timing:
    """When the samples of an exposure are read, in clock cycles from its first sample.

    Attributes
    ----------
    row : from one row to the next
    sample : from one sample of an output to the next
    frame : from one group to the next
    reset : between integrations, beyond their groups
    last_column : more for the last sample of each row (a reference pixel of the full frame)
    """

    row: float
    sample: float
    frame: float
    reset: float
    last_column: float = 0.0

    @classmethod
    def of(cls, metadata: Metadata, clocks: Clocks, ny: int) -> "Timing":
        """Work the times out for an exposure of `ny` rows.

        Raises
        ------
        InputError
            If NSAMPLES or READPATT is missing.
        """
        frame = ny * clocks.row + (ROWS - ny) * CLOCKS_OF_SKIPPED_ROW
        again = metadata.require("READPATT", str).upper() in EXTRA_RESET
        samples = metadata.require("NSAMPLES", int)
        window = science_window(metadata)
        last = window is not None and window.x + window.nx - 1 == COLUMNS
        late = CLOCKS_OF_REFERENCE_PIXEL if last else 0
        return cls(clocks.row, samples, frame, clocks.frame if again else 0, late)


def speed_of(metadata: Metadata) -> str:
    """Return FAST or SLOW.

    Raises
    ------
    InputError
        If READPATT is missing.
    """
    return "SLOW" if "SLOW" in metadata.require("READPATT", str).upper() else "FAST"


def case_of(metadata: Metadata) -> str:
    """Return the name under which a subarray's clocks are kept."""
    name = metadata.require("SUBARRAY", str).upper()
    return f"{name}_{speed_of(metadata)}" if FULL in name else name


def read_case(reference: Reference, metadata: Metadata) -> tuple[Clocks, list[Wave]] | None:
    """Return clocks and waves for an exposure's subarray, speed and detector; None if not listed.

    Raises
    ------
    ReferenceFileError
        If the tree lacks what it should have.
    """
    cases = branch(reference, "subarray_cases")
    case = cases.get(case_of(metadata))
    names = names_of_waves(case, metadata) if isinstance(case, Mapping) else None
    if not names or not isinstance(case, Mapping):
        return None
    try:
        clocks = Clocks(int(case["rowclocks"]), int(case["frameclocks"]))
    except (KeyError, TypeError, ValueError):
        msg = f"{label(reference)}: case {case_of(metadata)} lacks rowclocks or frameclocks"
        raise ReferenceFileError(msg) from None
    return clocks, [read_wave(reference, name) for name in names]


def names_of_waves(case: Mapping[str, Any], metadata: Metadata) -> list[str]:
    """Return which waves a case lists for an exposure's speed and, if slow, detector."""
    speed = speed_of(metadata)
    listed: Any = (case.get("freqs") or {}).get(speed)
    if speed == "SLOW":
        listed = (listed or {}).get(metadata.require("DETECTOR", str))
    return [str(name) for name in listed or ()]


def read_wave(reference: Reference, name: str) -> Wave:
    """Return one wave of a reference.

    Raises
    ------
    ReferenceFileError
        If it is not there, its frequency is not positive or its shape is no list of numbers.
    """
    entry: Any = branch(reference, "frequencies").get(name)
    try:
        frequency = float(entry["frequency"])
        shape = np.array(entry["phase_amplitudes"], np.float64)
    except (KeyError, TypeError, ValueError):
        frequency, shape = np.nan, np.zeros(0)
    if not frequency > 0 or shape.ndim != 1 or shape.size < OUTPUTS or not np.isfinite(shape).all():
        msg = (
            f"{label(reference)}: wave {name} needs a frequency above 0 Hz and at least four "
            f"finite phase_amplitudes"
        )
        raise ReferenceFileError(msg)
    return Wave(name, frequency, shape)


def branch(reference: Reference, name: str) -> Mapping[str, Any]:
    """Return a branch of the reference's tree.

    Raises
    ------
    ReferenceFileError
        If there is none.
    """
    tree = reference.tree or {}
    found = tree.get(name)
    if not isinstance(found, Mapping):
        msg = f"{label(reference)} has no {name}; it has {', '.join(map(str, tree)) or 'nothing'}"
        raise ReferenceFileError(msg)
    return found


def given_frequencies(
    frequencies: tuple[float, ...], metadata: Metadata
) -> tuple[Clocks, list[Wave]] | None:
    """Return the clocks of a subarray and waves of unknown shape; None for an unknown subarray.

    Raises
    ------
    InputError
        If a frequency is not positive.
    """
    bad = [value for value in frequencies if not value > 0]
    if bad:
        msg = f"emicorr.onthefly_corr_freq is {bad[0]:g} Hz; expected frequencies above 0 Hz"
        raise InputError(msg)
    clocks = KNOWN_CLOCKS.get(case_of(metadata))
    return None if clocks is None else (clocks, [Wave(f"{f:g}", f, None) for f in frequencies])
