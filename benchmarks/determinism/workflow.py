"""The chain by Snakemake, on this machine or through a Slurm of one node."""

import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from determinism.circumstances import CONTEXT, SERVERLESS, TOP, ChainError, Place

ONE_NODE = TOP / "tests" / "slurm" / "one_node.sh"
LOCAL = ("--workflow-profile", TOP / "profiles" / "default", "--cores", "2")
SLURM = ("--profile", TOP / "profiles" / "slurm", "--profile", TOP / "tests" / "slurm" / "site")


def run_workflow(place: Place) -> None:
    """Run the workflow on the raw exposures of a place.

    Raises
    ------
    ChainError
        If it fails, or Slurm does not start: its ports may be in use.
    """
    folder = place.folder
    config = folder / "config.json"
    config.write_text(
        json.dumps(
            {
                "uncal": str(place.data / "uncal"),
                "results": str(folder / "results"),
                "logs": str(folder / "logs"),
                "crds_path": str(place.data / "crds_cache"),
                "crds_server": SERVERLESS,
                "crds_context": CONTEXT,
            }
        )
    )
    command = ["snakemake", "--snakefile", str(place.top / "Snakefile")]
    last = ["--configfile", str(config)]
    if place.case.workflow == "local":
        place.start([*command, *map(str, LOCAL), *last], folder / "cwd")
        return
    node = Path(tempfile.mkdtemp(prefix="one", dir="/tmp")) / "node"  # sockets: a short name
    node.parent.chmod(0o755)
    try:
        started = subprocess.run([ONE_NODE, "start", node], capture_output=True, text=True)
        if started.returncode:
            raise ChainError(started.stdout + started.stderr)
        path = f"{node / 'bin'}{os.pathsep}{place.variables()['PATH']}"
        place.start([*command, *map(str, SLURM), *last], folder / "cwd", PATH=path)
    finally:
        subprocess.run([ONE_NODE, "stop", node], check=False)
        shutil.rmtree(node.parent, ignore_errors=True)
