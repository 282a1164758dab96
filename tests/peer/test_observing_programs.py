"""Associations of every mode's program against those that the official package makes."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from calwebb_simulator.programs.files import MODES
from programs import ROOT, run

pytestmark = [pytest.mark.peer, pytest.mark.slow]

COMPARE = ROOT / "benchmarks" / "associations" / "compare.py"
# Differences in each pool: theirs takes the first imprint of a background for all its dithers.
KNOWN = {"nirspec-ifu": 3}


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


def differences(pool, tmp_path, python):
    """Return what compare.py says about a pool."""
    theirs = tmp_path / "theirs" / pool.stem
    theirs.mkdir(parents=True)
    program = Path(python).parent / "asn_generate"
    done = subprocess.run(
        [program, pool, "-p", theirs], check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-2000:]
    found = tmp_path / "found.json"
    run([sys.executable, COMPARE, pool.parent, theirs.parent, "--json", found])
    return json.loads(found.read_text())[pool.stem]


# A pool from headers differs where the proposal links observations.
LINKED = ("nircam-coronagraphy", "miri-mrs", "niriss-ami", "niriss-parallel", "nirspec-ifu")


@pytest.mark.parametrize(
    ("mode", "kind"),
    [*((mode, "mission") for mode in MODES), *((mode, "headers") for mode in LINKED)],
)
def test_associations_are_the_official_package_s(mode, kind, pools, tmp_path, peer_python):
    found = differences(pools / f"{mode}-{kind}.csv", tmp_path, peer_python)
    apart = KNOWN.get(mode, 0)
    assert found["theirs"] - found["common"] == apart, found["differences"]
    assert found["ours"] - found["common"] == apart, found["differences"]
    assert found["theirs"] > 0 or mode == "darks"
