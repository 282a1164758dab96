"""The workflow's own files: copied beside the research object, so that it holds what ran."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from calwebb_core.framework.atomic import write_text
from calwebb_core.framework.errors import InputError

FOLDER: Final = "workflow"


@dataclass(frozen=True)
class Workflow:
    """The workflow as it was copied; paths are relative to the research object.

    Attributes
    ----------
    main : str
        The Snakefile.
    parts : list of str
        Its rules and the configuration's defaults.
    """

    main: str
    parts: list[str]


def copy_workflow(snakefile: Path, root: Path) -> Workflow:
    """Copy a Snakefile, its rules and its configuration.

    Parameters
    ----------
    snakefile : Path
        The Snakefile; `rules` and `config.yaml` lie beside it.
    root : Path
        Folder of the research object.

    Raises
    ------
    InputError
        If there is no such file.
    """
    if not snakefile.is_file():
        msg = f"{snakefile}: there is no such Snakefile; name the workflow's with --workflow"
        raise InputError(msg)
    home = snakefile.parent
    config = home / "config.yaml"
    files = [*sorted((home / "rules").glob("*.smk")), *([config] if config.is_file() else [])]
    for file in (snakefile, *files):
        target = root / FOLDER / file.relative_to(home)
        target.parent.mkdir(parents=True, exist_ok=True)
        write_text(target, file.read_text(encoding="utf-8"))
    parts = [f"{FOLDER}/{file.relative_to(home).as_posix()}" for file in files]
    return Workflow(f"{FOLDER}/{snakefile.name}", parts)
