"""How far each exposure and product has come, told from its files and logs alone."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from calwebb_associate.summary.text import clean

TAIL: Final = 65536
_ERROR: Final = re.compile(r"(?:\bERROR\b|\bCRITICAL\b|: error: |^Traceback )", re.MULTILINE)
_ERROR_LINE: Final = re.compile(r": error: (.*)$")
_CLASS: Final = re.compile(r"^(?:[A-Za-z_]\w*\.)*[A-Z]\w*: ")


class State(StrEnum):
    """How far something has come."""

    DONE = "done"
    FAILED = "failed"
    UNFINISHED = "unfinished"
    MISSING = "missing"
    UNAVAILABLE = "not available yet"


MEANING: Final = {
    State.DONE: "its products are there; those of steps that are left out are named",
    State.FAILED: "its log ends with an error, or a product is damaged",
    State.UNFINISHED: "it has a log but no product: it is running, or was interrupted",
    State.MISSING: "it has not been begun",
    State.UNAVAILABLE: "no program makes it yet",
}


@dataclass(frozen=True)
class File:
    """A product that is there.

    Attributes
    ----------
    suffix : str
        cal, i2d, ...
    path : Path
    picture : Path or None
    problem : str
        What is wrong with it, or nothing.
    """

    suffix: str
    path: Path
    picture: Path | None
    problem: str = ""


@dataclass(frozen=True)
class Unit:
    """An exposure, or a product of an association, in one pipeline.

    Attributes
    ----------
    name, pipeline : str
    state : State
    reason : str
        Why it is not done.
    files : tuple of File
    missing : tuple of str
        Suffixes of what is not there.
    log : Path or None
    """

    name: str
    pipeline: str
    state: State
    reason: str = ""
    files: tuple[File, ...] = ()
    missing: tuple[str, ...] = ()
    log: Path | None = None

    def file(self, *suffixes: str) -> File | None:
        """Return the first file that is there and sound, of these suffixes."""
        found = {item.suffix: item for item in self.files if not item.problem}
        return next((found[suffix] for suffix in suffixes if suffix in found), None)


def judge(
    expected: Sequence[str], files: Sequence[File], logs: Sequence[Path], why: str
) -> tuple[State, str]:
    """Return state and reason.

    Parameters
    ----------
    expected : sequence of str
        Suffixes of what is to be made.
    files : sequence of File
        What is there.
    logs : sequence of Path
        Logs of its jobs, the last job's first.
    why : str
        Why no program makes it, or nothing.
    """
    damaged = next((item for item in files if item.problem), None)
    if damaged is not None:
        return State.FAILED, f"{damaged.path.name}: {damaged.problem}"
    there = {item.suffix for item in files}
    if there and (there >= set(expected) or not _error_in(logs)):
        return State.DONE, ""
    error = _error_in(logs)
    if error:
        return State.FAILED, error
    if why:
        return State.UNAVAILABLE, clean(why)
    begun = bool(logs) and logs[0].is_file()
    return (State.UNFINISHED if begun else State.MISSING), ""


def _error_in(logs: Sequence[Path]) -> str:
    """Return the error of the first log that has one."""
    return next((error for error in map(error_of, logs) if error), "")


def error_of(log: Path) -> str:
    """Return the last line of the error that a log ends with, or "" without one."""
    try:
        with log.open("rb") as stream:
            stream.seek(max(0, log.stat().st_size - TAIL))
            text = stream.read().decode("utf-8", "replace")
    except OSError:
        return ""
    errors = list(_ERROR.finditer(text))
    if not errors:
        return ""
    lines = [line for line in text[errors[-1].start() :].splitlines() if line.strip()]
    said = _ERROR_LINE.search(lines[0])
    return clean(said[1] if said else _CLASS.sub("", lines[-1].strip()))
