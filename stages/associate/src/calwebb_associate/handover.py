"""What exposures of a detector hand to one another in the order of time.

Bright light leaves an afterglow in a detector. Where the step `persistence` of detector1 keeps
account of it, each exposure starts with what the one before it left, so that their jobs follow
one another; jobs of other detectors do not wait for them.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Final

from calwebb_associate.headers import Header
from calwebb_core.framework.errors import InputError
from calwebb_core.framework.names import EXPOSURE_PATTERN

STEP: Final = "persistence"
DETECTOR_PATTERN: Final = "[a-z0-9]+"
# After a day nothing is left in the traps.
LONGEST: Final = 1.0  # d


@dataclass(frozen=True)
class Kind:
    """What is handed over: suffix of the file, option that names it, reference types it needs."""

    suffix: str
    option: str
    types: tuple[str, ...] = ()


KINDS: Final = {
    "traps": Kind("trapsfilled.fits", "input_trapsfilled", ("persat", "trapdensity", "trappars")),
    "window": Kind("perswindow.asdf", "persistence_array_file"),
}


@dataclass(frozen=True)
class Handover:
    """The exposures that leave something, and whom each follows.

    Attributes
    ----------
    kind : Kind
    detectors : tuple of str
        As in file names.
    previous : dict
        Root -> root of the exposure before it; absent for the first of a detector.
    """

    kind: Kind
    detectors: tuple[str, ...]
    previous: Mapping[str, str] = field(default_factory=dict)

    @property
    def pattern(self) -> str:
        """Regular expression of the exposures that leave something."""
        head = EXPOSURE_PATTERN.removesuffix(DETECTOR_PATTERN)
        return f"{head}(?:{'|'.join(self.detectors)})"


def kind_of(section: Mapping[str, Any]) -> Kind | None:
    """Return what the options of the step `persistence` hand over, or None.

    Raises
    ------
    InputError
        If windows are asked for without their length.
    """
    if section.get("skip", True):
        return None
    if section["method"] == "traps":
        return KINDS["traps"]
    if not section["persistence_time"]:
        msg = (
            f"config: detector1.{STEP} is on with method window, but persistence_time is "
            f"{section['persistence_time']}; expected a time in seconds"
        )
        raise InputError(msg)
    return KINDS["window"] if section["save_persistence"] else None


def detector_of(root: str) -> str:
    """Return the detector in the name of an exposure."""
    return root.rsplit("_", 1)[1]


def in_turn(headers: Mapping[str, Header]) -> dict[str, str]:
    """Return for exposures, by root, the one of the same detector before it.

    The order is that of EXPSTART, of segments that of their numbers; the program or visit does not
    matter. Nothing is handed over a pause longer than a day.

    Raises
    ------
    InputError
        If EXPSTART is missing.
    """
    detectors: dict[str, list[str]] = {}
    for root in headers:
        detectors.setdefault(detector_of(root), []).append(root)
    previous: dict[str, str] = {}
    for roots in detectors.values():
        roots.sort(key=lambda root: _moment(root, headers[root]))
        previous |= {
            root: earlier
            for earlier, root in pairwise(roots)
            if _start(root, headers[root]) - _end(earlier, headers[earlier]) <= LONGEST
        }
    return previous


def leaving(
    kind: Kind, roots: Iterable[str], selections: Mapping[str, Mapping[str, str]]
) -> list[str]:
    """Return the exposures that leave something: those of detectors that have all references.

    Parameters
    ----------
    kind : Kind
    roots : iterable of str
        Exposures that detector1 takes.
    selections : mapping
        Root -> type -> reference file, or N/A.
    """
    roots = list(roots)
    without = {
        detector_of(root)
        for root in roots
        if any(selections[root].get(name, "N/A") == "N/A" for name in kind.types)
    }
    return [root for root in roots if detector_of(root) not in without]


def _moment(root: str, header: Header) -> tuple[float, int, str]:
    """Return what puts an exposure in order."""
    segment = header.get("EXSEGNUM", 1)
    return _start(root, header), segment if isinstance(segment, int) else 1, root


def _start(root: str, header: Header) -> float:
    start = header.get("EXPSTART")
    if not isinstance(start, int | float):
        msg = (
            f"{root}: EXPSTART is {start!r}, but {STEP} puts exposures in order by it; expected a "
            f"number (MJD)"
        )
        raise InputError(msg)
    return float(start)


def _end(root: str, header: Header) -> float:
    end = header.get("EXPEND")
    return float(end) if isinstance(end, int | float) else _start(root, header)
