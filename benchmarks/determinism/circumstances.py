"""The circumstances of a case: variables, words before a command, folders, another user."""

import os
import pwd
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from determinism.cases import EPOCH, Case

HERE = Path(__file__).resolve().parent
TOP = HERE.parents[1]
STAGES = {
    "calwebb-detector1": "detector1",
    "calwebb-dark": "detector1",
    "calwebb-guider": "detector1",
    "calwebb-image2": "image2",
    "calwebb-image3": "level3",
    "calwebb-quicklook": "level3",
    "calwebb-simulate": "simulator",
    "calwebb-spec2": "spec2",
    "calwebb-spec3": "level3",
    "calwebb-tso3": "level3",
}
SERVERLESS = "https://jwst-serverless-mode.stsci.edu"
CONTEXT = "jwst_0001.pmap"
PARTS = (
    "associations", "references", "detector1", "image2", "image3", "spec2", "spec3", "tso3",
    "quicklook", "report",
)  # fmt: skip
LIBRARY = "rounding.so"
# beyond ASCII, and with a space: what a path may have
MOVED = "données déplacées"
Call = Callable[..., None]


class ChainError(Exception):
    """A program of the chain failed."""


@dataclass(frozen=True)
class Place:
    """Where a case runs.

    Attributes
    ----------
    case : Case
    data : Path
        What is read: uncal or rates, and crds_cache.
    folder : Path
        For products, logs and temporary files.
    top : Path
        The repository.
    cache : Path or None
        Compiled kernels; where NUMBA_CACHE_DIR says, or beside the sources, if None.
    """

    case: Case
    data: Path
    folder: Path
    top: Path = TOP
    cache: Path | None = None

    @property
    def programs(self) -> Path:
        """Folder of the programs."""
        return self.top / ".env" / "bin"

    def call(self, program: str, *words: str | Path) -> None:
        """Run a program to its end.

        Raises
        ------
        ChainError
            With what it said, if it fails.
        """
        command = [*self.wrapper(program), *options(self.case, program, words)]
        self.start(command, self.folder / "cwd" if self.case.own_folder else self.top)

    def start(self, command: list[str], cwd: Path, **more: str) -> None:
        """Run a command to its end, with more variables."""
        done = subprocess.run(
            command, cwd=cwd, env=self.variables() | more,
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        with (self.folder / "log").open("a") as log:
            log.write(f"$ {' '.join(command)}\n{done.stdout}{done.stderr}")
        if done.returncode:
            said = f"{done.stdout}\n{done.stderr}"
            msg = f"{' '.join(command)} ended with {done.returncode}\n{said}"
            raise ChainError(msg)

    def variables(self) -> dict[str, str]:
        """Return the environment."""
        case, folder = self.case, self.folder
        environment = {
            "PATH": f"{self.programs}{os.pathsep}{os.environ['PATH']}",
            "HOME": str(folder / "home"),
            "TMPDIR": str(folder / "tmp"),
            "LC_ALL": "C.UTF-8",
            "CRDS_PATH": str(self.data / "crds_cache"),
            "CRDS_SERVER_URL": SERVERLESS,
            "CRDS_CONTEXT": CONTEXT,
            "SOURCE_DATE_EPOCH": EPOCH,
            "NUMBA_CACHE_DIR": str(self.cache or os.environ.get("NUMBA_CACHE_DIR", "")),
            # for programs that take no number of threads
            "NUMBA_NUM_THREADS": str(case.threads),
        }
        if case.memory or case.clock:
            environment["PYTHONPATH"] = str(HERE / "changed")
        if case.memory:
            environment["CALWEBB_PLANES_MEMORY"] = str(case.memory)
        if case.clock:
            environment["CALWEBB_CLOCK_AHEAD"] = str(case.clock)
        if case.rounding:
            environment["LD_PRELOAD"] = str(folder / LIBRARY)
        environment |= case.environment
        return {name: value for name, value in environment.items() if value}

    def wrapper(self, program: str) -> list[str]:
        """Return the words before a command."""
        words = list(self.case.prefix)
        if self.case.user:
            account = pwd.getpwnam(self.case.user)
            words += ["setpriv", f"--reuid={account.pw_uid}", f"--regid={account.pw_gid}"]
            # to read what is root's own: the environments may lie in its home
            words += ["--clear-groups", "--inh-caps=+dac_read_search"]
            words += ["--ambient-caps=+dac_read_search"]
        if self.case.container:
            words += self.in_image(STAGES.get(program, "associate"))
        return words

    def in_image(self, stage: str) -> list[str]:
        """Return the words that run a command in the image of a stage."""
        passed = [
            word
            for name, value in self.variables().items()
            if name.startswith("CRDS") or name in ("SOURCE_DATE_EPOCH", "TMPDIR")
            for word in ("--env", f"{name}={value}")
        ]
        # the simulator reads nothing
        shown = ["--bind", f"{self.data}:{self.data}:ro"] if self.data.exists() else []
        return ["apptainer", "--quiet", "exec", "--cleanenv", "--no-home",
                *shown, "--bind", f"{self.folder}:{self.folder}",
                "--pwd", str(self.folder), *passed, str(image(stage))]  # fmt: skip


def image(stage: str) -> Path:
    """Return where the image of a stage is, if it is there."""
    command = [sys.executable, "-m", "calwebb_associate.images", stage]
    done = subprocess.run(command, cwd=TOP, check=True, capture_output=True, text=True)
    return Path(done.stdout.strip())


def options(case: Case, program: str, words: tuple[str | Path, ...]) -> list[str]:
    """Return the words of a command with what the case adds."""
    added: list[str] = ["-q"]
    if words[0] == "run" and program != "calwebb-simulate":
        added += ["--threads", str(case.threads)]
        added += ["--one-by-one"] if case.one_by_one else []
    return [program, *map(str, words), *added]


def make_place(case: Case, data: Path, folder: Path, cache: Path | None = None) -> Place:
    """Make the folders of a case anew, with what it reads where the case has it."""
    shutil.rmtree(folder, ignore_errors=True)
    for name in ("cwd", "tmp", "home", *(f"results/{part}" for part in PARTS)):
        (folder / name).mkdir(parents=True)
    top = TOP
    if case.linked:
        data = link(data, folder / "links")
    if case.moved:
        data = Path(shutil.copytree(data, folder / MOVED))
        top, cache = folder / "clone", folder / "kernels"
        clone(top)
    if case.rounding:
        build_rounding(folder / LIBRARY)
    if case.user:
        hand_over(folder, case.user)
    return Place(case, data, folder, top, cache)


def build_rounding(target: Path) -> None:
    """Compile the library of functions that round otherwise."""
    words = ["cc", "-shared", "-fPIC", "-O1", "-o", target, HERE / "rounding.c", "-lm"]
    subprocess.run(words, check=True)


def link(data: Path, folder: Path) -> Path:
    """Make a folder of links to raw exposures, and one to the CRDS cache."""
    (folder / "uncal").mkdir(parents=True)
    for raw in (data / "uncal").iterdir():
        (folder / "uncal" / raw.name).symlink_to(raw)
    (folder / "crds_cache").symlink_to(data / "crds_cache")
    return folder


def clone(target: Path) -> None:
    """Clone the repository as it was committed, and make its environments.

    Raises
    ------
    ChainError
        If that fails.
    """
    build = os.environ | {"PYTHON": os.environ.get("PYTHON", "python3")}
    for command in (["git", "clone", "--quiet", TOP, target], [target / "envs" / "build.sh"]):
        done = subprocess.run(command, env=build, capture_output=True, text=True, check=False)
        if done.returncode:
            raise ChainError(done.stdout + done.stderr)


def hand_over(folder: Path, user: str) -> None:
    """Give a folder to another user."""
    for path in (folder, *folder.rglob("*")):
        shutil.chown(path, user)
