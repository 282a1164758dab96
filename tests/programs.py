"""Running the installed programs as a user does."""

import atexit
import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

ROOT = Path(__file__).resolve().parent.parent
BIN = ROOT / ".env" / "bin"
SERVERLESS = "https://jwst-serverless-mode.stsci.edu"

# What the programs of an environment import, once for many short runs: see warm.py. What crds uses,
# not crds itself, which looks at the variables when it is imported.
USED_BY_CRDS = ("asdf", "astropy.io.fits", "parsley", "requests")
IMPORTED = {
    "workflow": (
        *USED_BY_CRDS, "snakemake.api", "snakemake.cli", "snakemake_executor_plugin_slurm",
        "snakemake_executor_plugin_cluster_generic", "calwebb_associate.workflow",
    ),
    "associate": (*USED_BY_CRDS, "calwebb_associate.cli", "calwebb_associate.plan"),
    "detector1": ("calwebb_detector1.cli", "calwebb_detector1.pipeline"),
    "image2": ("calwebb_image2.cli", "calwebb_image2.pipeline"),
    "spec2": ("calwebb_spec2.cli", "calwebb_spec2.pipeline"),
    "level3": (
        "calwebb_level3.cli", "calwebb_level3.image3", "calwebb_level3.spec3",
        "calwebb_level3.tso3",
    ),
}  # fmt: skip
# Other variables may be read when a library is imported: with them a program starts from nothing.
READ_LATE = {"CRDS_PATH", "CRDS_SERVER_URL", "CRDS_CONTEXT", "SOURCE_DATE_EPOCH"}

Done = subprocess.CompletedProcess[str]


def run(
    command: Sequence[str | Path], *, cwd: Path = ROOT, check: bool = True, **variables: str
) -> Done:
    """Run one of our programs as a user does, and show what it said when it fails."""
    environment = {**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}", **variables}
    environment.pop("PYTHONPATH", None)
    words = [str(word) for word in command]
    server = _server_of(words[0]) if variables.keys() <= READ_LATE else None
    if server is not None:
        done = server.run(words, cwd, environment)
    else:
        done = subprocess.run(
            words, cwd=cwd, env=environment, capture_output=True, text=True, check=False
        )
    if check and done.returncode != 0:
        pytest.fail(f"{command} ended with {done.returncode}\n{done.stdout}\n{done.stderr}")
    return done


class Server:
    """A process that runs programs of an environment in forks of itself."""

    def __init__(self, environment: str) -> None:
        python = ROOT / ".env" / environment / "bin" / "python"
        variables = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
        self.process = subprocess.Popen(
            [python, ROOT / "tests" / "warm.py", *IMPORTED[environment]],
            cwd=ROOT, env=variables, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip

    def run(self, words: Sequence[str], folder: Path, variables: Mapping[str, str]) -> Done:
        """Run a program to its end."""
        with TemporaryDirectory() as place:
            out, err = Path(place, "out"), Path(place, "err")
            request = {
                "script": str(BIN / words[0]), "words": words[1:], "folder": str(folder),
                "variables": dict(variables), "stdout": str(out), "stderr": str(err),
            }  # fmt: skip
            print(json.dumps(request), file=self.process.stdin, flush=True)
            answer = self.process.stdout.readline()
            if not answer:
                pytest.fail(f"{self.process.args} ended with {self.process.wait()}")
            said = (path.read_text("utf-8") for path in (out, err))
            return subprocess.CompletedProcess(words, int(answer), *said)

    def end(self) -> None:
        """End: there are no more requests."""
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()


def _server_of(program: str) -> Server | None:
    """Return what runs a program, or None where it is none of the installed ones."""
    place = BIN / program
    environment = place.resolve().parent.parent.name
    return _server(environment) if place.is_symlink() and environment in IMPORTED else None


@cache
def _server(environment: str) -> Server:
    """Return the server of an environment, which ends with the tests."""
    server = Server(environment)
    atexit.register(server.end)
    return server
