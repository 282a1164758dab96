"""Associations of every mode's program against those that the official package makes."""

import json
import subprocess
import sys

import pytest

from calwebb_simulator.programs.files import MODES
from programs import ROOT, run

pytestmark = [pytest.mark.peer, pytest.mark.slow]

COMPARE = ROOT / "benchmarks" / "associations" / "compare.py"
# What only theirs and only ours has in the pool of a mode. Theirs takes the first imprint of a
# background for all its dithers, and names mosaics of direct images that it does not make.
KNOWN = {"nirspec-ifu": (3, 3), "niriss-parallel": (0, 2)}


@pytest.fixture(scope="module")
def pools(tmp_path_factory):
    """Folder with the pools of each mode: from its headers, and as the mission writes it."""
    folder = tmp_path_factory.mktemp("programs")
    run(["calwebb-simulate", "programs", "-q", "--output-dir", folder])
    for mode, program in MODES.items():
        files = sorted((folder / "uncal").glob(f"jw{program.number}*.fits"))
        run(["calwebb-pool", *files, "-o", folder / f"{mode}-headers.csv"])
        (folder / "pools" / f"jw{program.number}_pool.csv").rename(folder / f"{mode}-mission.csv")
    return folder


# A pool from headers differs where the proposal links observations.
LINKED = ("nircam-coronagraphy", "miri-mrs", "niriss-ami", "niriss-parallel", "nirspec-ifu")
CASES = [*((mode, "mission") for mode in MODES), *((mode, "headers") for mode in LINKED)]
# One process for all pools: most of the time of one pool would be its start.
OFFICIAL = """
import sys
from pathlib import Path
from jwst.associations.main import Main

folder, *pools = map(Path, sys.argv[1:])
for pool in pools:
    (folder / pool.stem).mkdir(parents=True)
    Main.cli([str(pool), "-p", str(folder / pool.stem)])
"""


@pytest.fixture(scope="module")
def found(pools, tmp_path_factory, peer_python):
    """What compare.py says about each pool."""
    folder = tmp_path_factory.mktemp("official")
    files = [pools / f"{mode}-{kind}.csv" for mode, kind in CASES]
    done = subprocess.run(
        [peer_python, "-c", OFFICIAL, folder / "theirs", *files],
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    report = folder / "found.json"
    run([sys.executable, COMPARE, pools, folder / "theirs", "--json", report])
    return json.loads(report.read_text())


@pytest.mark.parametrize(("mode", "kind"), CASES)
def test_associations_are_the_official_package_s(mode, kind, found):
    pool = found[f"{mode}-{kind}"]
    found_only = (pool["theirs"] - pool["common"], pool["ours"] - pool["common"])
    known = KNOWN.get(mode, (0, 0)) if (mode, kind) != ("niriss-parallel", "headers") else (0, 0)
    assert found_only == known, pool["differences"]
    assert pool["theirs"] > 0 or mode == "darks"
