"""Running the installed programs as a user does."""

import atexit
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from shutil import rmtree
from tempfile import TemporaryFile, mkdtemp

import pytest

from program_client import SERVERS, ask

ROOT = Path(__file__).resolve().parent.parent
BIN = ROOT / ".env" / "bin"
STAND_INS = "CALWEBB_TEST_STAND_INS"  # variable with the folder of `lay_out_stand_ins`
SERVERLESS = "https://jwst-serverless-mode.stsci.edu"

# What the programs of an environment import, once for many short runs: see program_server.py. What
# crds uses, not crds itself, which looks at the variables when it is imported. The core comes
# first, as it sets what numpy reads.
USED_BY_CRDS = ("asdf", "astropy.io.fits", "parsley", "requests")
IMPORTED = {
    "workflow": (
        "calwebb_core", *USED_BY_CRDS, "snakemake.api", "snakemake.cli",
        "snakemake_executor_plugin_slurm", "snakemake_executor_plugin_cluster_generic",
        "calwebb_associate.workflow",
    ),
    "associate": ("calwebb_core", *USED_BY_CRDS, "calwebb_associate.cli", "calwebb_associate.plan"),
    "detector1": ("calwebb_detector1.cli", "calwebb_detector1.pipeline"),
    "image2": ("calwebb_image2.cli", "calwebb_image2.pipeline"),
    "spec2": ("calwebb_spec2.cli", "calwebb_spec2.pipeline"),
    "level3": (
        "calwebb_core", "matplotlib.backends.backend_agg", "matplotlib.figure",
        "calwebb_level3.cli", "calwebb_level3.image3", "calwebb_level3.spec3",
        "calwebb_level3.tso3",
    ),
    "peer": (
        "scipy.ndimage", "scipy.optimize", "scipy.signal", "scipy.stats", "astropy.io.fits",
        "astropy.modeling.models", "astropy.table", "asdf_astropy", "gwcs", "photutils.psf",
        "photutils.segmentation", "stcal.jump.jump", "stcal.ramp_fitting.ramp_fit",
        "stdatamodels.jwst.datamodels", "tweakwcs",
    ),
}  # fmt: skip
OURS = IMPORTED.keys() - {"peer"}
# Other variables may be read when a library is imported: with them a program starts from nothing.
READ_LATE = {
    "CRDS_PATH", "CRDS_SERVER_URL", "CRDS_CONTEXT", "CRDS_OBSERVATORY", "SOURCE_DATE_EPOCH",
}  # fmt: skip

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

    def __init__(self, environment: str, *python: str | Path, **variables: str) -> None:
        known = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
        self.place = _sockets() / environment
        self.process = subprocess.Popen(
            [*python, ROOT / "tests" / "program_server.py", self.place, *IMPORTED[environment]],
            cwd=ROOT, env=known | variables, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            text=True,
        )  # fmt: skip

    def wait(self) -> None:
        """Wait until requests are answered."""
        if not self.process.stdout.closed:
            self.process.stdout.readline()
            self.process.stdout.close()

    def run(self, words: Sequence[str], folder: Path, variables: Mapping[str, str]) -> Done:
        """Run a program, or a script, to its end."""
        self.wait()
        script = str(BIN / words[0])
        with Path(os.devnull).open() as none, TemporaryFile() as out, TemporaryFile() as err:
            streams = [file.fileno() for file in (none, out, err)]
            code = ask(str(self.place), script, words[1:], variables, streams, folder=str(folder))
            if code is None:
                pytest.fail(f"{self.process.args} ended with {self.process.wait()}")
            said = []
            for file in (out, err):
                file.seek(0)
                said.append(file.read().decode())
            return subprocess.CompletedProcess(words, code, *said)

    def end(self) -> None:
        """End: there are no more requests."""
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()


def _server_of(program: str) -> Server | None:
    """Return what runs a program, or None where it is none of the installed ones."""
    environment = _environment_of(program)
    return _server(environment) if environment in OURS else None


def _environment_of(program: str) -> str:
    """Return the environment of an installed program; of others, any name."""
    place = BIN / program
    return place.resolve().parent.parent.name if place.is_symlink() else ""


@cache
def _server(environment: str) -> Server:
    """Return the server of an environment, which ends with the tests."""
    python = ROOT / ".env" / environment / "bin" / "python"
    server = Server(environment, python)
    atexit.register(server.end)
    return server


@cache
def _sockets() -> Path:
    """Return a folder for sockets, whose paths must be short."""
    folder = Path(mkdtemp(prefix="calwebb"))
    atexit.register(rmtree, folder)
    return folder


STAND_IN = """#!{python} -IS
import sys
sys.path.insert(0, {tests!r})
from program_client import stand_in
stand_in({environment!r}, {script!r})
"""


def lay_out_stand_ins(folder: Path) -> None:
    """Fill a folder with the Snakefile whose programs run in processes that are ready.

    Tests side by side share it: Snakemake knows again what it has made by the Snakefile's path.
    """
    programs = folder / ".env" / "bin"
    programs.mkdir(parents=True)
    for path in ROOT.iterdir():
        if path.name not in (".env", ".snakemake"):
            (folder / path.name).symlink_to(path)
    for script in BIN.iterdir():
        environment = _environment_of(script.name)
        if environment in OURS and script.name.startswith("calwebb-"):
            path = programs / script.name
            path.write_text(
                STAND_IN.format(
                    python=sys.executable, tests=str(ROOT / "tests"), script=str(script),
                    environment=environment,
                )
            )  # fmt: skip
            path.chmod(0o755)
        else:
            (programs / script.name).symlink_to(script.resolve())


def with_stand_ins() -> Path:
    """Return that folder; programs started from now on find the processes of this one."""
    os.environ[SERVERS] = str(_sockets())
    return Path(os.environ[STAND_INS])


@cache
def official(python: str, **variables: str) -> Server:
    """Return the server of the official package's Python, which warns of nothing."""
    server = Server("peer", python, "-W", "ignore", **variables)
    atexit.register(server.end)
    return server


def get_ready(environments: Sequence[str]) -> None:
    """Let programs of these environments, which others start, find their libraries imported."""
    for server in [_server(environment) for environment in environments]:
        server.wait()
