"""Measure time series of spectra against the official package and the floor of input and output.

``python benchmarks/series/run.py --data DIR [--make] [--peer PYTHON] [--case NAME]...
[--repeat N] [--markdown FILE] [--json FILE]``

Stage 2 of every segment, then stage 3 of all, on the same count rates and the same reference files:
ours as a process for each segment and one for stage 3, the official pipelines in one process. The
floor reads what both stages read and writes what they write.
"""

import json
import os
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
MEASURING = HERE.parent / "measuring"
sys.path[:0] = [str(HERE), str(MEASURING)]

from cases import CASES, Case, make, write_association  # noqa: E402
from measure import Run, best, emptied, timed  # noqa: E402
from sitting import sit  # noqa: E402

PROGRAMS = HERE.parents[1] / ".env" / "bin"


def crds(data: Path) -> dict[str, str]:
    """Return the environment that points crds at the simulated references of a case."""
    return {
        "CRDS_PATH": str(data / "crds_cache"),
        "CRDS_SERVER_URL": "https://jwst-serverless-mode.stsci.edu",
        "CRDS_CONTEXT": "jwst_0001.pmap",
    }


def choose(source: Path, pipeline: str, case: Case, target: Path) -> Path:
    """Choose the reference files of an input."""
    command = [PROGRAMS / "calwebb-references", source, "--pipeline", f"calwebb-{pipeline}"]
    timed([*command, "-o", target], target.with_suffix(".log"), **crds(source.parents[1]))
    chosen = json.loads(target.read_text())
    chosen["references"] |= dict.fromkeys(case.without, "N/A")
    target.write_text(json.dumps(chosen, indent=1) + "\n")
    return target


def plan_of(case: Case, folder: Path, work: Path) -> Path:
    """Write what is run, in order: pipeline, input, reference files."""
    segments = case.segments(folder)
    stages = {
        name: choose(segments[0], name, case, work / f"{name}.json") for name in ("spec2", "tso3")
    }
    runs = [("spec2", str(segment), str(stages["spec2"])) for segment in segments]
    association = write_association(case, folder, work / "tso3_asn.json")
    runs.append(("tso3", str(association), str(stages["tso3"])))
    path = work / "runs.json"
    path.write_text(json.dumps(runs, indent=1) + "\n")
    return path


def floor_plan(case: Case, folder: Path, output: Path, path: Path) -> Path:
    """Write what the floor reads and writes: count rates and calibrated segments, all products."""
    products = sorted(file for file in output.iterdir() if file.is_file())
    calibrated = [file for file in products if file.name.endswith("_calints.fits")]
    read = [(str(file), 0, file.stat().st_size) for file in [*case.segments(folder), *calibrated]]
    write = [file.stat().st_size for file in products]
    path.write_text(json.dumps({"read": read, "write": write}))
    return path


def measured(data: Path, case: Case, peer: str | None, repeat: int) -> dict[str, Run]:
    """Return the runs of a case by name: ours, peer, floor."""
    folder = data / case.name
    work = emptied(folder / "work")
    runs = plan_of(case, folder, work)
    # what compiles once and is read from disk for the first time is not counted
    timed([sys.executable, HERE / "ours.py", emptied(work / "ours"), runs], work / "log")
    plan = floor_plan(case, folder, work / "ours", work / "floor.json")
    commands: dict[str, list[str | Path]] = {
        "ours": [sys.executable, HERE / "ours.py", work / "ours", runs],
        "floor": [sys.executable, MEASURING / "floor.py", plan, work / "floor"],
    }
    if peer and case.peer:
        commands["peer"] = [peer, HERE / "peer.py", work / "peer", runs]
    taken: dict[str, list[Run]] = {name: [] for name in commands}
    for _ in range(repeat):
        for name, command in commands.items():
            emptied(work / name)
            taken[name].append(timed(command, work / f"{name}.log", **crds(folder)))
    return {name: best(own) for name, own in taken.items()}


def made(data: Path, case: Case) -> None:
    """Simulate what a case needs, unless it is there."""
    make(data, case, PROGRAMS, os.environ | crds(data / case.name))


if __name__ == "__main__":
    sit(__doc__, CASES, made, measured, "series")
