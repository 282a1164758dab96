"""Measure stage 2 and 3 imaging against the official package and the floor of input and output.

``python benchmarks/imaging/run.py --data DIR [--make] [--peer PYTHON] [--case NAME]...
[--repeat N] [--markdown FILE] [--json FILE]``

As benchmarks/detector1/run.py: whole processes, in turn, on the same input and the same reference
files. The case `chain` runs four raw exposures to the mosaic: ours under Snakemake with two
cores, the official pipelines one after the other.
"""

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

HERE = Path(__file__).resolve().parent
MEASURING = HERE.parent / "measuring"
sys.path[:0] = [str(HERE), str(MEASURING)]

from cases import CASES, Case, make  # noqa: E402
from measure import Run, best, emptied, timed  # noqa: E402
from sitting import sit  # noqa: E402

PROGRAMS = HERE.parents[1] / ".env" / "bin"
CONTEXT = "jwst_0001.pmap"


def crds(data: Path) -> dict[str, str]:
    """Return the environment that points crds at the simulated references of a case."""
    return {
        "CRDS_PATH": str(data / "crds_cache"),
        "CRDS_SERVER_URL": "https://jwst-serverless-mode.stsci.edu",
        "CRDS_CONTEXT": CONTEXT,
    }


def choose(source: Path, pipeline: str, target: Path, environment: dict[str, str]) -> Path:
    """Choose the reference files of an input."""
    command = [PROGRAMS / "calwebb-references", source, "--pipeline", f"calwebb-{pipeline}"]
    timed([*command, "-o", target], target.with_suffix(".log"), **environment)
    return target


def floor_plan(inputs: list[Path], references: Path, outputs: list[Path]) -> dict:
    """Return what the floor reads and writes."""
    entries = json.loads(references.read_text())["references"].values()
    paths = [(references.parent / e["path"]).resolve() for e in entries if e != "N/A"]
    ranges = [(str(path), 0, path.stat().st_size) for path in [*inputs, *paths]]
    return {"read": ranges, "write": [path.stat().st_size for path in outputs]}


def files(folder: Path) -> list[Path]:
    """Return the files of a folder and below, in order."""
    return sorted(path for path in folder.rglob("*") if path.is_file())


def measure(data: Path, case: Case, peer: str | None, repeat: int) -> dict[str, Run]:
    """Return the runs of a case by name: ours, peer, floor."""
    folder, environment = data / case.data, crds(data / case.data)
    work = emptied(folder / f"work-{case.name}")
    source = case.source(folder)
    references = choose(case.first(folder), case.pipeline, work / "references.json", environment)
    ours = [PROGRAMS / f"calwebb-{case.pipeline}", "run", source, "--references", references, "-q",
            "--output-dir"]  # fmt: skip
    timed([*ours, emptied(work / "ours")], work / "log", **environment)
    plan = work / "plan.json"
    inputs = case.inputs(folder)
    plan.write_text(json.dumps(floor_plan(inputs, references, files(work / "ours"))))
    commands = {"ours": ours, "floor": [sys.executable, MEASURING / "floor.py", plan]}
    if peer and case.peer:
        commands["peer"] = [peer, HERE / "peer.py", case.pipeline, source, references]
    runs: dict[str, list[Run]] = {name: [] for name in commands}
    for _ in range(repeat):
        for name, command in commands.items():
            output = emptied(work / name)
            runs[name].append(timed([*command, output], work / f"{name}.log", **environment))
    return {name: best(own) for name, own in runs.items()}


def measure_chain(data: Path, case: Case, peer: str | None, repeat: int) -> dict[str, Run]:
    """Return the runs of the whole chain: ours under Snakemake, the official one in a row."""
    folder, environment = data / case.data, crds(data / case.data)
    work = emptied(folder / f"work-{case.name}")
    commands: dict[str, Callable[[Path], list[str | Path]]] = {
        "ours": lambda output: [sys.executable, HERE / "chain.py", "ours", folder, output],
    }
    if peer:
        commands["peer"] = lambda output: [
            sys.executable, HERE / "chain.py", "peer", folder, output, peer,
        ]  # fmt: skip
    # what compiles once and is read from disk for the first time is not counted
    timed(commands["ours"](emptied(work / "ours")), work / "log", **environment)
    runs: dict[str, list[Run]] = {name: [] for name in commands}
    for _ in range(repeat):
        for name, command in commands.items():
            log = work / f"{name}.log"
            runs[name].append(timed(command(emptied(work / name)), log, **environment))
    return {name: best(own) for name, own in runs.items()}


def made(data: Path, case: Case) -> None:
    """Simulate what a case needs, unless it is there."""
    make(data, case, PROGRAMS, os.environ | crds(data / case.data))


def measured(data: Path, case: Case, peer: str | None, repeat: int) -> dict[str, Run]:
    """Return the runs of a case by name."""
    run = measure_chain if case.pipeline == "chain" else measure
    return run(data, case, peer, repeat)


if __name__ == "__main__":
    sit(__doc__, CASES, made, measured, "imaging")
