"""Measure making associations against the official package and against reading and writing.

``python benchmarks/associations/run.py --data DIR --make [--peer PYTHON] [--case NAME]...
[--repeat N] [--markdown FILE] [--json FILE]``

Each case is a pool that repeats the pools in ``pools`` of ``CALWEBB_REALDATA`` under other
programs. Ours (``calwebb-associate``), the official ``asn_generate`` and the floor run in turn
as whole processes that start from nothing. The floor reads the pool and writes as many files
with as many bytes as ours, forced to disk as ours are.
"""

import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
MEASURING = HERE.parent / "measuring"
sys.path[:0] = [str(HERE), str(MEASURING)]

from derive import at_hand, repeated  # noqa: E402
from measure import Run, best, emptied, timed  # noqa: E402
from sitting import sit  # noqa: E402

from calwebb_associate.pool import write_pool  # noqa: E402

PROGRAMS = ROOT / ".env" / "associate" / "bin"
REALDATA = Path(os.environ.get("CALWEBB_REALDATA", ROOT.parent / "shared" / "realdata"))
WORDS = ("--discover", "--all-candidates")


@dataclass(frozen=True)
class Case:
    """A pool of so many exposures, and how many times faster ours has to be.

    Attributes
    ----------
    name, meaning : str
    exposures : int
    peer : bool
        Whether the official package makes it in minutes.
    promised : float or None
    """

    name: str
    meaning: str
    exposures: int
    peer: bool
    promised: float | None = None


CASES = (
    Case("pool_837", "associations of 837 exposures", 837, peer=True, promised=40.0),
    Case("pool_10000", "associations of 10,000 exposures", 10_000, peer=False),
)


def pool_file(data: Path, case: Case) -> Path:
    """Return where the pool of a case is."""
    return data / case.name / f"{case.name}.csv"


def make(data: Path, case: Case) -> None:
    """Write the pool of a case, unless it is there."""
    path = pool_file(data, case)
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        pools = list(at_hand(REALDATA / "pools", ()).values())
        write_pool(repeated(pools, case.exposures, path.name), path)


def commands_of(pool: Path, case: Case, peer: str | None) -> dict[str, list[str | Path]]:
    """Return what to run by name, without the output folder at the end."""
    program = PROGRAMS / "calwebb-associate"
    commands: dict[str, list[str | Path]] = {"ours": [program, pool, *WORDS, "-q", "--output-dir"]}
    if peer and case.peer:
        commands["peer"] = [Path(peer).parent / "asn_generate", pool, "-p"]
    return commands


def measure(data: Path, case: Case, peer: str | None, repeat: int) -> dict[str, Run]:
    """Return the runs of a case by name: ours, peer, floor."""
    pool, work = pool_file(data, case), emptied(data / case.name / "work")
    commands = commands_of(pool, case, peer)
    timed([*commands["ours"], emptied(work / "ours")], work / "log")
    sizes = [path.stat().st_size for path in sorted((work / "ours").glob("*.json"))]
    plan = work / "plan.json"
    plan.write_text(json.dumps({"read": [(str(pool), 0, pool.stat().st_size)], "write": sizes}))
    commands["floor"] = [sys.executable, MEASURING / "floor.py", plan]
    runs: dict[str, list[Run]] = {name: [] for name in commands}
    for _ in range(repeat):
        for name, command in commands.items():
            output = emptied(work / name)
            runs[name].append(timed([*command, output], work / f"{name}.log"))
    return {name: best(own) for name, own in runs.items()}


if __name__ == "__main__":
    sit(__doc__, CASES, make, measure, "associations")
