"""What an exposure leaves behind in its detector, and what it was left by the one before.

Exposures of one detector may read different parts of it: the state is kept for all of what is
known, and the part outside of an exposure only ages.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calwebb_core.framework.errors import InputError
from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.models import Float32
from calwebb_core.framework.reference_data import Reference, Window
from calwebb_detector1.detector_state import (
    SECONDS,
    check_detector,
    hull,
    part,
    seconds_between,
    spread,
    window_of,
)

Float64 = NDArray[np.float64]


@dataclass
class TrapsFilled:
    """Charge in traps at the end of an exposure: float32 (nfamilies, ny, nx), DN."""

    metadata: Metadata
    data: Float32


@dataclass
class WindowEnds:
    """When windows of persistence end: float64 (ny, nx), s since 1970, 0 for none.

    `length` is that of a window in seconds.
    """

    metadata: Metadata
    ends: Float64
    length: float


@dataclass
class State:
    """A state of the detector.

    Attributes
    ----------
    metadata : Metadata
        Keywords of the exposure.
    own : Window
        What the exposure covers.
    area : Window
        What `values` covers: all that is known.
    values : array (..., ny, nx)
        At the end of the earlier exposure.
    """

    metadata: Metadata
    own: Window
    area: Window
    values: NDArray[Any]

    @classmethod
    def start(
        cls, metadata: Metadata, image: tuple[int, int], earlier: NDArray[Any], where: Window
    ) -> "State":
        """Return the state that an exposure of `image` = (ny, nx) finds."""
        own = window_of(metadata, image)
        area = hull(own, where)
        return cls(metadata, own, area, spread(earlier, where, area))

    @classmethod
    def unknown(cls, metadata: Metadata, image: tuple[int, int], empty: NDArray[Any]) -> "State":
        """Return the state, `empty`, of a detector of which nothing is known."""
        own = window_of(metadata, image)
        return cls(metadata, own, own, empty)

    def own_values(self) -> NDArray[Any]:
        """Return a copy of the exposure's part."""
        return np.ascontiguousarray(self.values[..., *part(self.own, self.area)])

    def with_own(self, values: NDArray[Any], others: NDArray[Any]) -> NDArray[Any]:
        """Return `others`, of the whole area, with the exposure's part in it."""
        found = np.array(others, dtype=values.dtype)
        found[..., *part(self.own, self.area)] = values
        return found

    def keywords(self) -> Metadata:
        """Return the exposure's keywords for a product that covers the area."""
        metadata = self.metadata.copy()
        if self.area != self.own:
            metadata.pop("SUBARRAY", None)
            names = ("SUBSTRT1", "SUBSTRT2", "SUBSIZE1", "SUBSIZE2")
            for name, value in zip(names, self.area, strict=True):
                metadata[name] = value
        return metadata


@dataclass
class Traps:
    """Charge in traps in the course of an exposure.

    Attributes
    ----------
    state : State
        At the end of the earlier exposure.
    gap, length : float
        Seconds from there to the exposure, and that it takes.
    decay_rate : float64 (nfamilies,), 1/s
    """

    state: State
    gap: float
    length: float
    decay_rate: Float64

    def at_start(self) -> Float32:
        """Return the exposure's part, float32 (nfamilies, ny, nx), as it starts."""
        return np.ascontiguousarray(self._aged(self.state.own_values(), self.gap), np.float32)

    def product(self, own: Float32) -> TrapsFilled:
        """Return the state at the end of the exposure from that of its own part."""
        others = self._aged(self.state.values, self.gap + self.length)
        return TrapsFilled(self.state.keywords(), self.state.with_own(own, others))

    def _aged(self, values: NDArray[Any], seconds: float) -> NDArray[Any]:
        return values * np.exp(-self.decay_rate * seconds)[:, None, None]


def given_traps(
    earlier: Reference | None, metadata: Metadata, image: tuple[int, int], decay_rate: Float64
) -> Traps:
    """Return what is in the traps as an exposure begins; nothing where no file was given.

    Raises
    ------
    InputError
        If the file is of another detector or of a later exposure, or has another number of
        families.
    """
    length = exposure_length(metadata)
    families = decay_rate.size
    if earlier is None:
        empty = np.zeros((families, *image), np.float32)
        return Traps(State.unknown(metadata, image, empty), 0.0, length, decay_rate)
    check_detector(earlier.metadata, metadata)
    values = earlier.arrays.get("SCI")
    if values is None or values.ndim != 3 or len(values) != families:
        shape = "missing" if values is None else f"of shape {values.shape}"
        msg = (
            f"{earlier.path}: SCI is {shape}; expected a plane for each of the {families} families "
            f"of traps, as a _trapsfilled has"
        )
        raise InputError(msg)
    filled = np.where(np.isfinite(values), values, np.float32(0)).astype(np.float32)
    state = State.start(metadata, image, filled, window_of(earlier.metadata, values.shape))
    return Traps(state, seconds_between(earlier.metadata, metadata), length, decay_rate)


def exposure_length(metadata: Metadata) -> float:
    """Return how long an exposure takes, s; 0 without EXPSTART and EXPEND."""
    if metadata.get("EXPSTART") is None or metadata.get("EXPEND") is None:
        return 0.0
    days = metadata.require("EXPEND", float) - metadata.require("EXPSTART", float)
    return max(days * SECONDS, 0.0)


def given_ends(
    earlier: Reference | None, metadata: Metadata, image: tuple[int, int], length: float
) -> State:
    """Return when windows end that earlier exposures opened; none where no file was given.

    The file has an entry for each detector: `rows`, `cols`, `vals` (s since 1970) of the pixels in
    a window of `pers_time` s, and `start`, the first column and row (SUBSTRT1, SUBSTRT2); without
    it the file is taken to be of the exposure's subarray.

    Raises
    ------
    InputError
        If the file has no such entry for the detector, or its windows have another length.
    """
    if earlier is None:
        return State.unknown(metadata, image, np.zeros(image))
    detector = metadata.require("DETECTOR", str).upper()
    entry = (earlier.tree or {}).get(detector)
    if not isinstance(entry, dict) or not {"rows", "cols", "vals", "pers_time"} <= set(entry):
        msg = (
            f"{earlier.path} has no entry {detector} with rows, cols, vals and pers_time; give the "
            f"_perswindow.asdf of an exposure of {detector}"
        )
        raise InputError(msg)
    if float(entry["pers_time"]) != length:
        msg = (
            f"{earlier.path} is of windows of {entry['pers_time']} s, but persistence_time is "
            f"{length} s; expected the same"
        )
        raise InputError(msg)
    own = window_of(metadata, image)
    x, y = (int(value) for value in entry.get("start", (own.x, own.y)))
    rows, columns = (np.asarray(entry[name], np.int64) for name in ("rows", "cols"))
    where = Window(x, y, int(columns.max(initial=0)) + 1, int(rows.max(initial=0)) + 1)
    ends = np.zeros((where.ny, where.nx))
    ends[rows, columns] = np.asarray(entry["vals"], np.float64)
    return State.start(metadata, image, ends, where)
