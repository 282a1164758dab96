"""Time whole processes: wall time, processor time, peak memory."""

import os
import shutil
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Run:
    """One run of a process: wall and processor time in seconds, peak memory in MB."""

    wall: float
    cpu: float
    memory: float


def timed(command: Sequence[str | Path], log: Path, **environment: str) -> Run:
    """Run a command to its end and return what it took.

    Raises
    ------
    RuntimeError
        With the end of its output, if it fails.
    """
    own = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    with log.open("wb") as stream:
        started = time.perf_counter()
        process = subprocess.Popen(
            [str(word) for word in command], stdout=stream, stderr=stream, env=own | environment
        )
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        tail = log.read_text(errors="replace")[-1500:]
        msg = f"{command[0]} failed with exit code {process.returncode}:\n{tail}"
        raise RuntimeError(msg)
    return Run(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def emptied(folder: Path) -> Path:
    """Return a folder without anything in it."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def best(runs: list[Run]) -> Run:
    """Return the run with the median wall time, and the largest peak memory of all."""
    middle = sorted(runs, key=lambda run: run.wall)[len(runs) // 2]
    return Run(middle.wall, middle.cpu, max(run.memory for run in runs))
