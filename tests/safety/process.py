"""Programs in processes of their own, as a user starts them."""

import os
import subprocess
from pathlib import Path

from programs import BIN, SERVERLESS

CRDS = {"CRDS_SERVER_URL": SERVERLESS, "CRDS_CONTEXT": "jwst_0001.pmap"}
EPOCH = "1735689600"  # of DATE, which would tell runs apart


def environment(**variables: str) -> dict[str, str]:
    """Return the variables for a program, its folder on the path."""
    path = variables.pop("PATH", os.environ["PATH"])
    mine = {"PATH": f"{BIN}{os.pathsep}{path}", "SOURCE_DATE_EPOCH": EPOCH}
    return {**os.environ, **CRDS, **mine, **variables}


def run(
    command: list[object], *, cwd: Path, check: bool = True, **variables: str
) -> subprocess.CompletedProcess[str]:
    """Run a program to its end."""
    done = subprocess.run(
        [str(word) for word in command],
        cwd=cwd, env=environment(**variables), stdin=subprocess.DEVNULL,
        capture_output=True, text=True, errors="replace", check=False,
    )  # fmt: skip
    assert done.returncode == 0 or not check, f"{command}\n{done.stdout}\n{done.stderr}"
    return done
