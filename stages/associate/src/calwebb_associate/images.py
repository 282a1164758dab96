"""Container images of the stages: named by what they are made of.

An image's name carries a hash over everything that its build reads from the repository, so that
another definition, library or line of code has another path and Snakemake runs again what used
the old one. Run as a program, it prints what `containers/build.sh` needs, the path of a stage's
image or, without a stage, the folders of all stages' projects:

    python -m calwebb_associate.images [STAGE]
"""

import hashlib
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from calwebb_core.framework.errors import InputError

PROJECTS: Final = {
    "detector1": "stages/detector1",
    "image2": "stages/image2",
    "spec2": "stages/spec2",
    "level3": "stages/level3",
    "associate": "stages/associate",
    "simulator": "simulator",
}
WORKFLOW: Final = ("associate", "detector1", "image2", "spec2", "level3")  # what the rules use
ON_DEMAND: Final = ("image2", "spec2")  # of them, used by runs with such associations only
DIGITS: Final = 12
_LEFT_OUT: Final = (".nbi", ".nbc", ".pyc")


def inputs(base: Path, stage: str) -> Iterator[Path]:
    """Yield the files that a stage's image is made of, in a fixed order.

    Parameters
    ----------
    base : Path
        Folder of the repository.
    stage : str
        A key of `PROJECTS`.

    Raises
    ------
    InputError
        If there is no such stage.
    """
    if stage not in PROJECTS:
        msg = f"{stage}: no such stage; images are made for {', '.join(PROJECTS)}"
        raise InputError(msg)
    containers = base / "containers"
    yield containers / "base.lock"
    yield containers / "pip.lock"
    yield containers / f"{stage}.def"
    yield containers / "kernels" / f"{stage}.txt"
    yield from _files(containers / "inside")
    yield base / "envs" / f"{stage}.lock"
    for project in (base / "stages" / "core", base / PROJECTS[stage]):
        yield project / "pyproject.toml"
        yield project / "README.md"
        yield from _files(project / "src")


def _files(folder: Path) -> list[Path]:
    """Return the files below a folder, without what Python and numba leave there."""
    return sorted(
        path
        for path in folder.rglob("*")
        if path.is_file() and path.suffix not in _LEFT_OUT and ".egg-info" not in str(path)
    )


def input_hash(base: Path, stage: str) -> str:
    """Return a hash over names and contents of what a stage's image is made of."""
    digest = hashlib.sha256()
    for path in inputs(base, stage):
        content = path.read_bytes() if path.exists() else b""
        digest.update(f"{path.relative_to(base).as_posix()} {len(content)}\n".encode())
        digest.update(content)
    return digest.hexdigest()


def image_path(base: Path, stage: str) -> Path:
    """Return where a stage's image is, or is to be built."""
    return base / "containers" / f"{stage}-{input_hash(base, stage)[:DIGITS]}.sif"


def needed(programs: Iterable[str]) -> tuple[str, ...]:
    """Return the stages whose images a run uses.

    Parameters
    ----------
    programs : iterable of str
        Programs that take the run's associations.

    Returns
    -------
    tuple of str
        Those of `WORKFLOW` without a stage 2 that no association asks for; plan, stage 1 and
        pictures (drawn in level3's image) are part of every run.
    """
    asked = {program.removeprefix("calwebb-") for program in programs}
    return tuple(stage for stage in WORKFLOW if stage not in ON_DEMAND or stage in asked)


def require_images(base: Path, stages: Iterable[str]) -> dict[str, str]:
    """Return the paths of stages' images.

    Raises
    ------
    InputError
        Naming those that are missing, and the command that builds them.
    """
    paths = {stage: image_path(base, stage) for stage in stages}
    missing = [stage for stage, path in paths.items() if not path.exists()]
    if missing:
        names = ", ".join(f"containers/{paths[stage].name}" for stage in missing)
        msg = f"container images are missing: {names}; build them: containers/build.sh "
        raise InputError(msg + " ".join(missing))
    return {stage: str(path) for stage, path in paths.items()}


def lines(base: Path, stages: Iterable[str]) -> list[str]:
    """Return the paths of stages' images, or without stages every stage and its project."""
    paths = [str(image_path(base, stage)) for stage in stages]
    return paths or [f"{stage} {project}" for stage, project in PROJECTS.items()]


if __name__ == "__main__":
    for text in lines(Path.cwd(), sys.argv[1:]):
        print(text)  # noqa: T201 - the build script reads it
