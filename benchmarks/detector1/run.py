"""Measure stage 1 against the official package and against the floor of reading and writing.

``python benchmarks/detector1/run.py --data DIR [--make] [--peer PYTHON] [--case NAME]...
[--repeat N] [--markdown FILE] [--json FILE]``

Each case runs ours, the official package and the floor in turn, `repeat` times, as whole
processes that start from nothing, on the same input and the same reference files, which are in
the system's cache after a first run that is not counted (it also compiles our kernels).
"""

import json
import subprocess
import sys
from pathlib import Path

from astropy.io import fits
from cases import CASES, Case, raw_file

HERE = Path(__file__).resolve().parent
MEASURING = HERE.parent / "measuring"
sys.path.insert(0, str(MEASURING))

from measure import Run, best, emptied, timed  # noqa: E402
from sitting import sit  # noqa: E402

PROGRAMS = HERE.parents[1] / ".env" / "bin"
CONTEXT = "jwst_0001.pmap"
UNUSED = ("ERR", "ASDF")


def simulate(data: Path, case: Case) -> None:
    """Make the raw exposure and the reference files of a case, unless they are there."""
    if not (data / case.name / "uncal").is_dir():
        command = [PROGRAMS / "calwebb-simulate", "run", *case.simulate, "--output-dir"]
        subprocess.run([*command, data / case.name, "-q"], check=True)


def crds(data: Path, case: Case) -> dict[str, str]:
    """Return the environment that points crds at the simulated references of a case."""
    return {
        "CRDS_PATH": str(data / case.name / "crds_cache"),
        "CRDS_SERVER_URL": "https://jwst-serverless-mode.stsci.edu",
        "CRDS_CONTEXT": CONTEXT,
    }


def needed(path: str, frames: int) -> list[tuple[str, int, int]]:
    """Return the ranges of a reference file that stage 1 reads; of a dark only some frames."""
    if not path.endswith(".fits"):
        return [(path, 0, Path(path).stat().st_size)]
    ranges = []
    with fits.open(path) as hdus:
        kind = str(hdus[0].header.get("REFTYPE", "")).upper()
        for hdu in hdus:
            place = hdu.fileinfo()
            size = place["datSpan"]
            if hdu.name in UNUSED:
                continue
            if kind == "DARK" and hdu.name == "SCI":
                size = min(size, size * frames // hdu.header["NAXIS3"])
            ranges.append((path, place["hdrLoc"], size + place["datLoc"] - place["hdrLoc"]))
    return ranges


def floor_plan(raw: Path, references: Path, outputs: list[Path]) -> dict:
    """Return what the floor reads and writes."""
    header = fits.getheader(raw)
    frames = header["NGROUPS"] * (header["NFRAMES"] + header["GROUPGAP"])
    entries = json.loads(references.read_text())["references"].values()
    paths = [entry["path"] for entry in entries if entry != "N/A"]
    ranges = [(str(raw), 0, raw.stat().st_size)]
    for path in paths:
        ranges += needed(str((references.parent / path).resolve()), frames)
    return {"read": ranges, "write": [path.stat().st_size for path in outputs]}


def measure(data: Path, case: Case, peer: str | None, repeat: int) -> dict[str, Run]:
    """Return the runs of a case by name: ours, peer, floor."""
    raw, work = raw_file(data, case), emptied(data / case.name / "work")
    references, environment = work / "references.json", crds(data, case)
    choose = [PROGRAMS / "calwebb-references", raw, "--pipeline", "calwebb-detector1"]
    timed([*choose, "-o", references], work / "log", **environment)
    commands = {
        "ours": [PROGRAMS / "calwebb-detector1", "run", raw, "--references", references, "-q",
                 "--output-dir"],
    }  # fmt: skip
    timed([*commands["ours"], emptied(work / "ours")], work / "log", **environment)
    plan = work / "plan.json"
    plan.write_text(json.dumps(floor_plan(raw, references, sorted((work / "ours").glob("*.fits")))))
    commands["floor"] = [sys.executable, MEASURING / "floor.py", plan]
    if peer and case.peer:
        commands["peer"] = [peer, HERE / "peer.py", raw, references]
    runs: dict[str, list[Run]] = {name: [] for name in commands}
    for _ in range(repeat):
        for name, command in commands.items():
            output = emptied(work / name)
            runs[name].append(timed([*command, output], work / f"{name}.log", **environment))
    return {name: best(own) for name, own in runs.items()}


if __name__ == "__main__":
    sit(__doc__, CASES, simulate, measure, "table")
