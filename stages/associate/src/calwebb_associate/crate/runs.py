"""The runs of stage programs in a program's folder of results, from its products' own records."""

import json
import logging
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from calwebb_associate.summary.state import error_of
from calwebb_core.framework.errors import InputError
from calwebb_core.framework.roots import root_of
from calwebb_core.framework.verify.record import Recorded, read_record

log = logging.getLogger(__name__)

PLACES: Final = ("detector1", "image2", "spec2", "image3", "spec3", "tso3")
KINDS: Final = (".fits", ".ecsv", ".asdf")
FOLDERS: Final = re.compile(r"(?<![\w:/])/(?:[^\s/:;,'\"]+/)+")
FLAGGED: Final = re.compile("_crf(ints)?$")
STAMP: Final = len("2026-01-01T00:00:00.000Z")


@dataclass(frozen=True)
class FailedRun:
    """A run of a stage program that ended with an error, by its log.

    Attributes
    ----------
    program : str
        The stage program, such as calwebb-detector1.
    unit : str
        What it was about: an exposure or a product.
    error : str
        What it said.
    start, end : str
        When it ran.
    """

    program: str
    unit: str
    error: str
    start: str = ""
    end: str = ""


@dataclass
class ProgramRun:
    """One run of a stage program.

    Attributes
    ----------
    record : dict
        What its products say about it.
    results : list of Path
        Its products.
    start, end : str
        When it ran, from its log; empty if there is none.
    """

    record: dict[str, Any]
    results: list[Path] = field(default_factory=list)
    start: str = ""
    end: str = ""

    @property
    def program(self) -> str:
        """The stage program, such as calwebb-detector1."""
        return str(self.record["program"])

    @property
    def pipeline(self) -> str:
        """The program's short name, which folders of logs and images have."""
        return self.program.removeprefix("calwebb-")


def products_in(folder: Path) -> Iterator[Path]:
    """Yield the products in a program's folder of results, in order."""
    for place in PLACES:
        for path in sorted((folder / place).rglob("*")):
            hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
            if path.suffix in KINDS and not hidden and path.is_file():
                yield path


def gather_runs(folder: Path, logs: Path | None = None) -> list[ProgramRun]:
    """Read which runs made the products in a folder of results.

    Parameters
    ----------
    folder : Path
        Results of a program: `results/01345`.
    logs : Path, optional
        Its logs.

    Raises
    ------
    InputError
        If no product says how it was made.
    """
    found: dict[str, ProgramRun] = {}
    for path in products_in(folder):
        recorded = record_of(path)
        if recorded is not None:
            key = json.dumps(recorded.last, sort_keys=True)
            found.setdefault(key, ProgramRun(recorded.last)).results.append(path)
    if not found:
        msg = f"{folder}: has no product that says how it was made; expected results of a program"
        raise InputError(msg)
    runs = list(found.values())
    if logs is not None:
        add_times(runs, logs)
    return runs


def record_of(path: Path) -> Recorded | None:
    """Return what a product says; None, with a warning, for a file that is none."""
    try:
        return read_record(path)
    except InputError as error:
        log.warning("left out: %s", error)
        return None


def add_times(runs: list[ProgramRun], logs: Path) -> None:
    """Note when each run started and ended, from the first and last lines of its log."""
    for run in runs:
        for path in run.results:
            unit = root_of(path.name)
            folder = FLAGGED.sub("", path.parent.name)
            names = (f"{unit}_{path.stem.rpartition('_')[2]}", unit, folder)
            texts = (logs / run.pipeline / f"{name}.log" for name in names)
            if file := next((text for text in texts if text.is_file()), None):
                run.start, run.end = times_in(file)
                break


def failed_runs(logs: Path, programs: Iterable[str]) -> list[FailedRun]:
    """Return the runs whose logs end with an error; folders of other machines are left out."""
    found = []
    for program in programs:
        for log in sorted((logs / program.removeprefix("calwebb-")).glob("*.log")):
            if error := error_of(log):
                text = FOLDERS.sub("", error)
                found.append(FailedRun(program, log.stem, text, *times_in(log)))
    return found


def times_in(file: Path) -> tuple[str, str]:
    """Return the first and last time stamps of a log; empty texts if it has none."""
    lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
    stamps = [line[:STAMP] for line in lines if is_stamp(line[:STAMP])]
    return (stamps[0], stamps[-1]) if stamps else ("", "")


def is_stamp(text: str) -> bool:
    """Say whether a text is a time stamp as logs have it."""
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return len(text) == STAMP
